"""The open alarms: raised, repeated, acknowledged, cleared.

Theory of operation. There are three lives. What happened in a moment (a call, a fever) is open until somebody acknowledges
it. What lasts (a device lost) is cleared when it is over, acknowledged or not. What lasts and has to be looked at
even so (a forced door that was shut again, a fire) is `ended` when it is over, and cleared when it is acknowledged too.
Acknowledging stops the sound and is not clearing. The fire's evacuation tone is no call for the guard: it lasts as long as
the fire does.

Equal alarms (kind and detail) are one: what lasts is not raised twice, and what happens again within the kind's window, or
while the last was over and is not yet acknowledged, is a repetition that is counted. At most `MOST_EQUAL` moments of one
kind stand open side by side, so that a night without a guard does not fill the state message. A loose wire or a button that somebody plays
with fills no journal either: of repetitions within the window of the one before, after `TOLD_EACH` each doubling of their number is told,
and the number itself whenever else something becomes of the alarm.

An alarm that nobody acknowledges rises, level by level, at the times of the policy: louder, the duty room, the leader on shift;
also one that makes no sound. Then the alarm lamp is on, and what sounds is louder. Stopping the siren acknowledges nothing, and lasts
until the alarm is raised again or rises.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from gateway.core import durable
from gateway.core.effects import Priority, Tone
from gateway.core.moment import Moment
from gateway.core.phrases import Phrase
from gateway.core.policy import AlarmPolicy
from gateway.core.tables import after, earliest, seconds
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, Level

MOST_EQUAL = 8
TOLD_EACH = 16
KNOWN_CLOSED = 64  # alarms that are over, and may still be noted about
_PREFIX = "alarm/"


class AlarmState(StrEnum):
    """Where an alarm stands."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"  # over, and nobody has acknowledged it
    CLEARED = "cleared"


class AlarmInput(StrEnum):
    """What moves an alarm."""

    AGAIN = "again"
    ACKNOWLEDGE = "acknowledge"
    OVER = "over"


class Life(StrEnum):
    """What ends an alarm."""

    MOMENT = "moment"
    LASTING = "lasting"
    LATCHED = "latched"


_S, _I = AlarmState, AlarmInput
_Table = Mapping[AlarmState, Mapping[AlarmInput, AlarmState]]
TABLES: Mapping[Life, _Table] = {
    Life.MOMENT: {
        _S.RAISED: {_I.AGAIN: _S.RAISED, _I.ACKNOWLEDGE: _S.CLEARED},
        _S.CLEARED: {},
    },
    Life.LASTING: {
        _S.RAISED: {_I.ACKNOWLEDGE: _S.ACKNOWLEDGED, _I.OVER: _S.CLEARED},
        _S.ACKNOWLEDGED: {_I.OVER: _S.CLEARED},
        _S.CLEARED: {},
    },
    Life.LATCHED: {
        _S.RAISED: {_I.ACKNOWLEDGE: _S.ACKNOWLEDGED, _I.OVER: _S.ENDED},
        _S.ACKNOWLEDGED: {_I.OVER: _S.CLEARED},
        _S.ENDED: {_I.AGAIN: _S.RAISED, _I.ACKNOWLEDGE: _S.CLEARED},
        _S.CLEARED: {},
    },
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How a kind of alarm behaves. `window_s`: moments within it are one alarm; `phrase`: what is said at the gate;
    `said_once`: to whoever has just passed, so not again when the alarm rises and other people stand there."""

    life: Life
    tone: Tone | None = None
    phrase: Phrase | None = None
    priority: Priority = Priority.ALARM
    window_s: float = 60.0
    level: Level = Level.GATE  # whom it concerns from the beginning
    said_once: bool = False


RULES: Mapping[AlarmKind, Rule] = {
    AlarmKind.DOOR_FORCED: Rule(Life.LATCHED, Tone.ALARM, Phrase.DOOR_FORCED),
    AlarmKind.DOOR_HELD_OPEN: Rule(Life.LASTING, Tone.ALARM, Phrase.DOOR_HELD_OPEN),
    AlarmKind.UNLATCHED: Rule(Life.LATCHED, Tone.ALARM, Phrase.CLOSE_DOOR, Priority.PROMPT),
    AlarmKind.TAMPER: Rule(Life.LATCHED, Tone.ALARM),
    AlarmKind.FIRE: Rule(Life.LATCHED, Tone.EVACUATION, Phrase.FIRE, Priority.FIRE),
    AlarmKind.FEVER: Rule(Life.MOMENT, Tone.ALARM),
    AlarmKind.LOCK_OUT: Rule(Life.LASTING, Tone.ALARM, Phrase.LOCKED_OUT),
    AlarmKind.NIGHT_ARRIVAL: Rule(Life.LASTING, Tone.NIGHT),
    AlarmKind.PASSED_WITHOUT_GRANT: Rule(Life.MOMENT, Tone.ALARM, Phrase.PASSED_WITHOUT_GRANT, said_once=True),
    AlarmKind.DEVICE_LOST: Rule(Life.LASTING),
    AlarmKind.JOURNAL_FAILED: Rule(Life.LASTING, Tone.ALARM),
    AlarmKind.JOURNAL_REPLACED: Rule(Life.MOMENT),
    AlarmKind.DISK: Rule(Life.LASTING),
    AlarmKind.CLOCK: Rule(Life.MOMENT),
    AlarmKind.HOME_OBSERVATION: Rule(Life.MOMENT, Tone.ALARM),
    AlarmKind.CALL: Rule(Life.MOMENT, Tone.NIGHT, Phrase.CALL_HEARD, Priority.PROMPT),
    AlarmKind.TAILGATING: Rule(Life.MOMENT, Tone.ALARM, Phrase.PASSED_WITHOUT_GRANT, said_once=True),
    AlarmKind.REFUSED_PASSED: Rule(Life.MOMENT, Tone.ALARM, Phrase.PASSED_WITHOUT_GRANT, said_once=True),
    AlarmKind.ANTI_PASSBACK: Rule(Life.MOMENT),
    AlarmKind.CAPACITY: Rule(Life.LASTING),
    AlarmKind.NETWORK: Rule(Life.LASTING),
    AlarmKind.PRESENCE_CHECK: Rule(Life.LASTING, Tone.NIGHT, Phrase.PRESENCE_CHECK, Priority.PROMPT),
    AlarmKind.GUARD_ABSENT: Rule(Life.LATCHED, Tone.ALARM, level=Level.DUTY_ROOM),
    AlarmKind.ROUND_MISSED: Rule(Life.LATCHED),
    AlarmKind.POST_LOST: Rule(Life.LASTING, Tone.NIGHT),
}


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to an alarm."""

    action: AlarmAction
    alarm: Alarm
    by: str = ""
    note: str = ""
    what: str = ""


@dataclass(slots=True)
class _Open:
    alarm: Alarm
    state: AlarmState
    last_ms: int  # when it was raised last
    begun_ms: int = 0  # from when its levels count
    silenced: bool = False

    @classmethod
    def of(cls, alarm: Alarm) -> "_Open":
        """An alarm from before a restart. Whether what lasts is over by now, its sensor will tell."""
        return cls(alarm, AlarmState.ACKNOWLEDGED if alarm.acknowledged else AlarmState.RAISED, 0)

    @property
    def rule(self) -> Rule:
        return RULES[self.alarm.kind]

    @property
    def tone(self) -> Tone | None:
        if self.rule.tone is Tone.EVACUATION:
            return None if self.state is AlarmState.ENDED else self.rule.tone
        return None if self.answered or self.silenced else self.rule.tone

    @property
    def answered(self) -> bool:
        """Whether somebody has acknowledged it."""
        return self.state is AlarmState.ACKNOWLEDGED

    @property
    def has_risen(self) -> bool:
        """Whether it has waited so long that it is more than the gate's, and still waits."""
        return not self.answered and self.alarm.level > Level.GATE


class _Standing(NamedTuple):
    """What all open alarms come to: worked out when one has changed, and asked every turn."""

    open: tuple[Alarm, ...]
    ended: tuple[str, ...]
    tones: frozenset[Tone]
    loud: bool
    lamp: bool
    deadline: int | None
    durable: dict[str, bytes]


class AlarmBook:
    """All open alarms of a portal. `ids` gives 32 random hexadecimal digits."""

    def __init__(self, portal: str, ids: Callable[[], str], state: Mapping[str, bytes], policy: AlarmPolicy) -> None:
        self._portal = portal
        self._policy = policy
        self._ids = ids
        kept = [durable.decode(key, value, Alarm) for key, value in state.items() if key.startswith(_PREFIX)]
        self._closed: deque[Alarm] = deque(maxlen=KNOWN_CLOSED)
        self._open = [_Open.of(alarm) for alarm in sorted(kept, key=lambda alarm: (alarm.since_ms, alarm.id))]
        self._known: _Standing | None = None  # None: something has changed

    def adopt(self, policy: AlarmPolicy) -> None:
        """Go by this from now on."""
        self._policy, self._known = policy, None

    def start(self, now_ms: int) -> None:
        """The windows of alarms from before a restart begin anew: their monotonic time was another boot's."""
        self._known = None
        for entry in self._open:
            entry.last_ms = entry.begun_ms = now_ms

    # what happens

    def raise_(self, kind: AlarmKind, now: Moment, detail: str = "") -> News | None:
        """Raise an alarm; None when it stands already."""
        self._known = None
        equal = [entry for entry in self._open if (entry.alarm.kind, entry.alarm.detail) == (kind, detail)]
        if equal and not self._is_new(equal, now.mono_ms):
            return self._again(equal[-1], now.mono_ms)
        level = RULES[kind].level
        alarm = Alarm(id=self._ids(), kind=kind, portal=self._portal, since_ms=now.at_ms, detail=detail, level=level)
        self._open.append(_Open(alarm, AlarmState.RAISED, now.mono_ms, now.mono_ms))
        return News(AlarmAction.RAISED, alarm)

    def over(self, kind: AlarmKind, detail: str = "") -> News | None:
        """What lasted is over; None when that clears nothing."""
        entry = self._find(kind, detail)
        if entry is None:
            return None
        self._move(entry, AlarmInput.OVER)
        return News(AlarmAction.CLEARED, entry.alarm) if entry.state is AlarmState.CLEARED else None

    def acknowledge(self, alarm: str, by: str, note: str = "") -> News | None:
        """Acknowledge one alarm by its id; None when there was nothing to acknowledge."""
        entry = next((entry for entry in self._open if entry.alarm.id == alarm), None)
        if entry is None or AlarmInput.ACKNOWLEDGE not in TABLES[entry.rule.life][entry.state]:
            return None
        self._known = None
        entry.alarm = msgspec.structs.replace(entry.alarm, acknowledged=True, acknowledged_by=by)
        self._move(entry, AlarmInput.ACKNOWLEDGE)
        cleared = entry.state is AlarmState.CLEARED
        return News(AlarmAction.CLEARED if cleared else AlarmAction.ACKNOWLEDGED, entry.alarm, by, note)

    def silence(self, by: str) -> list[News]:
        """Stop the noise, which acknowledges nothing: what was stopped. An evacuation goes on."""
        self._known = None
        loud = [entry for entry in self._open if entry.tone not in (None, Tone.EVACUATION)]
        for entry in loud:
            entry.silenced = True
        return [News(AlarmAction.SILENCED, entry.alarm, by) for entry in loud]

    def noted(self, alarm: str, by: str, what: str, note: str) -> News | None:
        """What was instructed or done about an alarm that is open, or was lately; None when there is none with this id."""
        known = next((each for each in (*self.open, *self._closed) if each.id == alarm), None)
        return None if known is None else News(AlarmAction.NOTED, known, by, note, what)

    # nobody comes

    def deadline(self) -> int | None:
        """When the next alarm rises."""
        return self._standing().deadline

    def due(self, now_ms: int) -> list[News]:
        """The alarms that nobody has acknowledged for long enough, at their new level."""
        if (deadline := self.deadline()) is None or now_ms < deadline:
            return []
        self._known = None
        news = []
        for entry in self._open:
            reached = [level for after, level in self._levels_above(entry) if now_ms - entry.begun_ms >= after]
            if reached:
                entry.alarm = msgspec.structs.replace(entry.alarm, level=max(reached))
                entry.silenced = False
                news.append(News(AlarmAction.ESCALATED, entry.alarm))
        return news

    def _levels_above(self, entry: _Open) -> list[tuple[int, Level]]:
        """After how many ms it rises to which level."""
        if entry.answered:
            return []
        policy = self._policy
        levels = (
            (policy.louder_after_s, Level.LOUDER),
            (policy.duty_room_after_s, Level.DUTY_ROOM),
            (policy.leader_after_s, Level.LEADER),
        )
        return [(seconds(after_s), level) for after_s, level in levels if after_s and level > entry.alarm.level]

    def can_acknowledge(self, alarm: str) -> bool:
        """Whether there is anything to acknowledge about the alarm with this id."""
        return any(
            entry.alarm.id == alarm and AlarmInput.ACKNOWLEDGE in TABLES[entry.rule.life][entry.state]
            for entry in self._open
        )

    def stands(self, kind: AlarmKind, detail: str = "") -> bool:
        """Whether such an alarm is open."""
        return self._find(kind, detail) is not None

    def _find(self, kind: AlarmKind, detail: str) -> _Open | None:
        same = (entry for entry in self._open if (entry.alarm.kind, entry.alarm.detail) == (kind, detail))
        return next(same, None)

    @staticmethod
    def _is_new(equal: list[_Open], now_ms: int) -> bool:
        last = equal[-1]
        beyond = now_ms - last.last_ms >= seconds(last.rule.window_s)
        return last.rule.life is Life.MOMENT and beyond and len(equal) < MOST_EQUAL

    def _again(self, entry: _Open, now_ms: int) -> News | None:
        if AlarmInput.AGAIN not in TABLES[entry.rule.life][entry.state]:
            return None
        is_late = now_ms - entry.last_ms >= seconds(entry.rule.window_s)
        entry.last_ms, entry.silenced = now_ms, False
        count = entry.alarm.count + 1
        entry.alarm = msgspec.structs.replace(entry.alarm, count=count)
        self._move(entry, AlarmInput.AGAIN)
        told = is_late or count <= TOLD_EACH or count.bit_count() == 1
        return News(AlarmAction.REPEATED, entry.alarm) if told else None

    def _move(self, entry: _Open, given: AlarmInput) -> None:
        self._known = None
        entry.state = after(TABLES[entry.rule.life], entry.state, given)
        if entry.state is AlarmState.CLEARED:
            self._open.remove(entry)
            self._closed.append(entry.alarm)

    # what stands

    @property
    def open(self) -> tuple[Alarm, ...]:
        """All open alarms, the oldest first."""
        return self._standing().open

    @property
    def ended(self) -> tuple[str, ...]:
        """The ids of those that are over, and wait only to be acknowledged."""
        return self._standing().ended

    @property
    def tones(self) -> frozenset[Tone]:
        """The tones that are to sound."""
        return self._standing().tones

    @property
    def loud(self) -> bool:
        """Whether an alarm that sounds has waited so long that it is to be as loud as can be."""
        return self._standing().loud

    @property
    def lamp(self) -> bool:
        """Whether any alarm, with a sound or without, has waited so long that it is to be seen from afar."""
        return self._standing().lamp

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return self._standing().durable

    def _standing(self) -> _Standing:
        if self._known is None:
            rises = (entry.begun_ms + after for entry in self._open for after, _ in self._levels_above(entry))
            self._known = _Standing(
                open=tuple(entry.alarm for entry in self._open),
                ended=tuple(entry.alarm.id for entry in self._open if entry.state is AlarmState.ENDED),
                tones=frozenset(entry.tone for entry in self._open if entry.tone is not None),
                loud=any(entry.has_risen and entry.tone is not None for entry in self._open),
                lamp=any(entry.has_risen for entry in self._open),
                deadline=earliest(*rises),
                durable={_PREFIX + entry.alarm.id: durable.encode(entry.alarm) for entry in self._open},
            )
        return self._known
