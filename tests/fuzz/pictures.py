"""Target: a picture file of a folder that stands in a camera's place, in each format that OpenCV is let read."""

from collections.abc import Iterable

import cv2
import numpy as np

from drivers.camera.picture_files import MOST_PX
from drivers.camera.sources import picture_of
from drivers.simulators.scene import qr_modules
from tests.drivers.camera.cmyk import cmyk_jpeg
from tests.fuzz.target import Target

LONGEST_PX = 1_920


def picture(data: bytes) -> None:
    """Some pixels, not too many, or the one error."""
    try:
        gray = picture_of(data)
    except ValueError as error:
        assert str(error)
        return
    assert gray.dtype == np.uint8
    assert gray.ndim == 2
    assert 0 < gray.size <= min(MOST_PX, LONGEST_PX * LONGEST_PX)


def _pictures() -> Iterable[bytes]:
    """A small code in each of them."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # it tells of each file that it cannot read
    modules = qr_modules(b"A")
    code = np.kron(modules, np.ones((2, 2), np.uint8))
    colour = cv2.cvtColor(code, cv2.COLOR_GRAY2BGR)
    for extension in (".jpg", ".png", ".gif", ".bmp", ".webp", ".tiff"):
        yield cv2.imencode(extension, colour)[1].tobytes()
    yield cv2.imencode(".pgm", code)[1].tobytes()
    yield cv2.imencode(".png", code.astype(np.uint16) * 257)[1].tobytes()
    yield cv2.imencode(".png", np.dstack([np.zeros_like(code)] * 3 + [255 - code]))[1].tobytes()
    yield cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    yield cmyk_jpeg(modules, adobe=True)
    yield cmyk_jpeg(modules, adobe=False)
    yield b"P4\n" + b"\v" * 60 + b"\xff" * 60  # a search for its size once doubled its time with every blank


TARGETS = [Target("picture", picture, _pictures)]
