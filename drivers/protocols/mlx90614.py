"""Infrared thermometer MLX90614 on an I²C bus, at most 100 kHz; the first reading 250 ms after power.

Source: hardware notes 1.8 (commandus/irthermometer README; ESPHome mlx90614.cpp; CSDN 135417123). Unit: °C, resolution 0.02,
±0.5. One word of RAM a read:

    host    address|W command  address|R        command 06 the sensor itself, 07 the object
    sensor  low high PEC                        (low, high) / 50 - 273.15 °C; bit 15: an error; PEC: CRC-8 of all five bytes
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.infrared import Belief, Measured, SensorFault
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import FINE, Still
from drivers.readings import DeviceState, Temperature
from drivers.tally import Count

ADDRESS: Final = 0x5A
AMBIENT: Final = 0x06
OBJECT: Final = 0x07
LENGTH: Final = 3
ERROR: Final = 0x80  # of the high byte
STEPS, ZERO_C = 50.0, -273.15
OBJECT_C: Final = Quantity(-70.0, 382.0, STEPS, ZERO_C, order="little", signed=False)
AMBIENT_C: Final = Quantity(-40.0, 125.0, STEPS, ZERO_C, order="little", signed=False)


def crc8(data: bytes) -> int:
    """SMBus's packet error code: polynomial 07, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc


def pec(address: int, command: int, word: bytes) -> int:
    """Of a read, with both addresses as they are on the wire."""
    return crc8(bytes((address << 1, command, address << 1 | 1)) + word)


def decode(command: int, answer: bytes, address: int = ADDRESS) -> float | None:
    """°C; None: the sensor says that it has none. Raises BadFrame."""
    if len(answer) != LENGTH or pec(address, command, answer[:2]) != answer[2]:
        raise BadFrame(f"wrong PEC: {answer.hex(' ')}")
    if answer[1] & ERROR:
        return None
    return (OBJECT_C if command == OBJECT else AMBIENT_C).decode(answer[:2])


def encode(command: int, celsius: float, address: int = ADDRESS) -> bytes:
    """The sensor's answer. Raises WrongUse for what it cannot say."""
    word = OBJECT_C.encode(celsius)
    if word[1] & ERROR:
        raise WrongUse(f"{celsius} °C: bit 15 is the error's")
    return word + bytes((pec(address, command, word),))


class Mlx90614Link:
    """A sensor on a bus, from `now_ms` on. `reads`: what to send and how much to read, for one reading."""

    address: ClassVar[int] = ADDRESS
    still: ClassVar[Still] = FINE
    reads: ClassVar[Sequence[tuple[bytes, int]]] = ((bytes((OBJECT,)), LENGTH), (bytes((AMBIENT,)), LENGTH))

    def __init__(self, now_ms: int, address: int = ADDRESS) -> None:
        self.count = Count()
        self._address = address
        self._belief = Belief(now_ms, self.count, self.still)

    def take(self, answers: Sequence[bytes], now_ms: int) -> list[Temperature]:
        """The reading that these answers are, if they are one. Never raises."""
        try:
            object_c, ambient_c = (
                decode(command, answer, self._address)
                for command, answer in zip((OBJECT, AMBIENT), answers, strict=True)
            )
        except (BadFrame, ValueError):
            self.count.bad += 1
            self.count.noise += sum(map(len, answers))
            return []
        self.count.good += 1
        return self._belief.take([_measured(object_c, ambient_c)], now_ms)

    def somebody(self, *, near: bool) -> None:
        """See Watched.somebody."""
        self._belief.near = near

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """See Belief.health."""
        return self._belief.health(now_ms)


def _measured(object_c: float | None, ambient_c: float | None) -> Measured:
    if object_c is None or ambient_c is None:
        return SensorFault(object_c, ambient_c, "its error bit is set")
    if not (OBJECT_C.holds(object_c) and AMBIENT_C.holds(ambient_c)):
        return SensorFault(object_c, ambient_c)
    return Temperature(object_c, ambient_c)
