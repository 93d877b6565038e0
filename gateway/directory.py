"""The directory: whom this gate knows. A second SQLite file, so that loading it never holds up the journal.

Holders, their cards, the health codes the office has registered, and revoked passes. It has a version; resolvers put it
into each verdict. The office sends it down the road; until then a file is loaded by `menshen gate directory load`.
"""

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from gateway.errors import DirectoryDamaged, DirectoryError
from gateway.journal import files
from gateway.journal.schema import is_damage
from sync.contract.colours import HealthCode, PassType

logger = logging.getLogger("menshen.directory")
Row = tuple[Any, ...]  # as SQLite gives it; the columns are those of `_SCHEMA`
Uid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{8,20}$")]
Reference = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
NOBODY = "-"  # the holder of a code of which it is not known whose it is


class Holder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may hold credentials. `valid_until_s`: Unix seconds, 0 = no end; `registered`: the registration step
    was done at the office."""

    holder: Reference
    pass_type: PassType
    valid_from_s: int = 0
    valid_until_s: int = 0
    registered: bool = True
    extended: bool = False


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card: `uid` upper-case hexadecimal; `lost` cards are refused."""

    uid: Uid
    holder: Reference
    lost: bool = False


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A health code known to the office, by the SHA-256 of its text (64 hexadecimal digits). `holder`: whose it is,
    where that is known."""

    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    health_code: HealthCode
    holder: Reference = NOBODY
    valid_until_s: int = 0


class DirectoryFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `menshen gate directory load` reads: JSON with exactly these keys. `revoked`: pass ids, 16 hexadecimal digits."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    holders: tuple[Holder, ...] = ()
    cards: tuple[Card, ...] = ()
    codes: tuple[Code, ...] = ()
    revoked: tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")], ...] = ()


def code_digest(text: str) -> str:
    """How the directory names a health code without keeping its text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_directory_file(path: Path) -> DirectoryFile:
    """A directory file, checked. Raises DirectoryError that names what is wrong and where."""
    try:
        content = msgspec.json.decode(path.read_bytes(), type=DirectoryFile)
    except OSError as error:
        raise DirectoryError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DirectoryError(f"{path}: {error}") from error
    known = {holder.holder for holder in content.holders}
    strangers = sorted({card.holder for card in content.cards} - known)
    if strangers:
        raise DirectoryError(f"{path}: cards of holders that are not listed: {', '.join(strangers[:5])}")
    return content


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card with its holder."""

    holder: str
    pass_type: PassType
    valid_from_s: int
    valid_until_s: int
    registered: bool
    extended: bool
    lost: bool


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
            for table, columns in _SCHEMA.items():
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) WITHOUT ROWID")
        self._made = True

    def _move_aside(self, error: sqlite3.Error) -> None:
        aside = files.free_name(self._path, ".damaged")
        try:
            files.move(self._path, aside)
        except OSError as refused:
            self._note(f"damaged ({error}), and cannot be moved aside: {refused.strerror}")
            return
        self._moved = True
        self._note(f"damaged ({error}), moved to {aside.name}: load it again")

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
        row = self._one("SELECT version FROM edition")
        return int(row[0]) if row else 0

    def card(self, uid: str) -> KnownCard | None:
        """The card with this UID, or None."""
        row = self._one(
            "SELECT h.holder, h.pass_type, h.valid_from_s, h.valid_until_s, h.registered, h.extended, c.lost"
            " FROM card c JOIN holder h ON h.holder = c.holder WHERE c.uid = ?",
            uid,
        )
        return None if row is None else _known(row)

    def holder(self, reference: str) -> KnownCard | None:
        """The holder with this reference, or None."""
        row = self._one(
            "SELECT holder, pass_type, valid_from_s, valid_until_s, registered, extended, 0 FROM holder WHERE holder = ?",
            reference,
        )
        return None if row is None else _known(row)

    def code(self, text: str) -> Code | None:
        """The health code with this text, or None."""
        row = self._one(
            "SELECT sha256, health_code, holder, valid_until_s FROM code WHERE sha256 = ?", code_digest(text)
        )
        if row is None:
            return None
        return Code(sha256=row[0], health_code=HealthCode(row[1]), holder=row[2], valid_until_s=row[3])

    def revoked(self, pass_id: bytes) -> bool:
        """Whether this pass was revoked."""
        return self._one("SELECT 1 FROM revoked WHERE pass_id = ?", pass_id.hex()) is not None

    def replace(self, content: DirectoryFile) -> None:
        """Swap the whole directory in one transaction; readers see the old one until then. Raises DirectoryDamaged when the
        file is no directory of ours or not a whole one, DirectoryError when it is merely out of reach or the disk full."""
        tables: dict[str, Iterable[tuple[object, ...]]] = {
            "holder": (msgspec.structs.astuple(holder) for holder in content.holders),
            "card": (msgspec.structs.astuple(card) for card in content.cards),
            "code": (msgspec.structs.astuple(code) for code in content.codes),
            "revoked": ((pass_id,) for pass_id in content.revoked),
            "edition": [(1, content.version)],
        }
        try:
            self._make()
            with closing(sqlite3.connect(self._path)) as connection, connection:
                connection.execute("PRAGMA cache_spill = OFF")  # else a large load shuts readers out before its commit
                connection.execute("BEGIN IMMEDIATE")
                for table, rows in tables.items():
                    _refill(connection, table, rows)
        except sqlite3.Error as error:
            if is_damage(error):
                raise DirectoryDamaged(
                    f"{self._path}: not a usable directory ({error}); stop the gate, move it away and load it again"
                ) from error
            raise DirectoryError(f"{self._path}: could not be replaced: {error}") from error

    def _one(self, sql: str, *values: object) -> Row | None:
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
        return rows[0] if rows else None

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
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
    "holder": "holder TEXT PRIMARY KEY, pass_type TEXT, valid_from_s INT, valid_until_s INT, registered INT, extended INT",
    "card": "uid TEXT PRIMARY KEY, holder TEXT, lost INT",
    "code": "sha256 TEXT PRIMARY KEY, health_code TEXT, holder TEXT, valid_until_s INT",
    "revoked": "pass_id TEXT PRIMARY KEY",
    "edition": "only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INT",
}


def _refill(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    marks = ", ".join("?" for _ in _SCHEMA[table].split(", "))
    connection.execute(f"DELETE FROM {table}")  # noqa: S608  the names come from _SCHEMA
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608  the names come from _SCHEMA


def _known(row: Row) -> KnownCard:
    holder, pass_type, begins, ends, registered, extended, lost = row
    return KnownCard(
        str(holder),
        PassType(pass_type),
        int(str(begins)),
        int(str(ends)),
        bool(registered),
        bool(extended),
        bool(lost),
    )
