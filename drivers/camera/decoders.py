"""The decoders: zxing-cpp, which every picture gets, and the dear stages for what it can't read (cascade.py says when).

To add a stage, add a row to STAGES. Each reads what the earlier ones cannot (docs/camera.md has the figures). ZBar guesses
at what is not ASCII and guesses wrong (hardware notes, section 5), so only ASCII is taken from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import zxingcpp

from drivers.camera.frames import Box, Gray


class Seen(NamedTuple):
    """A code that was read, and where."""

    data: bytes
    box: Box


class Unread(NamedTuple):
    """What looks like a code and was not read. `module_px`: the side of its modules, 0 when that can't be told."""

    box: Box
    module_px: float = 0.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What a decoder saw."""

    codes: tuple[Seen, ...] = ()
    unread: tuple[Unread, ...] = ()


Decode = Callable[[Gray], Sight]
"""A decoder; `unread` may be left empty."""


class Stage(NamedTuple):
    """A row of the table. `load` gives the decoder at its first use, or raises ImportError when it is not installed."""

    name: str
    load: Callable[[], Decode]


_ENLARGED_PX = (
    1280  # a picture longer than this is not enlarged: its codes are large enough, and it would take too long
)
_UNWARPED_PX = 1920  # a longer one is made smaller to be unwarped: OpenCV's contours take a hundred times as long for ten times the noise
_LEAST_PX = 12  # what is smaller is no code


_Format = zxingcpp.BarcodeFormat
_QR = (_Format.QRCodeModel2, _Format.QRCodeModel1)
_PAPERS = (*_QR, _Format.DataMatrix, _Format.PDF417, _Format.Aztec, _Format.Code128, _Format.Code93, _Format.Code39)
"""What is on delivery notes and permits; those that hold digits alone (goods' numbers) are left out."""


def _zxing(*, whole: bool = True, of: Sequence[zxingcpp.BarcodeFormat] = _QR) -> Decode:
    formats = zxingcpp.BarcodeFormats(list(of))

    def decode(gray: Gray) -> Sight:
        found = zxingcpp.read_barcodes(
            gray, formats=formats, return_errors=True, try_rotate=whole, try_downscale=whole, try_invert=whole
        )
        codes = tuple(Seen(code.bytes, _box(code.position)) for code in found if code.valid)
        unread = (Unread(_box(code.position), _module_px(code)) for code in found if not code.valid)
        return Sight(codes, tuple(each for each in unread if apart(each.box, codes)))

    return decode


def _box(position: zxingcpp.Position) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    return Box(min(across), min(down), max(across) + 1, max(down) + 1)


def _module_px(code: zxingcpp.Barcode) -> float:
    """The side of a module of a code whose version zxing-cpp could tell."""
    extra: Any = code.extra  # a dict or None
    version = (extra or {}).get("Version")
    left, right = code.position.top_left, code.position.top_right
    if not version or not str(version).isdecimal():
        return 0.0
    return float(np.hypot(left.x - right.x, left.y - right.y)) / (17 + 4 * int(version))


def apart(box: Box, codes: Sequence[Seen]) -> bool:
    """Whether it is large enough for a code and not (a part of) one that was read."""
    large = min(box.right - box.left, box.bottom - box.top) >= _LEAST_PX
    return large and not any(code.box.holds(box) or box.holds(code.box) for code in codes)


def _load_unwarp(sharpen: bool) -> Callable[[], Decode]:
    def load() -> Decode:
        from drivers.camera.unwarp import Unwarper

        unwarper = Unwarper()

        def decode(gray: Gray) -> Sight:
            read, unread = unwarper.read(_sharpened(gray, 3, 1.5) if sharpen else gray)
            return Sight(
                tuple(Seen(*each) for each in read), tuple(Unread(code.box, code.module_px) for code in unread)
            )

        return lambda gray: _made_smaller(decode, gray)

    return load


def _load_evened() -> Decode:
    """Bright spots and shadows evened out (CLAHE), then enlarged."""
    import cv2

    decode, even = _zxing(), cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))
    return lambda gray: _read_enlarged(decode, np.asarray(even.apply(gray), np.uint8))


def _load_unwarp_evened() -> Decode:
    import cv2

    from drivers.camera.unwarp import Unwarper

    unwarper, even = Unwarper(), cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))

    def decode(gray: Gray) -> Sight:
        return Sight(tuple(Seen(*each) for each in unwarper.read(_enlarged(np.asarray(even.apply(gray), np.uint8)))[0]))

    return lambda gray: _made_smaller(lambda small: _shrunk(decode(small), small), gray)


def _load_sharpened() -> Decode:
    decode = _zxing()
    return lambda gray: _read_enlarged(lambda large: decode(_sharpened(large, 4, 2.0)), gray)


def _load_enlarged() -> Decode:
    decode = _zxing()
    return lambda gray: _read_enlarged(decode, gray)


def _load_thresholded() -> Decode:
    """Black and white by the mean about each pixel: for reflections with an edge."""
    import cv2

    decode = _zxing()

    def bitonal(gray: Gray) -> Gray:
        smooth = cv2.GaussianBlur(gray, (0, 0), 1)
        return np.asarray(
            cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 31, 4), np.uint8
        )

    return lambda gray: decode(bitonal(gray))


def _load_zbar() -> Decode:
    from pyzbar import pyzbar

    def decode(gray: Gray) -> Sight:
        height, width = gray.shape
        try:
            found = pyzbar.decode((gray.tobytes(), width, height), symbols=[pyzbar.ZBarSymbol.QRCODE])
        except (
            ValueError
        ):  # how it takes the unknown orientation that ZBar gives a code of several parts (structured append)
            return Sight()
        return Sight(tuple(Seen(code.data, _rect(code.rect)) for code in found if code.data.isascii()))

    return lambda gray: decode(_sharpened(gray, 4, 2.0))


def _rect(rect: Any) -> Box:
    return Box(rect.left, rect.top, rect.left + rect.width, rect.top + rect.height)


def _sharpened(gray: Gray, radius: float, amount: float) -> Gray:
    import cv2

    return np.asarray(cv2.addWeighted(gray, 1 + amount, cv2.GaussianBlur(gray, (0, 0), radius), -amount, 0), np.uint8)


def _enlarged(gray: Gray) -> Gray:
    """Twice as large, unless it is large already."""
    import cv2  # 16 MB that a scene which is read at once does without

    if max(gray.shape) > _ENLARGED_PX:
        return gray
    return np.asarray(cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def _read_enlarged(decode: Decode, gray: Gray) -> Sight:
    return _shrunk(decode(_enlarged(gray)), gray)


def _shrunk(sight: Sight, gray: Gray) -> Sight:
    """What was seen in the enlarged picture, in this one's pixels."""
    if max(gray.shape) > _ENLARGED_PX:
        return sight
    return _rescaled(sight, 0.5)


def _made_smaller(decode: Decode, gray: Gray) -> Sight:
    """What is seen in a large picture made smaller, in its own pixels."""
    by = max(gray.shape) / _UNWARPED_PX
    if by <= 1:
        return decode(gray)
    import cv2

    small = cv2.resize(gray, None, fx=1 / by, fy=1 / by, interpolation=cv2.INTER_AREA)
    return _rescaled(decode(np.asarray(small, np.uint8)), by)


def _rescaled(sight: Sight, by: float) -> Sight:
    codes = (Seen(code.data, _scaled(code.box, by)) for code in sight.codes)
    unread = (Unread(_scaled(each.box, by), each.module_px * by) for each in sight.unread)
    return Sight(tuple(codes), tuple(unread))


def _scaled(box: Box, by: float) -> Box:
    return Box(*(int(edge * by) for edge in box))


FIRST, FIRST_QUICK = Stage("zxing-cpp", _zxing), Stage("zxing-cpp quick", lambda: _zxing(whole=False))
"""What every picture gets: all that zxing-cpp can do, and without its looking for turned, inverted and very large codes."""

PAPERS, PAPERS_QUICK = (
    Stage("zxing-cpp papers", lambda: _zxing(of=_PAPERS)),
    Stage("zxing-cpp papers quick", lambda: _zxing(whole=False, of=_PAPERS)),
)
"""The same for a photograph of a paper, which may bear a bar code."""

STAGES: tuple[Stage, ...] = (
    Stage("unwarped", _load_unwarp(sharpen=False)),
    Stage("zxing-cpp evened", _load_evened),
    Stage("unwarped sharpened", _load_unwarp(sharpen=True)),
    Stage("pyzbar", _load_zbar),
    Stage("zxing-cpp sharpened", _load_sharpened),
    Stage("zxing-cpp enlarged", _load_enlarged),
    Stage("zxing-cpp thresholded", _load_thresholded),
    Stage("unwarped evened", _load_unwarp_evened),
)
"""The dear stages, in the order in which they read most for their time."""
