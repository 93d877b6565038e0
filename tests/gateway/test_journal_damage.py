"""A damaged journal is moved aside and named, never deleted; what is merely out of reach is left alone."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.core.effects import StateChange
from gateway.journal import JournalError, opening
from tests.gateway.journaling import NOW, Answer, body, everything, first, modes, opened, write, write_many
from tests.small_disk import small_disk

RECORDS = 400
PAGE = 4096  # bytes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of 400 records, of which 390 are acknowledged."""
    path = tmp_path / "journal.sqlite"
    with opened(path) as journal:
        write(journal, body(1), changes=[StateChange("mode", b'"lockdown"')])
        for number in range(2, RECORDS - 1):
            journal.append(body(number), NOW)
        write(journal, body(RECORDS - 1))
        digest = journal.hash_at(390)
        assert digest is not None
        journal.acknowledge(390, digest)
    return path


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def log_id(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT log_id FROM meta").fetchone()[0])


def truncate(to: float) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, int(path.stat().st_size * to))


def scribble(begin: float, end: float) -> Callable[[Path], None]:
    def work(path: Path) -> None:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(int(size * begin))
            file.write(random.Random(5).randbytes(int(size * (end - begin))))

    return work


def garbage_wal(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(random.Random(6).randbytes(20_000))


def other_database(path: Path) -> None:
    path.unlink()
    sql(path, "CREATE TABLE records (seq)", "CREATE TABLE meta (log_id)", "CREATE TABLE core_state (key, value)")


def a_text(path: Path) -> None:
    path.write_text("these are not the records you are looking for\n" * 100)


def lone_wal(path: Path) -> None:
    path.rename(path.with_name(path.name + "-wal"))


UNREADABLE: dict[str, Callable[[Path], None]] = {
    "cut in the header": lambda path: os.truncate(path, 60),
    "cut off its page": lambda path: os.truncate(path, path.stat().st_size // 2 + 100),
    "cut to one page": lambda path: os.truncate(path, 4096),
    "random from the start": scribble(0, 0.3),
    "all random": scribble(0, 1),
    "a text": a_text,
    "empty": lambda path: os.truncate(path, 0),
    "another database": other_database,
    "only a write-ahead log": lone_wal,
}
READABLE: dict[str, Callable[[Path], None]] = {
    "random write-ahead log": garbage_wal,
    "hash changed": lambda path: sql(path, "UPDATE records SET hash = zeroblob(32) WHERE seq = 395"),
    "record missing": lambda path: sql(path, "DELETE FROM records WHERE seq = 395"),
    "kind is a blob": lambda path: sql(path, "UPDATE records SET kind = x'ff' WHERE seq = 395"),
    "kind is no UTF-8": lambda path: sql(path, "UPDATE records SET kind = CAST(x'ff' AS TEXT) WHERE seq = 395"),
    "boot too short": lambda path: sql(
        path, "UPDATE records SET boot = NULL WHERE 0", "UPDATE records SET boot = 5 WHERE seq = 395"
    ),
    "body changed": lambda path: sql(path, "UPDATE records SET body = x'00' WHERE seq = 395"),
}


@pytest.mark.parametrize("damage", [*UNREADABLE, "random in the middle", "cut in the middle", *READABLE])
def test_a_damaged_journal_is_moved_aside_and_a_new_log_opened(
    path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    more = {"random in the middle": scribble(0.4, 0.6), "cut in the middle": truncate(0.5)}
    old = log_id(path)
    (UNREADABLE | READABLE | more)[damage](path)
    before = {file.name: file.read_bytes() for file in path.parent.glob("journal.sqlite*")}
    with opened(path) as journal:
        assert journal.recovered is not None
        assert "journal.sqlite.damaged-1" in journal.recovered
        assert first(journal).reason == "damaged"
        assert first(journal).detail
        assert journal.log_id != old
        write(journal, body(1000))
        journal.verify()
    for suffix in ("", "-wal"):
        if content := before.get("journal.sqlite" + suffix):
            assert path.with_name("journal.sqlite.damaged-1" + suffix).read_bytes() == content
    with opened(path) as journal:  # and it is only told once
        assert (journal.recovered, modes(journal)[-1]) == (None, "m1000")


@pytest.mark.parametrize("damage", list(READABLE))
def test_what_can_be_read_of_it_is_saved(path: Path, damage: str) -> None:
    old = log_id(path)
    READABLE[damage](path)
    with opened(path) as journal:
        assert (first(journal).predecessor, first(journal).predecessor_head) == (old, 400)
        assert journal.state == {"mode": b'"lockdown"'}
        # beyond the acknowledgement, all but record 395
        whole = damage == "random write-ahead log"
        assert modes(journal) == [f"m{number}" for number in range(390, 400) if whole or number != 394]
        assert first(journal).carried == (((391, 400),) if whole else ((391, 394), (396, 400)))
        told = "10 were carried over" if whole else "9 were carried over, 1 could not be read"
        assert str(journal.recovered).endswith(f"of the records not yet acknowledged {told}")
        journal.verify()


def test_a_page_that_cannot_be_read_costs_the_records_on_it_and_no_other(path: Path) -> None:
    sql(path, "UPDATE meta SET acked_seq = 0, acked_hash = zeroblob(32)")
    with closing(sqlite3.connect(path)) as connection:
        salts = dict(connection.execute("SELECT seq, salt FROM records").fetchall())
    content = path.read_bytes()
    page = content.index(salts[200]) // PAGE
    on_it = {seq for seq, salt in salts.items() if content.index(salt) // PAGE == page}
    scribble(page * PAGE / len(content), (page + 1) * PAGE / len(content))(path)
    with opened(path) as journal:
        assert first(journal).carried == ((1, min(on_it) - 1), (max(on_it) + 1, 400))
        assert modes(journal) == [f"m{seq - 1}" for seq in sorted(set(salts) - on_it) if seq > 1]
        journal.verify()


def test_however_many_gaps_there_are_the_first_record_stays_small_and_none_is_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MAX_RUNS", 2)
    sql(path, "UPDATE records SET kind = 'tampered' WHERE seq IN (392, 394, 396, 398)")
    with opened(path) as journal:
        assert first(journal).carried == ((391, 391), (393, 393)), "more than these the office takes for missing"
        assert modes(journal) == ["m390", "m392", "m394", "m396", "m398", "m399"]


def test_each_damaged_file_keeps_a_name_of_its_own(path: Path) -> None:
    for number in (1, 2, 3):
        path.write_text(f"garbage {number}")
        with opened(path) as journal:
            assert f"damaged-{number} " in str(journal.recovered)
    assert [path.with_name(f"journal.sqlite.damaged-{n}").read_text() for n in (1, 2, 3)] == [
        "garbage 1",
        "garbage 2",
        "garbage 3",
    ]


def test_of_a_large_file_the_tail_is_verified_at_the_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "CHECKED_WHOLE", 0)
    sql(path, "UPDATE records SET at = 0 WHERE seq = 150")
    with opened(path) as journal:  # too far back to be looked at now
        assert journal.recovered is None
        with pytest.raises(JournalError, match="breaks at record 150"):
            journal.verify()
    sql(path, "UPDATE records SET at = 0 WHERE seq = 201")
    with opened(path) as journal:
        assert "breaks at record 201" in str(journal.recovered)


def test_what_a_kill_leaves_is_no_damage(path: Path, tmp_path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 50)
        head = journal.head()
        copy = tmp_path / "copy" / path.name
        copy.parent.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    assert copy.with_name(copy.name + "-wal").stat().st_size > 0
    with opened(copy) as journal:
        assert (journal.recovered, journal.head()) == (None, head)
    for torn in (b"", b"\x37\x7f", bytes(5000)):  # a write-ahead log that was only just begun
        copy.with_name(copy.name + "-wal").write_bytes(torn)
        with opened(copy) as journal:
            assert (journal.recovered, journal.head()) == (None, head)


def test_a_damaged_page_met_while_running_opens_a_new_log(path: Path) -> None:
    with opened(path) as journal:
        journal.checkpoint()
        old = journal.log_id

        def corrupt() -> None:
            connection = journal._store._connection
            connection.execute("PRAGMA cache_size = 0")
            connection.execute("PRAGMA shrink_memory")
            scribble(0.2, 1)(path)

        journal._wait(corrupt)
        told, later = Answer(), Answer()
        journal.append(body(1), NOW, [StateChange("mode", b'"free"')], told)
        assert told.wait() is not None
        journal.append(body(2), NOW, (), later)
        assert later.wait() is None
        assert journal.log_id != old
        assert modes(journal)[-2:] == ["m1", "m2"]
        assert journal.state == {"mode": b'"free"'}
        assert "damaged-1" in str(journal.recovered)
        assert (first(journal).reason, first(journal).predecessor) == ("damaged", old)
        assert [told.errors[1:], later.errors[1:]] == [[], []]


# out of reach is not damage


@pytest.fixture
def untouched(path: Path) -> Iterator[Path]:
    old = log_id(path)
    yield path
    assert not list(path.parent.glob("*.damaged*"))
    with opened(path) as journal:
        assert (journal.log_id, len(everything(journal))) == (old, RECORDS)


def test_a_journal_in_use_is_left_alone(untouched: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.gateway.journaling import opened\n"
        "journal = opened(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(untouched)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(JournalError, match="in use by another process"):
            opened(untouched)
        other.kill()
    opened(untouched).close()


def test_a_locked_database_is_left_alone(untouched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.journal.schema.BUSY_S", 0.05)
    with closing(sqlite3.connect(untouched)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match="locked"):
            opened(untouched).close()
        connection.rollback()
    opened(untouched).close()


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="is not a file"):
        opened(tmp_path)


def test_a_place_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"file/journal\.sqlite: the journal cannot be opened"):
        opened(tmp_path / "file" / "journal.sqlite")


def test_a_read_only_disk_is_no_damage(untouched: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "12m") as disk:
        shutil.copy(untouched, disk / "journal.sqlite")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(JournalError, match="journal cannot be opened"):
            opened(disk / "journal.sqlite")
        assert [file.name for file in disk.iterdir()] == ["journal.sqlite"]
