"""A real gate and, in the office's place, a receiver that was written from docs/wire.md alone."""

import ast
import queue
import random
import signal
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from central.authority.folder import OFFICE
from menshen.demo.gate import GATE
from sync.contract.topics import Channel, topic
from sync.log.messages import Ack, Batch, Fork, Gone, Hello, decode, encode
from sync.log.records import GENESIS
from sync.log.view import Head
from tests.faults.rounds.kills import no_broker
from tests.independent_receiver import Receiver
from tests.installation import Installation
from tests.mosquitto import running_mosquitto
from tests.sync.test_broker_config import ONE, Party, Site
from tests.sync.test_wire_doc import HASHES, LOG, RECORDS

PROGRAM = Path(__file__).resolve().parents[1] / "independent_receiver.py"
ANSWER = msgspec.msgpack.Decoder(Ack | Fork)
pytestmark = [pytest.mark.skipif(bool(no_broker()), reason=no_broker()), pytest.mark.timeout(240)]


class Stranger:
    """The receiver as a process."""

    def __init__(self, folder: Path, port: int, *options: str, gate: str = GATE) -> None:
        self.file = folder / "log.sqlite"
        self._log = (folder / "receiver.log").open("ab")
        self._command = [sys.executable, str(PROGRAM), "--host", "127.0.0.1", "--port", str(port)]
        self._command += ["--gate", gate, "--file", str(self.file), *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stderr=self._log)

    def kill(self, how: int = signal.SIGKILL) -> None:
        assert self.process is not None and self.process.poll() is None, self.said()
        self.process.send_signal(how)
        self.process.wait(20)
        self.process = None

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        self._log.close()

    def said(self) -> str:
        return Path(self._log.name).read_text("utf-8")

    def held(self) -> tuple[list[Any], list[Any]]:
        """All its records, and its cursors, as they were at one moment."""
        if "listening" not in self.said():
            return [], []  # its file is being made
        with closing(sqlite3.connect(f"file:{self.file}?mode=rw", uri=True)) as database:
            database.execute("BEGIN")
            records = database.execute("SELECT seq, kind, body FROM records ORDER BY log_id, seq").fetchall()
            return records, database.execute("SELECT log_id, seq, hash FROM cursors").fetchall()

    def image(self) -> bytes:
        """Its file, when it was killed."""
        self.held()  # what was begun and not committed is undone by whoever opens the file next
        return self.file.read_bytes()

    def put_back(self, image: bytes) -> None:
        self.image()
        self.file.write_bytes(image)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path)
    installation.configure(visits=0)
    installation.start("broker")
    try:
        yield installation
    finally:
        installation.close()


@pytest.fixture
def stranger(site: Installation, tmp_path: Path) -> Iterator[Stranger]:
    with closing(Stranger(tmp_path, site.port)) as receiver:
        yield receiver


def in_journal(site: Installation) -> list[Any]:
    return site.ask_journal("SELECT seq, kind, body, hash FROM records ORDER BY seq")


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


def test_it_reads_a_real_gates_log_through_kills_of_both(site: Installation, stranger: Stranger) -> None:
    site.start("gate")  # nobody is there to hear it
    site.wait_until("it writes", site.journal.exists)
    stranger.start()
    site.wait_until("the log has come", lambda: _same(site, stranger))
    stranger.kill()
    site.kill("gate")
    site.start("gate")
    before = len(in_journal(site))
    stranger.start()
    site.wait_until("what came meanwhile is there, too", lambda: _same(site, stranger))
    assert len(in_journal(site)) >= before > 1
    site.wait_until("the gate knows", lambda: site.ask_journal("SELECT acked_seq FROM meta")[0][0] >= before)
    stranger.kill(signal.SIGTERM)
    said = {line for line in stranger.said().splitlines() if "listening" not in line}
    assert not said, "of the directory and the time it knows nothing, and says nothing"


def test_a_file_that_was_put_back_is_an_older_cursor_and_nothing_else(site: Installation, stranger: Stranger) -> None:
    site.start("gate")
    site.wait_until("it writes", site.journal.exists)
    stranger.start()
    site.wait_until("the log has come", lambda: _same(site, stranger))
    stranger.kill()
    image = stranger.image()
    site.kill("gate")
    site.start("gate")
    stranger.start()
    site.wait_until("more has come", lambda: _same(site, stranger))
    stranger.kill()
    stranger.put_back(image)
    stranger.start()
    site.wait_until("it comes again", lambda: _same(site, stranger))
    assert "ALARM" not in stranger.said()


def _same(site: Installation, stranger: Stranger) -> bool:
    """Every record of the journal, once, in order, and the chain's end is the same on both sides."""
    ours, (theirs, cursors) = in_journal(site), stranger.held()
    if not ours or [row[0] for row in ours] != [row[0] for row in theirs]:
        return False
    assert [row[:3] for row in ours] == theirs
    assert [cursor[1:] for cursor in cursors] == [(ours[-1][0], ours[-1][3])]
    return True


def test_it_comes_in_by_a_certificate_of_its_own(tmp_path: Path) -> None:
    """At the broker of config/mosquitto/, which lets nobody in without one and only the office's read `up` and write `down`."""
    office, batch = Site(tmp_path), encode(Batch.of(LOG, 0, GENESIS, RECORDS))
    own = office.shows(OFFICE)
    options = ("--ca", str(own.ca_file), "--cert", str(own.certificate_file), "--key", str(own.key_file))
    with (
        running_mosquitto(tmp_path, office.settings) as broker,
        closing(Stranger(tmp_path, office.office_port, *options, gate=ONE)) as stranger,
    ):
        stranger.start()
        gate = Party(broker.port, office.shows(ONE), ONE, topic(ONE, Channel.DOWN))
        try:
            assert _asked(gate, batch) == Ack(log_id=LOG, seq=3, hash=HASHES[-1]), stranger.said()
        finally:
            gate.link.stop()
        records, cursors = stranger.held()
        assert [row[0] for row in records] == [1, 2, 3] and cursors == [(LOG, 3, HASHES[-1])]


def _asked(gate: Party, message: bytes) -> Ack | Fork | None:
    """What is answered, once somebody listens."""
    for _ in range(100):
        gate.link.publish(topic(ONE, Channel.UP), message)
        with suppress(queue.Empty):
            return decode(gate.heard.get(timeout=0.1)[1], ANSWER)
    return None


def _answered(receiver: Receiver, message: msgspec.Struct) -> Ack | Fork | None:
    answer = receiver.answer(encode(message))
    return None if answer is None else decode(answer, ANSWER)


def test_a_record_that_was_changed_on_the_way_is_not_taken(tmp_path: Path) -> None:
    """Its header, which no body's hash vouches for; and its body."""
    receiver, whole = Receiver(str(tmp_path / "log.sqlite")), Batch.of(LOG, 0, GENESIS, RECORDS)
    for changed in (
        msgspec.structs.replace(RECORDS[1], at=1),
        msgspec.structs.replace(RECORDS[1], body=b"{}"),
        msgspec.structs.replace(RECORDS[1], salt=None),
        msgspec.structs.replace(RECORDS[1], seq=3),
    ):
        batch = msgspec.structs.replace(whole, records=(RECORDS[0], changed, RECORDS[2]))
        assert _answered(receiver, batch) is None
    assert _answered(receiver, Batch.of(LOG, 0, GENESIS, [RECORDS[0], RECORDS[2]])) is None, "a gap that is hashed, too"
    assert receiver.dropped == 5
    assert _answered(receiver, whole) == Ack(log_id=LOG, seq=3, hash=HASHES[-1])


def _packed(**changed: object) -> bytes:
    hello = {"t": "hello", "log_id": LOG, "oldest": 1, "head": 3, "head_hash": HASHES[-1]}
    return msgspec.msgpack.encode(hello | changed)


LONGER = len(_packed(more=bytes(2**16))) - 2**16  # all but `more` of a message with a long one


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        _packed(),
        zlib.compress(_packed())[:-1],
        zlib.compress(_packed()) + b"\0",
        zlib.compress(_packed() + b"\0"),
        zlib.compress(_packed(more=bytes(2**22))),
        zlib.compress(_packed(more=bytes(2**21 + 1 - LONGER))),
        zlib.compress(_packed(more=random.Random(1).randbytes(2**18))),
        zlib.compress(_packed()[:1] + b"\xa1x" + b"\x91" * 100_000),
        *(
            zlib.compress(_packed(**changed))
            for changed in (
                {"t": "gate"},
                {"log_id": LOG + "\n"},
                {"log_id": LOG.upper().replace("0", "A")},
                {"head": 3.0},
                {"head": True},
                {"head": 2**63},
                {"oldest": 0},
                {"oldest": 5},
                {"head": 0},
                {"head_hash": HASHES[-1][1:]},
                {"head_hash": HASHES[-1].hex()},
            )
        ),
    ],
    ids=lambda payload: payload[-6:].hex(),
)
def test_what_is_out_of_bounds_is_dropped_and_counted(tmp_path: Path, payload: bytes) -> None:
    receiver = Receiver(str(tmp_path / "log.sqlite"))
    assert receiver.answer(payload) is None and receiver.dropped == 1
    assert receiver.answer(zlib.compress(_packed(more=bytes(2**21 - LONGER)))), "unknown fields are passed over"
    assert receiver.answer(zlib.compress(_packed(t="have"))) is None and receiver.dropped == 1, "not served: no word"


def test_it_answers_by_the_table_of_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each row of "Rules for the office", one after the other, over one file."""
    receiver, other = Receiver(str(tmp_path / "log.sqlite")), bytes(31) + b"\1"
    start, second, end = Head(0, GENESIS), Head(2, HASHES[1]), Head(3, HASHES[2])

    def hello(head: int, its_hash: bytes) -> Hello:
        return Hello(log_id=LOG, oldest=1, head=head, head_hash=its_hash)

    def gone(after: int, upto: int, its_hash: bytes) -> Gone:
        return Gone(log_id=LOG, after=after, upto=upto, reason="trimmed", hash=its_hash)

    steps = (
        (hello(3, HASHES[2]), start, Ack),
        (Batch.of(LOG, 2, HASHES[1], RECORDS[2:]), start, Ack),
        (gone(0, 2, HASHES[1]), second, Ack),
        (gone(0, 2, HASHES[1]), second, Ack),
        (gone(0, 2, other), second, Fork),
        (Batch.of(LOG, 2, other, RECORDS[2:]), second, Fork),
        (Batch.of(LOG, 2, HASHES[1], RECORDS[2:]), end, Ack),
        (Batch.of(LOG, 0, GENESIS, RECORDS), end, Ack),
        (hello(3, other), end, Fork),
        (hello(2, other), end, Ack),
    )
    for message, cursor, kind in steps:
        assert _answered(receiver, message) == kind(log_id=LOG, seq=cursor.seq, hash=cursor.hash), message
    assert receiver.db.execute("SELECT * FROM missing").fetchall() == [(LOG, 1, 2, "trimmed")]
    assert receiver.db.execute("SELECT seq FROM records").fetchall() == [(3,)]
    assert sum("ALARM" in line for line in caplog.messages) == 4 and not receiver.dropped
