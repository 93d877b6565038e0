"""The directory's way down over a real mosquitto: an office that publishes, a gate that follows in its own thread."""

import queue
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import directory_road
from gateway.coming_down import by_tag
from gateway.core.moment import Moment
from gateway.directory import Directory
from gateway.directory_road import DirectoryRoad
from gateway.downlink import WHAT, Downlink, believing
from gateway.orders_ahead import OrdersAhead
from sync.contract.sealed import seal
from sync.contract.standing_orders import encode_orders, seal_orders, standing
from sync.contract.topics import Channel, topic
from sync.contract.trust import TrustList, seal_trust, unseal_trust
from sync.log.keyed import Mark, Row
from sync.log.messages import Ack, encode, tag_of
from sync.log.parts import decode_have, pack
from sync.log.publisher import Parts, Publisher
from sync.mqtt import MqttLink
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.sync.following import OFFICE_KEY, SITE, STRANGER, OfficeState, verified

WAIT_S = 20.0
GATE = "north-1"
UID = "000414CD7E"
ACK = encode(Ack(log_id="0" * 32, seq=0, hash=bytes(32)))


def sealed(document: bytes) -> bytes:
    """As the office signs."""
    return seal(document, WHAT, OFFICE_KEY)


def wait_until(condition: Callable[[], object]) -> None:
    """Until it holds."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it does not come to pass"
        select.select([], [], [], 0.005)


class Central:
    """The office's end: answers what comes up, and pushes what changes."""

    def __init__(self, port: int) -> None:
        self.state = OfficeState()
        self.publisher = Publisher(SITE, self.state, seal=sealed, verify=verified)
        self._lock = threading.Lock()
        self._heard: bytes | None = None
        self.link = MqttLink("127.0.0.1", port, client_id="office")
        self.link.subscribe(topic(GATE, Channel.UP), self._on_up)
        self.link.start()

    def _on_up(self, _topic: str, payload: bytes) -> None:
        with self._lock:
            self._heard = payload
            self._answer(payload)

    def _answer(self, payload: bytes) -> None:
        answer = self.publisher.answer(decode_have(payload), time.time_ns() // 1_000_000)
        assert isinstance(answer, Parts)
        for part in answer.payloads:
            self.send(part)

    def change(self, *rows: Row) -> None:
        """Change rows, and push."""
        with self._lock:
            self.state.change(rows)
            if self._heard is not None:
                self._answer(self._heard)

    def send(self, payload: bytes) -> None:
        """Down it goes, or not."""
        self.link.publish(topic(GATE, Channel.DOWN), payload)


class Gate:
    """The gate's end."""

    def __init__(self, folder: Path, port: int) -> None:
        path = folder / "directory.sqlite"
        self.directory = Directory(path)
        self.directory.open()
        self.others: queue.Queue[bytes] = queue.Queue()
        self.refused: queue.Queue[str] = queue.Queue()
        keys = [OFFICE_KEY.public_key()]
        self.ahead = OrdersAhead(path, self.directory, gate=GATE, site=SITE, keys=keys)
        self.taken: queue.Queue[int] = queue.Queue()  # the version that decided when something was told
        self.road = DirectoryRoad(path, self.directory, site=SITE, verify=believing(keys), ahead=self.ahead.proof)
        self.downlink = Downlink(
            GATE,
            self.road,
            self.directory,
            site=SITE,
            keys=keys,
            ahead=self.ahead,
            now=lambda: Moment(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000, True),
            refused=self.refused.put,
            taken=lambda: self.taken.put(self.directory.version),
        )
        self.link = MqttLink(
            "127.0.0.1",
            port,
            client_id=GATE,
            connected=self.downlink.connected,
            disconnected=self.downlink.disconnected,
        )
        self.listen()
        self.downlink.start(self.link)
        self.link.start()

    def listen(self) -> None:
        """Hear what comes down."""
        kinds = {"part": self.downlink.received, "orders": self.downlink.orders_received}
        handler = by_tag(kinds, lambda _topic, payload: self.others.put(payload))
        self.link.subscribe(topic(GATE, Channel.DOWN), handler)

    def stop(self) -> None:
        """End it."""
        self.downlink.stop()
        self.link.stop()

    def has(self, version: int) -> bool:
        """Whether this version decides."""
        return self.directory.version == version


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def central(broker: Mosquitto) -> Iterator[Central]:
    with ExitStack() as stack:
        central = Central(broker.port)
        stack.callback(central.link.stop)
        yield central


@pytest.fixture
def gate(tmp_path: Path, broker: Mosquitto) -> Iterator[Gate]:
    with ExitStack() as stack:
        gate = Gate(tmp_path, broker.port)
        stack.callback(gate.stop)
        yield gate


CARD = Row("card", UID, b'{"holder":"h-1"}')
LOST = Row("card", UID, b'{"holder":"h-1","lost":true}')


def test_a_snapshot_and_then_each_change_is_live(central: Central, gate: Gate) -> None:
    many = [Row("holder", f"h-{number}", b'{"pass_type":"resident"}') for number in range(5_000)]
    central.change(CARD, *many)
    wait_until(lambda: gate.has(1))
    for version in range(2, 12):
        central.change(LOST if version % 2 else CARD)
        wait_until(lambda expected=version: gate.has(expected))
        card = gate.directory.card(UID)
        assert card is not None and card.lost is bool(version % 2)


def test_a_change_while_the_broker_was_away_comes_with_it(broker: Mosquitto, central: Central, gate: Gate) -> None:
    central.change(CARD)
    wait_until(lambda: gate.has(1))
    broker.kill()
    central.change(LOST)
    broker.start()
    wait_until(lambda: gate.has(2))


def test_what_is_no_part_goes_to_the_log_and_what_is_forged_is_told(central: Central, gate: Gate) -> None:
    central.change(CARD)
    wait_until(lambda: gate.has(1))
    central.send(ACK)
    assert gate.others.get(timeout=WAIT_S) == ACK
    mark = central.state.mark
    central.state.change([Row("card", "00000001", b'{"holder":"h-1"}')])
    forge = pack(
        (mark, central.state.mark),
        [Row("card", "00000001", b'{"holder":"h-1"}')],
        site=SITE,
        at_ms=1,
        seal=lambda document: seal(document, WHAT, STRANGER),
    )
    central.send(forge[0])
    assert "not pinned" in gate.refused.get(timeout=WAIT_S)
    assert gate.has(1)


def orders(version: int, mode: str, key: Ed25519PrivateKey = OFFICE_KEY) -> bytes:
    """An order for all gates, ahead of this version."""
    value = b'{"id":"%032x","mode":"%s","by":"li","at_ms":1}' % (version, mode.encode())
    return encode_orders(seal_orders(standing(GATE, SITE, Mark(0, version, bytes(16)), {"*": value}, None), key))


def test_orders_overtake_a_snapshot_that_is_being_put_in(
    central: Central, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands in the middle of the rows, the order is sent; it is told before the snapshot decides."""
    reached, heard = threading.Event(), threading.Event()
    unhurried = directory_road._unhurried

    def held_up(parts: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        for number, rows in enumerate(unhurried(parts)):
            if number == 3:
                reached.set()
                assert heard.wait(WAIT_S)  # it is on this machine: waiting for the thread
            yield rows

    monkeypatch.setattr(directory_road, "_unhurried", held_up)
    received = gate.downlink.orders_received

    def hear(topic: str, payload: bytes) -> None:
        received(topic, payload)
        heard.set()

    monkeypatch.setattr(gate.downlink, "orders_received", hear)
    gate.listen()
    central.change(CARD, *[Row("holder", f"h-{number}", b'{"pass_type":"resident"}') for number in range(3_000)])
    assert reached.wait(WAIT_S)
    central.send(orders(2, "lockdown"))
    assert gate.taken.get(timeout=WAIT_S) == 0, "told before the snapshot decided"
    assert gate.taken.get(timeout=WAIT_S) == 1
    standing_now = gate.ahead.now()
    assert standing_now is not None and standing_now.modes["*"].mode == "lockdown"


def test_orders_that_are_forged_are_told_and_those_played_again_change_nothing(central: Central, gate: Gate) -> None:
    central.change(CARD)
    wait_until(lambda: gate.has(1))
    assert gate.taken.get(timeout=WAIT_S) == 1
    central.send(orders(5, "lockdown"))
    assert gate.taken.get(timeout=WAIT_S) == 1
    for payload in (orders(5, "free"), orders(4, "free")):
        central.send(payload)
    central.send(orders(6, "free", STRANGER))
    assert "not pinned" in gate.refused.get(timeout=WAIT_S)
    now = gate.ahead.now()
    assert now is not None and now.modes["*"].mode == "lockdown" and gate.taken.empty()


def test_another_kind_of_document_by_the_same_key_is_no_title() -> None:
    assert (tag_of(ACK), tag_of(b""), tag_of(b"\x78\x9c")) == ("ack", "", "")
    with pytest.raises(Exception, match="something else"):
        believing([OFFICE_KEY.public_key()])(seal(b"{}", "directory", OFFICE_KEY))


def pieces(content: TrustList, key: Ed25519PrivateKey = OFFICE_KEY) -> list[Row]:
    """A trust list as the directory carries it."""
    data = seal_trust(content, key)
    return [Row("trust", f"{at:04}", data[at * 50 : at * 50 + 50]) for at in range(len(data) // 50 + 1)]


def test_a_trust_list_comes_with_the_directory_and_keeps_its_own_rules(central: Central, gate: Gate) -> None:
    def held() -> int:
        kept = gate.directory.trust_list()
        return 0 if kept is None else unseal_trust(kept.sealed, [OFFICE_KEY.public_key()]).version

    central.change(CARD, *pieces(TrustList(version=2, issued_s=1_700_000_000)))
    wait_until(lambda: held() == 2)
    central.change(*pieces(TrustList(version=1, issued_s=1_700_000_000)))  # a list never goes back
    assert "never goes back" in gate.refused.get(timeout=WAIT_S)
    assert gate.has(2) and held() == 2
