"""How often something may be done from one place. Pure: time is an argument."""

import threading
from collections import OrderedDict
from typing import Final

MOST_PLACES: Final = 20_000  # remembered; whoever comes from more has the limit of the gate still before them


class Limit:
    """At most `most` in `window_s` seconds from each place. From any thread."""

    def __init__(self, most: int, window_s: float) -> None:
        self._most = most
        self._window_s = window_s
        self._lock = threading.Lock()
        self._counted: OrderedDict[str, tuple[float, int]] = OrderedDict()  # since when, and how many

    def allows(self, place: str, now_s: float) -> bool:
        """Count one more from there; whether it was not too many."""
        with self._lock:
            since, count = self._counted.pop(place, (now_s, 0))
            if now_s - since >= self._window_s:
                since, count = now_s, 0
            self._counted[place] = since, min(count + 1, self._most + 1)
            while len(self._counted) > MOST_PLACES:
                self._counted.popitem(last=False)
            return count < self._most

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._counted.clear()
