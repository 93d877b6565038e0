"""Journals that somebody moved aside by hand: found beside the new one, and offered to the office."""

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import files
from tests.gateway.journaling import NOW, body, everything, opened, write, write_many
from tests.gateway.test_earlier import LATER, bring, replaced
from tests.gateway.test_journal import rows
from tests.sync.road import Office


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def moved_aside(path: Path, office: Office, name: str = "journal.sqlite.bak") -> str:
    """A journal of which the office has twenty records of forty, moved aside under another name; its log."""
    with opened(path) as journal:
        write_many(journal, 20)
        bring(journal, office)
        write_many(journal, 20)
        log_id = journal.log_id
    files.move(path, path.with_name(name))
    return log_id


def held(office: Office, log_id: str) -> int:
    return office.logs[log_id].cursor.seq


@pytest.mark.parametrize(
    "name",
    ["journal.sqlite.bak", "old journal", "a.db", "journal.sqlite.old-card", "journal.sqlite.old", "x.damaged-1"],
)
def test_what_was_not_sent_of_a_journal_moved_aside_is_brought(path: Path, name: str) -> None:
    office = Office()
    old = moved_aside(path, office, name)
    assert held(office, old) < 41
    with opened(path) as journal:
        assert journal.log_id != old
        write(journal, body(99))
        bring(journal, office)
        assert held(office, old) == 41, "a first record, and forty"
        assert held(office, journal.log_id) == journal.head().seq
        office.check()
    with opened(path) as journal:  # and it is known from now on
        assert [aside.log_id for aside in journal.earlier()] == [old]


def test_one_that_is_put_back_while_another_one_goes_on(path: Path) -> None:
    office = Office()
    old = moved_aside(path, office, "elsewhere.sqlite")
    elsewhere = path.parent / "usb" / "journal.sqlite"
    elsewhere.parent.mkdir()
    files.move(path.with_name("elsewhere.sqlite"), elsewhere)
    with opened(path) as journal:
        bring(journal, office)
    assert held(office, old) < 41, "nothing of it is here"
    files.move(elsewhere, path.with_name("from-usb"))
    with opened(path) as journal:
        bring(journal, office)
    assert held(office, old) == 41


def test_a_file_that_took_the_place_of_another_log_s_is_not_taken_for_it(path: Path) -> None:
    office = Office()  # that has had nothing of the first: any log fits where none of it is known
    with opened(path) as journal:
        write_many(journal, 20)
        first = journal.log_id
    files.move(path, path.with_name("journal.sqlite.found"))
    with opened(path) as journal:
        write_many(journal, 10)
        second = journal.log_id
    path.with_name("journal.sqlite.found").unlink()
    files.move(path, path.with_name("journal.sqlite.found"))
    with opened(path) as journal:
        assert [aside.log_id for aside in journal.earlier()] == [first, second]
        bring(journal, office)
    office.check()
    assert held(office, second) == 11
    assert office.logs[first].missing == [(1, 21)], "told as gone"


def test_its_own_earlier_logs_are_known_again(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        backup, first = replaced(journal, office)
        write(journal, body(100))
        second = journal.log_id
    files.move(path, path.with_name("aside"))
    with opened(path) as journal:
        bring(journal, backup)
        assert [aside.log_id for aside in journal.earlier()] == [first, second]
    assert held(backup, first) == held(office, first)
    assert held(backup, second) == 3, "a first record, the one carried over, and one more"


def test_copies_of_what_is_known_are_nothing_new(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        replaced(journal, office)
        old = [aside.log_id for aside in journal.earlier()]
    shutil.copy(path, path.with_name("backup.sqlite"))
    shutil.copy(path.with_name(f"{path.name}.{old[0]}.old"), path.with_name("backup-of-old"))
    with opened(path) as journal:
        assert [aside.log_id for aside in journal.earlier()] == old


def test_a_copy_that_goes_on_where_this_one_was_put_back_is_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path) as journal:
        write_many(journal, 10)
        journal.checkpoint()
        shutil.copy(path, path.with_name("backup"))
        write_many(journal, 10)
        log_id = journal.log_id
    files.move(path, path.with_name("journal.sqlite.old"))
    shutil.copy(path.with_name("backup"), path)
    with opened(path) as journal:
        assert journal.log_id == log_id
    told = [each.getMessage() for each in caplog.records if "another copy of the log" in each.getMessage()]
    assert len(told) == 1 and "journal.sqlite.old: " in told[0] and "up to record 21" in told[0]


def test_an_older_copy_than_what_the_office_has_changes_nothing(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        write_many(journal, 10)
        journal.checkpoint()
        shutil.copy(path, path.with_name("copy"))
        write_many(journal, 10)
        bring(journal, office)
        old, head = journal.log_id, journal.head()
    for part in files.parts(path):
        part.unlink()
    with opened(path) as journal:
        assert bring(journal, office) == []
    assert office.logs[old].cursor == head
    office.check()


def test_it_is_never_deleted_by_the_gate(path: Path) -> None:
    office = Office()
    moved_aside(path, office)
    with opened(path) as journal:
        bring(journal, office)
        assert journal.remove_earlier(LATER, 30) == []
        assert journal.remove_earlier(LATER, None) == []
    assert path.with_name("journal.sqlite.bak").exists()


def test_what_is_no_journal_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    other = sqlite3.connect(path.with_name("directory.sqlite"))
    other.execute("CREATE TABLE meta (log_id TEXT)")
    other.close()
    path.with_name("notes.txt").write_text("SQLite format 3")
    path.with_name("link").symlink_to("directory.sqlite")
    with opened(path) as journal:
        assert journal.earlier() == []
    assert caplog.messages == []


def test_one_that_cannot_be_read_is_told_and_stops_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    moved_aside(path, Office())
    aside = path.with_name("journal.sqlite.bak")
    content = bytearray(aside.read_bytes())
    content[4096:] = b"x" * (len(content) - 4096)
    aside.write_bytes(content)
    with opened(path) as journal:
        write(journal, body(1), now=NOW)
        assert len(everything(journal)) == 2
        assert journal.earlier() == []
    assert "journal.sqlite.bak: a journal that cannot be read; it is left as it is" in caplog.text


def test_one_without_a_record_stops_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    moved_aside(path, Office())
    with closing(sqlite3.connect(path.with_name("journal.sqlite.bak"))) as connection, connection:
        connection.execute("DELETE FROM records")
    with opened(path) as journal:
        write(journal, body(1))
        assert journal.earlier() == []
    assert "a journal that cannot be read" in caplog.text


def test_a_newer_copy_of_an_earlier_log_takes_its_place(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        write_many(journal, 5)
        journal.checkpoint()
        shutil.copy(path, path.with_name("old"))
        write_many(journal, 10)
        bring(journal, office)
        write_many(journal, 7)  # and these the office never had
        first = journal.log_id
    files.move(path, path.with_name("newer"))
    shutil.copy(path.with_name("old"), path)  # somebody puts the older copy in its place
    path.with_name("old").unlink()
    with opened(path) as journal:
        write(journal, body(1))
        journal.replace_log("rewound", now=NOW)
        bring(journal, office)
    assert held(office, first) == 16
    with opened(path) as journal:
        bring(journal, office)
        assert [aside.log.file for aside in journal.earlier()] == ["newer"]
    assert held(office, first) == 23
    office.check()


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ("south", "journal.sqlite.bak: a journal of south lies here"),
        ("", "a journal lies here that does not say whose"),
    ],
)
def test_another_gates_journal_is_not_this_ones(
    path: Path, gate: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(path, gate=gate) as journal:
        write_many(journal, 3)
    files.move(path, path.with_name("journal.sqlite.bak"))
    path.with_name("last-log.json").unlink(missing_ok=True)
    with opened(path, gate="north") as journal:
        assert journal.earlier() == []
    assert told in caplog.text


def test_nor_is_one_of_a_version_that_did_not_say(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    moved_aside(path, Office())
    with closing(sqlite3.connect(path.with_name("journal.sqlite.bak"))) as connection, connection:
        connection.execute("ALTER TABLE meta DROP COLUMN gate")
        connection.execute("PRAGMA user_version = 3")
    with opened(path, gate="north") as journal:
        assert journal.earlier() == []
    assert "does not say whose it is" in caplog.text


def test_its_own_is_known_by_its_name_and_by_a_new_one_from_then_on(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(path, gate="north") as journal:
        old = journal.log_id
    files.move(path, path.with_name("aside"))
    with opened(path, gate="north") as journal:
        assert [aside.log_id for aside in journal.earlier()] == [old]
    assert "goes on as" not in caplog.text
    with opened(path, gate="gate-2"):
        pass
    assert "the journal of north goes on as that of gate-2" in caplog.text
    assert rows(path, "SELECT gate FROM meta") == [("gate-2",)]
