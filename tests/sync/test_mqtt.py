"""The link, against a real mosquitto, and against things that only look like a broker."""

import logging
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from menshen.demo.processes import free_port
from sync import mqtt
from sync.contract.topics import MAX_PACKET
from sync.mqtt import MqttLink
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.proxy import Proxy

WAIT_S = 15.0
PROTOCOLS = ("3.1.1", "5")


class End:
    """A link with what it heard, to wait for."""

    def __init__(self, port: int, name: str, **options: object) -> None:
        self.up: queue.Queue[bool] = queue.Queue()
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.link = MqttLink(
            "127.0.0.1",
            port,
            client_id=name,
            connected=lambda: self.up.put(True),
            disconnected=lambda: self.up.put(False),
            **options,  # type: ignore[arg-type]  # handed on as they are
        )

    def listen(self, *topics: str) -> "End":
        """Subscribe before starting."""
        for topic in topics:
            self.link.subscribe(topic, lambda name, payload: self.heard.put((name, payload)))
        return self

    def start(self) -> "End":
        """Start, and wait until it is connected."""
        self.link.start()
        assert self.up.get(timeout=WAIT_S)
        return self

    def hear(self) -> tuple[str, bytes]:
        """The next message."""
        return self.heard.get(timeout=WAIT_S)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path) as started:
        yield started


@pytest.fixture
def end() -> Iterator[Callable[..., End]]:
    with ExitStack() as stack:

        def make(port: int, name: str, **options: object) -> End:
            made = End(port, name, **options)
            stack.callback(lambda: made.link.stop() if made.link._thread.ident else None)
            return made

        yield make


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PAUSE_S", (0.02, 0.2))
    monkeypatch.setattr(mqtt, "STOP_S", 1.0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_published_is_heard(broker: Mosquitto, end: Callable[..., End], protocol: str) -> None:
    office = end(broker.port, "office", protocol=protocol).listen("menshen/1/+/up", "menshen/1/+/state").start()
    gate = end(broker.port, "gate", protocol=protocol).start()
    for number in range(50):
        assert gate.link.publish("menshen/1/g/up", b"%d" % number)
    assert [office.hear() for _ in range(50)] == [("menshen/1/g/up", b"%d" % number) for number in range(50)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_the_broker_had_kept_is_told_from_what_comes(
    broker: Mosquitto, end: Callable[..., End], protocol: str
) -> None:
    office = end(broker.port, "office", protocol=protocol).listen("end").start()
    assert office.link.publish("t", b"old", retain=True)
    assert office.link.publish("end", b"")
    office.hear()
    kept: queue.Queue[bytes] = queue.Queue()
    gate = end(broker.port, "gate", protocol=protocol)
    gate.link.subscribe("t", lambda name, payload: gate.heard.put((name, payload)), kept=lambda _, old: kept.put(old))
    gate.start()
    assert kept.get(timeout=WAIT_S) == b"old"
    for retain in (True, False):  # to who is there it comes either way
        assert office.link.publish("t", b"new", retain=retain)
        assert gate.hear() == ("t", b"new")
    assert kept.empty()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_subscriptions_come_and_go_under_a_running_link(
    broker: Mosquitto, end: Callable[..., End], protocol: str
) -> None:
    office = end(broker.port, "office", protocol=protocol).listen("end").start()
    gate = end(broker.port, "gate", protocol=protocol).start()
    many = [f"menshen/1/g{number}/up" for number in range(250)]  # more than one packet asks for

    def say() -> list[str]:
        for name in (many[0], many[120], many[249], "end"):
            assert gate.link.publish(name, b"")
        heard = []
        while (name := office.hear()[0]) != "end":
            heard.append(name)
        return heard

    assert say() == []
    office.link.subscribe_all(many, lambda name, payload: office.heard.put((name, payload)))
    _until_known(broker, gate, office, many[249])
    assert say() == [many[0], many[120], many[249]]
    office.link.unsubscribe_all(many[:200])
    assert say() == [many[249]]
    broker.kill()
    assert (office.up.get(timeout=WAIT_S), gate.up.get(timeout=WAIT_S)) == (False, False)
    office.link.subscribe_all(many[:1], lambda name, payload: office.heard.put((name, payload)))
    broker.start()
    assert (office.up.get(timeout=WAIT_S), gate.up.get(timeout=WAIT_S)) == (True, True)
    assert say() == [many[0], many[249]], "those of before, and what was asked for while it was away"


def _until_known(broker: Mosquitto, gate: End, office: End, topic: str) -> None:
    """Wait until the broker has taken the subscription: it answers in order, and so hands on what comes after."""
    assert gate.link.publish(topic, b"kept", retain=True)
    assert office.hear() == (topic, b"kept")
    assert gate.link.publish(topic, b"", retain=True)
    assert office.hear() == (topic, b"")


def test_a_topic_by_its_own_name_goes_to_that_handler_alone(broker: Mosquitto, end: Callable[..., End]) -> None:
    office = end(broker.port, "office").listen("menshen/1/+/state", "menshen/#", "end")
    exact: queue.Queue[str] = queue.Queue()
    office.link.subscribe("menshen/1/known/state", lambda name, _: exact.put(name))
    office.start()
    for name in ("menshen/1/known/state", "menshen/1/new/state", "end"):
        assert office.link.publish(name, b"")
    heard = []
    while (name := office.hear()[0]) != "end":
        heard.append(name)
    assert set(heard) == {"menshen/1/new/state"}, "both filters; some brokers send it once for each"
    assert exact.get(timeout=WAIT_S) == "menshen/1/known/state"


def test_nothing_is_kept_for_a_broker_that_is_away(broker: Mosquitto, end: Callable[..., End]) -> None:
    gate = end(broker.port, "gate")
    assert not gate.link.publish("t", b"early")
    gate.start()
    assert gate.link.publish("t", b"")
    broker.kill()
    assert gate.up.get(timeout=WAIT_S) is False
    assert not gate.link.publish("t", b"late")
    broker.start()
    assert gate.up.get(timeout=WAIT_S) is True
    office = end(broker.port, "office").listen("t").start()
    assert gate.link.publish("t", b"now")
    assert office.hear() == ("t", b"now")


def test_it_comes_back_with_its_subscriptions_and_a_new_will(broker: Mosquitto, end: Callable[..., End]) -> None:
    proxy = Proxy(broker.port)
    numbers = iter(range(1, 100))
    gate = end(proxy.port, "gate", will=lambda: ("state", b"gone %d" % next(numbers), True)).listen("down").start()
    office = end(broker.port, "office").listen("state").start()
    for number in (1, 2, 3):
        proxy.cut()
        assert gate.up.get(timeout=WAIT_S) is False
        assert office.hear() == ("state", b"gone %d" % number)
        assert gate.up.get(timeout=WAIT_S) is True
        assert office.link.publish("down", b"%d" % number)
        assert gate.hear() == ("down", b"%d" % number)
    proxy.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_second_one_of_the_same_id_is_named(
    broker: Mosquitto, end: Callable[..., End], protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    post = end(broker.port, "the-post", protocol=protocol).start()
    end(broker.port, "the-post", protocol=protocol).start()
    assert post.up.get(timeout=WAIT_S) is False
    assert "same client id, the-post: only one may" in caplog.text


def test_a_goodbye_reaches_the_broker_and_the_will_does_not(broker: Mosquitto, end: Callable[..., End]) -> None:
    office = end(broker.port, "office").listen("state", "end").start()
    gate = end(broker.port, "gate", will=lambda: ("state", b"will", True)).start()
    for number in range(200):
        assert gate.link.publish("state", b"%d" % number, retain=True)
    gate.link.stop()
    assert not gate.link.publish("state", b"later")
    assert [office.hear()[1] for _ in range(200)] == [b"%d" % number for number in range(200)]
    late = end(broker.port, "late").listen("state", "end").start()
    assert late.hear() == ("state", b"199")  # retained
    assert late.link.publish("end", b"")
    assert office.hear() == ("end", b"")  # and no will in between


def test_stopping_without_a_broker_ends(end: Callable[..., End]) -> None:
    gate = end(free_port(), "gate")
    gate.link.start()
    gate.link.stop()
    assert not gate.link._thread.is_alive()


def test_a_handler_that_fails_does_not_end_the_link(
    broker: Mosquitto, end: Callable[..., End], caplog: pytest.LogCaptureFixture
) -> None:
    gate = end(broker.port, "gate")

    def fails(_topic: str, _payload: bytes) -> None:
        raise ZeroDivisionError("on purpose")

    gate.link.subscribe("bad", fails)
    gate.listen("good").start()
    office = end(broker.port, "office").start()
    assert office.link.publish("bad", b"")
    assert office.link.publish("good", b"1")
    assert gate.hear() == ("good", b"1")
    assert gate.up.empty()
    assert "could not be handled" in caplog.text


def test_a_callback_that_fails_does_not_end_the_link(broker: Mosquitto) -> None:
    tries: queue.Queue[int] = queue.Queue()

    def will() -> tuple[str, bytes, bool]:
        tries.put(1)
        if tries.qsize() < 3:
            raise ZeroDivisionError("on purpose")
        return "state", b"", True

    up = threading.Event()
    link = MqttLink("127.0.0.1", broker.port, client_id="gate", will=will, connected=up.set)
    link.start()
    assert up.wait(WAIT_S)
    link.stop()


def test_what_is_too_large_is_dropped(
    broker: Mosquitto, end: Callable[..., End], caplog: pytest.LogCaptureFixture
) -> None:
    gate = end(broker.port, "gate").listen("down").start()
    careful = end(broker.port, "careful", protocol="5").listen("down").start()
    office = end(broker.port, "office").start()
    assert office.link.publish("down", bytes(MAX_PACKET + 1))
    assert office.link.publish("down", b"small")
    assert gate.hear() == ("down", b"small")
    assert careful.hear() == ("down", b"small")
    assert caplog.text.count("was dropped") == 1  # with MQTT 5 the broker keeps it


@pytest.mark.parametrize(("size", "most"), [(1, mqtt.MAX_MESSAGES), (MAX_PACKET, mqtt.MAX_BYTES // MAX_PACKET)])
def test_what_waits_is_bounded(broker: Mosquitto, end: Callable[..., End], size: int, most: int) -> None:
    proxy = Proxy(broker.port)
    gate = end(proxy.port, "gate").start()
    proxy.silence()
    taken = [gate.link.publish("t", bytes(size)) for _ in range(most + 100)]
    assert taken == [True] * most + [False] * 100
    proxy.close()


def test_a_link_that_falls_silent_is_given_up(broker: Mosquitto, end: Callable[..., End]) -> None:
    """It took what it never brought: only the office's own word counts (tests/gateway/test_uplink.py loses nothing)."""
    proxy = Proxy(broker.port)
    gate = end(proxy.port, "gate", keepalive_s=1).listen("down").start()
    office = end(broker.port, "office").listen("up").start()
    proxy.silence()
    assert all(gate.link.publish("up", b"lost") for _ in range(50))
    assert gate.up.get(timeout=WAIT_S) is False
    assert gate.up.get(timeout=WAIT_S) is True
    assert gate.link.publish("up", b"again")
    assert office.hear() == ("up", b"again")
    assert office.link.publish("down", b"again")
    assert gate.hear() == ("down", b"again")
    proxy.close()


# users


def test_without_the_password_nobody_comes_in(
    tmp_path: Path, end: Callable[..., End], caplog: pytest.LogCaptureFixture
) -> None:
    with running_mosquitto(tmp_path, "allow_anonymous false\n") as broker:
        gate = end(broker.port, "gate", username="gate", password="wrong")
        gate.link.start()
        _wait_for_log(caplog, "not reached: refused: Not authorized")
        assert gate.up.empty()


def _wait_for_log(caplog: pytest.LogCaptureFixture, text: str) -> None:
    told = threading.Event()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if text in record.getMessage():
                told.set()

    ear = Ear()
    logging.getLogger("menshen.mqtt").addHandler(ear)
    try:
        # looked at again and again: a line on its way while the ear was put there may have passed it, and not be in the text yet
        assert any(text in caplog.text or told.wait(WAIT_S / 100) for _ in range(100)), caplog.text
    finally:
        logging.getLogger("menshen.mqtt").removeHandler(ear)


def test_another_protocol_is_refused() -> None:
    with pytest.raises(ValueError, match=r"3\.1\.1 and 5"):
        MqttLink("127.0.0.1", 1, client_id="gate", protocol="4")


# what only looks like a broker


def packet(kind: int, body: bytes) -> bytes:
    """An MQTT packet of less than 128 bytes."""
    return bytes([kind, len(body)]) + body


def publication(topic: bytes, payload: bytes) -> bytes:
    """A PUBLISH with QoS 0."""
    return packet(0x30, struct.pack(">H", len(topic)) + topic + payload)


def greet(peer: socket.socket, granted: bytes = b"\1") -> None:
    """Take CONNECT and SUBSCRIBE as a broker does."""
    peer.settimeout(WAIT_S)
    peer.recv(4096)
    peer.sendall(packet(0x20, b"\0\0"))
    subscribe = peer.recv(4096)
    peer.sendall(packet(0x90, subscribe[2:4] + granted))


def publish_taken(peer: socket.socket) -> tuple[bytes, bytes]:
    """Payload and packet identifier of the next PUBLISH with QoS 1, of less than 128 bytes."""
    kind, size = peer.recv(2, socket.MSG_WAITALL)
    assert kind & 0xF6 == 0x32, f"no PUBLISH with QoS 1: {kind:02x}"
    body = peer.recv(size, socket.MSG_WAITALL)
    end = 2 + int.from_bytes(body[:2], "big")
    return body[end + 2 :], body[end : end + 2]


@contextmanager
def greeted(end: Callable[..., End]) -> Iterator[tuple[End, socket.socket]]:
    """A gate that was taken by what only looks like a broker, and the broker's end of the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        gate = end(server.getsockname()[1], "gate").listen("down")
        gate.link.start()
        peer, _ = server.accept()
        with peer:
            greet(peer)
            yield gate, peer


def test_topics_that_nobody_subscribed_to_are_dropped(end: Callable[..., End]) -> None:
    with greeted(end) as (gate, peer):
        peer.sendall(publication(b"other", b"1") + publication(b"\xff\xfe", b"2") + publication(b"down", b"3"))
        assert gate.hear() == ("down", b"3")
        assert gate.heard.empty()


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 64, b"\xff" * 64, packet(0x90, b""), b"HTTP/1.1 400 Bad Request\r\n\r\n"]
)
def test_a_broker_that_talks_nonsense_is_left_and_tried_again(end: Callable[..., End], garbage: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_S)
        gate = end(server.getsockname()[1], "gate").listen("down")
        gate.link.start()
        peer, _ = server.accept()
        with peer:
            greet(peer)
            peer.sendall(garbage)
        peer, _ = server.accept()
        with peer:
            greet(peer)
            peer.sendall(publication(b"down", b"sense"))
            assert gate.hear() == ("down", b"sense")


def test_a_broker_that_never_answers_is_left(end: Callable[..., End], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PATIENCE", (mqtt.Patience(connect_s=5.0, ready_s=0.1, keepalives=1),))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_S)
        gate = end(server.getsockname()[1], "gate").listen("down")
        gate.link.start()
        first, _ = server.accept()
        second, _ = server.accept()
        first.close()
        second.close()
        assert gate.up.empty()


def test_who_publishes_is_told_when_the_broker_has_it(end: Callable[..., End]) -> None:
    told: queue.Queue[str] = queue.Queue()
    with greeted(end) as (gate, peer):
        assert gate.up.get(timeout=WAIT_S)
        for name in ("first", "second"):
            assert gate.link.publish("state", name.encode(), confirmed=lambda name=name: told.put(name))
        _, first = publish_taken(peer)
        _, second = publish_taken(peer)
        assert told.empty()
        peer.sendall(packet(0x40, second))
        assert told.get(timeout=WAIT_S) == "second"
        peer.sendall(packet(0x40, first))
        assert told.get(timeout=WAIT_S) == "first"
        assert gate.link.publish("state", b"third", confirmed=lambda: told.put("third"))
        publish_taken(peer)
    assert not gate.up.get(timeout=WAIT_S)
    assert told.empty(), "that one ended before"


def test_each_attempt_that_comes_to_nothing_is_given_more_time_and_then_the_first_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[float, int]] = []
    enough = threading.Event()

    class Unreachable(mqtt._Connection):
        def open(self, host: str, port: int) -> None:
            seen.append((self._client.connect_timeout, self._keepalive_s))
            if len(seen) > 2:
                enough.set()
            raise OSError("no route to host")

    monkeypatch.setattr(mqtt, "_Connection", Unreachable)
    monkeypatch.setattr(mqtt, "PAUSE_S", (0.0, 0.0))
    link = MqttLink("127.0.0.1", 1, client_id="gate")
    link.start()
    assert enough.wait(WAIT_S)
    link.stop()
    assert seen[:3] == [(5.0, 15), (10.0, 30), (5.0, 15)]
