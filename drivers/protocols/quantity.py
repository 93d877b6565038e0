"""The one codec of temperatures: a number of a few bytes, its scale and its sign. A model declares its own, and no more.

Unit: °C. What a sensor cannot measure is not refused here: who reads it asks `holds`, for that is a fault and no reading.
"""

import math
import struct
from dataclasses import dataclass
from typing import Final, Literal

from drivers.errors import BadFrame, WrongUse

DECIMALS: Final = 3  # finer than any of these sensors
_FLOAT: Final = {"big": ">f", "little": "<f"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """`lowest`, `highest`: what the sensor can measure, °C. Its number on the wire is (°C - `zero_c`) * `steps`."""

    lowest: float
    highest: float
    steps: float = 100.0
    zero_c: float = 0.0
    size: int = 2
    order: Literal["big", "little"] = "big"
    signed: bool = True
    is_float: bool = False

    def decode(self, raw: bytes) -> float:
        """°C, of `size` bytes. Raises BadFrame for a number that is none."""
        if len(raw) != self.size:
            raise BadFrame(f"{len(raw)} bytes for a number of {self.size}")
        number = self._float(raw) if self.is_float else int.from_bytes(raw, self.order, signed=self.signed)
        return round(number / self.steps + self.zero_c, DECIMALS)

    def encode(self, celsius: float) -> bytes:
        """The bytes. Raises WrongUse for what they cannot hold."""
        number = (celsius - self.zero_c) * self.steps
        if not math.isfinite(number):
            raise WrongUse(f"{celsius} °C is no number")
        try:
            if self.is_float:
                return struct.pack(_FLOAT[self.order], number)
            return round(number).to_bytes(self.size, self.order, signed=self.signed)
        except OverflowError as error:
            raise WrongUse(f"{celsius} °C: {self.size} bytes hold {self.least:g} to {self.most:g}") from error

    def holds(self, celsius: float) -> bool:
        """Whether the sensor can measure it."""
        return self.lowest <= celsius <= self.highest

    @property
    def least(self) -> float:
        """The lowest that its bytes can say, °C."""
        return self._end(-(1 << (8 * self.size - 1)) if self.signed else 0)

    @property
    def most(self) -> float:
        """The highest."""
        bits = 8 * self.size
        return self._end((1 << (bits - 1)) - 1 if self.signed else (1 << bits) - 1)

    def _end(self, number: int) -> float:
        return round(number / self.steps + self.zero_c, DECIMALS)

    def _float(self, raw: bytes) -> float:
        (number,) = struct.unpack(_FLOAT[self.order], raw)
        if not math.isfinite(number):
            raise BadFrame(f"no number: {raw.hex(' ')}")
        return float(number)
