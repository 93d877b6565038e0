"""The directory: whom this gate knows. A second SQLite file, so that loading it never holds up the journal.

Holders, their cards, the health codes the office has registered, and revoked passes. It has a version; resolvers put it
into each verdict. The office sends it down the road (`gateway.directory_road`), or a file is loaded by `menshen gate
directory load`. The trust list lies beside it as it came, sealed (`gateway.trust`); the two are replaced apart from each
other.
"""

import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import DirectoryDamaged, DirectoryError
from gateway.journal import files
from gateway.journal.schema import is_damage
from sync.contract.colours import HealthCode, PassType
from sync.contract.directory import NOBODY, Booking, Card, Code, Holder, PassId, Table
from sync.contract.sealed import SealError, unseal

logger = logging.getLogger("menshen.directory")
Stamp = tuple[int, int, int]
Row = tuple[Any, ...]  # as SQLite gives it; the columns are those of `_SCHEMA`
WHAT: Final = "directory"  # as what the office signs one


class DirectoryFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `menshen gate directory load` reads: JSON with exactly these keys. `issued_s`: when the office made it (Unix
    seconds, 0 = it does not say); `revoked`: pass ids, 16 hexadecimal digits."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    issued_s: Annotated[int, msgspec.Meta(ge=0)] = 0
    holders: tuple[Holder, ...] = ()
    cards: tuple[Card, ...] = ()
    codes: tuple[Code, ...] = ()
    revoked: tuple[PassId, ...] = ()


def code_digest(text: str) -> str:
    """How the directory names a health code without keeping its text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_directory_file(path: Path, keys: Sequence[Ed25519PublicKey] = (), *, unsigned: bool = False) -> DirectoryFile:
    """A directory file, checked: sealed by one of the office's `keys`, or plain, which is taken where no key is pinned or
    when it is meant so (`unsigned`). Raises DirectoryError that names what is wrong and where."""
    try:
        data = path.read_bytes()
        if _is_sealed(data):
            data = unseal(data, WHAT, keys)
        elif keys and not unsigned:
            raise DirectoryError(
                f"{path}: is not signed, and this gate has the office's key: have it signed (menshen trust seal), or say "
                "--unsigned"
            )
        content = msgspec.json.decode(data, type=DirectoryFile)
    except OSError as error:
        raise DirectoryError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, SealError) as error:
        raise DirectoryError(f"{path}: {error}") from error
    known = {holder.holder for holder in content.holders}
    if NOBODY in known:
        raise DirectoryError(f"{path}: a holder {NOBODY!r}: that stands for nobody; give them another reference")
    strangers = sorted({card.holder for card in content.cards} - known - {NOBODY})
    if strangers:
        raise DirectoryError(f"{path}: cards of holders that are not listed: {', '.join(strangers[:5])}")
    return content


def _is_sealed(data: bytes) -> bool:
    """Whether it begins as a COSE object does, untagged or tagged, and no JSON."""
    return data[:1] in (b"\x84", b"\xd2", b"\xd8")


@dataclass(frozen=True, slots=True)
class Edition:
    """Which directory this is. `issued_s`: 0 where it does not say; `received_s`: 0 where it was loaded by an earlier
    version."""

    version: int
    issued_s: int
    received_s: int


@dataclass(frozen=True, slots=True)
class KeptList:
    """A trust list as it lies in the file. What the columns say is not signed: only `sealed` is to be believed."""

    version: int
    issued_s: int
    received_s: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card with its holder ("": nobody was given it yet). `version`: of the directory that says so; `home_until_s`: until when
    the holder is to stay at home (Unix seconds, 0 = no end), None = no such thing."""

    holder: str
    pass_type: PassType | None
    valid_from_s: int
    valid_until_s: int
    registered: bool
    extended: bool
    lost: bool
    sites: tuple[str, ...]
    version: int
    home_until_s: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a pass. `version`: of the directory that says so, 0 for none; a holder that it does not list counts
    as `registered`: a pass is issued upon registration; `home_until_s` as for `KnownCard`."""

    version: int
    revoked: bool
    registered: bool
    extended: bool
    home_until_s: int | None = None


class Directory:
    """The directory's file. Look-ups come from the resolve workers, each thread with a connection of its own.

    A look-up that cannot be answered raises DirectoryError; the next one opens the file anew."""

    def __init__(self, path: Path, tell: Callable[[str | None], None] = lambda _trouble: None) -> None:
        """`tell` is called with what is wrong when something begins to be, and with None when it works again. It must only
        hand on."""
        self._path = path
        self._tell = tell
        self._local = threading.local()
        self._lock = threading.Lock()
        self._made = False
        self._swaps = 0  # files that took the place of the one before: a connection holds on to the file that it opened
        self._moved = False  # what was loaded is gone
        self._trouble: str | None = None

    def open(self) -> None:
        """Open or create. A damaged file is moved aside; nothing else is a reason to give up what was loaded: what is merely
        out of reach is tried again by every look-up. Never raises; `tell` hears of it."""
        try:
            self._make()
        except sqlite3.Error as error:
            if is_damage(error):
                self._move_aside(error)
                with suppress(sqlite3.Error):  # then the next look-up says why
                    self._make()
            else:
                self._note(f"cannot be opened: {error}")

    def _make(self) -> None:
        with closing(sqlite3.connect(self._path)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise _damage(found.splitlines()[-1])
            # No write-ahead log: to read one, SQLite needs room on the disk, and on a full one nobody could come in.
            connection.execute("PRAGMA journal_mode = delete")
            make_tables(connection)
        self._made = True

    def _move_aside(self, error: sqlite3.Error) -> None:
        aside = files.free_name(self._path, ".damaged")
        try:
            files.move(self._path, aside)
        except OSError as refused:
            self._note(f"damaged ({error}), and cannot be moved aside: {refused.strerror}")
            return
        self._moved = True
        self._note(f"damaged ({error}), moved to {aside.name}: load it again, and import the trust list")

    def _note(self, trouble: str | None) -> None:
        with self._lock:
            before, self._trouble = self._trouble, trouble
            if (before is None) is (trouble is None):
                return
            if trouble is None:
                logger.warning("%s: the directory works again", self._path)
            else:
                logger.error("%s: %s; until then cards, passes and codes are for the guard", self._path, trouble)
            self._tell(trouble)

    @property
    def version(self) -> int:
        """0: nothing was loaded yet."""
        row = self.one("SELECT version FROM edition")
        return int(row[0]) if row else 0

    def edition(self) -> Edition | None:
        """What was loaded, or None."""
        row = self.one("SELECT version, issued_s, received_s FROM edition")
        return None if row is None else Edition(*(int(value or 0) for value in row))

    def card(self, uid: str) -> KnownCard | None:
        """The card with this UID, or None."""
        row = self.one(_CARD, uid)
        return None if row is None else _known(row)

    def standing(self, pass_id: bytes, holder: str) -> Standing:
        """What the directory says of a pass and its holder: one query, as each costs a tenth of a signature."""
        found = self.one(_STANDING, pass_id.hex(), holder, holder) or (0, 0, None, None, None)
        version, revoked, registered, extended, home = found
        return Standing(int(version), bool(revoked), registered is None or bool(registered), bool(extended), home)

    def code(self, text: str) -> Code | None:
        """The health code with this text, or None."""
        row = self.one(
            "SELECT sha256, health_code, holder, valid_until_s FROM code WHERE sha256 = ?", code_digest(text)
        )
        if row is None:
            return None
        return Code(sha256=row[0], health_code=HealthCode(row[1]), holder=row[2], valid_until_s=row[3])

    def replace(self, content: DirectoryFile, received_s: int = 0, *, only_forward: bool = False) -> None:
        """Swap the whole directory in one transaction; readers see the old one until then. Raises DirectoryDamaged when the
        file is no directory of ours or not a whole one, DirectoryError when it is merely out of reach or the disk full, or,
        `only_forward`, when a higher version is held."""
        tables: dict[str, Iterable[tuple[object, ...]]] = {
            "holder": ((*holder_row(holder), None) for holder in content.holders),
            "card": ((*msgspec.structs.astuple(card), None) for card in content.cards),
            "code": ((*msgspec.structs.astuple(code), None) for code in content.codes),
            "revoked": ((pass_id, None) for pass_id in content.revoked),
            "status": (),
            "edition": [(1, content.version, content.issued_s, received_s)],
        }
        with self.writing() as connection:
            if only_forward:
                _refuse_older(connection, content.version)
            for table, rows in tables.items():
                _refill(connection, table, rows)
            connection.execute("UPDATE road SET whole = 0")  # no longer the rows that the office knows of

    def entries(self, table: str) -> dict[str, bytes]:
        """The rows of a table that has none of its own here: key → value, as the office wrote them."""
        rows = self._all("SELECT name, value FROM other WHERE name BETWEEN ? AND ?", f"{table}/", f"{table}/\x7f")
        return {name.partition("/")[2]: bytes(value) for name, value in rows}

    def booked(self, holder: str) -> tuple[tuple[int, int], ...]:
        """The time slots that a holder has booked, Unix seconds; a row that is not understood books nothing. Raises DirectoryError."""
        rows = self._all("SELECT value FROM other WHERE name = ?", f"{Table.BOOKING}/{holder}")
        try:
            found = [msgspec.json.decode(value, type=Booking) for (value,) in rows]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ()
        return tuple((slot.begins_s, slot.ends_s) for booking in found for slot in booking.slots)

    # the trust list

    def stamp(self) -> Stamp | None:
        """What changes with every commit to the file, for a fifth of a query's time; None when it is out of reach."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def trust_list(self) -> KeptList | None:
        """The list that lies here, or None."""
        row = self.one(_TRUST)
        return None if row is None else KeptList(*row)

    def keep_trust(self, choose: Callable[[KeptList | None], KeptList | None]) -> None:
        """Replace the list by what `choose` makes of it, in one transaction; None leaves it. Whatever `choose` raises ends
        it with nothing changed. Raises DirectoryDamaged and DirectoryError as `replace`."""
        with self.writing() as connection:
            row = connection.execute(_TRUST).fetchone()
            chosen = choose(None if row is None else KeptList(*row))
            if chosen is not None:
                _refill(connection, "trust", [(1, chosen.version, chosen.issued_s, chosen.received_s, chosen.sealed)])

    # writing

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that nobody else writes beside. Raises DirectoryDamaged and DirectoryError."""
        try:
            if not self._made:
                self._make()
            with closing(self._begin()) as connection, connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            self._made = False
            if is_damage(error):
                raise DirectoryDamaged(
                    f"{self._path}: not a usable directory ({error}); stop the gate, move it away and load it again"
                ) from error
            raise DirectoryError(f"{self._path}: could not be replaced: {error}") from error

    def _begin(self) -> sqlite3.Connection:
        """A connection that may write: to the file that lies here, and not to one that was swapped out while it waited."""
        while True:
            waited_for = self._path.stat().st_ino
            connection = sqlite3.connect(self._path)
            try:
                connection.execute("PRAGMA cache_spill = OFF")  # else a large load shuts readers out before its commit
                connection.execute("BEGIN IMMEDIATE")
                if self._path.stat().st_ino == waited_for:
                    return connection
            except BaseException:
                connection.close()
                raise
            connection.close()

    def swap_in(self, new: Path) -> None:
        """Put the directory at `new`, which nobody has open, in the place of this one, with this one's trust list; a look-up
        sees the one or the other, and waits for neither. Raises DirectoryDamaged and DirectoryError; then nothing has
        changed."""
        with self.writing() as held:
            with closing(sqlite3.connect(new)) as connection, connection:
                _refill(connection, "trust", held.execute("SELECT * FROM trust").fetchall())
            _flush(new)
            new.rename(self._path)
            files.sync_folder(self._path.parent)
            self._swaps += 1

    # reading

    def one(self, sql: str, *values: object) -> Row | None:
        """The only row, or None. Raises DirectoryError."""
        rows = self._all(sql, *values)
        return rows[0] if rows else None

    def _all(self, sql: str, *values: object) -> list[Row]:
        try:
            if not self._made:
                self._make()
            # to the end: a read that stands holds up a load
            rows: list[Row] = self._connection().execute(sql, values).fetchall()
            if self._trouble is not None:
                self._works()
        except sqlite3.Error as error:
            self._let_go()
            damaged = f"damaged ({error}): start the gate again, then load it again"
            self._note(damaged if is_damage(error) else f"cannot be read: {error}")
            raise DirectoryError(f"{self._path}: cannot be read: {error}") from error
        return rows

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.swaps != self._swaps:
            connection.close()
            connection = None
        if connection is None:
            self._local.swaps = self._swaps
            # for writing: else nobody could read what a load that was killed has left, until the next start
            connection = self._local.connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=rw", uri=True)
        return connection

    def _works(self) -> None:
        """It can be read again; but when it was moved aside, that is nothing before it is loaded again."""
        if not self._moved or self._connection().execute("SELECT version FROM edition").fetchall():
            self._moved = False
            self._note(None)

    def _let_go(self) -> None:
        self._made = False
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()


def _damage(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


_SCHEMA = {
    "holder": "holder TEXT PRIMARY KEY, pass_type TEXT, valid_from_s INT, valid_until_s INT, registered INT, extended INT, "
    "sites TEXT, weight BLOB",
    "card": "uid TEXT PRIMARY KEY, holder TEXT, lost INT, weight BLOB",
    "code": "sha256 TEXT PRIMARY KEY, health_code TEXT, holder TEXT, valid_until_s INT, weight BLOB",
    "revoked": "pass_id TEXT PRIMARY KEY, weight BLOB",
    "status": "holder TEXT PRIMARY KEY, status TEXT, until_s INT, weight BLOB",
    "edition": "only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INT, issued_s INT, received_s INT",
    "trust": "only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INT, issued_s INT, received_s INT, sealed BLOB",
    "other": "name TEXT PRIMARY KEY, value BLOB, weight BLOB",
    "road": "only_row INTEGER PRIMARY KEY CHECK (only_row = 1), epoch INT, version INT, digest BLOB, at_ms INT, title BLOB, "
    "whole INT",
}
"""What is added to a table stands at its end: files of earlier versions get it by ALTER TABLE. `weight`: what the row adds
to the digest of all (`sync.log.keyed`), NULL where it did not come down the road. `other`: rows of all other tables, and
those that this version does not understand; `name` is table/key. `road`: the newest state that the office has sent."""
_CARD = (
    "SELECT h.holder, pass_type, valid_from_s, valid_until_s, registered, extended, lost, sites, (SELECT version FROM edition),"
    " (SELECT until_s FROM status s WHERE s.holder = h.holder AND status = 'home-observation')"
    " FROM card c LEFT JOIN holder h ON h.holder = c.holder WHERE uid = ?"
)
_STANDING = (
    "SELECT coalesce((SELECT version FROM edition), 0), EXISTS (SELECT 1 FROM revoked WHERE pass_id = ?), registered, extended,"
    " (SELECT until_s FROM status WHERE status.holder = ? AND status = 'home-observation')"
    " FROM (SELECT 1) LEFT JOIN holder ON holder = ?"
)
_TRUST = (
    "SELECT CAST(version AS INT), CAST(issued_s AS INT), CAST(received_s AS INT), CAST(coalesce(sealed, '') AS BLOB)"
    " FROM trust"
)  # whatever has got into the file


def make_tables(connection: sqlite3.Connection) -> None:
    """Make what is missing."""
    for table, columns in _SCHEMA.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) WITHOUT ROWID")
        _add_missing(connection, table, columns)


def _add_missing(connection: sqlite3.Connection, table: str, columns: str) -> None:
    """Columns that came with a later version than the one that made the file; empty in the rows that are there."""
    there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    for column in columns.split(", "):
        if column.split(" ", 1)[0] not in there:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _refuse_older(connection: sqlite3.Connection, version: int) -> None:
    row = connection.execute("SELECT version FROM edition").fetchone()
    held = int(row[0] or 0) if row else 0
    if version < held:
        raise DirectoryError(
            f"this directory is version {version}, and the gate has {held}: a signed one never goes back, or a lost card and a "
            "revoked pass could be made good again; have it signed with a higher version"
        )


def _flush(path: Path) -> None:
    """Make what was written to a file durable, by whatever connection."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refill(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    marks = ", ".join("?" for _ in _SCHEMA[table].split(", "))
    connection.execute(f"DELETE FROM {table}")  # noqa: S608  the names come from _SCHEMA
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608  the names come from _SCHEMA


def holder_row(holder: Holder) -> tuple[object, ...]:
    """As the table has it, without the weight."""
    *fields, sites = msgspec.structs.astuple(holder)
    return (*fields, " ".join(sites))


def _known(row: Row) -> KnownCard:
    holder, pass_type, begins, ends, registered, extended, lost, sites, version, home = row
    return KnownCard(
        holder=holder or "",
        pass_type=None if pass_type is None else PassType(pass_type),
        valid_from_s=int(begins or 0),
        valid_until_s=int(ends or 0),
        registered=bool(registered),
        extended=bool(extended),
        lost=bool(lost),
        sites=tuple(sites.split()) if sites else (),
        version=int(version or 0),
        home_until_s=None if home is None else int(home),
    )
