"""When a picture is searched for codes that no decoder finds (unclear.py), and where: pure, with the cost and the time as arguments.

Such a search costs as much as reading ten pictures. So it lives on credit as the dear stages do (attention.py), on a purse of its own
that takes nothing from them, and what was searched in vain is left alone while it stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.camera.decoders import Unread
from drivers.camera.frames import Box

EARNED = 0.01  # of the cost of reading a whole picture once, by every picture that is read
RESTED = 0.4  # the same, by a picture that need not be read since nothing changed
SAVED_S = 0.3  # s of computing that can be saved up
LOAN_S = 0.5  # s of computing once something new was found, so that it can be watched
FIRST_S = 0.01  # s of computing at the start
EVERY_MS = 350  # between two looks while nothing is found, and
TIRED_MS = 1400  # when many searches in a row were in vain
_TIRING = 4  # so many of them make it longer by the first
WATCHED_MS = 200  # and while something is
READ_MS = 1000  # no look so soon after a code was read
LATELY_MS = 700  # what was found before that is looked for in its place first
GONE_MS = 1000  # what was looked for and not found for so long is gone
FORGET_MS = 5000  # what was searched in vain and not seen for so long is searched again
REACH = 1.0  # what is within so many of its own sides of where it was is the same thing, moved
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
        self._found: Unread | None = None
        self._found_ms: int | None = None
        self._read_ms: int | None = None
        self._in_vain = 0  # searches in a row
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
        waiting_ms = min(EVERY_MS * (1 + self._in_vain // _TIRING), TIRED_MS)
        every_ms = WATCHED_MS if self.lately(now_ms) else waiting_ms
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

    def lately(self, now_ms: int) -> Unread | None:
        """What was found a moment ago."""
        return self._found if _within(self._found_ms, LATELY_MS, now_ms) else None

    def found(self, code: Unread, now_ms: int) -> None:
        """Here is a code that cannot be read: something new gets a loan."""
        if self._found is None or not self._found.box.grown(REACH).holds(code.box):
            self._credit_s = max(self._credit_s, LOAN_S)
        self._found, self._found_ms, self._in_vain = code, now_ms, 0

    def nothing(self, now_ms: int) -> None:
        """This look found no code."""
        if not _within(self._found_ms, GONE_MS, now_ms):
            self._found = None

    def in_vain(self, patch: Box, now_ms: int) -> None:
        """There is none. Where one was a moment ago is searched again soon."""
        self._in_vain += 1
        last = self.lately(now_ms)
        if last is None or not patch.holds(last.box):
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
