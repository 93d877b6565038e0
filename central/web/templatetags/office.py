"""How the pages show machine words, times and the parts that keep themselves up to date."""

from datetime import UTC, datetime

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext

from central.alarms.views import BAR
from central.entries.dating import Bounds
from central.entries.models import Dated
from central.web.live import Live
from central.web.shapes import shape
from central.web.words import word as words_of

register = template.Library()
_SHAPE = '<svg class="shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path fill-rule="evenodd" d="{}"/></svg>'


@register.filter
def word(machine: object, table: str) -> str:
    """`{{ machine|word:"outcome" }}`: a machine word in people's words."""
    return words_of(table, str(machine))


@register.simple_tag
def badge(table: str, machine: object) -> SafeString:
    """`{% badge "outcome" machine %}`: a machine word as word, colour and shape; nothing for no word."""
    value = str(machine)
    if not value:
        return SafeString("")
    path = shape(table, value)
    drawn = format_html(_SHAPE, path) if path else ""
    # a colour of the style sheet for the words of ours only: nothing from outside becomes part of a class
    kind = f"{table}-{value}" if path else "plain"
    return format_html('<span class="badge {}">{}{}</span>', kind, drawn, words_of(table, value))


@register.filter
def gate_time(ms: int, form: str = "%H:%M:%S") -> str:
    """Unix milliseconds of a gate's clock as local time; what no calendar holds is shown as the number it is."""
    moment = _local(ms)
    return f"{ms} ms" if moment is None else _in_parts(moment, form)


@register.simple_tag
def row_time(row: Dated) -> SafeString:
    """`{% row_time row %}`: when the record of a row was written; where that is not known, about when, from when to when,
    and why it is not."""
    if row.shown_at is not None:
        return SafeString(gate_time(row.shown_at))
    about, why = _local(row.about), words_of("clock_doubt", row.clock_doubt)
    between = _between(about, row.bounds)
    return format_html("≈ {} <small>{}</small><small>{}</small>", gate_time(row.about, "%H:%M"), between, why)


def _between(about: datetime | None, bounds: Bounds) -> str:
    """From when to when: without the day where that is the day of `about`."""
    earliest = _local(bounds.earliest)
    latest = _local(
        None if bounds.latest is None else bounds.latest + 59_999
    )  # the end of its minute, to hold the truth
    if latest is None:
        return ""
    same = about is not None and all(each is None or each.date() == about.date() for each in (earliest, latest))
    form = "%H:%M" if same else "%Y-%m-%d %H:%M"
    if earliest is None:
        return "(" + gettext("%(time)s at the latest") % {"time": f"{latest:{form}}"} + ")"
    return f"({earliest:{form}}–{latest:{form}})"


def _local(ms: int | None) -> datetime | None:
    """Unix milliseconds as local time; None for what no calendar holds."""
    try:
        return None if ms is None else localtime(datetime.fromtimestamp(ms / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return None


@register.filter
def clock_time(ms: int) -> str:
    """Unix milliseconds as the time of day."""
    moment = _local(ms)
    return f"{ms} ms" if moment is None else f"{moment:%H:%M:%S}"


@register.filter
def duration(ms: int) -> str:
    """How long something took: seconds, minutes and seconds, or hours and minutes."""
    minutes, seconds = divmod(ms // 1000, 60)
    if minutes >= 60:
        return gettext("%(h)d h %(m)02d min") % {"h": minutes // 60, "m": minutes % 60}
    return (
        gettext("%(m)d min %(s)02d s") % {"m": minutes, "s": seconds}
        if minutes
        else gettext("%(s)d s") % {"s": seconds}
    )


@register.simple_tag
def shape_path(table: str, machine: str) -> str:
    """`{% shape_path "step" "done" %}`: the path of a shape, for a picture."""
    return shape(table, machine)


@register.filter
def office_time(moment: datetime | None) -> str:
    """A time of the office's clock as local time; a line may break between day and time, and nowhere else."""
    if moment is None:
        return ""
    return _in_parts(localtime(moment), "%H:%M:%S")


def _in_parts(local: datetime, form: str) -> SafeString:
    return format_html("<span>{}</span> <span>{}</span>", f"{local:%Y-%m-%d}", f"{local:{form}}")


@register.simple_tag
def live(part: Live, request: HttpRequest) -> SafeString:
    """`{% live part request %}`: a part that keeps itself up to date."""
    return part.element(request)


@register.simple_tag(takes_context=True)
def alarm_bar(context: Context) -> SafeString:
    """The open alarms, at the top of every page."""
    return BAR.element(context["request"])
