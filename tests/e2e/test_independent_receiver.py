"""A real gate and, in the office's place, a receiver that was written from docs/wire.md alone."""

import ast
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from menshen.demo.gate import GATE
from sync.log.messages import Batch, encode
from sync.log.records import GENESIS
from tests.faults.rounds.kills import no_broker
from tests.independent_receiver import LogFile, Receiver
from tests.installation import Installation
from tests.sync.test_wire_doc import HASHES, LOG, RECORDS

PROGRAM = Path(__file__).resolve().parents[1] / "independent_receiver.py"
pytestmark = [pytest.mark.skipif(bool(no_broker()), reason=no_broker()), pytest.mark.timeout(240)]


class Stranger:
    """The receiver as a process."""

    def __init__(self, folder: Path, port: int) -> None:
        self.file = folder / "log.jsonl"
        self._log = (folder / "receiver.log").open("ab")
        self._command = [sys.executable, str(PROGRAM), "--host", "127.0.0.1", "--port", str(port)]
        self._command += ["--gate", GATE, "--file", str(self.file)]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stderr=self._log)

    def kill(self, how: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(20)

    def said(self) -> str:
        return Path(self._log.name).read_text("utf-8")

    def records(self) -> list[dict[str, Any]]:
        """All it holds, in its order."""
        lines = self.file.read_bytes().splitlines(keepends=True) if self.file.exists() else []
        units = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return [record for unit in units for record in unit.get("records", ())]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path)
    installation.configure(visits=0)
    installation.start("broker")
    try:
        yield installation
    finally:
        installation.close()


def in_journal(site: Installation) -> list[tuple[int, str, bytes]]:
    return site.ask_journal("SELECT seq, kind, hash FROM records ORDER BY seq")


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(PROGRAM.read_text("utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    ours = {"sync", "gateway", "central", "drivers", "menshen", "tests"}
    assert not imported & ours
    assert imported - set(sys.stdlib_module_names) == {"msgspec", "paho"}


def test_it_reads_a_real_gates_log_through_kills_of_both(site: Installation, tmp_path: Path) -> None:
    stranger = Stranger(tmp_path, site.port)
    site.start("gate")  # nobody is there to hear it
    site.wait_until("it writes", site.journal.exists)
    stranger.start()
    try:
        site.wait_until("the log has come", lambda: _same(site, stranger))
        stranger.kill()
        site.kill("gate")
        site.start("gate")
        before = len(in_journal(site))
        stranger.start()
        site.wait_until("what came meanwhile is there, too", lambda: _same(site, stranger))
        assert len(in_journal(site)) >= before > 1
        site.wait_until("the gate knows", lambda: site.ask_journal("SELECT acked_seq FROM meta")[0][0] >= before)
        assert stranger.kill(signal.SIGTERM) == 0
        assert "ALARM" not in stranger.said()
        refused = [line for line in stranger.said().splitlines() if line.startswith("refused")]
        assert all("'have'" in line or "'when'" in line for line in refused), (
            "of the directory and the time it knows nothing"
        )
    finally:
        if stranger.process is not None and stranger.process.poll() is None:
            stranger.kill()


def test_a_file_that_was_put_back_is_an_older_cursor_and_nothing_else(site: Installation, tmp_path: Path) -> None:
    stranger = Stranger(tmp_path, site.port)
    site.start("gate")
    site.wait_until("it writes", site.journal.exists)
    stranger.start()
    try:
        site.wait_until("the log has come", lambda: _same(site, stranger))
        stranger.kill()
        image = stranger.file.read_bytes()
        site.kill("gate")
        site.start("gate")
        stranger.start()
        site.wait_until("more has come", lambda: _same(site, stranger))
        stranger.kill()
        stranger.file.write_bytes(image)
        stranger.start()
        site.wait_until("it comes again", lambda: _same(site, stranger))
        assert "ALARM" not in stranger.said()
    finally:
        if stranger.process is not None and stranger.process.poll() is None:
            stranger.kill()


def _same(site: Installation, stranger: Stranger) -> bool:
    """Every record of the journal, once, in order, and the chain's end is the same on both sides."""
    ours, theirs = in_journal(site), stranger.records()
    if [seq for seq, _, _ in ours] != [record["seq"] for record in theirs]:
        return False
    assert [kind for _, kind, _ in ours] == [record["kind"] for record in theirs]
    return bool(ours) and ours[-1][2].hex() == _end(stranger)


def _end(stranger: Stranger) -> str:
    return str(json.loads(stranger.file.read_bytes().splitlines()[-1])["hash"])


def test_a_record_that_was_changed_on_the_way_is_not_taken(tmp_path: Path) -> None:
    """Its header, which no body's hash vouches for."""
    log, said = LogFile(tmp_path / "log.jsonl"), list[str]()
    receiver = Receiver(log.cursors, log.store, said.append)
    whole = Batch.of(LOG, 0, GENESIS, RECORDS)
    changed = msgspec.structs.replace(
        whole, records=(RECORDS[0], msgspec.structs.replace(RECORDS[1], at=1), RECORDS[2])
    )
    assert receiver.answer(encode(changed)) is None and "refused" in said[0]
    assert receiver.answer(encode(whole)) is not None
    assert log.cursors == {LOG: (3, HASHES[-1])}
