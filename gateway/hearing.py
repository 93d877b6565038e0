"""Whether the other end of a road is heard: the office, or the guard post. Only changes are told, as `Heard`.

Theory of operation. Who is asked is to answer: heard, until a question has stood for `patience_ms` without any valid answer, or
the link drops. At first nobody is heard, nor is what still waited to be read when the link dropped. What is a question and what an answer, each road says (`expect`, `heard`).
"""

import threading
from collections.abc import Callable
from typing import Final

from gateway.core.events import Heard

OFFICE_MS: Final = 60_000  # the log asks again every 30 s


class Hearing:
    """Follows one of them. `post` must only hand on. From any thread; `look` at least once a second."""

    def __init__(self, who: str, patience_ms: int, *, now_ms: Callable[[], int], post: Callable[[Heard], None]) -> None:
        self._who = who
        self._patience_ms = patience_ms
        self._now_ms = now_ms
        self._post = post
        self._lock = threading.Lock()  # over the three below, and the order in which changes are told
        self._open = False
        self._told: bool | None = None
        self._asked_ms: int | None = None

    def opened(self) -> None:
        """The link is up."""
        with self._lock:
            self._open = True

    def heard(self) -> None:
        """Something valid came."""
        with self._lock:
            if self._open:
                self._asked_ms = None
                self._tell(heard=True)

    def expect(self) -> None:
        """Something is on its way that is to be answered."""
        with self._lock:
            if self._asked_ms is None:
                self._asked_ms = self._now_ms()

    def lost(self) -> None:
        """The link is down, or was never up."""
        with self._lock:
            self._open, self._asked_ms = False, None
            self._tell(heard=False)

    def look(self) -> None:
        """Tell when the answer has been waited for too long."""
        with self._lock:
            if self._asked_ms is not None and self._now_ms() - self._asked_ms >= self._patience_ms:
                self._tell(heard=False)

    def _tell(self, *, heard: bool) -> None:
        if heard is not self._told:
            self._told = heard
            self._post(Heard(self._who, heard))
