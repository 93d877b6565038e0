"""What a site wants: every setting the core decides by, with unit, range and meaning beside it once.

The configuration loader reads these declarations to check a file and to name the nearest key; the example file and the
docs are held against them by tests.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta

from gateway.core.moment import Moment
from sync.contract.colours import PassType
from sync.contract.records import Step


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

    def is_night(self, now: Moment) -> bool:
        """Whether the night watch is on at `now`."""
        local = f"{datetime.fromtimestamp(now.at_ms / 1000, ZoneInfo(self.timezone)):%H:%M}"
        begins, ends = self.night.begins, self.night.ends
        return begins <= local < ends if begins <= ends else local >= begins or local < ends
