"""The gate's journal, as everybody else sees it."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self, TypeVar

from gateway.core.effects import StateChange
from gateway.core.moment import Moment
from gateway.journal.earlier import Aside
from gateway.journal.errors import JournalError
from gateway.journal.files import Lock
from gateway.journal.mailbox import Done, Job, Mailbox, Note, Task
from gateway.journal.reading import Reader, Verified
from gateway.journal.schema import Usage
from gateway.journal.store import DAY_MS, Store
from gateway.journal.writer import Listener, Writer
from sync.contract.records import Body, encode_body, kind_of
from sync.log.records import GENESIS, Record
from sync.log.view import Head

logger = logging.getLogger("menshen.journal")
GROUP: Final = 256  # records of one transaction, at most
MAX_BODY: Final = 64 * 1024  # bytes of one record's body; a packet on the road is 256 kB at most
OPEN_S: Final = 60.0
TASK_S: Final = 30.0
CLOSE_S: Final = 5.0
TIME_STEP_MS: Final = 60_000  # the known time is written at least this often
T = TypeVar("T")


class Removed(NamedTuple):
    """The file of an earlier log that was deleted: the numbers that it held (none: `first` is above `last`), and its bytes."""

    log_id: str
    first: int
    last: int
    size: int


class Journal:
    """Append-only, hash-chained, durable. Any thread may call anything; nothing blocks but what says so.

    **What `append` promises.** Records reach the disk in the order of the calls. `done(None)`, called by the journal's
    thread, says that a record and the state it changed are durable, together. On a failed write (disk full, input/output
    error) the transaction is rolled back, the head stays, `failed` says what is wrong, and `done(error)` is called: at once,
    and once. The record is not dropped by that: it waits in memory and the same record is tried again, until it is on disk
    (nobody is called a second time) or the process ends. Only when 10,000 records or 8 MB wait is a further one lost:
    its `done(error)` is called by `append` itself, what it changed in the state is kept all the same, `lost` counts it,
    and a record `refused` / `journal-full` stands where it would have stood.

    A full disk: a reserve file is given up at the first failure, so that the alarm's record can be written; `failed` keeps
    saying so until there is room for a reserve again.
    """

    def __init__(
        self, path: Path, *, lock: Lock, store: Store, writer: Writer, mailbox: Mailbox, reader: Reader
    ) -> None:
        """Use `Journal.open`."""
        self._path = path
        self._lock = lock
        self._store = store
        self._writer = writer
        self._mailbox = mailbox
        self._reader = reader
        self._counters = threading.Lock()
        self._known_ms = self._known_written = store.known_ms
        self._office_has: Mapping[str, bool] = {}  # earlier logs whole, as far as was heard since the start

    @classmethod
    def open(cls, path: Path, *, boot: bytes, now: Moment, gate: str = "", group_limit: int = GROUP) -> Self:
        """Open the journal at `path`, made or brought to this version as needed; blocks until it is ready.

        `boot`: the 16 bytes of the machine's boot id. `gate`: whose it is; without, no journal that lies beside it with a gate's name
        is taken for this one's. A damaged file is moved aside (`recovered` says so) and never
        deleted. Raises JournalError when the file is in use by another process, out of reach, or of a newer version."""
        if len(boot) != 16:
            raise JournalError(f"the boot id has {len(boot)} bytes where 16 are needed")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = Lock(path)
        except OSError as error:
            raise JournalError(f"{path}: the journal cannot be opened: {error}; check the folder's owner") from error
        mailbox, reader = Mailbox(), Reader(path)
        store = Store(path, boot, now, reader, gate)
        writer = Writer(path, store, mailbox, group_limit)
        writer.thread.start()
        try:
            writer.opened.future.result(OPEN_S)
        except JournalError as error:
            lock.release()
            raise JournalError(f"the journal cannot be opened: {error}") from error
        except TimeoutError:  # its thread may still have the files: the lock stays
            raise JournalError(f"{path}: the journal cannot be opened: the disk does not answer") from None
        return cls(path, lock=lock, store=store, writer=writer, mailbox=mailbox, reader=reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # writing

    def append(self, body: Body, now: Moment, changes: Sequence[StateChange] = (), done: Done | None = None) -> None:
        """Write a record, and the durable state it changed in the same transaction. Never blocks.

        `done` must only hand on. Raises JournalError for a body of more than 64 kB."""
        kind, encoded = kind_of(body), encode_body(body)
        if len(encoded) > MAX_BODY:
            raise JournalError(f"a {kind} record of {len(encoded)} bytes: {MAX_BODY} are allowed")
        refused = self._mailbox.offer(Job(kind, now, encoded, changes, done))
        if refused is not None and done is not None:
            done(refused)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` after every commit and whenever `failed` changes. It must only hand on."""
        self._writer.listeners.append(listener)

    @property
    def listeners(self) -> list[Listener]:
        """Who is called after every commit."""
        return self._writer.listeners

    # what it knows

    @property
    def recovered(self) -> str | None:
        """What had to be done to have a sound log, in words; None when nothing."""
        return self._store.recovered

    @property
    def failed(self) -> str | None:
        """The present trouble with writing, in words; None when all is well."""
        return self._writer.failed

    @property
    def lost(self) -> int:
        """How many records were lost since the start because too many waited for a disk that takes none."""
        return self._mailbox.lost

    @property
    def commits(self) -> int:
        """How many transactions were committed since the start."""
        return self._writer.commits

    @property
    def state(self) -> Mapping[str, bytes]:
        """The durable state of the core as of the last commit: a copy."""
        return dict(self._store.state)

    # the log as the road sees it

    @property
    def log_id(self) -> str:
        """The log's random id."""
        return self._store.log_id

    def head(self) -> Head:
        """The last durable record."""
        return self._store.head

    def oldest(self) -> int:
        """The number of the oldest record held; `head().seq + 1` when none is."""
        return self._store.trimmed.seq + 1

    def first_held(self, after: int) -> int:
        """The first record beyond `after` that is held, or comes next."""
        return max(after, self._store.trimmed.seq) + 1

    def hash_at(self, seq: int) -> bytes | None:
        """The hash at `seq`; None when it is not held. Raises JournalError when it cannot be read."""
        for known in (self._store.head, self._store.trimmed, Head(0, GENESIS)):
            if seq == known.seq:
                return known.hash
        return self._reader.hash_at(seq)

    def read(self, after: int, max_records: int, max_bytes: int) -> list[Record]:
        """The records from `after + 1`: at most `max_records` and about `max_bytes`, but one where there is one.

        Raises JournalError when they cannot be read."""
        return self._reader.records(after, max_records, max_bytes)

    @property
    def acked(self) -> Head:
        """The last record that the office has said it holds."""
        return self._store.told

    def acknowledge(self, seq: int, digest: bytes, /) -> None:
        """The office holds everything up to `seq`; on disk within about a second. The office's word counts also when it
        steps back. Raises JournalError for a record that is not here, or has another hash."""
        if seq < self._store.trimmed.seq:
            return  # an old acknowledgement, or an office that lost what is no longer here: that is told as gone
        if self.hash_at(seq) != digest:
            raise JournalError(f"{self._path}: the office acknowledges a record {seq} that is not in this log")
        self._store.told = Head(seq, digest)
        self._mailbox.put(Note({"acked_seq": seq, "acked_hash": digest}))

    def replace_log(self, reason: str, detail: str = "", now: Moment | None = None, held: Head | None = None) -> None:
        """Open a new log that names this one, which is moved aside to `<name>.<log_id>.old`; blocks.

        The durable state and the counters go on. Records that the office has not acknowledged are written again into the
        new log, with their time, body and salt. `held`: what the office says that it holds of this one, where that is not what stands
        here. Raises JournalError when it cannot be done; the old log then goes on."""
        self._wait(lambda: self._writer.replace(reason, detail, now, held))

    # the logs before

    def earlier(self) -> Sequence[Aside]:
        """The logs that this gate had before, the oldest first, to be offered to the office."""
        return [Aside(self._path.parent, log) for log in self._store.earlier]

    def office_has(self, log_id: str, /, *, whole: bool) -> None:
        """The office has said that it has all that is to be had of this earlier log, or that it lacks some of it."""
        self._office_has = {**self._office_has, log_id: whole}

    def remove_earlier(
        self, now: Moment, keep_days: int | None, before: Callable[[Removed], None] = lambda _: None
    ) -> list[Removed]:
        """Delete the files of earlier logs that are older than `keep_days` and of which the office has said since the start that it
        has them whole; None: of any age, to make room, unless the office lacks some of it. What was removed. `before` hears of each before
        it is deleted.

        One that was not whole (it was damaged, and not all that was not acknowledged could be carried over) is never deleted: it
        is somebody's to look at. A log that was given up by a clock that was not trusted has no age. Raises JournalError."""
        removed = []
        for aside in self.earlier():
            log = aside.log
            if not self._office_has.get(log.log_id, keep_days is None) or not log.whole or not (size := aside.size()):
                continue
            if keep_days is None or (now.trusted and 0 < log.at_ms < now.at_ms - keep_days * DAY_MS):
                first, last = min(aside.oldest(), log.acked.seq + 1), log.acked.seq
                removed.append(Removed(log.log_id, first, last, size))
                before(removed[-1])
                aside.remove()
                logger.warning("%s: deleted, the office has all of it", log.file)
        return removed

    # upkeep

    def trim(self, now: Moment, keep_days: int = 30, limit: int = 200) -> int:
        """Delete the oldest records that were acknowledged and are older than `keep_days`, at most `limit`; blocks.

        Returns how many. Call it again while it returns `limit`, when no visit is open. A clock that is not trusted deletes
        nothing."""
        writer = self._writer
        return self._wait(lambda: writer.trim(now, keep_days, limit))

    def trim_acknowledged(self, limit: int, told: Callable[[int, int, int], Body], now: Moment) -> int:
        """Delete the oldest acknowledged records, whatever their age, at most `limit`, to make room; blocks. Returns how many. In one
        transaction with the record that `told` makes of the first and the last that go, and about how many bytes: none goes
        that no record tells of."""
        writer = self._writer

        def tell(first: int, last: int, size: int) -> Job:
            body = told(first, last, size)
            return Job(kind_of(body), now, encode_body(body), (), None)

        return self._wait(lambda: writer.trim_acknowledged(limit, tell))

    def of_kind(self, kind: str, after: int, upto: int, limit: int) -> list[tuple[int, int]]:
        """Numbers of the records of a kind from `after + 1` to `upto` that still have a body, at most `limit`, and the bytes
        of each body. Raises JournalError when they cannot be read."""
        return self._reader.of_kind(kind, after, upto, limit)

    def drop_bodies(self, seqs: Sequence[int], told: Body, now: Moment) -> None:
        """Give up the bodies of these records, in one transaction with `told`; the chain still verifies. Blocks. What is
        dropped is dropped: whoever asks has chosen what may be."""
        job = Job(kind_of(told), now, encode_body(told), (), None)
        self._wait(lambda: self._writer.drop_bodies(seqs, job))

    def pack(self, first: int, last: int) -> None:
        """Write these records anew, as they are: the room of bodies given up becomes pages to be given back. Blocks."""
        self._wait(lambda: self._writer.pack(first, last))

    def give_back(self, pages: int) -> int:
        """Give at most so many free pages back to the disk; blocks. Returns how many are left that could be."""
        return self._wait(lambda: self._store.give_back(pages))

    def usage(self) -> Usage:
        """How the file is used; blocks."""
        return self._wait(self._store.usage)

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the database, to be written over from its beginning; blocks. When no visit is open."""
        self._wait(self._store.checkpoint)

    def empty(self) -> None:
        """The same, and give the room of the write-ahead log back to the disk: it wears a card more. Blocks."""
        self._wait(self._store.empty)

    def erase(self, seq: int) -> None:
        """Delete the body of a record for good; the chain still verifies. Blocks. Raises JournalError when there is none."""
        self._wait(lambda: self._store.erase(seq))

    def verify(self, progress: Callable[[int], None] | None = None) -> Verified:
        """Walk the whole chain, calling `progress` with the number reached from time to time.

        Raises JournalError that names the first record that is missing or does not fit."""
        return self._reader.verify(self._store.trimmed, self._store.head, progress)

    @property
    def last_known_ms(self) -> int:
        """The Unix milliseconds noted last: until a clock is trusted, time never runs below it."""
        return self._known_ms

    def note_time(self, at_ms: int) -> None:
        """Note the time, of a trusted clock; it is on disk at least every minute. An earlier one counts too: the clock was
        wrong before."""
        with self._counters:
            self._known_ms = at_ms
            due = abs(self._known_ms - self._known_written) >= TIME_STEP_MS
            if due:
                self._known_written = self._known_ms
        if due:
            self._mailbox.put(Note({"known_ms": self._known_ms}))

    def close(self) -> None:
        """Write what waits, and end the thread: within 5 s."""
        if not self._mailbox.close(Task(lambda: self._writer.finish(self._known_ms))):
            return
        self._writer.thread.join(CLOSE_S)
        self._reader.close()
        if self._writer.thread.is_alive():
            logger.error("%s: the disk does not answer; what waits for it is lost with this process", self._path)
            return
        self._lock.release()

    def _wait(self, work: Callable[[], T]) -> T:
        task = Task(work)
        self._mailbox.put(task)
        try:
            task.future.result(TASK_S)
        except TimeoutError:
            raise JournalError(f"{self._path}: the disk does not answer") from None
        return task.future.result()  # type: ignore[return-value]  # the future of this very work
