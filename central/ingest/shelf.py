"""What has been read and waits for a transaction: so that messages are read while the database writes those before them."""

import threading
import time
from collections.abc import Callable, Sequence

from central.ingest.reading import Incoming


class Shelf:
    """Filled by one thread, emptied by another. Once it holds `messages`, or `size` bytes, nothing is let in. `can_wait`: which of
    them may wait for others, to share a transaction with them."""

    def __init__(self, messages: int, size: int, can_wait: Callable[[Incoming], bool] = lambda _: False) -> None:
        self._messages, self._bytes, self._can_wait = messages, size, can_wait
        self._changed = threading.Condition()
        self._held: list[Incoming] = []
        self._closed = False

    def put(self, incoming: Sequence[Incoming]) -> None:
        """Wait for room, and put them there, all together. Once it is closed nothing is kept."""
        if not incoming:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room())
            if not self._closed:
                self._held += incoming
                self._changed.notify_all()

    def take(self, wait_s: float, more_until_s: float = 0.0) -> list[Incoming]:
        """All of it, in order, as soon as there is any; nothing after `wait_s`. Where all of it can wait, not before this moment
        of the monotonic clock, unless it is full."""
        with self._changed:
            self._changed.wait_for(lambda: self._held, wait_s)
            self._changed.wait_for(lambda: not self._may_grow(), max(0.0, more_until_s - time.monotonic()))
            taken, self._held = self._held, []
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Let nobody wait for room any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _may_grow(self) -> bool:
        return not self._closed and bool(self._held) and self._has_room() and all(map(self._can_wait, self._held))

    def _has_room(self) -> bool:
        return len(self._held) < self._messages and sum(each.size for each in self._held) < self._bytes
