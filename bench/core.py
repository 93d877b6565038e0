"""How fast the core decides, and whether its memory grows: a day of a busy gate, recorded at the core's door.

    {"events_per_min": …, "ratio_match": …, "memory_growth_mb": …, …}

A scenario's day is played once, and every event that reaches `Checkpoint.handle` is kept with its time. Those are then given to a new
core on one core of this machine as fast as it takes them, its effects thrown away. `ratio_match` is against a bare loop that
matches the same events by their class and counts them: it says how many times slower deciding is than merely telling events apart,
so that a figure from a slow machine can be read. `memory_growth_mb`: what Python's allocations of the core grow by (tracemalloc) over a
second such day; `first_day_growth_mb`: over the first, while its books of cards and holders fill, which have bounds of their own.
"""

import argparse
import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bench.common import progress
from gateway.core import events
from gateway.core.checkpoint import Checkpoint
from gateway.core.equipment import Equipment
from gateway.core.moment import Moment
from gateway.rehearsal.day import DAY_MS, HOUR_MS, Day, ids_of
from gateway.rehearsal.loading import load_day
from gateway.rehearsal.settings import Scenario

SCENARIO = Path(__file__).parents[1] / "config" / "scenarios" / "busy-day.toml"
ROUNDS = 5
MB = 1024 * 1024
Recorded = Sequence[tuple[events.Event, Moment]]


def recorded(scenario: Scenario, seed: int, days: int = 1) -> tuple[Recorded, Moment]:
    """The events of a day (or several) at the core's door, and when it began."""
    day = Day(scenario, seed, days=days)
    found: list[tuple[events.Event, Moment]] = []
    day.gate.hears.append(lambda event, now: found.append((event, now)))
    day.play()
    return found, day.midnight


def new_core(scenario: Scenario, seed: int, now: Moment) -> Checkpoint:
    """A core at the beginning of the day; its ids are the recorded ones, so that its alarms are acknowledged."""
    core = Checkpoint(scenario.policy, ids=ids_of(seed), has=Equipment())
    core.start(now)
    return core


def decide(core: Checkpoint, day: Recorded) -> float:
    """Give it all events; seconds of processor time."""
    handle = core.handle
    began = time.process_time()
    for event, now in day:
        handle(event, now)
    return time.process_time() - began


def tell_apart(day: Recorded) -> float:
    """The peer: the same events, matched by their class and counted; seconds."""
    counts = [0] * 10
    began = time.process_time()
    for event, _now in day:
        match event:
            case events.Presence():
                counts[0] += 1
            case events.CredentialResolved():
                counts[1] += 1
            case events.TemperatureMeasured():
                counts[2] += 1
            case events.DoorContact():
                counts[3] += 1
            case events.Crossing():
                counts[4] += 1
            case events.Approach():
                counts[5] += 1
            case events.Committed():
                counts[6] += 1
            case events.Tick():
                counts[7] += 1
            case events.Acknowledge():
                counts[8] += 1
            case _:
                counts[9] += 1
    assert sum(counts) == len(day)
    return time.process_time() - began


def growth_mb(scenario: Scenario, seed: int) -> tuple[float, float]:
    """What the core's own memory grows by on its first day from one o'clock on, and on its second."""
    days, midnight = recorded(scenario, seed, days=2)
    core = new_core(scenario, seed, midnight)
    ends = [midnight.mono_ms + HOUR_MS, midnight.mono_ms + DAY_MS, 2**62]
    levels = []
    tracemalloc.start()
    for begin, end in pairwise([0, *ends]):
        decide(core, [each for each in days if begin <= each[1].mono_ms < end])
        gc.collect()
        levels.append(tracemalloc.get_traced_memory()[0] / MB)
    tracemalloc.stop()
    return levels[1] - levels[0], levels[2] - levels[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args(arguments)
    scenario = load_day(chosen.scenario)
    day, midnight = recorded(scenario, chosen.seed)
    took = [
        (decide(new_core(scenario, chosen.seed, midnight), day), tell_apart(day))
        for _ in progress(range(chosen.rounds), f"{len(day)} events")
    ]
    core_s, match_s = (statistics.median(each) for each in zip(*took, strict=True))
    first_mb, second_mb = growth_mb(scenario, chosen.seed)
    print(f"{len(day)} events, {core_s / len(day) * 1e6:.1f} µs each, n={chosen.rounds}", file=sys.stderr)
    print(
        json.dumps(
            {
                "events": len(day),
                "events_per_min": round(len(day) / core_s * 60),
                "ratio_match": round(core_s / match_s, 1),
                "first_day_growth_mb": round(first_mb, 2),
                "memory_growth_mb": round(second_mb, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
