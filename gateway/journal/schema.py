"""The journal's tables, its pragmas, and the way from every earlier version to this one.

The append and the uplink's reads are SQL text on the raw connection; everything else asks through the models.
"""

import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.journal.errors import JournalError
from gateway.journal.orm import (
    BlobField,
    IntegerField,
    Model,
    PeeweeException,
    SchemaManager,
    SqliteDatabase,
    TextField,
)
from sync.log.records import GENESIS, Record, body_hash, chain_hash, is_kind

APPLICATION_ID: Final = 0x4D4E5348  # "MNSH", in the file's header
BUSY_S: Final = 1.0  # how long a lock held by another process is waited for


class Pragma(NamedTuple):
    """A setting of the writing connection, and what it must read back as."""

    name: str
    value: str
    expected: object


_INCREMENTAL: Final = 2
KEPT_WAL: Final = 20 * 1024 * 1024
"""Bytes of the write-ahead log that stay on the disk to be written over: growing a file is slower, and wears a card three times
as much. More than the 4,000 pages at which SQLite begins anew by itself."""
PRAGMAS: tuple[Pragma, ...] = (
    Pragma("journal_mode", "wal", "wal"),
    Pragma("synchronous", "FULL", 2),  # with NORMAL a power cut takes the last commits
    Pragma("secure_delete", "ON", 1),  # an erased body is overwritten
    Pragma("wal_autocheckpoint", "4000", 4000),  # pages; the gate checkpoints itself when nobody is at the portal
)


class RecordRow(Model):
    """A record; the columns are those of `sync.log.records.Record` and its hash."""

    seq = IntegerField(primary_key=True)
    kind = TextField()
    at = IntegerField()
    clock = IntegerField()
    boot = BlobField()
    mono = IntegerField()
    body = BlobField(null=True)
    salt = BlobField(null=True)
    body_hash = BlobField()
    hash = BlobField()

    class Meta:
        table_name = "records"


class MetaRow(Model):
    """The one row about the log itself."""

    id = IntegerField(primary_key=True)
    log_id = TextField()
    acked_seq = IntegerField()
    acked_hash = BlobField()
    trimmed_seq = IntegerField()
    trimmed_hash = BlobField()
    known_ms = IntegerField()
    gate = TextField()

    class Meta:
        table_name = "meta"


class StateRow(Model):
    """One key of the core's durable state."""

    key = TextField(primary_key=True)
    value = BlobField()

    class Meta:
        table_name = "core_state"


class EarlierRow(Model):
    """A log that this one goes on from, or that one: see `gateway.journal.earlier.EarlierLog`."""

    log_id = TextField(primary_key=True)
    file = TextField()
    acked_seq = IntegerField()
    acked_hash = BlobField()
    held_seq = IntegerField()
    held_hash = BlobField()
    at = IntegerField()
    whole = IntegerField()

    class Meta:
        table_name = "earlier"


TABLES: Final = (RecordRow, MetaRow, StateRow)
"""Of every version. A file that is only read may be of an earlier one."""
Row = tuple[int, str, int, int, bytes, int, bytes | None, bytes | None, bytes, bytes]
GIVEN_UP: Final = b""
"""Stands in the place of the salt where a body was given up to make room; where it was erased, nothing does."""
_COLUMNS: Final = "INSERT INTO records (seq, kind, at, clock, boot, mono, body, salt, body_hash, hash) VALUES "
_VALUES: Final = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT: Final = _COLUMNS + _VALUES
# sqlite3 gives up Python's interpreter lock at every step. While another thread computes, each row of its own costs a wait
# of up to 5 ms for it; many rows a step cost one.
CHUNK: Final = 25
ROW_BYTES: Final = 100  # of a record beside its body
INSERT_CHUNK: Final = _COLUMNS + ", ".join([_VALUES] * CHUNK)
READ: Final = (
    "SELECT seq, kind, at, clock, boot, mono, body, salt, body_hash, hash FROM records"
    " WHERE seq > ? ORDER BY seq LIMIT ?"
)
# Not `seq > ? - 1`: looking for that may need the page before, which may be the broken one.
READ_FROM: Final = READ.replace("seq > ?", "seq >= ?")
_READ_RUN: Final = READ.replace("seq > ? ORDER BY seq LIMIT ?", "seq BETWEEN ? AND ? ORDER BY seq")
READ_BACK: Final = READ.replace("seq > ? ORDER BY seq", "seq < ? ORDER BY seq DESC")
READ_EARLIER: Final = (
    "SELECT log_id, file, acked_seq, acked_hash, held_seq, held_hash, at, whole FROM earlier ORDER BY rowid"
)
INSERT_EARLIER: Final = (
    "INSERT INTO earlier (log_id, file, acked_seq, acked_hash, held_seq, held_hash, at, whole)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_STATE: Final = (
    "INSERT INTO core_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
DROP_STATE: Final = "DELETE FROM core_state WHERE key = ?"


def record_of(row: Row) -> Record:
    """The record in a row."""
    seq, kind, at, clock, boot, mono, body, salt, digest, _ = row
    return Record(seq, kind, at, bool(clock), boot, mono, body, salt or None, digest)


def is_given_up(row: Row) -> bool:
    """Whether the body was given up to make room (and not erased)."""
    return row[6] is None and row[7] == GIVEN_UP


def row_of(record: Record, previous: bytes) -> Row:
    """The row of a record that follows the one with the hash `previous`."""
    return (
        record.seq,
        record.kind,
        record.at,
        record.clock,
        record.boot,
        record.mono,
        record.body,
        record.salt,
        record.body_hash,
        chain_hash(previous, record),
    )


def size_of(connection: sqlite3.Connection, first: int, last: int) -> int:
    """About how many bytes these records take."""
    found = connection.execute(
        "SELECT COUNT(*), TOTAL(LENGTH(body)) FROM records WHERE seq BETWEEN ? AND ?", (first, last)
    ).fetchone()
    return int(found[0]) * ROW_BYTES + int(found[1])


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert rows, in order."""
    whole = len(rows) - len(rows) % CHUNK
    if whole:
        chunks = (chain.from_iterable(rows[begin : begin + CHUNK]) for begin in range(0, whole, CHUNK))
        connection.executemany(INSERT_CHUNK, map(tuple, chunks))
    if whole < len(rows):
        connection.executemany(INSERT, rows[whole:])


def erase_rows(database: SqliteDatabase, seqs: Sequence[int]) -> int:
    """Delete body and salt of these records; the chain does not need them. How many there were."""
    return int(RecordRow.update(body=None, salt=None).where(RecordRow.seq.in_(list(seqs))).execute(database))


def give_up(connection: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Delete body and salt of these records to make room; the chain does not need them."""
    update = "UPDATE records SET body = NULL, salt = ? WHERE seq = ?"
    connection.executemany(update, [(GIVEN_UP, seq) for seq in seqs])


def pack(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Write these rows anew, as they are, within a transaction. Where bodies were given up SQLite leaves the pages half
    empty, since it merges pages only where rows are deleted; rows that come in order fill them."""
    rows = connection.execute(_READ_RUN, (first, last)).fetchall()
    connection.execute("DELETE FROM records WHERE seq BETWEEN ? AND ?", (first, last))
    insert(connection, rows)


def give_back(connection: sqlite3.Connection, pages: int) -> int:
    """Give at most so many free pages back to the disk. How many are left that could be."""
    if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
        return 0
    # `execute` takes one step of this statement, which is one page: it has rows without columns
    connection.executescript(f"PRAGMA incremental_vacuum({pages})")
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


class Usage(NamedTuple):
    """Bytes of the file, without the write-ahead log: what the records take, and what is free for others to come."""

    used: int
    spare: int


def usage(connection: sqlite3.Connection) -> Usage:
    """How the file is used."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return Usage((pages - free) * size, free * size)


def fault_in(row: Row, previous: Row | None, before: tuple[int, bytes]) -> str | None:
    """What is wrong with a row that must follow `previous` (or, when None, the number and hash `before`)."""
    seq, digest = (previous[0], previous[9]) if previous else before
    if row[0] != seq + 1:
        return f"record {seq + 1} is missing"
    try:
        record = record_of(row)
        if chain_hash(digest, record) != row[9]:
            return f"the hash chain breaks at record {row[0]}"
        if record.body is not None and body_hash(record.salt or b"", record.body) != record.body_hash:
            return f"the body of record {row[0]} is not the one that was written"
    except (TypeError, AttributeError, ValueError, struct.error) as error:
        return f"record {row[0]} is unreadable ({error})"
    return None


def fault_in_itself(row: Row) -> str | None:
    """What is wrong with a row that the chain does not reach: its body and its bounds are all that can be looked at."""
    try:
        record = checked_record(row)
        if record.body is not None and body_hash(record.salt or b"", record.body) == record.body_hash:
            return None
    except (TypeError, msgspec.ValidationError) as error:
        return f"record {row[0]} is unreadable ({error})"
    return f"nothing vouches for record {row[0]}"


def checked_record(row: Row) -> Record:
    """The record in a row, its types and bounds looked at. Raises ValueError or TypeError when it is none."""
    record = msgspec.convert(msgspec.structs.astuple(record_of(row)), Record)
    if not is_kind(record.kind):
        raise msgspec.ValidationError(f"{record.kind[:80]!r} is no kind")
    return record


Migration = Callable[[SqliteDatabase], None]


_META_1: Final = (
    'CREATE TABLE "meta" ("id" INTEGER NOT NULL PRIMARY KEY, "log_id" TEXT NOT NULL, "acked_seq" INTEGER NOT NULL, '
    '"acked_hash" BLOB NOT NULL, "trimmed_seq" INTEGER NOT NULL, "trimmed_hash" BLOB NOT NULL, '
    '"connections" INTEGER NOT NULL, "known_ms" INTEGER NOT NULL)'
)


def _version_1(database: SqliteDatabase) -> None:
    """The first version. When a later one changes a model, the model as it is now is frozen here."""
    connection = raw(database)
    SchemaManager(RecordRow, database).create_all()
    connection.execute(_META_1)
    SchemaManager(StateRow, database).create_all()
    first = (1, "", 0, GENESIS, 0, GENESIS, 0, 0)
    connection.execute("INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?, ?, ?)", first)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _version_2(database: SqliteDatabase) -> None:
    """Earlier logs are known by more than their files' names."""
    SchemaManager(EarlierRow, database).create_all()


def _version_3(database: SqliteDatabase) -> None:
    """Connections are numbered by the clock of the boot: a journal that was put back knows nothing of those since."""
    raw(database).execute("ALTER TABLE meta DROP COLUMN connections")


def _version_4(database: SqliteDatabase) -> None:
    """A journal says whose it is: one that lies beside another gate's is not that gate's."""
    raw(database).execute("ALTER TABLE meta ADD COLUMN gate TEXT NOT NULL DEFAULT ''")


MIGRATIONS: list[Migration] = [
    _version_1,
    _version_2,
    _version_3,
    _version_4,
]  # number n leads from version n to n + 1; never changed once released


def connect(path: Path, *, mode: str) -> SqliteDatabase:
    """A database connected in this thread, for writing, brought to this version. `mode`: `rw`, or `rwc` to create.

    Raises JournalError when a pragma does not read back as set: without them a commit would not be durable."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    database = SqliteDatabase(uri, uri=True, autoconnect=False, timeout=BUSY_S, lock_type="IMMEDIATE")
    with sqlite_errors():
        database.connect()
        try:
            _set_pragmas(raw(database), path)
            _migrate(database)
        except BaseException:
            database.close()
            raise
    return database


def _set_pragmas(connection: sqlite3.Connection, path: Path) -> None:
    # Counts for a file that has no table yet: what is deleted can be given back to the disk, page by page. In another file
    # its room is used again.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute(f"PRAGMA journal_size_limit = {KEPT_WAL}")
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma.name} = {pragma.value}")
        found = connection.execute(f"PRAGMA {pragma.name}").fetchone()[0]
        if found != pragma.expected:
            raise JournalError(
                f"{path}: SQLite's {pragma.name} is {found!r} where {pragma.expected!r} is needed for records to"
                " survive a power cut; put the journal on a local disk with a filesystem that allows it"
            )


def _migrate(database: SqliteDatabase) -> None:
    connection = raw(database)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        with database.atomic():
            migration(database)
            connection.execute(f"PRAGMA user_version = {number}")


def raw(database: SqliteDatabase) -> sqlite3.Connection:
    """The connection under a connected database, in autocommit mode."""
    connection: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]  # the stub leaves it bare
    return connection


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """Let errors that peewee has wrapped go on as what they were."""
    try:
        yield
    except PeeweeException as error:
        cause = error.args[0] if error.args else None
        raise (cause if isinstance(cause, sqlite3.Error) else sqlite3.DatabaseError(str(error))) from error


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )


def connect_to_salvage(path: Path) -> sqlite3.Connection:
    """The same, for a damaged file: of one that was cut short, what is left can be read too."""
    connection = connect_to_read(path)
    # Else SQLite refuses the whole file because its header tells of more pages. Nothing is written by it.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def connect_alone(path: Path) -> sqlite3.Connection:
    """A connection for whoever has the file to himself: it needs no shared memory beside it, so not a byte of a full disk."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_damage(error: sqlite3.Error | OSError) -> bool:
    """Whether SQLite says that the file's content is wrong (and not that it is locked, full or out of reach)."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF in _DAMAGE if code is not None else "decode to UTF-8" in str(error)


def is_full(error: sqlite3.Error | OSError) -> bool:
    """Whether the disk is full."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
