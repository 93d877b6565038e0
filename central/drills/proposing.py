"""What is to be practised next: what has not been for the longest time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

EVERY: Final = timedelta(days=92)  # a quarter


@dataclass(frozen=True, slots=True)
class Held:
    """A drill that was held."""

    scenario: str
    building: str
    gates: Sequence[str]
    day: date


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next one. `building` "" where no drill has named any; `due`: when, None = now, as there was none yet."""

    scenario: str
    building: str
    gate: str
    due: date | None


def propose(held: Sequence[Held], scenarios: Sequence[str], gates: Sequence[str]) -> Proposal:
    """Of the scenarios and gates there are, and the buildings that drills have named: each that waits longest."""
    days = [each.day for each in held]
    buildings = sorted({each.building for each in held if each.building})
    return Proposal(
        scenario=_longest(scenarios, ((each.scenario, each.day) for each in held)),
        building=_longest(buildings, ((each.building, each.day) for each in held)),
        gate=_longest(gates, ((gate, each.day) for each in held for gate in each.gates)),
        due=max(days) + EVERY if days else None,
    )


def _longest(known: Sequence[str], done: Iterable[tuple[str, date]]) -> str:
    """The one done longest ago, or never; of several the first."""
    last: dict[str, date] = {}
    for name, day in done:
        last[name] = max(day, last.get(name, day))
    return min(known, key=lambda name: last.get(name, date.min), default="")
