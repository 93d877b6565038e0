"""A day from midnight to midnight: who comes when, and what came of it."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from gateway.core import events
from gateway.core.checkpoint import Checkpoint
from gateway.core.equipment import Equipment
from gateway.core.moment import Moment
from gateway.core.policy import between
from gateway.rehearsal.clockwork import Gatehouse
from gateway.rehearsal.guard import Guard
from gateway.rehearsal.holders import Holders
from gateway.rehearsal.pace import Pace
from gateway.rehearsal.people import People, Queue
from gateway.rehearsal.settings import Manner, PeopleSettings, Profile, Scenario
from gateway.rehearsal.tally import Tally
from sync.contract.colours import PassType

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
LATE_MS: Final = 10 * 60_000  # whoever came shortly before midnight is still served
BOOT_MS: Final = 60_000  # the gate has been on for a minute
STEPS: Final = 200  # of the progress


@dataclass(frozen=True, slots=True)
class Coming:
    """Somebody comes at `mono_ms`, in or out."""

    mono_ms: int
    out: bool


class Day:
    """A scenario, ready to be played. The same scenario and seed are the same day."""

    def __init__(self, scenario: Scenario, seed: int, *, has: Equipment | None = None, days: int = 1) -> None:
        """`has`: the gate's devices; `days`: so many days alike, one after the other."""
        self.scenario = scenario
        self._days = days
        self.tally = Tally()
        self._chance = chance = random.Random(seed)
        self.midnight = _midnight(scenario)
        has = Equipment() if has is None else has
        core = Checkpoint(
            scenario.policy,
            ids=ids_of(seed),
            policy_version=scenario.version,
            version="simulation",
            has=has,
        )
        self.gate = Gatehouse(core, has, self.midnight)
        self.gate.written.append(self.tally.written)
        pace = Pace(scenario.pace, chance)
        day = scenario.day
        self._holders = Holders(chance, _by_colour(scenario.people), day.holders, day.inside)
        self._guard = Guard(self.gate, scenario.guard, pace, scenario.policy.timezone)
        self._people = People(self.gate, self._holders, self._guard, pace, chance, scenario.policy)
        self.queue = Queue(self.gate, chance)
        self._kinds = _Kinds(scenario.people, chance)

    def play(self, tell: Callable[[int, int], None] | None = None) -> Tally:
        """From midnight to midnight. `tell` hears how many have come, of how many."""
        self.gate.start()
        self._guard.begin()
        self.gate.send(events.CountCorrected(self.scenario.day.inside, self.scenario.guard.name))
        comings = sorted(self._comings(), key=lambda coming: coming.mono_ms)
        for number, coming in enumerate(comings, 1):
            self.gate.run(coming.mono_ms)
            self.gate.now = self.gate.now.after(coming.mono_ms - self.gate.now.mono_ms)
            self._comes(coming)
            if tell is not None and number % (len(comings) // STEPS + 1) == 0:
                tell(number, len(comings))
        self.gate.run(self.midnight.mono_ms + self._days * DAY_MS + LATE_MS)
        return self.tally

    def _comings(self) -> Iterator[Coming]:
        day = self.scenario.day
        for number in range(self._days):
            for _ in range(day.visits):
                out = self._chance.random() * 100 < day.out_percent
                yield Coming(self._at(day.departures if out else day.arrivals) + number * DAY_MS, out)

    def _at(self, profile: Profile) -> int:
        (hour,) = self._chance.choices(range(24), profile)
        return self.midnight.mono_ms + round((hour + self._chance.random()) * HOUR_MS)

    def _comes(self, coming: Coming) -> None:
        leaver = self._holders.inside() if coming.out else None
        local = f"{self.scenario.policy.local(self.gate.now):%H:%M}"
        if leaver is not None:
            kind = self._kinds.one(local, out=True)
            self.queue.come(self._people.leaves(leaver, stays_home=kind.manner is Manner.HOME_OBSERVATION))
            return
        kind = self._kinds.one(local, out=False)
        self.queue.come(self._people.enters(self._holders.outside(kind.who), kind.manner))


def ids_of(seed: int) -> Callable[[], str]:
    """The ids of a day's visits and alarms, in order."""
    chance = random.Random(f"{seed} ids")
    return lambda: f"{chance.getrandbits(128):032x}"


class _Kinds:
    """Picks a kind of people by their shares, of those who come at this hour."""

    def __init__(self, people: Mapping[str, PeopleSettings], chance: random.Random) -> None:
        self._kinds = [kind for kind in people.values() if kind.share]
        self._chance = chance
        self._known: dict[tuple[str, bool], tuple[list[PeopleSettings], list[float]]] = {}

    def one(self, local: str, *, out: bool) -> PeopleSettings:
        """One of those who come (or go out) at this time, HH:MM."""
        key = (local, out)
        if key not in self._known:
            here = [kind for kind in self._kinds if between(kind.begins, kind.ends, local)] or self._kinds
            self._known[key] = (kinds := [_as(kind, out=out) for kind in here]), [kind.share for kind in kinds]
        kinds, shares = self._known[key]
        return self._chance.choices(kinds, shares)[0]


def _as(kind: PeopleSettings, *, out: bool) -> PeopleSettings:
    """A kind on its way: going out, all do as is meant but who is to stay at home; coming in, those do as others do."""
    keeps = (kind.manner is Manner.HOME_OBSERVATION) is out
    return kind if keeps else PeopleSettings(who=kind.who, share=kind.share)


def _by_colour(people: Mapping[str, PeopleSettings]) -> dict[PassType, float]:
    shares: dict[PassType, float] = {}
    for kind in people.values():
        shares[kind.who] = shares.get(kind.who, 0.0) + kind.share
    return shares


def _midnight(scenario: Scenario) -> Moment:
    local = datetime.fromisoformat(scenario.day.date).replace(tzinfo=ZoneInfo(scenario.policy.timezone))
    return Moment(BOOT_MS, int(local.timestamp() * 1000))
