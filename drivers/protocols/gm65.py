"""Code scanner modules of Grow: GM60, GM65, GM66, GM805, GM861. UART 8N1, 9600 baud unless it was changed.

Source: hardware notes 2.1 (Tasmota xsns_107_gm861; DFRobot DFR0660 datasheet and its GM65 library; Waveshare's script). Zones
are single bytes of the module's set-up; CRC-16/XMODEM over everything between the start and itself.

    host    7E 00 type len zoneH zoneL data crcH crcL    type 07 read (data: how many), 08 write, 09 save to flash
    reply   02 00 status len data crcH crcL              it does not say to what
    code    03 lenH lenL data                            once zone 0060 has been told so; without it, text and a CR, in
                                                         which nobody can tell a code from a reply
    beat    03 00 00 01 00 33 31                         the answer to a heartbeat, which is not used here

A module out of its box can be reprogrammed by whoever shows it a page of its manual. So nothing that it reads counts before
zone 0003 says that such codes are closed; that is read again every few seconds, also to see that the module lives.
"""

from binascii import crc_hqx
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.packets import MORE, Packet, PacketReader
from drivers.protocols.shown import ShownCodes
from drivers.readings import CodeRead, DeviceState
from drivers.tally import Counted

LONGEST_CODE: Final = 7_089  # bytes: digits in the largest QR
BEAT: Final = bytes.fromhex("03 00 00 01 00 33 31")
UNCHECKED: Final = b"\xab\xcd"  # in place of a host's CRC
TRY_MS: Final = 200  # an answer comes within 30 ms
TRIES: Final = 3
WATCH_MS: Final = 5_000
FIRST_MS: Final = 5_000  # until the set-up is done: every rate has been tried by then
REARM_MS: Final = 1_500  # a code that is held up is read every 0.5 s (zone 0005)
GAP_MS: Final = 300  # a packet that is interrupted for longer is none


class Command(IntEnum):
    """What a host can ask."""

    READ = 0x07
    WRITE = 0x08
    SAVE = 0x09
    BEAT = 0x0A


class Zone(IntEnum):
    """The zones that matter here."""

    MODE = 0x0000
    SETUP_CODES = 0x0003
    INTERVAL = 0x0005
    OUTPUT = 0x000D
    SAME_CODE = 0x0013
    BAUD = 0x002A
    FRAMING = 0x0060
    RAW = 0x00BC
    FIRMWARE = 0x00E2


@dataclass(frozen=True, slots=True)
class Asked:
    """A host's frame."""

    command: Command
    zone: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """The module's answer; `status` 0: done."""

    status: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Want:
    """What these bits of a zone have to be. `also`: other values that will do. `fault`: why it matters, for one that does."""

    zone: Zone
    mask: int
    value: int
    also: tuple[int, ...] = ()
    fault: str = ""

    def is_met(self, byte: int | None) -> bool:
        """Whether the zone is as it has to be."""
        return byte is not None and byte & self.mask in (self.value, *self.also)

    def mended(self, byte: int) -> int:
        """The zone with these bits right, and the others as they were."""
        return byte & ~self.mask & 0xFF | self.value


WANTS: Final = (
    Want(Zone.SETUP_CODES, 0b11, 0b10, fault="its set-up codes cannot be closed: whoever shows one reprograms it"),
    Want(Zone.OUTPUT, 0b11, 0b00, also=(0b10, 0b11), fault="it types what it reads as a keyboard"),
    Want(Zone.FRAMING, 0x81, 0x81, fault="it does not frame what it reads"),
    Want(Zone.MODE, 0b11, 0b10, fault="it does not read continuously"),
    Want(Zone.INTERVAL, 0xFF, 5),
    Want(Zone.SAME_CODE, 0x80, 0x00),
)
RAW_BYTES: Final = Want(Zone.RAW, 0xFF, 0x08, fault="it does not give a code's bytes as they are")
RAW_FIRMWARE: Final = 0x69  # only firmware of this number has that zone


class NotThisModel(Exception):
    """The module does not take the set-up that it has to have. Never leaves this module."""


def _crc(body: bytes) -> bytes:
    return crc_hqx(body, 0).to_bytes(2, "big")


def ask(command: Command, zone: int, data: bytes) -> bytes:
    """A host's frame. Raises WrongUse for what a frame cannot hold."""
    length = 1 if command is Command.READ else len(data)
    try:
        body = bytes((command, length, *zone.to_bytes(2, "big"), *data))
    except (ValueError, OverflowError) as error:
        raise WrongUse(f"zone {zone:04X}, {len(data)} bytes: a frame holds a zone of 16 bits and 255 bytes") from error
    return b"\x7e\x00" + body + _crc(body)


def read(zone: int) -> bytes:
    """The question for one zone."""
    return ask(Command.READ, zone, b"\x01")


def write(zone: int, value: int) -> bytes:
    """The order for one zone. Raises WrongUse."""
    return ask(Command.WRITE, zone, bytes((value,)))


SAVE: Final = ask(Command.SAVE, 0, b"\x00")


def encode_reply(data: bytes, status: int = 0) -> bytes:
    """A module's answer."""
    body = bytes((0x00, status, len(data), *data))
    return b"\x02" + body + _crc(body[1:])


def encode_code(data: bytes) -> bytes:
    """A code, framed. Raises WrongUse for one that is too long, or empty."""
    if not 0 < len(data) <= LONGEST_CODE:
        raise WrongUse(f"a code of {len(data)} bytes: 1 to {LONGEST_CODE}")
    return b"\x03" + len(data).to_bytes(2, "big") + data


def decode_asked(frame: bytes) -> Asked:
    """A host's frame. Raises BadFrame."""
    if frame[-2:] not in (_crc(frame[2:-2]), UNCHECKED):
        raise BadFrame(f"wrong CRC: {frame.hex(' ')}")
    try:
        command = Command(frame[2])
    except ValueError as error:
        raise BadFrame(f"no command: {frame.hex(' ')}") from error
    return Asked(command, int.from_bytes(frame[4:6], "big"), frame[6:-2])


def decode(packet: bytes) -> Reply | bytes | None:
    """A module's packet: a reply, a code's bytes, or None for a heartbeat. Raises BadFrame for a wrong CRC."""
    if packet == BEAT:
        return None
    if packet[0] == 0x03:
        return packet[3:]
    if _crc(packet[2:-2]) != packet[-2:]:
        raise BadFrame(f"wrong CRC: {packet.hex(' ')}")
    return Reply(packet[2], packet[4:-2])


def _length(head: bytes) -> int:
    if head[0] == 0x02:
        if head[1:2] not in (b"", b"\x00"):
            raise BadFrame("no reply")
        return 4 + head[3] + 2 if len(head) > 3 else MORE
    if len(head) < 3:
        return MORE
    length = int.from_bytes(head[1:3], "big")
    if length > LONGEST_CODE or (length == 0 and not BEAT.startswith(head[: len(BEAT)])):
        raise BadFrame(f"a code of {length} bytes")
    return 3 + length if length else len(BEAT)


def _asked_length(head: bytes) -> int:
    return 6 + head[3] + 2 if len(head) > 3 else MORE


MODULE_PACKET: Final[Packet[Reply | bytes | None]] = Packet((b"\x02", b"\x03"), 3 + LONGEST_CODE, _length, decode)
HOST_PACKET: Final[Packet[Asked]] = Packet((b"\x7e\x00",), 6 + 255 + 2, _asked_length, decode_asked)

SetUp = Generator[bytes, Reply, None]
"""Gives the frames to send one after the other, and takes the reply to each."""


def set_up() -> SetUp:
    """The questions and orders after which the module is as it has to be. Raises NotThisModel."""
    wants = list(WANTS)
    if (yield from _value(Zone.FIRMWARE)) == RAW_FIRMWARE:
        wants.append(RAW_BYTES)
    changed = False
    for want in wants:
        byte = yield from _value(want.zone)
        if want.is_met(byte):
            continue
        if byte is not None:
            yield write(want.zone, want.mended(byte))
        if byte is not None and want.is_met((yield from _value(want.zone))):
            changed = True
        elif want.fault:
            raise NotThisModel(want.fault)
    if changed:
        yield SAVE  # so that it is closed from the first moment after a power cut


def _value(zone: Zone) -> Generator[bytes, Reply, int | None]:
    """What the zone says; None for one that this firmware does not know."""
    return _only_byte((yield read(zone)))


def _only_byte(reply: Reply) -> int | None:
    return reply.data[0] if reply.status == 0 and len(reply.data) == 1 else None


class Gm65Link:
    """One connection to a module: sets it up, then gives the codes that it reads, once each while it is held up."""

    bauds: ClassVar[Sequence[int]] = (9_600, 115_200, 57_600, 38_400, 19_200)
    greeting: ClassVar[bytes] = b""
    personal: ClassVar[bool] = True

    def __init__(self, now_ms: int) -> None:
        self._reader = PacketReader(MODULE_PACKET)
        self._codes = ShownCodes("gm65", REARM_MS)
        self._setting = set_up()
        self._asked = next(self._setting)  # the frame that waits for its reply
        self._ready = False
        self._fault = ""
        self._heard = False
        self._tries = 0
        self._next_ms = now_ms  # when to send, or send again
        self._since_ms = now_ms  # since when it is not ready
        self._last_ms = now_ms

    @property
    def count(self) -> Counted:
        """What has come."""
        return self._reader

    def feed(self, chunk: bytes, now_ms: int) -> list[CodeRead]:
        """The codes that have come into view with this chunk."""
        messages = self._reader.feed(chunk)
        if chunk:
            self._last_ms = now_ms
        elif now_ms - self._last_ms >= GAP_MS:
            messages += self._reader.give_up()
        codes: list[CodeRead] = []
        for message in messages:
            if isinstance(message, Reply):
                self._answered(message, now_ms)
            elif message is not None and self._ready:
                codes += self._codes.read(message, now_ms)
        return codes

    def ask(self, now_ms: int) -> bytes:
        """See Link.ask."""
        if now_ms < self._next_ms or self._reader.pending:  # its answer waits until the code that it says has been said
            return b""
        if self._tries >= TRIES and self._ready:
            self._again(now_ms)  # it may have lost its power, and its set-up with it
        self._tries += 1
        self._next_ms = now_ms + TRY_MS
        return self._asked

    def is_answered(self) -> bool:
        """See Answering.is_answered."""
        return self._heard and self._tries <= TRIES

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """OK once the module is set up, and as long as it answers."""
        if self._fault:
            return DeviceState.STALE, f"{self._fault}; is it a GM60, GM65, GM66, GM805 or GM861?"
        if self._ready:
            return DeviceState.OK, ""
        if now_ms - self._since_ms < FIRST_MS and not (self._heard and self._tries >= TRIES):
            return DeviceState.STARTING, ""
        return DeviceState.STALE, self._why()

    def _answered(self, reply: Reply, now_ms: int) -> None:
        """A reply has come: to what was asked last, or to nothing."""
        if not self._tries:
            return
        # a frame that was sent twice may be answered twice, and a reply does not say to what: let it come first
        self._next_ms = now_ms if self._tries == 1 else now_ms + TRY_MS
        self._tries = 0
        self._heard = True
        if self._ready:
            self._watched(reply, now_ms)
            return
        try:
            self._asked = self._setting.send(reply)
        except StopIteration:
            self._ready = True
            self._watch(now_ms)
        except NotThisModel as fault:
            self._fault = str(fault)
            self._again(now_ms)
            self._next_ms = now_ms + WATCH_MS

    def _watch(self, now_ms: int) -> None:
        self._fault = ""
        self._asked = read(Zone.SETUP_CODES)
        self._next_ms = now_ms + WATCH_MS

    def _watched(self, reply: Reply, now_ms: int) -> None:
        if WANTS[0].is_met(_only_byte(reply)):
            self._watch(now_ms)
        else:
            self._again(now_ms)

    def _again(self, now_ms: int) -> None:
        """From the beginning."""
        self._ready = False
        self._since_ms = now_ms
        self._tries = 0
        self._setting = set_up()
        self._asked = next(self._setting)

    def _why(self) -> str:
        if self._heard:
            return "it does not answer any more"
        noise = self._reader.noise
        return f"{noise} bytes came that are no frame of this model" if noise else "nothing answers"
