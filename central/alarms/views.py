"""The alarms: at the top of every page, as a list with its history, and one by one."""

import re
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from central.accounts.models import User
from central.alarms.book import acknowledge as store_acknowledgement
from central.alarms.models import Alarm
from central.web.live import Live

IN_BAR = 4
IN_LIST = 200  # of a flood; the rest is in the history
PAGE = 50
NOTE_LENGTH = 500

_ID = re.compile(r"[0-9a-f]{32}")
_UNACKNOWLEDGED = Q(gate_acknowledged=False, office_acknowledged_at=None)


def standing() -> QuerySet[Alarm]:
    """What somebody still has to look at: open, or over before anybody took notice. Not acknowledged first, newest
    first."""
    unacknowledged_first = Case(When(_UNACKNOWLEDGED, then=Value(0)), default=Value(1), output_field=IntegerField())
    return (
        Alarm.objects.filter(Q(cleared=False) | _UNACKNOWLEDGED)
        .select_related("gate", "office_acknowledged_by")
        .order_by(unacknowledged_first, "-received_at", "-since_ms", "id")
    )


def _bar(_: HttpRequest) -> Mapping[str, Any]:
    alarms = standing()
    return {
        "alarms": alarms[:IN_BAR],
        "count": alarms.count(),
        "unacknowledged": alarms.filter(_UNACKNOWLEDGED).count(),
    }


def _open(_: HttpRequest) -> Mapping[str, Any]:
    alarms = standing()
    return {"alarms": alarms[:IN_LIST], "count": alarms.count()}


BAR = Live("alarm-bar", "alarms/_bar.html", _bar)
OPEN = Live("open-alarms", "alarms/_open.html", _open)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The open alarms, and all there were."""
    every = Alarm.objects.select_related("gate", "office_acknowledged_by")
    page = Paginator(every, PAGE).get_page(request.GET.get("page"))
    return render(request, "alarms/listing.html", {"open": OPEN, "page": page, "note_length": NOTE_LENGTH})


@require_safe
def detail(request: HttpRequest, alarm_id: str) -> HttpResponse:
    """One alarm: its history, and the form that acknowledges it."""
    alarm = get_object_or_404(Alarm.objects.select_related("gate", "office_acknowledged_by"), pk=alarm_id)
    context = {"alarm": alarm, "events": alarm.events.all(), "note_length": NOTE_LENGTH}
    return render(request, "alarms/detail.html", context)


@require_POST
def acknowledge(request: HttpRequest) -> HttpResponse:
    """Acknowledge the alarms that the person saw, with a note of what was done."""
    assert isinstance(request.user, User)  # noqa: S101  nobody comes here without a login
    ids = [each for each in request.POST.getlist("alarm") if _ID.fullmatch(each)]
    note = request.POST.get("note", "").strip()
    if not note:
        messages.error(request, _("Nothing was acknowledged: please write what was done."))
        return redirect("alarm", ids[0]) if len(ids) == 1 else redirect("alarms")
    count = store_acknowledgement(ids, request.user, note)
    if count:
        said = ngettext("%(count)d alarm acknowledged.", "%(count)d alarms acknowledged.", count)
        messages.success(request, said % {"count": count})
    else:
        messages.info(request, _("There was nothing left to acknowledge."))
    return redirect("alarms")
