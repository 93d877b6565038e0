"""What whoever holds a code up should do: pure, with the picture and the time as arguments.

A hint is given when something has looked like a code for a while and could not be read, and only for what is seen to be wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.camera.decoders import Unread
from drivers.camera.frames import Box, Gray
from drivers.readings import Hint

PATIENCE_MS = 1200  # so long it may look like a code before anything is said
AGAIN_MS = 4000  # between two hints
GONE_MS = 700  # not seen for so long: taken away
TIMES = 3  # so often in a row the same must be seen to be wrong
SMALL_PX = 2.5  # a module smaller than this is not read reliably
_SHARP = 0.22  # of the contrast, the steepest step between two pixels of a sharp picture
_MOVED = 0.25  # of its own side between two pictures: it moves


@dataclass(slots=True)
class _Held:
    since_ms: int
    seen_ms: int
    box: Box
    wrong: Hint | None = None
    times: int = 0

    def judge(self, wrong: Hint | None) -> None:
        """What was wrong this time."""
        self.times = self.times + 1 if wrong is self.wrong else 1
        self.wrong = wrong


class Hints:
    """Watches what could not be read."""

    def __init__(self) -> None:
        self._held: _Held | None = None
        self._said_ms: int | None = None

    def after(self, gray: Gray, unread: Sequence[Unread], *, read: bool, now_ms: int) -> Hint | None:
        """What to say after this picture, if anything. `read`: a code was read in it."""
        if read:
            self._held = None
            return None
        held = self._held
        if not unread:
            if held is not None and now_ms - held.seen_ms > GONE_MS:
                self._held = None
            return None
        largest = max(unread, key=lambda each: each.box.right - each.box.left)
        if held is None or now_ms - held.seen_ms > GONE_MS:
            self._held = _Held(now_ms, now_ms, largest.box)
            return None
        held.judge(_wrong(gray, largest, moves=_apart(held.box, largest.box) > _MOVED))
        held.seen_ms, held.box = now_ms, largest.box
        soon = now_ms - held.since_ms < PATIENCE_MS or held.times < TIMES
        if held.wrong is None or soon or (self._said_ms is not None and now_ms - self._said_ms < AGAIN_MS):
            return None
        self._said_ms = now_ms
        return held.wrong


def _wrong(gray: Gray, code: Unread, *, moves: bool) -> Hint | None:
    if 0 < code.module_px < SMALL_PX:
        return Hint.CLOSER  # first: who is still on the way moves, too
    return Hint.HOLD_STILL if moves or _unsharp(gray, code.box) else None


def _apart(one: Box, other: Box) -> float:
    """How far the middles are apart, in sides of the larger."""
    side = max(one.right - one.left, other.right - other.left, 1)
    return float(np.hypot(one.middle[0] - other.middle[0], one.middle[1] - other.middle[1])) / side


def _unsharp(gray: Gray, box: Box) -> bool:
    """Whether no edge in it is steep, across or down, for the contrast that it has: a smear leaves those along it."""
    cut = gray[max(0, box.top) : box.bottom, max(0, box.left) : box.right].astype(np.int16)
    if min(cut.shape) < 3:
        return False
    dark, light = np.percentile(cut, (5, 95))
    steepest = min(np.percentile(np.abs(np.diff(cut, axis=axis)), 98) for axis in (0, 1))
    return bool(steepest < _SHARP * max(float(light - dark), 20.0))
