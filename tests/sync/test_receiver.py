"""The receiver's decision, message by message."""

import msgspec
import pytest

from sync.errors import MessageError
from sync.log.messages import Ack, Batch, Fork, Gone, Hello
from sync.log.receiver import ForkFound, Reply, Store, StoreGap, receive
from sync.log.records import GENESIS
from sync.log.view import Head
from tests.sync.road import a_record, chain, log_id

LOG = log_id(7)
RECORDS = [a_record(seq) for seq in range(1, 11)]
HASHES = chain(RECORDS)
OTHER = bytes(range(32))


def head(seq: int) -> Head:
    """The place in the log."""
    return Head(seq, HASHES[seq - 1] if seq else GENESIS)


def batch(after: int, upto: int, prev_hash: bytes | None = None) -> Batch:
    """Records of the log."""
    previous = head(after).hash if prev_hash is None else prev_hash
    return Batch.of(LOG, after, previous, tuple(RECORDS[after:upto]))


def ack(seq: int) -> Ack:
    """The acknowledgement of a place."""
    return Ack(log_id=LOG, seq=seq, hash=head(seq).hash)


@pytest.mark.parametrize(("after", "upto"), [(0, 1), (0, 10), (4, 7)])
def test_a_batch_at_the_cursor_is_stored(after: int, upto: int) -> None:
    decision = receive(batch(after, upto), head(after))
    assert decision == Store(
        after=after, records=tuple(RECORDS[after:upto]), hashes=tuple(HASHES[after:upto]), ack=ack(upto)
    )


@pytest.mark.parametrize(("after", "upto"), [(0, 4), (0, 7), (2, 4), (5, 6), (9, 10)])
def test_any_other_batch_is_answered_with_the_cursor(after: int, upto: int) -> None:
    assert receive(batch(after, upto), head(4)) == Reply(ack(4))


@pytest.mark.parametrize("cursor", [0, 4])
def test_another_past_is_a_fork(cursor: int) -> None:
    assert receive(batch(cursor, 7, OTHER), head(cursor)) == ForkFound(
        Fork(log_id=LOG, seq=cursor, hash=head(cursor).hash)
    )


@pytest.mark.parametrize(("last", "cursor"), [(10, 0), (10, 4), (4, 4), (2, 4)])
def test_hello_is_answered_with_the_cursor(last: int, cursor: int) -> None:
    hello = Hello(log_id=LOG, oldest=1, head=last, head_hash=head(last).hash)
    assert receive(hello, head(cursor)) == Reply(ack(cursor))


def test_a_hello_with_another_hash_at_the_cursor_is_a_fork() -> None:
    hello = Hello(log_id=LOG, oldest=1, head=4, head_hash=OTHER)
    assert receive(hello, head(4)) == ForkFound(Fork(log_id=LOG, seq=4, hash=head(4).hash))


def test_what_is_gone_is_stored_at_the_cursor_only() -> None:
    gone = Gone(log_id=LOG, after=2, upto=5, reason="trimmed", hash=head(5).hash)
    assert receive(gone, head(2)) == StoreGap(after=2, upto=head(5), reason="trimmed", ack=ack(5))
    for cursor in (1, 3, 5, 8):  # late, or once more
        assert receive(gone, head(cursor)) == Reply(ack(cursor))


def test_a_gap_that_ends_in_another_past_is_a_fork() -> None:
    gone = Gone(log_id=LOG, after=2, upto=5, reason="trimmed", hash=OTHER)
    assert isinstance(receive(gone, head(5)), ForkFound)


@pytest.mark.parametrize("field", ["at", "mono", "kind", "clock", "boot"])
def test_a_record_whose_header_was_changed_is_not_taken(field: str) -> None:
    whole = batch(4, 7)
    other = {"at": 1, "mono": 1, "kind": "door", "clock": False, "boot": bytes(16)}[field]
    changed = msgspec.structs.replace(whole.records[1], **{field: other})
    assert getattr(whole.records[1], field) != other
    records = (whole.records[0], changed, whole.records[2])
    with pytest.raises(MessageError, match="records 5 to 7 are not those that were hashed"):
        receive(msgspec.structs.replace(whole, records=records), head(4))
    assert isinstance(receive(whole, head(4)), Store)
