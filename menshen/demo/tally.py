"""The demo's tally: the gate's journal file held against the office's database file, record by record.

It trusts neither end's own counting: every (seq, hash) of the journal must stand in the office once.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tally:
    """`missing`: in the journal, not at the office (or with another hash); `duplicates`: more than once at the office."""

    visits: int
    journal_records: int
    office_records: int
    missing: int
    duplicates: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing or doubled."""
        return self.missing == 0 and self.duplicates == 0 and self.office_records == self.journal_records


def take_tally(journal: Path, office: Path, gate: str) -> Tally:
    """Compare the two files, read-only. Raises sqlite3.Error when one cannot be read."""
    ours = _rows(journal, "SELECT seq, hash FROM records")
    visits = _rows(journal, "SELECT count(*) FROM records WHERE kind = 'visit'")[0][0]
    theirs = _rows(office, _OFFICE, gate)
    distinct = {(seq, bytes(digest)) for seq, digest in theirs}
    return Tally(
        visits=visits,
        journal_records=len(ours),
        office_records=len(theirs),
        missing=len({(seq, bytes(digest)) for seq, digest in ours} - distinct),
        duplicates=len(theirs) - len(distinct),
    )


_OFFICE = "SELECT r.seq, r.hash FROM ingest_record r JOIN ingest_log l ON l.id = r.log_id WHERE l.gate_id = ?"


def _rows(path: Path, sql: str, *values: str) -> list[tuple[int, bytes]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()
