"""Keyed state with a version: what goes down the road, where the log goes up. Blind to what the rows say.

    weight(row) = the first 16 bytes of SHA-256(length of table u8 ‖ table ‖ length of key u8 ‖ key ‖ value), as a number
    digest      = the sum of the weights of all rows, modulo 2¹²⁸, big-endian                        no rows: 16 zero bytes

The digest tells one state from another, and follows from the one before at the cost of the rows that changed. It is a
checksum and nobody's signature: whose rows these are is told by the signed title that names their digest.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from sync.log.records import INT64, MAX_BODY

DIGEST_BYTES: Final = 16
_MODULUS: Final = 1 << (8 * DIGEST_BYTES)
_Table = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9-]{0,31}\Z")]
_Key = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,128}\Z")]
_Value = Annotated[bytes, msgspec.Meta(max_length=MAX_BODY)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=INT64)]
_Digest = Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One row as it is from now on; `value` None: it is deleted."""

    table: _Table
    key: _Key
    value: _Value | None


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Which state this is. `epoch` rises when the office was put back to an earlier one, `version` with every change;
    `digest` is that of all rows."""

    epoch: _Count
    version: _Count
    digest: _Digest

    @property
    def order(self) -> tuple[int, int]:
        """By this, and by nothing else, one state is newer than another."""
        return self.epoch, self.version


NOTHING: Final = Mark(0, 0, bytes(DIGEST_BYTES))
"""The state before the first: no rows."""


def weight(table: str, key: str, value: bytes) -> int:
    """What a row adds to the digest."""
    name, place = table.encode(), key.encode()
    data = b"".join((bytes((len(name),)), name, bytes((len(place),)), place, value))
    return int.from_bytes(hashlib.sha256(data).digest()[:DIGEST_BYTES])


def moved(digest: bytes, *, added: int = 0, removed: int = 0) -> bytes:
    """The digest after rows of these weights came and went."""
    return ((int.from_bytes(digest) + added - removed) % _MODULUS).to_bytes(DIGEST_BYTES)


def digest_of(rows: Iterable[Row]) -> bytes:
    """The digest of these rows, each there once; deleted ones add nothing."""
    total = sum(weight(row.table, row.key, row.value) for row in rows if row.value is not None)
    return moved(NOTHING.digest, added=total)
