"""Senders and receivers with one protection off. A test of the road that does not find them out proves nothing."""

from collections.abc import Sequence
from dataclasses import replace

from sync.log.messages import Ack, Batch, Upward, encode
from sync.log.receiver import Decision, ForkFound, Reply, Store, receive
from sync.log.sender import Action, Sender, decode_downward
from sync.log.view import Head


def stores_whatever_comes(message: Upward, cursor: Head) -> Decision:
    """A receiver that does not look at its cursor."""
    if isinstance(message, Batch):
        cursor = Head(message.after, message.prev_hash)
    return receive(message, cursor)


def acknowledges_before_it_stores(message: Upward, cursor: Head) -> Decision:
    """A receiver that says it holds what it has lost."""
    decision = receive(message, cursor)
    return Reply(decision.ack) if isinstance(decision, Store) and len(decision.records) > 1 else decision


def forgets_a_record(message: Upward, cursor: Head) -> Decision:
    """A receiver that leaves the first record of a longer batch out."""
    decision = receive(message, cursor)
    if isinstance(decision, Store) and len(decision.records) > 2:
        return replace(decision, records=decision.records[1:], hashes=decision.hashes[1:])
    return decision


def sees_no_fork(message: Upward, cursor: Head) -> Decision:
    """A receiver that compares numbers and never hashes."""
    if isinstance(message, Batch) and message.after == cursor.seq:
        cursor = Head(cursor.seq, message.prev_hash)
    decision = receive(message, cursor)
    if isinstance(decision, ForkFound):
        return Reply(Ack(log_id=message.log_id, seq=cursor.seq, hash=cursor.hash))
    return decision


class Believer(Sender):
    """A sender that compares no hashes: whatever the receiver names is one of its own records."""

    def received(self, payload: bytes, now: int) -> Sequence[Action]:
        """A payload came from the receiver."""
        message = decode_downward(payload)
        ours = self._log.hash_at(message.seq)
        if ours is not None:
            payload = encode(Ack(log_id=message.log_id, seq=message.seq, hash=ours))
        return super().received(payload, now)


class NeverAsksAgain(Sender):
    """A sender that waits for an answer for ever."""

    def _overdue_at(self) -> int | None:
        return None
