"""The demo's tally: the gate's journal file held against the office's database file, record by record.

It trusts neither end's own counting. A record is told by the hash of its salted body, which no two records share and which
stays the same wherever it is written again; a visit by its id, as the entry log shows it.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Tally:
    """`missing`: records of the journal that are not at the office, and visits that the entry log does not show;
    `duplicates`: what stands there more than once."""

    visits: int
    journal_records: int
    office_records: int
    missing: int
    duplicates: int

    @property
    def whole(self) -> bool:
        """Whether the office has exactly what the journal has."""
        return self.missing == 0 and self.duplicates == 0 and self.office_records == self.journal_records


def take_tally(journal: Path, office: Path, gate: str) -> Tally:
    """Compare the two files, read-only. Raises sqlite3.Error when one cannot be read."""
    records, visits = (_column(journal, sql) for sql in _JOURNAL)
    there, shown = (_column(office, sql, gate) for sql in _OFFICE)
    return Tally(
        visits=len(visits),
        journal_records=len(records),
        office_records=len(there),
        missing=len(set(records) - set(there)) + len(set(visits) - set(shown)),
        duplicates=_doubled(there) + _doubled(shown),
    )


_JOURNAL = (
    "SELECT body_hash FROM records",
    "SELECT json_extract(CAST(body AS TEXT), '$.visit') FROM records WHERE kind = 'visit'",
)
_OFFICE = (
    "SELECT r.body_hash FROM ingest_record r JOIN ingest_log l ON l.id = r.log_id WHERE l.gate_id = ?",
    "SELECT visit FROM entries_entry WHERE gate_id = ?",
)


def _doubled(values: Iterable[object]) -> int:
    return sum(count - 1 for count in Counter(values).values())


def _column(path: Path, sql: str, *values: str) -> list[Any]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute(sql, values)]
