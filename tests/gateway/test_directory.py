"""The directory's file: what is damaged is moved aside, what is out of reach is tried again, and nothing is thrown away."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.directory import Card, Directory, DirectoryFile, Holder
from gateway.errors import DirectoryDamaged, DirectoryError
from sync.contract.colours import PassType
from tests.small_disk import small_disk, stuff

UID = "000414CD7E"
PEOPLE = DirectoryFile(
    version=7,
    holders=(Holder(holder="h-1", pass_type=PassType.RESIDENT),),
    cards=(Card(uid=UID, holder="h-1"),),
)


class Heard(list[str | None]):
    """What the gate was told of a directory."""

    def last(self) -> str:
        """What is wrong now."""
        assert self[-1] is not None
        return self[-1]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.sqlite"


def holder(directory: Directory) -> str | None:
    known = directory.card(UID)
    return None if known is None else known.holder


def scribble(path: Path) -> None:
    """Garbage over the page that holds the cards; the file still opens."""
    with closing(sqlite3.connect(path)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'card'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def test_a_healthy_one_is_opened_and_nothing_is_told(path: Path, heard: Heard) -> None:
    Directory(path).replace(PEOPLE)
    directory = Directory(path, heard.append)
    directory.open()
    assert holder(directory) == "h-1"
    assert heard == [] and [each.name for each in path.parent.iterdir()] == [path.name]


def overwrite(path: Path) -> None:
    """No database at all."""
    path.write_bytes(b"no database at all" * 100)


@pytest.mark.parametrize("damage", [scribble, overwrite])
def test_a_damaged_one_is_moved_aside(path: Path, heard: Heard, damage: Callable[[Path], None]) -> None:
    Directory(path).replace(PEOPLE)
    damage(path)
    damaged = path.read_bytes()
    directory = Directory(path, heard.append)
    directory.open()
    aside = path.with_name(path.name + ".damaged-1")
    assert aside.read_bytes() == damaged and aside.name in heard.last() and "damaged" in heard.last()
    assert directory.version == 0 and len(heard) == 1  # nothing is as it was before it is loaded again
    Directory(path).replace(PEOPLE)
    assert holder(directory) == "h-1"
    assert heard[1:] == [None]


def test_a_damaged_one_is_moved_aside_with_all_its_files(path: Path, heard: Heard) -> None:
    Directory(path).replace(PEOPLE)
    with closing(sqlite3.connect(path)) as other:  # as an earlier version did it, and has it open
        other.execute("PRAGMA journal_mode = wal")
        with other:
            other.execute("DELETE FROM revoked")
            other.execute("INSERT INTO revoked (pass_id) VALUES ('0011223344556677')")
        scribble(path)
        files = {each.name.removeprefix(path.name) for each in path.parent.iterdir()}
        assert files == {"", "-wal", "-shm"}
        Directory(path, heard.append).open()
    assert {each.name for each in path.parent.iterdir()} >= {path.name + ".damaged-1" + part for part in files}
    assert not path.with_name(path.name + "-wal").exists()


def test_damage_found_by_a_look_up_is_told_and_the_next_start_moves_it_aside(path: Path, heard: Heard) -> None:
    Directory(path).replace(PEOPLE)
    directory = Directory(path, heard.append)
    directory.open()
    scribble(path)
    for _ in range(3):
        with pytest.raises(DirectoryError):
            directory.card(UID)
        with pytest.raises(DirectoryError):
            assert directory.version  # the page with the version is whole, and is not believed
    assert len(heard) == 1 and "damaged" in heard.last() and path.exists()
    Directory(path, heard.append).open()
    assert path.with_name(path.name + ".damaged-1").exists()


def test_one_out_of_reach_is_kept_told_and_tried_again(path: Path, heard: Heard) -> None:
    Directory(path).replace(PEOPLE)
    away = path.with_name("away")
    path.rename(away)
    path.mkdir()  # cannot be opened
    directory = Directory(path, heard.append)
    directory.open()
    for _ in range(3):
        with pytest.raises(DirectoryError, match="unable to open"):
            directory.card(UID)
    assert len(heard) == 1 and "unable to open" in heard.last()
    path.rmdir()
    away.rename(path)
    assert holder(directory) == "h-1"
    assert heard[1:] == [None] and [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_connection_that_failed_is_opened_anew(path: Path, heard: Heard) -> None:
    Directory(path).replace(PEOPLE)
    directory = Directory(path, heard.append)
    assert holder(directory) == "h-1"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE card RENAME TO cards")
    with pytest.raises(DirectoryError, match="no such table"):
        directory.card(UID)
    Directory(path).replace(PEOPLE)
    assert holder(directory) == "h-1"
    assert len(heard) == 2 and heard[-1] is None


def test_who_loads_into_a_damaged_one_is_told(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(DirectoryDamaged, match="not a usable directory"):
        Directory(path).replace(PEOPLE)


def test_who_loads_into_one_out_of_reach_is_told_that_and_nothing_of_damage(path: Path) -> None:
    path.mkdir()
    with pytest.raises(DirectoryError, match="could not be replaced") as caught:
        Directory(path).replace(PEOPLE)
    assert not isinstance(caught.value, DirectoryDamaged)


def test_a_large_load_shuts_no_reader_out(path: Path) -> None:
    def many() -> Iterator[Holder]:
        for number in range(60_000):
            if number == 59_999:
                assert holder(directory) == "h-1"  # in the middle of it
            yield Holder(holder=f"h-{number:038}", pass_type=PassType.RESIDENT)

    directory = Directory(path)
    directory.replace(PEOPLE)
    directory._connection().execute("PRAGMA busy_timeout = 0")
    Directory(path).replace(Lazy(version=8, holders=many()))  # type: ignore[arg-type]  # stands in
    assert directory.version == 8


class Lazy:
    """A directory file whose holders come one by one."""

    def __init__(self, version: int, holders: Iterator[Holder]) -> None:
        self.version, self.issued_s, self.holders = version, 0, holders
        self.cards, self.codes, self.revoked = PEOPLE.cards, PEOPLE.codes, PEOPLE.revoked


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small filesystem."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        yield disk


def test_on_a_full_disk_people_still_come_in(disk: Path, heard: Heard) -> None:
    path = disk / "directory.sqlite"
    Directory(path).replace(PEOPLE)
    stuff(disk)
    directory = Directory(path, heard.append)
    directory.open()
    assert holder(directory) == "h-1" and heard == []


@pytest.mark.parametrize("loaded", [False, True])
def test_on_a_full_disk_what_cannot_be_opened_is_kept_and_tried_again(disk: Path, heard: Heard, loaded: bool) -> None:
    path = disk / "directory.sqlite"
    if loaded:
        Directory(path).replace(PEOPLE)
        with closing(sqlite3.connect(path)) as connection:  # as an earlier version left it
            connection.execute("PRAGMA journal_mode = wal")
    filler = stuff(disk)
    directory = Directory(path, heard.append)
    directory.open()
    with pytest.raises(DirectoryError):
        directory.card(UID)
    assert len(heard) == 1 and not list(disk.glob("*.damaged*"))
    filler.unlink()
    assert holder(directory) == ("h-1" if loaded else None)
    assert heard[1:] == [None]
