"""The last visits, and the one under way, as the guard's page shows them: a watcher of effects."""

import threading
from collections import deque
from typing import Final

import msgspec

from gateway.core import effects
from gateway.page.messages import MOST_STEPS, Passed, StepDone
from sync.contract.records import Body, Door, Visit, VisitOutcome, withdrawn

LAST: Final = 20
WARM: Final = frozenset({"fever", "high", "too-cold", "implausible", "unsteady"})
"""The reasons for which a temperature is shown: the guard is to measure again. Of whoever went in none is."""


class RecentVisits:
    """Written by the deciding thread, read by the page's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: deque[tuple[str, Passed]] = deque(maxlen=LAST)
        self._steps: tuple[StepDone, ...] = ()
        self._decided = False

    def watch(self, effect: effects.Effect) -> None:
        """See what a turn brought."""
        match effect:
            case effects.Show("decision"):  # not each has a record
                self._decided = True
            case effects.Show("step", values):
                self._step(values["step"], values["result"] == "passed", values["reason"])

    def recorded(self, body: Body, at_ms: int) -> None:
        """A record was made, at that time (Unix milliseconds)."""
        match body:
            case Visit():
                self._ended(body, at_ms)
            case Door():
                self._withdrawn(body)

    @property
    def last(self) -> tuple[Passed, ...]:
        """The newest first."""
        with self._lock:
            return tuple(passed for _, passed in reversed(self._last))

    @property
    def steps(self) -> tuple[StepDone, ...]:
        """Of the visit under way, or of the last one until the next begins."""
        return self._steps

    def nobody(self) -> None:
        """Nobody is there: the next step is another's."""
        self._steps = ()

    def _step(self, step: str, passed: bool, reason: str) -> None:
        kept = () if self._decided else tuple(each for each in self._steps if each.step != step)
        self._decided = False
        self._steps = (*kept, StepDone(step=step, passed=passed, reason=reason))[-MOST_STEPS:]

    def _ended(self, visit: Visit, at_ms: int) -> None:
        shows = visit.outcome is not VisitOutcome.GRANTED and not WARM.isdisjoint(visit.reasons)
        passed = Passed(
            at_ms=at_ms,
            direction=visit.direction.value,
            outcome=visit.outcome.value,
            reasons=visit.reasons[:8],
            pass_type=visit.pass_type.value if visit.pass_type is not None else "",
            health_code=visit.health_code.value if visit.health_code is not None else "",
            object_c=visit.object_c if shows else None,
        )
        with self._lock:
            self._last.append((visit.visit, passed))

    def _withdrawn(self, door: Door) -> None:
        outcome = withdrawn(door)
        if outcome is None:
            return
        with self._lock:
            for at, (known, passed) in enumerate(self._last):
                if known == door.visit:
                    changed = msgspec.structs.replace(passed, outcome=outcome.value, reasons=(door.cause,))
                    self._last[at] = (known, changed)
