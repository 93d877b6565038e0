"""A gate's card is copied, and both run: on two machines the office finds it out, whichever was there first; and it has every record
of each."""

import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from menshen.demo.processes import Child
from tests.faults.conftest import CALM
from tests.installation import Installation

# The gate itself; only which boot the kernel says it is is ours.
MACHINE = """
from gateway import parts
from menshen.cli import main
parts.boot_id = lambda: bytes([{boot}]) * 16
main()
"""
HEADS = "SELECT log_id, count(*), max(seq), (SELECT acked_seq FROM meta) FROM records, meta GROUP BY log_id"
AT_OFFICE = (
    "SELECT l.log_id, count(*), max(r.seq) FROM ingest_record r JOIN ingest_log l ON l.id = r.log_id GROUP BY l.log_id"
)
OWN = "SELECT detail FROM alarms_alarm WHERE kind = 'cloned-gate' AND origin = 'office'"


class Machines:
    """An installation whose gate ran alone as boot 1; its card, copied, in a second one."""

    def __init__(self, day: Installation, folder: Path) -> None:
        self.day, self.folder = day, folder
        self._arguments = day.gate[3:]
        self._cards = {"original": folder / "gate", "copy": folder / "copy"}
        day.configure(visits=None)
        self.put_in("original", boot=1)
        for name in ("broker", "ingest", "gate"):
            day.start(name)
        day.hear_until("ready")
        day.wait_until_told()
        day.stop("gate")
        shutil.copytree(self._cards["original"], self._cards["copy"])
        config = day.config.read_text("utf-8").replace(str(self._cards["original"]), str(self._cards["copy"]))
        (folder / "copy.toml").write_text(config, "utf-8")

    def put_in(self, card: str, *, boot: int) -> Sequence[str]:
        """The command of a machine with this card, which is what the installation calls its gate."""
        files = {str(self.day.config): str(self.folder / "copy.toml")} if card == "copy" else {}
        command = [
            sys.executable,
            "-c",
            MACHINE.format(boot=boot),
            *(files.get(each, each) for each in self._arguments),
        ]
        self.day.gate = command
        self.day.journal = self._cards[card] / "journal.sqlite"
        return command

    def told(self, card: str) -> tuple[str, int, int]:
        """Its log, how many records it holds, and the last one's number; all of them acknowledged."""
        with closing(sqlite3.connect(self._cards[card] / "journal.sqlite")) as journal:
            ((log, count, head, acked),) = journal.execute(HEADS).fetchall()
        assert head == acked, card
        return log, count, head


@pytest.mark.parametrize("first", ["original", "copy"])
def test_on_two_machines_it_is_an_alarm_and_no_record_of_either_is_lost(
    install: Callable[..., Installation], tmp_path: Path, first: str
) -> None:
    day = install(scenario=CALM)
    machines = Machines(day, tmp_path)
    second = "copy" if first == "original" else "original"
    machines.put_in(first, boot=2)
    day.start("gate")
    day.hear_until("ready")
    day.wait_until_told()
    other = Child("other", machines.put_in(second, boot=3), tmp_path / "other.log", pipe=True)
    reading = threading.Thread(target=lambda: list(other.process.stdout or ()), daemon=True)
    reading.start()
    try:
        day.wait_until("the office knows that there are two", lambda: bool(day.ask_office(OWN)))
    finally:
        other.stop()
        reading.join()
    assert day.ask_office(OWN) == [(f"{'02' * 4} / {'03' * 4}",)]

    # one is taken away, and then runs alone
    machines.put_in(first, boot=2)
    day.wait_until_told()
    day.stop("gate")
    machines.put_in(second, boot=4)
    day.start("gate")
    day.hear_until("ready")
    day.wait_until_told()
    day.stop("gate")
    logs = [machines.told(card) for card in ("original", "copy")]
    assert len({log for log, _, _ in logs}) == 2, "each goes on in a log of its own"
    assert set(day.ask_office(AT_OFFICE)) >= set(logs)
