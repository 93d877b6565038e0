"""Infrared thermometers GY-MCU90615 and GY-MCU90614 ("GY-906-UART"). UART 8N1.

Source: hardware notes 1.1 (blog.csdn.net/weixin_45633206/article/details/104829883; as99shop.com/product/363). Unit: °C;
the wire has hundredths, resolution 0.02. A module's default rate is 115200 baud with automatic output off (90615 V1), or
9600 with it on (90615 V2, 90614).

    module  5A 5A 45 04 TOh TOl TAh TAl sum    TO the object, TA the sensor itself; signed, big-endian, / 100 °C
    host    A5 command sum                     sum: of all bytes before it, low 8 bits
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.frames import Frame, FrameReader
from drivers.readings import DeviceState, Temperature
from drivers.tally import Counted

START: Final = bytes.fromhex("5A 5A 45 04")
OBJECT_C: Final = (-40.0, 115.0)
SENSOR_C: Final = (-40.0, 85.0)
"""What a 90615 can measure. It has no error code: a value outside means that the sensor is at fault."""
STALE_MS: Final = 1_000
FIRST_MS: Final = 2_000  # until the first reading: both rates have been tried by then


class Command(IntEnum):
    """What the host can ask. Rates and automatic output hold from the next power cycle on."""

    STREAM = 0x45
    ONCE = 0x15
    BAUD_9600 = 0xAE
    BAUD_115200 = 0xAF
    AUTOMATIC_ON = 0x51
    AUTOMATIC_OFF = 0x52


@dataclass(frozen=True, slots=True)
class SensorFault:
    """A well-formed frame whose values the sensor cannot measure, °C. Never a reading."""

    object_c: float
    ambient_c: float


def command(asked: Command) -> bytes:
    """The host's frame."""
    return _summed(bytes((0xA5, asked)))


def decode_command(frame: bytes) -> Command:
    """What a host's frame asks. Raises BadFrame."""
    _check_sum(frame)
    try:
        return Command(frame[1])
    except ValueError as error:
        raise BadFrame(f"no command: {frame.hex(' ')}") from error


def encode(object_c: float, ambient_c: float) -> bytes:
    """The module's frame. Raises WrongUse for what 16 bits cannot hold."""
    try:
        return _summed(
            START + b"".join(round(value * 100).to_bytes(2, "big", signed=True) for value in (object_c, ambient_c))
        )
    except OverflowError as error:
        raise WrongUse(f"{object_c} and {ambient_c} °C: a frame holds -327.68 to 327.67") from error


def decode(frame: bytes) -> Temperature | SensorFault:
    """A module's frame of 9 bytes. Raises BadFrame for a wrong sum."""
    _check_sum(frame)
    object_c, ambient_c = (int.from_bytes(frame[at : at + 2], "big", signed=True) / 100 for at in (4, 6))
    if OBJECT_C[0] <= object_c <= OBJECT_C[1] and SENSOR_C[0] <= ambient_c <= SENSOR_C[1]:
        return Temperature(object_c, ambient_c)
    return SensorFault(object_c, ambient_c)


def _summed(body: bytes) -> bytes:
    return body + bytes((sum(body) & 0xFF,))


def _check_sum(frame: bytes) -> None:
    if sum(frame[:-1]) & 0xFF != frame[-1]:
        raise BadFrame(f"wrong sum: {frame.hex(' ')}")


MODULE_FRAME: Final[Frame[Temperature | SensorFault]] = Frame(START, 9, decode)
HOST_FRAME: Final[Frame[Command]] = Frame(b"\xa5", 3, decode_command)


class GyMcu90615Link:
    """One connection to a module, from `now_ms` on. Readings, and whether the module can be believed."""

    bauds: ClassVar[Sequence[int]] = (9_600, 115_200)
    greeting: ClassVar[bytes] = command(Command.STREAM)
    personal: ClassVar[bool] = False

    def __init__(self, now_ms: int) -> None:
        self._reader = FrameReader(MODULE_FRAME)
        self._opened_ms = now_ms
        self._valid_ms: int | None = None
        self._fault: SensorFault | None = None

    @property
    def count(self) -> Counted:
        """What has come."""
        return self._reader

    def ask(self, now_ms: int) -> bytes:
        """It streams by itself."""
        del now_ms
        return b""

    def feed(self, chunk: bytes, now_ms: int) -> list[Temperature]:
        """The readings that this chunk completes; a sensor's fault is none."""
        readings: list[Temperature] = []
        for message in self._reader.feed(chunk):
            if isinstance(message, SensorFault):
                self._fault = message
            else:
                self._fault = None
                self._valid_ms = now_ms
                readings.append(message)
        return readings

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """STALE after 1 s without a reading, 2 s before the first, and why; STARTING until the first."""
        since_ms, limit_ms = (self._opened_ms, FIRST_MS) if self._valid_ms is None else (self._valid_ms, STALE_MS)
        if now_ms - since_ms >= limit_ms:
            return DeviceState.STALE, f"no reading for {limit_ms / 1000:g} s: {self._why()}"
        return (DeviceState.STARTING if self._valid_ms is None else DeviceState.OK), ""

    def _why(self) -> str:
        reader = self._reader
        if self._fault is not None:
            fault = self._fault
            return f"the sensor is at fault, it says {fault.object_c} °C and {fault.ambient_c} °C for itself"
        if reader.noise and not reader.good:
            return f"{reader.noise} bytes came that are no frame of this model, {reader.bad} of them like one"
        return f"nothing comes any more ({reader.good} frames had come)" if reader.good else "nothing came"
