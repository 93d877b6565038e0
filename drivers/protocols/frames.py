"""Frames of fixed length out of a stream of bytes, as they come: in pieces, in heaps, among noise.

Theory of operation. The buffer holds what may still become a frame, and so is always shorter than one. "Not enough yet"
leaves it as it is. A whole frame that is malformed costs its first byte alone, and the search goes on behind it: the true
frame may begin inside the false one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from drivers.errors import BadFrame

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Frame(Generic[T]):
    """One family's frame. `decode` is given `length` bytes that begin with `start`; it raises BadFrame."""

    start: bytes
    length: int
    decode: Callable[[bytes], T]


class FrameReader(Generic[T]):
    """Takes chunks of any size, gives messages. Counts `good` and `bad` frames and bytes of `noise`; never raises."""

    def __init__(self, frame: Frame[T]) -> None:
        self._frame = frame
        self._buffer = b""
        self.good = 0
        self.bad = 0
        self.noise = 0

    @property
    def pending(self) -> int:
        """Bytes that may still become a frame; always fewer than a frame has."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[T]:
        """The messages that this chunk completes."""
        data = self._buffer + chunk
        messages: list[T] = []
        at = 0
        while True:
            begin = self._next_start(data, at)
            self.noise += begin - at
            at = begin
            if len(data) - at < self._frame.length:
                self._buffer = data[at:]
                return messages
            try:
                messages.append(self._frame.decode(data[at : at + self._frame.length]))
            except BadFrame:
                self.bad += 1
                self.noise += 1
                at += 1
            else:
                self.good += 1
                at += self._frame.length

    def _next_start(self, data: bytes, at: int) -> int:
        """Where the next frame begins, or may begin once more has come."""
        start = self._frame.start
        found = data.find(start, at)
        if found >= 0:
            return found
        longest = min(len(start) - 1, len(data) - at)
        part = next((length for length in range(longest, 0, -1) if data.endswith(start[:length])), 0)
        return len(data) - part
