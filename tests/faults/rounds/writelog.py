"""What was asked of a block device, from the log of it that Linux's dm-log-writes and QEMU's blklogwrites write.

A sector with the log's own head (magic, version, how many entries, bytes of a sector), then for each entry a sector with its head
(sector on the device, how many, flags, bytes of a mark) and the sectors that were written; of a discard, none. All little-endian.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

MAGIC: Final = 0x6A736677736872
VERSION: Final = 1
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
_HEAD: Final = Struct("<QQQI")
_ENTRY: Final = Struct("<QQQQ")


class Entry(NamedTuple):
    """One thing that was asked, and done. `offset`: on the device, in bytes; `data`: what was written there, b"" of a mere flush
    or a discard; `end`: how long the log was then, in bytes."""

    offset: int
    data: memoryview
    flags: int
    end: int


def entries(log: bytes) -> Iterator[Entry]:
    """In the order in which they were done. Raises ValueError when it is no such log, or ends too early."""
    if len(log) < _HEAD.size:
        raise ValueError(f"a log of writes begins with {_HEAD.size} bytes; there are {len(log)}")
    magic, version, count, sector = _HEAD.unpack_from(log)
    if (magic, version) != (MAGIC, VERSION) or sector < _ENTRY.size:
        raise ValueError(f"not a log of writes: magic {magic:#x}, version {version}, sectors of {sector} bytes")
    view, at = memoryview(log), sector
    for number in range(count):
        if at + sector > len(log):
            raise ValueError(f"the log ends before entry {number} of {count}")
        first, sectors, flags, _ = _ENTRY.unpack_from(log, at)
        if flags & ~(FLUSH | FUA | DISCARD | MARK):
            raise ValueError(f"entry {number} has flags that nobody knows: {flags:#x}")
        begin = at + sector
        at = begin if flags & DISCARD else begin + sectors * sector
        if at > len(log):
            raise ValueError(f"the log ends within entry {number} of {count}")
        yield Entry(first * sector, view[begin:at], flags, at)
