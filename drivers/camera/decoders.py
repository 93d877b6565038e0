"""The decoders, one after the other until one reads something. To add a stage, add a row to STAGES.

ZBar guesses at what is not ASCII and guesses wrong (hardware notes, section 5), so only ASCII is taken from it.

Each later stage reads what the earlier ones cannot: of 409 photographs with codes, zxing-cpp reads 302, and the stages
after it 329, 332 and 343. On a picture of 1280×720 without a code all of them take some 100 ms, the first 1 ms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import zxingcpp

from drivers.camera.frames import Gray
from drivers.camera.view import acceptable


@dataclass(frozen=True, slots=True)
class Sight:
    """What a decoder saw: the codes' bytes, and whether there is one that it found and could not read."""

    codes: tuple[bytes, ...]
    unread: bool = False


Decode = Callable[[Gray], Sight]


class Stage(NamedTuple):
    """A row of the table. `load` gives the decoder at its first use, or raises ImportError when it is not installed.
    `every`: after a stage that failed, it is tried on every picture with an unread code and on every n-th other one."""

    name: str
    load: Callable[[], Decode]
    every: int


_ENLARGED_PX = (
    1280  # a picture longer than this is not enlarged: its codes are large enough, and it would take too long
)


def _load_zxing() -> Decode:
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2, zxingcpp.BarcodeFormat.QRCodeModel1])

    def decode(gray: Gray) -> Sight:
        found = zxingcpp.read_barcodes(gray, formats=formats, return_errors=True)
        codes = tuple(code.bytes for code in found if code.valid)
        return Sight(codes, unread=len(codes) < len(found))

    return decode


def _load_zxing_evened() -> Decode:
    """Bright spots and shadows evened out (CLAHE), then enlarged."""
    import cv2

    decode, even = _load_zxing(), cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))
    return lambda gray: decode(_enlarged(np.asarray(even.apply(gray), np.uint8)))


def _load_zxing_enlarged() -> Decode:
    decode = _load_zxing()
    return lambda gray: decode(_enlarged(gray))


def _load_zbar() -> Decode:
    from pyzbar import pyzbar

    def decode(gray: Gray) -> Sight:
        gray = _enlarged(gray)
        height, width = gray.shape
        found = pyzbar.decode((gray.tobytes(), width, height), symbols=[pyzbar.ZBarSymbol.QRCODE])
        return Sight(tuple(code.data for code in found if code.data.isascii()))

    return decode


def _enlarged(gray: Gray) -> Gray:
    """Twice as large, unless it is large already."""
    import cv2  # 16 MB that a scene which is read at once does without

    if max(gray.shape) > _ENLARGED_PX:
        return gray
    return np.asarray(cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


STAGES: tuple[Stage, ...] = (
    Stage("zxing-cpp", _load_zxing, 1),
    Stage("zxing-cpp evened", _load_zxing_evened, 5),
    Stage("zxing-cpp enlarged", _load_zxing_enlarged, 5),
    Stage("pyzbar", _load_zbar, 10),
)


class Cascade:
    """Runs the stages. `notice` is told once of a decoder that is not installed."""

    def __init__(self, notice: Callable[[str], None], stages: Sequence[Stage] = STAGES) -> None:
        self._notice = notice
        self._stages = list(stages)
        self._loaded: dict[str, Decode] = {}
        self._pictures = 0

    def read(self, gray: Gray, *, thorough: bool) -> dict[bytes, str]:
        """The codes in the picture, each with the decoder that read it. The first stage that reads something is the
        last, unless `thorough`: then every stage adds what it reads."""
        self._pictures += 1
        codes: dict[bytes, str] = {}
        unread = thorough
        for stage in tuple(self._stages):
            if gray.size == 0 or not (unread or self._pictures % stage.every == 0):
                continue
            decode = self._decoder(stage)
            if decode is None:
                continue
            sight = decode(gray)
            for code in filter(acceptable, sight.codes):
                codes.setdefault(code, stage.name)
            if codes and not thorough:
                break
            unread = unread or sight.unread
        return codes

    def _decoder(self, stage: Stage) -> Decode | None:
        if stage.name not in self._loaded:
            try:
                self._loaded[stage.name] = stage.load()
            except ImportError as error:
                self._stages.remove(stage)
                self._notice(f"the decoder {stage.name} is not installed, going on without it: {error}")
                return None
        return self._loaded[stage.name]
