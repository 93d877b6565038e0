"""Rounds of faults on the real processes, each judged record by record, and a control for each kind of fault.

    python -m tests.faults.rounds [--rounds N] [--seed S] [--only KIND] [--jobs N] [--list]

Every round is played from its own seed: round i of a run has the seed S + i, which chooses the kind and everything random in
it. `--seed S --rounds 1 --only KIND` plays one again. Then each kind's control, the same with a protection taken away, is
played until it is found out. The last line is one JSON object; the exit code is 1 when anything was lost, doubled or broken, or
when a control was not found out (docs/faults.md).
"""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tests.faults.rounds.catalogue import every_kind
from tests.faults.rounds.kinds import Found, Kind
from tests.faults.rounds.playing import (
    Hands,
    Played,
    Task,
    Work,
    draw,
    one_by_one,
    play_control,
    play_round,
    side_by_side,
)

FOLDER: Final = Path("var/faults")
CONTROL_SEED: Final = 1_000_000_000  # the controls' seeds begin so far behind the rounds'
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass
class Tally:
    """What all the rounds came to. `failed`: how a round is played again, for each that was not sound."""

    rounds: int = 0
    records: int = 0
    lost: int = 0
    doubled: int = 0
    broken: int = 0
    controls: int = 0
    controls_caught: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def add(self, kind: Kind, found: Found) -> None:
        """One more round."""
        self.rounds += 1
        self.records += found.records
        self.lost += found.lost
        self.doubled += found.doubled
        self.broken += bool(found.broken)
        self.kinds[kind.name] = self.kinds.get(kind.name, 0) + 1

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing doubled, nothing broken, and every control found out."""
        return not (self.lost or self.doubled or self.broken) and self.controls == self.controls_caught

    def as_json(self, seed: int, seconds: float, left_out: Iterable[str]) -> str:
        """The last line."""
        return json.dumps({
            "rounds": self.rounds, "lost": self.lost, "doubled": self.doubled,
            "controls": self.controls, "controls_caught": self.controls_caught,
            "broken": self.broken, "records": self.records, "seed": seed, "seconds": round(seconds),
            "kinds": self.kinds, "failed": sorted(self.failed), "left_out": sorted(left_out),
        })  # fmt: skip


def play_rounds(
    kinds: Sequence[Kind], seeds: Iterable[int], below: Path, tally: Tally, say: Say, hands: Hands[Played]
) -> None:
    """The rounds, by whoever has a hand free."""
    for (kind, seed), played in hands(play_round, [(draw(kinds, seed), seed) for seed in seeds], below):
        tally.add(kind, played.found)
        say(f"{_mark(played.found.sound)} {kind.name} seed {seed}: {_words(played)}")
        if not played.found.sound:
            again = f"make faults ROUNDS=1 SEED={seed} ONLY={kind.name}"
            tally.failed.append(again)
            say(f"      its files: {played.folder}; again: {again}")


def play_controls(
    kinds: Iterable[Kind], seed: int, below: Path, tally: Tally, say: Say, hands: Hands[list[Played]]
) -> None:
    """Each kind's control, until it is found out."""
    for (kind, _), every in hands(play_control, [(kind, seed) for kind in kinds], below):
        tally.controls += 1
        tally.controls_caught += every[-1].caught
        say(
            f"{_mark(every[-1].caught)} control of {kind.name}, without {kind.without}, try {len(every)}: {_words(every[-1])}"
        )
        for played in every:
            if not played.ended:
                say(f"      a try did not come to its end: {played.folder}")


def _mark(good: bool) -> str:
    return "[green]good[/green]" if good else "[red]BAD [/red]"


def _words(played: Played) -> str:
    found = played.found
    told = f"{found.records} records, {found.lost} lost, {found.doubled} doubled, {played.seconds:.1f} s"
    return f"{told}, broken: {found.broken:.200}" if found.broken else told


def arguments_of(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.rounds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, help="of the first round; drawn and printed without it")
    parser.add_argument("--only", metavar="KIND", action="append", default=[], help="this kind; may come several times")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="rounds side by side; 1 processor each")
    parser.add_argument(
        "--list", action="store_true", help="name the kinds and what each control goes without, and end"
    )
    return parser.parse_args(words)


def choose(kinds: Sequence[Kind], only: Sequence[str], say: Say) -> tuple[list[Kind], list[Kind]]:
    """Those to be played, and those of them that cannot be played here. Ends the program for a name that is none."""
    unknown = set(only) - {kind.name for kind in kinds}
    if unknown:
        sys.exit(f"no kind is called {', '.join(sorted(unknown))}: {', '.join(kind.name for kind in kinds)}")
    chosen = [kind for kind in kinds if not only or kind.name in only]
    why = {kind.name: kind.why_not() for kind in chosen}
    for name in filter(why.get, why):
        say(f"[yellow]not here[/yellow] {name}: {why[name]}")
    return [kind for kind in chosen if not why[kind.name]], [kind for kind in chosen if why[kind.name]]


def play_all(kinds: Sequence[Kind], arguments: argparse.Namespace, seed: int, console: Console) -> Tally:
    """Rounds, then controls, with a bar."""
    tally = Tally()
    hands: Hands[Any] = side_by_side(arguments.jobs) if arguments.jobs > 1 else one_by_one
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    with bar:
        rounds = counted(hands, bar, bar.add_task("rounds", total=arguments.rounds))
        seeds = range(seed, seed + arguments.rounds)
        play_rounds(kinds, seeds, FOLDER, tally, bar.console.print, rounds)
        controls = counted(hands, bar, bar.add_task("controls", total=len(kinds)))
        play_controls(kinds, seed + CONTROL_SEED, FOLDER, tally, bar.console.print, controls)
    return tally


def counted(hands: Hands[T], bar: Progress, task: TaskID) -> Hands[T]:
    """The same hands; the bar moves with what they do."""

    def counting(work: Work[T], tasks: Iterable[Task], below: Path) -> Iterator[tuple[Task, T]]:
        for each in hands(work, tasks, below):
            bar.advance(task)
            yield each

    return counting


def main(words: Sequence[str] | None = None) -> int:
    """Play. Returns the exit code."""
    arguments, console = arguments_of(words), Console(stderr=True, highlight=False, soft_wrap=True)
    if arguments.list:
        for kind in every_kind():
            print(f"{kind.name:18} weight {kind.weight}   control: without {kind.without}")  # noqa: T201  asked for
        return 0
    kinds, left_out = choose(every_kind(), arguments.only, console.print)
    if not kinds:
        sys.exit("nothing can be played here")
    seed = secrets.randbelow(10**6) * 1000 if arguments.seed is None else arguments.seed
    console.print(f"seed {seed}; {', '.join(f'{kind.name} ×{kind.weight}' for kind in kinds)}")
    begun = time.monotonic()
    tally = play_all(kinds, arguments, seed, console)
    print(tally.as_json(seed, time.monotonic() - begun, (kind.name for kind in left_out)))  # noqa: T201  the result
    return 0 if tally.sound else 1


if __name__ == "__main__":
    sys.exit(main())
