"""What the core wants done. The shell carries effects out in order and decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sync.contract.alarms import Alarm, AlarmAction
from sync.contract.colours import Lamp
from sync.contract.records import Body


class Priority(StrEnum):
    """Whose sound pre-empts whose, highest first."""

    FIRE = "fire"
    ALARM = "alarm"
    REFUSAL = "refusal"
    PROMPT = "prompt"
    CHIME = "chime"
    SLOGAN = "slogan"


class Tone(StrEnum):
    """Alarm tones that loop until stopped. `evacuation` (ISO 8201) is for fire alone."""

    ALARM = "alarm"
    NIGHT = "night"  # the night guard's own sound
    PRE_ALARM = "pre-alarm"  # door about to be held open
    EVACUATION = "evacuation"


@dataclass(frozen=True, slots=True)
class StateChange:
    """One key of the durable state and its new JSON value (None: the key goes)."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Append:
    """Write a record, and the durable state it changed in the same transaction. With a `token`, answer with
    `Committed(token)` or `CommitFailed(token)`; a failure without one is answered by `CommitFailed(0)`."""

    body: Body
    token: int = 0
    changes: tuple[StateChange, ...] = ()


@dataclass(frozen=True, slots=True)
class SetLock:
    """Energise the release (True) or let it rest locked (False)."""

    released: bool


@dataclass(frozen=True, slots=True)
class SetLamp:
    """Show a lamp."""

    lamp: Lamp


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a phrase of the phrase pack, with its values filled in."""

    phrase: str
    priority: Priority
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsay:
    """These phrases were meant for somebody who has gone: what of them is no more than a prompt and has not begun is not said."""

    phrases: frozenset[str]


@dataclass(frozen=True, slots=True)
class SetTone:
    """Loop a tone, or stop it."""

    tone: Tone
    on: bool


@dataclass(frozen=True, slots=True)
class SetLoud:
    """Nobody has acknowledged an alarm that sounds: the tones as loud as they go (True); or as always."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetAlarmLamp:
    """The lamp that is on while an alarm has been acknowledged by nobody for long."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetVolume:
    """So loud, in per cent, is everything that is said (alarms are not softened)."""

    percent: int


@dataclass(frozen=True, slots=True)
class SendAlarm:
    """Tell the office and the guard post now, before the record is committed."""

    action: AlarmAction
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class StateChanged:
    """What `Checkpoint.status()` tells has changed: publish the retained state."""


@dataclass(frozen=True, slots=True)
class MeasureAgain:
    """Forget what the thermometer has gathered and take a new measurement."""


@dataclass(frozen=True, slots=True)
class Show:
    """One line of live progress for a terminal or a page: `what` (`step`, `decision`, `door`, `alarm` …), its words."""

    what: str
    values: Mapping[str, str] = field(default_factory=dict)


Effect = (
    Append
    | SetLock
    | SetLamp
    | SetAlarmLamp
    | Say
    | Unsay
    | SetTone
    | SetLoud
    | SetVolume
    | SendAlarm
    | StateChanged
    | MeasureAgain
    | Show
)
