"""Thermal camera GY-MCU90640, 32 by 24 pixels. UART 8N1, 115200 or 460800 baud.

Source: hardware notes 1.4 (GY_MCU9064 user manual v1, by way of vvkuryshev/GY-MCU90640-RPI-Python and others; little-endian,
whatever some sketches do). Unit: °C, in hundredths. An MLX90640 is good to ±1.5 or 2 °C: it finds a warm face, and alone it
decides about no fever.

    module  5A 5A 02 06  768 pixels  ambient  sum      sum: of all 16-bit words before it, low 16 bits
    host    A5 group value sum                         sum: of all bytes before it, low 8 bits

The person is the hottest plausible patch of the picture: three by three pixels that may all be skin and are nearly as warm as
each other. A lamp is too hot and its edge too steep, and a broken pixel stands alone: what touches either counts for none.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from statistics import fmean, median_low
from typing import ClassVar, Final

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.frames import Frame
from drivers.protocols.infrared import SKIN_C, Measured, SensorFault, StreamLink, check_sum, summed
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import PICTURE, Still
from drivers.readings import Temperature

WIDTH: Final = 32
HEIGHT: Final = 24
PIXELS: Final = WIDTH * HEIGHT
START: Final = bytes.fromhex("5A 5A 02 06")
LENGTH: Final = 4 + 2 * PIXELS + 2 + 2
_WORDS: Final = struct.Struct(f"<{LENGTH // 2}H")
_VALUES: Final = struct.Struct(f"<{PIXELS + 1}h")
PIXEL: Final = Quantity(-40.0, 300.0, order="little")
AMBIENT: Final = Quantity(-40.0, 125.0, order="little")
BROKEN: Final = 4
"""Pixels that the sensor's maker allows to be broken: more than these, and the picture is none."""
STEEP_C: Final = 3.0  # skin differs by less than this within a patch
_AROUND: Final = tuple(down * WIDTH + right for down in (-1, 0, 1) for right in (-1, 0, 1))


class Group(IntEnum):
    """What the host can set."""

    BAUD = 0x15
    RATE = 0x25
    OUTPUT = 0x35


@dataclass(frozen=True, slots=True)
class Setting:
    """What a host's frame sets."""

    group: Group
    value: int


QUERY: Final = Setting(Group.OUTPUT, 1)
AUTOMATIC: Final = Setting(Group.OUTPUT, 2)
BAUDS: Final = {1: 9_600, 2: 115_200, 3: 460_800}
FASTER: Final = (Setting(Group.RATE, 3), Setting(Group.RATE, 2))
"""What the sources call 4 Hz: they disagree, and so it is measured."""


def command(asked: Setting) -> bytes:
    """The host's frame."""
    return summed(bytes((0xA5, asked.group, asked.value)))


def decode_command(frame: bytes) -> Setting:
    """What a host's frame sets. Raises BadFrame."""
    check_sum(frame)
    try:
        return Setting(Group(frame[1]), frame[2])
    except ValueError as error:
        raise BadFrame(f"no command: {frame.hex(' ')}") from error


@dataclass(frozen=True, slots=True)
class Picture:
    """`pixels_c`: row by row, °C, 768 of them; `ambient_c`: the sensor itself."""

    pixels_c: Sequence[float]
    ambient_c: float


def decode_picture(frame: bytes) -> Picture:
    """A whole frame. Raises BadFrame for a wrong sum."""
    *words, told = _WORDS.unpack(frame)
    if sum(words) & 0xFFFF != told:
        raise BadFrame("wrong sum of a picture")
    *pixels, ambient = _VALUES.unpack_from(frame, len(START))
    return Picture([value / PIXEL.steps for value in pixels], ambient / AMBIENT.steps)


def encode(picture: Picture) -> bytes:
    """The module's frame. Raises WrongUse for another number of pixels, and for what 16 bits cannot hold."""
    if len(picture.pixels_c) != PIXELS:
        raise WrongUse(f"{len(picture.pixels_c)} pixels: a picture has {PIXELS}")
    body = START + b"".join(map(PIXEL.encode, picture.pixels_c)) + AMBIENT.encode(picture.ambient_c)
    words: tuple[int, ...] = struct.unpack(f"<{len(body) // 2}H", body)
    return body + (sum(words) & 0xFFFF).to_bytes(2, "little")


def warmest(picture: Picture) -> float | None:
    """The mean of the hottest plausible patch, °C; None where nothing in the picture may be skin."""
    pixels = picture.pixels_c
    skin = _skin(pixels)
    if not any(skin):
        return None
    patches = ([pixels[at + step] for step in _AROUND] for at in _inner() if all(skin[at + step] for step in _AROUND))
    return max((fmean(patch) for patch in patches if max(patch) - min(patch) <= STEEP_C), default=None)


def _skin(pixels: Sequence[float]) -> list[bool]:
    """Which pixels may be skin: warm as skin is, and beside nothing hotter, for that blurs."""
    skin = [SKIN_C[0] <= value <= SKIN_C[1] for value in pixels]
    for at in (at for at, value in enumerate(pixels) if value > SKIN_C[1]):
        for near in _near(at):
            skin[near] = False
    return skin


def _near(at: int) -> Iterator[int]:
    row, column = divmod(at, WIDTH)
    for down in range(max(0, row - 1), min(HEIGHT, row + 2)):
        for right in range(max(0, column - 1), min(WIDTH, column + 2)):
            yield down * WIDTH + right


def _inner() -> Sequence[int]:
    """The pixels that have eight around them."""
    return [row * WIDTH + column for row in range(1, HEIGHT - 1) for column in range(1, WIDTH - 1)]


def measure(picture: Picture) -> Measured:
    """The reading of a picture: its hottest plausible patch, else the room's."""
    broken = sum(not PIXEL.holds(value) for value in picture.pixels_c)
    if broken > BROKEN:
        return SensorFault(None, picture.ambient_c, f"{broken} of {PIXELS} pixels are broken")
    if not AMBIENT.holds(picture.ambient_c):
        return SensorFault(None, picture.ambient_c, f"{picture.ambient_c} °C for itself")
    skin_c = warmest(picture)
    seen_c = _room(picture) if skin_c is None else skin_c
    if seen_c is None:
        return SensorFault(None, picture.ambient_c, "neighbouring pixels that differ as no surface does")
    return Temperature(round(seen_c, 2), picture.ambient_c)


def _room(picture: Picture) -> float | None:
    """Where no patch is skin: the middle of everything that is not as warm as skin. None where all is, and yet no patch."""
    others = [value for value in picture.pixels_c if PIXEL.holds(value) and not SKIN_C[0] <= value <= SKIN_C[1]]
    return median_low(others) if others else None


def decode(frame: bytes) -> Measured:
    """A whole frame's reading. Raises BadFrame."""
    return measure(decode_picture(frame))


FRAME: Final[Frame[Measured]] = Frame(START, LENGTH, decode)
HOST_FRAME: Final[Frame[Setting]] = Frame(b"\xa5", 4, decode_command)


class GyMcu90640Link(StreamLink):
    """One connection to a GY-MCU90640, which is told to stream, and to be faster when it is too slow to measure by."""

    frame: ClassVar[Frame[Measured]] = FRAME
    bauds: ClassVar[Sequence[int]] = (115_200, 460_800)
    still: ClassVar[Still] = PICTURE
    greeting: ClassVar[bytes] = command(AUTOMATIC)
    first_ms: ClassVar[int] = 3_000
    faster: ClassVar[Sequence[bytes]] = tuple(map(command, FASTER))
