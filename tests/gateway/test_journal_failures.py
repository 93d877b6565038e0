"""What the journal does while the disk takes nothing: it says so at once, keeps the records, and writes each of them once."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.effects import StateChange
from gateway.journal import Journal, JournalError
from gateway.journal.files import RESERVE_BYTES
from sync.contract.records import Refused, decode_body
from tests.gateway.journaling import NOW, Answer, Watch, body, everything, modes, opened, write
from tests.small_disk import small_disk, stuff

ROUNDS = 12


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.journal.writer.RESERVE_S", 0.02)
    monkeypatch.setattr("gateway.journal.writer.RETRY_S", (0.01, 0.05))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def limit_pages(journal: Journal, pages: int) -> None:
    """Let SQLite itself say that the disk is full at this size; 0: at the size it has."""

    def work() -> None:
        connection: sqlite3.Connection = journal._store._connection
        connection.execute(f"PRAGMA max_page_count = {pages or connection.execute('PRAGMA page_count').fetchone()[0]}")

    journal._wait(work)


def fill(journal: Journal, begin: int = 0) -> tuple[int, Answer]:
    """Append until a record does not fit: its number, and its answer."""
    for number in range(begin, begin + 10_000):
        answer = Answer()
        journal.append(body(number), NOW, [StateChange("last", str(number).encode())], answer)
        if answer.wait() is not None:
            return number, answer
    raise AssertionError("the disk never got full")


def test_a_failed_write_is_told_once_and_written_later_once(path: Path) -> None:
    with opened(path) as journal:
        watch = Watch(journal)
        limit_pages(journal, 0)
        number, answer = fill(journal)
        head = journal.head()
        assert head.seq == number + 1  # the opening, and all before it
        assert journal.state.get("last") == (str(number - 1).encode() if number else None)
        assert "disk is full" in str(journal.failed)
        assert "disk is full" in str(answer.errors[0])
        later = Answer()
        journal.append(body(number + 1), NOW, (), later)
        assert later.wait() is not None  # at once, not at the next try
        assert (journal.head(), journal.verify().records) == (head, head.seq)
        limit_pages(journal, 1_000_000)
        watch.until(lambda: journal.head().seq == head.seq + 2 and journal.failed is None)
        write(journal, body(number + 2))
        assert modes(journal) == [f"m{n}" for n in range(number + 3)]
        assert journal.state["last"] == str(number).encode()
        assert (len(answer.errors), len(later.errors)) == (1, 1)
        journal.verify()
        assert path.with_name(path.name + ".reserve").stat().st_size == RESERVE_BYTES
    with opened(path) as journal:
        assert modes(journal) == [f"m{n}" for n in range(number + 3)]


def test_a_whole_group_fails_and_comes_back_together(path: Path) -> None:
    with opened(path) as journal:
        watch = Watch(journal)
        limit_pages(journal, 0)
        number, _ = fill(journal)
        answers = [Answer() for _ in range(50)]
        for offset, answer in enumerate(answers, 1):
            journal.append(body(number + offset), NOW, (), answer)
        assert all(answer.wait() is not None for answer in answers)
        limit_pages(journal, 1_000_000)
        watch.until(lambda: journal.head().seq == number + 52)
        assert modes(journal) == [f"m{n}" for n in range(number + 51)]


def test_what_no_longer_fits_in_memory_is_counted_and_named(path: Path) -> None:
    with opened(path) as journal:
        watch = Watch(journal)
        limit_pages(journal, 0)
        number, _ = fill(journal)
        journal._mailbox._max_jobs = 3
        answers = [Answer() for _ in range(20)]
        for offset, answer in enumerate(answers, 1):
            journal.append(body(number + offset), NOW, [StateChange("last", str(offset).encode())], answer)
        assert all(answer.wait() is not None for answer in answers)
        assert "lost, 18 in all" in str(answers[-1].errors[0])
        assert journal.lost == 18
        limit_pages(journal, 1_000_000)
        watch.until(lambda: journal.head().seq == number + 5)
        write(journal, body(9999))
        bodies = [decode_body(r.kind, r.body) for r in everything(journal)[-4:] if r.body]
        assert bodies == [
            body(number + 1),
            body(number + 2),
            Refused(what="records", reason="journal-full", detail="18 records were lost before this one"),
            body(9999),
        ]
        assert journal.state["last"] == b"20"  # the state is kept even of records that are lost
        assert [len(answer.errors) for answer in answers] == [1] * 20


def test_bytes_in_memory_are_bounded_too(path: Path) -> None:
    with opened(path) as journal:
        journal._mailbox._max_bytes = 10
        answer = Answer()
        journal.append(body(1), NOW, (), answer)
        assert "no more are kept in memory" in str(answer.wait())


def test_closing_on_a_full_disk_ends_and_says_what_is_lost(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = opened(path)
    limit_pages(journal, 0)
    number, _ = fill(journal)
    journal.append(body(number + 1), NOW)
    journal.close()
    assert "2 records could not be written and are lost" in caplog.text
    assert not journal._writer.thread.is_alive()
    with opened(path) as journal:
        assert modes(journal) == [f"m{n}" for n in range(number)]


# a disk that is really full


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 12 MB."""
    with small_disk(tmp_path / "disk", "12m") as disk:
        yield disk


def test_on_a_full_disk_the_reserve_lets_the_alarm_be_written(disk: Path) -> None:
    path = disk / "journal.sqlite"
    with opened(path) as journal:
        watch = Watch(journal)
        filler = stuff(disk)
        number, answer = fill(journal)
        assert "disk is full" in str(answer.errors[0])
        watch.until(lambda: journal.head().seq == number + 2)  # on the reserve, the same record
        write(journal, body(number + 1))  # and the alarm's
        assert not path.with_name(path.name + ".reserve").exists()
        watch.until(lambda: "reserve is in use" in str(journal.failed))
        number, _ = fill(journal, number + 2)  # until that is used up too
        assert "disk is full" in str(journal.failed)
        head = journal.head()
        filler.unlink()
        watch.until(lambda: journal.failed is None)
        assert journal.head().seq == head.seq + 1
        assert modes(journal) == [f"m{n}" for n in range(number + 1)]
        assert path.with_name(path.name + ".reserve").stat().st_size == RESERVE_BYTES
        journal.verify()
    with opened(path) as journal:
        assert (journal.recovered, len(modes(journal))) == (None, number + 1)


def test_a_gate_starts_on_a_full_disk(disk: Path) -> None:
    path = disk / "journal.sqlite"
    with opened(path) as journal:
        write(journal, body(1))
    filler = stuff(disk)
    with opened(path) as journal:
        watch = Watch(journal)
        assert "reserve is in use" in str(journal.failed)
        write(journal, body(2))
        filler.unlink()
        watch.until(lambda: journal.failed is None)
        assert modes(journal) == ["m1", "m2"]


def test_a_gate_starts_on_a_full_disk_whose_reserve_is_spent(disk: Path) -> None:
    """It decides by the state that stands there, keeps its records in memory, and writes them once there is room."""
    path = disk / "journal.sqlite"
    with opened(path) as journal:
        write(journal, body(1), changes=[StateChange("mode", b"lockdown")])
        log_id, head = journal.log_id, journal.head()
    path.with_name("journal.sqlite.reserve").unlink()
    filler = stuff(disk)
    with opened(path) as journal:
        watch = Watch(journal)
        assert "disk is full" in str(journal.failed)
        assert (journal.log_id, journal.head()) == (log_id, head)
        assert journal.state == {"mode": b"lockdown"}
        with pytest.raises(JournalError):
            journal.read(0, 10, 10_000)
        refused, kept = Answer(), body(2)
        journal.append(kept, NOW, done=refused)
        assert refused.wait() is not None
        filler.unlink()
        watch.until(lambda: journal.failed is None)
        assert journal.recovered is None
        assert modes(journal) == ["m1", "m2"]
        journal.verify()


def test_a_gate_starts_for_the_first_time_on_a_full_disk(disk: Path) -> None:
    filler = stuff(disk)
    with opened(disk / "journal.sqlite") as journal:
        watch = Watch(journal)
        assert "disk is full" in str(journal.failed)
        assert (journal.head().seq, journal.state) == (0, {})
        journal.append(body(1), NOW)
        filler.unlink()
        watch.until(lambda: journal.failed is None)
        assert modes(journal) == ["m1"]
        journal.verify()


# kill -9


WRITER = """
import os, random, sys
from pathlib import Path
from gateway.core.effects import StateChange
from tests.gateway.journaling import NOW, body, opened

journal = opened(Path(sys.argv[1]))
number = int(sys.argv[2])
seed = random.Random(number)

def told(n):
    return lambda error: os.write(1, f"{n if error is None else error}\\n".encode())

while True:
    for _ in range(seed.choice((1, 1, 2, 20))):
        number += 1
        journal.append(body(number), NOW, [StateChange("last", str(number).encode())], told(number))
    while journal.head().seq < number:
        os.sched_yield()
"""


def test_a_kill_at_any_moment_loses_nothing_that_was_told(path: Path) -> None:
    moments = random.Random()
    last = 0
    for _ in range(ROUNDS):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(last)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(moments.randrange(1, 150)):
                writer.stdout.readline()
            writer.kill()
            told = writer.stdout.read().split()
        with opened(path) as journal:
            assert journal.recovered is None
            found = modes(journal)
            assert found == [f"m{number}" for number in range(1, len(found) + 1)]
            assert len(found) >= max((int(number) for number in told), default=last + 1)
            assert len(found) > last
            assert journal.state == {"last": str(len(found)).encode()}
            assert journal.verify().records == len(found) + 1
            last = len(found)
