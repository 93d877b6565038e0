"""Whether the office is heard, as the guard's page says it: the link stands, and what was recorded is acknowledged in time."""

from collections.abc import Callable
from typing import Final

UNHEARD_MS: Final = (
    30_000  # a record that waits longer than this for the office's word, with none of the others acknowledged
)


class OfficeEar:
    """Asked by one thread, at least every few seconds. `head` and `acked`: the last record written, and the last one that the
    office has acknowledged."""

    def __init__(self, head: Callable[[], int], acked: Callable[[], int]) -> None:
        self._linked: Callable[[], bool] = _never
        self._head = head
        self._acked = acked
        self._heard_ms: int | None = None
        self._last_acked = -1

    def follow(self, linked: Callable[[], bool]) -> None:
        """Ask this from now on whether the broker is there."""
        self._linked = linked

    def heard(self, now_ms: int) -> bool:
        """Whether it is, now."""
        acked = self._acked()
        moved, self._last_acked = acked != self._last_acked, acked
        if moved or acked >= self._head() or self._heard_ms is None:
            self._heard_ms = now_ms
        return self._linked() and now_ms - self._heard_ms < UNHEARD_MS


def _never() -> bool:
    return False
