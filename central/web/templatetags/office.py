"""How the pages show machine words, times and the parts that keep themselves up to date."""

from datetime import UTC, datetime

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from central.alarms.views import BAR
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
def gate_time(ms: int) -> str:
    """Unix milliseconds of a gate's clock as local time; what no calendar holds is shown as the number it is."""
    try:
        moment = localtime(datetime.fromtimestamp(ms / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"
    return office_time(moment)


@register.filter
def office_time(moment: datetime | None) -> str:
    """A time of the office's clock as local time; a line may break between day and time, and nowhere else."""
    if moment is None:
        return ""
    local = localtime(moment)
    return format_html("<span>{}</span> <span>{}</span>", f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}")


@register.simple_tag
def live(part: Live, request: HttpRequest) -> SafeString:
    """`{% live part request %}`: a part that keeps itself up to date."""
    return part.element(request)


@register.simple_tag(takes_context=True)
def alarm_bar(context: Context) -> SafeString:
    """The open alarms, at the top of every page."""
    return BAR.element(context["request"])
