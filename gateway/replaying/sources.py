"""Where recorded bodies come from: a gate's journal, which may be in use, or an export of it in JSON Lines.

Nothing that is wrong with one record ends the walk: it comes as a body that cannot be had, with the reason.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.journal.browsing import Browser, Selection
from gateway.journal.errors import JournalError
from gateway.progress import Told
from gateway.replaying.deciding import Kept
from sync.log.records import INT64

MOST_LINE: Final = 1024 * 1024  # bytes of one record's line; a body has 64 kB at most
TOLD_EVERY: Final = 500  # lines
_SQLITE: Final = b"SQLite format 3\0"


class _Line(msgspec.Struct):
    """What a line of an export is read for."""

    seq: int
    kind: str
    body: msgspec.Raw = msgspec.Raw(b"null")
    gone: str | None = None


_line = msgspec.json.Decoder(_Line)


def records(path: Path, first: int, tell: Told) -> Iterator[Kept]:
    """All records from number `first` on, the oldest first. Raises JournalError and OSError for a file that is no journal, or
    that cannot be read at all."""
    if not path.is_file():
        raise JournalError(f"{path}: there is no such file")
    with path.open("rb") as file:
        begin = file.read(len(_SQLITE))
    return _of_journal(path, first, tell) if begin == _SQLITE else _of_export(path, first, tell)


def _of_journal(path: Path, first: int, tell: Told) -> Iterator[Kept]:
    browser = Browser(path)
    try:
        head = browser.standing().head.seq
        for reached, rows in browser.pages(Selection(first=first, last=INT64), head):
            yield from map(_row, rows)
            tell(reached, head)
    finally:
        browser.close()


def _row(row: Sequence[Any]) -> Kept:
    """A row of the journal; in a damaged one a column may be of any type."""
    seq, kind, body = row[0], row[1], row[6]
    if not isinstance(kind, str) or not isinstance(body, bytes | None):
        return Kept(seq, str(kind), None, "it is no record of a gate")
    return Kept(seq, kind, body)


def _of_export(path: Path, first: int, tell: Told) -> Iterator[Kept]:
    size, done = path.stat().st_size, 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_LINE), b""), 1):
            done += len(line)
            kept = _read_line(line, number)
            if kept is not None and (kept.seq >= first or not kept.seq):
                yield kept
            if number % TOLD_EVERY == 0:
                tell(done, size)


def _read_line(line: bytes, number: int) -> Kept | None:
    if not line.strip():
        return None
    try:
        found = _line.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Kept(0, "", None, f"line {number} is no record of an export: {error}")
    body = None if bytes(found.body) == b"null" else bytes(found.body)
    if body is None and found.gone is None:
        return Kept(found.seq, found.kind, None, "its body is no JSON")
    return Kept(found.seq, found.kind, body)
