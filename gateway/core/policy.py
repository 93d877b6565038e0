"""What a site wants: every setting the core decides by, with unit, range and meaning beside it once.

A field that is a dictionary of settings stands for sections with names of one's own, such as `[policy.schedules.night]`; they
count in the order of the file.

The configuration loader reads these declarations to check a file and to name the nearest key; the example file and the
docs are held against them by tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta

from gateway.core.moment import Moment
from sync.contract.colours import PassType
from sync.contract.records import Direction, Step


class PortalKind(StrEnum):
    """What stands between outside and inside."""

    DOOR = "door"  # a locked door
    OPEN = "open"  # no lock: steps are asked, passing without them is an alarm
    SEALED = "sealed"  # any opening is an alarm


class LockType(StrEnum):
    """What the lock does without power."""

    FAIL_SAFE = "fail-safe"  # unlocks (maglock)
    FAIL_SECURE = "fail-secure"  # stays locked (strike)


class JournalFailure(StrEnum):
    """What a grant does when its record cannot be written."""

    GUARD = "guard"  # refer to the guard
    CLOSED = "closed"  # stay closed
    OPEN = "open"  # open all the same


class Unsure(StrEnum):
    """What is done with a credential that is good as far as this gate can know."""

    ACCEPT = "accept"  # take it
    GUARD = "guard"  # refer to the guard
    REFUSE = "refuse"  # deny


class Mode(StrEnum):
    """Modes of a gate."""

    NORMAL = "normal"
    FREE = "free"  # free exit and entry: the door is not locked
    FREE_EXIT = "free-exit"  # the way out asks nothing, the way in as always
    CLOSED = "closed"  # closed management (封闭管理): only certain colours come in
    LOCKDOWN = "lockdown"  # nobody, either way (an escape route lets out)


class AntiPassback(StrEnum):
    """What is done with a holder who comes in twice, or goes out without having come in."""

    OFF = "off"
    SOFT = "soft"  # let through, and an alarm
    HARD = "hard"  # denied; never on an escape route's way out
    TIMED = "timed"  # coming in again is denied for a while after coming in


class Booked(StrEnum):
    """What a booked time slot (预约) is good for."""

    OFF = "off"  # nobody asks for one
    RESERVED = "reserved"  # its holder is let in while others wait
    REQUIRED = "required"  # nobody else is let in


class Due(StrEnum):
    """What is due by timetable."""

    DISINFECTION = "disinfection"  # 消杀
    ANNOUNCEMENT = "announcement"


class Day(StrEnum):
    """Days of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEK: Final = tuple(Day)


class Fact(StrEnum):
    """What a health certificate says beyond its colour."""

    STATEMENT = "statement"  # vaccination, test or recovery
    COUNTRY = "country"
    NAME = "name"
    BIRTH_DATE = "birth-date"


class Statement(StrEnum):
    """What a health certificate can state."""

    VACCINATION = "vaccination"
    TEST = "test"
    RECOVERY = "recovery"


def days(meaning: str, low: int, high: int) -> Meta:
    """Whole days between `low` and `high`."""
    return Meta(description=meaning, ge=low, le=high, extra={"unit": "d"})


def hours(meaning: str, low: int, high: int) -> Meta:
    """Whole hours between `low` and `high`."""
    return Meta(description=meaning, ge=low, le=high, extra={"unit": "h"})


def seconds(meaning: str, low: float, high: float) -> Meta:
    """A duration in seconds between `low` and `high`."""
    return Meta(description=meaning, ge=low, le=high, extra={"unit": "s"})


def celsius(meaning: str, low: float, high: float) -> Meta:
    """A temperature in °C between `low` and `high`."""
    return Meta(description=meaning, ge=low, le=high, extra={"unit": "°C"})


def minutes(meaning: str, low: int, high: int) -> Meta:
    """Whole minutes between `low` and `high`."""
    return Meta(description=meaning, ge=low, le=high, extra={"unit": "min"})


def per_cent(meaning: str, low: int, high: int) -> Meta:
    """A whole number of per cent between `low` and `high`."""
    return Meta(description=meaning, ge=low, le=high, extra={"unit": "%"})


def clock(meaning: str) -> Meta:
    """A time of day."""
    return Meta(description=f"{meaning}: local time, HH:MM", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)\Z")


def between(begins: str, ends: str, at: str) -> bool:
    """Whether `at` (all HH:MM) lies in the hours from `begins` to before `ends`, which may be past midnight."""
    return begins <= at < ends if begins <= ends else at >= begins or at < ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of certain days. Hours past midnight belong to the day on which they begin."""

    days: Annotated[tuple[Day, ...], Meta(description="Days of the week", min_length=1, max_length=7)] = WEEK
    begins: Annotated[str, clock("From")] = "00:00"
    ends: Annotated[str, clock("Until")] = "24:00"

    def hold(self, local: datetime) -> bool:
        """Whether they hold at this local time."""
        at, past_midnight = f"{local:%H:%M}", self.ends < self.begins
        if past_midnight and at < self.ends:
            return WEEK[local.weekday() - 1] in self.days
        return WEEK[local.weekday()] in self.days and between(self.begins, self.ends, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalPolicy:
    """The portal and its lock (times: IEC 60839-11-1 and BACnet Access Door defaults)."""

    name: Annotated[str, Meta(description="The portal's name in records and alarms", min_length=1, max_length=32)] = (
        "main"
    )
    kind: Annotated[PortalKind, Meta(description="door, open (no lock) or sealed (any opening is an alarm)")] = (
        PortalKind.DOOR
    )
    lock: Annotated[LockType, Meta(description="What the lock does without power")] = LockType.FAIL_SECURE
    escape_route: Annotated[
        bool, Meta(description="People may have to flee through it: the way out then never asks for a credential")
    ] = True
    exit_needs_credential: Annotated[
        bool, Meta(description="Ask for a credential on the way out too; refused on an escape route")
    ] = False
    release_s: Annotated[float, seconds("How long the lock is released for one grant", 1, 60)] = 5.0
    extended_s: Annotated[float, seconds("Added for holders who need more time", 0, 120)] = 15.0
    held_open_s: Annotated[float, seconds("Open for this long is an alarm", 5, 3600)] = 30.0
    pre_alarm_after_s: Annotated[float, seconds("Open for this long starts the chirp", 1, 3600)] = 25.0
    forced_debounce_s: Annotated[float, seconds("Open without a grant for this long is forced", 0.1, 5)] = 1.0
    anti_passback: Annotated[
        AntiPassback,
        Meta(description="A holder who comes in twice, or goes out without having come in: off, soft, hard, timed"),
    ] = AntiPassback.OFF
    anti_passback_min: Annotated[int, minutes("timed: so long after coming in, coming in again is denied", 1, 1440)] = (
        10
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsRule(Hours):
    """Other steps at certain hours, in a lane, for a direction or for certain colours. The first one that fits counts."""

    direction: Annotated[Direction, Meta(description="entry or exit")] = Direction.ENTRY
    pass_types: Annotated[
        tuple[PassType, ...], Meta(description="For these holders; empty = for all", max_length=4)
    ] = ()
    lanes: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}\Z")], ...],
        Meta(description="Where one of these readers is used (names of devices); empty = at all", max_length=16),
    ] = ()
    steps: Annotated[tuple[Step, ...], Meta(description="The steps that are asked", max_length=4)]

    def fits(self, direction: Direction, pass_type: PassType, lane: str, local: datetime) -> bool:
        """Whether it is for this person, here and now."""
        return (
            direction is self.direction
            and (not self.pass_types or pass_type in self.pass_types)
            and (not self.lanes or lane in self.lanes)
            and self.hold(local)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsPolicy:
    """Which steps each kind of holder is asked for, in any order."""

    resident: Annotated[tuple[Step, ...], Meta(description="Steps asked of residents")] = (
        Step.CREDENTIAL,
        Step.TEMPERATURE,
    )
    tenant: Annotated[tuple[Step, ...], Meta(description="Steps asked of tenants")] = (
        Step.CREDENTIAL,
        Step.TEMPERATURE,
    )
    returnee: Annotated[tuple[Step, ...], Meta(description="Steps asked of recent returnees")] = (
        Step.CREDENTIAL,
        Step.TEMPERATURE,
        Step.HEALTH_CODE,
    )
    visitor: Annotated[tuple[Step, ...], Meta(description="Steps asked of visitors")] = (
        Step.CREDENTIAL,
        Step.TEMPERATURE,
        Step.HEALTH_CODE,
        Step.REGISTRATION,
    )

    def required(self, pass_type: PassType) -> tuple[Step, ...]:
        """The steps asked of this kind of holder."""
        return {
            PassType.RESIDENT: self.resident,
            PassType.TENANT: self.tenant,
            PassType.RETURNEE: self.returnee,
            PassType.VISITOR: self.visitor,
        }[pass_type]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperaturePolicy:
    """Screening, not diagnosis (hardware notes, section 9)."""

    threshold_c: Annotated[float, celsius("At or above this is high", 35, 42)] = 37.3
    lowest_c: Annotated[float, celsius("Below this is no body: measure again", 25, 35)] = 32.0
    highest_c: Annotated[float, celsius("Above this is no body: measure again", 40, 50)] = 42.9
    too_cold_c: Annotated[float, celsius("Below this: too cold, wait and try again", 30, 37)] = 35.0
    ambient_lowest_c: Annotated[float, celsius("Colder surroundings: manual check", -40, 30)] = 16.0
    ambient_highest_c: Annotated[float, celsius("Warmer surroundings: manual check", 20, 60)] = 35.0
    spread_c: Annotated[float, celsius("Samples must lie within this", 0.05, 2)] = 0.3
    samples: Annotated[int, Meta(description="Samples for one measurement", ge=3, le=50)] = 5
    offset_c: Annotated[float, celsius("The site's calibration, added to every reading", -5, 5)] = 0.0
    ambient_factor: Annotated[
        float, Meta(description="Added, too: so much for each degree that it is colder than reference_c", ge=-1, le=1)
    ] = 0.0
    reference_c: Annotated[float, celsius("Surroundings in which nothing is added for them", 10, 30)] = 20.0
    warm_up_s: Annotated[float, seconds("Readings this soon after the start do not count", 0, 600)] = 30.0
    repeat_after_s: Annotated[float, seconds("A high reading is taken again after this", 0.2, 30)] = 5.0
    repeats: Annotated[
        int, Meta(description="How often a high reading is taken again before the guard", ge=0, le=5)
    ] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPolicy:
    """When a visit begins and ends."""

    presence_sensor: Annotated[
        bool, Meta(description="A presence sensor bounds a visit; else the credential begins it")
    ] = True
    presence_lost_s: Annotated[float, seconds("Presence gone for this long ends the visit", 0.2, 10)] = 2.0
    between_steps_s: Annotated[float, seconds("Nothing new for this long ends the visit", 5, 120)] = 20.0
    reading_valid_s: Annotated[float, seconds("An older reading does not count", 1, 30)] = 5.0
    commit_limit_s: Annotated[float, seconds("A record not on disk by then is an alarm", 0.2, 10)] = 1.5
    bad_credentials: Annotated[
        int, Meta(description="Bad credentials in a row that lock the readers out", ge=1, le=5)
    ] = 5
    lock_out_s: Annotated[float, seconds("How long the readers stay locked out", 5, 3600)] = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialPolicy:
    """What is believed when the gate cannot know for sure, and what is kept of a health certificate."""

    when_clock_untrusted: Annotated[
        Unsure, Meta(description="A pass on a phone while the gate's clock is not trusted: accept, guard or refuse")
    ] = Unsure.GUARD
    trust_max_age_days: Annotated[int, days("An older trust list is an alarm", 1, 3650)] = 30
    when_trust_is_old: Annotated[
        Unsure, Meta(description="Passes and certificates while the trust list is older: accept, guard or refuse")
    ] = Unsure.ACCEPT
    keep: Annotated[
        tuple[Fact, ...],
        Meta(
            description="What the record keeps of a health certificate beyond its colour and a keyed hash: "
            "statement, country, name, birth-date",
            max_length=4,
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePolicy:
    """Which health certificates (EU, SMART) count as a green health code. A test that found the virus is red."""

    accepted: Annotated[
        tuple[Statement, ...], Meta(description="What is accepted: vaccination, test, recovery", max_length=3)
    ] = (Statement.VACCINATION, Statement.TEST, Statement.RECOVERY)
    vaccination_from_days: Annotated[
        int, days("Counts from so many days after the last dose of a full course", 0, 90)
    ] = 14
    vaccination_max_days: Annotated[int, days("Counts no longer than so many days after it", 1, 3650)] = 270
    booster_max_days: Annotated[
        int, days("The same for a dose beyond the full course, which counts at once", 1, 3650)
    ] = 3650
    vaccines: Annotated[
        tuple[str, ...],
        Meta(
            description="Accepted products: EU numbers such as EU/1/20/1528, CVX codes such as 208; empty = all",
            max_length=64,
        ),
    ] = ()
    molecular_test_max_h: Annotated[
        int, hours("A molecular test (PCR) counts for so long after the sample", 1, 720)
    ] = 72
    rapid_test_max_h: Annotated[int, hours("A rapid antigen test counts for so long after the sample", 1, 720)] = 24
    recovery_from_days: Annotated[int, days("Counts from so many days after the first positive test", 0, 90)] = 11
    recovery_max_days: Annotated[int, days("Counts no longer than so many days after it", 1, 3650)] = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPolicy:
    """Night watch: the same presence also wakes the guard."""

    begins: Annotated[str, Meta(description="Local time, HH:MM", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "22:00"
    ends: Annotated[str, Meta(description="Local time, HH:MM", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "06:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPolicy:
    """How many may be inside."""

    limit: Annotated[
        int, Meta(description="So many people inside, and nobody more is let in; 0 = no limit", ge=0, le=1_000_000)
    ] = 0
    percent: Annotated[int, per_cent("So much of the limit may be used, such as 30", 1, 100)] = 100
    warn_percent: Annotated[int, per_cent("The guard is warned when so much of it is used", 1, 100)] = 80
    booked: Annotated[
        Booked,
        Meta(description="What a booked time slot is good for: off, reserved (its holder need not wait), required"),
    ] = Booked.OFF
    site_wide: Annotated[
        bool, Meta(description="The limit is the whole site's: the office tells how many came in by its other gates")
    ] = False
    site_max_age_s: Annotated[float, seconds("What the office told counts for so long", 10, 3600)] = 120.0
    share_percent: Annotated[int, per_cent("When it is older, so much of the limit is this gate's own", 0, 100)] = 50

    @property
    def most(self) -> int:
        """So many may be inside; 0: no limit."""
        return max(1, self.limit * self.percent // 100) if self.limit else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModePolicy:
    """What the modes let in."""

    closed_admits: Annotated[
        tuple[PassType, ...], Meta(description="Who comes in under closed management", max_length=4)
    ] = (PassType.RESIDENT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSchedule(Hours):
    """A mode for certain hours. Where somebody has ordered another mode, that holds; so it does from whoever orders one meanwhile."""

    mode: Annotated[Mode, Meta(description="normal, free, free-exit, closed or lockdown")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPolicy:
    """What is due by timetable, is said at the gate, and is confirmed with a card or on the guard's page."""

    what: Annotated[Due, Meta(description="disinfection or announcement")] = Due.DISINFECTION
    days: Annotated[tuple[Day, ...], Meta(description="Days of the week", min_length=1, max_length=7)] = WEEK
    times: Annotated[
        tuple[Annotated[str, clock("When")], ...],
        Meta(description="When it is due, HH:MM", min_length=1, max_length=48),
    ]
    within_min: Annotated[int, minutes("Not confirmed so long after is an alarm", 1, 720)] = 30
    confirmed_by: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,40}\Z")], ...],
        Meta(description="Holders whose card confirms it; empty = only the guard's page does", max_length=64),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrompterPolicy:
    """The infrared voice prompter (红外语音提示器): what is said to whoever comes near, before any reader."""

    again_s: Annotated[float, seconds("Not said again so soon", 1, 600)] = 10.0
    mask: Annotated[bool, Meta(description="Remind people of the mask when they are asked to be measured")] = False
    distance_s: Annotated[float, seconds('"Please keep one metre" is not said again so soon', 1, 600)] = 15.0
    slogans: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^slogan-[a-z0-9-]{1,32}\Z")], ...],
        Meta(description="Phrases played one after the other as people pass, of at most 8 s each", max_length=32),
    ] = ()
    slogan_s: Annotated[float, seconds("Between two of them", 8, 86400)] = 60.0
    bay: Annotated[str, Meta(description="Where deliveries stop, as it is said", max_length=40)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietPolicy:
    """Quiet hours for the neighbours: prompts and slogans are softer, or are not said. Alarms are as loud as ever."""

    begins: Annotated[str, clock("From")] = "22:00"
    ends: Annotated[str, clock("Until")] = "06:00"
    volume_percent: Annotated[
        int, per_cent("So loud; 0 = prompts at the approach, and slogans, are not said", 0, 100)
    ] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """What becomes of an alarm that nobody acknowledges. 0 leaves a level out."""

    louder_after_s: Annotated[float, seconds("It is louder", 0, 3600)] = 60.0
    duty_room_after_s: Annotated[float, seconds("The duty room is told", 0, 7200)] = 180.0
    leader_after_s: Annotated[float, seconds("The leader on shift is told", 0, 14400)] = 600.0
    offline_after_min: Annotated[
        int, minutes("Nothing heard of the office for so long is an alarm; 0 = never", 0, 1440)
    ] = 10
    post: Annotated[bool, Meta(description="There is a guard post: nothing heard of it is an alarm")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPolicy:
    """Whether the night guard is awake: in the small hours he is asked to press the button."""

    begins: Annotated[str, clock("From")] = "01:00"
    ends: Annotated[str, clock("Until")] = "05:00"
    every_min: Annotated[int, minutes("So long after he was last heard of; 0 = never", 0, 240)] = 0
    answer_s: Annotated[float, seconds("No press within this is an alarm", 10, 900)] = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPolicy:
    """How old a directory may be and still decide."""

    max_age_days: Annotated[int, days("An older directory is an alarm", 1, 3650)] = 30
    when_old: Annotated[
        Unsure,
        Meta(description="Cards, passes and listed codes while the directory is older: accept, guard or refuse"),
    ] = Unsure.ACCEPT


FIXED: Final = frozenset(
    {
        "timezone",
        "portal.name",
        "portal.kind",
        "portal.lock",
        "portal.escape_route",
        "portal.exit_needs_credential",
        "visit.presence_sensor",
        "alarms.post",
    }
)
"""What no office changes from afar: it says what stands at the place, how it is wired, or whether people can flee through it.
Only who stands there can see that it is so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything the core decides by."""

    timezone: Annotated[str, Meta(description="The site's time zone, as in the IANA list")] = "Asia/Shanghai"
    when_journal_fails: Annotated[JournalFailure, Meta(description="guard, closed or open")] = JournalFailure.GUARD
    portal: PortalPolicy = field(default_factory=PortalPolicy)
    steps: StepsPolicy = field(default_factory=StepsPolicy)
    temperature: TemperaturePolicy = field(default_factory=TemperaturePolicy)
    visit: VisitPolicy = field(default_factory=VisitPolicy)
    credentials: CredentialPolicy = field(default_factory=CredentialPolicy)
    certificates: CertificatePolicy = field(default_factory=CertificatePolicy)
    night: NightPolicy = field(default_factory=NightPolicy)
    capacity: CapacityPolicy = field(default_factory=CapacityPolicy)
    directory: DirectoryPolicy = field(default_factory=DirectoryPolicy)
    modes: ModePolicy = field(default_factory=ModePolicy)
    prompter: PrompterPolicy = field(default_factory=PrompterPolicy)
    quiet: QuietPolicy = field(default_factory=QuietPolicy)
    alarms: AlarmPolicy = field(default_factory=AlarmPolicy)
    watch: WatchPolicy = field(default_factory=WatchPolicy)
    rules: Annotated[Mapping[str, StepsRule], Meta(max_length=64)] = field(default_factory=dict)
    schedules: Annotated[Mapping[str, ModeSchedule], Meta(max_length=64)] = field(default_factory=dict)
    rounds: Annotated[Mapping[str, RoundPolicy], Meta(max_length=64)] = field(default_factory=dict)

    def local(self, now: Moment) -> datetime:
        """The site's local time."""
        return datetime.fromtimestamp(now.at_ms / 1000, ZoneInfo(self.timezone))

    def time_of_day(self, now: Moment) -> str:
        """The site's local time, HH:MM."""
        return _time_of_day(now.at_ms // 60_000, self.timezone)

    def is_night(self, now: Moment) -> bool:
        """Whether the night watch is on at `now`."""
        return between(self.night.begins, self.night.ends, self.time_of_day(now))

    def required(self, direction: Direction, pass_type: PassType, lane: str, now: Moment) -> tuple[Step, ...]:
        """The steps asked of somebody: by the first rule that fits, else by the colour; on the way out, the credential."""
        if self.rules:
            local = self.local(now)
            for rule in self.rules.values():
                if rule.fits(direction, pass_type, lane, local):
                    return rule.steps
        return (Step.CREDENTIAL,) if direction is Direction.EXIT else self.steps.required(pass_type)


@lru_cache(maxsize=16)
def _time_of_day(minute: int, timezone: str) -> str:
    """Asked several times a turn, and the same for a minute."""
    return f"{datetime.fromtimestamp(minute * 60, ZoneInfo(timezone)):%H:%M}"
