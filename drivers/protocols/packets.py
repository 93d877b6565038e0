"""Packets out of a stream of bytes, as they come: in pieces, in heaps, among noise.

Theory of operation. A packet begins with one of a few starts; its head says how long it is, or that it is none. The buffer
holds what may still become a packet, and so is always shorter than the longest. "Not enough yet" leaves it as it is. A
packet that is none, or is malformed, costs its first byte alone, and the search goes on behind it: the true one may begin
inside the false one. One that began and does not end would hold up what comes behind it: whoever knows the time says
`give_up` after a silence.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from drivers.errors import BadFrame

T = TypeVar("T")
MORE: Final = 0
"""The length of a packet whose head has not come yet."""


@dataclass(frozen=True, slots=True)
class Packet(Generic[T]):
    """One family's packets. `length` is given what begins with a start, at most `longest` bytes: how long the packet is, or
    MORE. `decode` is given as much. Both raise BadFrame."""

    starts: tuple[bytes, ...]
    longest: int
    length: Callable[[bytes], int]
    decode: Callable[[bytes], T]


class PacketReader(Generic[T]):
    """Takes chunks of any size, gives messages. Counts `good` and `bad` packets, `good_bytes` and bytes of `noise`; never
    raises."""

    def __init__(self, packet: Packet[T]) -> None:
        self._packet = packet
        self._start = re.compile(b"|".join(re.escape(start) for start in packet.starts))
        self._buffer = b""
        self.good = 0
        self.good_bytes = 0
        self.bad = 0
        self.noise = 0

    @property
    def pending(self) -> int:
        """Bytes that may still become a packet; always fewer than the longest has."""
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
            try:
                length = self._length(data, at)
                if length == MORE or len(data) - at < length:
                    self._buffer = data[at:]
                    return messages
                messages.append(self._packet.decode(data[at : at + length]))
            except BadFrame:
                self.bad += 1
                self.noise += 1
                at += 1
            else:
                self.good += 1
                self.good_bytes += length
                at += length

    def give_up(self) -> list[T]:
        """Nothing has come for long: what began is no packet. The messages that had come behind its beginning."""
        messages: list[T] = []
        while self._buffer:
            self.bad += 1
            self.noise += 1
            rest, self._buffer = self._buffer[1:], b""
            messages += self.feed(rest)
        return messages

    def _length(self, data: bytes, at: int) -> int:
        """The length of the packet that begins here, or MORE. Raises BadFrame."""
        if len(data) == at:
            return MORE
        head = data[at : at + self._packet.longest]
        if not self._start.match(head):
            return MORE  # a part of a start, at the end of what has come
        length = self._packet.length(head)
        if length > self._packet.longest or (length == MORE and len(head) == self._packet.longest):
            raise BadFrame(f"a packet of {length} bytes")
        return length

    def _next_start(self, data: bytes, at: int) -> int:
        """Where the next packet begins, or may begin once more has come."""
        found = self._start.search(data, at)
        if found:
            return found.start()
        longest = min(max(map(len, self._packet.starts)) - 1, len(data) - at)
        return len(data) - next((part for part in range(longest, 0, -1) if self._may_begin(data[-part:])), 0)

    def _may_begin(self, end: bytes) -> bool:
        return any(start.startswith(end) for start in self._packet.starts)
