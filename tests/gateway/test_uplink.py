"""The gate's end of the road: a real journal, a real mosquitto, and an office that keeps what it takes."""

import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path

import msgspec
import pytest

from gateway import uplink
from gateway.clock import Clock
from gateway.core.events import Heard
from gateway.core.moment import Moment
from gateway.hearing import Hearing
from gateway.journal import Head, Journal, JournalError
from gateway.journal.earlier import Aside
from gateway.journal.journal import MAX_BODY
from gateway.uplink import Uplink
from sync import mqtt
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, DeviceReport, StateMessage
from sync.contract.topics import Channel, topic
from sync.log import records, sender
from sync.log.messages import Fork, encode
from sync.log.records import Record
from sync.mqtt import MqttLink
from tests.gateway.journaling import BOOT, DAY_MS, NOW, body, everything, opened, write, write_many
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.proxy import Proxy
from tests.sync.road import Office

WAIT_S = 20.0
GATE = "north-1"
ALARM = Alarm(id="0" * 32, kind=AlarmKind.DOOR_FORCED, portal="north", since_ms=NOW.at_ms)


class Central:
    """The office's end: answers what comes up, and lets a test wait."""

    def __init__(self, port: int) -> None:
        self.office = Office()
        self.states: queue.Queue[StateMessage] = queue.Queue()
        self.alarms: queue.Queue[AlarmMessage] = queue.Queue()
        self.deaf = False
        self._changed = threading.Condition()
        self._up = threading.Event()
        self.link = MqttLink("127.0.0.1", port, client_id="office", connected=self._up.set)
        self.link.subscribe(topic(GATE, Channel.UP), self._on_up)
        self.link.subscribe(topic(GATE, Channel.STATE), lambda _topic, payload: self._put_state(payload))
        self.link.subscribe(topic(GATE, Channel.ALARM), lambda _topic, payload: self._put_alarm(payload))
        self.link.start()
        assert self._up.wait(WAIT_S)

    def _on_up(self, _topic: str, payload: bytes) -> None:
        if self.deaf:
            return
        with self._changed:
            answer = self.office.take(payload)
            self._changed.notify_all()
        self.link.publish(topic(GATE, Channel.DOWN), answer)

    def _put_state(self, payload: bytes) -> None:
        self.states.put(msgspec.json.decode(payload, type=StateMessage))

    def _put_alarm(self, payload: bytes) -> None:
        self.alarms.put(msgspec.json.decode(payload, type=AlarmMessage))

    def until_it_has(self, journal: Journal) -> None:
        """Wait until the office holds the whole log, once."""

        def whole() -> bool:
            kept = self.office.logs.get(journal.log_id)
            return kept is not None and kept.cursor == journal.head()

        with self._changed:
            assert self._changed.wait_for(whole, WAIT_S), "the office never had everything"
        self.office.check()
        assert [r.body for r in self.office.logs[journal.log_id].records] == [r.body for r in everything(journal)]


class Station:
    """A gate's journal, uplink and link."""

    def __init__(self, port: int, journal: Journal, log: object | None = None, keepalive_s: int = 15) -> None:
        self.journal = journal
        self.online = threading.Event()
        self.replaced: list[str] = []
        self.devices = (DeviceReport(name="lamp", state="ok"),)
        self.clock = Clock()
        self.heard: queue.Queue[Heard] = queue.Queue()
        self.hearing = Hearing("office", 400, now_ms=self.clock.mono_ms, post=self.heard.put)
        self.uplink = Uplink(
            GATE,
            log or journal,  # type: ignore[arg-type]  # a journal, or something that fails like one
            status=self._status,
            now_ms=self.clock.mono_ms,
            replace_log=self._replace,
            boot=BOOT,
            hearing=self.hearing,
        )
        self.link = MqttLink(
            "127.0.0.1",
            port,
            client_id=GATE,
            will=self.uplink.will,
            connected=self._connected,
            disconnected=self._disconnected,
            keepalive_s=keepalive_s,
        )
        self.link.subscribe(self.uplink.down_topic, self.uplink.received)
        journal.subscribe(self.uplink.appended)

    def start(self) -> "Station":
        """Start, and wait until it is online."""
        self.uplink.start(self.link)
        self.link.start()
        assert self.online.wait(WAIT_S)
        return self

    def stop(self) -> None:
        """As the gate does."""
        self.uplink.stop()
        self.link.stop()

    def _status(self, connection: int) -> StateMessage:
        return StateMessage(
            online=True, boot=BOOT.hex(), connection=connection, head=self.journal.head().seq, devices=self.devices
        )

    def _replace(self, reason: str, held: Head | None) -> None:
        self.journal.replace_log(reason, held=held)
        self.replaced.append(reason)

    def _connected(self) -> None:
        self.hearing.opened()
        self.uplink.connected()
        self.online.set()

    def _disconnected(self) -> None:
        self.online.clear()
        self.hearing.lost()
        self.uplink.disconnected()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PAUSE_S", (0.02, 0.2))
    monkeypatch.setattr(mqtt, "STOP_S", 1.0)
    monkeypatch.setattr(sender, "PATIENCE_MS", (300, 1_000))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path) as started:
        yield started


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened_here:
        yield opened_here


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with opened(tmp_path / "journal.sqlite") as made:
        yield made


@pytest.fixture
def central(broker: Mosquitto, stack: ExitStack) -> Central:
    made = Central(broker.port)
    stack.callback(made.link.stop)
    return made


@pytest.fixture
def station(broker: Mosquitto, journal: Journal, stack: ExitStack) -> Callable[..., Station]:
    def make(port: int = broker.port, **options: object) -> Station:
        made = Station(port, journal, **options)  # type: ignore[arg-type]  # handed on as they are
        stack.callback(made.stop)
        return made.start()

    return make


def state_where(central: Central, **values: object) -> StateMessage:
    """The next state with these values."""
    while True:
        state = central.states.get(timeout=WAIT_S)
        if all(getattr(state, name) == value for name, value in values.items()):
            return state


def until(condition: Callable[[], bool], journal: Journal) -> None:
    """Wait until it holds, looking again at every commit of the journal, and now and then: what follows from a commit may be done
    a moment after it was told."""
    changed = threading.Condition()

    def tell() -> None:
        with changed:
            changed.notify_all()

    journal.subscribe(tell)
    deadline = time.monotonic() + WAIT_S
    with changed:
        while not condition():
            assert time.monotonic() < deadline
            changed.wait(0.2)


def test_everything_reaches_the_office(central: Central, journal: Journal, station: Callable[..., Station]) -> None:
    write_many(journal, 500)
    station()
    central.until_it_has(journal)
    for number in range(20):
        write(journal, body(number))
    central.until_it_has(journal)
    until(lambda: journal.acked == journal.head(), journal)
    assert len(central.office.logs) == 1


def test_state_and_will_bear_the_number_of_their_connection(
    broker: Mosquitto, central: Central, journal: Journal, station: Callable[..., Station]
) -> None:
    proxy = Proxy(broker.port)
    station(proxy.port)
    first = state_where(central, online=True)
    proxy.cut()
    will = state_where(central, online=False)
    assert will == StateMessage(online=False, boot=BOOT.hex(), connection=first.connection)
    second = state_where(central, online=True)
    assert second.connection > first.connection
    proxy.close()


def test_connections_go_on_rising_where_an_older_journal_was_put_back(
    broker: Mosquitto, central: Central, journal: Journal, tmp_path: Path
) -> None:
    shutil.copy(tmp_path / "journal.sqlite", tmp_path / "put-back.sqlite")
    for _ in range(3):  # each start of the program under the same boot
        Station(broker.port, journal).start().stop()
    last = max(central.states.get(timeout=WAIT_S).connection for _ in range(6))
    with opened(tmp_path / "put-back.sqlite") as older:
        again = Station(broker.port, older).start()
        assert state_where(central, online=True).connection > last
        again.stop()


def test_the_goodbye_arrives_before_the_link_ends(central: Central, station: Callable[..., Station]) -> None:
    gate = station()
    number = state_where(central, online=True).connection
    gate.stop()
    goodbye = state_where(central, online=False)
    assert goodbye.connection == number
    assert goodbye.head == 1  # the goodbye, and not the will, which says nothing more


def test_changes_of_state_become_few_messages(central: Central, station: Callable[..., Station]) -> None:
    gate = station()
    state_where(central, online=True)
    for _ in range(50):
        gate.uplink.state_changed()
    state_where(central, online=True)
    gate.stop()
    state_where(central, online=False)
    assert central.states.qsize() == 0


class NarrowLink:
    """A link whose broker confirms what it is told to."""

    def __init__(self) -> None:
        self.states: queue.Queue[tuple[StateMessage, Callable[[], None]]] = queue.Queue()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, confirmed: Callable[[], None] | None = None
    ) -> bool:
        """Keep the states."""
        if retain:
            assert confirmed is not None
            self.states.put((msgspec.json.decode(payload, type=StateMessage), confirmed))
        return True

    def next(self) -> tuple[StateMessage, Callable[[], None]]:
        """The next state, and how to confirm it."""
        return self.states.get(timeout=WAIT_S)


def test_a_narrow_link_carries_no_outdated_states(journal: Journal) -> None:
    gate, link = Station(1, journal), NarrowLink()
    gate.uplink.start(link)
    gate.uplink.will()
    gate.uplink.connected()
    first, has_first = link.next()
    gate.uplink.state_changed()
    link.next()
    for _ in range(5):
        write(journal, body(1))
        gate.uplink.state_changed()
    with pytest.raises(queue.Empty):
        link.states.get(timeout=(2 * uplink.SETTLE_MS + 100) / 1000)
    head = journal.head().seq
    has_first()
    newest, _ = link.next()
    assert (first.head, newest.head) == (1, head)
    gate.uplink.will()
    gate.uplink.connected()  # what was on its way by the connection before counts no more
    again, has_again = link.next()
    assert again.connection > newest.connection
    has_again()
    gate.uplink.state_changed()
    link.next()
    gate.uplink.stop()
    assert not link.next()[0].online, "the goodbye waits for nothing"


def test_devices_are_told_when_one_of_them_is_otherwise_and_now_and_then(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, link = Station(1, journal), NarrowLink()
    gate.uplink.start(link)

    def said() -> tuple[DeviceReport, ...] | msgspec.UnsetType:
        state, confirmed = link.next()
        confirmed()
        return state.devices

    def said_again() -> tuple[DeviceReport, ...] | msgspec.UnsetType:
        gate.uplink.state_changed()
        return said()

    gate.uplink.will()
    gate.uplink.connected()
    assert said() == gate.devices
    assert said_again() is msgspec.UNSET
    gate.devices = (DeviceReport(name="lamp", state="ok", frames=7),)
    assert said_again() is msgspec.UNSET
    gate.devices = (DeviceReport(name="lamp", state="lost", frames=7),)
    assert said_again() == gate.devices
    assert said_again() is msgspec.UNSET
    monkeypatch.setattr(uplink, "DEVICES_MS", 0)
    assert said_again() == gate.devices
    monkeypatch.undo()
    assert said_again() is msgspec.UNSET
    gate.uplink.will()
    gate.uplink.connected()
    assert said() == gate.devices, "the office may be another one"
    gate.uplink.stop()


def test_an_alarm_goes_past_the_records(central: Central, journal: Journal, station: Callable[..., Station]) -> None:
    central.deaf = True
    write_many(journal, 2_000)
    gate = station()
    gate.uplink.alarm(AlarmAction.RAISED, ALARM, Moment(7, NOW.at_ms))
    message = central.alarms.get(timeout=WAIT_S)
    assert (message.alarm, message.action, message.mono_ms) == (ALARM, AlarmAction.RAISED, 7)
    central.deaf = False
    central.until_it_has(journal)


def test_offline_an_alarm_is_left_to_the_state(journal: Journal) -> None:
    gate = Station(1, journal)
    gate.uplink.alarm(AlarmAction.RAISED, ALARM, NOW)  # there is no link yet
    gate.uplink.start(gate.link)
    gate.uplink.alarm(AlarmAction.RAISED, ALARM, NOW)  # there is one, which is not connected
    gate.uplink.stop()


def test_a_half_open_link_loses_nothing(
    broker: Mosquitto, central: Central, journal: Journal, station: Callable[..., Station]
) -> None:
    proxy = Proxy(broker.port)
    station(proxy.port, keepalive_s=1)
    write_many(journal, 50)
    central.until_it_has(journal)
    proxy.silence()  # the link looks alive: everything is taken, nothing arrives
    write_many(journal, 400)
    central.until_it_has(journal)
    assert proxy.connections == 2
    assert len(central.office.logs) == 1
    proxy.close()


def test_a_broker_that_is_killed_loses_nothing(
    broker: Mosquitto, central: Central, journal: Journal, station: Callable[..., Station]
) -> None:
    station()
    for _ in range(4):
        write_many(journal, 200)
        broker.kill()
        write_many(journal, 200)
        broker.start()
    central.until_it_has(journal)


def test_nonsense_from_below_is_refused_and_the_uplink_goes_on(
    central: Central, journal: Journal, station: Callable[..., Station], caplog: pytest.LogCaptureFixture
) -> None:
    gate = station()
    central.until_it_has(journal)
    for payload in (b"", b"nonsense", bytes(200_000), encode(Fork(log_id="f" * 32, seq=1, hash=bytes(32)))):
        central.link.publish(topic(GATE, Channel.DOWN), payload)
    write(journal, body(1))
    central.until_it_has(journal)
    assert gate.replaced == []
    assert caplog.text.count("from the office refused") == 1  # not once for each


class Failing:
    """A journal that cannot be read while it is told so."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.broken = True
        self.tries = threading.Semaphore(0)

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)

    def read(self, after: int, max_records: int, max_bytes: int) -> Sequence[Record]:
        """Records, or what a bad disk gives."""
        if self.broken:
            self.tries.release()
            raise JournalError("the disk does not answer")
        return self._journal.read(after, max_records, max_bytes)


def test_a_journal_that_cannot_be_read_does_not_end_the_uplink(
    central: Central,
    journal: Journal,
    station: Callable[..., Station],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.uplink.REST_MS", 50)
    log = Failing(journal)
    station(log=log)
    for _ in range(3):
        assert log.tries.acquire(timeout=WAIT_S)
    assert caplog.text.count("the disk does not answer") == 1  # told once, tried again and again
    log.broken = False
    central.until_it_has(journal)


def test_a_card_that_was_put_back_loses_no_new_record(broker: Mosquitto, central: Central, tmp_path: Path) -> None:
    path = tmp_path / "gate" / "journal.sqlite"
    with opened(path) as before:
        write_many(before, 20)
    image = tmp_path / "image"
    shutil.copytree(path.parent, image)

    def run(records_before: int) -> tuple[Head, list[str]]:
        with opened(path) as journal:
            write_many(journal, records_before)
            first = not central.office.logs  # before the gate starts: it may be quicker than the next line
            gate = Station(broker.port, journal).start()
            try:
                if first:
                    central.until_it_has(journal)
                else:
                    until(lambda: bool(gate.replaced), journal)
                    central.until_it_has(journal)
            finally:
                gate.stop()
            return journal.head(), gate.replaced

    head, replaced = run(30)
    assert (head.seq, replaced) == (51, [])
    shutil.rmtree(path.parent)
    shutil.copytree(image, path.parent)
    _, replaced = run(30)  # the numbers that the office has already
    assert replaced == ["rewound"]
    assert len(central.office.logs) == 2
    old, new = central.office.logs.values()
    assert old.cursor.seq == 51
    assert len(new.records) >= 31


def restored_from_before(central: Central, journal: Journal, station: Callable[..., Station]) -> str:
    """The gate has given its log up, and the office is put back to a backup from before. The old log's id."""
    write_many(journal, 20)
    gate, old = station(), journal.log_id
    central.until_it_has(journal)
    backup = deepcopy(central.office.logs)
    write_many(journal, 300)
    central.until_it_has(journal)
    until(lambda: journal.acked == journal.head(), journal)
    gate.stop()
    journal.replace_log("rewound", now=NOW)
    central.office.logs = backup
    return old


def test_an_office_put_back_to_before_a_new_log_gets_the_old_one_after_it(
    central: Central, journal: Journal, station: Callable[..., Station]
) -> None:
    old = restored_from_before(central, journal, station)
    write_many(journal, 200)
    station()
    central.until_it_has(journal)
    later = Moment(NOW.mono_ms, NOW.at_ms + 31 * DAY_MS)
    until(lambda: bool(journal.remove_earlier(later, 30)), journal)  # the gate has heard that the office has it
    kept = central.office.logs[old]
    assert (kept.cursor.seq, len(kept.records), kept.missing) == (321, 321, [])
    central.office.check()


def test_an_earlier_log_that_cannot_be_read_holds_up_nothing(
    central: Central,
    journal: Journal,
    station: Callable[..., Station],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = restored_from_before(central, journal, station)
    tries = threading.Semaphore(0)

    def fails(_self: Aside, _after: int) -> int:
        tries.release()
        raise JournalError("the card does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(Aside, "first_held", fails)
        gate = station()
        central.until_it_has(journal)
        assert tries.acquire(timeout=WAIT_S)
        write_many(journal, 50)
        central.until_it_has(journal)
        assert "an earlier log cannot be offered to the office for now: the card does not answer" in caplog.text
        assert central.office.logs[old].cursor.seq == 21
        gate.stop()
    station()
    until(lambda: central.office.logs[old].cursor.seq == 321, journal)


def test_a_body_of_the_journal_fits_on_the_road() -> None:
    assert MAX_BODY <= records.MAX_BODY


def test_whether_the_office_answers_is_told(
    broker: Mosquitto, central: Central, station: Callable[..., Station], journal: Journal
) -> None:
    gate = station()
    assert gate.heard.get(timeout=WAIT_S) == Heard("office", heard=True)
    central.link.publish(topic(GATE, Channel.DOWN), b"nonsense")
    central.deaf = True
    write(journal, body(1))
    deadline = time.monotonic() + WAIT_S
    while gate.heard.empty() and time.monotonic() < deadline:
        gate.hearing.look()
    assert gate.heard.get_nowait() == Heard("office", heard=False)
    central.link.publish(topic(GATE, Channel.DOWN), b"nonsense")  # no answer
    central.deaf = False
    central.until_it_has(journal)
    assert gate.heard.get(timeout=WAIT_S) == Heard("office", heard=True)
    broker.kill()
    assert gate.heard.get(timeout=WAIT_S) == Heard("office", heard=False)
