"""How large a picture file says that it is, before anything is decoded of it.

OpenCV looks at what a file begins with and not at its name, knows far more formats than photographs come in, and makes room for
as many pixels as are claimed. So only these formats reach it, and only up to a size; of a PNG only the chunks that are the picture, each
whole, since of one whose chunks are damaged OpenCV 5.0.0 takes gigabytes. Pure. Sources: PNG (ISO/IEC 15948, 11.2.2),
JPEG (ITU-T T.81, B.2.2), GIF89a (18), TIFF 6.0 (section 2), WebP (RFC 9649, 2), the BMP header (Microsoft, BITMAPINFOHEADER), PNM (netpbm).
"""

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Final

MOST_PX: Final = 50_000_000
"""Of a JPEG, as the largest phones make them: some 300 MB while it is decoded."""
MOST_OTHER_PX: Final = 16_000_000
"""Of the other formats, whose pixels may take 16 bytes each meanwhile: as much. A screenshot of 4K has half of it."""
_PNM: Final = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})\s")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PICTURE: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_NO_SOF: Final = frozenset((0xC4, 0xC8, 0xCC))  # Huffman tables, an extension, arithmetic conditioning
CMYK: Final = 4  # components
_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
_VALUE: Final = {3: 2, 4: 4}  # SHORT and LONG


class _Damaged(ValueError):
    """A head says what none can."""


def checked(data: bytes) -> bytes:
    """What is to be decoded of a picture file. Raises ValueError for what is none of the formats, does not say its size, or is larger than a photograph."""
    kind, size_of = next(
        ((kind, size_of) for start, (kind, size_of) in _FORMATS.items() if re.match(start, data, re.DOTALL)), ("", None)
    )
    if size_of is None:
        raise ValueError("is no JPEG, PNG, GIF, BMP, WebP, TIFF or PGM")
    try:
        width, height = size_of(data)
    except (IndexError, KeyError, _Damaged) as error:
        raise ValueError(f"is a damaged {kind}") from error
    most = MOST_PX if kind == "JPEG" else MOST_OTHER_PX
    if not 0 < width * height <= most:
        raise ValueError(
            f"says that it has {width}×{height} pixels: a {kind} may have up to {most // 1_000_000} million"
        )
    return _still(data) if kind == "PNG" else data


def _png(data: bytes) -> tuple[int, int]:
    """Of its first chunk, when those that are the picture are whole."""
    _still(data)
    return _big(data, 16, 4), _big(data, 20, 4)


def _still(data: bytes) -> bytes:
    """A PNG without what is no part of the picture (text, profiles, an animation)."""
    at, kept = len(_PNG), [_PNG]
    while kept[-1][4:8] != b"IEND":
        chunk = _cut(data, at, 12 + _big(data, at, 4))
        at += len(chunk)
        if chunk[4:8] in _PICTURE:
            if zlib.crc32(chunk[4:-4]) != _big(chunk, len(chunk) - 4, 4):
                raise _Damaged("a wrong checksum")
            kept.append(chunk)
    return b"".join(kept)


def _jpeg(data: bytes) -> tuple[int, int]:
    """Of the first frame header. Raises ValueError for one in CMYK whose samples may be ink or the want of it: as custom has it, that
    is told by Adobe's segment, and OpenCV reads them all as if it was there."""
    at, adobe = 2, False
    while True:
        if data[at] != 0xFF:
            raise _Damaged("no marker")
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:  # a fill byte
            at += 1 if marker == 0xFF else 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_SOF:
            if data[at + 9] == CMYK and not adobe:
                raise ValueError("is a JPEG in CMYK that does not say how its ink is counted: save it in RGB or grey")
            return _big(data, at + 7, 2), _big(data, at + 5, 2)
        elif marker in (0xD8, 0xD9, 0xDA):
            raise _Damaged("no frame header before the picture")
        else:
            adobe = adobe or (marker == 0xEE and data[at + 4 : at + 9] == b"Adobe")
            at += 2 + max(2, _big(data, at + 2, 2))


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X":
            return 1 + _little(data, 24, 3), 1 + _little(data, 27, 3)
        case b"VP8L":
            bits = _little(data, 21, 4)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    raise _Damaged("no picture in it")


def _bmp(data: bytes) -> tuple[int, int]:
    size = 2 if _little(data, 14, 4) == 12 else 4
    width, height = (_little(data, 18 + size * each, size) for each in (0, 1))
    return width, height if size == 2 or height < 1 << 31 else (1 << 32) - height  # negative: from top to bottom


def _tiff(data: bytes) -> tuple[int, int]:
    """Of its first directory, in either order of bytes."""
    number = _little if data[:2] == b"II" else _big
    at = number(data, 4, 4)
    sizes = {}
    for entry in range(at + 2, at + 2 + 12 * number(data, at, 2), 12):
        tag, kind = number(data, entry, 2), number(data, entry + 2, 2)
        if tag in (256, 257):
            sizes[tag] = number(data, entry + 8, _VALUE[kind])
    return sizes[256], sizes[257]


def _pnm(data: bytes) -> tuple[int, int]:
    found = _PNM.match(data[:1024])
    if found is None:
        raise _Damaged("no size")
    return int(found[1]), int(found[2])


def _big(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_cut(data, at, size), "big")


def _little(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(_cut(data, at, size), "little")


def _cut(data: bytes, at: int, size: int) -> bytes:
    cut = data[at : at + size]
    if len(cut) != size:
        raise IndexError("it ends before")
    return cut


_FORMATS: Final[Mapping[bytes, tuple[str, Callable[[bytes], tuple[int, int]]]]] = {
    rb"\xff\xd8": ("JPEG", _jpeg),
    rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": ("PNG", _png),
    rb"GIF8[79]a": ("GIF", lambda data: (_little(data, 6, 2), _little(data, 8, 2))),
    rb"BM": ("BMP", _bmp),
    rb"RIFF.{4}WEBP": ("WebP", _webp),
    rb"II\*\0|MM\0\*": ("TIFF", _tiff),
    rb"P[1-6]\s": ("PGM", _pnm),
}
