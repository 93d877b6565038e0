"""Logs that the gate had before: where their files are, and what of each is known to have been at the office.

A log that is given up (rewound, damaged) is moved aside; what the office had not acknowledged of it is carried over into the new one.
What it had acknowledged is nowhere but at the office and in the file aside. An office that is put back to a backup from before
has lost it, so the file is offered (`sync.log.earlier`), read only, as far as it was acknowledged. What the file no longer
has, and what the office alone ever had (this card was put back), is told as gone: so it is named even when somebody removed the file.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar

from gateway.journal import files
from gateway.journal.errors import JournalError
from gateway.journal.schema import (
    INSERT_EARLIER,
    READ,
    READ_EARLIER,
    READ_FROM,
    ROW_BYTES,
    Row,
    checked_record,
    connect_to_salvage,
    fault_in,
    is_damage,
)
from sync.log.records import GENESIS, Record
from sync.log.view import Head

MOST: Final = 32  # logs that are remembered; a gate opens a new one every ten minutes at most, and hardly ever any
REACH: Final = 5000  # numbers that are tried for what stands after a page that cannot be read
_Columns = tuple[str, str, int, bytes, int, bytes, int, int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLog:
    """One of them. `file`: its name beside the journal. `acked`: up to there the office has acknowledged what the file has.
    `held`: the last thing that the office said to hold of it, `acked` or, where this card had been put back, more.
    `at_ms`: when it was given up, 0 where the clock was not trusted. `whole`: all that was not acknowledged was carried over."""

    log_id: str
    file: str
    acked: Head
    held: Head
    at_ms: int
    whole: bool

    @classmethod
    def of(cls, columns: _Columns) -> Self:
        """What stands in a row."""
        log_id, file, acked, acked_hash, held, held_hash, at_ms, whole = columns
        return cls(
            log_id=str(log_id), file=str(file), acked=Head(int(acked), bytes(acked_hash)),
            held=Head(int(held), bytes(held_hash)), at_ms=int(at_ms), whole=bool(whole),
        )  # fmt: skip

    def columns(self) -> _Columns:
        """Its row."""
        return (self.log_id, self.file, *self.acked, *self.held, self.at_ms, int(self.whole))


def read_all(connection: sqlite3.Connection) -> list[EarlierLog]:
    """Those that a journal names, the oldest first. Raises sqlite3.Error."""
    return [EarlierLog.of(columns) for columns in connection.execute(READ_EARLIER)]


def write_all(connection: sqlite3.Connection, logs: Iterable[EarlierLog]) -> None:
    """Name them in a new journal."""
    connection.executemany(INSERT_EARLIER, [log.columns() for log in logs])


def forget(connection: sqlite3.Connection, logs: Iterable[EarlierLog]) -> None:
    """What was known of these logs until now."""
    connection.executemany("DELETE FROM earlier WHERE log_id = ?", [(log.log_id,) for log in logs])


def with_one_more(logs: Sequence[EarlierLog], one: EarlierLog) -> list[EarlierLog]:
    """The list for the log that follows. One that was given up before (the same card was put back twice) stands once."""
    if one.held.seq == 0:
        return list(logs)  # the office never had any of it: all is carried over, or named in the new log's first record
    return [*(log for log in logs if log.log_id != one.log_id), one][-MOST:]


def readable(connection: sqlite3.Connection, seq: int, failed: Callable[[int], None]) -> Iterable[Row]:
    """The rows from `seq` on that can be read. Of a broken page, each number that it may hold is tried. `failed` is called,
    within the handling of the error, with the number from which on nothing can be read for another reason."""
    tries = 0
    while tries < REACH and seq < 2**63:
        try:
            # One at a time: sqlite3 steps ahead, and would lose the last row before a page that cannot be read.
            row: Row | None = connection.execute(READ_FROM, (seq, 1)).fetchone()
        except sqlite3.Error as error:
            if not is_damage(error):
                failed(seq)
                return
            seq, tries = seq + 1, tries + 1
            continue
        if row is None or row[0] < seq:
            return
        yield row
        seq, tries = row[0] + 1, 0


class Aside:
    """An earlier log as a sender sees it (`sync.log.view.LogView`). Every answer opens the file and closes it. Only what fits the
    chain counts as held. Raises JournalError when it cannot be looked at now, which is not the same as damaged."""

    def __init__(self, folder: Path, log: EarlierLog) -> None:
        self._path = folder / log.file
        self._log = log

    @property
    def log_id(self) -> str:
        """The log's id."""
        return self._log.log_id

    def head(self) -> Head:
        """The last one that the office is known to have held."""
        return self._log.held

    def oldest(self) -> int:
        """The first one that is still here."""
        return self.first_held(0)

    def hash_at(self, seq: int) -> bytes | None:
        """The hash there."""
        for known in (self._log.held, self._log.acked, Head(0, GENESIS)):
            if seq == known.seq:
                return known.hash
        return self._read(lambda connection: _hash(connection, seq), None) if seq < self._log.acked.seq else None

    def first_held(self, after: int) -> int:
        """The next that can be read and that the chain vouches for. Behind one that cannot be read, another one is given up: only
        its own hash says what the chain goes on from."""
        end = self._log.held.seq + 1
        return self._read(lambda connection: self._first_held(connection, after), end)

    def _first_held(self, connection: sqlite3.Connection, after: int) -> int:
        acked, end = self._log.acked.seq, self._log.held.seq + 1
        trimmed = _trimmed(connection).seq
        if after < trimmed:
            return min(trimmed + 1, end)
        if after >= acked:
            return max(end, after + 1)
        if self._fitting(connection, after, 1):
            return after + 1
        for row in readable(connection, after + 2, self._failed):
            if row[0] >= acked:
                break
            if isinstance(row[9], bytes) and len(row[9]) == len(GENESIS):
                return row[0] + 1
        return end

    def read(self, after: int, max_records: int, max_bytes: int) -> Sequence[Record]:
        """The records from `after + 1`, up to the first that does not fit."""

        def work(connection: sqlite3.Connection) -> list[Record]:
            found: list[Record] = []
            for record in self._fitting(connection, after, min(max_records, self._log.acked.seq - after)):
                nonlocal max_bytes
                max_bytes -= len(record.body or b"") + ROW_BYTES
                if found and max_bytes < 0:
                    break
                found.append(record)
            return found

        return self._read(work, [])

    def _fitting(self, connection: sqlite3.Connection, after: int, most: int) -> list[Record]:
        known = self._log.acked if after == self._log.acked.seq else None
        before = known.hash if known is not None else _hash(connection, after)
        found: list[Record] = []
        if before is None or most <= 0:
            return found
        previous: Row | None = None
        for row in self._rows(connection, after, most):
            last = row[0] == self._log.acked.seq and row[9] != self._log.acked.hash
            if last or fault_in(row, previous, (after, before)) is not None:
                break
            try:
                found.append(checked_record(row))
            except (TypeError, ValueError):
                break
            previous = row
        return found

    def _rows(self, connection: sqlite3.Connection, after: int, most: int) -> Iterable[Row]:
        try:
            return connection.execute(READ, (after, most)).fetchall()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
        return (row for row, _ in zip(readable(connection, after + 1, self._failed), range(most), strict=False))

    def _failed(self, seq: int) -> None:
        raise JournalError(f"{self._path}: record {seq} cannot be read just now")

    def _read(self, work: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """`nothing`: the answer of a file that is not there any more, is no database, or is another log's by now."""
        try:
            self._path.stat()
            with closing(connect_to_salvage(self._path)) as connection:
                return work(connection) if _log_in(connection) in ("", self._log.log_id) else nothing
        except FileNotFoundError:
            return nothing
        except OSError as error:
            raise JournalError(f"{self._path}: cannot be looked at: {error.strerror}") from error
        except sqlite3.Error as error:
            if is_damage(error) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # the latter: it has no such table
                return nothing
            raise JournalError(f"{self._path}: cannot be read: {error}") from error

    # the file

    @property
    def log(self) -> EarlierLog:
        """What is known of it."""
        return self._log

    def size(self) -> int:
        """Bytes of its files; 0 when they are gone, or are another log's by now. Raises JournalError when that cannot be seen."""
        if not self._read(lambda _connection: True, False):
            return 0
        return sum(part.stat().st_size for part in files.parts(self._path))

    def remove(self) -> None:
        """Delete its files, where there are any (`size`). Raises JournalError."""
        try:
            files.remove(self._path)
            files.sync_folder(self._path.parent)
        except OSError as error:
            raise JournalError(f"{self._path}: cannot be deleted: {error.strerror}") from error


def _log_in(connection: sqlite3.Connection) -> str:
    """Whose file it is; "" where that cannot be read any more: then the chain alone says it."""
    try:
        found = connection.execute("SELECT log_id FROM meta").fetchone()
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return ""
    return str(found[0]) if found is not None else ""


def _trimmed(connection: sqlite3.Connection) -> Head:
    try:
        found = connection.execute("SELECT trimmed_seq, trimmed_hash FROM meta").fetchone()
        return Head(0, GENESIS) if found is None else Head(int(found[0]), bytes(found[1]))
    except (TypeError, ValueError):
        return Head(0, GENESIS)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return Head(0, GENESIS)


def _hash(connection: sqlite3.Connection, seq: int) -> bytes | None:
    """The hash of a record that can be read, or of the last one that was trimmed."""
    trimmed = _trimmed(connection)
    if seq == trimmed.seq:
        return trimmed.hash
    try:
        row = connection.execute("SELECT hash FROM records WHERE seq = ?", (seq,)).fetchone()
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return None
    return bytes(row[0]) if row is not None and isinstance(row[0], bytes) else None
