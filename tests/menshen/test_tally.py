"""The tally finds what is missing and what is there twice."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from menshen.demo.tally import Tally, take_tally

GATE = "g"


def make(folder: Path, *, there: str, shown: str) -> Tally:
    """A journal of three records a, b, c, of which b and c are visits; the office has `there` and shows `shown`."""
    journal, office = folder / "journal.sqlite", folder / "office.sqlite3"
    with closing(sqlite3.connect(journal)) as file:
        file.execute("CREATE TABLE records (seq, kind, body, body_hash)")
        rows = [(1, "started", b"{}", b"a"), (2, "visit", b'{"visit":"b"}', b"b"), (3, "visit", b'{"visit":"c"}', b"c")]
        file.executemany("INSERT INTO records VALUES (?, ?, ?, ?)", rows)
        file.commit()
    with closing(sqlite3.connect(office)) as file:
        file.execute("CREATE TABLE ingest_log (id, gate_id)")
        file.execute("CREATE TABLE ingest_record (log_id, body_hash)")
        file.execute("CREATE TABLE entries_entry (gate_id, visit)")
        file.executemany("INSERT INTO ingest_log VALUES (?, ?)", [(1, GATE), (2, "another")])
        file.executemany("INSERT INTO ingest_record VALUES (1, ?)", [(letter.encode(),) for letter in there])
        file.execute("INSERT INTO ingest_record VALUES (2, x'61')")
        file.executemany("INSERT INTO entries_entry VALUES (?, ?)", [(GATE, letter) for letter in shown])
        file.commit()
    return take_tally(journal, office, GATE)


@pytest.mark.parametrize(
    ("there", "shown", "missing", "duplicates", "whole"),
    [
        ("abc", "bc", 0, 0, True),
        ("ab", "bc", 1, 0, False),
        ("abc", "b", 1, 0, False),
        ("abcc", "bc", 0, 1, False),
        ("abc", "bcc", 0, 1, False),
        ("abcd", "bc", 0, 0, False),
    ],
    ids=["whole", "lost", "not-shown", "doubled", "shown-twice", "another's"],
)
def test_what_is_wrong_is_counted(
    tmp_path: Path, there: str, shown: str, missing: int, duplicates: int, whole: bool
) -> None:
    tally = make(tmp_path, there=there, shown=shown)
    assert (tally.missing, tally.duplicates, tally.whole) == (missing, duplicates, whole)
    assert (tally.visits, tally.journal_records, tally.office_records) == (2, 3, len(there))
