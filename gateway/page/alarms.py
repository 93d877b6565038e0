"""What was said and done about alarms, and those that were acknowledged lately and are over: a watcher of effects."""

import threading
from collections import deque
from collections.abc import Collection, Iterable
from typing import Final

from gateway.core import effects
from gateway.core.alarms import KNOWN_CLOSED
from gateway.core.moment import Moment
from gateway.page.messages import AlarmNote
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind
from sync.contract.records import AlarmRecord, Body

MOST_NOTED, MOST_NOTES = 64, 8  # alarms with notes, and notes of each
MOST_SHOWN: Final = 24  # notes in one snapshot
LATELY, LATELY_MS = 10, 30 * 60_000  # how many closed alarms are listed, and for how long


class RecentAlarms:
    """Written by the deciding thread, read by the page's. The core takes notes about the last `KNOWN_CLOSED` alarms that were closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: dict[str, deque[AlarmNote]] = {}
        self._closed: deque[tuple[int, Alarm]] = deque(maxlen=KNOWN_CLOSED)

    def watch(self, effect: effects.Effect, now: Moment) -> None:
        """See what a turn brought."""
        match effect:
            case effects.Append(body=AlarmRecord(action=AlarmAction.CLEARED) as record):
                with self._lock:
                    self._closed.append((now.mono_ms, record.alarm))

    def recorded(self, body: Body, at_ms: int) -> None:
        """A record was made, at that time (Unix milliseconds)."""
        match body:
            case AlarmRecord() if body.note:
                self._note(body, at_ms)

    def _note(self, record: AlarmRecord, at_ms: int) -> None:
        note = AlarmNote(at_ms=at_ms, by=record.by, what=record.what or "acknowledged", note=record.note)
        with self._lock:
            notes = self._notes.pop(record.alarm.id, None) or deque[AlarmNote](maxlen=MOST_NOTES)
            notes.append(note)
            self._notes[record.alarm.id] = notes
            while len(self._notes) > MOST_NOTED:
                del self._notes[next(iter(self._notes))]

    def answered(self, now_ms: int) -> tuple[Alarm, ...]:
        """Those that somebody has acknowledged and that are over: the last of them, the newest first."""
        with self._lock:
            lately = [alarm for at_ms, alarm in self._closed if alarm.acknowledged and now_ms - at_ms < LATELY_MS]
        return tuple(lately[::-1][:LATELY])

    def notes(self, alarms: Iterable[Alarm]) -> dict[str, tuple[AlarmNote, ...]]:
        """About these, by the alarm's id, the oldest first; of too many the newest."""
        with self._lock:
            found = [(note, alarm.id) for alarm in alarms for note in self._notes.get(alarm.id, ())]
        newest = sorted(found, key=lambda each: each[0].at_ms)[-MOST_SHOWN:]
        return {alarm: tuple(note for note, about in newest if about == alarm) for _, alarm in newest}


def burns(alarms: Iterable[Alarm], ended: Collection[str]) -> bool:
    """Whether there is fire, as far as the gate knows. `ended`: the ids of alarms that are over."""
    return any(alarm.kind is AlarmKind.FIRE and alarm.id not in ended for alarm in alarms)
