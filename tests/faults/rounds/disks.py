"""Disks that lie, refuse, are full or slow, under the real journal in a process of its own. No office is concerned: what counts
is that every visit that was promised stands in the journal afterwards, and that the chain is whole."""

import os
import random
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from bench.journal import BOOT, moment
from gateway.journal import Journal, JournalError
from tests.faults.rounds.kinds import Found, Kind, Kinds
from tests.faults.rounds.power import CALLS, Disk, cuts, steps

VISITS: Final = 60
CUTS: Final = 12  # moments of a round at which the power goes
LIMIT_S: Final = 120.0
_VISITS: Final = (
    "SELECT json_extract(CAST(body AS TEXT), '$.visit') FROM records WHERE kind = 'visit' AND body IS NOT NULL"
)
_PROMISE: Final = 33  # bytes of a line in `told`


def no_strace() -> str:
    """Why it cannot be played here."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "nobody may be traced on this machine"


def judge(folder: Path, promised: Sequence[str]) -> Found:
    """Open the journal in `folder` as a gate does, and look for what was promised."""
    path = folder / "journal.sqlite"
    broken = ""
    try:
        with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
            journal.verify()
    except JournalError as error:
        broken = str(error)
    there: list[str] = []
    if path.exists():
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            there = [row[0] for row in connection.execute(_VISITS)]
    once = set(there)
    return Found(len(there), lost=len(set(promised) - once), doubled=len(there) - len(once), broken=broken)


def add(founds: Sequence[Found]) -> Found:
    """All of a round together."""
    broken = "; ".join(found.broken for found in founds if found.broken)
    return Found(*(sum(getattr(found, name) for found in founds) for name in ("records", "lost", "doubled")), broken)


def _command(folder: Path, chance: random.Random, without: str) -> list[str]:
    (folder / "card").mkdir(parents=True, exist_ok=True)
    more = ["--without", without] if without else []
    writer = [sys.executable, "-m", "tests.faults.rounds.writer", str(folder)]
    return [*writer, str(chance.getrandbits(32)), str(VISITS), *more]


def cut_power(
    chance: random.Random, folder: Path, *, without: str = "", inject: Callable[[random.Random], str] | None = None
) -> Found:
    """A day is written and recorded, on a disk that may misbehave; then the power goes at some moments of it."""
    folder = folder.absolute()
    trace = folder / "trace"
    options = ["-f", "-qq", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", str(trace)]
    options += [] if inject is None else ["-e", f"inject={inject(chance)}"]
    command = ["strace", *options, *_command(folder, chance, without)]
    subprocess.run(command, check=inject is None, timeout=LIMIT_S, stderr=subprocess.DEVNULL)  # a bad disk may end it
    every = list(steps(trace))
    told = str(folder / "told")
    founds = []
    disk, promised, done = Disk(folder / "card"), list[str](), 0
    for number, at in enumerate(cuts(len(every), chance, CUTS)):
        for step in every[done:at]:
            disk.take(step)
            if step.path == told and step.what == "write":
                promised.append(step.data.decode().strip())
        done = at
        left = folder / f"after-{number}"
        left.mkdir()
        disk.after_a_cut(left, chance)
        founds.append(judge(left, promised))
        shutil.rmtree(left)
    return add(founds)


def kill_under(
    inject: Callable[[random.Random], str], chance: random.Random, folder: Path, *, without: str = ""
) -> Found:
    """The disk misbehaves from some moment on; then the process is killed. Afterwards the disk is a good one."""
    folder = folder.absolute()
    command = ["strace", "-f", "-qq", "-o", str(folder / "trace"), "-e", "trace=fdatasync,pwrite64,write,pread64"]
    command += ["-e", f"inject={inject(chance)}", *_command(folder, chance, without)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    told = folder / "told"
    _wait_until_stuck(process, told, chance.uniform(0.7, 2.5))
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(LIMIT_S)
    _wait_for_group(process.pid)
    lines = told.read_text().splitlines() if told.exists() else []
    return judge(folder / "card", [line for line in lines if len(line) == _PROMISE - 1])


def _wait_until_stuck(process: "subprocess.Popen[bytes]", told: Path, quiet_s: float) -> None:
    """Until it has ended, or has begun and promised nothing more for so long."""
    deadline = time.monotonic() + LIMIT_S
    size, since = -1, time.monotonic()
    while process.poll() is None and time.monotonic() < deadline:
        now = told.stat().st_size if told.exists() else -1
        if now != size:
            size, since = now, time.monotonic()
        elif size >= 0 and time.monotonic() - since > quiet_s:
            return
        select.select([], [], [], 0.05)


def _wait_for_group(group: int) -> None:
    """Until nothing of it is left: a process dies when its call comes back from the disk."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        select.select([], [], [], 0.05)


def flush_fails(chance: random.Random) -> str:
    """fdatasync says EIO from then on: what was written stands in memory alone, and the power goes."""
    return f"fdatasync:error=EIO:when={chance.randrange(4, 40)}+"


def no_room(chance: random.Random) -> str:
    """Nothing can be written from then on."""
    return f"pwrite64:error=ENOSPC:when={chance.randrange(20, 120)}+"


def slow_disk(chance: random.Random) -> str:
    """Writing and flushing take 3 seconds now and then, once the journal is made."""
    return f"pwrite64,fdatasync:delay_enter=3000000:when={chance.randrange(30, 90)}+{chance.randrange(3, 9)}"


def _kind(name: str, inject: Callable[[random.Random], str]) -> Kind:
    play, control = partial(kill_under, inject), partial(kill_under, inject, without="waiting")
    return Kind(name, play, control, "promised before the commit", why_not=no_strace)


KINDS: Kinds = (
    Kind("power-cut", cut_power, partial(cut_power, without="sync"), "synchronous=FULL", why_not=no_strace, weight=2),
    Kind(
        "flush-fails",
        partial(cut_power, inject=flush_fails),
        partial(cut_power, inject=flush_fails, without="waiting"),
        "promised before the commit",
        why_not=no_strace,
    ),
    _kind("no-room-to-write", no_room),
    _kind("slow-disk", slow_disk),
)
