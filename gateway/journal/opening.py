"""Opening a log: look at what is there without changing it, and set up a new log where there is none or a damaged one.

A new log is built whole under `<name>.new`, the old files are moved aside, and the new one is renamed into place. A power
cut anywhere in between leaves either the old log in place, or a whole `.new` that the next start puts there.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.core.moment import Moment
from gateway.journal import files
from gateway.journal.earlier import EarlierLog, read_all, readable, with_one_more, write_all
from gateway.journal.errors import JournalError
from gateway.journal.memo import NAME, Memo, recall
from gateway.journal.schema import (
    APPLICATION_ID,
    INSERT,
    MIGRATIONS,
    READ,
    READ_FROM,
    SET_STATE,
    TABLES,
    EarlierRow,
    MetaRow,
    Row,
    connect,
    connect_to_read,
    connect_to_salvage,
    fault_in,
    fault_in_itself,
    is_damage,
    raw,
    record_of,
    row_of,
    sqlite_errors,
)
from sync.contract.records import MAX_RUNS, LogOpened, encode_body, kind_of
from sync.log.records import GENESIS, Record, body_hash
from sync.log.view import Head

logger = logging.getLogger("menshen.journal")
TAIL: Final = 200  # records at the end whose chain is verified at every start
CHECKED_WHOLE: Final = (
    16 * 1024 * 1024
)  # bytes; a larger file is checked page by page only by `verify` and SQLite's tools
_WAL_MAGIC: Final = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the records of a new log come from in time, and of which gate; "" for nobody's."""

    boot: bytes
    now: Moment
    gate: str = ""


@dataclass(slots=True)
class Old:
    """What a log that is given up still tells; the defaults where it does not."""

    log_id: str = ""
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    acked: Head = field(default_factory=lambda: Head(0, GENESIS))
    known_ms: int = 0
    state: dict[str, bytes] = field(default_factory=dict)
    earlier: list[EarlierLog] = field(default_factory=list)
    held: Head | None = None  # what the office says that it holds of it, where that is not what stands here


def prepare(path: Path, origin: Origin) -> str | None:
    """Make sure that a sound log stands at `path`. What had to be recovered, in words.

    Raises JournalError, OSError or sqlite3.Error when the file is out of reach, locked, or of a newer version."""
    draft = files.beside(path, ".new")
    if not path.exists():
        return _prepare_missing(path, draft, origin)
    damage = examine(path)
    files.remove(draft)
    return None if damage is None else replace_damaged(path, damage, origin)


def _prepare_missing(path: Path, draft: Path, origin: Origin) -> str | None:
    aside = None
    if files.parts(path):
        aside = files.free_name(path, ".damaged")
        files.move(path, aside)
    if draft.exists() and not _is_begun(draft) and examine(draft) is None:
        files.move(draft, path)
        return "an interrupted change of logs was completed"
    files.remove(draft)
    wal = files.beside(aside, "-wal").name if aside else ""
    detail = f"the database was missing, though its write-ahead log was there; moved to {wal}" if wal else ""
    before = recall(path) if origin.gate else None
    build(draft, _first(before, "moved-aside" if before else "damaged" if aside else "new", detail), origin)
    files.move(draft, path)
    gone = "" if before is None else _gone(path, before, wal)
    return "; ".join(filter(None, (detail, gone))) or None


def _gone(path: Path, before: Memo, wal: str) -> str:
    """Of a log of which nothing stands in its place any more: what that means, and how to bring it. `wal`: what was left of it."""
    name = f"{path.name}.found-{before.log_id[:8]}"  # told of no other log: both may be brought
    return (
        f"the file is missing, though log {before.log_id} stood here, up to record {before.seq} at least ({NAME}): a new log"
        " was opened, and tells the office so. Unless a line above says that the old one lies beside it:"
        f" put its file into {path.parent} as {name}, its -wal ({f'here as {wal}' if wal else 'where there is one'}) as {name}-wal,"
        " and start the gate again;"
        " what the office has not had of it is offered then"
    )


def _first(before: Memo | None, reason: str, detail: str) -> LogOpened:
    """Of a log that goes on from what is not there any more."""
    log_id, head = ("", 0) if before is None else (before.log_id, before.seq)
    return LogOpened(reason=reason, predecessor=log_id, predecessor_head=head, detail=detail)


def _is_begun(draft: Path) -> bool:
    """Whether the power went while the first of it was written: it cannot even be looked at without being changed."""
    return files.beside(draft, "-journal").exists()


def replace_damaged(
    path: Path, damage: str, origin: Origin, state: dict[str, bytes] | None = None, head: Head | None = None
) -> str:
    """Move a damaged log aside and open a new one. `state`, `head`: where the caller knows them better than the file."""
    old = salvage(path)
    old.state = old.state if state is None else state
    old.head = head or old.head
    aside = files.free_name(path, ".damaged")
    carried = replace(path, aside, old, origin, reason="damaged", detail=damage)
    told = f"the journal was damaged ({damage}); it was moved to {aside.name} and a new log opened"
    lost = old.head.seq - old.acked.seq - carried
    if carried or lost > 0:
        told += f"; of the records not yet acknowledged {carried} were carried over"
    return f"{told}, {lost} could not be read" if lost > 0 else told


def replace(path: Path, aside: Path, old: Old, origin: Origin, *, reason: str, detail: str) -> int:
    """Open a new log at `path`, with the old one moved to `aside`. How many unacknowledged records were carried over."""
    draft = files.beside(path, ".new")
    files.remove(draft)
    runs = _runs(row[0] for row in _sound(path, old.acked)) if old.log_id else []
    first = LogOpened(
        reason=reason,
        predecessor=old.log_id,
        predecessor_head=old.head.seq,
        carried=tuple(runs[:MAX_RUNS]),
        detail=detail,
    )
    carried = sum(last - first + 1 for first, last in runs)
    old.earlier = with_one_more(
        old.earlier, _given_up(old, aside, origin, whole=old.acked.seq + carried >= old.head.seq)
    )
    build(draft, first, origin, old, _rows_in(path, runs))
    files.move(path, aside)
    files.move(draft, path)
    return carried


def _given_up(old: Old, aside: Path, origin: Origin, *, whole: bool) -> EarlierLog:
    held = old.held if old.held is not None and old.held.seq > old.acked.seq else old.acked
    at_ms = origin.now.at_ms if origin.now.trusted else 0
    return EarlierLog(log_id=old.log_id, file=aside.name, acked=old.acked, held=held, at_ms=at_ms, whole=whole)


# looking


def examine(path: Path) -> str | None:
    """What is damaged, or None. Changes nothing. A large file is not read whole: start must not take long."""
    if not path.is_file():
        raise JournalError(f"{path} is not a file; name another place for the journal")
    if path.stat().st_size == 0:
        return "the file is empty"
    if _wal_is_garbage(files.beside(path, "-wal")):
        return "the write-ahead log is not one of SQLite's"
    try:
        with closing(connect_to_read(path)) as connection:
            wrong = wrong_schema(connection, path) or _wrong_pages(connection, path) or _wrong_tail(connection)
            if wrong is None and _version(connection) > 1:
                read_all(connection)  # raises where its page cannot be read
            return wrong
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise


def _wal_is_garbage(wal: Path) -> bool:
    # SQLite ignores such a log without a word, and with it the last records. What a power cut leaves of a log that was
    # just begun, short or zeros, was never acknowledged.
    if not wal.exists():
        return False
    with wal.open("rb") as file:
        header = file.read(32)
    return len(header) == 32 and any(header) and header[:4] not in _WAL_MAGIC


def wrong_schema(connection: sqlite3.Connection, path: Path) -> str | None:
    """Why this is no journal, or None. Raises JournalError when a newer version wrote it."""
    version = _version(connection)
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return "a database, but not a journal"
    if version > len(MIGRATIONS):
        raise JournalError(
            f"{path} was written by a newer version (schema {version}, this one knows {len(MIGRATIONS)}):"
            " install that version again, or move the file away to begin a new log"
        )
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables = (*TABLES, EarlierRow) if version > 1 else TABLES
    missing = {str(table._meta.table_name) for table in tables} - found
    return f"tables are missing: {', '.join(sorted(missing))}" if missing else None


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _wrong_pages(connection: sqlite3.Connection, path: Path) -> str | None:
    if path.stat().st_size > CHECKED_WHOLE:
        return None
    answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return None if answer == "ok" else f"SQLite's check: {answer}"


def _wrong_tail(connection: sqlite3.Connection) -> str | None:
    meta = connection.execute("SELECT trimmed_seq, trimmed_hash FROM meta WHERE id = 1").fetchone()
    if meta is None:
        return "the row about the log is missing"
    last = connection.execute("SELECT max(seq) FROM records").fetchone()[0]
    if last is None:
        return None if meta[0] else "it holds no record"
    if last <= meta[0]:
        return f"record {last} stands, though {meta[0]} was trimmed"
    after = max(last - TAIL - 1, meta[0])
    rows: list[Row] = connection.execute(READ, (after, TAIL + 1)).fetchall()
    pairs = zip([None, *rows], rows, strict=False)
    if after > meta[0]:
        next(pairs)  # the first row only gives its hash to the second
    faults = (fault_in(row, previous, meta) for previous, row in pairs)
    return next(filter(None, faults), None)


# setting up


def salvage(path: Path, connect: Callable[[Path], sqlite3.Connection] = connect_to_salvage) -> Old:
    """What can still be read of a log."""
    old = Old()
    try:
        with closing(connect(path)) as connection:
            meta = connection.execute("SELECT log_id, acked_seq, acked_hash, known_ms FROM meta").fetchone()
            if meta is not None:
                old.log_id, old.acked = str(meta[0]), Head(int(meta[1]), bytes(meta[2]))
                old.known_ms = int(meta[3])
            old.state = {
                str(key): bytes(value) for key, value in connection.execute("SELECT key, value FROM core_state")
            }
            last = connection.execute("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
            if last is not None:
                old.head = Head(int(last[0]), bytes(last[1]))
            if _version(connection) > 1:
                old.earlier = read_all(connection)
    except (sqlite3.Error, ValueError, TypeError) as error:
        logger.warning("%s: not all could be read of the old log: %s", path, error)
    return old


def build(draft: Path, first: LogOpened, origin: Origin, old: Old | None = None, carried: Iterable[Row] = ()) -> None:
    """Build a new log at `draft`, whole and closed: `first`, then the rows of the old one that are carried over."""
    old = old or Old()
    database = connect(draft, mode="rwc")
    try:
        connection = raw(database)
        opening = _first_row(first, origin)
        with sqlite_errors(), database.atomic():
            MetaRow.update(
                log_id=os.urandom(16).hex(),
                known_ms=old.known_ms,
                gate=origin.gate,
            ).execute(database)
            connection.execute(INSERT, opening)
            connection.executemany(SET_STATE, old.state.items())
            write_all(connection, old.earlier)
            connection.executemany(INSERT, _chained(carried, opening))
    except BaseException:
        database.close()
        files.remove(draft)
        raise
    finally:
        database.close()


def _first_row(first: LogOpened, origin: Origin) -> Row:
    now, body, salt = origin.now, encode_body(first), os.urandom(16)
    digest = body_hash(salt, body)
    record = Record(1, kind_of(first), now.at_ms, now.trusted, origin.boot, now.mono_ms, body, salt, digest)
    return row_of(record, GENESIS)


# carrying over


def _chained(rows: Iterable[Row], previous: Row) -> Iterator[Row]:
    """The rows as they follow `previous` in another chain."""
    for row in rows:
        record = record_of((previous[0] + 1, *row[1:]))
        previous = row_of(record, previous[9])
        yield (*previous[:7], row[7], *previous[8:])  # the salt as it stood: it may say why there is no body


def _sound(source: Path, acked: Head) -> Iterator[Row]:
    """The records beyond the acknowledgement that are as they were written. A broken one costs no other: where the chain
    does not reach, a record's own hash vouches for its body."""
    last = acked
    with closing(connect_to_salvage(source)) as connection:

        def failed(seq: int) -> None:
            logger.exception("%s: nothing is carried over from record %d on", source, seq)

        for row in readable(connection, acked.seq + 1, failed):
            fault = fault_in(row, None, last) if row[0] == last.seq + 1 else fault_in_itself(row)
            if fault is None:
                last = Head(row[0], row[9])
                yield row


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Rising numbers as runs (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _rows_in(source: Path, runs: Sequence[tuple[int, int]]) -> Iterator[Row]:
    """The rows of these runs. Raises JournalError when they cannot be read again."""
    with closing(connect_to_salvage(source)) as connection:
        for first, last in runs:
            count = last - first + 1
            for row in connection.execute(READ_FROM, (first, count)):
                count -= 1
                yield row
            if count:
                raise JournalError(f"{source}: {count} records up to {last} could be read a moment ago, and no more")
