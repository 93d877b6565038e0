"""What gate and guard's page say to each other, one message a packet: all of it bounded, and checked when it is decoded.

The page is what strangers on the network can reach, so nothing it says is believed: a request bears the token of a log-in, and
whose that is, the gate knows.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.core.policy import Mode
from sync.contract.alarms import Alarm, DeviceReport
from sync.contract.directory import DutyRole
from sync.contract.records import DrillStage, ShiftAction

MAX_PACKET: Final = 60_000  # bytes, both ways; a socket of packets takes them whole
MOST_ALARMS, MOST_DUTIES, MOST_STEPS, MOST_ROUNDS, MOST_DEVICES = 48, 12, 16, 32, 32
"""How much of each the page is told, so that a snapshot is one packet."""
LEADERS_MODES: Final = frozenset({Mode.LOCKDOWN, Mode.FREE})
"""Into and out of these only the leader switches."""
Token = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_-]*\Z")]
Word = Annotated[str, Meta(max_length=64)]
Given = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=200)]
AlarmId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]


class Bounded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a guard asks for, as a form gives it."""


# what a guard asks for


class Acknowledge(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="acknowledge"):
    """One alarm."""

    alarm: AlarmId
    note: Text = ""


class NoteAlarm(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="note"):
    """What was done about an alarm, or (`instruction`) what the leader on shift instructed."""

    alarm: AlarmId
    what: Annotated[str, Meta(pattern=r"^(instruction|done)\Z")]
    note: Annotated[str, Meta(min_length=1, max_length=200)]


class StopSiren(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="siren"):
    """Which acknowledges nothing."""


class Release(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="release"):
    """The door, once, with the reason."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class Register(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="register"):
    """Whoever stands at the gate. `visit`: whom the form was begun for, as the snapshot named them; `instead`: of a pass, they are let in
    by this."""

    visit: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")] = ""
    name: Given
    host: Given
    purpose: Word = ""
    phone: Annotated[str, Meta(max_length=32, pattern=r"^[0-9+() -]*\Z")] = ""
    instead: bool = False


class Vehicle(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="vehicle"):
    """The plate of whoever stands at the gate."""

    plate: Annotated[str, Meta(min_length=1, max_length=16)]
    delivery: bool = False


class Correct(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="count"):
    """So many people are inside."""

    inside: Annotated[int, Meta(ge=0, le=1_000_000)]


class Switch(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="mode"):
    """The mode of the gate."""

    mode: Mode
    drill: bool = False


class Stamp(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="stamp"):
    """A stage of a drill was reached."""

    stage: DrillStage


class Shift(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="shift"):
    """The guard's own: begun, handed over `to` somebody, or ended."""

    action: ShiftAction
    to: Word = ""
    note: Text = ""


class Confirm(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="round"):
    """What was due by timetable is done."""

    round: Given


Action = Acknowledge | NoteAlarm | StopSiren | Release | Register | Vehicle | Correct | Switch | Stamp | Shift | Confirm


class LogIn(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="log-in"):
    """By PIN. `tablet`: the token of a tablet from which somebody has logged in by PIN before."""

    name: Given
    pin: Annotated[str, Meta(min_length=1, max_length=64)]
    tablet: Token = ""


class LogInByCard(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="log-in-by-card"):
    """By the card that is shown at the gate's reader next."""

    tablet: Token


class LogOut(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="log-out"):
    """The session ends."""


class Who(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="who"):
    """Whose session it is; that keeps it alive no longer."""


class Watch(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="watch"):
    """Whether this tablet may show the lane and the names of alarms while nobody is logged in."""

    tablet: Token


# from the page


class Beat(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="beat"):
    """It lives. `listening`: it can be reached."""

    listening: bool
    viewers: Annotated[int, Meta(ge=0)] = 0


class Ask(Bounded, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ask"):
    """A request of the browser at `address` with the log-in `token`; answered under `id`."""

    id: Annotated[int, Meta(ge=0)]
    token: Token
    address: Word
    what: Action | LogIn | LogInByCard | LogOut | Who | Watch


# to the page


class Setup(msgspec.Struct, frozen=True, kw_only=True, tag="setup"):
    """How to serve; said first. `certificate`, `key`: paths, both empty for no TLS; `names`: the host names that a browser may
    use besides addresses; `locks`: whether the gate has a lock."""

    gate: str
    name: str
    languages: tuple[str, ...]
    timezone: str
    host: str
    port: int
    names: tuple[str, ...]
    certificate: str = ""
    key: str = ""
    locks: bool = True


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """One of the last visits. `object_c`: only where it was denied for it."""

    at_ms: int
    direction: str
    outcome: str
    reasons: tuple[str, ...]
    pass_type: str = ""
    health_code: str = ""
    object_c: float | None = None


class AlarmNote(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of an alarm. `what`: instruction, done, or acknowledged for what was written with that."""

    at_ms: int
    by: str
    what: str
    note: str


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    """The last hand-over of a shift. `note`: what the next one is to know."""

    at_ms: int
    by: str
    to: str
    note: str = ""


class StepDone(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the visit that is under way."""

    step: str
    passed: bool
    reason: str


class OnDuty(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to call."""

    name: str
    role: DutyRole
    phone: str = ""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag="now"):
    """The gate as it stands. `alive`: its deciding thread turns; `office`: the office is heard; `limit`: people who may be
    inside, 0 for no limit; `due`: rounds and since when (Unix milliseconds); `ended`: the ids of
    open alarms that are over; `kinds`: what each round that is due or was missed is, and `titles`:
    what people call it; `answered`: alarms acknowledged
    lately, and over; `notes`: about all these, by the alarm's id; `visit`: that of whoever is at the entry, "" for nobody."""

    at_ms: int
    alive: bool
    office: bool
    mode: str
    drill: bool
    stages: tuple[str, ...]
    door: str
    inside: int
    limit: int
    guard: str
    visiting: bool
    alarms: tuple[Alarm, ...]
    more_alarms: int
    lost: tuple[str, ...]
    due: dict[str, int]
    steps: tuple[StepDone, ...]
    visits: tuple[Passed, ...]
    duty: tuple[OnDuty, ...]
    devices: tuple[DeviceReport, ...] = ()
    ended: tuple[str, ...] = ()
    answered: tuple[Alarm, ...] = ()
    kinds: dict[str, str] = {}
    titles: dict[str, str] = {}
    notes: dict[str, tuple[AlarmNote, ...]] = {}
    handed_over: HandOver | None = None
    vehicle: bool = False
    visit: str = ""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in."""

    name: str
    leader: bool


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag="answer"):
    """To a request. `reason`: why not, in one machine word, or what becomes of it; `token`, `tablet`: of a new log-in; `wait_s`: nothing is heard of
    this guard or address for so long; `why`: all reasons of what becomes of it; `number`: in the queue."""

    id: int
    ok: bool
    reason: str = ""
    person: Person | None = None
    token: str = ""
    tablet: str = ""
    wait_s: int = 0
    why: tuple[str, ...] = ()
    number: int = 0


ToPage = Setup | Snapshot | Answer
FromPage = Beat | Ask
encode: Any = msgspec.json.Encoder().encode
_to_page: msgspec.json.Decoder[ToPage] = msgspec.json.Decoder(ToPage)
_from_page: msgspec.json.Decoder[FromPage] = msgspec.json.Decoder(FromPage)


def decode_to_page(packet: bytes) -> ToPage:
    """What the gate says. Raises msgspec.DecodeError."""
    return _to_page.decode(packet)


def decode_from_page(packet: bytes) -> FromPage:
    """What the page says. Raises msgspec.DecodeError."""
    return _from_page.decode(packet)
