"""The sender by itself: patience, window, and what it does not believe."""

import itertools
import random
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.log.messages import MAX_PAYLOAD, MAX_RECORDS, Ack, Batch, Fork, Hello, encode
from sync.log.receiver import decode_upward
from sync.log.records import GENESIS, MAX_BODY
from sync.log.sender import (
    IDLE_MS,
    NEW_LOG_MS,
    PATIENCE_MS,
    Acknowledged,
    Action,
    OpenNewLog,
    Refused,
    Send,
    Sender,
)
from sync.log.view import Head
from sync.log.window import MAX_BATCH, MAX_WINDOW, MIN_WINDOW, Window
from tests.sync.road import MemoryLog, log_id

OTHER = bytes(range(32))


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    log.append(*(b"body-%d" % number for number in range(10)))
    return log


def sent(actions: Sequence[Action]) -> Hello | Batch:
    """The one message that was sent."""
    (action,) = actions
    assert isinstance(action, Send)
    message = decode_upward(action.payload)
    assert isinstance(message, Hello | Batch)
    return message


def ack(log: MemoryLog, seq: int, digest: bytes | None = None) -> bytes:
    """The office's word."""
    known = log.hash_at(seq) if digest is None else digest
    assert known is not None
    return encode(Ack(log_id=log.log_id, seq=seq, hash=known))


def streaming(log: MemoryLog, now: int = 0) -> Sender:
    """A sender whose receiver has nothing yet."""
    sender = Sender(log)
    sender.connected(now)
    assert isinstance(sent(sender.poll(now)), Hello)
    assert sender.received(ack(log, 0), now) == (Acknowledged(0, GENESIS),)
    return sender


def test_offline_it_wants_nothing(log: MemoryLog) -> None:
    sender = Sender(log)
    assert sender.appended(5) == ()
    assert sender.deadline() is None
    assert sender.poll(5) == ()
    assert sender.received(ack(log, 0), 5) == ()


def test_it_asks_first_and_then_sends_from_the_cursor(log: MemoryLog) -> None:
    sender = Sender(log)
    sender.connected(100)
    assert sender.deadline() == 100
    hello = sent(sender.poll(100))
    assert hello == Hello(log_id=log.log_id, oldest=1, head=10, head_hash=log.head().hash)
    assert sender.poll(100) == ()
    assert sender.received(ack(log, 4), 150) == (Acknowledged(4, log.hashes[3]),)
    batch = sent(sender.poll(150))
    assert isinstance(batch, Batch)
    assert (batch.after, batch.upto, batch.prev_hash) == (4, 10, log.hashes[3])
    assert sender.received(ack(log, 10), 170) == (Acknowledged(10, log.head().hash),)
    assert sender.poll(170) == ()
    assert sender.deadline() == 170 + IDLE_MS


def test_a_new_record_goes_at_once(log: MemoryLog) -> None:
    sender = streaming(log)
    sender.poll(0)
    sender.received(ack(log, 10), 10)
    sender.poll(10)
    log.append(b"new")
    sender.appended(500)
    assert sender.deadline() == 500
    assert sent(sender.poll(500)).log_id == log.log_id


def test_unanswered_it_asks_again_ever_more_seldom(log: MemoryLog) -> None:
    sender = Sender(log)
    sender.connected(0)
    asked: list[int] = []
    while len(asked) < 6:
        due = sender.deadline()
        assert due is not None
        assert isinstance(sent(sender.poll(due)), Hello)
        asked.append(due)
    waits = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert waits == [PATIENCE_MS[0], 2 * PATIENCE_MS[0], 4 * PATIENCE_MS[0], PATIENCE_MS[1], PATIENCE_MS[1]]


def test_an_overdue_batch_is_asked_for_and_not_sent_blindly(log: MemoryLog) -> None:
    sender = streaming(log)
    first = sent(sender.poll(0))
    sender.poll(0)
    assert sender.deadline() == PATIENCE_MS[0]
    assert isinstance(sent(sender.poll(PATIENCE_MS[0])), Hello)
    sender.received(ack(log, 0), 5_100)
    assert sent(sender.poll(5_100)) == first
    sender.poll(5_100)
    assert sender.deadline() == 5_100 + 2 * PATIENCE_MS[0]  # a slow link needs more patience


@pytest.mark.parametrize(
    "payload", [b"", b"hello", encode(Hello(log_id=log_id(1), oldest=1, head=1, head_hash=OTHER)), bytes(300_000)]
)
def test_what_is_no_answer_is_refused(log: MemoryLog, payload: bytes) -> None:
    sender = streaming(log)
    before = sender.deadline()
    (refused,) = sender.received(payload, 1)
    assert isinstance(refused, Refused)
    assert sender.deadline() == before


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(payload: bytes) -> None:
    sender = streaming(MemoryLog())
    assert [type(action) for action in sender.received(payload, 1)] == [Refused]


def test_another_logs_answer_is_passed_over(log: MemoryLog) -> None:
    sender = streaming(log)
    assert sender.received(encode(Ack(log_id=log_id(99), seq=5, hash=OTHER)), 1) == ()
    assert sender.received(encode(Fork(log_id=log_id(99), seq=5, hash=OTHER)), 1) == ()


@pytest.mark.parametrize("state", ["asking", "streaming"])
@pytest.mark.parametrize(("seq", "digest"), [(11, OTHER), (10, OTHER), (3, OTHER)])
def test_an_answer_of_another_past_opens_a_new_log(log: MemoryLog, state: str, seq: int, digest: bytes) -> None:
    sender = streaming(log) if state == "streaming" else Sender(log)
    sender.connected(0)
    sender.poll(0)
    (action,) = sender.received(ack(log, seq, digest), 1)
    assert isinstance(action, OpenNewLog)
    assert action.reason == "rewound"
    assert sender.poll(1) == ()  # nothing more of this log
    log.replace(2)
    sender.log_replaced(log, 2)
    assert sent(sender.poll(2)) == Hello(log_id=log_id(2), oldest=1, head=11, head_hash=log.head().hash)


def test_a_fork_opens_a_new_log(log: MemoryLog) -> None:
    sender = streaming(log)
    (action,) = sender.received(encode(Fork(log_id=log.log_id, seq=4, hash=OTHER)), 1)
    assert isinstance(action, OpenNewLog)


def test_a_fork_that_is_none_is_refused(log: MemoryLog) -> None:
    sender = streaming(log)
    (action,) = sender.received(encode(Fork(log_id=log.log_id, seq=4, hash=log.hashes[3])), 1)
    assert isinstance(action, Refused)


def test_a_receiver_that_always_disagrees_does_not_fill_the_disk(log: MemoryLog) -> None:
    sender = streaming(log)
    opened = 0
    for now in range(0, NEW_LOG_MS, 1_000):
        sender.poll(now)
        for action in sender.received(encode(Fork(log_id=log.log_id, seq=1, hash=OTHER)), now):
            if isinstance(action, OpenNewLog):
                opened += 1
                log.replace(opened + 1)
                sender.log_replaced(log, now)
    assert opened == 1
    (action,) = sender.received(encode(Fork(log_id=log.log_id, seq=1, hash=OTHER)), NEW_LOG_MS)
    assert isinstance(action, OpenNewLog)


def test_a_log_that_was_not_replaced_is_asked_about_again(log: MemoryLog) -> None:
    sender = streaming(log)
    sender.received(ack(log, 11, OTHER), 1)
    assert sender.deadline() == 1 + PATIENCE_MS[0]
    assert isinstance(sent(sender.poll(1 + PATIENCE_MS[0])), Hello)


def test_a_log_that_was_replaced_behind_it_is_begun_anew(log: MemoryLog) -> None:
    sender = streaming(log)
    sender.poll(0)
    log.replace(5)
    sender.appended(10)
    assert sender.deadline() == 10
    hello = sent(sender.poll(10))
    assert isinstance(hello, Hello)
    assert hello.log_id == log_id(5)


def test_a_chain_that_breaks_is_not_sent(log: MemoryLog) -> None:
    sender = streaming(log)
    log.records[4] = msgspec.structs.replace(log.records[4], at=1)
    (action,) = sender.poll(0)
    assert isinstance(action, OpenNewLog)
    assert action.reason == "damaged"


class Unreadable(Exception):
    """What a journal may raise."""


def test_a_log_that_cannot_be_read_changes_nothing(log: MemoryLog) -> None:
    sender = streaming(log)
    log.failing = Unreadable("disk")
    with pytest.raises(Unreadable):
        sender.poll(0)
    with pytest.raises(Unreadable):
        sender.received(ack(log, 5), 0)
    log.failing = None
    assert sender.deadline() == 0
    batch = sent(sender.poll(0))
    assert isinstance(batch, Batch)
    assert (batch.after, batch.upto) == (0, 10)


# how much at once


def drain(log: MemoryLog, bytes_per_ms: float, latency_ms: int, *, messages: int = 400) -> tuple[list[int], list[int]]:
    """Send over a link of this speed. Returns how long each message had to wait in the link, and each one's size."""
    sender = streaming(log)
    now, free_at = 0.0, 0.0
    answers: list[tuple[float, bytes]] = []
    delays: list[int] = []
    sizes: list[int] = []
    while len(sizes) < messages:
        due = sender.deadline()
        assert due is not None
        if answers and (due > now or answers[0][0] <= now):
            now = max(now, answers[0][0])
            sender.received(answers.pop(0)[1], int(now))
            continue
        for action in sender.poll(int(now)):
            assert isinstance(action, Send)
            batch = decode_upward(action.payload)
            assert isinstance(batch, Batch), "nothing is lost here, so nothing is asked"
            free_at = max(now, free_at) + len(action.payload) / bytes_per_ms
            delays.append(int(free_at - now))
            sizes.append(len(action.payload))
            answers.append((free_at + latency_ms, ack(log, batch.upto)))
        if log.head().seq == len(log.records) and sender.deadline() == int(now) + IDLE_MS:
            break
    return delays, sizes


def big_log(records: int) -> MemoryLog:
    """A log whose bodies hardly compress."""
    chance = random.Random(3)
    log = MemoryLog()
    log.append(*(chance.randbytes(300) for _ in range(records)))
    return log


def test_a_slow_link_is_never_filled_for_much_more_than_half_a_second() -> None:
    delays, _ = drain(big_log(3_000), bytes_per_ms=8, latency_ms=40, messages=150)  # 64 kbit/s
    assert max(delays) < 1_000
    assert sorted(delays)[len(delays) // 2] <= 600


def test_a_fast_link_is_used() -> None:
    delays, sizes = drain(big_log(20_000), bytes_per_ms=10_000, latency_ms=5, messages=150)
    assert max(sizes) > 10 * MIN_WINDOW
    assert max(delays) < 500
    assert sizes[0] <= 2 * MIN_WINDOW  # it begins small


def test_what_is_on_its_way_is_bounded() -> None:
    log = big_log(5_000)
    sender = streaming(log)
    waiting = 0
    for now in range(4_000):
        for action in sender.poll(now):
            assert isinstance(action, Send)
            waiting += len(action.payload)
    assert waiting <= 2 * MIN_WINDOW  # no answer, no more


@pytest.mark.parametrize("compressible", [True, False])
def test_a_payload_is_bounded_whatever_the_records_are(compressible: bool) -> None:
    chance = random.Random(5)
    log = MemoryLog()
    log.append(*(bytes(MAX_BODY) if compressible else chance.randbytes(MAX_BODY) for _ in range(60)))
    log.append(*(b"" for _ in range(4 * MAX_RECORDS)))
    log.append(*(chance.randbytes(40_000) for _ in range(30)))
    sender = streaming(log)
    now = 0
    while log.acked < len(log.records):
        now += 1
        for action in sender.poll(now):
            assert isinstance(action, Send)
            assert len(action.payload) <= MAX_PAYLOAD
            batch = decode_upward(action.payload)
            assert isinstance(batch, Batch)
            log.acked = batch.upto
        sender.received(ack(log, log.acked), now)
    assert now < 4_000


def test_a_wide_window_is_used_up_to_its_last_batch() -> None:
    window = Window()
    window.size = MAX_WINDOW
    window.sent(Head(1, GENESIS), MAX_WINDOW - MAX_BATCH, MAX_WINDOW - MAX_BATCH, 0)
    assert window.budget() == MAX_BATCH
    window.sent(Head(2, GENESIS), 1, 1, 0)
    assert window.budget() == 0
