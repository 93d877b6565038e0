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
from gateway.core.why import Why
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


def time_of_day(meaning: str) -> Meta:
    """The same, at which something happens: 24:00 is the next day's 00:00, and is none."""
    return Meta(description=f"{meaning}: local time, HH:MM", pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")


def between(begins: str, ends: str, at: str) -> bool:
    """Whether `at` (all HH:MM) lies in the hours from `begins` to before `ends`, which may be past midnight."""
    return begins <= at < ends if begins <= ends else at >= begins or at < ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of certain days. Hours past midnight belong to the day on which they begin."""

    days: Annotated[
        tuple[Day, ...],
        Meta(description="Days of the week", min_length=1, max_length=7),
        Why("Every day, so that a rule names days only where they matter."),
    ] = WEEK
    begins: Annotated[str, clock("From"), Why("Midnight: with `ends` the whole day.")] = "00:00"
    ends: Annotated[str, clock("Until"), Why("24:00: with `begins` the whole day.")] = "24:00"

    def hold(self, local: datetime) -> bool:
        """Whether they hold at this local time."""
        at, past_midnight = f"{local:%H:%M}", self.ends < self.begins
        if past_midnight and at < self.ends:
            return WEEK[local.weekday() - 1] in self.days
        return WEEK[local.weekday()] in self.days and between(self.begins, self.ends, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalPolicy:
    """The portal and its lock (times: IEC 60839-11-1 and BACnet Access Door defaults)."""

    name: Annotated[
        str,
        Meta(description="The portal's name in records and alarms", min_length=1, max_length=32),
        Why("A gate has one portal; a site with several gates tells them apart by the gate's own id."),
    ] = "main"
    kind: Annotated[
        PortalKind,
        Meta(description="door, open (no lock) or sealed (any opening is an alarm)"),
        Why(
            "Most gates are a door that locks. Whoever leaves the key out of the file gets the strictest one "
            "that people can still go through."
        ),
    ] = PortalKind.DOOR
    lock: Annotated[
        LockType,
        Meta(description="What the lock does without power"),
        Why(
            "A strike stays locked without power, so a power cut does not open the compound; the way out is "
            "mechanical, or by the break-glass in the lock's own supply. Where only a maglock is left, it is "
            "fail-safe by its nature."
        ),
    ] = LockType.FAIL_SECURE
    escape_route: Annotated[
        bool,
        Meta(description="People may have to flee through it: the way out then never asks for a credential"),
        Why(
            "Life safety outranks security: GB 50396-2007, 9.0.1(2), wants escape doors to open from inside "
            "without a key, and nobody is to lose that by leaving a key out."
        ),
    ] = True
    exit_needs_credential: Annotated[
        bool,
        Meta(description="Ask for a credential on the way out too; refused on an escape route"),
        Why(
            "The way out asks for nothing (REX), as on any door; home observation and anti-passback are "
            "reasons to ask, and only where people do not flee."
        ),
    ] = False
    release_s: Annotated[
        float,
        seconds("How long the lock is released for one grant", 1, 60),
        Why(
            "5 s is the default of a BACnet Access Door; Axis takes 10. GB 50396-2007 wants the lock to act "
            "within 2 s of the reading, which this does not touch."
        ),
    ] = 5.0
    extended_s: Annotated[
        float,
        seconds("Added for holders who need more time", 0, 120),
        Why(
            "15 s more is the default of a BACnet Access Door; Axis takes 30. Such times are added, not put "
            "in place (ONVIF door control)."
        ),
    ] = 15.0
    held_open_s: Annotated[
        float,
        seconds("Open for this long is an alarm", 5, 3600),
        Why(
            "30 s is the default of a BACnet Access Door; Axis takes 10, American Access 16. A pram or a "
            "trolley takes longer than a person."
        ),
    ] = 30.0
    pre_alarm_after_s: Annotated[
        float,
        seconds("Open for this long starts the chirp", 1, 3600),
        Why("5 s before the alarm, as Axis has it: long enough to shut the door and be spared the alarm."),
    ] = 25.0
    forced_debounce_s: Annotated[
        float,
        seconds("Open without a grant for this long is forced", 0.1, 5),
        Why("1 s, as Tridium has it, against false alarms by a leaf that rattles in the wind or is pulled at."),
    ] = 1.0
    unlatched_after_s: Annotated[
        float,
        seconds(
            "Shut and at rest, and not held by the lock for this long, is an alarm; only with a latch monitor", 1, 60
        ),
        Why("Our choice: a strike falls in within a second once the door is shut; 3 s let a door closer pull it to."),
    ] = 3.0
    anti_passback: Annotated[
        AntiPassback,
        Meta(description="A holder who comes in twice, or goes out without having come in: off, soft, hard, timed"),
        Why(
            "Off, as it needs a reader on both sides; without one it would deny everybody the second time. "
            "Soft, hard and timed are those of IEC 60839-11-1."
        ),
    ] = AntiPassback.OFF
    anti_passback_min: Annotated[
        int,
        minutes("timed: so long after coming in, coming in again is denied", 1, 1440),
        Why("Our choice: a card handed out through the fence comes back within minutes, its holder seldom."),
    ] = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsRule(Hours):
    """Other steps at certain hours, in a lane, for a direction or for certain colours. The first one that fits counts."""

    direction: Annotated[
        Direction, Meta(description="entry or exit"), Why("Rules are nearly always about coming in.")
    ] = Direction.ENTRY
    pass_types: Annotated[
        tuple[PassType, ...],
        Meta(description="For these holders; empty = for all", max_length=4),
        Why("Empty, so that a rule for a rush hour needs no list."),
    ] = ()
    lanes: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}\Z")], ...],
        Meta(description="Where one of these readers is used (names of devices); empty = at all", max_length=16),
        Why("Empty, as a gate has one reader mostly."),
    ] = ()
    steps: Annotated[
        tuple[Step, ...],
        Meta(description="The steps that are asked", max_length=4),
        Why("No default: the steps are what the rule is there for."),
    ]

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

    resident: Annotated[
        tuple[Step, ...],
        Meta(description="Steps asked of residents"),
        Why(
            "Green passes: validation and temperature for all (the four steps of Beijing's compounds, 2020 to "
            "2022); health code and registration are for those whom the community does not know."
        ),
    ] = (
        Step.CREDENTIAL,
        Step.TEMPERATURE,
    )
    tenant: Annotated[
        tuple[Step, ...],
        Meta(description="Steps asked of tenants"),
        Why("Blue passes: as residents. The pass tells the guard who they are, and does not treat them worse."),
    ] = (
        Step.CREDENTIAL,
        Step.TEMPERATURE,
    )
    returnee: Annotated[
        tuple[Step, ...],
        Meta(description="Steps asked of recent returnees"),
        Why("Red passes are recent returnees, who may enter, and whose health code was asked for on return."),
    ] = (
        Step.CREDENTIAL,
        Step.TEMPERATURE,
        Step.HEALTH_CODE,
    )
    visitor: Annotated[
        tuple[Step, ...],
        Meta(description="Steps asked of visitors"),
        Why("Pink passes: all four steps, as at every compound's main gate."),
    ] = (
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

    threshold_c: Annotated[
        float,
        celsius("At or above this is high", 35, 42),
        Why(
            "37.3 °C is the alert line that Chinese communities used. An N = 18,024 study, with the effects "
            "of the room and of the hour taken off, came to 37.38 °C (10.1109/JSEN.2021.3058958); the FDA "
            "calls 36.1 to 37.2 °C normal. Screening, not diagnosis: the step after a high reading is a "
            "clinical thermometer (IEC 80601-2-59)."
        ),
    ] = 37.3
    lowest_c: Annotated[
        float,
        celsius("Below this is no body: measure again", 25, 35),
        Why("Forehead thermometers usually show 32.0 to 42.9 °C; what is colder is a wall, a hood or nobody."),
    ] = 32.0
    highest_c: Annotated[
        float,
        celsius("Above this is no body: measure again", 40, 50),
        Why("Forehead thermometers usually show 32.0 to 42.9 °C; what is warmer is a lamp or a cup of tea."),
    ] = 42.9
    too_cold_c: Annotated[
        float,
        celsius("Below this: too cold, wait and try again", 30, 37),
        Why(
            "Foreheads indoors are 36.2 ± 0.3 °C over 1,080 tests at 14 to 32 °C (IJERPH 19, 15883). Below "
            "35.0 °C it is the cold outside that was measured, and never health: wait and try again (airports "
            "advise ten minutes)."
        ),
    ] = 35.0
    ambient_lowest_c: Annotated[
        float,
        celsius("Colder surroundings: manual check", -40, 30),
        Why(
            "Forehead thermometers are made for 16 to 35 °C, best about 20 (Beijing's institute of metrology, "
            "7 March 2020; the FDA's advice as republished: 16 to 40). Outside of it the guard measures by "
            "hand."
        ),
    ] = 16.0
    ambient_highest_c: Annotated[
        float,
        celsius("Warmer surroundings: manual check", 20, 60),
        Why(
            "As the lower end: 35 °C is where forehead thermometers stop (Beijing's institute of metrology, 7 "
            "March 2020)."
        ),
    ] = 35.0
    spread_c: Annotated[
        float,
        celsius("Samples must lie within this", 0.05, 2),
        Why(
            "The maximum permissible error of a forehead thermometer is 0.3 °C (JJF 1107-2003): samples that "
            "differ by more are of something that moved."
        ),
    ] = 0.3
    samples: Annotated[
        int,
        Meta(description="Samples for one measurement", ge=3, le=50),
        Why(
            "Our choice: five at ten a second are half a second of holding still, and their median drops two outliers."
        ),
    ] = 5
    offset_c: Annotated[
        float,
        celsius("The site's calibration, added to every reading", -5, 5),
        Why(
            "0: no authoritative formula from forehead to core was found (the correlation of axilla and "
            "forehead was 0.07), and 5 of 6 models were off by over 0.3 °C on a black body "
            "(10.1016/j.medengphy.2021.05.007). A site calibrates its own, and the record keeps every term."
        ),
    ] = 0.0
    ambient_factor: Annotated[
        float,
        Meta(description="Added, too: so much for each degree that it is colder than reference_c", ge=-1, le=1),
        Why(
            "0, for the same reason: no universal formula was found, so nothing is added until a site has measured it."
        ),
    ] = 0.0
    reference_c: Annotated[
        float,
        celsius("Surroundings in which nothing is added for them", 10, 30),
        Why("Forehead thermometers work best at about 20 °C (Beijing's institute of metrology, 7 March 2020)."),
    ] = 20.0
    warm_up_s: Annotated[
        float,
        seconds("Readings this soon after the start do not count", 0, 600),
        Why(
            "Our choice for a module of a few grams, whose first readings drift. A thermograph wants 30 "
            "minutes, a handheld ten minutes in its place: a site that sees drift raises it."
        ),
    ] = 30.0
    repeat_after_s: Annotated[
        float,
        seconds("A high reading is taken again after this", 0.2, 30),
        Why("Step back, wait 5 s, measure again: the advice of the makers of handheld thermometers."),
    ] = 5.0
    repeats: Annotated[
        int,
        Meta(description="How often a high reading is taken again before the guard", ge=0, le=5),
        Why(
            "Two more readings make three, all of which are taken, and two decide: one reflection calls no guard, and "
            "one good reading lets no fever in."
        ),
    ] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPolicy:
    """When a visit begins and ends."""

    presence_sensor: Annotated[
        bool,
        Meta(description="A presence sensor bounds a visit; else the credential begins it"),
        Why(
            "A temperature without knowing whose it is says nothing, so a sensor is expected; a gate that has "
            "none says so, and the credential begins the visit."
        ),
    ] = True
    presence_lost_s: Annotated[
        float,
        seconds("Presence gone for this long ends the visit", 0.2, 10),
        Why("Our choice: who shifts their weight is back within 2 s, and the next person is not there yet."),
    ] = 2.0
    between_steps_s: Annotated[
        float,
        seconds("Nothing new for this long ends the visit", 5, 120),
        Why("Our choice: 20 s are enough to find a health code on a phone; two prompts fall into it."),
    ] = 20.0
    code_hint_s: Annotated[
        float,
        seconds('"Hold the code closer" and "hold it still" are not said again so soon; 0 = never', 0, 600),
        Why("Our choice: time to hear it and to do it; who is told again while still doing it takes the code away."),
    ] = 6.0
    reading_valid_s: Annotated[
        float,
        seconds("An older reading does not count", 1, 30),
        Why("Our choice: an older reading may be of somebody before, and asking a server (3 s) fits in."),
    ] = 5.0
    registration_valid_s: Annotated[
        float,
        seconds(
            "Steps done before the registration count so long for whoever stays there; 0 = they are done again", 0, 1800
        ),
        Why(
            "Our choice: the guard's form and one on a phone take two or three minutes each. The person has not gone away "
            "meanwhile, so the measurement and the codes are still theirs."
        ),
    ] = 300.0
    commit_limit_s: Annotated[
        float,
        seconds("A record not on disk by then is an alarm", 0.2, 10),
        Why(
            "GB 50396-2007 wants the lock to act within 2 s of the reading: 1.5 s for the disk leave the rest "
            "their share. An SD card commits in some 10 ms."
        ),
    ] = 1.5
    bad_credentials: Annotated[
        int,
        Meta(description="Bad credentials in a row that lock the readers out", ge=1, le=5),
        Why("GB 50396-2007: an alarm after N ≤ 5 bad attempts in a row; no more may be set."),
    ] = 5
    lock_out_s: Annotated[
        float,
        seconds("How long the readers stay locked out", 5, 3600),
        Why(
            "Our choice: five tries a minute at most are no way to guess a card of 32 bits, and the next resident waits "
            "no longer than that."
        ),
    ] = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialPolicy:
    """What is believed when the gate cannot know for sure, and what is kept of a health certificate."""

    when_clock_untrusted: Annotated[
        Unsure,
        Meta(description="A pass on a phone while the gate's clock is not trusted: accept, guard or refuse"),
        Why(
            "A phone's code is a matter of 30 s: without a clock that is right, a picture cannot be told from "
            "the phone, so the guard looks."
        ),
    ] = Unsure.GUARD
    trust_max_age_days: Annotated[
        int,
        days("An older trust list is an alarm", 1, 3650),
        Why("A month is longer than any outage that was planned for, and the journal's own keeping time."),
    ] = 30
    when_trust_is_old: Annotated[
        Unsure,
        Meta(description="Passes and certificates while the trust list is older: accept, guard or refuse"),
        Why(
            "An old list is still signed; a network that is away for long must not lock a compound out of its "
            "homes. The alarm tells that it is old."
        ),
    ] = Unsure.ACCEPT
    keep: Annotated[
        tuple[Fact, ...],
        Meta(
            description="What the record keeps of a health certificate beyond its colour and a keyed hash: "
            "statement, country, name, birth-date",
            max_length=4,
        ),
        Why(
            "Nothing beyond colour and a keyed hash: what is not kept cannot leak. A site that has to show "
            "more says what."
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePolicy:
    """Which health certificates (EU, SMART) count as a green health code. A test that found the virus is red."""

    accepted: Annotated[
        tuple[Statement, ...],
        Meta(description="What is accepted: vaccination, test, recovery", max_length=3),
        Why("Regulation (EU) 2021/953 knows these three, and each of them stands for the same right."),
    ] = (Statement.VACCINATION, Statement.TEST, Statement.RECOVERY)
    vaccination_from_days: Annotated[
        int,
        days("Counts from so many days after the last dose of a full course", 0, 90),
        Why("14 days after the last dose of a full course: Council Recommendation (EU) 2022/107."),
    ] = 14
    vaccination_max_days: Annotated[
        int,
        days("Counts no longer than so many days after it", 1, 3650),
        Why("270 days: Commission Delegated Regulation (EU) 2021/2288."),
    ] = 270
    booster_max_days: Annotated[
        int,
        days("The same for a dose beyond the full course, which counts at once", 1, 3650),
        Why("No end was set for boosters (Delegated Regulation (EU) 2021/2288); ten years stand for none."),
    ] = 3650
    vaccines: Annotated[
        tuple[str, ...],
        Meta(
            description="Accepted products: EU numbers such as EU/1/20/1528, CVX codes such as 208; empty = all",
            max_length=64,
        ),
        Why(
            "Empty: every product that the certificate's signer has accepted. Which are good is each "
            "country's own decision."
        ),
    ] = ()
    molecular_test_max_h: Annotated[
        int,
        hours("A molecular test (PCR) counts for so long after the sample", 1, 720),
        Why("72 hours from the sample: Council Recommendation (EU) 2022/107."),
    ] = 72
    rapid_test_max_h: Annotated[
        int,
        hours("A rapid antigen test counts for so long after the sample", 1, 720),
        Why("24 hours from the sample: Council Recommendation (EU) 2022/107."),
    ] = 24
    recovery_from_days: Annotated[
        int,
        days("Counts from so many days after the first positive test", 0, 90),
        Why("Regulation (EU) 2021/953: from the eleventh day after the first positive test."),
    ] = 11
    recovery_max_days: Annotated[
        int,
        days("Counts no longer than so many days after it", 1, 3650),
        Why("Regulation (EU) 2021/953: 180 days after the first positive test."),
    ] = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPolicy:
    """Night watch: the same presence also wakes the guard."""

    begins: Annotated[
        str,
        Meta(description="Local time, HH:MM", pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
        Why(
            "Our choice: from 22:00 the gates of most compounds are quiet and the guard may sit inside; the "
            "voice prompter of Beijing's compounds woke him all night."
        ),
    ] = "22:00"
    ends: Annotated[
        str,
        Meta(description="Local time, HH:MM", pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
        Why("Our choice: at 06:00 people leave for work again, and every arrival would be an alarm."),
    ] = "06:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPolicy:
    """How many may be inside."""

    limit: Annotated[
        int,
        Meta(description="So many people inside, and nobody more is let in; 0 = no limit", ge=0, le=1_000_000),
        Why("0, no limit: how many a house holds only the site knows."),
    ] = 0
    percent: Annotated[
        int,
        per_cent("So much of the limit may be used, such as 30", 1, 100),
        Why(
            "The whole limit. 30 % was what public places in Beijing were told, which is then this one number to change."
        ),
    ] = 100
    warn_percent: Annotated[
        int,
        per_cent("The guard is warned when so much of it is used", 1, 100),
        Why("Our choice: at 80 % there is time to open another gate or to tell people before anybody is refused."),
    ] = 80
    booked: Annotated[
        Booked,
        Meta(description="What a booked time slot is good for: off, reserved (its holder need not wait), required"),
        Why("Booking (预约) is something a site has to offer before a gate can ask for it."),
    ] = Booked.OFF
    site_wide: Annotated[
        bool,
        Meta(description="The limit is the whole site's: the office tells how many came in by its other gates"),
        Why("A gate alone counts its own people; the sum needs the office and a network."),
    ] = False
    site_max_age_s: Annotated[
        float,
        seconds("What the office told counts for so long", 10, 3600),
        Why("Our choice: two minutes are several of the office's tellings, and few people at one gate."),
    ] = 120.0
    share_percent: Annotated[
        int,
        per_cent("When it is older, so much of the limit is this gate's own", 0, 100),
        Why(
            "Our choice: half, as for a site of two gates; a site of four writes 25, so that together they "
            "stay within the limit."
        ),
    ] = 50

    @property
    def most(self) -> int:
        """So many may be inside; 0: no limit."""
        return max(1, self.limit * self.percent // 100) if self.limit else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModePolicy:
    """What the modes let in."""

    closed_admits: Annotated[
        tuple[PassType, ...],
        Meta(description="Who comes in under closed management", max_length=4),
        Why("Closed management (封闭管理) lets in those who live there, and nobody else."),
    ] = (PassType.RESIDENT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSchedule(Hours):
    """A mode for certain hours. Where somebody has ordered another mode, that holds; so it does from whoever orders one meanwhile."""

    mode: Annotated[
        Mode,
        Meta(description="normal, free, free-exit, closed or lockdown"),
        Why("No default: a schedule is there for its mode."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPolicy:
    """What is due by timetable, is said at the gate, and is confirmed with a card or on the guard's page."""

    what: Annotated[
        Due,
        Meta(description="disinfection or announcement"),
        Why("Disinfection by timetable (定时消杀) is what building doors had to show; announcements come second."),
    ] = Due.DISINFECTION
    title: Annotated[
        str,
        Meta(description="What people call it, on the guard's page; empty = the section's name", max_length=40),
        Why(
            "Empty: a section's name does for one round; a building with several wants them called as people there do."
        ),
    ] = ""
    days: Annotated[
        tuple[Day, ...],
        Meta(description="Days of the week", min_length=1, max_length=7),
        Why("Every day, as the reports of Beijing's communities had it."),
    ] = WEEK
    times: Annotated[
        tuple[Annotated[str, time_of_day("When")], ...],
        Meta(description="When it is due, HH:MM", min_length=1, max_length=48),
        Why("No default: the timetable is the site's."),
    ]
    within_min: Annotated[
        int,
        minutes("Not confirmed so long after is an alarm", 1, 720),
        Why("Our choice: half an hour is enough to walk a building's stairs with a sprayer."),
    ] = 30
    confirmed_by: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,40}\Z")], ...],
        Meta(description="Holders whose card confirms it; empty = only the guard's page does", max_length=64),
        Why(
            "Empty: the guard confirms on his page. A card confirms only for those who are named, or any "
            "resident would."
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrompterPolicy:
    """The infrared voice prompter (红外语音提示器): what is said to whoever comes near, before any reader."""

    again_s: Annotated[
        float,
        seconds("Not said again so soon", 1, 600),
        Why("Our choice: a group that comes together is told once, and the next person again."),
    ] = 10.0
    leaver_s: Annotated[
        float,
        seconds(
            "Whoever is seen so soon after somebody has gone out is taken for them: not told, no call for the guard",
            0,
            60,
        ),
        Why(
            "Our choice: ten seconds to walk away from the door, past the sensor. Who is still seen after that, or comes once they "
            "are out of sight, is told like anybody, so that nobody slips in behind them unheard."
        ),
    ] = 10.0
    mask: Annotated[
        bool,
        Meta(description="Remind people of the mask when they are asked to be measured"),
        Why("Off: whether masks are asked for changes by the month."),
    ] = False
    distance_s: Annotated[
        float,
        seconds('"Please keep one metre" is not said again so soon', 1, 600),
        Why("Our choice: often enough for a queue that closes up, and no nagging."),
    ] = 15.0
    slogans: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^slogan-[a-z0-9-]{1,32}\Z")], ...],
        Meta(description="Phrases played one after the other as people pass, of at most 8 s each", max_length=32),
        Why(
            "None: the themes are the site's. Slogans of Beijing's loudspeakers (小喇叭) had 8 s each, which is "
            "the limit here."
        ),
    ] = ()
    slogan_s: Annotated[
        float,
        seconds("Between two of them", 8, 86400),
        Why("Our choice: one a minute at most, so that a busy hour is no loudspeaker van."),
    ] = 60.0
    bay: Annotated[
        str,
        Meta(description="Where deliveries stop, as it is said", max_length=40),
        Why("Empty: only a site with marked bays can send somebody to one."),
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietPolicy:
    """Quiet hours for the neighbours: prompts and slogans are softer, or are not said. Alarms are as loud as ever."""

    begins: Annotated[
        str, clock("From"), Why("From 22:00, which is when night begins by China's law on noise (22:00 to 06:00).")
    ] = "22:00"
    ends: Annotated[str, clock("Until"), Why("Until 06:00, by the same law.")] = "06:00"
    volume_percent: Annotated[
        int,
        per_cent("So loud; 0 = prompts at the approach, and slogans, are not said", 0, 100),
        Why("Our choice: half as loud is heard at the readers and no more across the yard. Alarms are never softened."),
    ] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """What becomes of an alarm that nobody acknowledges. 0 leaves a level out."""

    louder_after_s: Annotated[
        float,
        seconds("It is louder", 0, 3600),
        Why("Our choice: within a minute a guard who is awake has pressed the button."),
    ] = 60.0
    duty_room_after_s: Annotated[
        float,
        seconds("The duty room is told", 0, 7200),
        Why("Our choice: after three minutes nobody is coming, and the duty room (值班人员) can still send somebody."),
    ] = 180.0
    leader_after_s: Annotated[
        float,
        seconds("The leader on shift is told", 0, 14400),
        Why(
            "Our choice: ten minutes in all, then the leader on shift (带班领导), who instructs; both levels are "
            "those of the communities' night duty."
        ),
    ] = 600.0
    offline_after_min: Annotated[
        int,
        minutes("Nothing heard of the office for so long is an alarm; 0 = never", 0, 1440),
        Why("Our choice: a router restarts in five minutes. Nothing is lost meanwhile, so it is no matter of seconds."),
    ] = 10
    post: Annotated[
        bool,
        Meta(description="There is a guard post: nothing heard of it is an alarm"),
        Why("Off: a gate that knows of no guard post would otherwise miss it for ever."),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPolicy:
    """Whether the night guard is awake: in the small hours he is asked to press the button."""

    begins: Annotated[
        str,
        clock("From"),
        Why("Our choice: from one o'clock on people nod off, and few come who would keep the guard awake."),
    ] = "01:00"
    ends: Annotated[str, clock("Until"), Why("Our choice: at five the first ones leave for work.")] = "05:00"
    every_min: Annotated[
        int,
        minutes("So long after he was last heard of; 0 = never", 0, 240),
        Why("Off: whether a guard is to be asked at night is for those who employ him. 30 is a usual round."),
    ] = 0
    answer_s: Annotated[
        float,
        seconds("No press within this is an alarm", 10, 900),
        Why("Our choice: two minutes let him come back from the other side of the yard."),
    ] = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPolicy:
    """How old a directory may be and still decide."""

    max_age_days: Annotated[
        int, days("An older directory is an alarm", 1, 3650), Why("A month, as for the trust list.")
    ] = 30
    when_old: Annotated[
        Unsure,
        Meta(description="Cards, passes and listed codes while the directory is older: accept, guard or refuse"),
        Why(
            "People's homes are behind the gate: an old directory still knows nearly all of them. The alarm "
            "tells that it is old."
        ),
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
OWN_NAMES: Final = frozenset({"rules", "schedules", "rounds"})
"""Sections with names of one's own: a gate's own file has them, and no office."""


def is_fixed(key: str) -> bool:
    """Whether no office sets this: a fixed key, a whole section that holds one, or anything below `OWN_NAMES`."""
    return key.partition(".")[0] in OWN_NAMES or any(each == key or each.startswith(f"{key}.") for each in FIXED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything the core decides by."""

    timezone: Annotated[
        str,
        Meta(description="The site's time zone, as in the IANA list"),
        Why("All of China keeps one time, UTC+8 without summer time, which the IANA list calls Asia/Shanghai."),
    ] = "Asia/Shanghai"
    when_journal_fails: Annotated[
        JournalFailure,
        Meta(description="guard, closed or open"),
        Why(
            "A gate that cannot write fails to a person and not to a guess: nobody is let in unrecorded, "
            "nobody is turned away by a full disk, and the guard decides."
        ),
    ] = JournalFailure.GUARD
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

    @property
    def asks_more_on_exit(self) -> bool:
        """Whether some are asked for more than a credential on the way out: only then one reading may not be all of a visit."""
        rules = self.rules.values()
        return any(rule.direction is Direction.EXIT and set(rule.steps) - {Step.CREDENTIAL} for rule in rules)

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
