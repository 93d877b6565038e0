"""Card readers with a Wiegand output, 26 or 34 bits.

Source: hardware notes 3 (pigpio's wiegand.py; pjz/micropython-wiegand; idreamoferp/pyWiegand; SIA AC-01-1996.10). Unit: the
card's number without its parities, as 8 hexadecimal digits: 26 bits have facility (8) and number (16).

Both lines are high at rest. A pulse of 20 to 100 µs to ground on D0 is a 0, on D1 a 1; one comes 0.2 to 20 ms after the
other, 2 ms by custom. The first bit makes its half of the frame even, the last one the other half odd. A frame has no end but
silence. Lines that are swapped are found out: halves of 13 or 17 bits that are turned over have the wrong parity.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drivers.errors import BadFrame, WrongUse

LENGTHS: Final = (26, 34)
_UID: Final = re.compile(r"[0-9A-Fa-f]{8}")
SOONEST_S: Final = 0.0001  # two pulses nearer to each other than this are noise
SILENCE_S: Final = 0.025  # ends a frame
MOST: Final = 256  # pulses: more are no frame, and need not be kept


@dataclass(frozen=True, slots=True)
class Pulse:
    """One bit, at a time in seconds."""

    bit: int
    at_s: float


def decode(bits: str, *, reverse: bool = False) -> str:
    """The card's number, 8 hexadecimal digits, out of a frame such as "1011…". `reverse`: its bytes the other way round.
    Raises BadFrame for a wrong length or parity, and for a card without a number."""
    if len(bits) not in LENGTHS:
        raise BadFrame(f"{len(bits)} bits, and not 26 or 34")
    half = len(bits) // 2
    if bits[:half].count("1") % 2 or not bits[half:].count("1") % 2:
        raise BadFrame(f"wrong parity in {len(bits)} bits")
    number = int(bits[1:-1], 2).to_bytes(half // 4, "big")
    if not any(number):
        raise BadFrame("a card without a number")
    return (number[::-1] if reverse else number).rjust(4, b"\0").hex().upper()


def encode(uid: str, length: int = 26) -> str:
    """The frame for a card's number. Raises WrongUse for what does not fit."""
    if length not in LENGTHS or not _UID.fullmatch(uid) or int(uid, 16) >= 1 << length - 2:
        raise WrongUse(f"{uid!r} is no number of {length - 2} bits in 8 hexadecimal digits")
    number = f"{int(uid, 16):0{length - 2}b}"
    half = len(number) // 2
    return f"{number[:half].count('1') % 2}{number}{(number[half:].count('1') + 1) % 2}"


def shortest(uid: str) -> str:
    """The shortest frame that holds a card's number. Raises WrongUse for what none holds."""
    short, long = LENGTHS
    return encode(uid, short if _UID.fullmatch(uid) and uid.startswith("00") else long)


def frames(pulses: Iterable[Pulse]) -> list[str]:
    """The frames in these pulses, of whatever order they were told in; "" for one whose pulses came too fast."""
    found: list[str] = []
    bits, last_s, fast = "", float("-inf"), False
    for pulse in sorted(pulses, key=lambda each: each.at_s):
        if bits and pulse.at_s - last_s >= SILENCE_S:
            found.append("" if fast else bits)
            bits, fast = "", False
        fast = fast or pulse.at_s - last_s < SOONEST_S
        bits, last_s = f"{bits}{pulse.bit}", pulse.at_s
    return [*found, "" if fast else bits] if bits else found
