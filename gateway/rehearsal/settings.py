"""What a scenario of `menshen gate simulate` says: every key with unit, range and meaning beside it once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from gateway.core.policy import Policy, clock, per_cent, seconds
from sync.contract.alarms import Level
from sync.contract.colours import PassType

HOURS: Final = 24


class Manner(StrEnum):
    """How somebody comes to the gate."""

    PLAIN = "plain"  # does what is asked
    FEVER = "fever"  # every measurement is high
    COLD = "cold"  # comes in from the cold: the first measurement is too low
    NO_HEALTH_CODE = "no-health-code"  # has none where one is asked for
    RED_CODE = "red-code"
    UNKNOWN_CARD = "unknown-card"  # a card that nobody knows, held up again and again
    WALKS_OFF = "walks-off"  # shows the pass and goes
    CALLS = "calls"  # presses the call button, then comes in
    TAILGATER = "tailgater"  # somebody else goes in right behind
    HOLDS_DOOR = "holds-door"  # keeps the door open
    FORCES_DOOR = "forces-door"  # breaks in
    TWO_AT_ONCE = "two-at-once"  # two step up together, and both show their passes
    PASSBACK = "passback"  # comes in with the pass of somebody who is inside
    NO_PASS = "no-pass"  # noqa: S105  no password: is registered by the guard
    DELIVERY = "delivery"  # a van: the guard notes its plate and registers the driver
    HOME_OBSERVATION = "home-observation"  # is to stay at home, and wants to go out


class WokenBy(StrEnum):
    """What wakes a guard who sleeps."""

    ALARM = "alarm"  # any alarm: he sleeps lightly
    LOUDER = "louder"
    DUTY_ROOM = "duty-room"
    LEADER = "leader"
    NOTHING = "nothing"

    @property
    def level(self) -> int:
        """The level of an alarm that wakes him."""
        return {self.ALARM: Level.GATE, self.LOUDER: Level.LOUDER, self.DUTY_ROOM: Level.DUTY_ROOM,
                self.LEADER: Level.LEADER, self.NOTHING: Level.LEADER + 1}[self]  # fmt: skip


def _profile(meaning: str) -> Meta:
    return Meta(
        description=f"{meaning}: 24 numbers, from midnight on, in proportion", min_length=HOURS, max_length=HOURS
    )


Profile = tuple[Annotated[float, Meta(description="0 to 10000", ge=0, le=10_000)], ...]
EVEN: Final = (1.0,) * HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySettings:
    """The day: how many come, and when."""

    zh: Annotated[str, Meta(description="Its name in Chinese", max_length=80)] = ""
    en: Annotated[str, Meta(description="Its name in English", max_length=80)] = ""
    date: Annotated[str, Meta(description="The day, such as 2026-03-02", pattern=r"^\d{4}-\d\d-\d\d\Z")] = "2026-03-02"
    visits: Annotated[int, Meta(description="So many come to the gate, in or out", ge=1, le=1_000_000)] = 1000
    out_percent: Annotated[int, per_cent("So many of them want to go out", 0, 100)] = 45
    arrivals: Annotated[Profile, _profile("How many come in, hour by hour")] = EVEN
    departures: Annotated[Profile, _profile("How many go out, hour by hour")] = EVEN
    holders: Annotated[int, Meta(description="So many people have a pass for long", ge=1, le=100_000)] = 1000
    inside: Annotated[int, Meta(description="So many of them are inside at midnight", ge=0, le=100_000)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceSettings:
    """How long people take: the middle of a log-normal distribution each."""

    step_up_s: Annotated[float, seconds("From the queue to the readers", 0.1, 60)] = 1.0
    show_s: Annotated[float, seconds("Until a pass or code is out and read", 0.1, 60)] = 1.3
    measure_s: Annotated[float, seconds("Until the forehead is measured", 0.1, 60)] = 1.2
    walk_s: Annotated[float, seconds("From the green lamp through the door", 0.1, 60)] = 1.6
    shut_s: Annotated[float, seconds("Until the door has fallen shut", 0.1, 60)] = 1.2
    hold_s: Annotated[float, seconds("How long somebody who holds the door does so", 1, 600)] = 45.0
    spread: Annotated[
        float,
        Meta(description="How far they differ: 0 = all alike, 0.3 = one in six takes over a third more", ge=0, le=2),
    ] = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """The guard: how soon he acknowledges an alarm, and when he sleeps."""

    name: Annotated[str, Meta(description="As records name him", min_length=1, max_length=32)] = "guard"
    answers_s: Annotated[float, seconds("Until he acknowledges an alarm that he has heard", 0.5, 3600)] = 30.0
    registers_s: Annotated[float, seconds("Until he has registered somebody without a pass", 0.5, 3600)] = 25.0
    spread: Annotated[float, Meta(description="How far that differs, as in [pace]", ge=0, le=2)] = 0.5
    sleeps_from: Annotated[str, clock("He sleeps from")] = "00:00"
    sleeps_until: Annotated[str, clock("Until; the same time twice: never")] = "00:00"
    woken_by: Annotated[
        WokenBy, Meta(description="What wakes him: alarm (any), louder, duty-room, leader (a level), or nothing")
    ] = WokenBy.DUTY_ROOM


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSettings:
    """A kind of people, and how many of all who come they are."""

    who: Annotated[PassType, Meta(description="resident, tenant, returnee or visitor")] = PassType.RESIDENT
    manner: Annotated[Manner, Meta(description="How they come")] = Manner.PLAIN
    share: Annotated[float, Meta(description="So many of them, in proportion to the others", ge=0, le=1_000_000)]
    begins: Annotated[str, clock("They come from")] = "00:00"
    ends: Annotated[str, clock("Until")] = "24:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A day of a gate. `version`: as records name its policy."""

    day: DaySettings = field(default_factory=DaySettings)
    pace: PaceSettings = field(default_factory=PaceSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    people: Annotated[Mapping[str, PeopleSettings], Meta(max_length=64)] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    version: str = ""
