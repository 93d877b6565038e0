"""What has been read and waits for a transaction: so that messages are read while the database writes those before them.

Theory of operation. A transaction costs the office and the database about as much as a thousand records that stand in it. So what comes
of a backlog, a batch every few milliseconds, waits for more of it, for a moment and up to what the shelf holds; whatever else comes is
waited for by somebody, and takes all that lies there along at once.
"""

import threading
from collections.abc import Sequence
from typing import Final

from central.ingest.reading import Incoming

TOGETHER_S: Final = 0.01  # how long a backlog's batch waits for others; a gate has far more than that on its way


class Shelf:
    """Filled by one thread, emptied by another. Once it holds `messages`, or `size` bytes, nothing is let in. `together_s`: how long
    what is part of a backlog waits for more of it."""

    def __init__(self, messages: int, size: int, together_s: float = TOGETHER_S) -> None:
        self._messages, self._bytes, self._together_s = messages, size, together_s
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
        """All of it, in order, as soon as there is any and it is worth a transaction; nothing after `wait_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._held, wait_s)
            self._changed.wait_for(self._suffices, self._together_s)
            taken, self._held = self._held, []
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Let nobody wait for room any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _suffices(self) -> bool:
        worth = not self._has_room() or not all(each.bulk for each in self._held)
        return worth or self._closed or not self._held

    def _has_room(self) -> bool:
        return len(self._held) < self._messages and sum(each.size for each in self._held) < self._bytes
