"""Card readers RDM6300, ID-12LA, ID-20LA and alike, for EM4100 cards of 125 kHz. UART 9600 8N1.

Source: hardware notes 3 (ESPHome rdm6300.cpp; arendst/Tasmota#9522; BruceDevices/firmware#2014). Unit: the card's number as
10 hexadecimal digits, version and four bytes of id.

    02  ten ASCII digits  two ASCII digits of checksum  03        checksum: XOR of all five bytes, version included

    ID-12LA and ID-20LA: the same, with 0D 0A in front of the 03

An ID-12 says a card once, when it comes. From an RDM6300, a frame repeats for as long as a card lies there. Ghosts come out of the field, zeros among them, whose checksum is right.
"""

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.frames import Frame, FrameReader
from drivers.readings import CardRead, DeviceState
from drivers.tally import Counted

TECHNOLOGY: Final = "em4100"
SILENCE_MS: Final = 400  # without a read for this long, the card has gone
GARBAGE: Final = 140  # bytes in a row without a frame, ten frames' worth: this is no such reader
_UID: Final = re.compile(r"[0-9A-F]{10}")
_DIGITS: Final = re.compile(rb"[0-9A-Fa-f]{12}")


def decode(frame: bytes) -> str:
    """The card's number out of a frame of 14 bytes, upper case. Raises BadFrame, also for the ghost of zeros."""
    digits = frame[1:13]
    if frame[-1] != 0x03 or not _DIGITS.fullmatch(digits):
        raise BadFrame(f"no frame: {frame.hex(' ')}")
    *card, checksum = bytes.fromhex(digits.decode("ascii"))
    if _xor(card) != checksum:
        raise BadFrame(f"wrong checksum: {frame.hex(' ')}")
    if not any(card[1:]):
        raise BadFrame("a card without a number")
    return digits[:10].decode("ascii").upper()


def encode(uid: str) -> bytes:
    """The frame for a card's number. Raises WrongUse for what is none."""
    if not _UID.fullmatch(uid):
        raise WrongUse(f"{uid!r} is no EM4100 number: 10 digits of 0-9 and A-F")
    return b"\x02%s%02X\x03" % (uid.encode("ascii"), _xor(bytes.fromhex(uid)))


def _xor(values: Sequence[int]) -> int:
    result = 0
    for value in values:
        result ^= value
    return result


def decode_id12(frame: bytes) -> str:
    """The same out of an ID-12's frame of 16 bytes. Raises BadFrame."""
    if frame[13:15] != b"\r\n":
        raise BadFrame(f"no frame: {frame.hex(' ')}")
    return decode(frame[:13] + frame[15:])


def encode_id12(uid: str) -> bytes:
    """An ID-12's frame for a card's number. Raises WrongUse for what is none."""
    return encode(uid)[:-1] + b"\r\n\x03"


FRAME: Final[Frame[str]] = Frame(b"\x02", 14, decode)
ID12_FRAME: Final[Frame[str]] = Frame(b"\x02", 16, decode_id12)


class Presence:
    """Which cards lie there. A card has come when it was read twice in a row (or once, from a reader that says it once), and
    has gone when nothing was read of it for 400 ms; so a ghost is none, and two cards that take turns are two and not a
    hundred."""

    def __init__(self, reads: int = 2) -> None:
        self._reads = reads
        self._there: dict[str, int] = {}
        self._last = ("", 0)

    def read(self, uid: str, now_ms: int) -> bool:
        """A card was read; whether it has come with that."""
        before, before_ms = self._last
        self._last = (uid, now_ms)
        enough = self._reads < 2 or (uid == before and now_ms - before_ms < SILENCE_MS)
        came = enough and uid not in self._there
        if came or uid in self._there:
            self._there[uid] = now_ms
        return came

    def looked(self, now_ms: int) -> None:
        """Everything that had come by now was read. Only this makes a card go: late is not the same as silent."""
        self._there = {uid: at_ms for uid, at_ms in self._there.items() if now_ms - at_ms < SILENCE_MS}


class Rdm6300Link:
    """One connection to a reader. It says nothing while no card lies there, and so is well until it speaks garbage."""

    bauds: ClassVar[Sequence[int]] = (9_600,)
    greeting: ClassVar[bytes] = b""
    personal: ClassVar[bool] = True
    frame: ClassVar[Frame[str]] = FRAME
    reads: ClassVar[int] = 2

    def __init__(self, now_ms: int) -> None:
        self._reader = FrameReader(self.frame)
        self._presence = Presence(self.reads)
        self._noise_then = 0  # how much noise there had been when this run of bytes began, or at its last good frame
        self._last_ms = now_ms

    @property
    def count(self) -> Counted:
        """What has come."""
        return self._reader

    def ask(self, now_ms: int) -> bytes:
        """It takes no questions."""
        del now_ms
        return b""

    def feed(self, chunk: bytes, now_ms: int) -> list[CardRead]:
        """The cards that have come with this chunk, which is all that had come by now."""
        if chunk:
            if self._is_silent(now_ms):
                self._noise_then = self._reader.noise
            self._last_ms = now_ms
        uids = self._reader.feed(chunk)
        cards = [CardRead(uid, TECHNOLOGY) for uid in uids if self._presence.read(uid, now_ms)]
        self._presence.looked(now_ms)
        if uids:
            self._noise_then = self._reader.noise
        return cards

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """STALE while only garbage comes; else OK."""
        if self._reader.noise - self._noise_then >= GARBAGE and not self._is_silent(now_ms):
            return DeviceState.STALE, "only garbage comes: is it this model, and is its wire sound?"
        return DeviceState.OK, ""

    def _is_silent(self, now_ms: int) -> bool:
        return now_ms - self._last_ms >= SILENCE_MS


class Id12Link(Rdm6300Link):
    """The same for an ID-12LA or ID-20LA. It keeps ghosts to itself, and says a card once."""

    frame: ClassVar[Frame[str]] = ID12_FRAME
    reads: ClassVar[int] = 1
