"""Infrared thermometer GD60914 for forehead or wrist. UART 9600 8N1.

Source: hardware notes 1.5 (ESPHome's component gd60914). Unit: °C, in tenths. There is no checksum and no start: an answer is
seven characters after a question, and nothing else is. It does not tell its surroundings. Its commands A9 A2 … rewrite its
calibration and are never sent.

    host    A1 once: measure when asked; then AA the object, AB the body by the forehead, AC by the wrist
    module  seven ASCII characters: one decimal number of tenths, spaces or zeros before it, spaces or line ends behind it
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.infrared import Measured, SensorFault
from drivers.protocols.polling import Ear, Pace, Poll, Question
from drivers.protocols.stillness import TENTHS_ALONE, Still
from drivers.readings import Temperature
from drivers.tally import Count

SINGLE: Final = b"\xa1"
LENGTH: Final = 7
_NUMBER: Final = re.compile(rb"[ ]*(-?[0-9]{1,7})[ \r\n\0]*")
MEASURES_C: Final = (1.0, 99.9)
"""What it can measure is not stated. Zero is what a failed measurement would look like: it is none."""
_PACE: Final = Pace(silent_ms=800, quiet_ms=100, first_ms=3_000, stale_ms=2_000)
"""How long a measurement takes is not stated. All its answers are to the same question: late is not wrong."""


class Asked(IntEnum):
    """What it can be asked for."""

    OBJECT = 0xAA
    FOREHEAD = 0xAB
    WRIST = 0xAC


def decode(answer: bytes) -> float:
    """°C, of seven characters. Raises BadFrame."""
    found = _NUMBER.fullmatch(answer) if len(answer) == LENGTH else None
    if found is None:
        raise BadFrame(f"no answer: {answer.hex(' ')}")
    return int(found[1]) / 10


def encode(celsius: float) -> bytes:
    """The answer, with spaces before the number. Raises WrongUse for what seven characters cannot hold."""
    text = f"{round(celsius * 10):7d}"
    if len(text) != LENGTH:
        raise WrongUse(f"{celsius} °C: seven characters hold -99999.9 to 999999.9")
    return text.encode("ascii")


class _Ear:
    """An answer is exactly seven bytes. With more, nobody can say which of them are the number."""

    def __init__(self) -> None:
        self._heard = b""

    def hear(self, chunk: bytes, count: Count) -> bytes | SensorFault | None:
        self._heard += chunk[: LENGTH + 1]
        if len(self._heard) < LENGTH:
            return None
        try:
            decode(self._heard)
        except BadFrame:
            count.bad += 1
            count.noise += len(chunk)
            return None  # until the time for the answer is over: what still comes is part of the same noise
        count.good += 1
        return self._heard


@dataclass(frozen=True, slots=True)
class _Question:
    sent: bytes

    def listen(self) -> Ear:
        return _Ear()


@dataclass(frozen=True, slots=True)
class Gd60914Round:
    """`asked`: what for; `room_c`: the room's temperature, where somebody vouches for it."""

    asked: Asked
    room_c: float | None

    @property
    def questions(self) -> Sequence[Question]:
        """One."""
        return (_Question(bytes((self.asked,))),)

    def reading(self, answers: Sequence[bytes]) -> Measured:
        """Of its answer."""
        value = decode(answers[0])
        if not MEASURES_C[0] <= value <= MEASURES_C[1]:
            return SensorFault(value, self.room_c, f"{value} °C")
        return Temperature(value, self.room_c, None if self.asked is Asked.OBJECT else value)


class Gd60914Link(Poll):
    """One connection to a GD60914."""

    bauds: ClassVar[Sequence[int]] = (9_600,)
    greeting: ClassVar[bytes] = SINGLE
    personal: ClassVar[bool] = False
    still: ClassVar[Still] = TENTHS_ALONE

    def __init__(self, now_ms: int, asked: Asked = Asked.FOREHEAD, room_c: float | None = None) -> None:
        super().__init__(Gd60914Round(asked, room_c), now_ms, _PACE, self.still)
