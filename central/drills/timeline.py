"""A drill's timeline: order → supplies ready → people assembled → each gate in mode → residents arrive → end. Pure.

What no sensor sees has the office's stamp, or that of the first gate where somebody stamped it. How long a step took counts
from the last of the steps before it; a gate's, which waits for nobody, from the order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sync.contract.records import DrillStage

STEPS: Final = (DrillStage.ORDERED, DrillStage.SUPPLIES_READY, DrillStage.ASSEMBLED)
AFTER: Final = (DrillStage.RESIDENTS_ARRIVE, DrillStage.ENDED)


@dataclass(frozen=True, slots=True)
class Stamped:
    """A stage, when (Unix ms) and by whom; `about`: when is not known exactly."""

    stage: DrillStage
    at_ms: int
    by: str = ""
    gate: str = ""
    about: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline. `at_ms` None: not yet. `from_ms`: from when it counts; `gate`: whose, "" of the whole drill."""

    stage: DrillStage
    at_ms: int | None = None
    by: str = ""
    gate: str = ""
    about: bool = False
    from_ms: int | None = None

    @property
    def took_ms(self) -> int | None:
        """How long it took; None while it is not reached, and for the order itself."""
        return None if self.at_ms is None or self.from_ms is None else max(0, self.at_ms - self.from_ms)


@dataclass(frozen=True, slots=True)
class GateLine:
    """What one gate recorded of it."""

    gate: str
    in_mode: Stamped | None = None
    first_visit: Stamped | None = None
    ended: Stamped | None = None


def steps(office: Sequence[Stamped], gates: Mapping[str, Iterable[Stamped]]) -> list[Step]:
    """All steps in their order. `office`: what was stamped there, the order and the end among it; `gates`: each gate that takes
    part, by what it is called, with what it recorded."""
    stages = {stamp.stage: stamp for stamp in office}
    at_gates = [replace(stamp, gate=gate) for gate, stamps in gates.items() for stamp in stamps]
    ordered = stages[DrillStage.ORDERED].at_ms if DrillStage.ORDERED in stages else None
    lines = {line.gate: line.in_mode for line in gate_lines(gates)}
    whole = [_step(stage, stages, at_gates) for stage in (*STEPS, *AFTER)]
    counted = _counted(whole)
    in_mode = [_gate_step(gate, stamp, ordered) for gate, stamp in lines.items()]
    return [*counted[: len(STEPS)], *in_mode, *counted[len(STEPS) :]]


def gate_lines(gates: Mapping[str, Iterable[Stamped]]) -> list[GateLine]:
    """What each gate recorded, one line a gate."""
    lines = []
    for gate, stamps in gates.items():
        first = _first(stamps)
        found = (first.get(each) for each in (DrillStage.IN_MODE, DrillStage.RESIDENTS_ARRIVE, DrillStage.ENDED))
        lines.append(GateLine(gate, *found))
    return lines


def _first(stamps: Iterable[Stamped]) -> dict[DrillStage, Stamped]:
    found: dict[DrillStage, Stamped] = {}
    for stamp in stamps:
        found.setdefault(stamp.stage, stamp)
    return found


def _step(stage: DrillStage, office: Mapping[DrillStage, Stamped], at_gates: Sequence[Stamped]) -> Step:
    """The office's stamp; but for the order and the end, which are the office's own, else the earliest of a gate."""
    mine = office.get(stage)
    if mine is None and stage not in (DrillStage.ORDERED, DrillStage.ENDED):
        theirs = [stamp for stamp in at_gates if stamp.stage is stage]
        mine = min(theirs, key=lambda stamp: stamp.at_ms, default=None)
    if mine is None:
        return Step(stage)
    return Step(stage, mine.at_ms, mine.by, mine.gate, mine.about)


def _gate_step(gate: str, stamp: Stamped | None, ordered: int | None) -> Step:
    if stamp is None:
        return Step(DrillStage.IN_MODE, gate=gate, from_ms=ordered)
    return Step(DrillStage.IN_MODE, stamp.at_ms, stamp.by, gate, stamp.about, ordered)


def _counted(whole: Sequence[Step]) -> list[Step]:
    """Each with the time from which it counts: that of the last step before it that was reached by then."""
    counted = []
    for place, step in enumerate(whole):
        reached = [before.at_ms for before in whole[:place] if before.at_ms is not None]
        by_then = [each for each in reached if step.at_ms is None or each <= step.at_ms] or reached[:1]
        counted.append(replace(step, from_ms=max(by_then, default=None)))
    return counted
