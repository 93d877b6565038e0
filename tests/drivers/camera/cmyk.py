"""A JPEG in CMYK, as printers' programs write it and nothing here does: baseline, every block of 8 × 8 one colour (ITU-T T.81)."""

from collections.abc import Iterator, Sequence

from drivers.camera.frames import Gray

BLOCK = 8
_CODES = ["00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110", "11111110", "111111110"]
"""Table K.3: the codes of a DC coefficient's number of bits."""
_END_OF_BLOCK = "0"
ADOBE = b"Adobe" + bytes((0, 100, 0, 0, 0, 0, 0))
"""Its APP14 says CMYK; by custom its samples are inverted: 255 is no ink."""


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _table(kind: int, lengths: Sequence[int], values: Sequence[int]) -> bytes:
    return bytes((kind, *lengths, *(0,) * (16 - len(lengths)), *values))


def _difference(difference: int) -> str:
    size = abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << size) - 1
    return _CODES[size] + (f"{value:0{size}b}" if size else "")


def _bits(blocks: Gray, *, inverted: bool) -> Iterator[str]:
    """Black alone makes the picture; the three colours have no ink."""
    no_ink = 255 if inverted else 0
    before = [0, 0, 0, 0]
    for value in blocks.reshape(-1):
        black = int(value) if inverted else 255 - int(value)
        for part, sample in enumerate((no_ink, no_ink, no_ink, black)):
            coefficient = sample - 128
            yield _difference(coefficient - before[part]) + _END_OF_BLOCK
            before[part] = coefficient


def cmyk_jpeg(blocks: Gray, *, adobe: bool) -> bytes:
    """A JPEG of eight times the size. `adobe`: as its programs write it; else as the standard alone would have it, where a sample is the
    amount of ink."""
    height, width = blocks.shape
    bits = "".join(_bits(blocks, inverted=adobe))
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    size = (BLOCK * height).to_bytes(2, "big") + (BLOCK * width).to_bytes(2, "big")
    parts = b"".join(bytes((number, 0x11, 0)) for number in range(1, 5))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xEE, ADOBE) if adobe else b"",
            _segment(0xDB, bytes((0, *(8,) * 64))),
            _segment(0xC0, bytes((8,)) + size + bytes((4,)) + parts),
            _segment(0xC4, _table(0x00, (0, 1, 5, 1, 1, 1, 1, 1, 1), range(12))),
            _segment(0xC4, _table(0x10, (1,), (0,))),
            _segment(0xDA, bytes((4, *(byte for number in range(1, 5) for byte in (number, 0)), 0, 63, 0))),
            scan,
            b"\xff\xd9",
        )
    )
