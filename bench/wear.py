"""Bytes that go to the disk for a record, how long a memory card lasts with them, and who waits while room is made.

    python -m bench.wear [--visits N] [--pause SECONDS] [--folder FOLDER]

A journal in a process of its own writes visits as a gate does: the visit, the door that is released, the passage, the door that is
locked again; its write-ahead log is brought into the database every 500 commits. Some visits warm it up, the others are
counted. Where this may mount (root, with mkfs.ext4), the journal has an ext4 of its own on a loop device, and what is counted is
what reaches that device (sysfs, block/…/stat): the filesystem's own writes too. Elsewhere it is what the kernel wrote for the
process (proc(5), io, write_bytes). What a card writes inside, for each block that it is given, nobody outside can count.

    counted                  `block` or `process`: which of the two
    disk_bytes_per_record    each record committed by itself, and waited for; visit_bytes_per_record: the four of a visit at once;
                             grouped_bytes_per_record: a hundred at once
    emptied_bytes_per_record one by one, with a write-ahead log that is cut to nothing each time (it was so once): growing a file
                             makes the filesystem write, too
    paced_bytes_per_record   one by one, with a pause before each visit (`--pause`): the filesystem then writes its own for each
    content_bytes_per_record the rows themselves
    file_bytes_per_visit     what a visit takes in the file; weeks_in_2_gb: how many weeks of 5,000 visits a day fit
    years_of_a_card          of 32 GB that takes 1,000 times its size in all, at 5,000 visits a day, one by one
    commit_ms                one record a commit, while nothing else is done: median and longest
    commit_ms_room           the same while room is made all the time: what the office has deleted, bodies given up, pages packed and
                             given back
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from bench.common import scratch
from bench.journal import BOOT, moment, visit
from gateway.journal import Journal
from gateway.room import Limits, Room
from gateway.upkeep import CHECKPOINT_COMMITS
from sync.contract.records import Body, Direction, Door, Passage, encode_body

A_DAY: Final = 5_000
CARD_BYTES: Final = 32e9 * 1_000
A_VISIT: Final = 4  # records
GROUP: Final = 100
DISK_MB: Final = 512
PACED: Final = 12  # visits
HELD: Final = 10_000  # visits that stand in the journal in which room is made
SECTOR: Final = 512  # bytes, in sysfs


class Run(msgspec.Struct):
    """What a writer is to do. `device`: the sysfs folder of the disk, where it is one of its own."""

    path: str
    device: str
    visits: int
    warm: int = 500
    group: int = 1
    emptied: bool = False
    pause_s: float = 0.0


class Written(msgspec.Struct):
    """What came of it, in bytes: sent to the disk, and of the rows themselves; and how large the file is for a visit."""

    disk: int
    content: int
    records: int
    file_a_visit: float

    @property
    def a_record(self) -> int:
        """Bytes to the disk."""
        return round(self.disk / self.records)


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


@contextmanager
def disk(folder: Path) -> Iterator[tuple[Path, str]]:
    """A disk of its own below `folder` and its sysfs folder; where nothing can be mounted, a folder and ""."""
    image, mounted = folder / "disk.img", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_MB * 1024 * 1024)
    device = ""
    with suppress(OSError, subprocess.CalledProcessError):  # not root, or no such program: counted in the other way
        run("mkfs.ext4", "-q", "-F", image)
        run("mount", "-o", "loop", image, mounted)
        device = f"/sys/block/{Path(run('findmnt', '-n', '-o', 'SOURCE', mounted)).name}"
    try:
        yield mounted, device
    finally:
        if device:
            run("umount", mounted)


def run(*command: object) -> str:
    """What a program prints. Raises OSError or CalledProcessError."""
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.strip()


def written(wanted: Run) -> int:
    """Bytes that were sent to the disk up to now."""
    if wanted.device:
        run("sync", "-f", Path(wanted.path).parent)
        return int(Path(wanted.device, "stat").read_text().split()[6]) * SECTOR
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


def write(wanted: Run) -> Written:
    """Write some visits, until the write-ahead log is written over and grows no more; then those that are counted."""
    chance, path = random.Random(3), Path(wanted.path)
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        upkeep = Emptying(journal, journal.empty if wanted.emptied else journal.checkpoint)
        for number in range(wanted.warm):
            for body in bodies(number, chance):
                write_group(journal, [body], upkeep)
        upkeep.work()
        before, seq = written(wanted), journal.head().seq
        waiting = [bodies(number, chance) for number in range(wanted.visits)]
        content = sum(len(encode_body(body)) + 120 for some in waiting for body in some)  # salt, hashes, boot, times
        for group in groups(waiting, wanted.group):
            if wanted.pause_s and journal.head().seq % A_VISIT == seq % A_VISIT:
                time.sleep(wanted.pause_s)
            write_group(journal, group, upkeep)
        found = written(wanted) - before
        journal.checkpoint()
        size = path.stat().st_size / (wanted.warm + wanted.visits)
        return Written(found, content, wanted.visits * A_VISIT, size)


def groups(visits: list[list[Body]], size: int) -> Iterator[list[Body]]:
    """All of their records, so many at a time."""
    records = [body for some in visits for body in some]
    for begin in range(0, len(records), size):
        yield records[begin : begin + size]


def write_group(journal: Journal, group: list[Body], upkeep: Callable[[], None]) -> None:
    """Append them, and wait until the last one is durable: they share a commit, or nearly so."""
    durable = threading.Event()
    for body in group[:-1]:
        journal.append(body, moment())
    journal.append(group[-1], moment(), (), lambda _error: durable.set())
    assert durable.wait(60), "the journal is not written"
    upkeep()


class Emptying:
    """Does `work` every 500 commits, as the gate does."""

    def __init__(self, journal: Journal, work: Callable[[], None]) -> None:
        self._journal = journal
        self.work = work
        self._at = journal.commits

    def __call__(self) -> None:
        """Whenever something was written."""
        if self._journal.commits - self._at >= CHECKPOINT_COMMITS:
            self._at = self._journal.commits
            self.work()


def measure(folder: Path, visits: int, pause_s: float = 0.0) -> dict[str, object]:
    """Everything that is printed."""
    with disk(folder) as (place, device):

        def wrote(name: str, visits: int = visits, **wanted: float) -> Written:
            wish = msgspec.json.encode(Run(str(place / f"{name}.db"), device, visits, **wanted)).decode()  # type: ignore[arg-type]
            return msgspec.json.decode(run(sys.executable, "-m", "bench.wear", "--as-writer", wish), type=Written)

        single = wrote("single")
        found: dict[str, object] = {
            "counted": "block" if device else "process",
            "disk_bytes_per_record": single.a_record,
            "visit_bytes_per_record": wrote("visit", group=A_VISIT).a_record,
            "grouped_bytes_per_record": wrote("grouped", group=GROUP).a_record,
            "emptied_bytes_per_record": wrote("emptied", emptied=True).a_record,
            "content_bytes_per_record": round(single.content / single.records),
            "file_bytes_per_visit": round(single.file_a_visit),
            "weeks_in_2_gb": round(2 * 2**30 / single.file_a_visit / A_DAY / 7, 1),
            "years_of_a_card": round(CARD_BYTES / (single.a_record * A_VISIT * A_DAY) / 365, 1),
        }
        if pause_s:
            paced = wrote("paced", PACED, pause_s=pause_s).a_record
            found["paced_bytes_per_record"] = paced
            found["years_of_a_card_paced"] = round(CARD_BYTES / (paced * A_VISIT * A_DAY) / 365, 1)
        return found | waits(place) | {"visits": visits}


def waits(place: Path) -> dict[str, object]:
    """How long a commit takes, alone and while room is made."""
    chance = random.Random(4)
    with closing(Journal.open(place / "room.db", boot=BOOT, now=moment())) as journal:
        for number in range(HELD):
            write_group(journal, bodies(number, chance), lambda: None)
        half = journal.head().seq // 2
        alone = commits(journal, chance, lambda count: count >= 400)
        digest = journal.hash_at(half)
        assert digest is not None
        journal.acknowledge(half, digest)
        room = Room(journal, Limits(1, 0), moment, lambda _reason: None, lambda: 2**40)
        made = threading.Thread(target=lambda: [room.look() for _ in range(40)])
        made.start()
        busy = commits(journal, chance, lambda _count: not made.is_alive())
        made.join()
        journal.verify()
    return {"commit_ms": alone[:2], "commit_ms_room": busy[:2], "commits_room": busy[2]}


def commits(journal: Journal, chance: random.Random, enough: Callable[[int], bool]) -> list[float]:
    """Median and longest in ms, and how many there were."""
    took: list[float] = []
    while not enough(len(took)):
        [body, *_] = bodies(len(took), chance)
        begin = time.perf_counter()
        write_group(journal, [body], lambda: None)
        took.append((time.perf_counter() - begin) * 1000)
        time.sleep(0.002)
    return [round(statistics.median(took), 2), round(max(took), 1), len(took)]


def main() -> None:
    """Measure, and print the result as the last line."""
    parser = argparse.ArgumentParser(description="Bytes to the disk for a record.")
    parser.add_argument("--visits", type=int, default=2_000)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds before each visit, in one run more")
    parser.add_argument("--folder", type=Path, default=Path("var/bench"), help="where to write; not a tmpfs")
    parser.add_argument("--as-writer", metavar="JSON", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_writer:
        print(msgspec.json.encode(write(msgspec.json.decode(arguments.as_writer, type=Run))).decode())
        return
    folder = scratch("wear", arguments.folder).absolute()
    try:
        print(json.dumps(measure(folder, arguments.visits, arguments.pause)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
