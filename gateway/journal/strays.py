"""Journals that somebody moved aside by hand, or brought back: found beside the journal at a start, and offered to the office like
any earlier log (`gateway.journal.earlier`). Nothing in them is carried over, so all that they hold is offered."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from gateway.journal import files
from gateway.journal.earlier import EarlierLog, read_all, with_one_more
from gateway.journal.schema import APPLICATION_ID, connect_to_salvage
from sync.log.view import Head

logger = logging.getLogger("menshen.journal")
_SAME: Final = (
    "%s: another copy of the log that is written here, up to record %d. What it has beyond cannot be offered, for this one has other"
    " records under the same numbers: menshen gate journal export --file brings it into a table"
)
MOST: Final = 1_000  # files of the folder that are looked at
_MAGIC: Final = b"SQLite format 3\0"
_ID_AT: Final = 68  # of the application id in the header (sqlite.org/fileformat2.html, section 1.3)


def with_strays(path: Path, log_id: str, head: int, gate: str, earlier: Sequence[EarlierLog]) -> list[EarlierLog]:
    """The earlier logs of the journal at `path`, whose last record is `head`, and those of journals of the same gate beside it that
    it does not know. What cannot be read, or is not known to be this gate's, is left where it is, and told."""
    known = list(earlier)
    for file in beside(path):
        if files.is_given_up(path, file):
            continue  # known by the journal itself
        for log in _logs_in(file, gate):
            if log.log_id == log_id and log.held.seq > head:
                logger.warning(_SAME, file, log.held.seq)
            if log.log_id != log_id and _is_more(log, known):
                known = with_one_more(known, log)
                logger.warning("%s: a journal lies here; its log %s is offered to the office", file, log.log_id)
    return known


def beside(path: Path) -> Iterator[Path]:
    """The journals in its folder that are not itself: what was given up, and what somebody put there."""
    own = {part.name for part in files.parts(path)} | {files.beside(path, ".new").name}
    try:
        there = sorted(path.parent.iterdir())[:MOST]
    except OSError as error:
        logger.warning("%s: cannot be looked through for journals: %s", path.parent, error.strerror)
        return
    for file in there:
        if file.name in own or file.is_symlink() or not file.is_file():
            continue
        if files.is_given_up(path, file) or _is_journal(file):
            yield file


def _is_more(log: EarlierLog, known: Sequence[EarlierLog]) -> bool:
    """Whether it has what is not known to be at hand: of no log that is known, or a newer copy of one."""
    return all(each.log_id != log.log_id or each.held.seq < log.held.seq for each in known)


def _is_journal(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            header = opened.read(_ID_AT + 4)
    except OSError as error:
        logger.warning("%s: cannot be looked at: %s", file, error.strerror)
        return False
    return header.startswith(_MAGIC) and header[_ID_AT:] == APPLICATION_ID.to_bytes(4, "big")


def _logs_in(file: Path, gate: str) -> list[EarlierLog]:
    """Its own log, up to its last record, after those that it knows as earlier ones. None where it is not this gate's."""
    try:
        with closing(connect_to_salvage(file)) as connection:
            log_id, whose = _meta_of(connection)
            if whose != gate:
                logger.warning("%s: %s; it is left as it is", file, _not_ours(whose))
                return []
            last = connection.execute("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
            logs = _earlier_in(connection)
            head = Head(int(last[0]), bytes(last[1]))
    except (sqlite3.Error, TypeError, ValueError) as error:
        logger.warning("%s: a journal that cannot be read; it is left as it is: %s", file, error)
        return []
    # Never deleted by the gate (`whole`): it is his who put it there.
    return [*logs, EarlierLog(log_id=str(log_id), file=file.name, acked=head, held=head, at_ms=0, whole=False)]


def _meta_of(connection: sqlite3.Connection) -> tuple[str, str]:
    """Its id, and whose it is: "" where it does not say so (a simulated one, or of a version that did not)."""
    row = connection.execute("SELECT * FROM meta")
    found = dict(zip((column[0] for column in row.description), row.fetchone(), strict=True))
    return str(found["log_id"]), str(found.get("gate", ""))


def _not_ours(whose: str) -> str:
    return f"a journal of {whose} lies here" if whose else "a journal lies here that does not say whose it is"


def _earlier_in(connection: sqlite3.Connection) -> list[EarlierLog]:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'earlier'").fetchone()
    return read_all(connection) if there else []
