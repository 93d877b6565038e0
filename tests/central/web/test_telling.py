"""What is acknowledged at the office is told to the gate, over a real broker to somebody who answers as a gate would; and who
acknowledged reads what became of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.test import Client
from pytest_django import Settings

from central.accounts.models import User
from central.alarms.models import Alarm
from central.orders import sending
from central.orders.models import Order
from central.registry.models import Gate
from sync.contract.alarms import AlarmAction, AlarmKind, Answer, CommandOutcome, Level
from sync.contract.commands import Acknowledge, Command
from tests.central.ingest.sending import NORTH
from tests.central.orders.answering import EXECUTED, KEY, LOCKED, AtGate, at
from tests.central.web.making import GateAtWork
from tests.central.web.test_alarms import text
from tests.mosquitto import Mosquitto, running_mosquitto

pytestmark = pytest.mark.django_db(transaction=True)
TOLD = f"{NORTH}: the gate has carried it out."
NOT_TOLD = f"{NORTH}: not told to the gate: "


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest.fixture
def online(gate: GateAtWork, broker: Mosquitto, settings: Settings) -> GateAtWork:
    settings.COMMAND_ROAD = (at(broker.port), KEY)
    gate.state()
    return gate


@contextmanager
def answering(broker: Mosquitto, answer: Answer | None) -> Iterator[list[Command]]:
    there = AtGate(broker.port, answer)
    try:
        yield there.commands
    finally:
        there.link.stop()


def acknowledge(office: Client, *alarms: str, note: str = "went there") -> str:
    return text(office.post("/alarms/acknowledge/", {"alarm": alarms, "note": note}, follow=True).content)


def test_the_gate_is_told_who_what_and_the_leaders_instruction(
    office: Client, clerk: User, online: GateAtWork, broker: Mosquitto, leader: None
) -> None:
    alarm = online.alarm(AlarmKind.FEVER, level=Level.LEADER)
    for said in ("wait for me", "call the clinic"):
        shown = text(office.post(f"/alarms/{alarm}/note/", {"what": "instruction", "note": said}, follow=True).content)
        assert "only with the acknowledgement that comes after it" in shown
    with answering(broker, EXECUTED) as commands:
        assert TOLD in acknowledge(office, alarm, note="measured again by hand")
    (command,) = commands
    assert isinstance(command, Acknowledge)
    assert (command.alarm, command.by) == (alarm, clerk.get_username())
    assert command.note == "instruction of the leader on shift: call the clinic · measured again by hand"
    assert Order.objects.get().note == command.note


@pytest.fixture
def leader(clerk: User) -> None:
    """The clerk may write down what the leader on shift instructs."""
    clerk.is_superuser = True
    clerk.save()


def test_of_many_each_is_told_and_nobody_elses(office: Client, online: GateAtWork, broker: Mosquitto) -> None:
    wanted = [online.alarm(AlarmKind.FEVER), online.alarm(AlarmKind.CALL)]
    online.alarm(AlarmKind.TAMPER)
    known_there = online.alarm(AlarmKind.FIRE, AlarmAction.ACKNOWLEDGED, acknowledged=True, acknowledged_by="chen")
    with answering(broker, EXECUTED) as commands:
        assert acknowledge(office, *wanted, known_there).count(TOLD) == 1
    assert {command.alarm for command in commands if isinstance(command, Acknowledge)} == set(wanted)
    assert len(commands) == 2


def test_of_all_that_is_over_the_gate_is_told_what_it_still_holds_open(
    office: Client, online: GateAtWork, broker: Mosquitto
) -> None:
    held, forced = online.alarm(AlarmKind.DOOR_HELD_OPEN), online.alarm(AlarmKind.DOOR_FORCED)
    online.alarm(AlarmKind.DOOR_HELD_OPEN, AlarmAction.CLEARED, id=held)
    online.alarm(AlarmKind.DOOR_FORCED, AlarmAction.ENDED, id=forced)
    given = {"over": f"{held} {forced}", "all-over": "1", "note": "shut them"}
    with answering(broker, EXECUTED) as commands:
        assert TOLD in text(office.post("/alarms/acknowledge/", given, follow=True).content)
    (command,) = commands
    assert isinstance(command, Acknowledge)
    assert (command.alarm, command.by, command.note) == (forced, "li", "shut them")


def test_a_gate_that_is_offline_is_not_told_and_not_later(
    office: Client, online: GateAtWork, broker: Mosquitto
) -> None:
    alarm = online.alarm(AlarmKind.FEVER)
    Gate.objects.update(said_online=False)
    with answering(broker, EXECUTED) as commands:
        assert f"{NOT_TOLD}it is offline. It is not sent later" in acknowledge(office, alarm)
        assert commands == [] and not Order.objects.exists()
        assert Alarm.objects.get(pk=alarm).acknowledged
        detail = text(office.get(f"/alarms/{alarm}/").content)
        assert "not known at the gate" in detail and "Tell the gate now" in detail
        Gate.objects.update(said_online=True)
        assert TOLD in text(office.post(f"/alarms/{alarm}/tell/", follow=True).content)
        assert len(commands) == 1
    online.alarm(AlarmKind.FEVER, AlarmAction.ACKNOWLEDGED, id=alarm, acknowledged=True, acknowledged_by="li")
    assert "Tell the gate now" not in text(office.get(f"/alarms/{alarm}/").content)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (LOCKED, "Refused by the gate: gate in lockdown"),
        (
            None,
            "Not delivered: no answer from the gate in time: it may have been carried out all the same, look at the door",
        ),
    ],
)
def test_a_gate_that_refuses_or_does_not_answer(
    office: Client, online: GateAtWork, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch, answer: Answer | None, why: str
) -> None:  # fmt: skip
    monkeypatch.setattr(sending, "LIFE_MS", 200)
    alarms = [online.alarm(AlarmKind.FEVER), online.alarm(AlarmKind.CALL)]
    with answering(broker, answer) as commands:
        assert NOT_TOLD + why in acknowledge(office, *alarms)
    assert len(commands) == 1, "a gate that missed one is not asked again"
    assert "Last told" in text(office.get(f"/alarms/{commands[0].alarm}/").content)  # type: ignore[union-attr]


def test_one_that_somebody_at_the_gate_was_quicker_with(office: Client, online: GateAtWork, broker: Mosquitto) -> None:
    gone = Answer(id="", outcome=CommandOutcome.REFUSED, reason="nothing-to-acknowledge")
    with answering(broker, gone):
        assert TOLD in acknowledge(office, online.alarm(AlarmKind.CALL))


def test_an_office_that_sends_no_commands_says_so(office: Client, gate: GateAtWork) -> None:
    gate.state()
    assert f"{NOT_TOLD}this office sends no commands" in acknowledge(office, gate.alarm(AlarmKind.CALL))


def test_only_what_is_acknowledged_here_is_told(office: Client, online: GateAtWork, broker: Mosquitto) -> None:
    alarm = online.alarm(AlarmKind.CALL)
    with answering(broker, EXECUTED) as commands:
        office.post(f"/alarms/{alarm}/tell/")
        assert office.get(f"/alarms/{alarm}/tell/").status_code == 405
        assert office.post(f"/alarms/{'0' * 32}/tell/").status_code == 404
    assert commands == []
