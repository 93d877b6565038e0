"""The gate's road to the guard post: which heartbeats count, and what the post is sent over a real mosquitto."""

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.clock import Clock
from gateway.core.events import Commanded, CommandRefused, Heard
from gateway.core.moment import Moment
from gateway.hearing import Hearing
from gateway.orders import Orders
from gateway.post_road import MOST_POSTS, HeartbeatRefused, Heartbeats, PostRoad, TellAll
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, Asked, StateMessage
from sync.contract.commands import WHAT as COMMAND
from sync.contract.commands import Acknowledge, Command, Release, Say, seal_command
from sync.contract.post import (
    AHEAD_MS,
    BEAT_MS,
    MAX_HEARTBEAT,
    QUESTION,
    SILENT_MS,
    WHAT,
    Heartbeat,
    Question,
    seal_heartbeat,
    seal_question,
)
from sync.contract.sealed import seal
from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink
from tests.mosquitto import Mosquitto, running_mosquitto

POST, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
GATE, BOOT, NOW_MS, WAIT_S = "north-1", "1a" * 16, 50_000, 15.0
ALARM = Alarm(id="0" * 32, kind=AlarmKind.DOOR_FORCED, portal="north", since_ms=0)


def beat(key: Ed25519PrivateKey = POST, **changes: Any) -> bytes:
    values = {"gate": GATE, "post": "lodge", "boot": BOOT, "mono_ms": NOW_MS, "sequence": 5} | changes
    return seal_heartbeat(Heartbeat(**values), key)


@pytest.fixture
def heartbeats() -> Heartbeats:
    return Heartbeats(GATE, BOOT, [OTHER.public_key(), POST.public_key()])


def refused(heartbeats: Heartbeats, payload: bytes, now_ms: int = NOW_MS) -> str:
    with pytest.raises(HeartbeatRefused) as caught:
        heartbeats.judge(payload, now_ms)
    return caught.value.reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (beat(Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)), "forged"),
        (seal(b"{}", COMMAND, POST), "forged"),
        (beat()[:-1] + bytes([beat()[-1] ^ 1]), "forged"),
        (seal(b"{}", WHAT, POST), "malformed"),
        (seal(b'{"gate":"north-1","more":1}', WHAT, POST), "malformed"),
        (b"", "malformed"),
        (bytes(MAX_HEARTBEAT + 1), "malformed"),
        (beat(gate="north-2"), "other-gate"),
        (beat(boot="2b" * 16), "other-boot"),
        (beat(mono_ms=NOW_MS - SILENT_MS - 1), "late"),
        (beat(mono_ms=NOW_MS + AHEAD_MS + 1), "late"),
    ],
)
def test_refused(heartbeats: Heartbeats, payload: bytes, reason: str) -> None:
    assert refused(heartbeats, payload) == reason


def test_one_counts_once_and_no_older_one_after_it(heartbeats: Heartbeats) -> None:
    heartbeats.judge(beat(), NOW_MS)
    for again in (beat(), beat(sequence=4), beat(mono_ms=NOW_MS - 1, sequence=9)):
        assert refused(heartbeats, again) == "replayed"
    heartbeats.judge(beat(sequence=6), NOW_MS)
    heartbeats.judge(beat(mono_ms=NOW_MS + 1, sequence=0), NOW_MS)  # the post started again
    heartbeats.judge(beat(post="hut"), NOW_MS)  # another post of the site


def ask(key: Ed25519PrivateKey = POST, **changes: str) -> bytes:
    return seal_question(Question(**({"gate": GATE, "post": "lodge", "number": "5a" * 16} | changes)), key)


def test_the_last_question_of_each_post_is_kept_for_the_state(heartbeats: Heartbeats) -> None:
    for number in ("5a" * 16, "5b" * 16):
        heartbeats.judge(ask(number=number), NOW_MS)
    heartbeats.judge(ask(post="hut"), NOW_MS)
    assert heartbeats.asked == (Asked(post="lodge", number="5b" * 16), Asked(post="hut", number="5a" * 16))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (ask(Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)), "forged"),
        (ask()[:-1] + bytes([ask()[-1] ^ 1]), "forged"),
        (ask(gate="north-2"), "other-gate"),
        (seal(b"{}", QUESTION, POST), "malformed"),
        (seal(b'{"gate":"north-1","post":"lodge","number":"x"}', QUESTION, POST), "malformed"),
    ],
)
def test_a_question_that_is_refused_is_not_answered(heartbeats: Heartbeats, payload: bytes, reason: str) -> None:
    assert refused(heartbeats, payload) == reason
    assert heartbeats.asked == ()


def test_what_is_remembered_is_bounded(heartbeats: Heartbeats) -> None:
    for number in range(3 * MOST_POSTS):
        heartbeats.judge(beat(post=f"post-{number}"), NOW_MS)
        heartbeats.judge(ask(post=f"post-{number}"), NOW_MS)
    assert len(heartbeats._last) == len(heartbeats.asked) == MOST_POSTS


COMMON: dict[str, Any] = {"gate": GATE, "id": "0f" * 16, "boot": BOOT, "not_after_mono": NOW_MS + 5_000, "by": "Wang"}


@pytest.mark.parametrize("command", [Release(**COMMON), Say(phrase="welcome", **COMMON)])
def test_a_posts_key_is_good_for_acknowledging_alone(command: Command) -> None:
    told: list[object] = []
    orders = Orders(GATE, BOOT, [POST.public_key()], now_ms=lambda: NOW_MS, post=told.append, of_post=True)
    orders.received("", seal_command(command, POST))
    acknowledge = Acknowledge(alarm="1" * 32, **COMMON)
    orders.received("", seal_command(acknowledge, POST))
    orders.received("", seal_command(acknowledge, OTHER))
    action = type(command).__struct_config__.tag
    assert told == [
        CommandRefused("not-for-post", f"{action} {'0f' * 16}"),
        Commanded(acknowledge, of_post=True),
        CommandRefused("forged"),
    ]


# over a real broker


class Road:
    """A gate's road and link, and somebody who hears."""

    def __init__(self, broker: Mosquitto) -> None:
        self.boot = bytes(range(16))
        self.heard: queue.Queue[Heard] = queue.Queue()
        self.states: queue.Queue[StateMessage] = queue.Queue()
        self.alarms: queue.Queue[AlarmMessage] = queue.Queue()
        hearing = Hearing("post", SILENT_MS, now_ms=Clock.mono_ms, post=self.heard.put)
        self.road = PostRoad(
            GATE,
            status=lambda number: StateMessage(online=True, boot=self.boot.hex(), connection=number, alarms=(ALARM,)),
            now_ms=Clock.mono_ms,
            boot=self.boot,
            heartbeats=Heartbeats(GATE, self.boot.hex(), [POST.public_key()]),
            hearing=hearing,
        )
        self.listener = MqttLink("127.0.0.1", broker.port, client_id="listener")
        self.listener.subscribe(
            topic(GATE, Channel.STATE), lambda _, data: self.states.put(_decoded(data, StateMessage))
        )
        self.listener.subscribe(
            topic(GATE, Channel.ALARM), lambda _, data: self.alarms.put(_decoded(data, AlarmMessage))
        )
        self.listener.start()
        self.link = MqttLink(
            "127.0.0.1",
            broker.port,
            client_id=GATE,
            will=self.road.will,
            connected=self.road.connected,
            disconnected=self.road.disconnected,
        )
        self.link.subscribe(topic(GATE, Channel.POST), self.road.received, kept=self.road.kept)
        self.road.start(self.link)
        self.link.start()

    def close(self) -> None:
        self.road.stop()
        self.link.stop()
        self.listener.stop()


def _decoded(data: bytes, kind: type[Any]) -> Any:
    return msgspec.json.decode(data, type=kind)


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    with running_mosquitto(tmp_path) as broker:
        road = Road(broker)
        yield road
        road.close()


def test_the_post_is_sent_state_and_alarms_and_a_goodbye(road: Road) -> None:
    first = road.states.get(timeout=WAIT_S)
    assert (first.online, first.alarms, first.boot) == (True, (ALARM,), road.boot.hex())
    second = road.states.get(timeout=WAIT_S)  # without any change
    assert second.connection == first.connection
    TellAll(road.road, road.road).alarm(AlarmAction.RAISED, ALARM, Moment(7, 8))
    for _ in range(2):
        assert road.alarms.get(timeout=WAIT_S).alarm == ALARM
    road.road.stop()
    while (last := road.states.get(timeout=WAIT_S)).online:
        pass
    assert last.connection == first.connection


def test_the_state_that_answers_a_question_goes_out_at_once_and_nobody_is_heard_by_it(road: Road) -> None:
    assert road.states.get(timeout=WAIT_S).asked == ()
    road.listener.publish(topic(GATE, Channel.POST), ask(OTHER))
    road.listener.publish(topic(GATE, Channel.POST), ask())
    asked_ms = Clock.mono_ms()
    while not (state := road.states.get(timeout=WAIT_S)).asked:
        pass
    assert state.asked == (Asked(post="lodge", number="5a" * 16),)
    assert Clock.mono_ms() - asked_ms < BEAT_MS
    assert road.heard.empty()


def test_each_connection_has_a_greater_number(road: Road) -> None:
    numbers = [_decoded(road.road.will()[1], StateMessage).connection for _ in range(5)]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0


def test_a_heartbeat_that_counts_is_heard(road: Road) -> None:
    state = road.states.get(timeout=WAIT_S)
    good = Heartbeat(gate=GATE, post="lodge", boot=state.boot, mono_ms=Clock.mono_ms(), sequence=1)
    road.listener.publish(topic(GATE, Channel.POST), seal_heartbeat(good, OTHER))
    road.listener.publish(topic(GATE, Channel.POST), seal_heartbeat(good, POST))
    assert road.heard.get(timeout=WAIT_S) == Heard("post", heard=True)
    assert road.heard.empty()
