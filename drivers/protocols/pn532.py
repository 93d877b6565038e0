"""Card readers PN532 for cards of 13.56 MHz, over its UART ("HSU"). 115200 8N1.

Source: hardware notes 3 (mbed PN532_HSU.cpp; NXP UM0701-02, sections 6.2.1 and 7). Unit: the UID in the order of the air, 4,
7 or 10 bytes as hexadecimal digits.

    00 00 FF len -len TFI data -sum 00    TFI D4 from the host, D5 from the chip; len counts TFI and data; every command is
    00 00 FF 00 FF 00                     acknowledged, then answered by its code + 1. An acknowledgement from the host
                                          breaks off what the chip is doing

The chip is asked for a card again and again. Out of its box it searches without end; so it is told first to try once (item
5 of RFConfiguration).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.packets import MORE, Packet, PacketReader
from drivers.protocols.polled import PolledCards
from drivers.readings import CardRead, DeviceState
from drivers.tally import Counted

TECHNOLOGY: Final = "iso14443a"
START: Final = b"\x00\x00\xff"
ACK: Final = START + b"\x00\xff\x00"
NACK: Final = START + b"\xff\x00\x00"
HOST, CHIP, ERROR = 0xD4, 0xD5, 0x7F
WAKE: Final = b"\x55\x55" + bytes(12)  # in front of a frame, which begins with two more
UID_LENGTHS: Final = (4, 7, 10)
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
POLL_MS: Final = 100
ANSWER_MS: Final = 500  # of one search, and so of every command
STALE_MS: Final = 2_000
SET_UP_MS: Final = 3_000  # from power to polling: it answers each of its set-up's commands within a few ms


class Command(IntEnum):
    """What the host can ask here."""

    VERSION = 0x02
    SAM_CONFIGURATION = 0x14
    RF_CONFIGURATION = 0x32
    LIST_TARGETS = 0x4A


@dataclass(frozen=True, slots=True)
class Body:
    """A frame's content: `sender` HOST, CHIP or ERROR; `code` the command, or the command + 1."""

    sender: int
    code: int
    data: bytes


def encode(sender: int, code: int, data: bytes = b"") -> bytes:
    """A frame. Raises WrongUse for what is too long for one."""
    body = bytes((sender, code)) + data
    if len(body) > 254:
        raise WrongUse(f"{len(data)} bytes: a frame holds 252")
    return START + bytes((len(body), -len(body) & 0xFF)) + body + bytes((-sum(body) & 0xFF, 0))


def decode(packet: bytes) -> Body | None:
    """A frame's content; None for an acknowledgement, either way. Raises BadFrame."""
    if packet in (ACK, NACK):
        return None
    body, postamble = packet[5:-2], packet[-1]
    if postamble or sum(packet[5:-1]) & 0xFF:
        raise BadFrame(f"wrong sum: {packet.hex(' ')}")
    if body[0] not in (HOST, CHIP, ERROR) or (len(body) == 1) != (body[0] == ERROR):
        raise BadFrame(f"no frame: {packet.hex(' ')}")
    return Body(body[0], body[1] if len(body) > 1 else 0, body[2:])


def decode_targets(data: bytes) -> list[str]:
    """The UIDs in an answer to LIST_TARGETS for cards of type A. Raises BadFrame."""
    if not data or data[0] > 2:
        raise BadFrame(f"no list of cards: {data.hex(' ')}")
    uids, at = [], 1
    for _ in range(data[0]):
        # number, SENS_RES (2), SEL_RES, length of the UID, UID, and ATS with its own length if the card has one
        uid = data[at + 5 : at + 5 + data[at + 4]] if len(data) > at + 4 else b""
        if len(uid) not in UID_LENGTHS or not any(uid):
            raise BadFrame(f"no card: {data.hex(' ')}")
        has_answer = data[at + 3] & 0x20
        at += 5 + len(uid)
        at += data[at] if has_answer and len(data) > at else 0
        uids.append(uid.hex().upper())
    return uids


def encode_targets(uids: Sequence[str]) -> bytes:
    """What a chip says of these cards. Raises WrongUse for what is no UID."""
    said = bytes((len(uids),))
    for number, uid in enumerate(uids, 1):
        raw = bytes.fromhex(uid) if _HEX.fullmatch(uid) else b""
        if len(raw) not in UID_LENGTHS or len(uids) > 2:
            raise WrongUse(f"{uid!r} is no UID: 4, 7 or 10 bytes in hexadecimal, of at most two cards")
        said += bytes((number, 0x00, 0x04, 0x08, len(raw))) + raw
    return said


def _length(head: bytes) -> int:
    if len(head) < 5:
        return MORE
    length, check = head[3], head[4]
    if (length, check) in ((0x00, 0xFF), (0xFF, 0x00)):
        return 6
    if length == 0 or (length + check) & 0xFF:
        raise BadFrame("no frame")
    return 5 + length + 2


PACKET: Final[Packet[Body | None]] = Packet((START,), 5 + 254 + 2, _length, decode)

SET_UP: Final = (
    (Command.SAM_CONFIGURATION, b"\x01"),
    (Command.VERSION, b""),
    (Command.RF_CONFIGURATION, b"\x05\xff\x01\x01"),
)
POLL: Final = (Command.LIST_TARGETS, b"\x01\x00")  # one card, type A at 106 kbit/s


class Pn532Link:
    """One connection to a chip: wakes it, then asks for cards; each is told once while it lies there."""

    bauds: ClassVar[Sequence[int]] = (115_200,)
    greeting: ClassVar[bytes] = b""
    personal: ClassVar[bool] = True

    def __init__(self, now_ms: int) -> None:
        self._reader = PacketReader(PACKET)
        self._cards = PolledCards()
        self._step = 0  # in SET_UP; behind it, polling
        self._waits = False  # for an answer
        self._due_ms = now_ms
        self._answered_ms = now_ms
        self._polled_ms = now_ms  # when it last was through its set-up
        self._unanswered: Command | None = None  # what of its set-up it was asked in vain, last
        self._heard = False
        self._is_pn532 = True

    @property
    def count(self) -> Counted:
        """What has come."""
        return self._reader

    def feed(self, chunk: bytes, now_ms: int) -> list[CardRead]:
        """The cards that have come with this chunk."""
        came: list[CardRead] = []
        for body in self._reader.feed(chunk):
            if body is not None and self._waits and body.sender != HOST:
                came += self._answer(body, now_ms)
        return came

    def ask(self, now_ms: int) -> bytes:
        """See Link.ask."""
        if now_ms < self._due_ms:
            return b""
        lost = self._waits
        if lost:  # it may have lost its power, or be asleep: from the beginning
            self._unanswered = SET_UP[self._step][0] if self._step < len(SET_UP) else None
            self._step = 0
        self._waits = True
        self._due_ms = now_ms + ANSWER_MS
        command, data = POLL if self._step == len(SET_UP) else SET_UP[self._step]
        return (ACK if lost else b"") + (WAKE if self._step == 0 else b"") + encode(HOST, command, data)

    def is_answered(self) -> bool:
        """See Answering.is_answered."""
        return self._heard

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """OK while it answers."""
        if not self._is_pn532:
            return DeviceState.STALE, "it is no PN532"
        if now_ms - self._answered_ms >= STALE_MS:
            return DeviceState.STALE, "it does not answer any more" if self._heard else self._why()
        if self._step < len(SET_UP) and now_ms - self._polled_ms >= SET_UP_MS:
            return DeviceState.STALE, self._not_set_up()
        return (DeviceState.OK if self._step == len(SET_UP) else DeviceState.STARTING), ""

    def _answer(self, body: Body, now_ms: int) -> list[CardRead]:
        command, _ = POLL if self._step == len(SET_UP) else SET_UP[self._step]
        if body.sender == CHIP and body.code != command + 1:
            return []  # to a question that was given up
        self._waits = False
        self._due_ms = now_ms
        self._heard = True
        if body.sender == ERROR:
            self._step, self._due_ms = 0, now_ms + ANSWER_MS
            return []
        self._answered_ms = now_ms
        if self._step < len(SET_UP):
            self._take_step(command, body, now_ms)
            return []
        self._due_ms = now_ms + POLL_MS
        self._polled_ms = now_ms
        return self._found(body.data)

    def _take_step(self, command: Command, body: Body, now_ms: int) -> None:
        self._is_pn532 = command is not Command.VERSION or body.data[:1] == b"\x32"
        if self._is_pn532:
            self._step += 1
        else:
            self._due_ms = now_ms + ANSWER_MS

    def _found(self, data: bytes) -> list[CardRead]:
        try:
            uids = decode_targets(data)
        except BadFrame:
            return []
        return [CardRead(uid, TECHNOLOGY) for uid in self._cards.found(uids)]

    def _not_set_up(self) -> str:
        of = f"its set-up's command {self._unanswered:#04x}" if self._unanswered is not None else "its set-up"
        return f"it acknowledges, and does not answer {of}: take its power away and give it back"

    def _why(self) -> str:
        if self._reader.good:
            return self._not_set_up()
        noise = self._reader.noise
        return f"{noise} bytes came that are no frame of this model" if noise else "nothing answers: is it set to HSU?"
