"""Picture files of every kind that a folder may hold: read rightly, or refused with a sentence; never more memory than a photograph takes."""

import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from drivers.camera.frames import Gray
from drivers.camera.picture_files import MOST_OTHER_PX, MOST_PX, checked
from drivers.camera.sources import picture_of
from drivers.simulators.scene import qr_modules
from tests.drivers.camera.cmyk import BLOCK, cmyk_jpeg

MODULES = qr_modules(b"PICTURE FILE")
CODE = np.kron(MODULES, np.ones((BLOCK, BLOCK), np.uint8))
WIDE: Gray = np.ascontiguousarray(CODE[: BLOCK * (MODULES.shape[0] // 2)])  # higher and wider are not the same


def encoded(extension: str, picture: object, *options: int) -> bytes:
    done, data = cv2.imencode(extension, picture, list(options))  # type: ignore[call-overload]
    assert done
    return bytes(data)


def colour(picture: Gray) -> object:
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)


def deep(picture: Gray) -> np.ndarray:  # type: ignore[type-arg]
    return picture.astype(np.uint16) * 257


KINDS: dict[str, Callable[[Gray], bytes]] = {
    "jpeg": lambda picture: encoded(".jpg", colour(picture)),
    "jpeg-grey": lambda picture: encoded(".jpg", picture),
    "jpeg-progressive": lambda picture: encoded(".jpg", colour(picture), cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "jpeg-cmyk": lambda picture: cmyk_jpeg(np.ascontiguousarray(picture[::BLOCK, ::BLOCK]), adobe=True),
    "png": lambda picture: encoded(".png", colour(picture)),
    "png-1-bit": lambda picture: encoded(".png", picture, cv2.IMWRITE_PNG_BILEVEL, 1),
    "png-16-bit": lambda picture: encoded(".png", deep(picture)),
    "png-16-bit-rgb": lambda picture: encoded(".png", np.dstack([deep(picture)] * 3)),
    "png-16-bit-rgba": lambda picture: encoded(
        ".png", np.dstack([deep(picture)] * 3 + [np.full(picture.shape, 65_535, np.uint16)])
    ),
    "png-on-nothing": lambda picture: encoded(".png", np.dstack([np.zeros_like(picture)] * 3 + [255 - picture])),
    "png-16-bit-on-nothing": lambda picture: encoded(
        ".png", np.dstack([np.zeros_like(deep(picture))] * 3 + [deep(255 - picture)])
    ),
    "gif": lambda picture: encoded(".gif", colour(picture), cv2.IMWRITE_GIF_DITHER, -1),
    "bmp": lambda picture: encoded(".bmp", colour(picture)),
    "webp": lambda picture: encoded(".webp", colour(picture), cv2.IMWRITE_WEBP_QUALITY, 100),
    "webp-lossless": lambda picture: encoded(".webp", colour(picture), cv2.IMWRITE_WEBP_QUALITY, 101),
    "tiff": lambda picture: encoded(".tiff", colour(picture)),
    "tiff-16-bit": lambda picture: encoded(".tiff", deep(picture)),
    "pgm": lambda picture: encoded(".pgm", picture),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("picture", [CODE, WIDE], ids=["square", "wide"])
def test_each_kind_is_read_as_what_is_on_it(kind: str, picture: Gray) -> None:
    read = picture_of(KINDS[kind](picture))
    assert (read.shape, read.dtype) == (picture.shape, np.uint8)
    assert ((read > 127) == (picture > 127)).mean() > 0.999


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_was_cut_off_is_read_as_far_as_it_goes_or_refused(kind: str) -> None:
    data = KINDS[kind](CODE)
    for length in {*range(64), *range(64, len(data), max(1, len(data) // 24))}:
        try:
            assert picture_of(data[:length]).shape == CODE.shape
        except ValueError as error:
            assert str(error)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    data = encoded(".jpg", CODE)
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + encoded(".gif", colour(CODE))[10:]


def bmp(width: int, height: int) -> bytes:
    data = encoded(".bmp", colour(CODE))
    return data[:18] + struct.pack("<ii", width, height) + data[26:]


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size


def tiff(width: int, height: int) -> bytes:
    entries = (struct.pack(">HHII", tag, 4, 1, value) for tag, value in ((256, width), (257, height)))
    return b"MM\0*" + struct.pack(">IH", 8, 2) + b"".join(entries) + bytes(4)


def pgm(width: int, height: int) -> bytes:
    return f"P5 # a comment\n{width} {height}\n255\n".encode()


@pytest.mark.parametrize("make", [png, jpeg, gif, bmp, webp, tiff, pgm])
def test_one_that_claims_more_than_a_photograph_has_is_refused_before_anything_is_decoded(
    make: Callable[[int, int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> None:
        pytest.fail("OpenCV has seen it")

    most = MOST_PX if make is jpeg else MOST_OTHER_PX
    checked(make(8_000, most // 8_000))
    monkeypatch.setattr(cv2, "imdecode", decode)
    for width, height in ((8_000, most // 8_000 + 1), (30_000, 30_000), (65_535, 65_535)):
        with pytest.raises(ValueError, match=f"says that it has {width}×{height} pixels: a [A-Za-z]+ may have up to "):
            picture_of(make(width, height))


@pytest.mark.parametrize("make", [png, jpeg, gif, bmp, tiff, pgm])
def test_one_without_any_pixel_is_refused(make: Callable[[int, int], bytes]) -> None:
    for width, height in ((0, 10), (10, 0)):
        with pytest.raises(ValueError, match="pixels: a "):
            picture_of(make(width, height))


def test_a_head_of_nothing_but_blanks_is_looked_at_once() -> None:
    """Found by fuzzing: the search for a size that was not there doubled its time with every blank."""
    with pytest.raises(ValueError, match="is a damaged PGM"):
        picture_of(b"P4\n" + b"\v" * 1_000 + b"\xff")


def test_a_png_whose_chunks_do_not_fit_together_is_refused() -> None:
    """Found by fuzzing: a file of 705 bytes, 58 pixels wide, of which OpenCV took 3 GB and 14 s: a byte of a chunk's length was gone."""
    data = KINDS["png-16-bit-rgba"](CODE)
    for damaged in (data[:33] + data[34:], data[:36] + b"\xff" + data[37:], data[:-12], data[:60] + b"?" + data[61:]):
        with pytest.raises(ValueError, match="is a damaged PNG"):
            picture_of(damaged)


def test_of_a_png_only_the_picture_is_decoded() -> None:
    data = KINDS["png"](CODE)
    more = chunk(b"tEXt", b"Comment\0none") + chunk(b"acTL", struct.pack(">II", 99, 0))
    assert checked(data[:33] + more + data[33:]) == checked(data)
    assert (picture_of(data[:33] + more + data[33:]) == picture_of(data)).all()


def test_a_bmp_from_top_to_bottom_has_its_size_too() -> None:
    checked(bmp(232, -232))
    with pytest.raises(ValueError, match="30000×30000"):
        checked(bmp(30_000, -30_000))


def test_a_jpeg_in_cmyk_that_does_not_say_what_its_samples_are_is_refused() -> None:
    """OpenCV would take ink for paper, and the whole picture is black."""
    with pytest.raises(ValueError, match="does not say how its ink is counted: save it in RGB or grey"):
        picture_of(cmyk_jpeg(MODULES, adobe=False))


@pytest.mark.parametrize("extension", [".jp2", ".avif", ".hdr", ".ras", ".pfm"])
def test_what_opencv_could_read_besides_is_refused(extension: str) -> None:
    """Formats that no camera and no phone makes are not let near their decoders, whatever a file is called."""
    picture = CODE.astype(np.float32) / 255 if extension in (".hdr", ".pfm") else CODE
    data = encoded(extension, np.dstack([picture] * 3))
    with pytest.raises(ValueError, match="is no JPEG, PNG, GIF, BMP, WebP, TIFF or PGM"):
        picture_of(data)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"BM", b"P5 x", b"II*\0\xff\xff\xff\xff", b"RIFF\0\0\0\0WEBPVP8Z" + bytes(40)]
)
def test_a_head_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"is a damaged [A-Za-z]+|is no JPEG"):
        picture_of(data)
