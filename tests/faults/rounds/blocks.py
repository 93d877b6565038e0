"""The power goes under the journal's filesystem: an ext4 whose writes and flushes are recorded below it, played up to some moment.

    python -m tests.faults.rounds.blocks FOLDER SEED [--cuts N] [--without sync]

That is one round, as `KINDS` plays it: in mounts and processes of its own (unshare), which are gone when it has ended, whatever ends
it. What came of it is printed as JSON.
"""

import argparse
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tests.faults.rounds.blockdisk import Device, make, mounted, recorded
from tests.faults.rounds.disks import LIMIT_S, add, judge
from tests.faults.rounds.kinds import Found, Kind, Kinds
from tests.faults.rounds.writelog import Entry, entries

VISITS: Final = 20  # of each run of the writer
CUTS: Final = 20  # moments of each of the two days of a round at which the power goes
# Whoever started it dies: so does unshare, with it all that runs inside, and then mounts and loop devices are gone.
PRIVATE: Final = (
    "setpriv", "--pdeathsig", "KILL",
    "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
)  # fmt: skip
_NEEDED: Final = {
    "qemu-storage-daemon": "qemu-utils, in Debian 12 qemu-system-common",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
_DEVICES: Final = ("/dev/fuse", "/dev/loop-control")


def no_blocks() -> str:
    """Why it cannot be played here."""
    if os.geteuid() != 0:
        return "only root can mount"
    for program, package in _NEEDED.items():
        if shutil.which(program) is None:
            return f"{program} is not installed ({package})"
    for device in _DEVICES:
        try:
            os.close(os.open(device, os.O_RDWR))
        except OSError as error:
            return f"{device} cannot be opened: {error.strerror}"
    done = subprocess.run([*PRIVATE, "true"], capture_output=True, text=True, check=False)
    return f"nobody may have mounts of their own: {done.stderr.strip()}" if done.returncode else ""


def cut_power_below(chance: random.Random, folder: Path, *, without: str = "", cuts: int = CUTS) -> Found:
    """One round. Raises RuntimeError when it does not come to its end."""
    command = [*PRIVATE, sys.executable, "-m", "tests.faults.rounds.blocks", str(folder.absolute())]
    command += [str(chance.getrandbits(32)), "--cuts", str(cuts), *(["--without", without] if without else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode:
        raise RuntimeError(f"it ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return msgspec.json.decode(done.stdout, type=Found)


KINDS: Kinds = (
    Kind(
        "power-block",
        cut_power_below,
        partial(cut_power_below, without="sync"),
        "synchronous=FULL",
        why_not=no_blocks,
    ),
)

# inside


class Card(NamedTuple):
    """A disk on which a day begins. `promised`: what must be there; `spoilt`: somebody has spoilt the journal on it once."""

    image: Path
    promised: Sequence[str] = ()
    spoilt: bool = False


class Day(NamedTuple):
    """What was asked of the disk, and what was promised: (visit, how long the log was). `spoilt`: how long it was when somebody spoilt
    the journal; endless when nobody did."""

    every: Sequence[Entry]
    promised: Sequence[tuple[str, int]]
    spoilt: float


def play(folder: Path, chance: random.Random, without: str, cuts: int) -> Found:
    """A day on a new disk, then one on what a power cut has left of it."""
    folder.mkdir(parents=True, exist_ok=True)
    new, left = folder / "new", folder / "left"
    make(new)
    first, card = play_day(folder / "day-1", Card(new), left, chance, without, cuts)
    second, _ = play_day(folder / "day-2", card, left, chance, without, cuts)
    return add([first, second])


def play_day(
    folder: Path, card: Card, left: Path, chance: random.Random, without: str, cuts: int
) -> tuple[Found, Card]:
    """A day is written and recorded; then the power goes at some moments of it. What was found, and what one of them left."""
    folder.mkdir()
    shutil.copy(card.image, folder / "disk")
    day = record(folder, chance, without)
    device, done, founds, tomorrow = Device(card.image), 0, list[Found](), card
    when = moments(day, chance, cuts)
    keep = chance.choice(when)
    for at in when:
        for entry in day.every[done:at]:
            device.take(entry)
        done, now = at, day.every[at - 1].end
        device.after_a_cut(left, chance)
        promised = [*card.promised, *(name for name, then in day.promised if then <= now)]
        after = Card(left, promised, card.spoilt or now > day.spoilt)
        if at == keep:
            shutil.copy(left, folder / "kept")
            tomorrow = after._replace(image=folder / "kept")
        founds.append(judge_card(after, folder / "after"))
    return add(founds), tomorrow


def record(folder: Path, chance: random.Random, without: str) -> Day:
    """A journal is written on `folder`/disk. By chance somebody spoils it then, and it is written again: it must be moved aside, with
    a new log in its place that has everything."""
    log, card, spoilt = folder / "log", folder / "card", math.inf
    command = [sys.executable, "-m", "tests.faults.rounds.writer", str(folder)]
    more = [str(VISITS), "--clock", str(log), *(["--without", without] if without else [])]

    def write() -> None:
        subprocess.run([*command, str(chance.getrandbits(32)), *more], check=True, timeout=LIMIT_S)

    with recorded(folder / "disk", log) as device, mounted(device, card):
        write()
        if chance.random() < 0.5:
            spoilt = log.stat().st_size
            (card / "journal.sqlite-wal").write_bytes(chance.randbytes(8192))  # there was none: it had been closed
            write()
    told = [line.split() for line in (folder / "told").read_text().splitlines()]
    return Day(list(entries(log.read_bytes())), [(name, int(at)) for name, at in told], spoilt)


def moments(day: Day, chance: random.Random, most: int) -> list[int]:
    """After how many entries the power goes: a third of the times before anything was promised."""
    ends = [entry.end for entry in day.every]
    promise = sum(end < day.promised[0][1] for end in ends)
    sooner = chance.sample(range(1, promise), min(most // 3, promise - 1))
    later = range(promise, len(ends) + 1)
    return sorted([*sooner, *chance.sample(later, min(most - len(sooner), len(later)))])


def judge_card(card: Card, at: Path) -> Found:
    """Mount it as a machine does that starts again, and see what the journal has."""
    try:
        with mounted(card.image, at):
            found = judge(at, card.promised)
            aside = sorted(path.name for path in at.glob("*.damaged-*"))
    except (RuntimeError, OSError, sqlite3.Error) as error:  # a filesystem that is damaged itself
        return Found(0, len(card.promised), 0, f"{type(error).__name__}: {error}")
    if not aside or card.spoilt:
        return found
    return replace(found, broken=f"{found.broken} moved aside for no reason: {', '.join(aside)}".strip())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="One round of power cuts under a filesystem.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seed")
    parser.add_argument("--cuts", type=int, default=CUTS)
    parser.add_argument("--without", default="", choices=("", "sync"))
    arguments = parser.parse_args()
    outcome = play(arguments.folder, random.Random(arguments.seed), arguments.without, arguments.cuts)
    print(msgspec.json.encode(outcome).decode())  # noqa: T201  the result
