"""When an edge was, by its own time stamp: whoever hands it over may be late, and two handed over at once need not have been.

Source: gpiozero's manual, "Pins": ticks are of each factory's own making, and only `ticks_diff` knows them. lgpio's are the kernel's
own stamps of the edge; pigpio's the daemon's; the others stamp in their own thread.
"""

from typing import Any, Final

LATEST_MS: Final = 10_000  # nobody hands an edge over later than this; the stamp is of another clock
_EARLY_MS: Final = 50  # a stamp may be ahead by a little, as both clocks are read one after the other


class EdgeClock:
    """From ticks to ms of the monotonic clock. `look`: from time to time, as the two may drift apart."""

    def __init__(self, factory: Any, now_ms: int) -> None:
        self._factory = factory
        self._origin = factory.ticks()
        self._ahead_ms = float(now_ms)

    def look(self, now_ms: int) -> None:
        """Set the one by the other."""
        self._ahead_ms = now_ms - self._since_origin_ms(self._factory.ticks())

    def at_ms(self, ticks: Any, now_ms: int) -> int:
        """When the edge was that is handed over now; never after that."""
        at_ms = round(self._since_origin_ms(ticks) + self._ahead_ms)
        return min(at_ms, now_ms) if now_ms - LATEST_MS <= at_ms <= now_ms + _EARLY_MS else now_ms

    def _since_origin_ms(self, ticks: Any) -> float:
        return 1000.0 * float(self._factory.ticks_diff(ticks, self._origin))
