"""Erasing people from a journal whose gate is stopped: body and salt go, and the hash chain stays whole.

A journal has one writer. While the gate runs that is its own thread; whoever erases takes the lock that the gate takes, so
that neither begins while the other is at work.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.journal import files
from gateway.journal.browsing import Browser, Selection
from gateway.journal.errors import JournalError
from gateway.journal.opening import examine
from gateway.journal.schema import Row, connect, erase_rows, raw, sqlite_errors

CHUNK: Final = 500  # rows of one statement
Progress = Callable[[int, int], None]  # told the number reached, and the last one


class Found(NamedTuple):
    """What a search gave: the rows, the numbers among those asked for that are erased already, and how many bodies are
    no JSON, so that nobody can say whom they name."""

    rows: list[Row]
    erased: list[int]
    unreadable: int


@contextmanager
def stopped(path: Path) -> Iterator[None]:
    """Keep the gate from running. Raises JournalError when it runs, or when the journal is damaged; OSError."""
    if not path.is_file():
        raise JournalError(f"{path}: there is no such journal")
    lock = files.Lock(path)
    try:
        damage = _examine(path)
        if damage is not None:
            raise JournalError(
                f"{path} is damaged ({damage}): nothing was erased; start the gate, which moves it aside"
            )
        yield
    finally:
        lock.release()


def _examine(path: Path) -> str | None:
    try:
        return examine(path)
    except sqlite3.Error as error:
        raise JournalError(f"{path}: cannot be read: {error}") from error


def find_named(path: Path, key: str, value: str, progress: Progress = lambda *_: None) -> Found:
    """The records whose body says `"key": "value"` anywhere in it."""
    found = Found([], [], 0)
    browser = Browser(path)
    try:
        last = browser.standing().head.seq
        for reached, rows in browser.pages(Selection()):
            for row in rows:
                named = _names(row[6], key, value)
                if named:
                    found.rows.append(row)
                found = found._replace(unreadable=found.unreadable + (named is None))
            progress(reached, last)
    finally:
        browser.close()
    return found


def find_numbers(path: Path, seqs: Sequence[int]) -> Found:
    """The records with these numbers. Raises JournalError for one that is not there."""
    found = Found([], [], 0)
    browser = Browser(path)
    try:
        for seq in sorted(set(seqs)):
            rows = browser.newest(Selection(first=seq, last=seq), 1)
            if not rows:
                raise JournalError(f"{path}: there is no record {seq}; see `menshen gate journal list`")
            if rows[0][6] is None:
                found.erased.append(seq)
            else:
                found.rows.append(rows[0])
    finally:
        browser.close()
    return found


def _names(body: object, key: str, value: str) -> bool | None:
    """Whether a body names it; None when it cannot be told. A body that was erased names nobody."""
    if body is None:
        return False
    try:
        waiting = [msgspec.json.decode(body)]  # type: ignore[call-overload]  # of another type it raises TypeError
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, TypeError):
        return None
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get(key) == value:
                return True
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return False


def erase(path: Path, seqs: Sequence[int], progress: Progress = lambda *_: None) -> None:
    """Delete body and salt of these records, all or none, from the write-ahead log too. Within `stopped`.

    SQLite overwrites what it deletes. Raises JournalError when it cannot be done, or when something else that reads the
    journal keeps the write-ahead log from being emptied."""
    try:
        database = connect(path, mode="rw")
        try:
            with sqlite_errors(), database.atomic():
                for begin in range(0, len(seqs), CHUNK):
                    erase_rows(database, seqs[begin : begin + CHUNK])
                    progress(min(begin + CHUNK, len(seqs)), len(seqs))
            busy = raw(database).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            database.close()
    except sqlite3.Error as error:
        raise JournalError(f"{path}: cannot be erased: {error}") from error
    if busy:
        raise JournalError(
            f"{path}: erased, but {path.name}-wal still holds what was: another process reads the journal; end that one,"
            " and erase again"
        )
