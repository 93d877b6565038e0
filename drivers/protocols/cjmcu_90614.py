"""Infrared thermometer CJMCU-90614 with a serial port. UART 8N1, 115200 baud unless it was set otherwise.

Source: hardware notes 1.2 (electronicpro.co.za, CJMCU-MLX90614 BCC; newegg.ca 3D0-0039-001C4). Unit: °C, in hundredths.

    module  66 66 mode 04 TOh TOl TAh TAl sum   mode 01: streams, 02: was asked; sum: of the four bytes of data alone, low 8 bits
    host    66 66 command 56                    no checksum
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar, Final

from drivers.errors import BadFrame
from drivers.protocols.frames import Frame
from drivers.protocols.infrared import Measured, Place, StreamLink, TemperatureFrame
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import FINE, Still

START: Final = bytes.fromhex("66 66")
MODES: Final = (0x01, 0x02)


class Command(IntEnum):
    """What the host can ask."""

    STREAM = 0x01
    ONCE = 0x02
    BAUD_9600 = 0x11
    BAUD_57600 = 0x12
    BAUD_115200 = 0x13


def command(asked: Command) -> bytes:
    """The host's frame."""
    return START + bytes((asked, 0x56))


def decode_command(frame: bytes) -> Command:
    """What a host's frame asks. Raises BadFrame."""
    try:
        if frame[3] == 0x56:
            return Command(frame[2])
    except ValueError:
        pass
    raise BadFrame(f"no command: {frame.hex(' ')}")


def check(frame: bytes) -> None:
    """Raises BadFrame for a wrong mode, length or sum: the sum leaves the first four bytes out."""
    if frame[2] not in MODES or frame[3] != 4:
        raise BadFrame(f"no frame: {frame.hex(' ')}")
    if sum(frame[4:8]) & 0xFF != frame[8]:
        raise BadFrame(f"wrong sum: {frame.hex(' ')}")


FRAME: Final = TemperatureFrame(
    START, 9, check, object=Place(4, Quantity(-70.0, 380.0)), ambient=Place(6, Quantity(-40.0, 125.0))
)
"""What an MLX90614 can measure; there is no error code."""
HOST_FRAME: Final[Frame[Command]] = Frame(START, 4, decode_command)


def encode(object_c: float, ambient_c: float, mode: int = 0x01) -> bytes:
    """The module's frame. Raises WrongUse for what 16 bits cannot hold."""
    data = FRAME.object.quantity.encode(object_c) + FRAME.ambient.quantity.encode(ambient_c)
    return START + bytes((mode, 4)) + data + bytes((sum(data) & 0xFF,))


class Cjmcu90614Link(StreamLink):
    """One connection to a CJMCU-90614. A module that waits to be asked is told to stream."""

    frame: ClassVar[Frame[Measured]] = FRAME.stream
    bauds: ClassVar[Sequence[int]] = (115_200, 9_600, 57_600)
    still: ClassVar[Still] = FINE
    greeting: ClassVar[bytes] = command(Command.STREAM)
    first_ms: ClassVar[int] = 3_000
