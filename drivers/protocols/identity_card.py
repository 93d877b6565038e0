"""Readers of the PRC's resident identity card, with the ministry's security module ("SAM_V"), serial. UART 115200 8N1.

Source: hardware notes 3 (GA 450-2013; IDCardDemo; dlrc IdReader; waitingsong/node-idcard-reader). Unit: text in UTF-16LE,
in fields of fixed length.

    host      AA AA AA 96 69 lenH lenL cmd para xor           len counts what is behind it; xor: of all from lenH on
    module    AA AA AA 96 69 lenH lenL 00 00 status … xor

    find 20 01 → 9F a card lies there, 80 none    select 20 02 → 90, or 81    read 30 01 → 90 and the card, or 41
    a card: length of the text (2), of the photograph (2), text (256), photograph (1024)

A card that has been read is not found again before it was lifted. Personal data: nothing leaves this module but the fields
that it was told to give; the photograph is not even looked at. The number itself is not needed to know a card again: that
takes a keyed hash of it.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import reduce
from operator import xor
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.packets import MORE, Packet, PacketReader
from drivers.protocols.polled import PolledCards
from drivers.readings import CardRead, CardUnread, DeviceState
from drivers.tally import Count, Counted

TECHNOLOGY: Final = "prc-id"
START: Final = bytes.fromhex("AA AA AA 96 69")
TEXT, PHOTO = 256, 1024  # bytes
LONGEST: Final = 7 + 8 + TEXT + PHOTO + 1024  # with the fingerprints that newer modules add
POLL_MS: Final = 300
ANSWER_MS: Final = 1_500  # a card takes up to a second to be read
STALE_MS: Final = 4_000
LIFTED: Final = 2  # searches in a row that find nothing
_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Field(StrEnum):
    """What stands on a card, in its order."""

    NAME = "name"
    SEX = "sex"
    NATION = "nation"
    BIRTH = "birth"
    ADDRESS = "address"
    NUMBER = "number"
    ISSUER = "issuer"
    VALID_FROM = "valid-from"
    VALID_UNTIL = "valid-until"


_BYTES: Final = dict(zip(Field, (30, 2, 4, 16, 70, 36, 30, 16, 16), strict=True))


class Command(IntEnum):
    """What the host asks: command and parameter."""

    STATUS = 0x11FF
    FIND = 0x2001
    SELECT = 0x2002
    READ = 0x3001


class Status(IntEnum):
    """The third byte of an answer."""

    DONE = 0x90
    FOUND = 0x9F
    NONE = 0x80
    NOT_SELECTED = 0x81
    NOT_READ = 0x41


@dataclass(frozen=True, slots=True)
class Answer:
    """A module's answer. Its `data` may be a whole person, and is kept out of every text."""

    status: int
    data: bytes = field(repr=False)


def ask(command: Command) -> bytes:
    """The host's frame."""
    return _framed(command.to_bytes(2, "big"))


def encode(status: int, data: bytes = b"") -> bytes:
    """The module's frame. Raises WrongUse for what is too long."""
    if len(data) > LONGEST - 11:
        raise WrongUse(f"{len(data)} bytes: a frame holds {LONGEST - 11}")
    return _framed(bytes((0, 0, status)) + data)


def _framed(body: bytes) -> bytes:
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return START + counted + bytes((_xor(counted),))


def _xor(data: bytes) -> int:
    return reduce(xor, data, 0)


def decode(packet: bytes) -> Answer:
    """A module's frame. Raises BadFrame."""
    if _xor(packet[5:]) or packet[7:9] != b"\x00\x00":
        raise BadFrame(f"wrong checksum: {len(packet)} bytes")
    return Answer(packet[9], packet[10:-1])


def decode_asked(packet: bytes) -> Command:
    """A host's frame. Raises BadFrame."""
    try:
        command = Command.from_bytes(packet[7:9], "big")
    except ValueError as error:
        raise BadFrame(f"no command: {packet.hex(' ')}") from error
    if _xor(packet[5:]) or len(packet) != 10:
        raise BadFrame(f"wrong checksum: {packet.hex(' ')}")
    return command


def _length(head: bytes) -> int:
    if len(head) < 7:
        return MORE
    length = int.from_bytes(head[5:7], "big")
    if length < 3:
        raise BadFrame("no frame")
    return 7 + length


def _answer_length(head: bytes) -> int:
    if head[5:7] in (b"\x00\x00", b"\x00\x01", b"\x00\x02", b"\x00\x03"):
        raise BadFrame("no answer")  # not even its status
    return _length(head)


MODULE_PACKET: Final[Packet[Answer]] = Packet((START,), LONGEST, _answer_length, decode)
HOST_PACKET: Final[Packet[Command]] = Packet((START,), 10, _length, decode_asked)


def check_digit(number: str) -> str:
    """The last character of a citizen's number, out of the 17 digits before it (GB 11643, ISO 7064 MOD 11-2)."""
    return "10X98765432"[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False)) % 11]


def number_of(text: str) -> str:
    """A citizen's number. Raises WrongUse for what is none, which says nothing of it."""
    if not _NUMBER.fullmatch(text) or text[-1] != check_digit(text):
        raise WrongUse("it is no number of an identity card: 17 digits and a check digit (GB 11643)")
    return text


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may leave: these `fields`; and under which `key` a card's id is made of its number."""

    key: str = field(repr=False)
    fields: tuple[Field, ...] = ()

    def card(self, data: bytes) -> CardRead:
        """What may leave of a card that was read. Raises BadFrame, which says nothing of the card."""
        text = _text(data)
        number = _field(text, Field.NUMBER)
        if not _NUMBER.fullmatch(number):
            raise BadFrame("it has no number of 18 characters")
        if number[-1] != check_digit(number):
            raise BadFrame("its number has a wrong check digit")
        facts = tuple((each.value, _field(text, each)) for each in Field if each in self.fields)
        return CardRead(card_id(number, self.key), TECHNOLOGY, facts)


def card_id(number: str, key: str) -> str:
    """20 hexadecimal digits that stand for a card: the first of HMAC-SHA256 of its number under the site's key."""
    return hmac.digest(key.encode(), number.encode("ascii"), "sha256").hex()[:20].upper()


def encode_card(values: dict[Field, str]) -> bytes:
    """A card as a module gives it, without a face. Raises WrongUse for a value that does not fit."""
    text = b""
    for name, size in _BYTES.items():
        value = values.get(name, "").encode("utf-16-le")
        if len(value) > size:
            raise WrongUse(f"{name}: {len(value)} bytes, and {size} are there")
        text += value + " ".encode("utf-16-le") * ((size - len(value)) // 2)
    text += bytes(TEXT - len(text))
    return TEXT.to_bytes(2, "big") + PHOTO.to_bytes(2, "big") + text + bytes(PHOTO)


def _text(data: bytes) -> bytes:
    if len(data) < 4 + TEXT or int.from_bytes(data[:2], "big") != TEXT:
        raise BadFrame(f"no card: {len(data)} bytes")
    return data[4 : 4 + TEXT]


def _field(text: bytes, wanted: Field) -> str:
    at = sum(size for name, size in _BYTES.items() if list(Field).index(name) < list(Field).index(wanted))
    try:
        value = text[at : at + _BYTES[wanted]].decode("utf-16-le").strip(" \0")
    except UnicodeDecodeError:
        raise BadFrame(f"no text: {wanted}") from None
    if not value.isprintable():
        raise BadFrame(f"no text: {wanted}")
    return value


class IdentityCardLink:
    """One connection to a module: asks for a card, selects and reads it, and gives of it what may leave."""

    bauds: ClassVar[Sequence[int]] = (115_200,)
    greeting: ClassVar[bytes] = b""
    personal: ClassVar[bool] = True
    private: ClassVar[bool] = True

    def __init__(self, now_ms: int, wanted: Wanted) -> None:
        self._wanted = wanted
        self._reader = PacketReader(MODULE_PACKET)
        self._cards = PolledCards(LIFTED)
        self._unread = 0  # cards that came whole and are none
        self._asks = Command.STATUS
        self._waits = False
        self._due_ms = now_ms
        self._answered_ms = now_ms
        self._heard = False

    @property
    def count(self) -> Counted:
        """What has come; a card that cannot be believed is a bad frame."""
        return Count(self._reader.good - self._unread, self._reader.bad + self._unread, self._reader.noise)

    def feed(self, chunk: bytes, now_ms: int) -> list[CardRead | CardUnread]:
        """The card that has come with this chunk."""
        came: list[CardRead | CardUnread] = []
        for answer in self._reader.feed(chunk):
            if self._waits:
                self._waits = False
                self._heard = True
                self._answered_ms = self._due_ms = now_ms
                came += self._take(answer, now_ms)
        return came

    def ask(self, now_ms: int) -> bytes:
        """See Link.ask."""
        if now_ms < self._due_ms:
            return b""
        if self._waits:
            self._asks = Command.STATUS if not self._heard else Command.FIND
            self._reader.give_up()
        self._waits = True
        self._due_ms = now_ms + ANSWER_MS
        return ask(self._asks)

    def is_answered(self) -> bool:
        """See Answering.is_answered."""
        return self._heard

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """OK while it answers."""
        if now_ms - self._answered_ms >= STALE_MS:
            return DeviceState.STALE, "it does not answer any more" if self._heard else self._why()
        return (DeviceState.OK if self._heard else DeviceState.STARTING), ""

    def _take(self, answer: Answer, now_ms: int) -> list[CardRead | CardUnread]:
        """What comes next, by what was asked and answered."""
        match self._asks, answer.status:
            case Command.FIND, Status.FOUND:
                self._asks = Command.SELECT
            case Command.SELECT, Status.DONE:
                self._asks = Command.READ
            case Command.READ, Status.DONE:
                self._rest(now_ms)
                return self._card(answer.data)
            case Command.FIND, _:
                # not found: none lies there, or the one that was read still does
                self._cards.found(())
                self._rest(now_ms)
            case _:
                self._rest(now_ms)
        return []

    def _rest(self, now_ms: int) -> None:
        self._asks = Command.FIND
        self._due_ms = now_ms + POLL_MS

    def _card(self, data: bytes) -> list[CardRead | CardUnread]:
        try:
            card = self._wanted.card(data)
        except BadFrame as error:
            self._unread += 1
            return [CardUnread(str(error))] if self._cards.found(("",)) else []  # told once while it lies there
        return [card] if self._cards.found((card.uid,)) else []

    def _why(self) -> str:
        noise = self._reader.noise
        return f"{noise} bytes came that are no frame of this model" if noise else "nothing answers"
