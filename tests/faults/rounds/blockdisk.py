"""A small ext4 on a device below which every write and flush is recorded, and what a power cut leaves of the device.

What was flushed is there. Of what was not, each write is there, is not, or is torn at a sector's edge, by chance: a disk promises
nothing of it. Unlike `power`, this sees what the filesystem itself writes, and the filesystem mends itself when it is mounted again.
"""

import os
import random
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.faults.rounds.writelog import FLUSH, FUA, Entry

SECTOR: Final = 512
SIZE: Final = 48 * 1024 * 1024
READY_S: Final = 20.0
_SPLIT: Final = 1536  # the sector's edge within ext4's superblock: torn there, it is mounted by nobody, and `e2fsck -p` does not mend it
# Blocks as on a card. Everything is made at once: nothing is filled in behind the journal's back later.
_MAKE: Final = ("mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", "-m", "0")
_AT_ONCE: Final = ("-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0")


def run(*command: object) -> None:
    """A program that must succeed. Raises RuntimeError with what it said."""
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")


def make(image: Path) -> None:
    """A new filesystem in a file."""
    with image.open("wb") as file:
        file.truncate(SIZE)
    run(*_MAKE, *_AT_ONCE, image)


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """The filesystem in `image`, mounted at `at`, which is made. Raises RuntimeError when it cannot be."""
    at.mkdir(exist_ok=True)
    run("mount", "-t", "ext4", "-o", "loop", image, at)
    try:
        yield at
    finally:
        run("umount", at)


@contextmanager
def recorded(image: Path, log: Path) -> Iterator[Path]:
    """A file that is `image`; what is written to it and flushed goes into `log`, in the form that `writelog` reads.

    To be called in a mount namespace of its own. The daemon has another, in which it does not see what is mounted on its disk: were it
    the last to be killed there, the kernel would have it unmount that before it lets go of the disk, and both would wait forever."""
    served, ready = image.with_suffix(".served"), image.with_suffix(".pid")
    device = served / "device"
    served.mkdir()
    run("mount", "--bind", served, served)
    run("mount", "--make-shared", served)  # what the daemon mounts in there is seen here
    device.touch()
    log.touch()
    command = ["unshare", "--mount", "--propagation", "unchanged", "qemu-storage-daemon", "--pidfile", str(ready)]
    command += ["--blockdev", f"driver=file,node-name=image,filename={image}"]
    command += ["--blockdev", f"driver=file,node-name=log,filename={log}"]
    command += ["--blockdev", f"driver=blklogwrites,node-name=disk,file=image,log=log,log-sector-size={SECTOR}"]
    command += ["--export", f"type=fuse,id=disk,node-name=disk,mountpoint={device},writable=on"]
    # A session of its own: who interrupts from the keyboard must not take the disk from under its filesystem.
    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + READY_S
        while not ready.exists():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"qemu-storage-daemon does not serve the disk (exit code {daemon.poll()})")
            select.select([], [], [], 0.01)
        yield device
    finally:
        daemon.terminate()
        daemon.wait(READY_S)
        run("umount", served)


class Device:
    """The device, as far as it is known to be on the disk (`image`, which is changed), and what has yet to be flushed."""

    def __init__(self, image: Path) -> None:
        self._image = image
        self._pending: list[Entry] = []

    def take(self, entry: Entry) -> None:
        """One thing more was asked."""
        if entry.flags & FLUSH:
            _write(self._image, [(each.offset, each.data) for each in self._pending])
            self._pending.clear()
        if entry.data:
            if entry.flags & FUA:
                _write(self._image, [(entry.offset, entry.data)])
            else:
                self._pending.append(entry)

    def after_a_cut(self, image: Path, chance: random.Random) -> None:
        """What a power cut leaves, in another file."""
        run("cp", "--sparse=always", self._image, image)
        left = []
        for entry in self._pending:
            left += _left(entry, chance)
        _write(image, left)


Piece = tuple[int, memoryview]


def _left(entry: Entry, chance: random.Random) -> list[Piece]:
    """What of a write that was not flushed is there: all, nothing, its beginning or its end."""
    fate, sectors = chance.random(), len(entry.data) // SECTOR
    if fate < 0.4:
        return []
    if fate < 0.6 and sectors > 1:
        edge = SECTOR * chance.randrange(1, sectors)
        begins = chance.random() < 0.5
        if entry.offset + edge != _SPLIT:
            return [(entry.offset, entry.data[:edge]) if begins else (entry.offset + edge, entry.data[edge:])]
    return [(entry.offset, entry.data)]


def _write(image: Path, pieces: list[Piece]) -> None:
    descriptor = os.open(image, os.O_WRONLY)
    try:
        for offset, data in pieces:
            if os.pwrite(descriptor, data, offset) != len(data):
                raise OSError(f"{image}: not all was written")
    finally:
        os.close(descriptor)
