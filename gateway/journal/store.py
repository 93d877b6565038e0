"""The writing connection and the durable position. Only the journal's thread may call it; others may look at the position."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.core.moment import Moment
from gateway.journal import files
from gateway.journal.earlier import EarlierLog, forget, read_all, write_all
from gateway.journal.errors import JournalError
from gateway.journal.mailbox import Job
from gateway.journal.memo import EVERY_MS, Memo, remember
from gateway.journal.opening import Old, Origin, prepare, replace, replace_damaged, salvage
from gateway.journal.reading import Reader
from gateway.journal.schema import (
    DROP_STATE,
    INSERT,
    SET_STATE,
    MetaRow,
    RecordRow,
    Row,
    StateRow,
    Usage,
    connect,
    connect_alone,
    erase_rows,
    give_back,
    give_up,
    insert,
    pack,
    raw,
    row_of,
    size_of,
    sqlite_errors,
    usage,
)
from gateway.journal.strays import with_strays
from sync.log.records import GENESIS, Record, body_hash
from sync.log.view import Head

logger = logging.getLogger("menshen.journal")
SALT: Final = 16  # bytes
SALTS: Final = 64  # drawn at once
DAY_MS: Final = 86_400_000
Notes = Mapping[str, object]
Telling = Callable[[int, int, int], Job]  # of the first and the last record that went, and about how many bytes


class Store:
    """Every change is one transaction: it happens whole, and the position follows, or sqlite3.Error is raised.

    `told`: the last acknowledgement heard; `acked`: the last one on disk. `now`: the moment of the newest record."""

    def __init__(self, path: Path, boot: bytes, now: Moment, reader: Reader, gate: str = "") -> None:
        self._path = path
        self._boot = boot
        self._gate = gate
        self._marked = ""  # whose it is, as the file says
        self._memo: Memo | None = None
        self._memo_at = now.mono_ms
        self._now = now
        self._reader = reader
        self._salts: list[bytes] = []
        self.state: dict[str, bytes] = {}
        self.earlier: Sequence[EarlierLog] = ()
        self.recovered: str | None = None
        self.is_open = False

    def open(self) -> None:
        """Make sure that a sound log is there, and load where it stands."""
        self.recovered = prepare(self._path, self._origin())
        self._load()
        self.is_open = True
        self._mark()
        self._adopt(with_strays(self._path, self.log_id, self.head.seq, self._gate, self.earlier))

    def _mark(self) -> None:
        """Say whose this is, in the file and beside it."""
        if self._gate and self._marked != self._gate:
            if self._marked:
                logger.warning("%s: the journal of %s goes on as that of %s", self._path, self._marked, self._gate)
            self._connection.execute("UPDATE meta SET gate = ?", [self._gate])
            self._marked = self._gate
        self._remember()

    def _remember(self) -> None:
        memo = Memo(self.log_id, self.head.seq)
        if self._gate and memo != self._memo:
            remember(self._path, memo)
            self._memo = memo
        self._memo_at = self._now.mono_ms

    def remember_now_and_then(self) -> None:
        """Put down beside the journal which log stands here, if it is time."""
        if self._now.mono_ms - self._memo_at >= EVERY_MS:
            self._remember()

    def _adopt(self, earlier: Sequence[EarlierLog]) -> None:
        """Remember journals that were found beside this one."""
        new = [log for log in earlier if log not in self.earlier]
        if new:
            with self._transaction() as connection:
                forget(connection, new)
                write_all(connection, new)
            self.earlier = earlier

    def stand_by(self) -> None:
        """Take the position and the durable state from a log that cannot be opened, as far as they can be read: the gate
        decides by them until `open` works."""
        old = salvage(self._path, connect_alone) if self._path.exists() else Old()
        self.log_id, self.head, self.state, self.earlier = old.log_id, old.head, old.state, old.earlier
        self.acked = self.told = old.acked
        self.trimmed = Head(0, GENESIS)
        self.known_ms = old.known_ms

    def close(self) -> None:
        """The last connection to close is the one that empties the write-ahead log."""
        with self._reader.suspended():
            if self.is_open:
                self._remember()
                self._database.close()

    # writing

    def commit(self, jobs: Sequence[Job], notes: Notes) -> None:
        """Write records with the state they change, and columns of the meta row."""
        rows, changes = self._rows(jobs)
        if len(rows) == 1 and not changes and not notes:
            self._connection.execute(INSERT, rows[0])  # a transaction by itself, for fewer steps
        else:
            self._transact(rows, changes, notes)
        if rows:
            self.head = Head(rows[-1][0], rows[-1][9])
            self._now = jobs[-1].now
        for key, value in changes.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value

    def _transact(self, rows: Sequence[Row], changes: Mapping[str, bytes | None], notes: Notes) -> None:
        with self._transaction() as connection:
            insert(connection, rows)
            if changes:
                self._change_state(changes)
            if notes:
                columns = ", ".join(f"{column} = ?" for column in notes)
                connection.execute(f"UPDATE meta SET {columns}", list(notes.values()))  # noqa: S608  our own names
        seq, digest = notes.get("acked_seq"), notes.get("acked_hash")
        if isinstance(seq, int) and isinstance(digest, bytes):
            self.acked = Head(seq, digest)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Whole or not at all."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite has rolled back itself after some errors
                connection.execute("ROLLBACK")
            raise

    def _rows(self, jobs: Sequence[Job]) -> tuple[list[Row], dict[str, bytes | None]]:
        rows: list[Row] = []
        changes: dict[str, bytes | None] = {}
        seq, previous = self.head
        for job in jobs:
            seq += 1
            now, salt = job.now, self._salt()
            digest = body_hash(salt, job.body)
            record = Record(seq, job.kind, now.at_ms, now.trusted, self._boot, now.mono_ms, job.body, salt, digest)
            row = row_of(record, previous)
            previous = row[9]
            rows.append(row)
            for change in job.changes:
                changes[change.key] = change.value
        return rows, changes

    def _salt(self) -> bytes:
        if not self._salts:  # drawn ahead: asking the kernel costs more than the hashing
            drawn = os.urandom(SALTS * SALT)
            self._salts = [drawn[begin : begin + SALT] for begin in range(0, len(drawn), SALT)]
        return self._salts.pop()

    def _change_state(self, changes: Mapping[str, bytes | None]) -> None:
        self._connection.executemany(SET_STATE, [(key, value) for key, value in changes.items() if value is not None])
        self._connection.executemany(DROP_STATE, [(key,) for key, value in changes.items() if value is None])

    # exchanging

    def replace(self, reason: str, detail: str, now: Moment | None, held: Head | None) -> None:
        """Open a new log; what the office has not acknowledged of the old one is carried over."""
        self._now = now or self._now

        def work() -> str:
            old = salvage(self._path)
            old.head, old.state, old.held = self.head, dict(self.state), held
            aside = files.beside(self._path, f".{self.log_id}.old")
            if files.parts(aside):  # the same card was put back twice
                aside = files.free_name(self._path, f".{self.log_id}.old")
            carried = replace(self._path, aside, old, self._origin(), reason=reason, detail=detail)
            return f"{reason}: the log was moved to {aside.name} and a new one opened, {carried} records carried over"

        self._exchange(work)

    def replace_damaged(self, damage: str) -> None:
        """Move the log aside and open a new one, with the durable state as it was last committed."""
        self._exchange(lambda: replace_damaged(self._path, damage, self._origin(), dict(self.state), self.head))

    def _exchange(self, work: Callable[[], str]) -> None:
        with self._reader.suspended():
            self._database.close()
            try:
                self.recovered = work()
            finally:
                self._load()  # the new one, or still the old one
            self._remember()

    def _origin(self) -> Origin:
        return Origin(self._boot, self._now, self._gate)

    def _load(self) -> None:
        self._database = connect(self._path, mode="rw")
        self._connection = raw(self._database)
        with sqlite_errors():
            meta = MetaRow.select().get(self._database)
            last = RecordRow.select(RecordRow.seq, RecordRow.hash).order_by(RecordRow.seq.desc()).limit(1)
            found = list(last.tuples().execute(self._database))
            state = list(StateRow.select(StateRow.key, StateRow.value).tuples().execute(self._database))
            self.earlier = read_all(self._connection)
        self.log_id = str(meta.log_id)
        self.acked = self.told = Head(meta.acked_seq, bytes(meta.acked_hash))
        self.trimmed = Head(meta.trimmed_seq, bytes(meta.trimmed_hash))
        self.known_ms, self._marked = int(meta.known_ms), str(meta.gate)
        self.head = Head(found[0][0], bytes(found[0][1])) if found else self.trimmed
        self.state = {key: bytes(value) for key, value in state}

    # upkeep

    def trim(self, now: Moment, keep_days: int, limit: int) -> int:
        """Delete the oldest acknowledged records; see `Journal.trim`."""
        upto = self._trimmable(now.at_ms - keep_days * DAY_MS, limit) if now.trusted else None
        return 0 if upto is None else self._trim_upto(upto)

    def _trim_upto(self, upto: int, told: Job | None = None) -> int:
        before = self.trimmed.seq
        acked = max(self.acked, self.told)  # on a full disk what is known may not be on it yet
        rows = [] if told is None else self._rows([told])[0]
        with self._transaction():
            last = RecordRow.select(RecordRow.hash).where(RecordRow.seq == upto)
            trimmed = Head(upto, bytes(last.get(self._database).hash))
            MetaRow.update(
                trimmed_seq=trimmed.seq, trimmed_hash=trimmed.hash, acked_seq=acked.seq, acked_hash=acked.hash
            ).execute(self._database)
            RecordRow.delete().where(RecordRow.seq <= upto).execute(self._database)
            insert(self._connection, rows)
        self.trimmed, self.acked = trimmed, acked
        if told is not None:
            self.head, self._now = Head(rows[-1][0], rows[-1][9]), told.now
        return upto - before

    def trim_acknowledged(self, limit: int, tell: Telling) -> int:
        """Delete the oldest acknowledged records, whatever their age, in one transaction with the record that tells of it. How many."""
        first, upto = self.trimmed.seq + 1, min(self.told.seq, self.trimmed.seq + limit, self.head.seq - 1)
        if upto < first:
            return 0
        return self._trim_upto(upto, tell(first, upto, size_of(self._connection, first, upto)))

    def drop_bodies(self, seqs: Sequence[int], told: Job) -> None:
        """Give up body and salt of these records, in one transaction with the record that tells of it."""
        rows, _ = self._rows([told])
        with self._transaction() as connection:
            give_up(connection, seqs)
            insert(connection, rows)
        self.head = Head(rows[-1][0], rows[-1][9])
        self._now = told.now

    def pack(self, first: int, last: int) -> None:
        """Write these records anew, as they are, so that pages become free where bodies were given up."""
        with self._transaction() as connection:
            pack(connection, first, last)

    def give_back(self, pages: int) -> int:
        """Give free pages back to the disk; how many are left that could be."""
        return give_back(self._connection, pages)

    def usage(self) -> Usage:
        """How the file is used."""
        return usage(self._connection)

    def _trimmable(self, cutoff_ms: int, limit: int) -> int | None:
        # A record is as old as any later one whose clock was trusted; its own clock may have been wrong.
        dated = (
            RecordRow.select(RecordRow.seq, RecordRow.at)
            .where((RecordRow.seq > self.trimmed.seq) & (RecordRow.seq <= self.acked.seq) & (RecordRow.clock == 1))
            .order_by(RecordRow.seq)
            .limit(limit)
        )
        old = [seq for seq, at in dated.tuples().execute(self._database) if at < cutoff_ms]
        return min(old[-1], self.trimmed.seq + limit) if old else None

    def erase(self, seq: int) -> None:
        """Delete body and salt of a record, from the write-ahead log too."""
        if not erase_rows(self._database, [seq]):
            raise JournalError(f"{self._path}: there is no record {seq} to erase")
        self.empty()

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the database; its room is written over by what comes."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def empty(self) -> None:
        """The same, and nothing of the write-ahead log stays on the disk."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
