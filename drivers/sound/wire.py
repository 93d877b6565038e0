"""Messages between the gate's process and the sound's: words parted by NUL, one message a packet.

Nothing richer, so that the sound's process imports next to nothing. Towards it: `open device file`, `play priority
asked_ms percent wav…` (monotonic ms, the same clock in both), `drop priority wav…`, `loop priority percent wav`, `stop wav`. From it: `beat`, `state word
detail`, `notice text`.
"""

from typing import Final

MAX_PACKET: Final = 64 * 1024  # bytes


def pack(*words: str) -> bytes:
    """A message. Raises ValueError for a word that holds NUL."""
    if any("\0" in word for word in words):
        raise ValueError("no word of a sound message may hold NUL")
    return "\0".join(words).encode("utf-8", "surrogateescape")


def unpack(packet: bytes) -> list[str]:
    """The words of a message."""
    return packet.decode("utf-8", "surrogateescape").split("\0")
