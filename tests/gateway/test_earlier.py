"""Logs that were given up, brought from their files to an office that has lost what it had of them."""

import os
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.journal import Head, Journal, JournalError, files
from gateway.journal.earlier import MOST, EarlierLog, with_one_more
from gateway.room import Limits, Room
from sync.contract.records import Dropped, decode_body
from sync.log.earlier import Earlier, HasEarlier
from sync.log.records import GENESIS
from sync.log.sender import Acknowledged, Refused, Send, Sender
from tests.gateway.journaling import DAY_MS, NOW, body, everything, opened, write, write_many
from tests.sync.road import Office

LATER = replace(NOW, at_ms=NOW.at_ms + 31 * DAY_MS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def bring(journal: Journal, office: Office) -> list[str]:
    """All of the journal, then of the earlier logs, over a road that works. What was refused."""
    sender, earlier, refused = Sender(journal), Earlier(journal.earlier), list[str]()
    sender.connected(0)
    earlier.offer()
    for current, each in ((sender, sender), (earlier, earlier)):
        for now in range(0, 1_000_000, 2_000):
            due = sender.deadline() if current is sender else earlier.deadline(now)
            if due is None or (current is sender and sender.rests):
                break
            actions = [*each.poll(now)]
            while actions:
                action = actions.pop(0)
                match action:
                    case Send(payload):
                        actions += each.received(office.take(payload), now)
                    case Acknowledged(seq, digest):
                        journal.acknowledge(seq, digest)
                    case HasEarlier(log_id, whole):
                        journal.office_has(log_id, whole=whole)
                    case Refused(reason):
                        refused.append(reason)
    return refused


def replaced(journal: Journal, office: Office, count: int = 40) -> tuple[Office, str]:
    """Records that arrive, one more that does not, and a new log. The office's backup from before half of them, the old log."""
    write_many(journal, count // 2)
    bring(journal, office)
    backup = deepcopy(office)
    write_many(journal, count // 2)
    bring(journal, office)
    write(journal, body(99))
    old = journal.log_id
    journal.replace_log("rewound", now=NOW)
    bring(journal, office)
    return backup, old


def aside_of(path: Path, log_id: str) -> Path:
    return files.beside(path, f".{log_id}.old")


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def numbers(office: Office, log_id: str) -> Sequence[int]:
    office.check()
    return [record.seq for record in office.logs[log_id].records]


def test_an_office_from_before_gets_what_lies_aside(path: Path) -> None:
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        assert numbers(office, old) == list(range(1, 22))
        assert bring(journal, office) == []
        assert numbers(office, old) == list(range(1, 42)), "up to what was carried over, and no further"
        assert not office.logs[old].missing
        hashes = [record.body_hash for log in office.logs.values() for record in log.records]
        assert len(hashes) == len(set(hashes)), "none came twice"
        bring(journal, office)
        assert numbers(office, old) == list(range(1, 42)), "and once more nothing is sent"


def test_several_logs_in_a_row_and_a_restart(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        backup, first = replaced(journal, office)
        _, second = replaced(journal, office, 10)
        _, third = replaced(journal, office, 6)
    with opened(path) as journal:
        assert [aside.log_id for aside in journal.earlier()] == [first, second, third]
        bring(journal, backup)
        assert [log.cursor.seq for log in backup.logs.values()] == [41, journal.head().seq, 12, 8]
        assert not any(log.missing for log in backup.logs.values())
        assert {log: kept.records for log, kept in backup.logs.items()} == {
            log: kept.records for log, kept in office.logs.items()
        } | {journal.log_id: backup.logs[journal.log_id].records}


def test_a_new_office_gets_all_that_is_left(path: Path) -> None:
    with opened(path) as journal:
        office = Office()
        _, old = replaced(journal, office)
        bring(journal, new := Office())
        assert numbers(new, old) == list(range(1, 42))


DAMAGE = {
    "row": ("DELETE FROM records WHERE seq = 30", (30, 31)),
    "body": ("UPDATE records SET body = x'00' WHERE seq = 30", (30, 31)),
    "hash": ("UPDATE records SET hash = zeroblob(32) WHERE seq = 30", (30, 31)),
    "kind": ("UPDATE records SET kind = x'ff' WHERE seq = 30", (30, 31)),
    "first wanted": ("DELETE FROM records WHERE seq = 22", (22, 23)),
    "last": ("UPDATE records SET hash = zeroblob(32) WHERE seq = 41", (41, 41)),
    "many": ("DELETE FROM records WHERE seq BETWEEN 25 AND 35", (25, 36)),
    "all": ("DELETE FROM records", (22, 41)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_a_named_gap_and_no_more_than_that(path: Path, damage: str) -> None:
    statement, gap = DAMAGE[damage]
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        sql(aside_of(path, old), statement)
        bring(journal, office)
        assert office.logs[old].missing == [gap]
        assert office.logs[old].cursor.seq == 41
        assert len(numbers(office, old)) == 41 - (gap[1] - gap[0] + 1)


@pytest.mark.parametrize("how", ["removed", "text", "cut", "empty"])
def test_a_file_that_is_no_journal_any_more_is_a_named_gap(path: Path, how: str) -> None:
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        aside = aside_of(path, old)
        if how == "removed":
            aside.unlink()
        elif how == "text":
            aside.write_text("nothing to be seen here\n" * 400)
        else:
            os.truncate(aside, 0 if how == "empty" else 5_000)
        bring(journal, office)
        assert office.logs[old].missing == [(22, 41)]
        assert numbers(office, old) == list(range(1, 22))


def test_what_cannot_be_looked_at_just_now_is_not_gone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        with closing(sqlite3.connect(aside_of(path, old), isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            monkeypatch.setattr("gateway.journal.schema.BUSY_S", 0.01)
            with pytest.raises(JournalError, match="cannot be read"):
                bring(journal, office)
        assert not office.logs[old].missing
        bring(journal, office)
        assert numbers(office, old) == list(range(1, 42))


def test_a_damaged_journal_is_offered_from_where_it_was_moved_to(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        write_many(journal, 20)
        bring(journal, office)
        backup, old = deepcopy(office), journal.log_id
        write_many(journal, 20)
        bring(journal, office)
    sql(path, "DELETE FROM records WHERE seq = 35")  # the office has it
    with opened(path) as journal:
        assert journal.recovered is not None
        bring(journal, backup)
        assert backup.logs[old].missing == [(35, 36)]
        assert numbers(backup, old) == [*range(1, 35), *range(37, 42)]


def test_a_file_with_pages_of_noise_is_read_around_them(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        write_many(journal, 20)
        bring(journal, office)
        backup = deepcopy(office)
        write_many(journal, 400)
        bring(journal, office)
        old = journal.log_id
        journal.replace_log("rewound", now=NOW)
    aside = aside_of(path, old)
    with aside.open("r+b") as file:
        file.seek(aside.stat().st_size // 2 // 4096 * 4096)
        file.write(random.Random(3).randbytes(4096))
    with opened(path) as journal:
        bring(journal, backup)
        kept = backup.logs[old]
        ((first, last),) = kept.missing
        assert 5 < last - first < 60, "about a page"
        assert len(numbers(backup, old)) == 421 - (last - first + 1)
        assert kept.cursor.seq == 421


def test_what_only_the_office_had_is_named(path: Path, tmp_path: Path) -> None:
    """A card is put back, the gate learns from the office that it had written more; then the office loses that."""
    office, image = Office(), tmp_path / "image"
    with opened(path) as journal:
        write_many(journal, 10)
        bring(journal, office)
    image.write_bytes(path.read_bytes())
    with opened(path) as journal:
        backup = deepcopy(office)
        write_many(journal, 10)
        bring(journal, office)
        held = journal.head()
    path.write_bytes(image.read_bytes())
    with opened(path) as journal:
        old = journal.log_id
        write(journal, body(77))
        journal.replace_log("rewound", now=NOW, held=held)
        bring(journal, backup)
        assert backup.logs[old].missing == [(12, 21)]
        assert backup.logs[old].cursor == held
        assert numbers(backup, journal.log_id) == [1, 2]


def test_an_office_with_another_past_is_told_nothing(path: Path) -> None:
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        office.logs[old].cursor = Head(30, bytes(range(32)))
        (refused,) = bring(journal, office)
        assert f"the earlier log {old[:8]}" in refused
        assert (office.forks, office.logs[old].cursor.seq) == (0, 30)
        assert journal.remove_earlier(LATER, 30) == []


def test_a_file_goes_when_the_office_has_it_and_it_is_old(path: Path) -> None:
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        aside = aside_of(path, old)
    with opened(path) as journal:
        assert journal.remove_earlier(LATER, 30) == [], "nobody has said that the office has it"
        bring(journal, office)
        assert journal.remove_earlier(NOW, 30) == [], "it is young"
        assert journal.remove_earlier(replace(LATER, trusted=False), 30) == [], "who knows"
        assert aside.exists()
        ((log_id, first, last, size),) = journal.remove_earlier(LATER, 30)
        assert (log_id, first, last) == (old, 1, 41)
        assert size > 8_000
        assert not files.parts(aside)
        bring(journal, new := Office())
        assert new.logs[old].missing == [(1, 41)], "it is known to have been there"


def test_a_file_stays_while_an_office_lacks_some_of_it(path: Path) -> None:
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        earlier = Earlier(journal.earlier)
        earlier.offer()
        (hello,) = earlier.poll(0)
        assert isinstance(hello, Send)
        assert earlier.received(office.take(hello.payload), 0) == [HasEarlier(old, whole=False)]
        journal.office_has(old, whole=False)
        assert journal.remove_earlier(LATER, 30) == journal.remove_earlier(LATER, None) == []
        bring(journal, office)
        assert [each.log_id for each in journal.remove_earlier(NOW, None)] == [old]


def test_a_full_disk_does_not_wait_for_an_office_that_is_away(path: Path) -> None:
    """What was acknowledged may go, as a record may."""
    with opened(path) as journal:
        _, old = replaced(journal, Office())
    with opened(path) as journal:
        assert [each.log_id for each in journal.remove_earlier(NOW, None)] == [old]


def test_a_file_of_which_something_was_lost_is_somebodys_to_look_at(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        write_many(journal, 20)
        bring(journal, office)
        write_many(journal, 20)
    sql(path, "UPDATE records SET body = x'00' WHERE seq = 35")
    with opened(path) as journal:
        bring(journal, office)
        assert journal.remove_earlier(LATER, None) == []
        assert path.with_name("journal.sqlite.damaged-1").exists()


def test_room_is_made_by_earlier_logs_first_and_told(path: Path) -> None:
    free = 100
    with opened(path) as journal:
        office, old = replaced(journal, Office())
        bring(journal, office)
        write_many(journal, 150)
        bring(journal, office)
        told = list[str]()
        room = Room(journal, Limits(10**9, 1000), lambda: NOW, told.append, lambda: free)
        room.look()
        write(journal, body(1))
        assert not aside_of(path, old).exists()
        assert journal.oldest() == 1, "records of this log stay: that may have been enough"
        (dropped,) = [record for record in everything(journal) if record.kind == "dropped"]
        found = decode_body("dropped", dropped.body or b"")
        assert isinstance(found, Dropped)
        assert (found.log, found.first, found.last, found.sent) == (old, 1, 41, 41)
        room.look()
        assert journal.oldest() > 1
        assert told == ["disk-nearly-full"]


def test_a_journal_that_has_lost_the_list_is_damaged_and_goes_on(path: Path) -> None:
    office = Office()
    with opened(path) as journal:
        replaced(journal, office)
    sql(path, "DROP TABLE earlier")
    with opened(path) as journal:
        assert "tables are missing: earlier" in (journal.recovered or "")
        assert bring(journal, office) == []


def test_no_more_are_remembered_than_there_may_be() -> None:
    logs: list[EarlierLog] = []
    for number in range(MOST + 3):
        head = Head(number, bytes([number]) * 32)
        one = EarlierLog(log_id=f"{number:032x}", file="f", acked=head, held=head, at_ms=0, whole=True)
        logs = with_one_more(logs, one)
    assert [log.acked.seq for log in logs] == list(range(3, MOST + 3)), "one of which nothing was acknowledged is none"
    again = replace(logs[5], file="g")
    assert with_one_more(logs, again)[-1] == again
    assert len(with_one_more(logs, again)) == MOST
    assert GENESIS not in {log.held.hash for log in logs}
