"""One conversation of every model that is read in bytes, as its manual or the notes have it: what the walk over all models plays.

A line of a transcript: `>` what the host says, in hexadecimal, the greeting first; `<` what the device says; `<~` the same where nothing
in it tells a flipped bit; `=` so many ms go by in silence. Keyboards, pins and the I²C bus are no streams of bytes: a class here
makes one of each, so that the walk has one way for all.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from drivers.catalogue import MODELS, Kind
from drivers.errors import BadFrame
from drivers.protocols import identity_card, wiegand
from drivers.protocols.gd60914 import Gd60914Link
from drivers.protocols.hid_keys import HidKeys
from drivers.protocols.identity_card import IdentityCardLink, Wanted, card_id
from drivers.protocols.mlx90614 import Mlx90614Link
from drivers.protocols.modbus import ModbusLink, Register, Registers, Table
from drivers.protocols.quantity import Quantity
from drivers.readings import CardRead, CodeRead, DeviceState, Reading, Temperature
from tests.drivers.models import settings

STEP_MS: Final = 50
LONGEST_MS: Final = 30_000
PERSON_C: Final = 36.6


def _no_link(_now_ms: int) -> Any:
    raise AssertionError("a transcript outside TRANSCRIPTS has to say its link")


@dataclass(frozen=True)
class Transcript:
    """`source`: where the bytes are from; `readings`: what they say; `link`: one connection, as `drivers.serial_device.Link`, where it is
    not the model's own with the least it can be told; `finds`: so many flipped bits in one line are always found out; `every_ms`: how
    often it says what it says unasked."""

    source: str
    text: str
    readings: Sequence[Reading]
    link: Callable[[int], Any] = _no_link
    finds: int = 1
    every_ms: int = 100
    lines: list[tuple[str, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", list(_lines(self.text)))

    @property
    def said(self) -> list[bytes]:
        """What the device says, line by line."""
        return [data for mark, data in self.lines if mark.startswith("<")]


def _lines(text: str) -> Iterator[tuple[str, bytes]]:
    for line in text.strip().splitlines():
        mark, _, rest = line.strip().partition(" ")
        yield mark, int(rest).to_bytes(4, "big") if mark == "=" else bytes.fromhex(rest)


def _joined(scripts: Mapping[str, Transcript]) -> dict[str, Transcript]:
    """Each with its model's link, where it says none."""
    return {
        name: replace(script, link=_link_of(name)) if script.link is _no_link else script
        for name, script in scripts.items()
    }


def _link_of(name: str) -> Callable[[int], Any]:
    model = MODELS.get(name)
    assert model is not None, f"tests/drivers/transcripts.py: {name} is no model of drivers/catalogue.py"
    assert model.link is not None, (
        f"tests/drivers/transcripts.py: {name} is on no serial port: its row has to say its link"
    )
    return model.link(settings(name))


# what is no stream of bytes


class BusAsStream:
    """The two answers of an I²C sensor, one behind the other; what is read of it never comes in parts."""

    greeting = b""

    def __init__(self, now_ms: int) -> None:
        self._link = Mlx90614Link(now_ms)
        self._heard = b""
        self.count = self._link.count

    def ask(self, now_ms: int) -> bytes:
        """The commands of one round, when the last one's answers have come."""
        del now_ms
        if self._heard:
            return b""
        self._heard = b"\0"  # asked
        return b"".join(command for command, _ in self._link.reads)

    def feed(self, chunk: bytes, now_ms: int) -> list[Temperature]:
        """As the driver calls it, once both are there."""
        self._heard += chunk
        if not chunk or len(self._heard) < 7:
            self._heard = self._heard if chunk else b""
            return []
        answers, self._heard = self._heard[1:7], b""
        return self._link.take([answers[:3], answers[3:]], now_ms)

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """See Link.health."""
        return self._link.health(now_ms)


class PulsesAsStream:
    """A byte is a pulse, its lowest bit which line; they come 2 ms apart, and a silence ends a frame."""

    greeting = b""

    def __init__(self, now_ms: int) -> None:
        del now_ms
        self._pulses: list[wiegand.Pulse] = []
        self._at_s = 0.0

    def ask(self, now_ms: int) -> bytes:
        """Nothing."""
        del now_ms
        return b""

    def feed(self, chunk: bytes, now_ms: int) -> list[CardRead]:
        """What the driver does when nothing was told for a while."""
        for byte in chunk[-wiegand.MOST :]:
            self._at_s += 0.002
            self._pulses.append(wiegand.Pulse(byte & 1, self._at_s))
        if chunk:
            self._pulses = self._pulses[-wiegand.MOST :]
            return []
        frames, self._pulses = wiegand.frames(self._pulses), []
        self._at_s += 1
        return [CardRead(uid, "wiegand") for uid in map(self._decoded, frames) if uid]

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """Of no interest here."""
        del now_ms
        return DeviceState.OK, ""

    @staticmethod
    def _decoded(bits: str) -> str:
        try:
            return wiegand.decode(bits)
        except BadFrame:
            return ""


class KeysAsStream(HidKeys):
    """A keyboard takes no questions."""

    greeting = b""

    def ask(self, now_ms: int) -> bytes:
        """Nothing."""
        del now_ms
        return b""

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """Of no interest here."""
        del now_ms
        return DeviceState.OK, ""


def _keys(*events: tuple[int, int]) -> str:
    """As linux/input.h lays them out on a machine of 64 bits: time (16 bytes), type, code, value."""
    return b"".join(struct.pack("<qqHHi", 1_700_000_000, 5, 1, *each) for each in events).hex(" ")


def _identity_card() -> str:
    """A card as hardware notes 3 lay it out: 256 bytes of text in UTF-16LE, 1024 of a photograph."""
    fields = [("门神", 30), ("1", 2), ("01", 4), ("19491231", 16), ("北京市朝阳区某街某号", 70)]
    fields += [("11010519491231002X", 36), ("北京市公安局", 30), ("20160101", 16), ("长期", 16), ("", 36)]
    text = b"".join(value.ljust(size // 2).encode("utf-16-le") for value, size in fields)
    body = bytes.fromhex("05 08 00 00 90 01 00 04 00") + text + bytes(1024)
    checksum = 0
    for byte in body:
        checksum ^= byte
    return (bytes.fromhex("AA AA AA 96 69") + body + bytes((checksum,))).hex(" ")


def _picture() -> str:
    """Every pixel 30.00 °C and the sensor 27.50, with the trailer of hardware notes 1.4."""
    return "5A 5A 02 06 " + "B8 0B " * 768 + "BE 0A 1A 93"


KEY: Final = "a key of this site"
ACK: Final = "00 00 FF 00 FF 00 "
_START: Final = "AA AA AA 96 69 "
ONE_REGISTER: Final = Registers(Table.INPUT, Register(18, Quantity(-40.0, 300.0, steps=10.0)))

ROWS: Final[dict[str, Transcript]] = {
    "gy-mcu90615": Transcript(
        "hardware notes 1.1: the command that streams, the published frame, and two more with their sums",
        """
    > A5 45 EA
    < 5A 5A 45 04 0C 78 0D 19 A7
    < 5A 5A 45 04 0E 47 0A FA 56
    < 5A 5A 45 04 FE 0C FC 18 1B
    """,
        [Temperature(31.92, 33.53), Temperature(36.55, 28.10), Temperature(-5.0, -10.0)],
    ),
    "gy-mcu90614": Transcript(
        "hardware notes 1.1",
        """
    > A5 45 EA
    < 5A 5A 45 04 0E B0 09 92 56
    """,
        [Temperature(37.60, 24.50)],
    ),
    "cjmcu-90614": Transcript(
        "hardware notes 1.2; the second frame is a capture's",
        """
    > 66 66 01 56
    < 66 66 01 04 0E 47 0A FA 59
    < 66 66 01 04 0A 83 0A 83 1A
    """,
        [Temperature(36.55, 28.10), Temperature(26.91, 26.91)],
    ),
    "gy-614v": Transcript(
        "hardware notes 1.3: registers 03, 04 and 02 are written and none is saved, then the stream's frame",
        """
    > A4 06 03 00 AD A4 06 04 00 AE A4 06 02 03 AF
    < A4 03 07 07 62 0D C0 0A 32 0E 44 72
    """,
        [Temperature(35.20, 26.10, 36.52)],
    ),
    "gd60914": Transcript(
        "hardware notes 1.5: A1 once, AB the body by the forehead, seven characters of tenths; no check of any kind",
        """
    > A1
    > AB
    <~ 30 30 30 30 33 36 35
    """,
        [Temperature(36.5, 22.0, 36.5)],
        finds=0,
        link=partial(Gd60914Link, room_c=22.0),
    ),
    "mlx90614": Transcript(
        "hardware notes 1.8: raw 3C80 is 36.61 °C with PEC 04; raw 3AD2 is 28.01, its PEC for command 06 computed",
        """
    > 07 06
    < 80 3C 04 D2 3A 26
    """,
        [Temperature(36.61, 28.01)],
        finds=3,
        link=BusAsStream,
    ),
    "gy-mcu90640": Transcript(
        "hardware notes 1.4: automatic output, and a picture of 30.00 °C with trailer 1A 93",
        f"""
    > A5 35 02 DC
    < {_picture()}
    """,
        [Temperature(30.0, 27.5)],
    ),
    "calex-pyrousb": Transcript(
        "hardware notes 1.7: registers 12 (filtered) to 15 (status) by function 04; CRCs of the block computed",
        """
    > 01 04 00 12 00 04 51 CC
    < 01 04 08 01 6E 00 00 00 FB 00 00 1B F6
    """,
        [Temperature(36.6, 25.1)],
        finds=3,
    ),
    "modbus-thermometer": Transcript(
        "hardware notes 1.7: register 12 alone",
        """
    > 01 04 00 12 00 01 91 CF
    < 01 04 02 01 6E 39 4C
    """,
        [Temperature(36.6, None)],
        finds=3,
        link=partial(ModbusLink, registers=ONE_REGISTER),
    ),
    "rdm6300": Transcript(
        "hardware notes 3: card 0006572982, checksum 86, twice, as it repeats",
        """
    < 02 31 46 30 30 36 34 34 42 42 36 38 36 03
    < 02 31 46 30 30 36 34 34 42 42 36 38 36 03
    """,
        [CardRead("1F00644BB6", "em4100")],
    ),
    "id-12": Transcript(
        "hardware notes 3: card 68472190, checksum A3, with CR LF before the 03",
        """
    < 02 30 30 30 34 31 34 43 44 37 45 41 33 0D 0A 03
    """,
        [CardRead("000414CD7E", "em4100")],
    ),
    "pn532": Transcript(
        "hardware notes 3; RFConfiguration after UM0701-02, 7.3.1, its sums computed",
        f"""
    > 55 55 {"00 " * 14} FF 03 FD D4 14 01 17 00
    < {ACK} 00 00 FF 02 FE D5 15 16 00
    > 00 00 FF 02 FE D4 02 2A 00
    < {ACK} 00 00 FF 06 FA D5 03 32 01 06 07 E8 00
    > 00 00 FF 06 FA D4 32 05 FF 01 01 F4 00
    < {ACK} 00 00 FF 02 FE D5 33 F8 00
    > 00 00 FF 04 FC D4 4A 01 00 E1 00
    < {ACK} 00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 24 D3 4F 59 2F 00
    """,
        [CardRead("24D34F59", "iso14443a")],
    ),
    "identity-card": Transcript(
        "hardware notes 3; the person is the example of GB 11643-1999",
        f"""
    > {_START} 00 03 11 FF ED
    < {_START} 00 04 00 00 90 94
    > {_START} 00 03 20 01 22
    < {_START} 00 08 00 00 9F 00 00 00 00 97
    > {_START} 00 03 20 02 21
    < {_START} 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C
    > {_START} 00 03 30 01 32
    < {_identity_card()}
    """,
        [CardRead(card_id("11010519491231002X", KEY), "prc-id", (("name", "门神"),))],
        link=partial(IdentityCardLink, wanted=Wanted(KEY, (identity_card.Field.NAME,))),
    ),
    "gm65": Transcript(
        "hardware notes 2.1, a module out of its box that types: set up zone by zone; CRCs that are not there computed (XMODEM)",
        """
    > 7E 00 07 01 00 E2 01 77 91
    < 02 00 00 01 65 0F 32
    > 7E 00 07 01 00 03 01 54 12
    < 02 00 00 01 01 23 10
    > 7E 00 08 01 00 03 02 01 88
    < 02 00 00 01 00 33 31
    > 7E 00 07 01 00 03 01 54 12
    < 02 00 00 01 02 13 73
    > 7E 00 07 01 00 0D 01 77 1D
    < 02 00 00 01 A1 96 FA
    > 7E 00 08 01 00 0D A0 B7 2F
    < 02 00 00 01 00 33 31
    > 7E 00 07 01 00 0D 01 77 1D
    < 02 00 00 01 A0 86 DB
    > 7E 00 07 01 00 60 01 0A 6B
    < 02 00 00 01 01 23 10
    > 7E 00 08 01 00 60 81 FE 1A
    < 02 00 00 01 00 33 31
    > 7E 00 07 01 00 60 01 0A 6B
    < 02 00 00 01 81 B2 98
    > 7E 00 07 01 00 00 01 01 41
    < 02 00 00 01 D4 B8 C8
    > 7E 00 08 01 00 00 D6 DF 22
    < 02 00 00 01 00 33 31
    > 7E 00 07 01 00 00 01 01 41
    < 02 00 00 01 D6 98 8A
    > 7E 00 07 01 00 05 01 FE B4
    < 02 00 00 01 05 63 94
    > 7E 00 07 01 00 13 01 57 61
    < 02 00 00 01 00 33 31
    > 7E 00 09 01 00 00 00 DE C8
    < 02 00 00 01 00 33 31
    <~ 03 00 0A 4D 50 31 3A E9 97 A8 E7 A5 9E
    """,
        [CodeRead("MP1:门神".encode(), "MP1:门神", "", "gm65")],
        finds=3,
        every_ms=500,
    ),
    "hid-scanner": Transcript(
        "hardware notes 2.3 and linux/input-event-codes.h: Shift, M, P, 1, Enter; nothing tells a flipped bit",
        f"""
    <~ {_keys((42, 1), (50, 1), (50, 0), (25, 1), (25, 2), (25, 0), (42, 0), (2, 1), (2, 0), (28, 1), (28, 0))}
    """,
        [CodeRead(b"MP1", "MP1", "", "hid")],
        finds=0,
        every_ms=2_000,
        link=KeysAsStream,
    ),
    "wiegand": Transcript(
        "hardware notes 3: facility 123, card 45678 in 26 bits, 2F764DD",
        f"""
    < {" ".join(f"0{bit}" for bit in f"{0x2F764DD:026b}")}
    = 100
    """,
        [CardRead("007BB26E", "wiegand")],
        link=PulsesAsStream,
    ),
}
"""Model → its conversation, as it is written."""
TRANSCRIPTS: Final = _joined(ROWS)
"""The same, each with its link."""


# people, at a simulator


def act(name: str, simulator: Any) -> None:
    """A person, a card or a code comes."""
    match MODELS[name].kind:
        case Kind.THERMOMETER:
            simulator.approach(PERSON_C)
        case Kind.CODE_SCANNER:
            simulator.show("MP1:A")
        case _ if name == "identity-card":
            simulator.hold({identity_card.Field.NUMBER: "11010519491231002X", identity_card.Field.NAME: "门神"})
        case _:
            (card, *_) = TRANSCRIPTS[name].readings
            assert isinstance(card, CardRead)
            simulator.hold(card.uid)


def undo(name: str, simulator: Any) -> None:
    """And goes."""
    match MODELS[name].kind:
        case Kind.THERMOMETER:
            simulator.leave()
        case Kind.CODE_SCANNER:
            simulator.clear()
        case _:
            simulator.remove()
