"""What kinds of alarms there are, and how each behaves: its life, its sound, what is said, and within which time it is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.capacity import REACHED, WARNING
from gateway.core.effects import Priority, Tone
from gateway.core.phrases import Phrase
from sync.contract.alarms import AlarmKind, Level


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
    FLAPS = "over, and came too often"
    QUIET = "quiet for its window"


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
        _S.RAISED: {_I.ACKNOWLEDGE: _S.ACKNOWLEDGED, _I.OVER: _S.CLEARED, _I.FLAPS: _S.ENDED},
        _S.ACKNOWLEDGED: {_I.OVER: _S.CLEARED, _I.FLAPS: _S.CLEARED},
        _S.ENDED: {_I.AGAIN: _S.RAISED, _I.ACKNOWLEDGE: _S.CLEARED, _I.QUIET: _S.CLEARED},
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
    """How a kind of alarm behaves. `window_s`: what comes again within it is one alarm; `phrase`: what is said at the gate;
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

_WORST_FIRST = (Tone.EVACUATION, Tone.ALARM, Tone.NIGHT, None)


def urgency(kind: str, *, over: bool, acknowledged: bool, level: Level) -> tuple[bool, int, int]:
    """The place of an open alarm wherever several are listed, the least first; of equal ones the newest comes first. What nobody has
    acknowledged comes before all else; then what is worst of its kind: a fire, what has the alarm tone, what has the night guard's,
    what makes no sound; then what has risen. The kind goes before the level: a lost device that has waited long is no forced door."""
    return acknowledged, _WORST_FIRST.index(_sounds(kind, over=over)), -level


def _sounds(kind: str, *, over: bool) -> Tone | None:
    """A fire that is over is looked at like a door that was forced; what came and went does not call. Nobody here can say how bad a
    kind is that only a newer gate knows."""
    rule = RULES[AlarmKind(kind)] if kind in _KNOWN else _UNKNOWN
    if not over:
        return rule.tone
    if rule.life is Life.LASTING:
        return None
    return Tone.ALARM if rule.tone is Tone.EVACUATION else rule.tone


_KNOWN = frozenset(AlarmKind)
_UNKNOWN = Rule(Life.LATCHED, Tone.ALARM)

RISES_TO: Mapping[tuple[AlarmKind, str], Level] = {
    (AlarmKind.CAPACITY, WARNING): Level.GATE,  # a notice: nobody has to do anything yet
    (AlarmKind.CAPACITY, REACHED): Level.DUTY_ROOM,  # it may open another gate; there is nothing to instruct
}
"""How far an alarm of this kind and detail rises when nobody acknowledges it; any other one comes to the leader on shift, with a sound
or without."""


def rises_to(kind: AlarmKind, detail: str) -> Level:
    """The highest level that such an alarm reaches by waiting."""
    return RISES_TO.get((kind, detail), Level.LEADER)
