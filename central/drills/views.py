"""The drills as pages: planned, looked at, ordered, stamped while they run, and reported."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from central.accounts.models import User
from central.drills import conduct
from central.drills.begun_there import BegunThere, begun_there, latest
from central.drills.forms import PlanForm
from central.drills.models import BY_PEOPLE, MODE_OF, Drill, GateStage
from central.drills.picture import HEIGHT, WIDTH, bars
from central.drills.reading import course, proposals
from central.drills.timeline import GateLine, Step
from central.holders.ordering import EFFECTS
from central.holders.site import user_of
from central.holders.standing import standing_of
from central.web.live import Live
from sync.contract.records import DrillStage

PAGE: Final = 30
MINUTE_MS: Final = 60_000
IN_REPORT: Final = 6  # gates on the one page of a report, the slowest
MAY_PLAN, MAY_STAMP, MAY_FORGET = "drills.add_drill", "drills.add_stamp", "drills.delete_drill"
MAY_ORDER: Final = ("drills.change_drill", "holders.add_modeorder")


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All drills, and the one that is due next."""
    drills = Drill.objects.prefetch_related("gates__gate")
    context = {
        "page": Paginator(drills, PAGE).get_page(request.GET.get("page")),
        "proposals": proposals(),
        "begun_there": latest(PAGE),
        "today": office_now().date(),
        "may_plan": user_of(request).has_perm(MAY_PLAN),
    }
    return render(request, "drills/listing.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MAY_PLAN, raise_exception=True)
def plan(request: HttpRequest) -> HttpResponse:
    """Plan one. Nothing is ordered by that."""
    scenario = request.GET.get("scenario", "")
    asked = {name: request.GET.get(name, "") for name in ("site", "scenario", "building")}
    initial = {**asked, "mode": MODE_OF.get(scenario, ""), "gates": request.GET.getlist("gate")}
    form = PlanForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        drill = conduct.plan(form.save(commit=False), form.chosen(), user_of(request))
        return redirect("drill", drill.pk)
    return render(request, "drills/plan.html", {"form": form})


def _timeline(request: HttpRequest) -> Mapping[str, Any]:
    assert request.resolver_match is not None  # noqa: S101  it is that of an address with the drill's number
    drill = get_object_or_404(Drill, pk=request.resolver_match.kwargs["drill_id"])
    found = course(drill)
    stamped = {step.stage for step in found.steps if step.at_ms is not None and not step.gate}
    done = set(drill.stamps.values_list("stage", flat=True))
    running = drill.state == "running"
    return {
        "drill": drill,
        "gates": found.gates,
        "stamps": [stage for stage in BY_PEOPLE if stage not in done] if running else [],
        "stamped": stamped,
        "may_stamp": user_of(request).has_perm(MAY_STAMP),
        **_picture(found.steps, drill.ended_at or office_now()),
    }


def _picture(steps: Sequence[Step], end: datetime) -> dict[str, Any]:
    """Up to its end, or to now while it runs, by whole minutes: between them nothing moves unless something happens."""
    upto = int(end.timestamp() * 1000) // MINUTE_MS * MINUTE_MS
    return {"bars": bars(steps, upto), "steps": steps, "width": WIDTH, "height": HEIGHT * len(steps)}


TIMELINE = Live("drill-timeline", "drills/_timeline.html", _timeline, parts=("drill_id",))


@require_safe
def detail(request: HttpRequest, drill_id: int) -> HttpResponse:
    """One drill: its plan, or its timeline."""
    drill = get_object_or_404(Drill, pk=drill_id)
    user, now = user_of(request), office_now()
    context = {
        "drill": drill,
        "part": TIMELINE,
        "effect": EFFECTS[drill.mode],
        "may_order": user.has_perms(MAY_ORDER),
        "may_forget": user.has_perm(MAY_FORGET),
        "standings": [standing_of(row.gate, now) for row in drill.gates.select_related("gate")]
        if drill.state == "planned"
        else [],
    }
    return render(request, "drills/detail.html", context)


def _timeline_there(request: HttpRequest) -> Mapping[str, Any]:
    assert request.resolver_match is not None  # noqa: S101  it is that of an address with the stage's number
    drill = _begun_there(request.resolver_match.kwargs["stage_id"])
    end = office_now() if drill.ended_at is None else datetime.fromtimestamp(drill.ended_at / 1000, UTC)
    return {"drill": drill, "gates": drill.lines, **_picture(drill.steps, end)}


BEGUN_THERE = Live("drill-begun-there-timeline", "drills/_timeline.html", _timeline_there, parts=("stage_id",))


@require_safe
def begun_at_gate(request: HttpRequest, stage_id: int) -> HttpResponse:
    """One that was begun at a gate: looked at. What is to be done about it is done there."""
    return render(request, "drills/begun_there.html", {"drill": _begun_there(stage_id), "part": BEGUN_THERE})


def _begun_there(stage_id: int) -> BegunThere:
    try:
        return begun_there(stage_id)
    except GateStage.DoesNotExist:
        raise Http404 from None


@require_safe
def report(request: HttpRequest, drill_id: int) -> HttpResponse:
    """One page to be printed. Of many gates the slowest stand there, and how many there are besides."""
    drill = get_object_or_404(Drill.objects.exclude(began_at=None), pk=drill_id)
    found = course(drill)
    slowest = {line.gate for line in sorted(found.gates, key=_slowness, reverse=True)[:IN_REPORT]}
    steps = [step for step in found.steps if not _is_gate(step) or step.gate in slowest]
    context = {
        "drill": drill,
        "gates": [line for line in found.gates if line.gate in slowest],
        "left_out": len(found.gates) - len(slowest),
        "in_mode": sum(line.in_mode is not None for line in found.gates),
        "all_gates": len(found.gates),
        "printed": office_now(),
        **_picture(steps, drill.ended_at or office_now()),
    }
    return render(request, "drills/report.html", context)


def _is_gate(step: Step) -> bool:
    return step.stage is DrillStage.IN_MODE


def _slowness(line: GateLine) -> float:
    return float("inf") if line.in_mode is None else line.in_mode.at_ms


@require_POST
@permission_required(MAY_ORDER, raise_exception=True)
def begin(request: HttpRequest, drill_id: int) -> HttpResponse:
    """Order it now."""
    return _step(request, drill_id, conduct.begin, _("Ordered. Each gate stands below as soon as it is in the mode."))


@require_POST
@permission_required(MAY_ORDER, raise_exception=True)
def end(request: HttpRequest, drill_id: int) -> HttpResponse:
    """End it."""
    return _step(request, drill_id, conduct.end, _("Ended: its gates are ordered back to normal."))


@require_POST
@permission_required(MAY_STAMP, raise_exception=True)
def stamp(request: HttpRequest, drill_id: int) -> HttpResponse:
    """Stamp a stage."""
    stage = request.POST.get("stage", "")
    if stage not in conduct.STAMPED:
        messages.error(request, _("That is no stage that is stamped here."))
        return redirect("drill", drill_id)
    return _step(request, drill_id, lambda pk, by: conduct.stamp(pk, DrillStage(stage), by), _("Stamped."))


@require_POST
@permission_required(MAY_FORGET, raise_exception=True)
def forget(request: HttpRequest, drill_id: int) -> HttpResponse:
    """Delete a plan that was never ordered."""
    get_object_or_404(Drill.objects.filter(began_at=None), pk=drill_id).delete()
    messages.success(request, _("The plan is deleted."))
    return redirect("drills")


def _step(request: HttpRequest, drill_id: int, take: Callable[[int, User], bool], said: str) -> HttpResponse:
    get_object_or_404(Drill, pk=drill_id)
    if take(drill_id, user_of(request)):
        messages.success(request, said)
    else:
        messages.info(request, _("This was done before, or is not possible now: nothing was changed."))
    return redirect("drill", drill_id)
