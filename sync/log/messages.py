"""The log's messages: zlib-compressed MessagePack maps, tagged by `t`; decoded with every bound checked."""

import zlib
from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

import msgspec

from sync.errors import MessageError
from sync.log.records import Digest, Record, Seq, chain_hash

MAX_PAYLOAD: Final = 192 * 1024  # bytes of one encoded message; what carries it adds a topic and a header
MAX_INFLATED: Final = 2 * 1024 * 1024  # bytes a payload may inflate to
MAX_RECORDS: Final = 1000  # records in one batch
_LEVEL: Final = 5
"""Of zlib. A gate's link is narrower than what its processor compresses, and may be paid for by the byte: against the first level
this is a tenth less on the road for twice the time, the levels above are hardly any less (docs/measurements.md)."""
LogId = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
_Reason = Annotated[str, msgspec.Meta(max_length=64)]
_Records = Annotated[tuple[Record, ...], msgspec.Meta(min_length=1, max_length=MAX_RECORDS)]


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="hello"):
    """Sender → receiver: I hold `log_id` from `oldest` up to `head`, whose hash is `head_hash`. Where is your cursor?"""

    log_id: LogId
    oldest: Seq
    head: Seq
    head_hash: Digest


class Batch(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="batch"):
    """Sender → receiver: the records `after + 1 … upto`; `prev_hash` is the hash of record `after`, `hash` that of `upto`."""

    log_id: LogId
    after: Seq
    upto: Seq
    prev_hash: Digest
    hash: Digest | None = None  # a batch that was put down by an earlier version has none
    records: _Records

    @classmethod
    def of(cls, log_id: str, after: int, prev_hash: bytes, records: Sequence[Record]) -> "Batch":
        """The batch of these records, at least one, that follow record `after`."""
        last = prev_hash
        for record in records:
            last = chain_hash(last, record)
        upto = records[-1].seq
        return cls(log_id=log_id, after=after, upto=upto, prev_hash=prev_hash, hash=last, records=tuple(records))


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="gone"):
    """Sender → receiver: the records `after + 1 … upto` no longer exist; `hash` is the hash of record `upto`."""

    log_id: LogId
    after: Seq
    upto: Seq
    reason: _Reason
    hash: Digest


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="ack"):
    """Receiver → sender, after its commit only: I hold everything up to `seq`, whose hash is `hash`.

    It is also the answer to `hello` and to a batch that does not begin at the cursor."""

    log_id: LogId
    seq: Seq
    hash: Digest


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="fork"):
    """Receiver → sender: at `seq` I have another hash than you. Nothing was taken; open a new log."""

    log_id: LogId
    seq: Seq
    hash: Digest


Upward = Hello | Batch | Gone
Downward = Ack | Fork
Message = Upward | Downward
_ENCODER = msgspec.msgpack.Encoder()
M = TypeVar("M")


def encode(message: msgspec.Struct) -> bytes:
    """A message as bytes for the wire."""
    return deflate(pack(message))


def pack(message: msgspec.Struct) -> bytes:
    """A message before compression."""
    return _ENCODER.encode(message)


def deflate(data: bytes) -> bytes:
    """What `pack` made, as bytes for the wire."""
    return zlib.compress(data, _LEVEL)


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


def decode(payload: bytes, decoder: msgspec.msgpack.Decoder[M], limit: int = MAX_INFLATED) -> M:
    """The message in `payload`, as far as its types tell. Raises MessageError."""
    try:
        return decoder.decode(inflate(payload, limit))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MessageError(f"not one of our messages: {error}") from error


class _Tag(msgspec.Struct):
    t: str


_TAG: Final = msgspec.msgpack.Decoder(_Tag)


def tag_of(payload: bytes) -> str:
    """What a payload says that it is, where several kinds come on one topic; "" for what says nothing."""
    try:
        return decode(payload, _TAG).t
    except MessageError:
        return ""
