"""How much a sender may have on its way: bytes that the link, as measured, carries in half a second and in the time of the way.

An alarm that overtakes the backlog waits behind what the link has not carried yet, and behind nothing else: half a second, where answers come
evenly. How long the link takes for the least that it was ever asked (a satellite: 600 ms and more) is the way there and back, and not how much it
carries: it is taken off what is measured; and what is on the way delays nothing that follows it, so that much more may be.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from sync.log.view import Head

FULL_MS: Final = 500  # besides what is on the way, what the link carries in this time: no more waits before it
MOST_WAY_MS: Final = 1000  # of the way there and back: an alarm waits so much longer where answers come all at once
MIN_WINDOW: Final = 4 * 1024  # bytes, at first and where the way takes longer; half a second at 64 kbit/s
LEAST_WINDOW: Final = 1024  # bytes, where the link is measured to carry less
MAX_WINDOW: Final = 2 * 1024 * 1024
MAX_BATCH: Final = 128 * 1024  # bytes of one message, about
_MAX_RATIO: Final = 8.0  # no more compression than this is counted on


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    upto: Head
    size: int
    at_ms: int


class Window:
    """What was sent and not yet acknowledged, and how much more may be. Times are monotonic milliseconds."""

    def __init__(self) -> None:
        self.size = MIN_WINDOW  # bytes
        self.in_flight = 0  # bytes
        self._sent: deque[_OnItsWay] = deque()
        self._ratio = 1.0  # of the last message, inflated to deflated
        self._acked_at = 0
        self._grown_at = 0
        self._delay: int | None = None

    @property
    def way_ms(self) -> int:
        """The shortest time in which anything was answered; 0 as long as nothing was."""
        return self._delay or 0

    @property
    def _filled_ms(self) -> int:
        """So much of the way is filled. What the answers of a long one let go at once waits before the link all the same."""
        return min(self.way_ms, MOST_WAY_MS)

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest message that is still on its way was sent."""
        return self._sent[0].at_ms if self._sent else None

    def budget(self) -> int:
        """Bytes of records, before compression, for the next message; 0 when it has to wait."""
        room = self.size - self.in_flight
        waits = (
            self.size * FULL_MS // (FULL_MS + self._filled_ms)
        )  # the rest is on the way, and nothing waits behind it
        if self._sent and room < min(waits // 4, MAX_BATCH):
            return 0  # many small messages would cost more than they bring
        least = min(self.size, MIN_WINDOW)
        return int(min(max(room, least), max(waits // 2, least), MAX_BATCH) * self._ratio)

    def sent(self, upto: Head, size: int, inflated: int, now_ms: int) -> None:
        """A message of `size` bytes was sent that ends at `upto`."""
        self._sent.append(_OnItsWay(upto, size, now_ms))
        self.in_flight += size
        self._ratio = min(max(inflated / size, 1.0), _MAX_RATIO)

    def answered(self, asked_ms: int, now_ms: int) -> None:
        """Something that was sent at `asked_ms` has its answer."""
        took = now_ms - asked_ms
        self._delay = took if self._delay is None else min(took, self._delay)

    def acknowledged(self, seq: int, now_ms: int) -> None:
        """Everything up to `seq` has arrived: measure."""
        arrived, first_ms, full = 0, now_ms, 2 * self.in_flight >= self.size
        while self._sent and self._sent[0].upto.seq <= seq:
            message = self._sent.popleft()
            arrived += message.size
            first_ms = min(first_ms, message.at_ms)
            self.answered(message.at_ms, now_ms)
        if arrived and full:  # what was not full says nothing of the link
            carried_ms = now_ms - first_ms - self.way_ms  # with what went before it
            span_ms = max(1, min(carried_ms, now_ms - self._acked_at))
            carries = arrived * (FULL_MS + self._filled_ms) // span_ms
            least = LEAST_WINDOW if self.way_ms < FULL_MS else MIN_WINDOW
            # Doubled at most, and by what was sent since: TCP itself begins small. Halved at most: one answer that was long in coming for
            # a reason of its own is not the link.
            most = 2 * self.size if first_ms >= self._grown_at else self.size
            size = min(max(carries, self.size // 2, least), most, MAX_WINDOW)
            self._grown_at = now_ms if size > self.size else self._grown_at
            self.size = size
        self.in_flight -= arrived
        self._acked_at = now_ms

    def forget(self) -> None:
        """What was on its way will be sent again; what was measured still holds."""
        self._sent.clear()
        self.in_flight = 0
