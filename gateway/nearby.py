"""Whether somebody is known to be before the thermometer, as the other devices see it. Pure: times in monotonic ms.

A thermometer that hangs repeats a good reading for ever; that it does not move while somebody is there is what gives it away
(`drivers.protocols.stillness`).
"""

from typing import Final

STAYS_MS: Final = 60_000
"""Whoever stands there for longer waits for something else, or is a box before the presence sensor: it says nothing more."""
SHOWN_MS: Final = 10_000
"""Who has shown a card or code is still there for so long, where no sensor tells."""


class Nearby:
    """Told from the devices' threads, asked from the thermometer's: each value is written whole."""

    def __init__(self) -> None:
        self._arrived_ms: int | None = None
        self._shown_ms: int | None = None

    def presence(self, now_ms: int, *, present: bool) -> None:
        """The presence sensor's level; False too when the sensor is lost."""
        self._arrived_ms = now_ms if present else None

    def shown(self, now_ms: int) -> None:
        """Somebody shows a card or a code at the entry."""
        self._shown_ms = now_ms

    def at(self, now_ms: int) -> bool:
        """Whether somebody is known to be there."""
        arrived_ms, shown_ms = self._arrived_ms, self._shown_ms
        stands = arrived_ms is not None and now_ms - arrived_ms < STAYS_MS
        return stands or (shown_ms is not None and now_ms - shown_ms < SHOWN_MS)
