"""The roster as a page: who is on duty, what is wrong with it, and what the gates recorded of shifts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now as office_now
from django.views.decorators.http import require_safe

from central.duty.models import DutyShift, ShiftEvent
from central.duty.presence import Presence, presence
from central.duty.roster import look
from central.duty.window import AHEAD, MOST, near
from central.holders.site import may
from central.registry.models import Gate
from central.web.live import Live
from sync.contract.directory import DutyRole

BACK: Final = timedelta(hours=36)
MOST_EVENTS: Final = 500  # that are looked at
SHOWN_EVENTS: Final = 60
_ORDER: Final = {role: place for place, role in enumerate((DutyRole.LEADER, DutyRole.DUTY_ROOM, DutyRole.GUARD))}


@dataclass(frozen=True, slots=True)
class Line:
    """A shift on the page. `presence`: of a guard's that has begun."""

    shift: DutyShift
    state: str  # now, over, later
    presence: Presence | None


def sites() -> list[str]:
    """Those that have gates or a roster."""
    known = set(Gate.objects.exclude(site="").values_list("site", flat=True))
    return sorted(known | set(DutyShift.objects.values_list("site", flat=True)))


def _page(request: HttpRequest) -> Mapping[str, Any]:
    there = sites()
    site = request.GET.get("site", "")
    site = site if site in there else next(iter(there), "")
    now = office_now()
    gates = {gate.pk: gate for gate in Gate.objects.filter(site=site)} if site else {}
    events = list(_events(gates, now))
    shifts = list(DutyShift.objects.filter(site=site, ends_at__gt=now - BACK, begins_at__lt=now + AHEAD))
    shifts.sort(key=lambda each: (each.begins_at, _ORDER[DutyRole(each.role)], each.gate, each.name))
    lines = [_line(each, events, now) for each in shifts]
    return {
        "site": site,
        "now": sorted(
            (line for line in lines if line.state == "now"), key=lambda line: _ORDER[DutyRole(line.shift.role)]
        ),
        "lines": lines,
        "findings": look(shifts, now, now + AHEAD, timedelta(hours=settings.GUARDS_REST_H)) if shifts else [],
        "events": events[:SHOWN_EVENTS],
        "gates": gates,
        "too_many": near(site, now).count() > MOST,
        "most": MOST,
    }


def _events(gates: Mapping[str, Gate], now: datetime) -> QuerySet[ShiftEvent]:
    rows = ShiftEvent.objects.filter(gate__in=gates, received_at__gt=now - BACK).select_related("gate", "boot")
    return rows[:MOST_EVENTS]


def _line(shift: DutyShift, events: Sequence[ShiftEvent], now: datetime) -> Line:
    state = "later" if shift.begins_at > now else "over" if shift.ends_at <= now else "now"
    if shift.role != DutyRole.GUARD or state == "later":
        return Line(shift, state, None)
    mine = [event for event in events if shift.gate in ("", event.gate_id)]
    return Line(shift, state, presence(mine, shift.begins_at, shift.ends_at))


PAGE = Live("duty-page", "duty/_page.html", _page, keeps=("site",))


@require_safe
def roster(request: HttpRequest) -> HttpResponse:
    """Who is on duty."""
    may_change = getattr(request.user, "is_staff", False) and may(request, DutyShift, "add", "change")
    return render(request, "duty/roster.html", {"part": PAGE, "sites": sites(), "may_change": may_change})
