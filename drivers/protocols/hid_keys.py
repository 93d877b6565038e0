"""Code scanners that type: from the kernel's events of a keyboard to the code. Pure.

Source: hardware notes 2.3; linux/input.h and linux/input-event-codes.h (struct input_event, EV_KEY, KEY_*). Layout: US, which is
how such scanners leave the factory. Enter, on either side, ends a code.

    an event: seconds and microseconds (8 bytes each), type (2), code (2), value (4), as the machine writes them: 24 bytes
    a key: type 1; code: which; value 1 pressed, 0 released, 2 held

A character that a keyboard does not have comes mangled, often as a number typed with Alt. So a code in which anything but
characters was typed is none: a code that is not read is better than another one.
"""

import struct
from collections.abc import Iterator
from typing import Final

from drivers.protocols.shown import ShownCodes
from drivers.readings import CodeRead

EVENT: Final = struct.Struct("@qqHHi")
SYN, KEY = 0, 1
DROPPED: Final = 3  # the kernel's own buffer overran
ENTERS: Final = (28, 96)
SHIFTS: Final = (42, 54)
CAPS: Final = 58
LONGEST: Final = 7_089  # characters: digits in the largest QR
GAP_MS: Final = 1_000  # a code whose next key does not come for so long is none
REARM_MS: Final = 1_500
_ROWS: Final = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
    (15, "\t", "\t"),
    (71, "789", "789"),
    (75, "456", "456"),
    (79, "1230.", "1230."),
    (55, "*", "*"),
    (74, "-", "-"),
    (78, "+", "+"),
    (98, "/", "/"),
)
"""The first key of a row, and what it and those behind it give: alone, and with Shift."""
CHARACTERS: Final = {
    first + at: (plain, shifted)
    for first, row, with_shift in _ROWS
    for at, (plain, shifted) in enumerate(zip(row, with_shift, strict=True))
}


class HidKeys:
    """One connection to a scanner."""

    def __init__(self, now_ms: int) -> None:
        self._codes = ShownCodes("hid", REARM_MS)
        self._part = b""
        self._typed: list[str] = []
        self._shifts: set[int] = set()
        self._caps = False
        self._spoilt = False
        self._last_ms = now_ms
        self.good = 0  # codes
        self.bad = 0  # codes that were given up
        self.noise = 0  # characters of those

    def feed(self, data: bytes, now_ms: int) -> list[CodeRead]:
        """The codes that have come with these events."""
        if data and now_ms - self._last_ms >= GAP_MS:
            self._give_up()
        self._last_ms = now_ms if data else self._last_ms
        data = self._part + data
        whole = len(data) - len(data) % EVENT.size
        self._part = data[whole:]
        codes: list[CodeRead] = []
        for _, _, kind, key, value in EVENT.iter_unpack(data[:whole]):
            if self._take(kind, key, value):
                codes += self._ended(now_ms)
        return codes

    def _take(self, kind: int, key: int, value: int) -> bool:
        """One event; whether it ends a code."""
        if (kind, key) == (SYN, DROPPED):
            self._spoilt = True
        if kind != KEY:
            return False
        if key in SHIFTS:
            (self._shifts.discard if value == 0 else self._shifts.add)(key)
        elif value == 1:
            return self._press(key)
        return False

    def _press(self, key: int) -> bool:
        if key in ENTERS:
            return True
        if key == CAPS:
            self._caps = not self._caps
        elif key not in CHARACTERS or len(self._typed) >= LONGEST:
            self._spoilt = True
        else:
            plain, shifted = CHARACTERS[key]
            turned = bool(self._shifts) != (self._caps and plain.isalpha())
            self._typed.append(shifted if turned else plain)
        return False

    def _ended(self, now_ms: int) -> list[CodeRead]:
        text, spoilt = "".join(self._typed), self._spoilt
        self._typed, self._spoilt = [], False
        if spoilt:
            self.bad += 1
            self.noise += len(text)
            self._shifts.clear()  # its release may be among what was lost
        if spoilt or not text:
            return []
        self.good += 1
        return self._codes.read(text.encode("ascii"), now_ms)

    def _give_up(self) -> None:
        """What has come is half a code, and what comes is the beginning of another."""
        if self._typed or self._spoilt:
            self.bad += 1
            self.noise += len(self._typed)
        self._part = b""  # half an event: those behind it would be out of step for ever
        self._typed, self._spoilt = [], False
        self._shifts.clear()


def encode(text: str) -> bytes:
    """The events of a scanner that types this, and Enter. Characters that a keyboard does not have are typed as many do: by
    their number, on the keypad, with Alt held down."""
    return b"".join(key for character in text for key in _character(character)) + _tap(ENTERS[0])


def _character(character: str) -> Iterator[bytes]:
    for key, (plain, shifted) in CHARACTERS.items():
        if character == plain:
            yield _tap(key)
            return
        if character == shifted:
            yield _event(SHIFTS[0], 1) + _tap(key) + _event(SHIFTS[0], 0)
            return
    keypad = {"7": 71, "8": 72, "9": 73, "4": 75, "5": 76, "6": 77, "1": 79, "2": 80, "3": 81, "0": 82}
    yield _event(56, 1) + b"".join(_tap(keypad[digit]) for digit in str(ord(character))) + _event(56, 0)


def _tap(key: int) -> bytes:
    return _event(key, 1) + _event(key, 0)


def _event(key: int, value: int) -> bytes:
    return EVENT.pack(0, 0, KEY, key, value) + EVENT.pack(0, 0, SYN, 0, 0)
