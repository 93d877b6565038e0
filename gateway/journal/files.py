"""The journal's files: the database and what SQLite keeps beside it, the lock against a second gate, the reserve."""

import fcntl
import os
import re
from itertools import count
from pathlib import Path
from typing import Final

from gateway.journal.errors import JournalError

_SIDECARS: Final = ("", "-wal", "-shm", "-journal")  # the last while a database gets its write-ahead log
RESERVE_BYTES: Final = 1024 * 1024  # for records
ROOM_BYTES: Final = 512 * 1024  # for what makes room, when the records have used up theirs


def beside(path: Path, suffix: str) -> Path:
    """The file whose name is that of `path` with `suffix` after it."""
    return path.with_name(path.name + suffix)


def parts(path: Path) -> list[Path]:
    """Those of the database's files that exist."""
    return [part for suffix in _SIDECARS if (part := beside(path, suffix)).exists()]


def is_given_up(path: Path, file: Path) -> bool:
    """Whether `file` has a name that the gate gives the database at `path` when it moves it aside, and none that is only like it."""
    return bool(re.fullmatch(re.escape(path.name) + r"\.(damaged-\d+|[0-9a-f]{32}\.old(-\d+)?)", file.name))


def free_name(path: Path, suffix: str) -> Path:
    """`path` with the suffix `<suffix>-<n>`, the first n from 1 that is not taken."""
    names = (beside(path, f"{suffix}-{number}") for number in count(1))
    return next(name for name in names if not parts(name))


def move(path: Path, target: Path) -> None:
    """Move a database with all its files, so that it still opens under the new name; durable on return.

    The database goes first: without its write-ahead log it must never stand where it would be opened."""
    for suffix in _SIDECARS:
        if (part := beside(path, suffix)).exists():
            part.rename(beside(target, suffix))
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a database that was being built, with all its files."""
    for part in parts(path):
        part.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Lock:
    """Held while a process has the journal open: two writers would break the chain."""

    def __init__(self, path: Path) -> None:
        """Raises JournalError when another process holds it, OSError when the file cannot be made."""
        self._file = beside(path, ".lock").open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalError(f"{path} is in use by another process: stop the gate that runs on it first") from None

    def release(self) -> None:
        """Give it up."""
        self._file.close()


class Reserve:
    """A file of no use but its size: given up when the disk is full, so that what has to be written still can be."""

    def __init__(self, path: Path, suffix: str, size: int) -> None:
        self._path = beside(path, suffix)
        self._size = size
        self.held = False  # as far as this process knows

    def take(self) -> bool:
        """Make it, where it is not and the disk has four times its room left. Whether it is held now."""
        try:
            self.held = self._path.exists() and self._path.stat().st_size >= self._size
            if self.held:
                return True
            room = os.statvfs(self._path.parent)
            if room.f_bavail * room.f_frsize < 4 * self._size:
                return False
            self._path.write_bytes(bytes(self._size))
            descriptor = os.open(self._path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            self.give_up()
            return False
        self.held = True
        return True

    def is_needed(self) -> bool:
        """Whether the disk has hardly any room left."""
        try:
            room = os.statvfs(self._path.parent)
        except OSError:
            return False
        return room.f_bavail * room.f_frsize < self._size // 16

    def give_up(self) -> bool:
        """Free its room. Whether there was any."""
        self.held = False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
