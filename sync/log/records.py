"""A record of the log, and the hash chain that ties each to the one before it.

    body_hash = SHA-256(salt ‖ body)
    hash(n)   = SHA-256(hash(n-1) ‖ header(n) ‖ body_hash(n))        hash(0) = 32 zero bytes
    header    = seq u64 · at i64 · clock u8 · boot 16 bytes · mono u64 · length of kind u8 · kind (UTF-8), big-endian

Erasing a person deletes body and salt; body_hash stays, and the chain still verifies.
"""

import hashlib
import re
import struct
from typing import Annotated, Final

import msgspec

GENESIS = bytes(32)
MAX_BODY: Final = 64 * 1024  # bytes of one record's body
_HEADER = struct.Struct(">QqB16sQB")

# The bounds are checked where a record is decoded; a journal keeps them by itself.
INT64: Final = 2**63 - 1
Seq = Annotated[int, msgspec.Meta(ge=0, le=INT64)]
Digest = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_KIND: Final = re.compile(r"[a-z0-9-]{1,64}")
# The pattern is looked at once for a kind (`is_kind`): for each record it would cost as much as all the rest of decoding.
_Kind = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[a-z0-9-]{1,64}$"})]
_At = Annotated[int, msgspec.Meta(ge=-INT64, le=INT64)]
_Boot = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_Body = Annotated[bytes, msgspec.Meta(max_length=MAX_BODY)]
_Salt = Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]


# It refers to nothing that could refer back: of so many the garbage collector need not even count them.
class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record as journal and wire have it.

    `seq` from 1; `at` Unix milliseconds as the clock said; `clock` whether that clock was trusted; `boot` the 16 bytes of
    the machine's boot id; `mono` milliseconds since that boot; `body` UTF-8 JSON, or None once erased (then `salt` too).
    """

    seq: Seq
    kind: _Kind
    at: _At
    clock: bool
    boot: _Boot
    mono: Seq
    body: _Body | None
    salt: _Salt | None
    body_hash: Digest


def is_kind(text: str) -> bool:
    """Whether a record may be of this kind."""
    return _KIND.fullmatch(text) is not None


def body_hash(salt: bytes, body: bytes) -> bytes:
    """SHA-256 over salt and body."""
    return hashlib.sha256(salt + body).digest()


def chain_hash(previous: bytes, record: Record) -> bytes:
    """The hash of `record`, given the hash of the record before it."""
    return hashlib.sha256(previous + header_of(record) + record.body_hash).digest()


def header_of(record: Record) -> bytes:
    """What of a record is hashed beside its body."""
    kind = record.kind.encode()
    return _HEADER.pack(record.seq, record.at, record.clock, record.boot, record.mono, len(kind)) + kind
