"""The power is cut at every commit of a random day that is written by the real journal: the core and its journal are back
where they were."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.core.checkpoint import Checkpoint
from gateway.core.effects import StateChange
from gateway.journal import Journal
from sync.contract.records import Body, Passage, encode_body
from tests.gateway.core.acting import Gate
from tests.gateway.core.crowd import a_day
from tests.gateway.journaling import opened, write

STEPS = 60


class Cut(NamedTuple):
    """The files as a power cut would leave them after a commit, and what was on record then."""

    files: Path
    body: Body
    state: dict[str, bytes]
    log_bytes: int


class OnDisk(Gate):
    """A gate whose journal is on disk. Its files are copied after every commit."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = folder / "journal.sqlite"
        self.journal = opened(self.path)
        self.cuts: list[Cut] = []
        self.copies = folder / "cuts"
        super().__init__(state=self.journal.state, seed=seed)

    def _commit(self, body: Body, changes: Iterable[StateChange]) -> None:
        changes = tuple(changes)
        super()._commit(body, changes)
        write(self.journal, body, self.now, changes)
        files = self.copies / str(len(self.cuts))
        files.mkdir(parents=True)
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.path}{suffix}", files)
        log_bytes = (files / "journal.sqlite-wal").stat().st_size
        self.cuts.append(Cut(files, body, self.durable, log_bytes))


def last_body(journal: Journal) -> bytes | None:
    """The body of the newest record."""
    return journal.read(journal.head().seq - 1, 1, 1)[0].body


@pytest.fixture
def gate(tmp_path: Path) -> Iterable[OnDisk]:
    gate = OnDisk(tmp_path, seed=3)
    a_day(gate, 3, STEPS)
    yield gate
    gate.journal.close()


def test_what_is_restarted_is_what_was(gate: OnDisk) -> None:
    assert len(gate.cuts) > STEPS // 2
    assert len({tuple(sorted(cut.state.items())) for cut in gate.cuts}) > 10
    for number, cut in enumerate(gate.cuts):
        with opened(cut.files / "journal.sqlite") as journal:
            assert journal.recovered is None
            assert journal.state == cut.state
            assert journal.head().seq == number + 2  # the opening, and all up to this one
            assert last_body(journal) == encode_body(cut.body)
            core = Checkpoint(gate.policy, ids=gate.new_id, state=journal.state)
            assert core.durable() == cut.state
            if isinstance(cut.body, Passage):
                assert core.status().inside == cut.body.inside
            if number % 10 == 0:
                journal.verify()


def test_a_commit_that_did_not_reach_the_disk_whole_never_was(gate: OnDisk) -> None:
    torn = 0
    for before, cut in zip(gate.cuts, gate.cuts[1:], strict=False):
        if cut.log_bytes <= before.log_bytes:
            continue
        wal = cut.files / "journal.sqlite-wal"
        with wal.open("r+b") as file:
            file.truncate(before.log_bytes + (cut.log_bytes - before.log_bytes) // 2)
        with opened(cut.files / "journal.sqlite") as journal:
            assert journal.recovered is None
            assert journal.state == before.state
            assert last_body(journal) == encode_body(before.body)
        torn += 1
    assert torn > STEPS // 2
