"""Looking into a journal from another process, while the gate may be writing it.

Every read is one short statement, whose rows are all taken before anything is done with them: a read that stays open
would keep the gate from emptying its write-ahead log. Between two reads the gate goes on: records are added, and old
ones trimmed.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from gateway.journal.errors import JournalError
from gateway.journal.opening import wrong_schema
from gateway.journal.reading import Reader, Verified
from gateway.journal.schema import READ, READ_BACK, Row
from sync.log.records import INT64
from sync.log.view import Head

PAGE: Final = 500  # rows of one read


class Standing(NamedTuple):
    """Where a log stands: what was trimmed, what the office has acknowledged, and the last record."""

    log_id: str
    trimmed: Head
    acked: Head
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which records. `since_ms` and `until_ms` are Unix milliseconds by the gate's clock, the second one excluded."""

    kinds: frozenset[str] = frozenset()  # none named: every kind
    since_ms: int = -INT64
    until_ms: int = INT64
    first: int = 1
    last: int = INT64

    def takes(self, row: Row) -> bool:
        """Whether a row is among them. One whose time cannot be read is."""
        seq, kind, at = row[:3]
        if not self.first <= seq <= self.last or (self.kinds and kind not in self.kinds):
            return False
        return not isinstance(at, int) or self.since_ms <= at < self.until_ms


class Browser(Reader):
    """A journal to look into; nothing in it is changed. Everything may raise JournalError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not path.is_file():
            raise JournalError(f"{path}: there is no such journal; a gate makes it when it first runs")
        wrong = self._read(lambda connection: wrong_schema(connection, path))
        if wrong is not None:
            raise JournalError(f"{path}: {wrong}")

    def standing(self) -> Standing:
        """Where the log stands now."""
        found = self._read(lambda connection: connection.execute(_STANDING).fetchone())
        if found is None:
            raise JournalError(f"{self._path}: the row about the log is missing")
        log_id, trimmed, trimmed_hash, acked, acked_hash, head, head_hash = found
        last = Head(trimmed, trimmed_hash) if head is None else Head(head, head_hash)
        return Standing(str(log_id), Head(trimmed, trimmed_hash), Head(acked, acked_hash), last)

    def pages(self, selection: Selection, upto: int = INT64) -> Iterator[tuple[int, list[Row]]]:
        """The rows selected, up to number `upto`, page by page, oldest first; each page with the number reached."""
        after, last = selection.first - 1, min(selection.last, upto)
        while after < last and (rows := self._page(READ, after)):
            after = rows[-1][0]
            yield after, [row for row in rows if row[0] <= last and selection.takes(row)]

    def newest(self, selection: Selection, count: int) -> list[Row]:
        """The last `count` rows selected, oldest first."""
        found: list[Row] = []
        before = min(selection.last, INT64 - 1) + 1
        while len(found) < count and before > selection.first and (rows := self._page(READ_BACK, before)):
            before = rows[-1][0]
            found.extend(row for row in rows if selection.takes(row))
        return found[:count][::-1]

    def verify_all(self, progress: Callable[[int, int], None] | None = None) -> tuple[Standing, Verified]:
        """Walk the whole chain as it stands now, calling `progress` with the number reached and the last one.

        Raises JournalError that names the first record that is missing or does not fit."""
        while True:
            standing = self.standing()
            try:
                return standing, self._verify(standing, progress)
            except JournalError:
                if self.standing()[:2] == standing[:2]:
                    raise
                # trimmed meanwhile, or another log: what was missing had a reason

    def _verify(self, standing: Standing, progress: Callable[[int, int], None] | None) -> Verified:
        oldest = self._read(lambda connection: connection.execute("SELECT min(seq) FROM records").fetchone()[0])
        if oldest is not None and oldest <= standing.trimmed.seq:
            raise JournalError(f"{self._path}: record {oldest} stands, though {standing.trimmed.seq} was trimmed")
        tell = None if progress is None else lambda reached: progress(reached, standing.head.seq)
        verified = self.verify(standing.trimmed, standing.head, tell)
        self._check_acknowledged(standing)
        return verified

    def _check_acknowledged(self, standing: Standing) -> None:
        """The chain says nothing of records cut off its end; what the office holds does."""
        acked, head = standing.acked, standing.head
        if acked.seq > head.seq:
            raise JournalError(
                f"{self._path}: record {head.seq + 1} is missing: the office has acknowledged {acked.seq}, and {head.seq}"
                " is the last one here"
            )
        if acked.seq > standing.trimmed.seq and self.hash_at(acked.seq) != acked.hash:
            raise JournalError(f"{self._path}: record {acked.seq} is not the one that the office has acknowledged")

    def _page(self, statement: str, number: int) -> list[Row]:
        def work(connection: sqlite3.Connection) -> list[Row]:
            return connection.execute(statement, (number, PAGE)).fetchall()

        return self._read(work)


_STANDING: Final = (
    "SELECT log_id, trimmed_seq, trimmed_hash, acked_seq, acked_hash, seq, hash FROM meta"
    " LEFT JOIN (SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1) ON true"
)
