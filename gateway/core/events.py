"""What the core is told. Every event is frozen; what needs a signature, the directory or a server is resolved before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.policy import Mode, Policy
from sync.contract.colours import HealthCode, PassType
from sync.contract.commands import Command
from sync.contract.directory import CountOrder, ModeOrder
from sync.contract.records import Direction, DrillStage, ShiftAction, Step


class Outcome(StrEnum):
    """What a resolver found out about a text or a card."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NEEDS_ONLINE = "needs-online"
    UNCHECKED = "unchecked"  # the gate's own means failed or were never there: it says nothing about the credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A text or card, resolved. Holds no scanned text: `credential` is a reference safe to keep (a pass id, a keyed hash).

    `serves`: the steps it can satisfy when valid (a QR may be pass and health code at once); `holder`: whose it is, "" where
    that is not known; `extended`: the holder needs the extended release time; `counter`: of a pass on a phone, the number
    of the 30 s it was signed in, 0 for everything else; `facts`: what the site's policy keeps of a health certificate;
    `denied`: what could not be checked is denied by the site's policy, and not for the guard; `genuine`: it was refused, but
    is what it claims to be; `stays_home`: the holder is under home observation; `booked`: the time slots of the holder, Unix
    seconds."""

    outcome: Outcome
    reason: str
    kind: str  # card, pass, health-code, eu-certificate, smart-health-card, text
    credential: str
    serves: frozenset[Step] = frozenset()
    holder: str = ""
    pass_type: PassType | None = None
    health_code: HealthCode | None = None
    extended: bool = False
    directory_version: int = 0
    counter: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    denied: bool = False
    genuine: bool = False
    stays_home: bool = False
    booked: tuple[tuple[int, int], ...] = ()

    @property
    def is_guess(self) -> bool:
        """Whether it may have been an attempt to get in with anything: what is merely out of date, revoked, of another site or
        not what the site's rule wants is none, and neither is what could not be checked."""
        return self.outcome in (Outcome.INVALID, Outcome.UNKNOWN) and not self.genuine


HEALTH_KINDS = frozenset({"health-code", "eu-certificate", "smart-health-card"})
"""The kinds of verdict that are about the health code, good or bad."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody is (or is no longer) in front of the readers."""

    present: bool


@dataclass(frozen=True, slots=True)
class CredentialResolved:
    """A card or code was read and resolved. `read_mono_ms`: when it was read."""

    verdict: Verdict
    reader: str
    direction: Direction
    read_mono_ms: int


@dataclass(frozen=True, slots=True)
class CodeUnread:
    """Something that looks like a code is held up and cannot be read. `hint`: what is wrong, in the reader's word (`closer`,
    `hold-still`)."""

    hint: str
    reader: str
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureMeasured:
    """A reduced measurement. `object_c` None: no usable reading; `reason` says why (`stale`, `unsteady`, `lost` …)."""

    thermometer: str
    object_c: float | None
    ambient_c: float | None
    spread_c: float = 0.0
    samples: int = 0
    reason: str = "ok"
    read_mono_ms: int = 0


@dataclass(frozen=True, slots=True)
class Registered:
    """The registration step was done (登记) by a form or by the guard; `reference` names the entry. `instead`: the person has
    no pass, and is let in as a visitor by this registration alone (the guard's). `visit`: whom it is for, as the status named them when
    the form was begun; "" for whoever is there."""

    reference: str
    by: str
    instead: bool = False
    visit: str = ""


@dataclass(frozen=True, slots=True)
class DoorContact:
    """The door leaf opened or closed (an NC loop: a cut wire reads as open)."""

    open: bool


@dataclass(frozen=True, slots=True)
class LatchMonitor:
    """The latch monitor: whether the bolt is back, or the magnet's plate off, so that nothing holds the door."""

    free: bool


@dataclass(frozen=True, slots=True)
class Crossing:
    """The beam was crossed. A single beam cannot tell which way (None): then it is the way that was released last."""

    direction: Direction | None


@dataclass(frozen=True, slots=True)
class ExitRequested:
    """REX: the exit button was pressed."""


@dataclass(frozen=True, slots=True)
class FireInput:
    """The fire-alarm contact."""

    active: bool


@dataclass(frozen=True, slots=True)
class TamperInput:
    """The tamper loop."""

    active: bool


@dataclass(frozen=True, slots=True)
class CallPressed:
    """Somebody presses the call button."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person acknowledges an alarm; `alarm` empty = all open ones (the button)."""

    by: str
    alarm: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class GuardRelease:
    """The guard releases the portal himself."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ModeOrdered:
    """Somebody with the right to do so orders a mode."""

    mode: Mode
    by: str
    drill: bool = False


@dataclass(frozen=True, slots=True)
class CountCorrected:
    """The guard has counted: so many people are inside."""

    inside: int
    by: str


@dataclass(frozen=True, slots=True)
class Approach:
    """Something is (or is no longer) on its way to the gate, or from it: a person or a `vehicle`."""

    active: bool
    vehicle: bool = False


@dataclass(frozen=True, slots=True)
class TooClose:
    """A second person is (or is no longer) inside the one-metre line (一米线)."""

    active: bool


@dataclass(frozen=True, slots=True)
class VehicleNoted:
    """A plate was typed or scanned for whoever is there; `delivery`: it brings something, and is told its bay."""

    plate: str
    by: str
    delivery: bool = False


@dataclass(frozen=True, slots=True)
class SirenStopped:
    """A person stops the noise. That acknowledges nothing."""

    by: str


@dataclass(frozen=True, slots=True)
class AlarmNoted:
    """What the leader on shift instructed about an alarm (`what`: `instruction`), or what was done (`done`)."""

    alarm: str
    by: str
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class ShiftChanged:
    """A guard begins, hands over or ends his shift."""

    action: ShiftAction
    by: str
    to: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RoundConfirmed:
    """What was due by timetable was done."""

    round: str
    by: str


@dataclass(frozen=True, slots=True)
class DrillStamped:
    """Somebody stamps a stage of a drill that no sensor sees."""

    stage: DrillStage
    by: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Whether the office, or the guard post (`who`: `office`, `post`), is heard."""

    who: str
    heard: bool


@dataclass(frozen=True, slots=True)
class SiteCount:
    """How many came in by the site's other gates, less those who went out by them, at `at_ms` by the office's clock."""

    elsewhere: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Commanded:
    """The office commands, or the guard at his post (`of_post`) acknowledges, and nobody else: signature, this gate and this
    boot were verified."""

    command: Command
    of_post: bool = False


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """So many messages that were to be commands were refused, for this reason; `detail`: of the last one."""

    reason: str
    detail: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class TimeRefused:
    """So many messages that were to be the office's time were refused, for this reason."""

    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class AccessRefused:
    """Somebody was refused at the guard's page: `wrong-pin`; `detail`: from which address."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AccessLocked:
    """So many PINs were wrong that somebody is not heard at the guard's page for a while; or that is over."""

    locked: bool


@dataclass(frozen=True, slots=True)
class DirectoryRefused:
    """Something that came as the office's directory was refused: `part` (forged, damaged), `row` (not understood), `policy`
    (not to be had from afar, or not valid)."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Desired:
    """The state that the office wants, as the directory has it now: by the gate's own key and for all (`*`)."""

    modes: Mapping[str, ModeOrder]
    count: CountOrder | None = None


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """Decide by this from now on, as soon as nobody is being decided about. `version`: as records name it."""

    policy: Policy
    version: str


@dataclass(frozen=True, slots=True)
class Committed:
    """The record appended with `token` is on disk."""

    token: int


@dataclass(frozen=True, slots=True)
class CommitFailed:
    """The record appended with `token` (0: any) could not be written."""

    token: int
    reason: str


@dataclass(frozen=True, slots=True)
class JournalWorks:
    """After a failure the journal writes again: everything that waited is on disk, and there is room."""


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device's state changed (`starting, ok, stale, lost`)."""

    device: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DiskScarce:
    """Room for records is scarce: `reason` is one of `SCARCE`, or none when it is not, or no more."""

    reason: str


SCARCE = ("disk-nearly-full", "journal-too-large")


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock stepped against the monotonic one, or (`step_ms` may then be 0) began to be trusted."""

    step_ms: int
    trusted: bool


@dataclass(frozen=True, slots=True)
class JournalReplaced:
    """The journal was damaged and moved aside, or was gone, at this start; a new log names the old one."""

    detail: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: `deadline()` was reached."""


Event = (
    Presence
    | CredentialResolved
    | CodeUnread
    | TemperatureMeasured
    | Registered
    | DoorContact
    | LatchMonitor
    | Crossing
    | ExitRequested
    | FireInput
    | TamperInput
    | CallPressed
    | Acknowledge
    | GuardRelease
    | ModeOrdered
    | CountCorrected
    | Approach
    | TooClose
    | VehicleNoted
    | SirenStopped
    | AlarmNoted
    | ShiftChanged
    | RoundConfirmed
    | DrillStamped
    | Heard
    | SiteCount
    | Commanded
    | CommandRefused
    | AccessRefused
    | AccessLocked
    | DirectoryRefused
    | Desired
    | PolicyChanged
    | TimeRefused
    | Committed
    | CommitFailed
    | JournalWorks
    | DeviceChanged
    | DiskScarce
    | ClockStepped
    | JournalReplaced
    | Tick
)
