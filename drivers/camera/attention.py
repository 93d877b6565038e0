"""How much work a picture is worth: pure, with the cost and the time as arguments.

The camera looks at an empty gate nearly all day. So the dear stages live on credit: every picture earns a fixed share of
what reading a whole picture once costs on this machine, and a dear stage runs only while something is left. What looks
like a code in a place where there was none gets a loan at once, which a visitor with a difficult code is worth; the same
thing in the same place (a poster behind the gate) gets no second one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.camera.frames import Box

EARNED = 0.1  # of the cost of reading a whole picture once, by every picture that is read
RESTED = 0.4  # the same, by a picture that need not be read since nothing changed
SAVED_S = 0.5  # s of computing that can be saved up
LOAN_S = 2.0  # s of computing for something new that looks like a code
FORGET_MS = 2000  # what was not seen for so long is new
REACH = 1.0  # what is within so many of its own sides of where it was is the same thing, moved


@dataclass(slots=True)
class _Place:
    box: Box
    seen_ms: int


class Attention:
    """The credit, and the places where something was."""

    def __init__(self) -> None:
        self._credit_s = 0.0
        self._price_s = 0.0  # what reading a whole picture once costs
        self._places: list[_Place] = []

    def read_once(self, cost_s: float, *, whole: bool) -> None:
        """A picture was read once for this cost, `whole` with all that the first decoder can do."""
        if whole:
            self._price_s = min(cost_s, 1.5 * self._price_s) if self._price_s else cost_s
        self._earn(EARNED)

    @property
    def price_s(self) -> float:
        """What reading a whole picture once costs, s."""
        return self._price_s

    def rested(self) -> None:
        """A picture was not read."""
        self._earn(RESTED)

    def _earn(self, share: float) -> None:
        if self._credit_s < SAVED_S:
            self._credit_s = min(SAVED_S, self._credit_s + share * self._price_s)

    def spend(self, cost_s: float) -> None:
        """A dear stage took so long."""
        self._credit_s -= cost_s

    @property
    def may_spend(self) -> bool:
        """Whether a dear stage may run."""
        return self._credit_s > 0

    @property
    def idle(self) -> bool:
        """Whether so much is saved up that a look at nothing in particular does no harm."""
        return self._credit_s >= 0.5 * SAVED_S

    def looks_like_codes(self, boxes: Iterable[Box], now_ms: int) -> None:
        """There are things that look like codes and were not read: what is new gets a loan."""
        for box in boxes:
            if self._seen(box, now_ms):
                self._credit_s = max(self._credit_s, LOAN_S)

    def were_read(self, boxes: Iterable[Box], now_ms: int) -> None:
        """Codes were read in these places."""
        for box in boxes:
            self._seen(box, now_ms)

    def awake(self, now_ms: int) -> bool:
        """Whether something was there a moment ago."""
        self._forget(now_ms)
        return bool(self._places)

    def _seen(self, box: Box, now_ms: int) -> bool:
        """Remember a place; whether it is a new one."""
        self._forget(now_ms)
        for place in self._places:
            if place.box.grown(REACH).holds(box):
                place.box, place.seen_ms = box, now_ms
                return False
        self._places.append(_Place(box, now_ms))
        return True

    def _forget(self, now_ms: int) -> None:
        self._places = [place for place in self._places if now_ms - place.seen_ms <= FORGET_MS][-16:]

    def where(self) -> list[Box]:
        """The places, the newest last."""
        return [place.box for place in sorted(self._places, key=lambda place: place.seen_ms)]
