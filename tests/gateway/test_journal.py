"""The journal: what is appended, kept, told and deleted."""

import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from peewee import SqliteDatabase

from gateway.core.effects import StateChange
from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError, schema
from gateway.journal.journal import MAX_BODY
from gateway.journal.schema import Pragma
from sync.contract.records import Refused
from sync.log.records import GENESIS, body_hash, chain_hash
from tests.gateway.journaling import (
    BOOT,
    DAY_MS,
    NOW,
    Answer,
    Watch,
    body,
    everything,
    first,
    modes,
    opened,
    write,
    write_many,
)

VERSION_1 = Path(__file__).with_name("journal_version_1.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gate" / "journal.sqlite"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


# appending


def test_a_new_log_begins_with_its_opening(path: Path) -> None:
    with opened(path) as journal:
        assert journal.recovered is None
        assert journal.head().seq == 1
        assert (first(journal).reason, first(journal).predecessor) == ("new", "")
        assert len(bytes.fromhex(journal.log_id)) == 16


def test_records_are_chained_and_carry_their_time(path: Path) -> None:
    with opened(path) as journal:
        write(journal, body(1), Moment(6_000, 1_700_000_001_000, trusted=False))
        records = everything(journal)
        digest = GENESIS
        for seq, record in enumerate(records, 1):
            digest = chain_hash(digest, record)
            assert record.seq == seq
            assert record.body is not None
            assert record.salt is not None
            assert record.body_hash == body_hash(record.salt, record.body)
            assert journal.hash_at(seq) == digest
        assert journal.head() == (2, digest)
        assert (records[1].at, records[1].mono, records[1].clock, records[1].boot) == (
            1_700_000_001_000,
            6_000,
            False,
            BOOT,
        )
        assert records[0].salt != records[1].salt
        assert journal.verify() == (2, 0, 0)


def test_many_records_keep_their_order_over_a_restart(path: Path) -> None:
    with opened(path, group_limit=7) as journal:
        write_many(journal, 500)
        head, log_id = journal.head(), journal.log_id
        assert journal.commits < 250  # they were grouped
    with opened(path) as journal:
        assert (journal.head(), journal.log_id, journal.recovered) == (head, log_id, None)
        write(journal, body(501))
        assert modes(journal) == [f"m{number}" for number in range(1, 502)]
        assert journal.verify().records == 502


def test_a_commit_is_on_disk_when_it_is_told(path: Path) -> None:
    with opened(path) as journal:
        seen: list[int] = []
        told = threading.Event()

        def done(error: JournalError | None) -> None:
            assert error is None
            seen.append(journal.head().seq)
            seen.extend(int(str(count)) for (count,) in rows(path, "SELECT count(*) FROM records"))
            told.set()

        journal.append(body(1), NOW, (), done)
        assert told.wait(10)
        assert seen == [2, 2]


def test_listeners_are_called_after_the_answers_and_may_fail(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    def fails() -> None:
        order.append("listener")
        raise RuntimeError("a listener's own fault")

    with opened(path) as journal:
        journal.subscribe(fails)
        answer = Answer()

        def done(error: JournalError | None) -> None:
            order.append("done")
            answer(error)

        journal.append(body(1), NOW, (), done)
        assert answer.wait() is None
        write(journal, body(2))
    assert order[:2] == ["done", "listener"]
    assert "a listener's own fault" in caplog.text


def test_state_changes_are_durable_with_their_record(path: Path) -> None:
    with opened(path) as journal:
        assert journal.state == {}
        write(journal, body(1), changes=[StateChange("mode", b'"lockdown"'), StateChange("inside", b"3")])
        write(journal, body(2), changes=[StateChange("inside", b"4"), StateChange("mode", None)])
        assert journal.state == {"inside": b"4"}
    with opened(path) as journal:
        assert journal.state == {"inside": b"4"}


def test_within_a_group_the_last_change_of_a_key_counts(path: Path) -> None:
    with opened(path) as journal:
        for number in range(200):
            journal.append(body(number), NOW, [StateChange("n", str(number).encode() if number % 3 else None)])
        write(journal, body(200), changes=[StateChange("n", b"last"), StateChange("m", b"1"), StateChange("m", None)])
    with opened(path) as journal:
        assert journal.state == {"n": b"last"}


def test_a_body_that_is_too_large_is_refused(path: Path) -> None:
    with opened(path) as journal:
        with pytest.raises(JournalError, match=r"refused record of .* bytes"):
            journal.append(Refused(what="x", reason="y", detail="z" * MAX_BODY), NOW)
        assert journal.head().seq == 1


def test_after_close_an_append_is_told_so_and_no_thread_is_left(path: Path) -> None:
    journal = opened(path)
    for number in range(1000):
        journal.append(body(number), NOW)
    assert journal.hash_at(1) is not None  # a reader is open too
    journal.close()
    journal.close()
    assert not path.with_name(path.name + "-wal").exists()
    answer = Answer()
    journal.append(body(1), NOW, (), answer)
    assert "closed" in str(answer.wait())
    assert not [thread for thread in threading.enumerate() if thread.name == "journal"]
    with opened(path) as journal:
        assert journal.head().seq == 1001  # what waited was written


# the log as the road sees it


def test_of_a_backlog_that_is_read_ahead_each_record_is_given_once(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 299)
        after, found = 0, []
        while records := journal.read(after, 100, 1_000_000):
            found += [record.seq for record in records]
            after = found[-1]
            if after == 300:
                write_many(journal, 5)  # after it was looked for in vain
        assert found == list(range(1, 306))


def test_what_was_read_ahead_of_a_log_that_was_replaced_is_not_given(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 299)
        assert journal.read(0, 100, 1_000_000)[-1].seq == 100
        journal.replace_log("rewound", now=NOW)
        assert journal.read(100, 100, 1_000_000) == everything(journal)[100:200]


def test_reading_keeps_both_bounds_but_gives_one_at_least(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 20)
        assert [record.seq for record in journal.read(3, 5, 1_000_000)] == [4, 5, 6, 7, 8]
        assert [record.seq for record in journal.read(3, 5, 1)] == [4]
        some = journal.read(0, 100, 1000)
        assert 1 < len(some) < 20
        assert journal.read(21, 100, 1000) == []
        assert journal.hash_at(0) == GENESIS
        assert journal.hash_at(22) is None
        assert journal.oldest() == 1


def test_an_acknowledgement_survives_a_restart_and_may_step_back(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 9)
        assert journal.acked == (0, GENESIS)
        journal.acknowledge(*journal.head())
    with opened(path) as journal:
        assert journal.acked == journal.head()
        digest = journal.hash_at(4)
        assert digest is not None
        journal.acknowledge(4, digest)  # the office was restored from a backup
        assert journal.acked.seq == 4


def test_an_acknowledgement_of_what_is_not_here_is_refused(path: Path) -> None:
    with opened(path) as journal:
        for seq, digest in ((2, bytes(32)), (1, bytes(32)), (1_000_000, journal.head().hash)):
            with pytest.raises(JournalError, match=f"acknowledges a record {seq} "):
                journal.acknowledge(seq, digest)
        assert journal.acked.seq == 0


def test_an_acknowledgement_reaches_the_disk_without_a_record(path: Path) -> None:
    with opened(path) as journal:
        watch = Watch(journal)
        journal.acknowledge(*journal.head())
        watch.until(lambda: rows(path, "SELECT acked_seq FROM meta") == [(1,)])


# counters and time


def test_the_known_time_is_the_one_noted_last(path: Path) -> None:
    with opened(path) as journal:
        assert journal.last_known_ms == 0
        journal.note_time(NOW.at_ms)
        journal.note_time(NOW.at_ms + 10)
        assert journal.last_known_ms == NOW.at_ms + 10
    with opened(path) as journal:
        assert journal.last_known_ms == NOW.at_ms + 10


def test_a_known_time_that_was_wrong_is_taken_back_at_once(path: Path) -> None:
    year_ms = 365 * DAY_MS
    with opened(path) as journal:
        watch = Watch(journal)
        journal.note_time(NOW.at_ms + year_ms)
        watch.until(lambda: rows(path, "SELECT known_ms FROM meta") == [(NOW.at_ms + year_ms,)])
        journal.note_time(NOW.at_ms)
        watch.until(lambda: rows(path, "SELECT known_ms FROM meta") == [(NOW.at_ms,)])
    with opened(path) as journal:
        assert journal.last_known_ms == NOW.at_ms


def test_the_known_time_is_on_disk_each_minute(path: Path) -> None:
    with opened(path) as journal:
        watch = Watch(journal)
        journal.note_time(NOW.at_ms)
        watch.until(lambda: rows(path, "SELECT known_ms FROM meta") == [(NOW.at_ms,)])
        journal.note_time(NOW.at_ms + 59_999)
        write(journal, body(1))
        assert rows(path, "SELECT known_ms FROM meta") == [(NOW.at_ms,)]
        journal.note_time(NOW.at_ms + 60_000)
        write(journal, body(2))
        assert rows(path, "SELECT known_ms FROM meta") == [(NOW.at_ms + 60_000,)]


# deleting


def test_trimming_takes_acknowledged_old_records_only(path: Path) -> None:
    late = NOW.after(40 * DAY_MS)
    with opened(path) as journal:
        write_many(journal, 9)  # records 2 … 10
        write_many(journal, 5, NOW.after(20 * DAY_MS))
        assert journal.trim(late) == 0  # nothing is acknowledged
        digest = journal.hash_at(8)
        assert digest is not None
        journal.acknowledge(8, digest)
        assert journal.trim(NOW.after(29 * DAY_MS)) == 0
        assert journal.trim(Moment(late.mono_ms, late.at_ms, trusted=False)) == 0
        assert journal.trim(late, limit=5) == 5
        assert journal.trim(late, limit=5) == 3
        assert journal.trim(late, limit=5) == 0
        assert (journal.oldest(), journal.hash_at(8), journal.hash_at(7)) == (9, digest, None)
        journal.acknowledge(*journal.head())
        assert journal.trim(late) == 2  # the rest is 20 days old
        assert journal.verify().records == 5
    with opened(path) as journal:
        assert (journal.oldest(), journal.recovered) == (11, None)
        write(journal, body(1))
        assert journal.verify().records == 6


def test_a_log_that_was_trimmed_to_its_head_goes_on(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 3)
        head = journal.head()
        journal.acknowledge(*head)
        assert journal.trim(NOW.after(31 * DAY_MS)) == 4
        assert (journal.oldest(), journal.head()) == (5, head)
    with opened(path) as journal:
        assert (journal.recovered, journal.head()) == (None, head)
        write(journal, body(1))
        assert journal.verify().records == 1


def test_trimming_gets_past_records_whose_clock_was_wrong(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 300, Moment(1, 1_000, trusted=False))  # long without any time
        write_many(journal, 10, NOW.after(365 * DAY_MS))  # a clock that jumped by a year
        write_many(journal, 10)
        journal.acknowledge(*journal.head())
        assert journal.trim(NOW.after(10 * DAY_MS)) == 0
        late = NOW.after(31 * DAY_MS)
        assert [journal.trim(late) for _ in range(3)] == [200, 121, 0]
        assert journal.oldest() == journal.head().seq + 1


def test_an_erased_record_is_gone_and_the_chain_holds(path: Path) -> None:
    secret = Refused(what="secret-word-8c1f", reason="r")
    with opened(path) as journal:
        write(journal, secret)
        write(journal, body(1))
        with pytest.raises(JournalError, match="no record 99"):
            journal.erase(99)
        journal.erase(2)
        record = everything(journal)[1]
        assert (record.body, record.salt, len(record.body_hash)) == (None, None, 32)
        assert journal.verify() == (3, 1, 0)
        for file in path.parent.iterdir():
            assert b"secret-word-8c1f" not in file.read_bytes(), file.name
    with opened(path) as journal:
        assert (journal.recovered, journal.verify().erased) == (None, 1)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE records SET body = x'7b7d' WHERE seq = 300", "the body of record 300"),
        ("UPDATE records SET at = at + 1 WHERE seq = 300", "breaks at record 300"),
        ("DELETE FROM records WHERE seq = 300", "record 300 is missing"),
        ("DELETE FROM records WHERE seq = 1001", "record 1001 is missing"),
    ],
)
def test_verify_names_what_was_changed(path: Path, change: str, fault: str) -> None:
    with opened(path) as journal:
        write_many(journal, 1000)
        reached: list[int] = []
        assert journal.verify(reached.append).records == 1001
        assert reached[-1] == 1001
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(change)
        with pytest.raises(JournalError, match=fault):
            journal.verify()


# replacing


def test_a_new_log_names_the_old_one_and_carries_what_was_not_acknowledged(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 6)
        write(journal, body(7), changes=[StateChange("mode", b'"free"')])
        digest = journal.hash_at(4)
        assert digest is not None
        journal.acknowledge(4, digest)
        old, head = journal.log_id, journal.head()
        before = everything(journal)[4:]
        journal.replace_log("rewound", "the office is further")
        assert journal.log_id != old
        opening = first(journal)
        assert (opening.reason, opening.predecessor, opening.predecessor_head) == ("rewound", old, head.seq)
        assert (opening.detail, opening.carried) == ("the office is further", ((5, head.seq),))
        assert modes(journal) == ["m4", "m5", "m6", "m7"]
        carried = everything(journal)[1:]
        assert [(r.at, r.mono, r.body_hash) for r in carried] == [(r.at, r.mono, r.body_hash) for r in before]
        assert (journal.acked.seq, journal.state) == (0, {"mode": b'"free"'})
        write(journal, body(8))
        assert journal.verify().records == 6
    assert rows(path.with_name(f"{path.name}.{old}.old"), "SELECT count(*) FROM records") == [(8,)]
    with opened(path) as journal:
        assert (journal.recovered, modes(journal)[-1]) == (None, "m8")


def test_a_rewound_copy_can_be_told_and_replaced_twice(path: Path, tmp_path: Path) -> None:
    image = tmp_path / "image.sqlite"
    with opened(path) as journal:
        write_many(journal, 5)
    image.write_bytes(path.read_bytes())
    heads = set()
    for _ in range(2):  # the card is put back twice
        path.write_bytes(image.read_bytes())
        with opened(path) as journal:
            write(journal, body(6))
            heads.add(journal.head())
            journal.replace_log("rewound")
            assert modes(journal) == [f"m{number}" for number in range(1, 7)]
    assert len(heads) == 2  # the same number, another salt: another hash
    assert len(list(path.parent.glob("*.old*"))) >= 2
    assert image.read_bytes()


@pytest.mark.parametrize("whole", [True, False])
def test_an_interrupted_exchange_is_completed_or_dropped(path: Path, whole: bool) -> None:
    with opened(path) as journal:
        write_many(journal, 5)
        log_id = journal.log_id
    draft = path.with_name(path.name + ".new")
    if whole:  # the power went after the old log was moved aside
        path.rename(draft)
    else:  # the power went while the new one was being built
        draft.write_bytes(path.read_bytes()[:5000])
    with opened(path) as journal:
        assert (journal.recovered is None) is not whole
        assert (journal.log_id, journal.head().seq) == (log_id, 6)
    assert not draft.exists()


# schema and pragmas


def test_a_database_of_version_1_is_brought_to_this_version(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text())
    with opened(path) as journal:
        assert journal.recovered is None
        assert journal.log_id == "0102030405060708090a0b0c0d0e0f10"
        assert (journal.head().seq, journal.acked.seq, journal.last_known_ms) == (3, 2, 1_700_000_000_000)
        assert journal.state == {"mode": b'"free"'}
        assert journal.verify() == (3, 1, 0)
        write(journal, body(1))
    fresh = tmp_path / "fresh.sqlite"
    opened(fresh).close()
    tables = "SELECT name, sql FROM sqlite_master ORDER BY name"
    assert rows(path, tables) == rows(fresh, tables)


def test_migrations_run_once_and_in_order(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as journal:
        write(journal, body(1))

    def second(database: SqliteDatabase) -> None:
        schema.raw(database).execute("ALTER TABLE meta ADD COLUMN note TEXT NOT NULL DEFAULT ''")

    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, second])
    monkeypatch.setattr("gateway.journal.opening.MIGRATIONS", schema.MIGRATIONS)
    for _ in range(2):
        with opened(path) as journal:
            assert (journal.recovered, modes(journal)) == (None, ["m1"])
    assert rows(path, "PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    monkeypatch.undo()
    with pytest.raises(JournalError, match=r"newer version \(schema 5, this one knows 4\)"):
        opened(path)
    assert rows(path, "SELECT count(*) FROM records") == [(2,)]  # in place, untouched


@pytest.mark.parametrize("weak", ["OFF", "NORMAL"])
def test_weaker_durability_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch, weak: str) -> None:
    pragmas = [Pragma(p.name, weak, p.expected) if p.name == "synchronous" else p for p in schema.PRAGMAS]
    monkeypatch.setattr(schema, "PRAGMAS", tuple(pragmas))
    with pytest.raises(JournalError, match=r"synchronous is . where 2 is needed"):
        opened(path)
    monkeypatch.undo()
    opened(path).close()


def test_the_writing_connection_is_durable(path: Path) -> None:
    with opened(path) as journal:

        def pragma(name: str) -> object:
            return journal._store._connection.execute(f"PRAGMA {name}").fetchone()[0]

        found = {
            name: journal._wait(partial(pragma, name)) for name in ("journal_mode", "synchronous", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}


def test_no_index_that_the_write_path_must_pay_for(path: Path) -> None:
    opened(path).close()
    assert rows(path, "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'records'") == []


def test_opening_needs_a_boot_id_of_16_bytes(path: Path) -> None:
    with pytest.raises(JournalError, match="15 bytes"):
        Journal.open(path, boot=bytes(15), now=NOW)
