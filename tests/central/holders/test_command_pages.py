"""The page of commands: what a gate is told now, over a real broker to somebody who answers as a gate would; and what becomes
of it. Nothing is sent by looking, twice, or by who may not."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from central.accounts.models import User
from central.holders.command_admin import PHRASES
from central.orders import sending
from central.orders.models import Order, Outcome
from central.registry.models import Gate
from menshen.demo.processes import free_port
from sync.contract.alarms import AlarmKind, Answer
from sync.contract.commands import SAYABLE, Acknowledge, Release, Say
from tests.central.ingest.sending import NORTH
from tests.central.orders.answering import EXECUTED, KEY, LOCKED, WAIT_S, AtGate, at
from tests.central.web.making import GateAtWork
from tests.mosquitto import Mosquitto, running_mosquitto

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database")]
ADD, LIST = "/admin/holders/gatecommand/add/", "/admin/holders/gatecommand/"
RELEASE = {"gate": NORTH, "action": "release", "note": "wheelchair"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest.fixture
def gate(settings: Settings, broker: Mosquitto) -> GateAtWork:
    """A gate that the office has heard of, and pages that can send it commands."""
    settings.COMMAND_ROAD = (at(broker.port), KEY)
    made = GateAtWork(NORTH)
    made.state()
    return made


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    client.cookies["django_language"] = "en"
    return client


@contextmanager
def answering(broker: Mosquitto, answer: Answer | None) -> Iterator[AtGate]:
    there = AtGate(broker.port, answer)
    try:
        yield there
    finally:
        there.link.stop()


def looked_at(client: Client, wanted: dict[str, str]) -> dict[str, str]:
    """What the second page would send."""
    page = client.post(ADD, wanted).content.decode()
    found = re.search(r'name="number" value="([^"]+)"', page)
    assert found is not None, page
    return wanted | {"number": found[1], "sure": "Yes"}


def ordered(client: Client, wanted: dict[str, str]) -> str:
    """Order it. Returns the page that tells what became of it."""
    answer: HttpResponse = client.post(ADD, looked_at(client, wanted), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("language", "executed", "refused", "missed"),
    [
        ("en", "✓ Carried out", "✕ Refused by the gate: gate in lockdown", "✕ Not delivered: no answer from the gate in time: it may have been carried out all the same, look at the door"),
        ("zh-hans", "✓ 已执行", "✕ 门岗拒绝", "✕ 未送达"),
    ],
)  # fmt: skip
def test_what_became_of_it_is_told(
    staff: Client, gate: GateAtWork, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch,
    language: str, executed: str, refused: str, missed: str,
) -> None:  # fmt: skip
    staff.cookies["django_language"] = language
    with answering(broker, EXECUTED) as there:
        assert executed in ordered(staff, RELEASE)
        (command,) = there.commands
    assert isinstance(command, Release)
    assert (command.gate, command.reason, command.by, command.id) == (NORTH, "wheelchair", "li", Order.objects.get().pk)
    with answering(broker, LOCKED):
        assert refused in ordered(staff, RELEASE)
    monkeypatch.setattr(sending, "LIFE_MS", 200)
    with answering(broker, None) as there:
        assert missed in ordered(staff, RELEASE)
        assert len(there.commands) == 1
    listed = staff.get(LIST).content.decode()
    assert all(told in listed for told in (executed, refused, missed, "wheelchair", "li"))


def test_it_says_a_phrase_and_acknowledges_an_alarm_of_the_gate(
    staff: Client, gate: GateAtWork, broker: Mosquitto
) -> None:
    alarm, others = gate.alarm(AlarmKind.DOOR_FORCED), GateAtWork("south-gate").alarm(AlarmKind.FEVER)
    with answering(broker, EXECUTED) as there:
        assert "please close the door" in ordered(staff, {"gate": NORTH, "action": "say", "phrase": "close-door"})
        shown = staff.post(ADD, {"gate": NORTH, "action": "acknowledge", "alarm": others}).content.decode()
        assert "Which one of this gate" in shown
        ordered(staff, {"gate": NORTH, "action": "acknowledge", "alarm": alarm, "note": "the wind"})
        said, acknowledged = there.commands
    assert isinstance(said, Say) and said.phrase == "close-door"
    assert isinstance(acknowledged, Acknowledge) and (acknowledged.alarm, acknowledged.note) == (alarm, "the wind")


def test_the_gates_are_offered_with_their_state_the_connected_ones_first(staff: Client, gate: GateAtWork) -> None:
    Gate.objects.create(pk="a-gate", admitted=True, name="<i>East</i>")
    Gate.objects.create(pk="z-gate")
    shown = staff.get(ADD, {"gate": "a-gate"}).content.decode()
    offered = re.findall(r'<option value="([a-z-]+-gate)"(?: selected)?>([^<]+)<', shown)
    assert offered == [
        (NORTH, f"● online · {NORTH} ({NORTH})"),
        ("a-gate", "✕ offline · &lt;i&gt;East&lt;/i&gt; (a-gate)"),
    ]
    staff.cookies["django_language"] = "zh-hans"
    assert "● 在线" in staff.get(ADD).content.decode()


def test_every_phrase_that_may_be_said_has_words() -> None:
    assert PHRASES.keys() == set(SAYABLE)


def test_what_is_confirmed_is_shown_first_and_looking_sends_nothing(
    staff: Client, gate: GateAtWork, broker: Mosquitto
) -> None:
    with answering(broker, EXECUTED) as there:
        shown = staff.post(ADD, RELEASE | {"note": "<script>alert(1)</script>"}).content.decode()
        assert "<script>alert" not in shown and "&lt;script&gt;alert(1)" in shown and "Within 5 seconds" in shown
        seen = looked_at(staff, RELEASE)
        for method in (staff.get, staff.head, staff.put, staff.delete, staff.options):
            method(ADD, seen)
        staff.get(f"{LIST}?action=delete_selected")
        assert there.commands == []
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"gate": "west-gate"}, {"gate": "heard-of"}, {"gate": ""}, {"gate": "../../etc/passwd"}, {"gate": "north\0gate"},
        {"gate": "#"}, {"note": ""}, {"note": "   "}, {"note": "r" * 501}, {"note": "r" * 200_000}, {"note": "a\0b"},
        {"portal": "p" * 65}, {"action": "unlock"}, {"action": ""}, {"action": "say"},
        {"action": "say", "phrase": "fire"}, {"action": "acknowledge"}, {"action": "acknowledge", "alarm": "f" * 32},
    ],
    ids=lambda change: " ".join(f"{name}={value[:20]!r}" for name, value in change.items()),
)  # fmt: skip
def test_what_cannot_be_ordered_is_told_and_not_sent(staff: Client, gate: GateAtWork, change: dict[str, str]) -> None:
    Gate.objects.create(pk="heard-of")
    seen = looked_at(staff, RELEASE)
    for wanted in (RELEASE | change, seen | change):
        answer = staff.post(ADD, wanted)
        assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert not Order.objects.exists()


def test_what_is_larger_than_any_form_is_not_read(staff: Client, gate: GateAtWork) -> None:
    assert staff.post(ADD, looked_at(staff, RELEASE) | {"note": "r" * 300_000}).status_code == 400
    assert not Order.objects.exists()


def test_it_is_sent_once_however_often_it_is_posted(staff: Client, gate: GateAtWork, broker: Mosquitto) -> None:
    with answering(broker, EXECUTED) as there:
        seen = looked_at(staff, RELEASE)
        first = staff.post(ADD, seen)
        again = staff.post(ADD, seen, follow=True)
        assert first.headers["Location"] == again.redirect_chain[-1][0]
        assert "ordered already" in again.content.decode() and "wheelchair" in again.content.decode()
        for number in ("", "0" * 32, Order.objects.get().pk):
            assert "looked at too long ago" in staff.post(ADD, seen | {"number": number}).content.decode()
        other = staff.post(ADD, seen | {"note": "something else"}).content.decode()
        assert "not what was looked at" in other and "something else" in other
        assert len(there.commands) == 1
    (order,) = Order.objects.all()
    for path, method in (("change/", staff.post), ("delete/", staff.post)):
        assert method(f"{LIST}{order.pk}/{path}", {"post": "yes", "outcome": "refused"}).status_code == 403
    order.refresh_from_db()
    assert order.outcome == Outcome.EXECUTED


def test_posted_twice_at_the_same_moment_it_is_sent_once(staff: Client, gate: GateAtWork, broker: Mosquitto) -> None:
    seen, start = looked_at(staff, RELEASE), threading.Barrier(2)

    def post(_: int) -> int:
        client = Client()
        client.cookies = staff.cookies
        start.wait(WAIT_S)
        try:
            return client.post(ADD, seen).status_code
        finally:
            connections.close_all()

    with answering(broker, EXECUTED) as there, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(post, range(2))) == [302, 302]
        assert len(there.commands) == 1
    assert Order.objects.count() == 1


def test_a_gate_or_a_broker_that_is_not_there(
    staff: Client, gate: GateAtWork, settings: Settings, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STATE_S", 0.2)
    monkeypatch.setattr(sending, "CONNECT_S", 2)
    Gate.objects.create(pk="unheard-of", admitted=True)
    assert "✕ Not delivered: the gate is not online" in ordered(staff, RELEASE | {"gate": "unheard-of"})
    settings.COMMAND_ROAD = (at(free_port()), KEY)
    assert "✕ Not delivered" in ordered(staff, RELEASE)
    assert Order.objects.count() == 2
    settings.COMMAND_ROAD = None
    assert "given no --broker" in staff.post(ADD, RELEASE).content.decode()
    user = User.objects.get()
    user.username = "x" * 65  # longer than a gate takes
    user.save()
    settings.COMMAND_ROAD = (at(broker.port), KEY)
    assert "no command" in ordered(staff, RELEASE)
    assert Order.objects.count() == 2
