"""The receiver of a log, sans-I/O: what to do with a message, given the cursor. It keeps nothing.

Whoever keeps the log carries the decision out in one transaction with the cursor, and answers after its commit only.
The cursor is the truth: a batch is taken only when it begins there, and a hash that differs there is a fork.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from sync.errors import MessageError
from sync.log.messages import Ack, Batch, Fork, Gone, Hello, Upward, decode
from sync.log.records import GENESIS, Record, body_hash, chain_hash, is_kind
from sync.log.view import Head

_DECODER: Final[msgspec.msgpack.Decoder[Upward]] = msgspec.msgpack.Decoder(Hello | Batch | Gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Store `records`, whose hashes are `hashes`, move the cursor from `after` to the last of them, then send `ack`."""

    after: int
    records: tuple[Record, ...]
    hashes: tuple[bytes, ...]
    ack: Ack


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGap:
    """Store that the records `after + 1 … upto.seq` are gone for good, move the cursor over them, then send `ack`."""

    after: int
    upto: Head
    reason: str
    ack: Ack


@dataclass(frozen=True, slots=True)
class ForkFound:
    """The sender has another past: store nothing of it, tell somebody, and send `fork`."""

    fork: Fork


@dataclass(frozen=True, slots=True)
class Reply:
    """Nothing to store: send `ack`, which says where the cursor is."""

    ack: Ack


Decision = Store | StoreGap | ForkFound | Reply


def receive(message: Upward, cursor: Head) -> Decision:
    """What to do with a message that `decode_upward` gave, when everything up to `cursor` is held of its log. Raises
    MessageError for a batch whose records are not those that were hashed."""
    match message:
        case Hello():
            return _fork_or_reply(message.log_id, Head(message.head, message.head_hash), cursor)
        case Batch() if message.after == cursor.seq and message.prev_hash == cursor.hash:
            return _store(message)
        case Batch():
            return _fork_or_reply(message.log_id, Head(message.after, message.prev_hash), cursor)
        case Gone() if message.after == cursor.seq:
            ack = Ack(log_id=message.log_id, seq=message.upto, hash=message.hash)
            return StoreGap(after=message.after, upto=Head(message.upto, message.hash), reason=message.reason, ack=ack)
        case Gone():
            return _fork_or_reply(message.log_id, Head(message.upto, message.hash), cursor)


def _fork_or_reply(log_id: str, theirs: Head, cursor: Head) -> ForkFound | Reply:
    """Only at the cursor can the pasts be compared here; everywhere else the sender compares, on reading the answer."""
    if theirs.seq == cursor.seq and theirs.hash != cursor.hash:
        return ForkFound(Fork(log_id=log_id, seq=cursor.seq, hash=cursor.hash))
    return Reply(Ack(log_id=log_id, seq=cursor.seq, hash=cursor.hash))


def _store(batch: Batch) -> Store:
    hashes = []
    last = batch.prev_hash
    for record in batch.records:
        last = chain_hash(last, record)
        hashes.append(last)
    if batch.hash not in (None, last):
        raise MessageError(f"batch: records {batch.after + 1} to {batch.upto} are not those that were hashed")
    ack = Ack(log_id=batch.log_id, seq=batch.upto, hash=last)
    return Store(after=batch.after, records=batch.records, hashes=tuple(hashes), ack=ack)


def decode_upward(payload: bytes) -> Upward:
    """A sender's message, with every bound checked. Raises MessageError."""
    message = decode(payload, _DECODER)
    match message:
        case Hello():
            _check_hello(message)
        case Batch():
            _check_batch(message)
        case Gone() if message.upto <= message.after:
            raise MessageError(f"gone: {message.after + 1} to {message.upto} is no range")
    return message


def _check_hello(hello: Hello) -> None:
    if not 1 <= hello.oldest <= hello.head + 1:
        raise MessageError(f"hello: the oldest record is {hello.oldest}, the last {hello.head}")
    if hello.head == 0 and hello.head_hash != GENESIS:
        raise MessageError("hello: the hash before the first record is not zero")


def _check_batch(batch: Batch) -> None:
    if batch.upto - batch.after != len(batch.records):
        raise MessageError(f"batch: {len(batch.records)} records for {batch.after + 1} to {batch.upto}")
    if batch.after == 0 and batch.prev_hash != GENESIS:
        raise MessageError("batch: the hash before the first record is not zero")
    for kind in {record.kind for record in batch.records}:
        if not is_kind(kind):
            raise MessageError(f"batch: no record is of the kind {kind[:80]!r}")
    for seq, record in enumerate(batch.records, batch.after + 1):
        if record.seq != seq:
            raise MessageError(f"batch: record {record.seq} stands where {seq} belongs")
        body, salt = record.body, record.salt
        if body is None or salt is None:
            if body is not salt:
                raise MessageError(f"batch: record {seq} has only one of body and salt")
        elif body_hash(salt, body) != record.body_hash:
            raise MessageError(f"batch: the body of record {seq} is not the one that was hashed")
