"""The ingest: its queue and thread over a real database, and the whole process against a real broker, killed at random."""

import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import paho.mqtt.client as paho
import pytest
from django.db import connection, connections, transaction
from django.db.backends.signals import connection_created
from paho.mqtt.enums import CallbackAPIVersion

from central.ingest import process
from central.ingest.models import Record
from central.ingest.process import QUEUE, Ingest
from central.ingest.reading import Arrived, Incoming, read
from central.ingest.refusals import Refusals
from central.ingest.writer import Answer, Writer
from sync.contract.office_time import When
from sync.contract.topics import Channel, topic
from sync.log.keyed import NOTHING
from sync.log.messages import deflate, encode
from sync.log.parts import Have
from sync.log.sender import decode_downward
from tests.central.ingest.processes import WAIT_S, Gate, running_server
from tests.central.ingest.sending import (
    NORTH,
    ack,
    as_json,
    batch,
    hashes,
    raw,
    refuse_no_more,
    refuse_record,
    visits,
)
from tests.central.ingest.test_reading import ALARM_MESSAGE

UP, ALARM, STATE = (topic(NORTH, channel) for channel in (Channel.UP, Channel.ALARM, Channel.STATE))


class Watched(Writer):
    """The writer, and what was asked of it."""

    def __init__(self, changed: threading.Condition) -> None:
        super().__init__(Refusals(), admit=True)
        self._changed = changed
        self.asked: list[list[type]] = []
        self.failed: list[Exception] = []

    def write(self, incoming: Sequence[Incoming]) -> list[Answer]:
        with self._changed:
            self.asked.append([type(item.message) for item in incoming])
        try:
            return super().write(incoming)
        except Exception as error:
            with self._changed:
                self.failed.append(error)
                self._changed.notify_all()
            raise


class Office:
    """An ingest without a broker."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.writer = Watched(self.changed)
        self.refusals = Refusals()
        self.answers: list[tuple[str, object]] = []
        self.ingest = Ingest(self.writer, self.refusals, self._send)

    def _send(self, name: str, payload: bytes) -> None:
        with self.changed:
            self.answers.append((name, decode_downward(payload)))
            self.changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds."""
        with self.changed:
            assert self.changed.wait_for(condition, WAIT_S), f"answers {self.answers}, failures {self.writer.failed}"


@pytest.fixture
def office(database: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """One that gives up waiting for a locked database at once, and is ended at the end."""
    soon = {"sqlite": ("timeout", 0.1), "postgresql": ("options", "-c lock_timeout=100ms")}
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], *soon[database])
    monkeypatch.setattr(process, "RETRY_S", 0.05)
    office = Office()
    yield office
    if office.ingest.running:
        office.ingest.stop()


def down(gate: str = NORTH) -> str:
    """Where a gate is told."""
    return topic(gate, Channel.DOWN)


def test_what_waits_is_written_together_alarms_first_and_then_answered(office: Office) -> None:
    records = visits(1, 4)
    digests = hashes(records)
    office.ingest.offer(UP, encode(batch(*records[:2])))
    office.ingest.offer(UP, encode(batch(*records[2:], previous=digests[1])))
    office.ingest.offer(ALARM, as_json(ALARM_MESSAGE))
    office.ingest.start()
    office.until(lambda: bool(office.answers))
    assert office.answers == [(down(), ack(4, digests[3]))], "the last one says it all"
    assert [[kind.__name__ for kind in kinds] for kinds in office.writer.asked] == [["AlarmMessage", "Batch", "Batch"]]
    assert Record.objects.count() == 4


def test_of_what_inflates_to_much_little_is_read_ahead(office: Office) -> None:
    large = encode(batch(*[raw("note", b'{"x": "' + 60_000 * b"a" + b'"}', seq) for seq in range(1, 21)]))
    assert len(large) < 20_000
    for number in range(6):
        office.ingest.offer(topic(f"gate-{number}", Channel.UP), large)
    office.ingest.start()
    office.until(lambda: len(office.answers) == 6)
    assert [len(kinds) for kinds in office.writer.asked] == [2, 2, 2], "two are more than READ_BYTES"


def test_one_poisoned_message_does_not_stop_the_others(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    refuse_record(2)
    try:
        for gate, last in ((NORTH, 1), ("evil-gate", 2), ("south-gate", 1)):
            office.ingest.offer(topic(gate, Channel.UP), encode(batch(*visits(1, last))))
        office.ingest.start()
        office.until(lambda: len(office.answers) == 2)
        office.ingest.stop()
    finally:
        refuse_no_more()
    digest = hashes(visits(1, 1))[0]
    assert office.answers == [(down(), ack(1, digest)), (down("south-gate"), ack(1, digest))]
    assert office.refusals.counts == {"evil-gate": 1}
    refusal = "gate evil-gate: 1 message(s) refused; the last: it could not be written: IntegrityError('refused"
    assert refusal in caplog.text
    assert set(Record.objects.values_list("log__gate", flat=True)) == {NORTH, "south-gate"}


def test_what_only_a_service_answers_is_dropped_without_a_word_where_there_is_none(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.ingest.offer(UP, encode(When(nonce=bytes(16))))
    office.ingest.offer(UP, encode(Have(site="north", seen=NOTHING, title=b"", whole=False, staged=None, room=1)))
    office.ingest.offer(UP, deflate(msgspec.msgpack.encode({"t": "whence"})))
    office.ingest.offer(topic("south-gate", Channel.UP), encode(batch(*visits(1, 1))))
    office.ingest.start()
    office.until(lambda: bool(office.answers))
    office.ingest.stop()
    assert office.refusals.counts == {NORTH: 1}
    assert "'whence'" in caplog.text
    assert "'when'" not in caplog.text
    assert "'have'" not in caplog.text


def test_a_fault_of_ours_in_reading_does_not_stop_the_others(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real = read

    def faulty(arrived: Arrived) -> Incoming:
        if arrived.gate == "evil-gate":
            raise ZeroDivisionError
        return real(arrived)

    monkeypatch.setattr(process, "read", faulty)
    for gate in ("evil-gate", NORTH):
        office.ingest.offer(topic(gate, Channel.UP), encode(batch(*visits(1, 1))))
    office.ingest.start()
    office.until(lambda: len(office.answers) == 1)
    assert office.refusals.counts == {"evil-gate": 1}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log was told of the database."""
    return [record.getMessage() for record in caplog.records if "the database" in record.getMessage()]


@contextmanager
def locked(database: str) -> Iterator[None]:
    """Somebody else has the database, or the table, to himself."""
    if database == "postgresql":
        with transaction.atomic():
            connection.cursor().execute("LOCK TABLE ingest_record IN ACCESS EXCLUSIVE MODE")
            yield
        return
    with closing(sqlite3.connect(connections.settings["default"]["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_while_the_database_is_locked_nothing_is_acknowledged_and_then_it_goes_on(
    office: Office, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    payload = encode(batch(*visits(1, 1)))
    with locked(database):
        office.ingest.start()
        for attempts in (1, 2, 3):
            office.ingest.offer(UP, payload)
            office.until(lambda: len(office.writer.failed) == attempts)  # noqa: B023  called before the loop goes on
        assert office.answers == []
    office.ingest.offer(UP, payload)
    office.until(lambda: office.answers == [(down(), ack(1, hashes(visits(1, 1))[0]))])
    refused, again = lines(caplog)
    told = {"sqlite": "database is locked", "postgresql": "canceling statement due to lock timeout"}
    assert refused.startswith(f"the database cannot be written, nothing is acknowledged: {told[database]}")
    assert again == "the database is written again"


def test_while_the_disk_is_full_nothing_is_acknowledged_and_then_it_goes_on(
    office: Office, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    if database != "sqlite":
        pytest.skip("its disk cannot be limited from here")
    full = threading.Event()
    full.set()

    def limit(connection: object, **_: object) -> None:
        if full.is_set() and threading.current_thread().name == "ingest-writer":
            with connections["default"].cursor() as cursor:
                cursor.execute("PRAGMA max_page_count = 1")  # it becomes what the file has now

    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that earlier tests have left in the file are room, however few it may grow to
    records = [raw("note", b'{"x": "' + 40_000 * b"a" + b'"}', seq) for seq in range(1, 41)]  # more than is free
    payload = encode(batch(*records))
    connection_created.connect(limit)
    try:
        office.ingest.start()
        office.ingest.offer(UP, payload)
        office.until(lambda: len(office.writer.failed) == 1)
        assert (office.answers, Record.objects.count()) == ([], 0)
        full.clear()
        office.ingest.offer(UP, payload)
        office.until(lambda: office.answers == [(down(), ack(40, hashes(records)[-1]))])
    finally:
        connection_created.disconnect(limit)
    assert lines(caplog) == [
        "the database cannot be written, nothing is acknowledged: database or disk is full",
        "the database is written again",
    ]
    assert Record.objects.count() == 40


def test_what_is_no_gates_message_is_ignored_and_what_is_too_large_is_counted(office: Office) -> None:
    for name in (
        down(),
        topic(NORTH, Channel.CMD),
        "menshen/1/UPPER/up",
        "menshen/1/a/b/up",
        "",
        "$SYS/x",
        "menshen/2/a/up",
    ):
        office.ingest.offer(name, b"anything")
    assert office.refusals.total == 0
    office.ingest.offer(UP, bytes(50 * 1024 * 1024))
    assert office.refusals.counts == {NORTH: 1}


def test_what_does_not_fit_into_the_queue_is_counted(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(QUEUE + 3):
        office.ingest.offer(ALARM, b"{}")
    assert office.refusals.counts == {NORTH: 3}
    assert "more on `alarm` than can be written; the next state lists it while it is open" in caplog.text
    assert "sends them again" not in caplog.text


def test_a_flood_leaves_room_for_what_is_more_urgent(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    for channel in (Channel.UP, Channel.STATE):
        for _ in range(QUEUE + 1):
            office.ingest.offer(topic("loud-gate", channel), b"{}")
        dropped = office.refusals.total
        office.ingest.offer(STATE if channel is Channel.UP else ALARM, as_json(ALARM_MESSAGE))
        assert (dropped > 0, office.refusals.total) == (True, dropped)
    assert "more on `up` than can be written; the gate sends them again" in caplog.text
    office.ingest.start()
    office.until(lambda: ["AlarmMessage"] in [[kind.__name__ for kind in kinds] for kinds in office.writer.asked])


# the whole process


def test_an_ingest_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    moments = random.Random()
    with running_server(tmp_path) as (server, broker), Gate(broker).on_the_road() as gate:
        for round_number in range(6):
            gate.append(*(b'{"round":%d,"number":%d}' % (round_number, number) for number in range(400)))
            goal = gate.acked_often + moments.randrange(1, 5)
            gate.run_until(lambda: gate.acked_often >= goal or gate.has_brought_everything())  # noqa: B023  called at once
            moment_s = time.monotonic() + moments.random() * 0.03
            gate.run_until(lambda: time.monotonic() >= moment_s)  # noqa: B023  called at once
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
            server.start()
        gate.append(b'{"last":true}')  # so that the last one to be started has something to take
        gate.run_until(gate.has_brought_everything)
        gate.run_until(lambda: not server.spooled())
        assert server.end(signal.SIGTERM) == 0
        bodies = [record.body for record in gate.log.records]
        expected = list(zip(range(1, len(bodies) + 1), gate.log.hashes, bodies, strict=True))
        assert server.stored() == expected


def test_whatever_strangers_send_gates_are_served(tmp_path: Path) -> None:
    with running_server(tmp_path) as (server, broker), Gate(broker).on_the_road() as gate:
        gate.append(b"{}")
        gate.run_until(gate.has_brought_everything)
        stranger = paho.Client(CallbackAPIVersion.VERSION2, client_id="stranger")
        stranger.connect(broker.host, broker.port)
        stranger.loop_start()
        noise = random.Random(1)
        sent = [
            stranger.publish(f"menshen/1/evil-{channel}/{channel}", payload, qos=1)
            for channel in ("up", "alarm", "state")
            for payload in [noise.randbytes(1000) for _ in range(20)]
        ]
        sent.append(stranger.publish("menshen/1/evil-up/up", bytes(50 * 1024 * 1024), qos=1))
        for one in sent:
            one.wait_for_publish(WAIT_S)
        gate.append(*(b'{"after":%d}' % number for number in range(50)))
        gate.run_until(gate.has_brought_everything)
        stranger.disconnect()
        stranger.loop_stop()
        assert server.end(signal.SIGTERM) == 0
    log = server.log.read_text("utf-8")
    for channel in ("up", "alarm", "state"):
        assert log.count(f"gate evil-{channel}: 1 message(s) refused") == 1, "once a minute"
        assert log.count(f"gate evil-{channel}:") == 1
    assert "52428800 bytes" in log
    assert "Traceback" not in log
    assert len(server.stored()) == 51
