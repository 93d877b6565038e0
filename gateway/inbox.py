"""The one inbox of the deciding thread: bounded; readings coalesce, edges never drop.

What is bounded is what a device can flood it with. Edges, orders and the journal's answers wait however many they are:
losing one would be worse.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from gateway.core.events import (
    CodeUnread,
    Commanded,
    CommandRefused,
    CredentialResolved,
    DeviceChanged,
    Event,
    TemperatureMeasured,
    TimeRefused,
)

logger = logging.getLogger("menshen.inbox")
LIMIT = 4096  # events waiting; far more than a gate ever has, so reaching it is a fault worth a line


class Inbox:
    """Events in the order they came. A measurement replaces one of the same thermometer that still waits, and refusals of
    messages for the same reason become one with their number. From `LIMIT` waiting until half of them are decided, a
    device's state replaces the oldest one of the same device that still waits, and what was scanned, or commanded by the
    office, is dropped."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._full = False
        self._dropped = 0

    def post(self, event: Event) -> None:
        """Put an event in; never blocks. From any thread."""
        with self._ready:
            self._look()
            match event:
                case TemperatureMeasured(thermometer=name):
                    self._drop_older(lambda other: isinstance(other, TemperatureMeasured) and other.thermometer == name)
                case DeviceChanged(device) if self._full:
                    self._drop_older(lambda other: isinstance(other, DeviceChanged) and other.device == device)
                case CommandRefused() | TimeRefused():
                    event = self._with_older(event)
                case CredentialResolved() | CodeUnread() | Commanded() if self._full:
                    self._dropped += 1
                    return
            self._events.append(event)
            self._ready.notify()

    def _with_older(self, refused: CommandRefused | TimeRefused) -> Event:
        """The refusals of the same sort that still wait, and this one, as one."""
        kind, reason = type(refused), refused.reason
        older = self._drop_older(lambda other: isinstance(other, kind) and other.reason == reason)
        return replace(refused, count=refused.count + (older.count if isinstance(older, kind) else 0))

    def _drop_older(self, is_older: Callable[[Event], bool]) -> Event | None:
        for number, waiting in enumerate(self._events):
            if is_older(waiting):
                del self._events[number]
                return waiting
        return None

    def _look(self) -> None:
        """See whether it is full; that is told when it begins, and what was lost when it is over."""
        waiting = len(self._events)
        if not self._full and waiting >= LIMIT:
            self._full = True
            logger.error("%d events wait to be decided: a device floods, or deciding hangs", waiting)
        elif self._full and waiting <= LIMIT // 2:  # not at the limit itself: else each event there is two lines
            logger.error(
                "what waited to be decided is getting less; %d scans and commands were dropped meanwhile", self._dropped
            )
            self._full, self._dropped = False, 0

    def get(self, timeout_s: float | None) -> Event | None:
        """The next event, or None after `timeout_s` or once closed and empty."""
        with self._ready:
            self._ready.wait_for(lambda: self._events or self._closed, timeout_s)
            if not self._events:
                return None
            event = self._events.popleft()
            self._look()
            return event

    def close(self) -> None:
        """Wake the reader for good."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
