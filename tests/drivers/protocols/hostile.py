"""What a serial line does to bytes: cut them up, lose, add and flip them, bury them in noise."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import strategies as st

STORMS = [bytes(50_000), b"\xff" * 50_000, b"\x5a" * 50_000, b"\x02" * 50_000, b"\x5a\x5a\x45\x04" * 12_500]
"""NUL, FF, and starts of frames that never end."""


def chunks(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The data in pieces, cut at these places."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return (data[begin:end] for begin, end in pairwise(edges))


def flips(frame: bytes) -> Iterator[bytes]:
    """The frame with each single bit flipped."""
    for at in range(len(frame) * 8):
        flipped = bytearray(frame)
        flipped[at // 8] ^= 1 << at % 8
        yield bytes(flipped)


def losses(frame: bytes) -> Iterator[bytes]:
    """The frame with each single byte lost."""
    return (frame[:at] + frame[at + 1 :] for at in range(len(frame)))


def inserts(frame: bytes, extra: bytes) -> Iterator[bytes]:
    """The frame with a byte too much at each place inside it."""
    return (frame[:at] + extra + frame[at:] for at in range(1, len(frame)))


cuts = st.lists(st.integers(0, 1_000), max_size=6)
