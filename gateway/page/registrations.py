"""Registrations that wait for what the core makes of them: a watcher of effects, so that the guard is told how it went."""

import threading
from typing import Final

from gateway.core.effects import Effect, Show
from gateway.page.messages import Answer
from gateway.page.orders import became

WAIT_MS: Final = 10_000  # nobody waits longer: the page gives up after 5 s
MOST: Final = 64


class Registrations:
    """Put by the thread that hears the page, answered by the deciding one; neither waits for the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[int, int]] = {}  # by reference: the request's number, and since when

    def put(self, reference: str, number: int, now_ms: int) -> None:
        """The registration is about to be told to the core."""
        with self._lock:
            fresh = [(key, each) for key, each in self._waiting.items() if now_ms - each[1] < WAIT_MS]
            self._waiting = dict(fresh[-MOST:]) | {reference: (number, now_ms)}

    def answer(self, effect: Effect) -> Answer | None:
        """The answer, where this is what came of one that waits."""
        if not isinstance(effect, Show) or effect.what != "registered":
            return None
        values = effect.values
        with self._lock:
            number, _ = self._waiting.pop(values["reference"], (None, 0))
        if number is None:
            return None
        reasons = tuple(filter(None, values["reason"].split(",")))
        return became(number, values["outcome"], reasons, int(values.get("number") or 0))
