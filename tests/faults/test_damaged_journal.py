"""The journal's file is damaged while the gate is down: at the next start nothing is thrown away, and the office knows."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from bench.wear import bodies
from gateway.core.moment import Moment
from gateway.journal import Journal
from tests.faults.conftest import CALM
from tests.installation import Installation

PAGE = 4096
UNACKNOWLEDGED = "SELECT kind, at, mono, body, salt FROM records WHERE seq > (SELECT acked_seq FROM meta) ORDER BY seq"
CARRIED = "SELECT kind, at, mono, body, salt FROM records WHERE seq BETWEEN 2 AND ? ORDER BY seq"
LOGS = "SELECT log_id, predecessor, opened_because FROM ingest_log ORDER BY id DESC"
AT_OFFICE = (
    "SELECT r.seq, r.hash FROM ingest_record r JOIN ingest_log l ON l.id = r.log_id WHERE l.log_id = ? ORDER BY r.seq"
)
Rows = list[tuple[Any, ...]]


def place(path: Path, row: tuple[Any, ...]) -> int:
    """Where in the file a record's salt stands, right after its body."""
    content = path.read_bytes()
    assert content.count(row[4]) == 1
    return content.index(row[4])


def overwrite_a_body(path: Path, rows: Rows, _spare: Path) -> Rows:
    """Other bytes where a record in the middle has the end of its body. All before it can be read."""
    with path.open("r+b") as file:
        file.seek(place(path, rows[len(rows) // 2]) - 8)
        file.write(random.Random(1).randbytes(8))
    return rows[: len(rows) // 2]


def cut_off_pages(path: Path, rows: Rows, _spare: Path) -> Rows:
    """The file ends before the page with the last record. All records on the pages before can be read."""
    places = [place(path, row) for row in rows]
    begins = places[-1] // PAGE * PAGE
    os.truncate(path, begins)
    before = takewhile(lambda both: both[1] < begins, zip(rows, places, strict=True))
    return [row for row, _ in before]


def scribble_over_the_log(path: Path, rows: Rows, spare: Path) -> Rows:
    """Garbage where the write-ahead log was. What had reached the database can be read."""
    shutil.copy(path, spare)
    with closing(sqlite3.connect(spare)) as connection:
        left: Rows = connection.execute(UNACKNOWLEDGED).fetchall()
    wal = path.with_name(path.name + "-wal")
    assert rows[-1][4] in wal.read_bytes()
    wal.write_bytes(random.Random(2).randbytes(wal.stat().st_size))
    return left


def record_more(path: Path) -> None:
    """So many records that they stand on several pages of the file."""
    chance = random.Random(3)
    with Journal.open(path, boot=bytes(16), now=Moment(0, 1_700_000_000_000)) as journal:
        for number in range(20):
            for body in bodies(number, chance):
                journal.append(body, Moment(number, 1_700_000_000_000 + number))


@pytest.mark.parametrize("damage", [overwrite_a_body, cut_off_pages, scribble_over_the_log])
def test_it_is_moved_aside_and_what_can_be_read_arrives(
    install: Callable[..., Installation], damage: Callable[[Path, Rows, Path], Rows]
) -> None:
    day = install(scenario=CALM)
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    day.hear_until("decision", outcome="granted")
    day.wait_until("some is acknowledged", lambda: day.ask_journal("SELECT acked_seq FROM meta") > [(0,)])
    day.stop("ingest")
    day.stop("broker")
    day.catch_up()
    day.hear_until("decision", outcome="granted")
    day.hear_until("door", state="released")
    day.stop("gate")
    record_more(day.journal)
    day.start("gate")
    day.hear_until("ready")
    day.hear_until("scene", en="Out")
    if damage is scribble_over_the_log:  # only a kill leaves one
        day.kill("gate")
    else:
        day.stop("gate")
    written = day.ask_journal(UNACKNOWLEDGED)
    ((old_log,),) = day.ask_journal("SELECT log_id FROM meta")
    readable = damage(day.journal, written, day.folder / "spare")
    assert 0 < len(readable) < len(written), "the damage hit nothing, or everything"
    files = {path.name: path.read_bytes() for path in day.journal.parent.glob("journal.sqlite*")}

    day.start("broker")
    day.start("ingest")
    day.configure(visits=None)
    day.start("gate")
    day.hear_until("alarm", kind="journal-replaced", action="raised")
    day.wait_until_told()
    for suffix in ("", "-wal"):
        if content := files.get("journal.sqlite" + suffix):
            assert day.journal.with_name("journal.sqlite.damaged-1" + suffix).read_bytes() == content
    assert "the journal was damaged" in day.log("gate")
    ((new_log,),) = day.ask_journal("SELECT log_id FROM meta")
    assert day.ask_office(LOGS)[:2] == [(new_log, old_log, "damaged"), (old_log, "", "new")]
    assert day.ask_journal(CARRIED, len(readable) + 1) == readable
    assert day.ask_journal("SELECT seq, hash FROM records ORDER BY seq") == day.ask_office(AT_OFFICE, new_log)
    assert day.ask_office("SELECT cleared FROM alarms_alarm WHERE kind = 'journal-replaced'") == [(0,)]
    day.stop("gate")
    with Journal.open(day.journal, boot=bytes(16), now=Moment(0, 0, trusted=False)) as journal:
        assert journal.recovered is None
        assert journal.verify().records > len(readable) + 1
