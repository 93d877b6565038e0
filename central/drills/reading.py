"""A drill out of the database, as its timeline and the proposals want it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.timezone import localdate

from central.drills.models import SCENARIOS, Drill, GateStage
from central.drills.proposing import Held, Proposal, propose
from central.drills.timeline import GateLine, Stamped, Step, gate_lines, steps
from central.registry.models import Gate
from sync.contract.records import DrillStage


@dataclass(frozen=True, slots=True)
class Course:
    """How a drill goes: its steps in their order, and its gates' own stages."""

    steps: Sequence[Step]
    gates: Sequence[GateLine]


def course(drill: Drill) -> Course:
    """As it stands now. Gates are called what people call them; two of one name by their ids, too."""
    rows = list(drill.gates.select_related("gate"))
    names = [str(row.gate) for row in rows]
    called = {
        row.gate_id: name if names.count(name) == 1 else f"{name} ({row.gate_id})"
        for row, name in zip(rows, names, strict=True)
    }
    at_gates = _at_gates({row.gate_id: row.order for row in rows})
    found = steps(_at_office(drill), at_gates)
    return Course(
        [replace(step, gate=called.get(step.gate, "")) for step in found],
        [replace(line, gate=called[line.gate]) for line in gate_lines(at_gates)],
    )


def _at_office(drill: Drill) -> list[Stamped]:
    found = [
        Stamped(DrillStage(each.stage), _ms(each.at), each.by.get_username())
        for each in drill.stamps.select_related("by")
    ]
    for stage, at, by in (
        (DrillStage.ORDERED, drill.began_at, drill.began_by),
        (DrillStage.ENDED, drill.ended_at, drill.ended_by),
    ):
        if at is not None and by is not None:
            found.append(Stamped(stage, _ms(at), by.get_username()))
    return found


def _at_gates(orders: Mapping[str, str]) -> dict[str, list[Stamped]]:
    found: dict[str, list[Stamped]] = {gate: [] for gate in orders}
    known = [order for order in orders.values() if order]
    for row in GateStage.objects.filter(order__in=known).select_related("boot").order_by("pk"):
        if orders.get(row.gate_id) == row.order:  # another gate's word for it is nobody's
            found[row.gate_id].append(Stamped(DrillStage(row.stage), row.about, row.by, about=row.shown_at is None))
    return found


def proposals() -> dict[str, Proposal]:
    """The next drill of each site that has gates."""
    found: dict[str, Proposal] = {}
    gates: dict[str, list[str]] = {}
    for gate in Gate.objects.filter(admitted=True).exclude(site=""):
        gates.setdefault(gate.site, []).append(gate.pk)
    for site, there in sorted(gates.items()):
        held = Drill.objects.filter(site=site).exclude(began_at=None).prefetch_related("gates")
        found[site] = propose([_held(drill) for drill in held], [scenario for scenario, _ in SCENARIOS], there)
    return found


def _held(drill: Drill) -> Held:
    return Held(drill.scenario, drill.building, [row.gate_id for row in drill.gates.all()], localdate(drill.began_at))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
