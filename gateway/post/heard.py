"""What a post takes out of a gate's messages: what it needs, and in a way that a newer gate cannot make unreadable. A kind of alarm, an
action or a level that this version does not know is kept as it came: it calls the guard all the same, and its gate is heard."""

import msgspec

from sync.contract.alarms import Level


class HeardAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An open alarm. `kind`: a word of `AlarmKind`, or one that is not known here; `since_ms`: Unix milliseconds by the
    gate's clock, as is `at_ms` of what it came with; 0 where it is not said."""

    id: str
    kind: str
    acknowledged: bool = False
    acknowledged_by: str = ""
    detail: str = ""
    level: int = 0
    since_ms: int = 0

    @property
    def known_level(self) -> Level:
        """The level; of one that is not known, the nearest."""
        return Level(min(max(self.level, min(Level)), max(Level)))


class HeardMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an alarm. `action`: a word of `AlarmAction`, or one that is not known here."""

    action: str
    alarm: HeardAlarm
    boot: str
    mono_ms: int
    at_ms: int = 0


class HeardAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The last question of a post that the gate has heard."""

    post: str
    number: str


class HeardState(msgspec.Struct, frozen=True, kw_only=True):
    """A gate's state, or its will."""

    online: bool
    boot: str
    connection: int
    mono_ms: int = 0
    at_ms: int = 0
    drill: bool = False
    alarms: tuple[HeardAlarm, ...] = ()
    ended: tuple[str, ...] = ()
    asked: tuple[HeardAsked, ...] = ()
