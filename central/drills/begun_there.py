"""Drills that somebody began at a gate, without the office: out of the stages that the gate recorded. Nothing is stored of them besides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from central.drills.models import GateStage
from central.drills.timeline import GateLine, Stamped, Step, gate_lines, steps
from central.registry.models import Gate
from sync.contract.records import DrillStage

MOST_STAGES: Final = 32  # of one drill: a gate stamps each once


@dataclass(frozen=True, slots=True)
class BegunThere:
    """One of them. `pk`: that of the stage it began with; `ended_at`: Unix ms, None while it is on."""

    pk: int
    gate: Gate
    mode: str
    by: str
    stages: Sequence[Stamped]

    @property
    def began_at(self) -> int:
        """When it was ordered, Unix ms."""
        return self.stages[0].at_ms

    @property
    def ended_at(self) -> int | None:
        """When it ended."""
        return next((each.at_ms for each in self.stages if each.stage is DrillStage.ENDED), None)

    @property
    def state(self) -> str:
        """In one machine word, as the office's own."""
        return "running" if self.ended_at is None else "over"

    @property
    def steps(self) -> Sequence[Step]:
        """Its timeline. Order and end are the gate's."""
        ends = [each for each in self.stages if each.stage in (DrillStage.ORDERED, DrillStage.ENDED)]
        return steps(ends, {str(self.gate): self.stages})

    @property
    def lines(self) -> Sequence[GateLine]:
        """What the gate recorded of it."""
        return gate_lines({str(self.gate): self.stages})


def latest(most: int) -> list[BegunThere]:
    """The last ones, the newest first."""
    began = GateStage.objects.filter(order="", stage=DrillStage.ORDERED).select_related("gate", "boot")
    return [_found(first) for first in began.order_by("-pk")[:most]]


def begun_there(pk: int) -> BegunThere:
    """The one that began with this stage. Raises GateStage.DoesNotExist."""
    return _found(GateStage.objects.select_related("gate", "boot").get(pk=pk, order="", stage=DrillStage.ORDERED))


def _found(first: GateStage) -> BegunThere:
    """The stages that follow it at its gate, up to its end, or to the next order."""
    after = GateStage.objects.filter(gate=first.gate_id, pk__gt=first.pk).select_related("boot").order_by("pk")
    rows = [first]
    for row in after[:MOST_STAGES]:
        if row.stage == DrillStage.ORDERED:
            break
        rows.append(row)
        if row.stage == DrillStage.ENDED:
            break
    stages = [Stamped(DrillStage(row.stage), row.about, row.by, about=row.shown_at is None) for row in rows]
    return BegunThere(first.pk, first.gate, first.mode, first.by, stages)
