"""Bytes that go to the disk for a record, and how long a memory card lasts with them.

    python -m bench.wear [--visits N] [--folder FOLDER]

A journal in a process of its own writes visits as a gate does: the visit, the door that is released, the passage, the door that is
locked again, each committed by itself and waited for, the write-ahead log emptied every 500 commits. Counted are the bytes that
the kernel sent to the disk for that process (proc(5), io, write_bytes), which is what wears a card; what the filesystem writes of
its own comes on top.

    disk_bytes_per_record    the same in hundreds: grouped_bytes_per_record
    ratio_content            the same against the bytes of the rows themselves: how often each is written
    file_bytes_per_visit     what a visit takes in the file; weeks_in_2_gb: how many weeks of 5,000 visits a day fit
    years_of_a_card          of 32 GB that takes 1,000 times its size in all, at 5,000 visits a day
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.common import scratch
from bench.journal import BOOT, moment, visit
from gateway.journal import Journal
from gateway.upkeep import CHECKPOINT_COMMITS
from sync.contract.records import Body, Direction, Door, Passage, encode_body

A_DAY: Final = 5_000
CARD_BYTES: Final = 32e9 * 1_000
GROUP: Final = 100


def bodies(number: int, chance: random.Random) -> list[Body]:
    """What one person's visit leaves."""
    seen = visit(number, chance)
    door = {"portal": "main", "visit": seen.visit}
    return [
        seen,
        Door(state="released", cause="grant", **door),
        Passage(portal="main", direction=Direction.ENTRY, visit=seen.visit, inside=number % 400),
        Door(state="locked", cause="time", **door),
    ]


def written() -> int:
    """Bytes that were sent to the disk for this process."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


def write(path: Path, visits: int, group: int) -> None:
    """Write them, `group` records a commit; print what it took."""
    chance, content, records = random.Random(3), 0, 0
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        before, emptied = written(), journal.commits
        waiting = [body for number in range(visits) for body in bodies(number, chance)]
        for begin in range(0, len(waiting), group):
            durable = threading.Event()
            for body in waiting[begin : begin + group]:
                journal.append(body, moment(), (), lambda _error, durable=durable: durable.set())
                content += len(encode_body(body)) + 120  # salt, hashes, boot, times
                records += 1
            assert durable.wait(60), "the journal is not written"
            if journal.commits - emptied >= CHECKPOINT_COMMITS:
                emptied = journal.commits
                journal.checkpoint()
        journal.checkpoint()
        print(
            json.dumps(
                {"bytes": written() - before, "content": content, "records": records, "file": path.stat().st_size}
            )
        )


def measure(folder: Path, visits: int) -> dict[str, float]:
    """One by one, and in hundreds."""
    found = {}
    for group in (1, GROUP):
        command = [
            sys.executable,
            "-m",
            "bench.wear",
            "--as-writer",
            str(folder / f"{group}.db"),
            str(visits),
            str(group),
        ]
        found[group] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    single, grouped = found[1], found[GROUP]
    a_visit = single["bytes"] / visits
    return {
        "disk_bytes_per_record": round(single["bytes"] / single["records"]),
        "grouped_bytes_per_record": round(grouped["bytes"] / grouped["records"]),
        "ratio_content": round(single["bytes"] / single["content"], 2),
        "ratio_content_grouped": round(grouped["bytes"] / grouped["content"], 2),
        "file_bytes_per_visit": round(single["file"] / visits),
        "weeks_in_2_gb": round(2 * 2**30 / (single["file"] / visits) / A_DAY / 7, 1),
        "years_of_a_card": round(CARD_BYTES / a_visit / A_DAY / 365, 1),
        "visits": visits,
    }


def main() -> None:
    """Measure, and print the result as the last line."""
    parser = argparse.ArgumentParser(description="Bytes to the disk for a record.")
    parser.add_argument("--visits", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, default=Path("var/bench"), help="where to write; not a tmpfs")
    parser.add_argument("--as-writer", nargs=3, metavar=("PATH", "VISITS", "GROUP"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_writer:
        path, visits, group = arguments.as_writer
        write(Path(path), int(visits), int(group))
        return
    folder = scratch("wear", arguments.folder).absolute()
    try:
        print(json.dumps(measure(folder, arguments.visits)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
