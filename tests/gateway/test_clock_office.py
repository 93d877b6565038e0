"""The office's time: asked for while nobody else knows, believed with the question's number and in time, and by no other way."""

import secrets
import select
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway import clock as clock_module
from gateway.clock import Clock, ScriptedClock, Told
from gateway.coming_down import by_tag
from gateway.core.checkpoint import BIG_STEP_MS, Checkpoint
from gateway.core.effects import Append, Effect
from gateway.core.events import Event, Tick, TimeRefused
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.inbox import Inbox
from gateway.loop import Loop
from gateway.office_time import AGAIN_MS, LATEST_MS, LOOK_MS, PAUSES_MS, ROUND_MS, AnswerRefused, Asking, OfficeClock
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.office_time import Told as Answer
from sync.contract.office_time import When, decode_when, encode_told
from sync.contract.records import AlarmRecord, Body, ClockChange, Refused
from sync.contract.sealed import seal
from sync.contract.topics import Channel, topic
from sync.log.messages import Ack, encode, tag_of
from sync.mqtt import MqttLink
from tests.gateway.core.acting import Gate
from tests.mosquitto import Mosquitto, running_mosquitto

KEY, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
GATE = "north-1"
YEAR_MS = 365 * 86_400_000
AT_MS = 1_700_000_000_000
WAIT_S = 20.0


def asking(*keys: Ed25519PrivateKey, connected: int | None = 0) -> Asking:
    """A gate that pins these keys, or the office's."""
    made = Asking(GATE, [key.public_key() for key in keys or (KEY,)], lambda: secrets.token_bytes(16))
    if connected is not None:
        made.connected(connected)
    return made


def question(gate: Asking, now: int) -> When:
    """What it asks."""
    payload = gate.poll(now, wanted=True)
    assert payload is not None
    return decode_when(payload)


def reason(gate: Asking, payload: bytes, now: int) -> str:
    """Why it does not take this."""
    with pytest.raises(AnswerRefused) as refused:
        gate.answered(payload, now)
    return refused.value.reason


# when it asks


def test_it_asks_as_soon_as_it_is_connected_and_while_nobody_knows() -> None:
    gate = asking(connected=None)
    assert gate.deadline() is None and gate.poll(0, wanted=True) is None
    gate.connected(7)
    assert gate.deadline() == 7
    assert gate.poll(7, wanted=False) is None
    assert gate.deadline() == 7 + LOOK_MS
    assert gate.poll(7 + LOOK_MS, wanted=True) is not None
    gate.disconnected()
    assert gate.deadline() is None


def test_without_a_pinned_key_nobody_is_asked() -> None:
    gate = Asking(GATE, [], lambda: bytes(16))
    gate.connected(0)
    assert gate.deadline() is None and gate.poll(10**9, wanted=True) is None
    assert reason(gate, encode_told(GATE, When(nonce=bytes(16)), AT_MS, KEY), 0) == "forged"


def test_it_asks_again_later_and_later_with_another_number_each_time() -> None:
    gate, now, seen, waits = asking(), 0, set[bytes](), []
    for _ in range(9):
        seen.add(question(gate, now).nonce)
        due = gate.deadline()
        assert due is not None and gate.poll(due - 1, wanted=True) is None
        waits.append(due - now)
        now = due
    assert len(seen) == 9
    assert waits == [ROUND_MS + pause for pause in (*PAUSES_MS, PAUSES_MS[-1], PAUSES_MS[-1])]


def test_after_a_good_answer_it_rests_and_begins_anew() -> None:
    gate = asking()
    question(gate, 0)
    question(gate, 13_000)
    told = gate.answered(encode_told(GATE, question(gate, 31_000), AT_MS, KEY), 31_400)
    assert told == Told(least=AT_MS - 31_400, most=AT_MS - 31_000)
    assert gate.deadline() == 31_400 + AGAIN_MS
    question(gate, 31_400 + AGAIN_MS)
    assert gate.deadline() == 31_400 + AGAIN_MS + ROUND_MS + PAUSES_MS[0]


# what it believes


@given(st.integers(0, 2_000), st.integers(0, 2_000), st.integers(-YEAR_MS, YEAR_MS))
def test_the_office_was_asked_between_question_and_answer(up: int, down: int, ahead: int) -> None:
    gate = asking()
    when = question(gate, 1_000)
    told = gate.answered(encode_told(GATE, when, AT_MS + ahead + 1_000 + up, KEY), 1_000 + up + down)
    assert told.least <= AT_MS + ahead <= told.most
    assert told.most - told.least == up + down


def test_a_slow_link_does_and_a_slower_one_does_not() -> None:
    gate = asking()
    assert gate.answered(encode_told(GATE, question(gate, 0), AT_MS, KEY), ROUND_MS).least == AT_MS - ROUND_MS
    late = encode_told(GATE, question(gate, AGAIN_MS * 2), AT_MS, KEY)
    assert reason(gate, late, AGAIN_MS * 2 + ROUND_MS + 1) == "late"
    assert reason(gate, late, AGAIN_MS * 2 + ROUND_MS + 1) == "replayed"


def test_what_is_refused() -> None:
    gate = asking()
    old = question(gate, 0)
    when = question(gate, ROUND_MS + PAUSES_MS[0])
    now = ROUND_MS + PAUSES_MS[0] + 10
    good = encode_told(GATE, when, AT_MS, KEY)
    signed = f'{{"gate":"{GATE}","nonce":"{when.nonce.hex()}","at_ms":{AT_MS}}}'.encode()

    def sealed(document: bytes, what: str = "time") -> bytes:
        return encode_bytes(seal(document, what, KEY))

    for payload, why in (
        (encode_told(GATE, when, AT_MS, STRANGER), "forged"),
        (sealed(signed, "command"), "forged"),
        (encode_told("south-1", when, AT_MS, KEY), "other-gate"),
        (encode_told(GATE, old, AT_MS, KEY), "replayed"),
        (encode_told(GATE, When(nonce=bytes(16)), AT_MS, KEY), "replayed"),
        (encode_told(GATE, when, LATEST_MS + 1, KEY), "malformed"),
        (sealed(signed.replace(b":1700", b":-1700")), "malformed"),
        (encode_bytes(b"no document"), "malformed"),
        (good[:-1], "malformed"),
        (b"", "malformed"),
        (bytes(200_000), "malformed"),
        (encode(Ack(log_id="0" * 32, seq=0, hash=bytes(32))), "malformed"),
    ):
        assert reason(gate, payload, now) == why
    assert gate.answered(good, now).most == AT_MS - now + 10, "none of it has used up the question"
    assert reason(gate, good, now) == "replayed"


def encode_bytes(sealed: bytes) -> bytes:
    """A `time` message with this in it."""
    return encode(Answer(sealed=sealed))


@given(st.binary(max_size=300))
def test_whatever_comes_it_is_one_of_the_reasons(payload: bytes) -> None:
    assert reason(asking(), payload, 0) in {"malformed", "forged", "other-gate", "replayed", "late"}


# what the clock makes of it


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> "Kernel":
    return Kernel(monkeypatch)


class Kernel:
    """What the kernel says of the wall clock: not kept by any time source, until told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synchronised = False
        monkeypatch.setattr(clock_module, "synchronised", lambda: self.synchronised)


def told(clock: Clock, at_ms: int, span_ms: int = 0) -> None:
    """The office has said that it is `at_ms`, to within `span_ms` on either side."""
    ahead = at_ms - clock.mono_ms()
    clock.hear(Told(ahead - span_ms, ahead + span_ms))


def test_the_office_is_believed_backwards_too_until_the_kernel_knows(kernel: Kernel) -> None:
    wall = Clock().now().at_ms
    clock = Clock(wall + YEAR_MS)
    assert clock.asks and not clock.now().trusted
    told(clock, wall - YEAR_MS)
    now = clock.now()
    assert now.trusted and abs(now.at_ms - (wall - YEAR_MS)) < 60_000
    step = clock.take_step()
    assert step is not None and abs(step + 2 * YEAR_MS) < 60_000
    assert clock.take_step() is None
    kernel.synchronised = True
    assert not clock.asks and abs(clock.now().at_ms - wall) < 60_000
    kernel.synchronised = False
    now = clock.now()
    assert not now.trusted, "what the office said before the kernel knew is out of date"
    assert abs(now.at_ms - wall) < 60_000


def test_a_later_answer_corrects_by_no_more_than_it_proves(kernel: Kernel) -> None:
    clock = Clock()
    clock.hear(Told(1_000_000, 1_008_000))
    assert ahead_of(clock) == 1_004_000
    clock.hear(Told(1_000_000, 1_006_000))
    assert ahead_of(clock) == 1_004_000, "it may well be right"
    clock.hear(Told(1_001_000, 1_002_000))
    assert ahead_of(clock) == 1_002_000
    clock.hear(Told(1_005_000, 1_005_500))
    assert ahead_of(clock) == 1_005_000


def ahead_of(clock: Clock) -> int:
    now = clock.now()
    return now.at_ms - now.mono_ms


def test_that_trust_begins_is_told_once_also_where_nothing_steps(kernel: Kernel) -> None:
    clock = Clock()
    told(clock, clock.now().at_ms)
    step = clock.take_step()
    assert step is not None and abs(step) < 1000
    assert clock.take_step() is None
    kernel.synchronised = True
    assert clock.take_step() is None, "it goes on being trusted"
    kernel.synchronised = False
    assert clock.take_step() is None
    kernel.synchronised = True
    assert clock.take_step() is not None


def test_a_script_asks_nobody() -> None:
    assert not ScriptedClock("Asia/Shanghai").asks


@pytest.mark.parametrize(("step_ms", "alarms"), [(0, 0), (BIG_STEP_MS - 5_000, 0), (-YEAR_MS, 1), (YEAR_MS, 1)])
def test_the_record_of_it_is_trusted_and_a_big_step_an_alarm(kernel: Kernel, step_ms: int, alarms: int) -> None:
    clock, inbox, done = Clock(), Inbox(), CarriedOut()
    loop = Loop(Checkpoint(Policy(), ids=lambda: secrets.token_hex(16)), inbox, done, clock, lambda: None)
    loop.begin()
    told(clock, clock.now().at_ms + step_ms)
    inbox.post(Tick())
    inbox.post(Tick())
    loop.stop()
    loop.run()
    (change,) = [body for body in done.bodies if isinstance(body, ClockChange)]
    assert change.trusted and abs(change.step_ms - step_ms) < 1000
    raised = [body.alarm.kind for body in done.bodies if isinstance(body, AlarmRecord)]
    assert raised == [AlarmKind.CLOCK] * alarms
    assert all(body.action is AlarmAction.RAISED for body in done.bodies if isinstance(body, AlarmRecord))


class CarriedOut:
    """Stands where the executor does: the records."""

    def __init__(self) -> None:
        self.bodies: list[Body] = []

    def carry_out(self, todo: tuple[Effect, ...], _now: Moment) -> None:
        self.bodies += [effect.body for effect in todo if isinstance(effect, Append)]


def test_refused_answers_are_recorded_and_cannot_fill_the_journal() -> None:
    gate = Gate()
    inbox = Inbox()
    for _ in range(100):
        inbox.post(TimeRefused("forged"))
    waiting: list[Event] = []
    while (event := inbox.get(0)) is not None:
        waiting.append(event)
    assert waiting == [TimeRefused("forged", 100)]
    gate.send(*waiting, TimeRefused("late"), TimeRefused("forged", 5))
    assert [(one.what, one.reason, one.count) for one in gate.bodies(Refused)] == [
        ("time", "forged", 100),
        ("time", "late", 1),
    ]


# over a real broker


class Office:
    """Answers as it is told to."""

    def __init__(self, port: int) -> None:
        self.at_ms = AT_MS
        self.says: Callable[[When], list[bytes]] = lambda when: [encode_told(GATE, when, self.at_ms, KEY)]
        self.asked = threading.Semaphore(0)
        self.link = MqttLink("127.0.0.1", port, client_id="office")
        self.link.subscribe(topic(GATE, Channel.UP), self._on_up)
        self.link.start()

    def _on_up(self, _topic: str, payload: bytes) -> None:
        if tag_of(payload) != "when":
            return
        for answer in self.says(decode_when(payload)):
            self.link.publish(topic(GATE, Channel.DOWN), answer)
        self.asked.release()


def test_a_gate_gets_the_time_over_a_broker(kernel: Kernel, mosquitto: Mosquitto) -> None:
    office = Office(mosquitto.port)
    clock = Clock()
    refused: list[TimeRefused] = []
    gate = OfficeClock(GATE, [KEY.public_key()], clock, post=refused.append)
    others: list[bytes] = []
    link = MqttLink(
        "127.0.0.1", mosquitto.port, client_id=GATE, connected=gate.connected, disconnected=gate.disconnected
    )
    handler = by_tag({"time": gate.received}, lambda _topic, payload: others.append(payload))
    link.subscribe(topic(GATE, Channel.DOWN), handler)
    gate.start(link)
    try:
        strange = encode(Ack(log_id="0" * 32, seq=0, hash=bytes(32)))
        office.says = lambda when: [
            strange, encode_told(GATE, when, AT_MS + YEAR_MS, STRANGER), encode_told(GATE, when, AT_MS, KEY),
        ]  # fmt: skip
        link.start()
        wait_until(lambda: clock.now().trusted)
        assert 0 <= clock.now().at_ms - AT_MS < WAIT_S * 1000
        assert (others, refused) == ([strange], [TimeRefused("forged")])
    finally:
        gate.stop()
        link.stop()
        office.link.stop()


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


def wait_until(condition: Callable[[], object]) -> None:
    """Until it holds."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it does not come to pass"
        select.select([], [], [], 0.005)
