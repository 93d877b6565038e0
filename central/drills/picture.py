"""The timeline as lines of a picture: where each bar begins and ends. Pure; the template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from central.drills.timeline import Step

WIDTH: Final = 600
HEIGHT: Final = 44  # of one line
LEFT: Final = 12
RIGHT: Final = WIDTH - 12
_SPAN: Final = RIGHT - LEFT
_SHORTEST_MS: Final = 60_000  # what the whole width stands for at least


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the picture, in its own units: `y` its top; `x0` to `x1` the bar, at whose end the mark stands. `baseline`:
    of its words."""

    step: Step
    y: int
    x0: int
    x1: int

    @property
    def baseline(self) -> int:
        """Where its words stand."""
        return self.y + 18

    @property
    def bar(self) -> int:
        """Where its bar stands."""
        return self.y + 26

    @property
    def width(self) -> int:
        """Of the bar."""
        return max(2, self.x1 - self.x0)

    @property
    def mark(self) -> int:
        """Where its mark begins, which is 14 wide and stays inside."""
        return min(max(self.x1 - 7, LEFT), RIGHT - 14)


def bars(steps: Sequence[Step], now_ms: int) -> list[Bar]:
    """Each step as a bar, from when it counts to when it was reached, or until now."""
    begin = min((step.at_ms for step in steps if step.at_ms is not None), default=now_ms)
    end = max(
        [begin + _SHORTEST_MS, *(step.at_ms for step in steps if step.at_ms is not None), *_pending(steps, now_ms)]
    )

    def x(at_ms: int) -> int:
        return LEFT + round(_SPAN * (min(max(at_ms, begin), end) - begin) / (end - begin))

    def of(step: Step) -> tuple[int, int]:
        upto = now_ms if step.at_ms is None else step.at_ms
        since = upto if step.from_ms is None else min(step.from_ms, upto)
        return x(since), x(upto)

    return [Bar(step, place * HEIGHT, *of(step)) for place, step in enumerate(steps)]


def _pending(steps: Sequence[Step], now_ms: int) -> list[int]:
    return [now_ms] if any(step.at_ms is None for step in steps) else []
