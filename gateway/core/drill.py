"""A drill (应急演练): a mode ordered as an exercise, and the stages that are reached in it.

Theory of operation. A drill begins with an order and ends with the next one that is none. What the gate sees it stamps itself: the
order, the mode in force, the first one let in after. What no sensor sees (supplies ready, people assembled) is stamped by people, each
stage once. The office makes the timeline of all gates' stages.
"""

from collections.abc import Mapping
from typing import Final

from gateway.core import durable
from sync.contract.records import Drill, DrillStage

_KEY: Final = "drill-stages"
BY_PEOPLE: Final = frozenset({DrillStage.SUPPLIES_READY, DrillStage.ASSEMBLED, DrillStage.RESIDENTS_ARRIVE})


class DrillBook:
    """The stages of the drill that is on."""

    def __init__(self, state: Mapping[str, bytes]) -> None:
        self._stages = durable.read(state, _KEY, tuple[DrillStage, ...], ())

    @property
    def on(self) -> bool:
        """Whether there is a drill."""
        return bool(self._stages)

    @property
    def stages(self) -> tuple[DrillStage, ...]:
        """The stages reached, in order."""
        return self._stages

    def begin(self, mode: str, by: str, order: str) -> list[Drill]:
        """A drill is ordered, and this gate is in its mode."""
        ended = self.end(by)
        self._stages = (DrillStage.ORDERED, DrillStage.IN_MODE)
        return ended + [Drill(stage=stage, mode=mode, by=by, order=order) for stage in self._stages]

    def end(self, by: str) -> list[Drill]:
        """It is over, where there was one."""
        if not self.on:
            return []
        self._stages = ()
        return [Drill(stage=DrillStage.ENDED, by=by)]

    def stamp(self, stage: DrillStage, by: str) -> list[Drill]:
        """Somebody stamps a stage; nothing when there is no drill, or it has its stamp."""
        if not self.on or stage in self._stages or stage not in BY_PEOPLE:
            return []
        self._stages += (stage,)
        return [Drill(stage=stage, by=by)]

    def visit(self) -> list[Drill]:
        """Somebody was let in: the first are the residents of the drill."""
        return self.stamp(DrillStage.RESIDENTS_ARRIVE, "") if DrillStage.IN_MODE in self._stages else []

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {_KEY: durable.encode(self._stages)} if self._stages else {}
