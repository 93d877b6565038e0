"""Reading the journal beside its writer: one read-only connection, used by one thread at a time, for short reads only."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from gateway.journal.errors import JournalError
from gateway.journal.schema import READ, ROW_BYTES, Row, connect_to_read, fault_in, is_given_up, record_of
from sync.log.records import Record
from sync.log.view import Head

_CHUNK: Final = 1000
_MANY: Final = 100  # records in one read: whoever asks for so many will ask for more
_OF_KIND: Final = (
    "SELECT seq, length(body) FROM records WHERE seq > ? AND seq <= ? AND kind = ? AND body IS NOT NULL"
    " ORDER BY seq LIMIT ?"
)
T = TypeVar("T")


class Verified(NamedTuple):
    """What a walk along the whole chain found: how many records stand, of how many the body was erased, and of how many it
    was given up to make room."""

    records: int
    erased: int
    given_up: int


class _Ahead(NamedTuple):
    """What will be asked for next, and is being read."""

    asked: tuple[int, int, int]
    found: "Future[list[Record]]"


class Reader:
    """Reads from any thread; a read sees the last commit and never holds up the writer.

    Of a backlog, what comes next is read while its reader compresses and sends what it has, which needs no Python."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._ahead: _Ahead | None = None
        self._hand = ThreadPoolExecutor(1, "journal-ahead")  # makes its thread with the first backlog

    def hash_at(self, seq: int) -> bytes | None:
        """The hash of a record that is held."""

        def work(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute("SELECT hash FROM records WHERE seq = ?", (seq,)).fetchone()
            return None if row is None else bytes(row[0])

        return self._read(work)

    def records(self, after: int, max_records: int, max_bytes: int) -> list[Record]:
        """The records from `after + 1`, within both bounds; one at least where there is one."""
        ahead, self._ahead = self._ahead, None
        found = ahead.found.result() if ahead and ahead.asked == (after, max_records, max_bytes) else []
        found = found or self._records(after, max_records, max_bytes)  # there may be some by now
        if len(found) >= _MANY:
            asked = found[-1].seq, max_records, max_bytes
            with self._lock:  # so that it cannot have been read before files are exchanged, and be put down after
                self._ahead = _Ahead(asked, self._hand.submit(self._records, *asked))
        return found

    def _records(self, after: int, max_records: int, max_bytes: int) -> list[Record]:
        def work(connection: sqlite3.Connection) -> list[Record]:
            found: list[Record] = []
            size = 0
            cursor = connection.execute(READ, (after, max_records))
            for row in cursor:
                size += len(row[6] or b"") + ROW_BYTES
                if found and size > max_bytes:
                    break
                found.append(record_of(row))
            cursor.close()
            return found

        return self._read(work)

    def of_kind(self, kind: str, after: int, upto: int, limit: int) -> list[tuple[int, int]]:
        """Number and bytes of the body of those that have one."""

        def work(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            return connection.execute(_OF_KIND, (after, upto, kind, limit)).fetchall()

        return self._read(work)

    def verify(self, begin: Head, end: Head, progress: Callable[[int], None] | None) -> Verified:
        """Walk the chain from the record after `begin` to `end`, calling `progress` with the number reached.

        Raises JournalError that names the first record that is missing or does not fit."""
        previous: Row | None = None
        records = erased = given_up = 0
        while rows := self._rows(previous[0] if previous else begin.seq):
            for row in rows:
                if fault := fault_in(row, previous, begin):
                    raise JournalError(f"{self._path}: {fault}")
                previous = row
                records += 1
                given_up += is_given_up(row)
                erased += row[6] is None and not is_given_up(row)
            if progress is not None:
                progress(previous[0] if previous else begin.seq)
        reached = Head(previous[0], previous[9]) if previous else begin
        if reached.seq < end.seq:
            raise JournalError(f"{self._path}: record {reached.seq + 1} is missing")
        return Verified(records, erased, given_up)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """While the files are exchanged: nobody reads, nothing is open."""
        with self._lock:
            self._ahead = None  # of what stands there now
            self._close()
            yield

    def close(self) -> None:
        """Close it. Reading again opens it again."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            wait((ahead.found,))  # else it would open it again
        with self._lock:
            self._close()

    def _rows(self, after: int) -> list[Row]:
        return self._read(lambda connection: connection.execute(READ, (after, _CHUNK)).fetchall())

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = connect_to_read(self._path)
                return work(self._connection)
            except sqlite3.Error as error:
                self._close()
                raise JournalError(f"{self._path}: cannot be read: {error}") from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
