"""A journal in a process of its own that writes made-up visits, and tells which of them it has promised.

    python -m tests.faults.rounds.writer FOLDER SEED COUNT [--without WHAT] [--clock LOG]

FOLDER/card holds the journal; a line for each promise goes into FOLDER/told, by one system call, when the journal has said that the
visit is durable. `--without`: `sync` (commits are not flushed), `waiting` (a visit is promised when it was appended).
`--clock`: after each name stands how long this file was right before.
"""

import argparse
import os
import random
import threading
from contextlib import closing
from pathlib import Path

from bench.journal import BOOT, moment, visit
from gateway.journal import Journal, JournalError, schema

WAIT_S = 60.0


def careless_pragmas() -> None:
    """Commits that are not flushed: what `schema` asserts against."""
    schema.PRAGMAS = tuple(
        schema.Pragma("synchronous", "NORMAL", 1) if pragma.name == "synchronous" else pragma
        for pragma in schema.PRAGMAS
    )


def run(folder: Path, seed: str, count: int, without: str, clock: Path | None = None) -> None:
    """Write them in bursts; now and then the file is seen to, in one of the ways in which a gate does it."""
    chance = random.Random(seed)
    told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    if without == "sync":
        careless_pragmas()

    def tell(name: str) -> None:
        when = "" if clock is None else f" {clock.stat().st_size}"
        os.write(told, f"{name}{when}\n".encode())

    with closing(Journal.open(folder / "card" / "journal.sqlite", boot=BOOT, now=moment())) as journal:
        number = 0
        while number < count:
            burst = [visit(number + step, chance) for step in range(chance.choice((1, 1, 2, 6)))]
            number += len(burst)
            left, durable = [len(burst)], threading.Event()

            def done(
                error: JournalError | None, name: str, left: list[int] = left, durable: threading.Event = durable
            ) -> None:
                if error is None and without != "waiting":
                    tell(name)
                left[0] -= 1
                if not left[0]:
                    durable.set()

            for each in burst:
                if without == "waiting":
                    tell(each.visit)
                journal.append(each, moment(), (), lambda error, name=each.visit: done(error, name))
            durable.wait(WAIT_S)
            if chance.random() < 0.1:
                try:
                    see_to(journal, chance)
                except JournalError:
                    continue  # the disk refuses: the round is about that


def see_to(journal: Journal, chance: random.Random) -> None:
    """What is done to the file beside writing. Raises JournalError."""
    head = journal.head().seq
    match chance.randrange(4):
        case 0:
            journal.checkpoint()
        case 1:
            journal.empty()
        case 2:
            journal.pack(max(1, head - chance.randrange(1, 40)), head)
        case _:
            journal.give_back(chance.randrange(1, 20))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A journal that tells what it promises.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seed")
    parser.add_argument("count", type=int)
    parser.add_argument("--without", default="", choices=("", "sync", "waiting"))
    parser.add_argument("--clock", type=Path)
    arguments = parser.parse_args()
    run(arguments.folder, arguments.seed, arguments.count, arguments.without, arguments.clock)
