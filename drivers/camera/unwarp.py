"""A code on cloth, round a can or half destroyed: laid flat, sampled module by module, and drawn anew.

Three eyes give a first, straight grid. Between them the grid follows the code's own edges: the place of every edge within
its module is a phase, which is smoothed over the neighbours and followed outwards from the corner eye. What is known of
every code (eyes, timing, alignment) is drawn and not sampled, so that damage there costs nothing. Whether the modules are
a code's is zxing-cpp's to say, with the code's own error correction: nothing is guessed.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from drivers.camera.finders import Code, Eye, Points, codes_of, find_eyes
from drivers.camera.frames import Box, Gray
from drivers.camera.symbol import DARK, UNKNOWN, fixed_modules, side

Field = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

_PX = 8  # pixels a module in the code laid flat
_ROUNDS = 2  # times the grid follows the edges
_SMOOTH = (2.0, 1.5)  # modules over which each round smooths the phase
_FARTHEST = 6.0  # modules that the grid may move in one round
_AGREE = 0.7  # share of the known modules that must be right for the rest to be worth reading
_MEMORY = 5  # pictures of one code that are put together
_FORMATS = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])


@dataclass(frozen=True, slots=True)
class Flat:
    """A code's modules in grey, n × n, and how many of the known ones are right (0 to 1)."""

    version: int
    grey: npt.NDArray[np.float32]
    agreement: float


class Unwarper:
    """Reads bent and damaged codes. It remembers the modules of the last pictures: several that are each too poor to be
    read are put together."""

    def __init__(self) -> None:
        self._memory: deque[Flat] = deque(maxlen=_MEMORY)

    def read(self, gray: Gray) -> tuple[list[tuple[bytes, Box]], list[Code]]:
        """The codes read, with their places, and those that look like codes and could not be read."""
        read: list[tuple[bytes, Box]] = []
        unread: list[Code] = []
        for code in codes_of(find_eyes(gray)):
            data = self._read(gray, code)
            if data is None:
                unread.append(code)
            else:
                read.append((data, code.box))
        return read, unread

    def _read(self, gray: Gray, code: Code) -> bytes | None:
        flats = sorted(_flattened(gray, code), key=lambda flat: -flat.agreement)
        for flat in flats[:2]:
            if flat.agreement < _AGREE:
                break
            data = _decode(flat.version, flat.grey)
            if data is None:
                data = self._together(flat)
            if data is not None:
                self._memory.clear()
                return data
        return None

    def _together(self, flat: Flat) -> bytes | None:
        """Read what the last pictures of a code of this size have in common."""
        self._memory.append(flat)
        same = [_standard(each.grey) for each in self._memory if each.version == flat.version]
        if len(same) < 2:
            return None
        return _decode(flat.version, np.mean(same, axis=0, dtype=np.float32))


def _standard(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray((grey - grey.mean()) / (grey.std() + 1) * 50 + 128, np.float32)


def _flattened(gray: Gray, code: Code) -> Iterator[Flat]:
    """The code laid flat for every size it may have."""
    about = (code.n - 17) / 4
    sizes = {int(about), int(about) + 1, round(0.93 * about), round(1.07 * about)}
    for version in sorted(size for size in sizes if 1 <= size <= 40):
        plane = _plane(code, side(version))
        if plane is None:
            continue
        grey = _modules(_flat_picture(gray, plane, side(version)))
        known = fixed_modules(version)
        right = (grey < _threshold(grey, 9)) == (known == DARK)
        yield Flat(version, grey, float(right[known != UNKNOWN].mean()))


def _plane(code: Code, n: int) -> Field | None:
    """The projection from modules to pixels that fits the three eyes."""
    across, down = code.right.middle - code.corner.middle, code.below.middle - code.corner.middle
    modules: list[Points] = []
    pixels: list[Points] = []
    for eye, left, top in ((code.corner, 0, 0), (code.right, n - 7, 0), (code.below, 0, n - 7)):
        square = np.array([(0, 0), (7, 0), (7, 7), (0, 7), (3.5, 3.5)], np.float32)
        modules.append(square + np.array((left, top), np.float32))
        pixels.append(np.vstack([_in_order(eye, across, down), eye.middle]))
    plane, _ = cv2.findHomography(np.vstack(modules), np.vstack(pixels))
    return None if plane is None else np.asarray(plane, np.float64)


def _in_order(eye: Eye, across: Points, down: Points) -> Points:
    """Its corners as the code has them: upper left, upper right, lower right, lower left."""
    axes = np.stack([across / np.hypot(*across), down / np.hypot(*down)], axis=1)
    x, y = ((eye.corners - eye.middle) @ np.linalg.inv(axes).T).T
    return np.stack([eye.corners[np.argmax(sx * x + sy * y)] for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def _flat_picture(gray: Gray, plane: Field, n: int) -> Gray:
    """The code laid flat, `_PX` pixels a module, its grid following its edges."""
    right, down = np.zeros((n, n)), np.zeros((n, n))
    flat = _look_up(gray, plane, n, right, down)
    for spread in _SMOOTH[:_ROUNDS]:
        right = _smooth(right + _off_by(flat, n, spread, 1), 1.0)
        down = _smooth(down + _off_by(flat, n, spread, 0), 1.0)
        flat = _look_up(gray, plane, n, right, down)
    return flat


def _look_up(gray: Gray, plane: Field, n: int, right: Field, down: Field) -> Gray:
    size = (n * _PX, n * _PX)
    along = (np.arange(n * _PX) + 0.5) / _PX
    x = along[None, :] + cv2.resize(right, size)
    y = along[:, None] + cv2.resize(down, size)
    scale = plane[2, 0] * x + plane[2, 1] * y + plane[2, 2]
    scale = np.where(np.abs(scale) < 1e-6, 1e-6, scale)
    map_x = ((plane[0, 0] * x + plane[0, 1] * y + plane[0, 2]) / scale).astype(np.float32)
    map_y = ((plane[1, 0] * x + plane[1, 1] * y + plane[1, 2]) / scale).astype(np.float32)
    return np.asarray(cv2.remap(gray, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _off_by(flat: Gray, n: int, spread: float, axis: int) -> Field:
    """How far each module's edges are from the grid along an axis, in modules."""
    grey = flat.astype(np.float32)
    edges = np.abs(np.diff(grey, axis=axis, prepend=np.take(grey, [0], axis=axis)))
    turn = np.exp(2j * np.pi * np.arange(n * _PX) / _PX)
    turned = edges * (turn[None, :] if axis else turn[:, None])
    cells: Complex = turned.reshape(n, _PX, n, _PX).sum(axis=(1, 3))
    smooth = _smooth(cells.real, spread) + 1j * _smooth(cells.imag, spread)
    return np.clip(_followed(np.angle(smooth)) / (2 * np.pi), -_FARTHEST, _FARTHEST)


def _smooth(values: Field, spread: float) -> Field:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float64)


def _followed(phase: Field) -> Field:
    """The phase without its jumps, followed from the corner eye: along the side and inwards, both ways."""
    rows = np.unwrap(phase, axis=1)
    rows += (np.unwrap(phase[:, 0]) - rows[:, 0])[:, None]
    columns = np.unwrap(phase, axis=0)
    columns += (np.unwrap(phase[0]) - columns[0])[None, :]
    return np.asarray((rows + columns) / 2, np.float64)


def _modules(flat: Gray) -> npt.NDArray[np.float32]:
    """The grey of each module's middle."""
    n = flat.shape[0] // _PX
    middles = flat.reshape(n, _PX, n, _PX)[:, 2:6, :, 2:6]
    return np.asarray(middles.mean(axis=(1, 3), dtype=np.float32), np.float32)


def _threshold(grey: npt.NDArray[np.float32], window: int) -> npt.NDArray[np.float32]:
    """Between light and dark at each module: the mean about it, and the middle of the extremes about it."""
    about = np.ones((5, 5), np.uint8)
    middle = cv2.GaussianBlur((cv2.erode(grey, about) + cv2.dilate(grey, about)) / 2, (0, 0), 3)
    return np.asarray((cv2.blur(grey, (window, window)) + middle) / 2, np.float32)


def _decode(version: int, grey: npt.NDArray[np.float32]) -> bytes | None:
    """The content of a code with these modules, by the first threshold under which they are one."""
    known = fixed_modules(version)
    for threshold in (_threshold(grey, 9), _threshold(grey, 5), np.float32(grey.mean())):
        dark = np.where(known == UNKNOWN, grey < threshold, known == DARK)
        picture = np.kron(np.where(np.pad(dark, 4), 0, 255), np.ones((3, 3))).astype(np.uint8)
        found = zxingcpp.read_barcodes(
            picture,
            formats=_FORMATS,
            binarizer=zxingcpp.Binarizer.BoolCast,
            try_rotate=False,
            try_downscale=False,
            try_invert=False,
        )
        for code in found:
            if code.valid and code.bytes:
                return code.bytes
    return None
