"""The sender of a log, sans-I/O: whoever owns it brings payloads and the time, and carries its actions out.

    offline ──connected──→ asking ──ack──→ streaming          asking: `hello` was sent, and answers the question of where
       ↑                    │  ↑              │               the receiver's cursor is. streaming: batches from there.
       └───disconnected─────┴──┴──overdue─────┘               Whatever is unclear or overdue: forget, and ask again.

Nothing is believed but an acknowledgement whose hash is this log's own at that number. One that names a record this log
never had, or another hash, means that this log was rewound (its card was imaged and put back): it must not go on, since
its next records would carry numbers that the receiver has seen. Nothing is deleted here.

Events only change what is known; `poll` sends, at most one message at a time, so that a log that cannot be read (its own
error goes to the caller) leaves everything as it was, to be polled again later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from sync.errors import MessageError
from sync.log.messages import (
    MAX_PAYLOAD,
    MAX_RECORDS,
    Ack,
    Batch,
    Downward,
    Fork,
    Gone,
    Hello,
    decode,
    deflate,
    encode,
    pack,
)
from sync.log.records import Record
from sync.log.view import Head, LogView
from sync.log.window import Window

PATIENCE_MS: Final = (5_000, 30_000)  # first and longest wait for an answer, beyond the way there and back
IDLE_MS: Final = 300_000  # an idle sender asks this often: the receiver may have been restored from a backup
RETRY_MS: Final = 1_000  # the log changed in the middle of reading
NEW_LOG_MS: Final = 600_000  # a second new log within this would be a fault elsewhere: it waits
MAX_DOWNWARD: Final = 1024  # bytes a receiver's message may inflate to
MAX_BODIES: Final = 512 * 1024  # bytes of bodies in one batch, before compression
_DECODER: Final[msgspec.msgpack.Decoder[Downward]] = msgspec.msgpack.Decoder(Ack | Fork)


@dataclass(frozen=True, slots=True)
class Send:
    """Send this payload to the receiver. It may be lost: it is asked for again."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The receiver holds everything up to `seq`, whose hash is `digest`; it may be lower than before."""

    seq: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class OpenNewLog:
    """Replace the log by a new one, then call `log_replaced`. `reason`: `rewound` or `damaged`. `held`: what the receiver said
    that it holds of the old one, where that is not what stands here."""

    reason: str
    detail: str = ""
    held: Head | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something from the receiver was not taken: why, in words."""

    reason: str


Action = Send | Acknowledged | OpenNewLog | Refused


class Sender:
    """Brings a log to its receiver. `now` is monotonic milliseconds; the log's own errors go through."""

    def __init__(self, log: LogView) -> None:
        self._log = log
        self._log_id = log.log_id
        self._connected = False
        self._cursor: Head | None = None  # the receiver's, once it has told
        self._last = Head(0, b"")  # the last record sent; meaningful with a cursor
        self._window = Window()
        self._wake: int | None = None  # there may be something to send
        self._asked_at: int | None = None
        self._heard_at = 0  # when the cursor was last told
        self._told: Head | None = None  # the last `Acknowledged`
        self._patience = PATIENCE_MS[0]
        self._replaced_at: int | None = None

    # events

    def connected(self, now: int) -> Sequence[Action]:
        """The link is up: ask."""
        self._connected = True
        self._window = Window()
        self._patience = PATIENCE_MS[0]
        self._ask(now)
        return ()

    def disconnected(self) -> None:
        """The link is down. What was on its way may or may not arrive."""
        self._connected = False
        self._cursor = self._wake = self._asked_at = None
        self._window.forget()

    def appended(self, now: int) -> Sequence[Action]:
        """The log has grown, was trimmed or replaced."""
        if self._connected and (self._cursor is not None or self._log.log_id != self._log_id):
            self._wake = now
        return ()

    def log_replaced(self, log: LogView, now: int) -> Sequence[Action]:
        """A new log stands where `OpenNewLog` asked for one."""
        self._log = log
        self._replaced_at = now
        self._begin(now)
        return ()

    def received(self, payload: bytes, now: int) -> Sequence[Action]:
        """A payload came from the receiver, or from somebody who says so."""
        try:
            message = decode_downward(payload)
        except MessageError as error:
            return (Refused(str(error)),)
        if not self._connected or message.log_id != self._log.log_id:
            return ()  # of an earlier connection or log
        if isinstance(message, Fork):
            return self._on_fork(message, now)
        return self._on_ack(message, now)

    @property
    def asks(self) -> bool:
        """Whether the link is up, and the receiver's cursor not known (any more)."""
        return self._connected and self._cursor is None

    @property
    def lacks(self) -> bool:
        """Whether the receiver has told that it does not have everything."""
        return self._cursor is not None and self._cursor.seq < self._log.head().seq

    @property
    def rests(self) -> bool:
        """Whether the receiver has everything, as far as is known: there is nothing to send, and nothing on its way."""
        return self._cursor is not None and not self._window.in_flight and self._cursor.seq >= self._log.head().seq

    def deadline(self) -> int | None:
        """When `poll` is wanted; None while there is nothing to wait for."""
        due = [moment for moment in (self._wake, self._overdue_at()) if moment is not None]
        return min(due) if due else None

    def poll(self, now: int) -> Sequence[Action]:
        """What is due. At most one message: `deadline` says at once when there is more."""
        if not self._connected:
            return ()
        if self._log.log_id != self._log_id:
            self._begin(now)
        overdue = self._overdue_at()
        if overdue is not None and now >= overdue:
            if self._cursor is None or self._window.in_flight:
                self._patience = min(2 * self._patience, PATIENCE_MS[1])
            self._ask(now)
        if self._cursor is None:
            return self._hello(now) if self._asked_at is None else ()
        return self._stream(now)

    # asking

    def _begin(self, now: int) -> None:
        self._log_id = self._log.log_id
        self._told = None
        self._patience = PATIENCE_MS[0]
        if self._connected:
            self._ask(now)

    def _ask(self, now: int) -> None:
        self._cursor = self._asked_at = None
        self._window.forget()
        self._wake = now

    def _hello(self, now: int) -> Sequence[Action]:
        head = self._log.head()
        hello = Hello(log_id=self._log.log_id, oldest=self._log.oldest(), head=head.seq, head_hash=head.hash)
        if hello.log_id != self._log.log_id:
            return ()  # replaced meanwhile: at the next poll
        self._asked_at, self._wake = now, None
        return (Send(encode(hello)),)

    def _overdue_at(self) -> int | None:
        if self._cursor is None:
            return None if self._asked_at is None else self._asked_at + self._patience
        oldest = self._window.oldest_ms
        return self._heard_at + IDLE_MS if oldest is None else oldest + self._window.way_ms + self._patience

    # streaming

    def _stream(self, now: int) -> Sequence[Action]:
        budget = self._window.budget()
        if not budget:
            self._wake = None  # an answer makes room
            return ()
        message = self._next_message(budget)
        if message is None:
            self._wake = now + RETRY_MS if self._log.head().seq > self._last.seq else None
            return ()
        if isinstance(message, OpenNewLog):
            return self._open_new_log(message, now)
        upto, inflated, payload = message
        self._window.sent(upto, len(payload), inflated, now)
        self._last, self._wake = upto, now
        return (Send(payload),)

    def _next_message(self, budget: int) -> tuple[Head, int, bytes] | OpenNewLog | None:
        """Where the next message ends, its bytes before compression and as sent; None when there is none to send."""
        log, (after, previous) = self._log, self._last
        if (first := log.first_held(after)) > after + 1:
            return self._gone(after, first - 1)
        if after >= log.head().seq:
            return None
        records = log.read(after, MAX_RECORDS, min(budget, MAX_BODIES))
        if not records or records[0].seq != after + 1:
            return None  # trimmed or replaced meanwhile
        upto, inflated, payload = self._batch(after, previous, records)
        if log.hash_at(upto.seq) == upto.hash:
            return upto, inflated, payload
        if log.log_id != self._log_id:
            return None
        return OpenNewLog("damaged", f"the hash chain breaks between the records {after + 1} and {upto.seq}")

    def _batch(self, after: int, previous: bytes, records: Sequence[Record]) -> tuple[Head, int, bytes]:
        while True:
            batch = Batch.of(self._log_id, after, previous, records)
            data = pack(batch)
            payload = deflate(data)
            if len(payload) <= MAX_PAYLOAD or len(records) == 1:
                return Head(batch.upto, cast("bytes", batch.hash)), len(data), payload
            records = records[: len(records) // 2]

    def _gone(self, after: int, upto: int) -> tuple[Head, int, bytes] | None:
        digest = self._log.hash_at(upto)
        if digest is None:
            return None  # trimmed or replaced meanwhile
        gone = Gone(log_id=self._log_id, after=after, upto=upto, reason="trimmed", hash=digest)
        payload = encode(gone)
        return Head(upto, digest), len(payload), payload

    # answers

    def _on_ack(self, ack: Ack, now: int) -> Sequence[Action]:
        if ack.seq > self._log.head().seq:
            return self._disagree(f"the receiver holds record {ack.seq}, which was never written here", ack, now)
        ours = self._log.hash_at(ack.seq)
        if ours is None and self._log.first_held(ack.seq - 1) == ack.seq:
            return ()  # replaced meanwhile
        if ours is not None and ours != ack.hash:
            return self._disagree(f"the receiver has another record {ack.seq}", ack, now)
        held = Head(ack.seq, ack.hash)
        if self._cursor is not None and held.seq <= self._cursor.seq:
            if held.seq < self._cursor.seq:
                self._ask(now)  # it stepped back, or this is an old answer that came late
            return ()
        self._move(held, now)
        if ours is None or held == self._told:
            return ()  # behind what is still held nothing can be compared: what is missing there is told as gone
        self._told = held
        return (Acknowledged(held.seq, held.hash),)

    def _move(self, held: Head, now: int) -> None:
        """The receiver's cursor is at `held`."""
        if self._cursor is None:
            if self._asked_at is not None:
                self._window.answered(self._asked_at, now)
            self._asked_at, self._last = None, held
        else:
            self._patience = PATIENCE_MS[0]
            self._window.acknowledged(held.seq, now)
            if held.seq > self._last.seq:
                self._last = held
        self._cursor, self._heard_at, self._wake = held, now, now

    def _on_fork(self, fork: Fork, now: int) -> Sequence[Action]:
        if self._log.hash_at(fork.seq) == fork.hash:
            return (Refused(f"a fork at record {fork.seq}, where both have the same"),)
        return self._disagree(f"the receiver has another record {fork.seq}", fork, now)

    def _disagree(self, detail: str, answer: Downward, now: int) -> Sequence[Action]:
        if answer.log_id != self._log.log_id:
            return ()  # replaced while it was being compared
        return self._open_new_log(OpenNewLog("rewound", detail, Head(answer.seq, answer.hash)), now)

    def _open_new_log(self, action: OpenNewLog, now: int) -> Sequence[Action]:
        """Nothing more of this log is sent; ask again later, should there be no new one."""
        self._ask(now)
        self._asked_at, self._wake = now, None
        if self._replaced_at is not None and now - self._replaced_at < NEW_LOG_MS:
            return (Refused(f"{action.detail}: no second new log within {NEW_LOG_MS // 60_000} minutes"),)
        return (action,)


def decode_downward(payload: bytes) -> Downward:
    """A receiver's message. Raises MessageError."""
    return decode(payload, _DECODER, MAX_DOWNWARD)
