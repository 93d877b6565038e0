"""Frames of fixed length out of a stream of bytes: packets whose length is known beforehand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from drivers.protocols.packets import Packet, PacketReader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Frame(Generic[T]):
    """One family's frame. `decode` is given `length` bytes that begin with `start`; it raises BadFrame."""

    start: bytes
    length: int
    decode: Callable[[bytes], T]


class FrameReader(PacketReader[T]):
    """A PacketReader of frames. What is pending is always fewer bytes than a frame has."""

    def __init__(self, frame: Frame[T]) -> None:
        super().__init__(Packet((frame.start,), frame.length, lambda _head: frame.length, frame.decode))
