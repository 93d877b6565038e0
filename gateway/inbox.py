"""The one inbox of the deciding thread: bounded; readings coalesce, edges never drop."""

import logging
import threading
from collections import deque

from gateway.core.events import Event, TemperatureMeasured

logger = logging.getLogger("menshen.inbox")
LIMIT = 4096  # events waiting; far more than a gate ever has, so reaching it is a fault worth a line


class Inbox:
    """Events in the order they came. A measurement replaces one of the same thermometer that still waits."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._warned = False

    def post(self, event: Event) -> None:
        """Put an event in; never blocks. From any thread."""
        with self._ready:
            if isinstance(event, TemperatureMeasured):
                self._drop_older(event)
            self._events.append(event)
            self._warn()
            self._ready.notify()

    def _drop_older(self, event: TemperatureMeasured) -> None:
        for waiting in self._events:
            if isinstance(waiting, TemperatureMeasured) and waiting.thermometer == event.thermometer:
                self._events.remove(waiting)
                return

    def _warn(self) -> None:
        full = len(self._events) > LIMIT
        if full and not self._warned:
            logger.error("over %d events wait to be decided: a device floods, or deciding hangs", LIMIT)
        self._warned = full

    def get(self, timeout_s: float | None) -> Event | None:
        """The next event, or None after `timeout_s` or once closed and empty."""
        with self._ready:
            self._ready.wait_for(lambda: self._events or self._closed, timeout_s)
            return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Wake the reader for good."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
