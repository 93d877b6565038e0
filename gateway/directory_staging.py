"""Parts of a transfer on their way into the directory: a file beside it, of signed parts as they came.

Nothing of it decides anything, and it is not flushed part by part: what a power cut leaves is verified when it is read, and
ends where something does not verify.
"""

import struct
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final

from gateway.errors import DirectoryError
from sync.errors import MessageError
from sync.log.parts import MAX_PART, OpenedPart, Staged, Title

_LENGTH: Final = struct.Struct(">I")
Open = Callable[[bytes], OpenedPart]


class Staging:
    """The file, and how far it goes. Owned by one thread."""

    def __init__(self, path: Path, open_part: Open) -> None:
        """`open_part` verifies. Raises DirectoryError when the file is out of reach."""
        self._path = path
        self._open = open_part
        self._staged: Staged | None = None
        self._size = 0  # of what is good
        self._find()

    def staged(self) -> Staged | None:
        """Which transfer, and how far."""
        return self._staged

    def add(self, title: Title, payload: bytes) -> None:
        """Keep a part that was verified: the next one, or the first of another transfer. Raises DirectoryError; then nothing is
        staged."""
        if title.number == 0:
            self.clear()
        try:
            with self._path.open("r+b" if self._size else "wb") as file:
                file.seek(self._size)
                file.truncate()
                file.write(_LENGTH.pack(len(payload)) + payload)
        except OSError as error:
            self._staged, self._size = None, 0
            raise DirectoryError(f"{self._path}: cannot be written: {error.strerror}") from error
        self._note(title, len(payload))

    def parts(self) -> Iterator[OpenedPart]:
        """All that is staged, in order. Raises MessageError where the file has changed since, DirectoryError out of reach."""
        try:
            with self._path.open("rb") as file:
                for _ in range(0 if self._staged is None else self._staged.next):
                    yield self._open(_read(file))
        except OSError as error:
            raise DirectoryError(f"{self._path}: cannot be read: {error.strerror}") from error

    def clear(self) -> None:
        """Stage nothing. Raises DirectoryError."""
        self._staged, self._size = None, 0
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise DirectoryError(f"{self._path}: cannot be removed: {error.strerror}") from error

    def _find(self) -> None:
        """What an earlier life has left."""
        try:
            with self._path.open("rb") as file:
                while payload := _read(file):
                    title = self._open(payload).title
                    if title.number != (0 if self._staged is None else self._staged.next):
                        return
                    if self._staged is not None and title.transfer != self._staged.transfer:
                        return
                    self._note(title, len(payload))
        except FileNotFoundError:
            return
        except MessageError:
            return  # up to here
        except OSError as error:
            raise DirectoryError(f"{self._path}: cannot be read: {error.strerror}") from error

    def _note(self, title: Title, length: int) -> None:
        self._size += _LENGTH.size + length
        self._staged = Staged(title.base, title.upto, title.parts, title.number + 1)


def _read(file: BufferedReader) -> bytes:
    """The next part; nothing at the end. Raises MessageError when it is cut off."""
    head = file.read(_LENGTH.size)
    if not head:
        return b""
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    if not 0 < length <= MAX_PART:
        raise MessageError("no part begins here")
    payload = file.read(length)
    if len(payload) != length:
        raise MessageError("the file ends within a part")
    return payload
