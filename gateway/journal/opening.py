"""Opening a log: look at what is there without changing it, and set up a new log where there is none or a damaged one.

A new log is built whole under `<name>.new`, the old files are moved aside, and the new one is renamed into place. A power
cut anywhere in between leaves either the old log in place, or a whole `.new` that the next start puts there.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.core.moment import Moment
from gateway.journal import files
from gateway.journal.errors import JournalError
from gateway.journal.schema import (
    APPLICATION_ID,
    INSERT,
    MIGRATIONS,
    READ,
    SET_STATE,
    TABLES,
    MetaRow,
    Row,
    connect,
    connect_to_read,
    connect_to_salvage,
    fault_in,
    is_damage,
    raw,
    record_of,
    row_of,
    sqlite_errors,
)
from sync.contract.records import LogOpened, encode_body, kind_of
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
    """Where the records of a new log come from in time."""

    boot: bytes
    now: Moment


@dataclass(slots=True)
class Old:
    """What a log that is given up still tells; the defaults where it does not."""

    log_id: str = ""
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    acked: Head = field(default_factory=lambda: Head(0, GENESIS))
    connections: int | None = None
    known_ms: int = 0
    state: dict[str, bytes] = field(default_factory=dict)


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
    if draft.exists() and examine(draft) is None:
        files.move(draft, path)
        return "an interrupted change of logs was completed"
    files.remove(draft)
    detail = f"the database was missing, though its write-ahead log was there; moved to {aside.name}" if aside else ""
    build(draft, LogOpened(reason="damaged" if aside else "new", detail=detail), origin)
    files.move(draft, path)
    return detail or None


def replace_damaged(path: Path, damage: str, origin: Origin, state: dict[str, bytes] | None = None) -> str:
    """Move a damaged log aside and open a new one. `state`: the durable state where the caller knows it better."""
    old = salvage(path)
    old.state = old.state if state is None else state
    aside = files.free_name(path, ".damaged")
    carried = replace(path, aside, old, origin, reason="damaged", detail=damage)
    told = f"the journal was damaged ({damage}); it was moved to {aside.name} and a new log opened"
    return f"{told}; {carried} records not yet acknowledged were carried over" if carried else told


def replace(path: Path, aside: Path, old: Old, origin: Origin, *, reason: str, detail: str) -> int:
    """Open a new log at `path`, with the old one moved to `aside`. How many unacknowledged records were carried over."""
    draft = files.beside(path, ".new")
    files.remove(draft)
    first = LogOpened(reason=reason, predecessor=old.log_id, predecessor_head=old.head.seq, detail=detail)
    carried = build(draft, first, origin, old, path)
    files.move(path, aside)
    files.move(draft, path)
    return carried


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
            return _wrong_schema(connection, path) or _wrong_pages(connection, path) or _wrong_tail(connection)
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


def _wrong_schema(connection: sqlite3.Connection, path: Path) -> str | None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return "a database, but not a journal"
    if version > len(MIGRATIONS):
        raise JournalError(
            f"{path} was written by a newer version (schema {version}, this one knows {len(MIGRATIONS)}):"
            " install that version again, or move the file away to begin a new log"
        )
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    missing = {str(table._meta.table_name) for table in TABLES} - found
    return f"tables are missing: {', '.join(sorted(missing))}" if missing else None


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


def salvage(path: Path) -> Old:
    """What can still be read of a log."""
    old = Old()
    try:
        with closing(connect_to_salvage(path)) as connection:
            meta = connection.execute(
                "SELECT log_id, acked_seq, acked_hash, connections, known_ms FROM meta"
            ).fetchone()
            if meta is not None:
                old.log_id, old.acked = str(meta[0]), Head(int(meta[1]), bytes(meta[2]))
                old.connections, old.known_ms = int(meta[3]), int(meta[4])
            old.state = {
                str(key): bytes(value) for key, value in connection.execute("SELECT key, value FROM core_state")
            }
            last = connection.execute("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
            if last is not None:
                old.head = Head(int(last[0]), bytes(last[1]))
    except (sqlite3.Error, ValueError, TypeError) as error:
        logger.warning("%s: not all could be read of the old log: %s", path, error)
    return old


def build(draft: Path, first: LogOpened, origin: Origin, old: Old | None = None, source: Path | None = None) -> int:
    """Build a new log at `draft`, whole and closed: `first`, then what `source` holds beyond its acknowledgement.

    Returns how many records were carried over."""
    old = old or Old()
    database = connect(draft, mode="rwc")
    try:
        connection = raw(database)
        opening = _first_row(first, origin)
        with sqlite_errors(), database.atomic():
            MetaRow.update(
                log_id=os.urandom(16).hex(),
                # above any that was handed out before, where it is not known what was
                connections=origin.now.at_ms // 1000 if old.connections is None else old.connections,
                known_ms=old.known_ms,
            ).execute(database)
            connection.execute(INSERT, opening)
            connection.executemany(SET_STATE, old.state.items())
            return _carry(connection, source, old, opening) if source and old.log_id else 0
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


def _carry(connection: sqlite3.Connection, source: Path, old: Old, opening: Row) -> int:
    def chained() -> Iterator[Row]:
        previous = opening
        for row in _unacknowledged(source, old.acked):
            record = record_of((previous[0] + 1, *row[1:]))
            previous = row_of(record, previous[9])
            yield previous

    before = connection.total_changes
    connection.executemany(INSERT, chained())
    return connection.total_changes - before


def _unacknowledged(source: Path, acked: Head) -> Iterator[Row]:
    """The records beyond the acknowledgement, as far as they can be read and the chain holds."""
    previous: Row | None = None
    with closing(connect_to_salvage(source)) as connection:
        try:
            for row in connection.execute(READ, (acked.seq, -1)):
                if fault := fault_in(row, previous, acked):
                    logger.error("%s: nothing is carried over from here on: %s", source, fault)
                    return
                yield row
                previous = row
        except sqlite3.Error:
            logger.exception("%s: nothing is carried over from here on", source)
