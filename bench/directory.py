"""The directory's way down at its full size: 100,000 holders, each with a card, as a snapshot and then change by change.

    python -m bench.directory [--folder FOLDER]

The office's side packs and signs the snapshot; a gate's side, in a process of its own, takes it while it looks cards up
and writes records into its journal. Times are milliseconds.

    pack_s            the office makes the snapshot: reads its rows from memory, encodes, compresses, signs
    wire_mb, parts    what goes down the road
    stage_ms          one part: verified and written beside the directory (median)
    take_s            from the last part to the new directory deciding
    change_ms         one row changed: verified, written and durable (median), and the slowest of 300 (change_max_ms)
    lookup_ms         99th percentile of card look-ups while nothing happens, and while the snapshot is taken (…_taking)
    lookup_max_ms     the slowest of them
    commit_ms         99th percentile of durable journal commits, one at a time, idle and while the snapshot is taken
    rss_before_mb     the gate's process before, at its peak, and after it
    disk_mb           the directory's file; disk_peak_mb: with all that is beside it, at most
"""

import argparse
import json
import pickle
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.common import scratch
from gateway.core.moment import Moment
from gateway.directory import Directory
from gateway.directory_road import DirectoryRoad
from gateway.journal import Journal
from sync.contract.records import Mode
from sync.contract.sealed import seal, unseal
from sync.log.follower import Follower
from sync.log.keyed import NOTHING, Mark, Row, digest_of, moved, weight
from sync.log.parts import pack

PEOPLE: Final = 100_000
CHANGES: Final = 300
SITE, WHAT = "north", "directory-part"
KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW_S: Final = 1_700_000_000


def main() -> None:
    """The office's side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the gate's files go: on the disk that is meant")
    parser.add_argument("--gate", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.gate is not None:
        print(json.dumps(gate(given.gate)))
        return
    folder = given.folder or scratch("directory")
    figures = _pack(folder)
    command = [sys.executable, "-m", "bench.directory", "--gate", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    print(json.dumps(figures | json.loads(done.stdout)))
    shutil.rmtree(folder)


def _sealed(document: bytes) -> bytes:
    return seal(document, WHAT, KEY)


def _verified(data: bytes) -> bytes:
    return unseal(data, WHAT, [KEY.public_key()])


def _rows() -> list[Row]:
    random = Random(4)
    types = ("resident", "resident", "resident", "tenant", "visitor")
    people = [
        Row("holder", f"h-{number:06}", b'{"pass_type":"%s","valid_until_s":0}' % random.choice(types).encode())
        for number in range(PEOPLE)
    ]
    uids = sorted(random.sample(range(16**8), PEOPLE))
    cards = [Row("card", f"{uid:08X}", b'{"holder":"h-%06d"}' % random.randrange(PEOPLE)) for uid in uids]
    return cards + people


def _pack(folder: Path) -> dict[str, float]:
    rows = _rows()
    mark = Mark(1, 1, digest_of(rows))
    begun = time.perf_counter()
    snapshot = pack((NOTHING, mark), rows, site=SITE, at_ms=NOW_S * 1000, seal=_sealed)
    pack_s = time.perf_counter() - begun
    changes = []
    for number, row in enumerate(rows[:CHANGES]):
        assert row.value is not None
        new = Row(row.table, row.key, b'{"holder":"h-%06d","lost":true}' % number)
        assert new.value is not None
        added, removed = weight(new.table, new.key, new.value), weight(row.table, row.key, row.value)
        upto = Mark(1, mark.version + 1, moved(mark.digest, added=added, removed=removed))
        changes += pack((mark, upto), [new], site=SITE, at_ms=NOW_S * 1000 + number, seal=_sealed)
        mark = upto
    uids = [row.key for row in rows[CHANGES : CHANGES + 5_000]]
    (folder / "sent").write_bytes(pickle.dumps((snapshot, changes, uids)))
    return {
        "pack_s": round(pack_s, 2),
        "parts": len(snapshot),
        "wire_mb": round(sum(len(payload) for payload in snapshot) / 1e6, 2),
        "part_max_kb": round(max(len(payload) for payload in snapshot) / 1e3, 1),
        "change_bytes": round(statistics.median(len(payload) for payload in changes)),
    }


# the gate's process


class Loaded:
    """Look-ups and commits, each in a thread, one after the other; how long each took."""

    def __init__(self, once: Callable[[], None], pause_s: float) -> None:
        self._once, self._pause_s = once, pause_s
        self._ending = threading.Event()
        self.took: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.wait(self._pause_s):
            begun = time.perf_counter()
            self._once()
            self.took.append(1000 * (time.perf_counter() - begun))

    def end(self) -> list[float]:
        """Stop. Returns the milliseconds of each."""
        self._ending.set()
        self._thread.join()
        return self.took


class Gate:
    """A gate's process, as far as the directory and the journal go."""

    def __init__(self, folder: Path, uids: Sequence[str]) -> None:
        path = folder / "directory.sqlite"
        self.now = Moment(mono_ms=1, at_ms=NOW_S * 1000, trusted=True)
        self.directory = Directory(path)
        self.directory.open()
        self.journal = Journal.open(folder / "journal.sqlite", boot=bytes(16), now=self.now)
        self._road = DirectoryRoad(path, self.directory, site=SITE, verify=_verified)
        self._follower = Follower(SITE, self._road, _verified)
        self._follower.connected(0)
        self._uids, self._random = uids, Random(5)

    def look_up(self) -> None:
        """One card."""
        self.directory.card(self._random.choice(self._uids))

    def commit(self) -> None:
        """One record, durable."""
        done = threading.Event()
        record = Mode(mode="normal", before="drill", by="guard")
        self.journal.append(record, self.now, (), lambda _error: done.set())
        done.wait()

    def take(self, payload: bytes) -> float:
        """A part comes. Returns the milliseconds until it is kept."""
        begun = time.perf_counter()
        actions = self._follower.received(payload, 0)
        left = self._road.carry_out(actions, self._follower, now=0, received_s=NOW_S)
        assert not left, left
        return 1000 * (time.perf_counter() - begun)


def gate(folder: Path) -> dict[str, float]:
    """The gate's side."""
    snapshot, changes, uids = pickle.loads((folder / "sent").read_bytes())  # noqa: S301  written above
    side = Gate(folder, uids)
    figures: dict[str, float] = {"rss_before_mb": _status_mb("VmRSS")}
    idle = Loaded(side.look_up, 0.001), Loaded(side.commit, 0.005)
    time.sleep(3)
    figures |= _percentiles("", *(each.end() for each in idle))
    busy = Loaded(side.look_up, 0.001), Loaded(side.commit, 0.005)
    figures["stage_ms"] = round(statistics.median([side.take(payload) for payload in snapshot[:-1]]), 2)
    for each in busy:
        each.took.clear()  # only what comes now
    sizes: list[float] = []
    watching = Loaded(lambda: sizes.append(_size_mb(folder)), 0.02)
    figures["take_s"] = round(side.take(snapshot[-1]) / 1000, 2)
    figures |= _percentiles("_taking", *(each.end() for each in busy))
    watching.end()
    figures |= {"rss_peak_mb": _status_mb("VmHWM"), "rss_after_mb": _status_mb("VmRSS")}
    figures["disk_mb"] = round((folder / "directory.sqlite").stat().st_size / 1e6, 1)
    figures["disk_peak_mb"] = max(sizes)
    changed = [side.take(payload) for payload in changes]
    figures["change_ms"] = round(statistics.median(changed), 2)
    figures["change_max_ms"] = round(max(changed), 1)
    assert side.directory.version == 1 + len(changes)
    side.journal.close()
    return figures


def _percentiles(suffix: str, look_ups: Sequence[float], commits: Sequence[float]) -> dict[str, float]:
    return {
        f"lookup_ms{suffix}": round(statistics.quantiles(look_ups, n=100)[98], 3),
        f"lookup_max_ms{suffix}": round(max(look_ups), 2),
        f"commit_ms{suffix}": round(statistics.quantiles(commits, n=100)[98], 2),
        f"commit_max_ms{suffix}": round(max(commits), 1),
    }


def _status_mb(name: str) -> float:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return round(int(line.split()[1]) / 1024, 1)


def _size_mb(folder: Path) -> float:
    return round(sum(each.stat().st_size for each in folder.glob("directory.sqlite*")) / 1e6, 1)


if __name__ == "__main__":
    main()
