"""A new log says what it goes on from, though nothing of the old one is there any more."""

import logging
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from gateway.core.moment import Moment
from gateway.journal import files
from gateway.journal.memo import EVERY_MS, NAME, Memo, recall
from sync.contract.records import LogOpened, decode_body
from tests.gateway.journaling import NOW, body, everything, opened, write, write_many

GATE = "north"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def lose(path: Path) -> None:
    """Everything whose name begins like the journal's, as `rm journal.sqlite*` does."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def first_of(path: Path, gate: str = GATE) -> LogOpened:
    """What the first record of the log at `path` says, once it is opened."""
    with opened(path, gate=gate) as journal:
        record = everything(journal)[0]
    assert record.body is not None
    found = decode_body(record.kind, record.body)
    assert isinstance(found, LogOpened)
    return found


def test_a_journal_that_was_taken_away_is_named_with_its_last_record(path: Path) -> None:
    with opened(path, gate=GATE) as journal:
        write_many(journal, 40)
        old = journal.log_id
    lose(path)
    expected = LogOpened(reason="moved-aside", predecessor=old, predecessor_head=41)
    assert first_of(path) == expected
    assert first_of(path) == expected, "said once, by the record that stands there"


def test_whoever_starts_the_gate_is_told_what_is_gone_and_how_to_bring_it(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(path, gate=GATE) as journal:
        write_many(journal, 40)
        old = journal.log_id
    stick = path.parent / "stick" / path.name
    stick.parent.mkdir()
    files.move(path, stick)
    with opened(path, gate=GATE) as journal:
        told = str(journal.recovered)
        assert journal.earlier() == []
    assert f"log {old} stood here, up to record 41 at least" in told
    assert f"{path}: {told}" in [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    place = re.search(r"put its file into (\S+) as (\S+),", told)
    assert place is not None
    files.move(stick, Path(place[1]) / place[2])
    with opened(path, gate=GATE) as journal:
        assert [each.log_id for each in journal.earlier()] == [old], "it was done as was told"
        assert journal.recovered is None, "said once"


def test_one_that_is_killed_is_named_as_far_as_was_put_down(path: Path) -> None:
    with opened(path, gate=GATE) as journal:
        log_id = journal.log_id
        assert recall(path) == Memo(log_id, 1)
        write_many(journal, 10)
        assert recall(path) == Memo(log_id, 1), "not with each record"
        write(journal, body(99), Moment(mono_ms=NOW.mono_ms + EVERY_MS, at_ms=NOW.at_ms + EVERY_MS))
        journal.checkpoint()  # its thread has done with what it did after the answer
        assert recall(path) == Memo(log_id, 12)
        write(journal, body(100), Moment(mono_ms=NOW.mono_ms + EVERY_MS + 1, at_ms=NOW.at_ms + EVERY_MS))
        journal.checkpoint()
        assert recall(path) == Memo(log_id, 12)


def test_a_log_that_took_the_place_of_another_is_put_down(path: Path) -> None:
    with opened(path, gate=GATE) as journal:
        write_many(journal, 3)
        journal.replace_log("rewound", now=NOW)
        assert recall(path) == Memo(journal.log_id, journal.head().seq)


def test_without_its_database_it_is_named_as_gone_though_its_write_ahead_log_is_there(path: Path) -> None:
    with opened(path, gate=GATE) as journal:
        write_many(journal, 3)
        old = journal.log_id
    path.unlink()
    files.beside(path, "-wal").write_bytes(b"left over")
    with opened(path, gate=GATE) as journal:
        told = str(journal.recovered)
    assert "moved to journal.sqlite.damaged-1-wal; the file is missing" in told and old in told
    found = first_of(path)
    assert (found.reason, found.predecessor, found.predecessor_head) == ("moved-aside", old, 4)


def test_what_its_write_ahead_log_held_is_offered_once_it_is_brought_as_was_told(path: Path) -> None:
    kept = {name: path.parent / f"kept{name}" for name in ("", "-wal")}
    with opened(path, gate=GATE) as journal:
        write_many(journal, 20)
        for name, copy in kept.items():  # as the power leaves them: nearly all of it in the write-ahead log
            shutil.copy(files.beside(path, name), copy)
        old = Memo(journal.log_id, journal.head().seq)
    lose(path)
    kept["-wal"].rename(files.beside(path, "-wal"))
    with opened(path, gate=GATE) as journal:
        told = re.search(
            r"put its file into (\S+) as (\S+), its -wal \(here as (\S+)\) as (\S+),", str(journal.recovered)
        )
    assert told is not None
    folder, name, wal, its_name = told.groups()
    kept[""].rename(Path(folder) / name)
    (path.parent / wal).rename(Path(folder) / its_name)
    with opened(path, gate=GATE) as journal:
        assert [Memo(each.log_id, each.head().seq) for each in journal.earlier()] == [old]


def test_a_first_log_goes_on_from_none(path: Path) -> None:
    with opened(path, gate=GATE) as journal:
        assert journal.recovered is None
    lose(path)
    path.with_name(NAME).unlink()
    assert first_of(path) == LogOpened(reason="new")


def test_a_journal_that_is_no_gates_leaves_nothing_behind(path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 3)
    assert not path.with_name(NAME).exists()
    with opened(path.with_name("other.sqlite"), gate=GATE):
        pass
    lose(path)
    assert first_of(path, gate="") == LogOpened(reason="new")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff" * 10, b'{"log_id": "../../x", "seq": 1}', b'{"log_id": "' + b"0" * 32 + b'", "seq": -1}', b" " * 5000],
)  # fmt: skip
def test_a_damaged_one_is_told_and_stops_nothing(path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path.with_name(NAME).write_bytes(content)
    assert first_of(path) == LogOpened(reason="new")
    assert "which log stood here last cannot be read" in caplog.text
    assert recall(path) is not None, "and is put down anew"


def test_a_folder_that_takes_no_file_is_told_and_stops_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.with_name(".last-log.json.new").mkdir()
    with opened(path, gate=GATE) as journal:
        write_many(journal, 3)
    assert "which log stands here cannot be put down" in caplog.text


def test_it_is_what_it_says_byte_for_byte(path: Path) -> None:
    with opened(path, gate=GATE) as journal:
        log_id = journal.log_id
    assert msgspec.json.decode(path.with_name(NAME).read_bytes()) == {"log_id": log_id, "seq": 1}
