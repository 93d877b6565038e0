"""The power goes while a journal is written; disks that refuse: a few seeded rounds, and that the careless are found out."""

import random
from pathlib import Path

import pytest

from gateway.journal import Journal
from tests.faults.rounds.disks import KINDS, no_strace
from tests.faults.rounds.power import Disk, Step
from tests.gateway.test_room import BOOT, NOW

KIND = {kind.name: kind for kind in KINDS}
needs_strace = pytest.mark.skipif(bool(no_strace()), reason=no_strace() or "strace")


@needs_strace
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_was_promised_survives_a_power_cut_at_any_moment(seed: int, tmp_path: Path) -> None:
    found = KIND["power-cut"].play(random.Random(seed), tmp_path)
    assert found.records > 50
    assert found.sound, found


@needs_strace
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["power-cut", "flush-fails", "no-room-to-write"])
def test_the_careless_are_found_out(name: str, tmp_path: Path) -> None:
    kind = KIND[name]
    rounds = (kind.control(random.Random(seed), tmp_path / str(seed)) for seed in range(kind.control_rounds))
    assert any(found.lost for found in rounds)


@needs_strace
@pytest.mark.parametrize("name", ["flush-fails", "no-room-to-write"])
def test_what_a_disk_refused_was_never_promised(name: str, tmp_path: Path) -> None:
    found = KIND[name].play(random.Random(0), tmp_path)
    assert found.sound, found


def test_a_power_cut_while_the_very_first_log_is_made_leaves_a_gate_that_starts(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite.new").write_bytes(bytes(4096))
    (tmp_path / "journal.sqlite.new-journal").write_bytes(
        b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504) + bytes(4104)
    )
    journal = Journal.open(tmp_path / "journal.sqlite", boot=BOOT, now=NOW)
    assert journal.head().seq == 1
    journal.close()
    assert sorted(path.name for path in tmp_path.glob("*.new*")) == []


def test_what_was_flushed_is_there_and_of_the_rest_some(tmp_path: Path) -> None:
    disk = Disk(Path("/d"))
    for step in (Step("write", "/d/a", b"x" * 1024, 0), Step("flush", "/d/a"), Step("write", "/d/a", b"y" * 1024, 0)):
        disk.take(step)
    left = set()
    for seed in range(40):
        disk.after_a_cut(tmp_path, random.Random(seed))
        left.add((tmp_path / "a").read_bytes())
    assert {b"x" * 1024, b"y" * 1024, b"y" * 512 + b"x" * 512} == left
