"""Infrared thermometers GY-MCU90615 and GY-MCU90614 ("GY-906-UART"). UART 8N1.

Source: hardware notes 1.1 (blog.csdn.net/weixin_45633206/article/details/104829883; as99shop.com/product/363). Unit: °C;
the wire has hundredths, resolution 0.02. A module's default rate is 115200 baud with automatic output off (90615 V1), or
9600 with it on (90615 V2, 90614).

    module  5A 5A 45 04 TOh TOl TAh TAl sum    TO the object, TA the sensor itself; signed, big-endian, / 100 °C
    host    A5 command sum                     sum: of all bytes before it, low 8 bits
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar, Final

from drivers.errors import BadFrame
from drivers.protocols.frames import Frame
from drivers.protocols.infrared import (
    FIRST_MS,
    STALE_MS,
    Measured,
    Place,
    SensorFault,
    StreamLink,
    TemperatureFrame,
    check_sum,
    summed,
)
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import FINE, Still

__all__ = [
    "FIRST_MS",
    "HOST_FRAME",
    "MODULE_FRAME",
    "STALE_MS",
    "Command",
    "GyMcu90614Link",
    "GyMcu90615Link",
    "SensorFault",
    "command",
    "decode",
    "decode_command",
    "encode",
]

START: Final = bytes.fromhex("5A 5A 45 04")
OBJECT_C: Final = (-40.0, 115.0)
SENSOR_C: Final = (-40.0, 85.0)
"""What a 90615 can measure. It has no error code: a value outside means that the sensor is at fault."""


class Command(IntEnum):
    """What the host can ask. Rates and automatic output hold from the next power cycle on."""

    STREAM = 0x45
    ONCE = 0x15
    BAUD_9600 = 0xAE
    BAUD_115200 = 0xAF
    AUTOMATIC_ON = 0x51
    AUTOMATIC_OFF = 0x52


def command(asked: Command) -> bytes:
    """The host's frame."""
    return summed(bytes((0xA5, asked)))


def decode_command(frame: bytes) -> Command:
    """What a host's frame asks. Raises BadFrame."""
    check_sum(frame)
    try:
        return Command(frame[1])
    except ValueError as error:
        raise BadFrame(f"no command: {frame.hex(' ')}") from error


def _frame(object_c: Quantity, sensor_c: Quantity) -> TemperatureFrame:
    return TemperatureFrame(START, 9, check_sum, object=Place(4, object_c), ambient=Place(6, sensor_c))


M90615: Final = _frame(Quantity(*OBJECT_C), Quantity(*SENSOR_C))
M90614: Final = _frame(Quantity(-70.0, 380.0), Quantity(-40.0, 125.0))  # hardware notes 1.1, planet-gates.com


def encode(object_c: float, ambient_c: float) -> bytes:
    """The module's frame. Raises WrongUse for what 16 bits cannot hold."""
    return summed(START + M90615.object.quantity.encode(object_c) + M90615.ambient.quantity.encode(ambient_c))


def decode(frame: bytes) -> Measured:
    """A 90615's frame of 9 bytes. Raises BadFrame for a wrong sum."""
    return M90615.decode(frame)


MODULE_FRAME: Final[Frame[Measured]] = M90615.stream
HOST_FRAME: Final[Frame[Command]] = Frame(b"\xa5", 3, decode_command)


class GyMcu90615Link(StreamLink):
    """One connection to a GY-MCU90615. Either rate, and a module that waits to be asked is asked."""

    frame: ClassVar[Frame[Measured]] = MODULE_FRAME
    bauds: ClassVar[Sequence[int]] = (9_600, 115_200)
    still: ClassVar[Still] = FINE
    greeting: ClassVar[bytes] = command(Command.STREAM)


class GyMcu90614Link(GyMcu90615Link):
    """The same for a GY-MCU90614, which measures further."""

    frame: ClassVar[Frame[Measured]] = M90614.stream
