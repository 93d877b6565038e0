"""The records of a gate's journal: one struct a kind, encoded as JSON.

Quantities carry their unit in the name. A body is decoded by `decode_body(kind, body)`; a kind or field that this
version does not know is kept by the office as it came.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec

from sync.contract.alarms import Alarm, AlarmAction, CommandOutcome
from sync.contract.colours import HealthCode, PassType


class Step(StrEnum):
    """The four steps of a visit (四步)."""

    CREDENTIAL = "credential"  # 验证
    TEMPERATURE = "temperature"  # 测温
    HEALTH_CODE = "health-code"  # 扫码
    REGISTRATION = "registration"  # 登记


class Direction(StrEnum):
    """Which way through the portal."""

    ENTRY = "entry"
    EXIT = "exit"


class VisitOutcome(StrEnum):
    """How a visit ended."""

    GRANTED = "granted"
    DENIED = "denied"
    REFERRED = "referred"  # to the guard
    ABANDONED = "abandoned"


class StepResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one step gave: `passed` and the reason in one machine word (`normal`, `too-cold`, `unknown-code` …)."""

    step: Step
    passed: bool
    reason: str
    mono_ms: int


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How a temperature came about: `raw_c` + `offset_c` + `factor` · (`reference_c` − surroundings), °C."""

    raw_c: float
    offset_c: float
    factor: float
    reference_c: float


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reduced event that the decision rests on, as the core saw it: replaying them re-decides the visit."""

    event: str
    mono_ms: int
    data: dict[str, Any] = {}


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person's attempt, first reading to outcome. `credential` is a reference (a keyed hash or a pass id), never
    the scanned text; temperatures are in °C; `facts`: what the site's policy keeps of a health certificate; `lane`: the entry
    reader that was used; `plate`, `bay`: of a vehicle, and where it was told to stop."""

    visit: str
    portal: str
    direction: Direction
    outcome: VisitOutcome
    reasons: tuple[str, ...]
    started_ms: int
    duration_ms: int
    mode: str = "normal"
    night: bool = False
    credential: str = ""
    credential_kind: str = ""
    holder: str = ""
    pass_type: PassType | None = None
    health_code: HealthCode | None = None
    object_c: float | None = None
    ambient_c: float | None = None
    steps: tuple[StepResult, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    directory_version: int = 0
    policy_version: str = ""
    facts: dict[str, str] = {}
    lane: str = ""
    plate: str = ""
    bay: str = ""
    calibration: Calibration | None = None


class CardSeen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A card was read at this gate for the first time. `card`: the keyed hash that visits name it by; `holder`: "" where
    the directory names nobody; `outcome`, `reason`: what it was found to be.

    `full`: the gate can keep no more cards of this sort (those its directory lists, or all others): a new one of them is
    from now on in its visit's record alone."""

    portal: str
    card: str
    reader: str
    direction: Direction
    outcome: str
    reason: str
    holder: str = ""
    full: bool = False


class Passage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A crossing that the beam or the door saw. `visit` is empty when nobody had been granted."""

    portal: str
    direction: Direction
    visit: str = ""
    inside: int = 0


class Door(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of the door worth keeping: its state and what caused it (`grant`, `rex`, `guard`, `fire`, `contact` …). `note`: why
    the guard released it."""

    portal: str
    state: str
    cause: str
    visit: str = ""
    by: str = ""
    note: str = ""


_UNWRITTEN: Final = "journal-failed"
_WITHDRAWN: Final = {
    "lockdown": VisitOutcome.DENIED,
    "fire": VisitOutcome.DENIED,
    "closed-management": VisitOutcome.DENIED,
    "already-inside": VisitOutcome.DENIED,
    _UNWRITTEN: VisitOutcome.REFERRED,
}
"""By what a grant that is on record was not carried out."""


class AlarmRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to an alarm; `alarm.id` is the id that travelled ahead. `what`: of a note, `instruction` (of the leader on
    shift) or `done`; of `cleared`, a `CallEnd` where the guard it called is needed no more."""

    action: AlarmAction
    alarm: Alarm
    by: str = ""
    note: str = ""
    what: str = ""


class Mode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The gate's mode was switched, or ordered anew by the office. `drill`: it is an exercise; `order`: the id of the office's
    order, where it was one."""

    mode: str
    before: str
    by: str
    drill: bool = False
    order: str = ""


class Started(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The gate's process started."""

    version: str
    config_sha256: str = ""
    recovered: tuple[str, ...] = ()


MAX_RUNS: Final = 200  # that a log-opened record names, so that it stays small


class LogOpened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """First record of every log: why it was opened, and which log stood before it where that is known.

    `reason`: `new`, `damaged` (the old file was moved aside), `rewound` (the card was imaged and put back), `moved-aside` (the files of the
    one before are gone; it had `predecessor_head` records at least).
    `predecessor_head`: its last record; 0 where that could not be read. `carried`: which of its records follow in this
    log, as runs of numbers (first, last) in order; what lies between them is lost to the gate, and what lies before them
    was acknowledged."""

    reason: str
    predecessor: str = ""
    predecessor_head: int = 0
    carried: tuple[tuple[int, int], ...] = ()
    detail: str = ""


class Count(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The number of people inside was corrected. `order`: the id of the office's order."""

    inside: int
    before: int
    by: str
    order: str = ""


class Round(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something due by timetable: `what` (`disinfection`, `announcement`) was confirmed or missed (`outcome`: `done`, `missed`).
    `round`: its name in the policy; `due_ms`: when it was due, Unix milliseconds."""

    round: str
    what: str
    due_ms: int
    outcome: str
    by: str = ""


class ShiftAction(StrEnum):
    """What happens to a guard's shift (值守)."""

    BEGUN = "begun"
    HANDED_OVER = "handed-over"
    ENDED = "ended"
    PRESENT = "present"  # the presence check was answered
    ABSENT = "absent"  # it was not


class Shift(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A guard's shift. `by`: who; `to`: to whom it was handed over; `note`: what the next one is to know."""

    action: ShiftAction
    by: str = ""
    to: str = ""
    note: str = ""


class DrillStage(StrEnum):
    """The stages of a drill (演练), in their order; what no sensor sees is stamped by people."""

    ORDERED = "ordered"
    SUPPLIES_READY = "supplies-ready"
    ASSEMBLED = "assembled"
    IN_MODE = "in-mode"  # this gate is in the mode of the drill
    RESIDENTS_ARRIVE = "residents-arrive"  # the first one let in after that
    ENDED = "ended"


class Drill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stage of a drill was reached. `order`: the office's order that began it, "" where it began at the gate."""

    stage: DrillStage
    mode: str = ""
    by: str = ""
    order: str = ""


class Dropped(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records were given up to make room. `reason`: `disk-nearly-full`, `journal-too-large`; `first`, `last`: between which
    numbers; `bytes`: about what it gave.

    `kinds`: of how many of each kind that the office did not have yet the body went, in one transaction with this; numbers,
    kinds, times and hashes stay. `sent`: how many that the office had were deleted before their time. `log`: they were those of an
    earlier log, whose file is gone with it; "" for this one."""

    reason: str
    log: str = ""
    kinds: dict[str, int] = {}
    first: int
    last: int
    sent: int = 0
    bytes: int = 0


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device was lost or came back."""

    device: str
    state: str
    detail: str = ""


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The wall clock stepped against the monotonic one by `step_ms`, or (it may then be 0) began to be trusted."""

    step_ms: int
    trusted: bool


class CommandRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a command of the office that came in time and for the first time. `command`: its id; `by`: the office's
    user; `target`: the portal, the phrase or the alarm's id; `reason`: why it was refused; `note`: what the user gave."""

    command: str
    action: str
    by: str
    outcome: CommandOutcome
    reason: str = ""
    target: str = ""
    note: str = ""


class Refused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something from outside that was refused outside a visit: a forged command, an order out of place. `count`: how often,
    since the last record of the same."""

    what: str
    reason: str
    detail: str = ""
    count: int = 1


class Vehicle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plate that was noted while no visit was under way. `visit`: the one that had just ended, "" when none had begun; `bay`: where
    they were told to stop. The visit that begins with it within two minutes has the plate, too."""

    plate: str
    by: str
    visit: str = ""
    bay: str = ""


Body = (
    Visit
    | CardSeen
    | Passage
    | Door
    | AlarmRecord
    | Mode
    | Started
    | LogOpened
    | Count
    | Dropped
    | Device
    | ClockChange
    | CommandRecord
    | Refused
    | Round
    | Shift
    | Drill
    | Vehicle
)

KINDS: dict[str, type[Body]] = {
    "visit": Visit,
    "card-seen": CardSeen,
    "passage": Passage,
    "door": Door,
    "alarm": AlarmRecord,
    "mode": Mode,
    "started": Started,
    "log-opened": LogOpened,
    "count": Count,
    "dropped": Dropped,
    "device": Device,
    "clock": ClockChange,
    "command": CommandRecord,
    "refused": Refused,
    "round": Round,
    "shift": Shift,
    "drill": Drill,
    "vehicle": Vehicle,
}
_KIND_OF = {body: kind for kind, body in KINDS.items()}
_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[str, msgspec.json.Decoder[Body]] = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}


def withdrawn(door: Door) -> VisitOutcome | None:
    """What became of the visit that this record names, where its grant was not carried out; None of every other record."""
    if not door.visit or (
        door.cause == _UNWRITTEN and door.state == "released"
    ):  # let in without its record, by policy
        return None
    return _WITHDRAWN.get(door.cause)


def kind_of(body: Body) -> str:
    """The kind word of a body."""
    return _KIND_OF[type(body)]


def encode_body(body: Body) -> bytes:
    """A body as JSON (UTF-8)."""
    return _ENCODER.encode(body)


def decode_body(kind: str, body: bytes) -> Body | None:
    """A body from JSON, or None for a kind this version does not know. Raises msgspec.DecodeError when malformed."""
    decoder = _DECODERS.get(kind)
    return None if decoder is None else decoder.decode(body)
