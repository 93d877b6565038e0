"""When a picture is searched for codes that no decoder finds (unclear.py), and where: pure, with the cost and the time as arguments.

Such a search costs as much as reading ten pictures. So it lives on credit as the dear stages do (attention.py), on a purse of its own
that takes nothing from them, and what was searched in vain is left alone while it stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.camera.frames import Box

EARNED = 0.04  # of the cost of reading a whole picture once, by every picture that is read
RESTED = 0.3  # the same, by a picture that need not be read since nothing changed
SAVED_S = 0.3  # s of computing that can be saved up
LOAN_S = 0.5  # s of computing once something new was found, so that it can be watched
FIRST_S = 0.1  # s of computing at the start
EVERY_MS = 350  # between two looks while nothing is found
WATCHED_MS = 200  # and while something is
READ_MS = 1000  # no look so soon after a code was read
FORGET_MS = 2000  # what was not seen for so long is new
VAIN_MS = 20_000  # what was searched in vain is searched again after so long
_ABOUT = 0.1  # of its longer side: so much may a patch's edges differ for it to be the same


@dataclass(slots=True)
class _Vain:
    box: Box
    tried_ms: int
    seen_ms: int


class Glances:
    """The purse, and the patches that were searched in vain."""

    def __init__(self) -> None:
        self._credit_s = FIRST_S
        self._looked_ms: int | None = None
        self._found: Box | None = None
        self._found_ms: int | None = None
        self._read_ms: int | None = None
        self._vain: list[_Vain] = []

    def earn(self, price_s: float, *, rested: bool) -> None:
        """A picture came, for which `price_s` is what reading a whole one costs."""
        if self._credit_s < SAVED_S:
            self._credit_s = min(SAVED_S, self._credit_s + (RESTED if rested else EARNED) * price_s)

    def spend(self, cost_s: float) -> None:
        """A look or a search took so long."""
        self._credit_s -= cost_s

    @property
    def may_spend(self) -> bool:
        """Whether there is credit."""
        return self._credit_s > 0

    def due(self, now_ms: int) -> bool:
        """Whether it is time for a look; the next one is due some time after that."""
        every_ms = WATCHED_MS if _within(self._found_ms, FORGET_MS, now_ms) else EVERY_MS
        if not self.may_spend or _within(self._read_ms, READ_MS, now_ms) or _within(self._looked_ms, every_ms, now_ms):
            return False
        self._looked_ms = now_ms
        return True

    def was_read(self, now_ms: int) -> None:
        """A code was read."""
        self._read_ms = now_ms

    def worth(self, patches: Iterable[Box], now_ms: int) -> list[Box]:
        """Those that were not searched in vain a while ago and stayed."""
        self._vain = [vain for vain in self._vain if self._stays(vain, now_ms)]
        return [patch for patch in patches if not self._known(patch, now_ms)]

    def found(self, box: Box, now_ms: int) -> None:
        """Here is a code that cannot be read: something new gets a loan."""
        if not _within(self._found_ms, FORGET_MS, now_ms):
            self._credit_s = max(self._credit_s, LOAN_S)
        self._found, self._found_ms = box, now_ms

    def in_vain(self, patch: Box, now_ms: int) -> None:
        """There is none. Where one was a moment ago is searched again soon."""
        lately = _within(self._found_ms, FORGET_MS, now_ms)
        if self._found is None or not lately or not patch.holds(self._found):
            self._vain = [*self._vain[-15:], _Vain(patch, now_ms, now_ms)]

    def _known(self, patch: Box, now_ms: int) -> bool:
        for vain in self._vain:
            if _same(vain.box, patch):
                vain.box, vain.seen_ms = patch, now_ms
                return True
        return False

    def _stays(self, vain: _Vain, now_ms: int) -> bool:
        return now_ms - vain.seen_ms <= FORGET_MS and now_ms - vain.tried_ms <= VAIN_MS


def _within(then_ms: int | None, limit_ms: int, now_ms: int) -> bool:
    return then_ms is not None and now_ms - then_ms < limit_ms


def _same(one: Box, other: Box) -> bool:
    side = max(one.right - one.left, one.bottom - one.top)
    return all(abs(here - there) <= _ABOUT * side for here, there in zip(one, other, strict=True))
