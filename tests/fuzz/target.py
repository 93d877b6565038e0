"""A fuzz target: a decoder, what it may raise, and what it begins from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

MAX_OUTPUT = 256 * 1024  # what anything scanned may become: bytes, letters and members, all counted


@dataclass(frozen=True, slots=True)
class Target:
    """`run` gives the decoder some bytes, and swallows the one error that it may raise: whatever leaves it is a finding.
    `seeds`: valid samples, made anew."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def as_text(data: bytes) -> str:
    """Any text, out of any bytes: those that are not UTF-8 become lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def assert_bounded(value: object, limit: int = MAX_OUTPUT) -> None:
    """What came out is no larger than `limit`. Raises AssertionError."""
    left, waiting = limit, [value]
    while waiting:
        each = waiting.pop()
        left -= _size(each)
        assert left >= 0, "more came out than can have gone in"
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple, set, frozenset)):
            waiting += each


def _size(value: object) -> int:
    if isinstance(value, (str, bytes, bytearray)):
        return 1 + len(value)
    return 1 + (value.bit_length() // 8 if isinstance(value, int) else 0)
