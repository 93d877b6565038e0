"""The log's messages: zlib-compressed MessagePack maps, tagged by `t`; decoded with every bound checked."""

import zlib

import msgspec

from sync.errors import MessageError
from sync.log.records import Record

MAX_INFLATED = 2 * 1024 * 1024  # bytes a payload may inflate to
MAX_RECORDS = 1000  # records in one batch


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="hello"):
    """Sender → receiver: I hold `log_id` from `oldest` up to `head`, whose hash is `head_hash`. Where is your cursor?"""

    log_id: str
    oldest: int
    head: int
    head_hash: bytes


class Batch(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="batch"):
    """Sender → receiver: the records `after + 1 … upto`; `prev_hash` is the hash of record `after`."""

    log_id: str
    after: int
    upto: int
    prev_hash: bytes
    records: tuple[Record, ...]


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="gone"):
    """Sender → receiver: the records `after + 1 … upto` no longer exist; `hash` is the hash of record `upto`."""

    log_id: str
    after: int
    upto: int
    reason: str
    hash: bytes


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="ack"):
    """Receiver → sender, after its commit only: I hold everything up to `seq`, whose hash is `hash`.

    It is also the answer to `hello` and to a batch that does not begin at the cursor."""

    log_id: str
    seq: int
    hash: bytes


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="fork"):
    """Receiver → sender: at `seq` I have another hash than you. Nothing was taken; open a new log."""

    log_id: str
    seq: int
    hash: bytes


Upward = Hello | Batch | Gone
Downward = Ack | Fork
Message = Upward | Downward
_ENCODER = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """A message as bytes for the wire."""
    return zlib.compress(_ENCODER.encode(message), 1)


def inflate(payload: bytes, limit: int = MAX_INFLATED) -> bytes:
    """The inflated payload. Raises MessageError when it is damaged, truncated, longer than `limit`, or has a tail."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload, limit)
    except zlib.error as error:
        raise MessageError(f"not zlib data: {error}") from error
    if inflater.unconsumed_tail:
        raise MessageError(f"inflates to more than {limit} bytes")
    if not inflater.eof or inflater.unused_data:
        raise MessageError("truncated, or followed by other bytes")
    return data
