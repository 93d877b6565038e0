"""The power goes under the journal's filesystem: the log of writes, what a cut leaves of a disk, and a short round of both."""

import random
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.rounds.blockdisk import Device, make, mounted
from tests.faults.rounds.blocks import PRIVATE, Card, Day, cut_power_below, judge_card, moments, no_blocks
from tests.faults.rounds.writelog import DISCARD, FLUSH, FUA, MAGIC, MARK, Entry, entries

SECTOR = 512
needs_blocks = pytest.mark.skipif(bool(no_blocks()), reason=no_blocks() or "a disk whose writes are recorded")


def a_log(*asked: tuple[int, int, bytes], count: int | None = None, magic: int = MAGIC, sector: int = SECTOR) -> bytes:
    """A log of writes: (first sector, flags, data). `count`: what its head says, else what is true."""
    head = struct.pack("<QQQI", magic, 1, len(asked) if count is None else count, sector)
    parts = [head.ljust(sector, b"\0")]
    for first, flags, data in asked:
        parts.append(struct.pack("<QQQQ", first, len(data) // sector, flags, 0).ljust(sector, b"\0"))
        parts.append(b"" if flags & DISCARD else data)
    return b"".join(parts)


# the log


def test_a_log_tells_what_was_asked_and_how_long_it_was_then() -> None:
    log = a_log((8, 0, b"a" * 1024), (0, FLUSH, b""), (2, DISCARD, b"?" * 512), (0, MARK, b""), (3, FUA, b"b" * 512))
    assert [(entry.offset, bytes(entry.data), entry.flags, entry.end) for entry in entries(log)] == [
        (4096, b"a" * 1024, 0, 2048),
        (0, b"", FLUSH, 2560),
        (1024, b"", DISCARD, 3072),
        (0, b"", MARK, 3584),
        (1536, b"b" * 512, FUA, 4608),
    ]


def test_sectors_may_be_larger_and_what_the_head_does_not_count_is_left_alone() -> None:
    log = a_log((1, 0, b"a" * 4096), (2, 0, b"b" * 4096), count=1, sector=4096)
    assert [(entry.offset, len(entry.data)) for entry in entries(log)] == [(4096, 4096)]
    assert list(entries(a_log())) == []


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (b"", "begins with 28 bytes; there are 0"),
        (a_log(magic=1), "not a log of writes: magic 0x1"),
        (struct.pack("<QQQI", MAGIC, 1, 9, 0), "sectors of 0 bytes"),
        (a_log((8, 0, b"a" * 512))[:-512], "ends within entry 0 of 1"),
        (a_log((8, 0, b""), count=2) + bytes(511), "ends before entry 1 of 2"),
        (a_log((8, 64, b"")), "flags that nobody knows: 0x40"),
    ],
)
def test_what_is_no_such_log_is_told(log: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        list(entries(log))


# what a cut leaves


def write(offset: int, data: bytes, flags: int = 0) -> Entry:
    """An entry that writes."""
    return Entry(offset, memoryview(data), flags, 0)


def cuts_of(folder: Path, *asked: Entry, size: int = 2048) -> set[bytes]:
    """What a disk of zeros may have on it after a cut."""
    image = folder / "image"
    image.write_bytes(bytes(size))
    device, left = Device(image), set()
    for entry in asked:
        device.take(entry)
    for seed in range(60):
        device.after_a_cut(folder / "left", random.Random(seed))
        left.add((folder / "left").read_bytes())
    return left


FLUSHED = Entry(0, memoryview(b""), FLUSH, 0)
X, Y, NONE = b"x" * SECTOR, b"y" * SECTOR, bytes(SECTOR)


def test_what_was_flushed_is_there_and_of_the_rest_some_or_a_part(tmp_path: Path) -> None:
    left = cuts_of(tmp_path, write(0, X + X), FLUSHED, write(SECTOR, Y + Y))
    assert left == {X + X + NONE + NONE, X + Y + Y + NONE, X + Y + NONE + NONE, X + X + Y + NONE}


def test_writes_are_lost_in_any_order_and_what_went_around_the_cache_never(tmp_path: Path) -> None:
    left = cuts_of(tmp_path, write(0, X), write(SECTOR, Y), write(1024, X, FUA))
    assert left == {first + second + X + NONE for first in (X, NONE) for second in (Y, NONE)}


def test_a_flush_that_brings_data_keeps_what_was_before_it(tmp_path: Path) -> None:
    left = cuts_of(tmp_path, write(0, X), write(SECTOR, Y, FLUSH))
    assert left == {X + NONE + NONE + NONE, X + Y + NONE + NONE}


def test_the_filesystem_s_superblock_is_whole(tmp_path: Path) -> None:
    left = cuts_of(tmp_path, write(0, NONE + NONE + X + Y), size=4096)
    assert {disk[1024:2048] for disk in left} == {NONE + NONE, X + Y}


def test_a_third_of_the_cuts_comes_before_the_first_promise() -> None:
    every = [write(0, X)._replace(end=end) for end in range(100)]
    day = Day(every, [("a", 60), ("b", 70)], float("inf"))
    found = moments(day, random.Random(1), 12)
    assert found == sorted(set(found))
    assert sum(at < 60 for at in found) == 4
    assert len(found) == 12
    assert set(moments(day, random.Random(1), 1000)) == set(range(1, 101))


# real rounds


@needs_blocks
@pytest.mark.timeout(120)
def test_what_was_promised_survives_a_power_cut_under_the_filesystem(tmp_path: Path) -> None:
    found = cut_power_below(random.Random(1), tmp_path, cuts=12)
    assert found.records > 50
    assert found.sound, found


@needs_blocks
@pytest.mark.timeout(120)
def test_who_does_not_flush_is_found_out(tmp_path: Path) -> None:
    rounds = (cut_power_below(random.Random(seed), tmp_path / str(seed), without="sync", cuts=6) for seed in range(10))
    assert any(found.lost for found in rounds)


@needs_blocks
def test_a_journal_that_was_moved_aside_and_a_disk_that_cannot_be_mounted_are_told(tmp_path: Path) -> None:
    image, at = tmp_path / "image", tmp_path / "at"
    make(image)
    assert judge_card(Card(image), at).sound
    with mounted(image, at):
        (at / "journal.sqlite.damaged-1").touch()
    assert judge_card(Card(image), at).broken == "moved aside for no reason: journal.sqlite.damaged-1"
    assert judge_card(Card(image, spoilt=True), at).sound
    image.write_bytes(bytes(1024 * 1024))
    unreadable = judge_card(Card(image, ["a", "b"]), at)
    assert unreadable.lost == 2
    assert "mount ended with" in unreadable.broken


@needs_blocks
@pytest.mark.timeout(60)
def test_a_round_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [*PRIVATE, sys.executable, "-m", "tests.faults.rounds.blocks", str(tmp_path), "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until((tmp_path / "day-1" / "told").exists)
    assert len(in_use(tmp_path)) >= 4, "the round, the disk's daemon, the writer and a loop device"
    process.kill()
    process.wait()
    until(lambda: not in_use(tmp_path))
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)


def in_use(folder: Path) -> list[str]:
    """Processes and loop devices that have to do with a folder."""
    found = []
    for file in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/sys/block").glob("loop*/loop/backing_file")):
        with suppress(OSError):  # it has just ended
            found.append(file.read_text())
    return [text for text in found if str(folder) in text]
