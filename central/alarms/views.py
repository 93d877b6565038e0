"""The alarms: at the top of every page, as a list with its history, and one by one."""

import re
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from central.accounts.models import User
from central.alarms.book import acknowledge as store_acknowledgement
from central.alarms.choosing import UNACKNOWLEDGED, Wanted, nights, over, standing, unanswered
from central.alarms.leader import MAY_NOTE, NOTE_LENGTH, Told, with_instructions, without_instruction
from central.alarms.leader import note as store_note
from central.alarms.models import Alarm, AlarmEvent
from central.alarms.telling import last_told, tell_gates, waiting
from central.drills.marking import with_drills
from central.registry.models import Gate
from central.web.live import Live
from sync.contract.alarms import AlarmAction

IN_BAR = 4
IN_LIST = 200  # of a flood; the rest is in the history
AT_ONCE = 500  # that one click acknowledges: a transaction of about a second
PAGE = 50

_ID = re.compile(r"[0-9a-f]{32}")
_AT_GATE = (AlarmAction.ACKNOWLEDGED, AlarmAction.CLEARED)  # the latter where acknowledging was its end
_GATE_NOTE = Subquery(
    AlarmEvent.objects.filter(alarm=OuterRef("pk"), action__in=_AT_GATE)
    .exclude(note="")
    .order_by("pk")
    .values("note")[:1]
)


def _bar(_: HttpRequest) -> Mapping[str, Any]:
    alarms, calls = standing(), unanswered()
    return {
        "alarms": alarms[:IN_BAR],
        "count": alarms.count(),
        "unacknowledged": alarms.filter(UNACKNOWLEDGED).count(),
        "unanswered": calls.count(),
        "gates": calls.order_by().values("gate").distinct().count(),
    }


def _open(request: HttpRequest) -> Mapping[str, Any]:
    wanted = Wanted.of(request.GET)
    alarms = standing(wanted)
    return {
        "alarms": alarms[:IN_LIST],
        "count": alarms.count(),
        "nights": nights(unanswered(wanted)),
        "over": over(wanted, AT_ONCE),
        "most": AT_ONCE,
    }


BAR = Live("alarm-bar", "alarms/_bar.html", _bar)
OPEN = Live("open-alarms", "alarms/_open.html", _open, keeps=("gate", "night", "unanswered", "uninstructed"))


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The open alarms, and all there were: as far as the address leaves them in."""
    wanted = Wanted.of(request.GET)
    every = _whole()
    context = {
        "open": OPEN,
        "wanted": wanted,
        "gates": Gate.objects.filter(admitted=True),
        "page": Paginator(wanted.among(every), PAGE).get_page(request.GET.get("page")),
        "without": without_instruction(every).count(),
        "note_length": NOTE_LENGTH,
    }
    return render(request, "alarms/listing.html", context)


@require_safe
def detail(request: HttpRequest, alarm_id: str) -> HttpResponse:
    """One alarm: its history by the clocks of those who wrote it, and the forms: to acknowledge it, and for the leader's
    instruction."""
    alarm = get_object_or_404(_whole(), pk=alarm_id)
    context = {
        "alarm": alarm,
        "events": alarm.events.order_by("at_ms", "pk"),
        "untold": waiting([alarm.pk]).exists(),
        "last_told": last_told(alarm),
        "may_note": _user(request).has_perm(MAY_NOTE),
        "note_length": NOTE_LENGTH,
    }
    return render(request, "alarms/detail.html", context)


@require_POST
def acknowledge(request: HttpRequest) -> HttpResponse:
    """Acknowledge the alarms that the person saw, or of those what was over by then, with a note of what was done, and tell their
    gates."""
    listed, ended = request.POST.getlist("alarm"), request.POST.get("over", "").split()
    given = ended if "all-over" in request.POST or not listed else listed
    ids = [each for each in given[:AT_ONCE] if _ID.fullmatch(each)]
    back = f"{reverse('alarms')}?{Wanted.of(request.POST).address()}".rstrip("?")
    note = request.POST.get("note", "").strip()
    if not note:
        messages.error(request, _("Nothing was acknowledged: please write what was done."))
        return redirect("alarm", ids[0]) if len(ids) == 1 else redirect(back)
    count = store_acknowledgement(ids, _user(request), note)
    if count:
        said = ngettext("%(count)d alarm acknowledged.", "%(count)d alarms acknowledged.", count)
        messages.success(request, said % {"count": count})
        _tell(request, ids)
    else:
        messages.info(request, _("There was nothing left to acknowledge."))
    return redirect(back)


@require_POST
def tell(request: HttpRequest, alarm_id: str) -> HttpResponse:
    """Tell the gate once more what was acknowledged here: it was offline, or did not answer."""
    get_object_or_404(Alarm, pk=alarm_id)
    _tell(request, [alarm_id])
    return redirect("alarm", alarm_id)


@require_POST
@permission_required(MAY_NOTE, raise_exception=True)
def note(request: HttpRequest, alarm_id: str) -> HttpResponse:
    """Write down what the leader on shift instructed, or that it was done. Acknowledges nothing."""
    get_object_or_404(Alarm, pk=alarm_id)
    text, what = request.POST.get("note", "").strip(), request.POST.get("what", "")
    if not text or what not in set(Told):
        messages.error(request, _("Nothing was written down: please write what was instructed, or what was done."))
    else:
        store_note(alarm_id, _user(request), Told(what), text)
        messages.success(request, _("Written down. This does not acknowledge the alarm."))
        messages.info(request, _("The gate is told an instruction only with the acknowledgement that comes after it."))
    return redirect("alarm", alarm_id)


def _tell(request: HttpRequest, ids: list[str]) -> None:
    for heard in tell_gates(ids, _user(request)):
        if heard.why:
            said = _(
                "%(gate)s: not told to the gate: %(why)s. It is not sent later; its siren goes on until somebody acknowledges there."
            )
            messages.warning(request, said % {"gate": heard.gate, "why": heard.why})
        else:
            messages.success(request, _("%(gate)s: the gate has carried it out.") % {"gate": heard.gate})


def _whole() -> QuerySet[Alarm]:
    rows = Alarm.objects.select_related("gate", "office_acknowledged_by").annotate(gate_note=_GATE_NOTE)
    return with_drills(with_instructions(rows))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  nobody comes here without a login
    return request.user
