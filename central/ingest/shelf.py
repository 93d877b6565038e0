"""What has been read and waits for a transaction: so that messages are read while the database writes those before them."""

import threading
from collections.abc import Sequence

from central.ingest.reading import Incoming


class Shelf:
    """Filled by one thread, emptied by another. Once it holds `messages`, or `size` bytes, nothing is let in."""

    def __init__(self, messages: int, size: int) -> None:
        self._messages, self._bytes = messages, size
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

    def take(self, wait_s: float) -> list[Incoming]:
        """All of it, in order, as soon as there is any; nothing after `wait_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._held, wait_s)
            taken, self._held = self._held, []
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Let nobody wait for room any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return len(self._held) < self._messages and sum(each.size for each in self._held) < self._bytes
