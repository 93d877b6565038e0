"""Infrared thermometer GY-614V: object, surroundings, and a body's temperature that it makes of a forehead's. UART 8N1.

Source: hardware notes 1.3 (wap.szlitus.com/products/show-4084; the header of its stream after the read frames of that page).
Unit: °C, in hundredths, big-endian. The rate that it is delivered with is not stated: all are tried.

    module  A4 03 07 07  E  TOh TOl  TAh TAl  BOh BOl  sum   E emissivity in hundredths; sum: of all bytes before, low 8 bits
    host    A4 06 register value sum                         writes one register
            A4 03 start count sum                            reads some: answered by the same head, their values and a sum, so
                                                             that those of 07 to 0D are a frame of its stream

Nothing is saved in the module (register 05): what the greeting sets is gone with its power.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from drivers.errors import BadFrame
from drivers.protocols.frames import Frame
from drivers.protocols.infrared import Measured, Place, StreamLink, TemperatureFrame, check_sum, summed
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import FINE, Still

ADDRESS: Final = 0xA4
START: Final = bytes((ADDRESS, 0x03, 0x07, 0x07))
BAUDS: Final = (2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400)
"""By index, as register 01 has them."""
RATES: Final = (1, 2, 5, 10)
"""Frames a second by index, as register 02 has them."""


class Register(IntEnum):
    """What the host can write."""

    BAUD = 0x01
    RATE = 0x02
    OUTPUT = 0x03  # 0 streams, 1 waits to be asked
    FORMAT = 0x04  # 0 binary, 1 text
    SAVE = 0x05


STREAMS: Final = 0
BINARY: Final = 0
TEN_A_SECOND: Final = 3


@dataclass(frozen=True, slots=True)
class Write:
    """A register that the host sets."""

    register: Register
    value: int


def write(register: Register, value: int) -> bytes:
    """The host's frame."""
    return summed(bytes((ADDRESS, 0x06, register, value)))


@dataclass(frozen=True, slots=True)
class Read:
    """Registers that the host asks for."""

    start: int
    count: int


READ_ALL: Final = summed(START)
"""The host's question for emissivity and all values."""


def decode_host(frame: bytes) -> Write | Read:
    """What a host's frame sets or asks for. Raises BadFrame."""
    check_sum(frame)
    if frame[1] == START[1]:
        return Read(frame[2], frame[3])
    if frame[1] != 0x06:
        raise BadFrame(f"neither a read nor a write: {frame.hex(' ')}")
    try:
        return Write(Register(frame[2]), frame[3])
    except ValueError as error:
        raise BadFrame(f"no register: {frame.hex(' ')}") from error


def check(frame: bytes) -> None:
    """Raises BadFrame for a wrong sum, and for an emissivity that there is not."""
    check_sum(frame)
    if not 1 <= frame[4] <= 100:
        raise BadFrame(f"an emissivity of {frame[4]} hundredths")


FRAME: Final = TemperatureFrame(
    START,
    12,
    check,
    object=Place(5, Quantity(-70.0, 380.0)),
    ambient=Place(7, Quantity(-40.0, 125.0)),
    body=Place(9, Quantity(30.0, 45.0)),
)
HOST_FRAME: Final[Frame[Write | Read]] = Frame(bytes((ADDRESS,)), 5, decode_host)


def encode(object_c: float, ambient_c: float, body_c: float, emissivity: float = 0.98) -> bytes:
    """The module's frame. Raises WrongUse for what 16 bits cannot hold."""
    quantity = FRAME.object.quantity
    values = b"".join(quantity.encode(value) for value in (object_c, ambient_c, body_c))
    return summed(START + bytes((round(emissivity * 100),)) + values)


class Gy614vLink(StreamLink):
    """One connection to a GY-614V, which is told to stream ten binary frames a second."""

    frame: ClassVar[Frame[Measured]] = FRAME.stream
    bauds: ClassVar[Sequence[int]] = (9_600, 115_200, 19_200, 38_400, 57_600, 230_400, 4_800, 2_400)
    still: ClassVar[Still] = FINE
    greeting: ClassVar[bytes] = (
        write(Register.OUTPUT, STREAMS) + write(Register.FORMAT, BINARY) + write(Register.RATE, TEN_A_SECOND)
    )
    first_ms: ClassVar[int] = 7_000
    faster: ClassVar[Sequence[bytes]] = (write(Register.RATE, TEN_A_SECOND),) * 2  # the greeting's last write was lost
