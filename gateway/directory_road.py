"""The directory as it comes down the road: keeps what a `sync.log.follower.Follower` says is to be kept.

Theory of operation. Changes are one transaction in the directory's file, with the mark of the state that they lead to; the
digest of all rows is held against the one that the office signed, before the commit. A snapshot is built as a file of its own
beside the directory, part by part, so that it needs little memory and nobody waits for it; then it takes the directory's
name. Whatever ends the process meanwhile leaves the old directory or the new one.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from gateway.directory import Directory, make_tables
from gateway.directory_rows import Change, put
from gateway.directory_staging import Staging
from gateway.errors import DirectoryError
from gateway.journal import files
from sync.errors import MessageError
from sync.log.follower import Action, Confirm, DropStaged, Follower, Held, Refused, Send, Stage, Take, TakeStaged
from sync.log.keyed import NOTHING, Mark, Row, moved
from sync.log.parts import OpenedPart, Staged, Title, Verify, open_part

logger = logging.getLogger("menshen.directory")
SLICE = 128  # rows of a snapshot between two rests
REST_S = 0.001
TRUST = "trust"  # the table of the trust list's pieces
CONFIRM_MS = 60_000  # how old it is need not be known better than this; each time is a write
_HELD = "SELECT epoch, version, digest, title, at_ms, whole FROM road"


class Mismatch(Exception):
    """What came is not what its title says, or does not lead from what is held: nothing was changed."""


class DirectoryRoad:
    """`sync.log.follower.Kept` over the directory's file. Owned by one thread.

    Everything raises DirectoryError when the file is out of reach; then nothing has changed."""

    def __init__(
        self,
        path: Path,
        directory: Directory,
        *,
        site: str,
        verify: Verify,
        ahead: Callable[[Mark], bytes] = lambda _seen: b"",
    ) -> None:
        """`directory` is the one at `path` that look-ups go to; `ahead`: what came of a newer state than this, sealed."""
        self._directory = directory
        self._ahead = ahead
        self.meanwhile: Callable[[], None] = lambda: None  # what to do now and then while many rows are put in
        self._new = files.beside(path, ".new")
        self._staging = Staging(files.beside(path, ".staged"), lambda payload: open_part(payload, site, verify))

    def held(self) -> Held:
        """The state that decides."""
        row = self._directory.one(_HELD)
        if row is None:
            return Held(ahead=self._ahead(NOTHING))
        epoch, version, digest, title, at_ms, whole = row
        seen = Mark(int(epoch), int(version), bytes(digest))
        return Held(seen, bytes(title), int(at_ms), whole=bool(whole), ahead=self._ahead(seen))

    def staged(self) -> Staged | None:
        """The transfer that is being staged."""
        return self._staging.staged()

    def carry_out(self, actions: Sequence[Action], follower: Follower, *, now: int, received_s: int) -> list[Action]:
        """Keep what is to be kept and tell the follower of it; `received_s`: Unix seconds. Returns what is left to do: what
        is to be sent, and what was refused."""
        left: list[Action] = []
        for action in actions:
            match action:
                case Send() | Refused():
                    left.append(action)
                case Confirm():
                    self._confirm(action, received_s)
                case Stage():
                    self._staging.add(action.title, action.payload)
                    left += follower.staged(now)
                case DropStaged():
                    self._staging.clear()
                    left += follower.staged(now)
                case Take() | TakeStaged():
                    left += self._taken(action, follower, now, received_s)
        return left

    def _taken(self, action: Take | TakeStaged, follower: Follower, now: int, received_s: int) -> Sequence[Action]:
        try:
            if isinstance(action, Take):
                self._take(action.title, action.sealed, [action.rows], received_s)
            else:
                self._take_staged(received_s)
        except (Mismatch, MessageError) as error:
            logger.error("the directory that the office sent is not taken: %s", error)
            self._staging.clear()
            return follower.mismatched(now)
        if isinstance(action, TakeStaged):
            self._staging.clear()
        return follower.taken(now)

    def _take_staged(self, received_s: int) -> None:
        first: OpenedPart | None = next(self._staging.parts(), None)
        if first is None:
            raise Mismatch("nothing is staged")
        rows = (part.rows for part in self._staging.parts())
        self._take(first.title, first.sealed, rows, received_s)

    def _take(self, title: Title, sealed: bytes, parts: Iterable[Sequence[Row]], received_s: int) -> None:
        """Everything or nothing. Raises Mismatch."""
        if title.base == NOTHING:
            change = self._snapshot(title, sealed, parts, received_s)
        else:
            change = self._changes(title, sealed, parts, received_s)
        logger.info("directory %d.%d: %d rows came", title.upto.epoch, title.upto.version, change.rows)
        if change.strange:
            logger.warning(
                "%d rows of the directory are not understood by this version: they let nobody in", change.strange
            )

    def _changes(self, title: Title, sealed: bytes, parts: Iterable[Sequence[Row]], received_s: int) -> Change:
        with self._directory.writing() as connection:
            row = connection.execute(_HELD).fetchone()
            if row is None or not row[5] or Mark(int(row[0]), int(row[1]), bytes(row[2])) != title.base:
                raise Mismatch("another directory was loaded meanwhile")
            change = _put_all(connection, self._watching(parts), fresh=False)
            _check(title, title.base.digest, change)
            _note(connection, title, sealed, received_s)
        return change

    def _snapshot(self, title: Title, sealed: bytes, parts: Iterable[Sequence[Row]], received_s: int) -> Change:
        try:
            files.remove(self._new)
            with closing(sqlite3.connect(self._new)) as connection, connection:
                # what is half built is thrown away; what is whole is flushed before it gets its name
                connection.execute("PRAGMA journal_mode = OFF")
                connection.execute("PRAGMA synchronous = OFF")
                make_tables(connection)
                connection.execute("BEGIN")
                change = _put_all(connection, self._watching(_unhurried(parts)), fresh=True)
                _check(title, NOTHING.digest, change)
                _note(connection, title, sealed, received_s)
            self._directory.swap_in(self._new)
        except (sqlite3.Error, OSError) as error:
            raise DirectoryError(f"{self._new}: a new directory cannot be built: {error}") from error
        finally:
            self._new.unlink(missing_ok=True)
        return change

    def _watching(self, parts: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        """The same rows. What comes ahead of others does not wait for these."""
        for rows in parts:
            self.meanwhile()
            yield rows

    def _confirm(self, action: Confirm, received_s: int) -> None:
        if action.title.at_ms < self.held().at_ms + CONFIRM_MS:
            return
        with self._directory.writing() as connection:
            connection.execute(
                "UPDATE road SET at_ms = ?, title = ? WHERE whole AND epoch = ? AND version = ? AND digest = ?",
                (action.title.at_ms, action.sealed, *_columns(action.title.upto)),
            )
            connection.execute(
                "UPDATE edition SET issued_s = ?, received_s = ? WHERE EXISTS (SELECT 1 FROM road WHERE whole)",
                (action.title.at_ms // 1000, received_s),
            )


def seen_by(directory: Directory) -> Mark:
    """The newest state that the office has sent; NOTHING before the first. Raises DirectoryError."""
    row = directory.one("SELECT epoch, version, digest FROM road")
    return NOTHING if row is None else Mark(int(row[0]), int(row[1]), bytes(row[2]))


def carried_list(directory: Directory) -> bytes:
    """The sealed trust list that came with the directory: the rows of the table `trust` are its pieces, in their keys' order.
    Nothing where the office sends none this way. Raises DirectoryError."""
    return b"".join(piece for _, piece in sorted(directory.entries(TRUST).items()))


def _unhurried(parts: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """The same rows, few at a time, with a rest after each: whoever waits for the interpreter meanwhile, to look somebody up
    or to write a record, has it then and not only when it is taken away."""
    for rows in parts:
        for start in range(0, len(rows) or 1, SLICE):
            yield rows[start : start + SLICE]
            time.sleep(REST_S)


def _put_all(connection: sqlite3.Connection, parts: Iterable[Sequence[Row]], *, fresh: bool) -> Change:
    change = Change()
    try:
        for rows in parts:
            change = change.and_then(put(connection, rows, fresh=fresh))
    except sqlite3.IntegrityError as error:
        raise Mismatch(f"a row is there twice ({error})") from error
    return change


def _check(title: Title, before: bytes, change: Change) -> None:
    """Raises Mismatch."""
    if change.rows != title.count:
        raise Mismatch(f"{change.rows} rows came, and {title.count} were signed")
    digest = moved(before, added=change.added, removed=change.removed)
    if digest != title.upto.digest:
        raise Mismatch(f"the rows are not those of version {title.upto.epoch}.{title.upto.version}")


def _note(connection: sqlite3.Connection, title: Title, sealed: bytes, received_s: int) -> None:
    """Which state it is, from now on."""
    connection.execute(
        "INSERT OR REPLACE INTO road (only_row, epoch, version, digest, at_ms, title, whole) VALUES (1, ?, ?, ?, ?, ?, 1)",
        (*_columns(title.upto), title.at_ms, sealed),
    )
    connection.execute(
        "INSERT OR REPLACE INTO edition (only_row, version, issued_s, received_s) VALUES (1, ?, ?, ?)",
        (title.upto.version, title.at_ms // 1000, received_s),
    )


def _columns(mark: Mark) -> tuple[int, int, bytes]:
    return mark.epoch, mark.version, mark.digest
