"""A command on its way, over a real broker to somebody who answers as a gate would; and what the office writes down of it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from django.db import IntegrityError

from central.accounts.models import User
from central.orders import sending
from central.orders.book import hear_record
from central.orders.models import Order, Outcome
from central.orders.sending import Wish, gate_clock_ms, send
from central.registry.models import Gate
from menshen.demo.processes import free_port
from sync.contract.alarms import Answer, CommandOutcome, StateMessage
from sync.contract.commands import NoCommand, Release
from sync.contract.records import CommandRecord
from tests.central.ingest.sending import NORTH, NOW, Desk, batch, log_id, record
from tests.central.orders.answering import BOOT, EXECUTED, KEY, LOCKED, AtGate, at
from tests.mosquitto import Mosquitto, running_mosquitto

WISH = Wish(make=lambda common: Release(reason="wheelchair", **common), note="wheelchair")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database")]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path) as started:
        yield started


@pytest.fixture
def gate() -> Gate:
    return Gate.objects.create(pk=NORTH, admitted=True)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("li")


def sent(port: int, gate: Gate, user: User, answer: Answer | None, *, online: bool = True) -> tuple[Order, AtGate]:
    """Send a command to somebody who answers so."""
    there = AtGate(port, answer, online=online)
    try:
        return send(at(port), gate, user, WISH, KEY), there
    finally:
        there.link.stop()


@pytest.mark.parametrize(
    ("answer", "became"),
    [(EXECUTED, (Outcome.EXECUTED, "")), (LOCKED, (Outcome.REFUSED, "lockdown"))],
    ids=["executed", "refused"],
)
def test_what_the_gate_answers_is_written_down(
    broker: Mosquitto, gate: Gate, user: User, answer: Answer, became: tuple[str, str]
) -> None:
    before = time.monotonic()
    order, there = sent(broker.port, gate, user, answer)
    (command,) = there.commands
    assert (order.outcome, order.reason) == became and order.answered_at is not None
    assert isinstance(command, Release)
    assert (command.gate, command.id, command.boot, command.by) == (NORTH, order.pk, BOOT, "li")
    assert 0 <= command.not_after_mono - 95_000 <= (time.monotonic() - before) * 1000 + 1
    kept = Order.objects.get()
    assert (kept.gate, kept.by, kept.action, kept.note) == (gate, user, "release", "wheelchair")
    assert (kept.boot, kept.not_after_mono) == (BOOT, command.not_after_mono)


def test_without_an_answer_it_is_not_delivered_until_its_record_comes(
    broker: Mosquitto, gate: Gate, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LIFE_MS", 200)
    order, there = sent(broker.port, gate, user, None)
    assert (order.outcome, order.reason) == (Outcome.NOT_DELIVERED, "no-answer-from-gate")
    assert len(there.commands) == 1
    told = CommandRecord(command=order.pk, action="release", by="li", outcome=CommandOutcome.EXECUTED)
    for number, body in enumerate((msgspec.structs.replace(told, command="f" * 32), told), 1):
        assert order.outcome == Outcome.NOT_DELIVERED
        Desk().take(batch(record(body), log=log_id(number)))
        order.refresh_from_db()
    assert (order.outcome, order.reason, order.answered_at) == (Outcome.EXECUTED, "", NOW)


def test_what_is_known_stays_so_and_is_no_other_gates_business(gate: Gate, user: User) -> None:
    order = Order.objects.create(pk="1" * 32, gate=gate, by=user, action="release", ordered_at=NOW)
    other = Gate.objects.create(pk="other-gate", admitted=True)
    told = CommandRecord(command=order.pk, action="release", by="li", outcome=CommandOutcome.EXECUTED)
    hear_record(other, told, NOW)
    order.refresh_from_db()
    assert order.outcome == Outcome.SENT
    refused = msgspec.structs.replace(told, outcome=CommandOutcome.REFUSED, reason="lock\x1b[2J" + "d" * 200)
    for body in (refused, told):
        hear_record(gate, body, NOW)
    order.refresh_from_db()
    assert order.outcome == Outcome.REFUSED and order.reason.isprintable() and len(order.reason) == 64


def test_a_gate_that_is_not_there_is_sent_nothing(
    broker: Mosquitto, gate: Gate, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, there = sent(broker.port, gate, user, EXECUTED, online=False)
    assert (order.outcome, order.reason, there.commands) == (Outcome.NOT_DELIVERED, "gate-offline", [])
    monkeypatch.setattr(sending, "STATE_S", 0.2)
    unheard = Gate.objects.create(pk="unheard-of", admitted=True)
    order = send(at(broker.port), unheard, user, WISH, KEY)
    assert (order.outcome, order.reason, order.boot) == (Outcome.NOT_DELIVERED, "gate-offline", "")


def test_a_broker_that_is_not_there(gate: Gate, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "CONNECT_S", 0.2)
    order = send(at(free_port()), gate, user, WISH, KEY)
    assert (order.outcome, order.reason) == (Outcome.NOT_DELIVERED, "broker-not-reached")


def test_what_no_gate_would_take_is_not_ordered(gate: Gate, user: User) -> None:
    for wish in (
        Wish(make=lambda common: Release(reason="r" * 501, **common)),
        Wish(make=lambda common: Release(portal="p" * 65, **common)),
    ):
        with pytest.raises(NoCommand):
            send(at(1), gate, user, wish, KEY)
    assert not Order.objects.exists()


def test_a_number_that_was_sent_is_sent_no_second_time(gate: Gate, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "CONNECT_S", 0.2)
    assert send(at(1), gate, user, WISH, KEY, "1" * 32).pk == "1" * 32
    with pytest.raises(IntegrityError):
        send(at(1), gate, user, WISH, KEY, "1" * 32)
    with pytest.raises(NoCommand):
        send(at(1), gate, user, WISH, KEY, "no number")
    assert Order.objects.count() == 1


def test_the_gates_clock_is_never_taken_for_later_than_it_can_be() -> None:
    state = StateMessage(online=True, boot=BOOT, connection=1, mono_ms=90_000)
    unknown = Gate(pk=NORTH)
    assert gate_clock_ms(state, 0.5, unknown, NOW) == 90_500

    def by_ingest(mono_ms: int, ago_s: float, boot: str = BOOT) -> int:
        known = Gate(pk=NORTH, boot=boot, mono_ms=mono_ms, state_at=NOW - timedelta(seconds=ago_s))
        return gate_clock_ms(state, 0.5, known, NOW)

    assert by_ingest(90_000, 7) == 97_000  # the broker's was 6.5 s old
    assert by_ingest(80_000, 7) == 90_500  # an older state says less
    assert by_ingest(90_000, 7, "2b" * 16) == 90_500
    assert by_ingest(90_000, 3600) == 100_500  # the office's clock was set forward meanwhile
    assert by_ingest(90_000, -3600) == 90_500  # and back
