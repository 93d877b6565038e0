"""Durable records per second: the journal against bare sqlite3.

    python -m bench.journal [--pairs N] [--folder FOLDER]

Both sides write the same visits with the same encoder, salts, hash chain, table, pragmas and grouping, on the same
filesystem and in alternating slices (journal, bare, bare, journal …). A ratio is the median over the pairs of slices of the
journal's rate over the bare rate.

    single    one record a commit; the journal is fed ahead of what is durable, up to 1,000 records
    grouped   100 records a commit, fed likewise
    waited    one record a commit, and the next is only appended when it is durable: this adds the hand-over from one thread
              to another and back to every commit, which bare does not have

Bare is one thread that calls sqlite3 and knows nothing of queues, durable state, answers or errors.
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, NamedTuple

from bench.common import scratch
from gateway.core.moment import Moment
from gateway.journal import Journal
from gateway.journal.schema import INSERT, PRAGMAS, Row, row_of
from gateway.journal.store import SALT
from sync.contract.colours import PassType
from sync.contract.records import (
    Body,
    Direction,
    Evidence,
    Step,
    StepResult,
    Visit,
    VisitOutcome,
    encode_body,
    kind_of,
)
from sync.log.records import GENESIS, Record, body_hash

BOOT: Final = bytes(range(16))
GROUP: Final = 100
AHEAD: Final = 10  # groups
SINGLES: Final = 500  # records of a slice
GROUPED: Final = 5_000
WARM: Final = 8  # slices before it begins
_TABLE: Final = (
    "CREATE TABLE records (seq INTEGER NOT NULL PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL,"
    " clock INTEGER NOT NULL, boot BLOB NOT NULL, mono INTEGER NOT NULL, body BLOB, salt BLOB,"
    " body_hash BLOB NOT NULL, hash BLOB NOT NULL)"
)
Write = Callable[[Sequence[Body]], None]


def visit(number: int, random_: random.Random) -> Visit:
    """A visit as the core writes it: two steps, and the events that its decision rests on."""
    object_c = round(random_.gauss(36.4, 0.3), 2)
    mono = number * 9_000
    credential = random_.randbytes(16).hex()
    return Visit(
        visit=random_.randbytes(16).hex(),
        portal="main",
        direction=Direction.ENTRY,
        outcome=VisitOutcome.GRANTED,
        reasons=("resident",),
        started_ms=1_600_000_000_000 + mono,
        duration_ms=4_200,
        credential=credential,
        credential_kind="card",
        holder=f"r-{random_.randrange(10_000):05d}",
        pass_type=PassType.RESIDENT,
        object_c=object_c,
        ambient_c=22.6,
        steps=(
            StepResult(step=Step.CREDENTIAL, passed=True, reason="valid", mono_ms=mono + 900),
            StepResult(step=Step.TEMPERATURE, passed=True, reason="normal", mono_ms=mono + 3_900),
        ),
        evidence=(
            Evidence(event="presence", mono_ms=mono, data={"present": True}),
            Evidence(event="credential", mono_ms=mono + 900, data={"reader": "outside", "credential": credential}),
            Evidence(
                event="temperature",
                mono_ms=mono + 3_900,
                data={"object_c": object_c, "ambient_c": 22.6, "spread_c": 0.08, "samples": 5},
            ),
        ),
        directory_version=812,
        policy_version="3f9a1c",
    )


def moment() -> Moment:
    """Now, by this machine's clocks."""
    return Moment(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)


class Bare:
    """sqlite3 and nothing else: encode, salt, hash, chain, insert, commit."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma.name} = {pragma.value}")
        self._connection.execute(_TABLE)
        self._seq, self._hash = 0, GENESIS

    def write(self, bodies: Sequence[Body], size: int) -> None:
        """All the bodies, `size` a commit."""
        for begin in range(0, len(bodies), size):
            self._commit(bodies[begin : begin + size])

    def _commit(self, bodies: Sequence[Body]) -> None:
        rows: list[Row] = []
        salts = os.urandom(SALT * len(bodies))
        for offset, body in enumerate(bodies):
            self._seq += 1
            now, encoded, salt = moment(), encode_body(body), salts[SALT * offset : SALT * (offset + 1)]
            digest = body_hash(salt, encoded)
            record = Record(self._seq, kind_of(body), now.at_ms, now.trusted, BOOT, now.mono_ms, encoded, salt, digest)
            row = row_of(record, self._hash)
            self._hash = row[9]
            rows.append(row)
        if len(rows) == 1:
            self._connection.execute(INSERT, rows[0])
            return
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close it."""
        self._connection.close()


class Fed:
    """The journal, fed one by one or in groups, returning when all is durable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._error: Exception | None = None

    def write_waiting(self, bodies: Sequence[Body]) -> None:
        """Append, wait, append."""
        durable = threading.Lock()
        durable.acquire()

        def done(error: Exception | None) -> None:
            self._error = error
            durable.release()

        for body in bodies:
            self._journal.append(body, moment(), (), done)
            durable.acquire()
            self._check()

    def write_ahead(self, bodies: Sequence[Body]) -> None:
        """Append up to 1,000 ahead of what is durable; one answer a hundred is waited for."""
        room = threading.Semaphore(AHEAD)

        def done(error: Exception | None) -> None:
            self._error = self._error or error
            room.release()

        for begin in range(0, len(bodies), GROUP):
            room.acquire()
            group = bodies[begin : begin + GROUP]
            for body in group[:-1]:
                self._journal.append(body, moment())
            self._journal.append(group[-1], moment(), (), done)
        for _ in range(AHEAD):
            room.acquire()
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error


def seconds(write: Write, bodies: Sequence[Body]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    write(bodies)
    return time.perf_counter() - begin


class Compared(NamedTuple):
    """Medians over the pairs of slices: of the ratios, and of both rates in records per second."""

    ratio: float
    journal: float
    bare: float


def compare(journal: Write, bare: Write, bodies: Sequence[Body], pairs: int) -> Compared:
    """Alternate the two."""
    ratios: list[float] = []
    rates: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        if number % 2:
            mine, other = seconds(journal, bodies), seconds(bare, bodies)
        else:
            other, mine = seconds(bare, bodies), seconds(journal, bodies)
        ratios.append(other / mine)
        rates[0].append(len(bodies) / mine)
        rates[1].append(len(bodies) / other)
    return Compared(*map(statistics.median, (ratios, *rates)))


def filesystem(folder: Path) -> str:
    """The type of the filesystem that `folder` is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [(where, kind) for where, kind in mounts if folder.resolve().is_relative_to(where)]
    return max(inside, key=lambda mount: len(mount[0]))[1]


class Pair:
    """Both sides in one folder, with as many records a commit, and their write-ahead logs grown to their size: growing a
    file costs more than writing it again, and would be paid by whoever comes first."""

    def __init__(self, folder: Path, group: int, bodies: Sequence[Body], stack: ExitStack) -> None:
        self._bodies = bodies
        self._group = group
        self._bare = stack.enter_context(closing(Bare(folder / f"bare-{group}.db")))
        path = folder / f"journal-{group}.db"
        self.journal = stack.enter_context(Journal.open(path, boot=BOOT, now=moment(), group_limit=group))
        self._fed = Fed(self.journal)
        for _ in range(WARM):
            self._fed.write_ahead(bodies if self._group > 1 else bodies[:SINGLES])
            self._bare.write(bodies if self._group > 1 else bodies[:SINGLES], self._group)

    def ahead(self, records: int, pairs: int) -> Compared:
        """Fed ahead."""
        bodies = self._bodies[:records]
        return compare(self._fed.write_ahead, lambda some: self._bare.write(some, self._group), bodies, pairs)

    def waiting(self, records: int, pairs: int) -> Compared:
        """Append, wait until it is durable, append the next."""
        bodies = self._bodies[:records]
        return compare(self._fed.write_waiting, lambda some: self._bare.write(some, 1), bodies, pairs)


def measure(folder: Path, pairs: int) -> dict[str, object]:
    """Every comparison, in `folder`."""
    random_ = random.Random(2)
    bodies = [visit(number, random_) for number in range(GROUPED)]
    with ExitStack() as stack:
        one = Pair(folder, 1, bodies, stack)
        single, waited = one.ahead(SINGLES, pairs), one.waiting(SINGLES, pairs)
        many = Pair(folder, GROUP, bodies, stack)
        commits, head = many.journal.commits, many.journal.head().seq
        grouped = many.ahead(GROUPED, pairs)
        size = (many.journal.head().seq - head) / (many.journal.commits - commits)
        verified = one.journal.verify().records + many.journal.verify().records
    return {
        "ratio_single": round(single.ratio, 3),
        "ratio_grouped": round(grouped.ratio, 3),
        "ratio_single_waited": round(waited.ratio, 3),
        "single_per_s": round(single.journal),
        "bare_single_per_s": round(single.bare),
        "waited_per_s": round(waited.journal),
        "grouped_per_s": round(grouped.journal),
        "bare_grouped_per_s": round(grouped.bare),
        "records_per_commit": round(size, 1),
        "records_verified": verified,
        "body_bytes": round(statistics.mean(len(encode_body(body)) for body in bodies)),
        "filesystem": filesystem(folder),
        "sqlite": sqlite3.sqlite_version,
    }


def main() -> None:
    """Measure, and print the result as the last line."""
    parser = argparse.ArgumentParser(description="Durable records per second, against bare sqlite3.")
    parser.add_argument("--pairs", type=int, default=20, help="slices of each side")
    parser.add_argument("--folder", type=Path, default=Path("var/bench"), help="where to write; not a tmpfs")
    arguments = parser.parse_args()
    folder = scratch("journal", arguments.folder)
    try:
        print(json.dumps(measure(folder, arguments.pairs)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
