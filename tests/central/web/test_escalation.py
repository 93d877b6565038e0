"""Alarms that nobody acknowledges: whom they came to, what the leader on shift instructed, and that it was done."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from central.accounts.models import User
from central.alarms.leader import Told, note
from central.alarms.models import Alarm, AlarmEvent
from sync.contract.alarms import Alarm as AtGate
from sync.contract.alarms import AlarmAction, AlarmKind, Level
from sync.contract.records import AlarmRecord
from tests.central.web.making import GateAtWork
from tests.central.web.test_alarms import text

ESCALATED, NOTED = AlarmAction.ESCALATED, AlarmAction.NOTED
pytestmark = pytest.mark.usefixtures("database")


def risen(gate: GateAtWork, level: Level = Level.LEADER) -> str:
    """An alarm that has come so far."""
    alarm = gate.alarm(AlarmKind.DOOR_FORCED)
    for each in range(Level.LOUDER, level + 1):
        gate.alarm(AlarmKind.DOOR_FORCED, ESCALATED, id=alarm, level=Level(each))
    return alarm


def allowed(clerk: User) -> User:
    """The clerk may write down what the leader says."""
    clerk.user_permissions.add(Permission.objects.get(codename="add_alarmevent"))
    return clerk


def events(alarm: str) -> list[tuple[str, str, str]]:
    """What is kept of notes."""
    found = AlarmEvent.objects.filter(alarm=alarm, action=NOTED).order_by("at_ms", "pk")
    return [(event.what, event.by, event.note) for event in found]


@pytest.mark.parametrize(
    ("level", "word"),
    [(Level.LOUDER, "Louder at the gate"), (Level.DUTY_ROOM, "Duty room told"), (Level.LEADER, "Leader on shift told")],
)
def test_whom_it_came_to_stands_on_the_bar_the_list_and_the_page(
    office: Client, gate: GateAtWork, level: Level, word: str
) -> None:
    alarm = risen(gate, level)
    for address in ("/alarms/bar/", "/alarms/open/", "/alarms/", f"/alarms/{alarm}/"):
        page = office.get(address).content
        assert word in text(page), address
        assert f'class="badge level-{Alarm.objects.get().told}"><svg' in page.decode(), "a shape beside the word"
    assert f"nobody came: the next was told {word}" in text(office.get(f"/alarms/{alarm}/").content)


def test_what_has_not_risen_says_nothing_of_it(office: Client, gate: GateAtWork) -> None:
    gate.alarm(AlarmKind.FEVER)
    page = office.get("/alarms/").content.decode()
    assert "level-" not in page and "uninstructed" not in page


def test_an_instruction_and_its_execution_are_kept_with_who_and_when(
    office: Client, clerk: User, gate: GateAtWork
) -> None:
    allowed(clerk)
    alarm = risen(gate)
    assert "No instruction yet" in text(office.get("/alarms/bar/").content)
    office.post(f"/alarms/{alarm}/note/", {"what": "instruction", "note": " 派人到北门查看 "})
    answer = office.post(f"/alarms/{alarm}/note/", {"what": "done", "note": "lock mended"}, follow=True)
    assert "This does not acknowledge the alarm" in text(answer.content)
    assert events(alarm) == [("instruction", "li", "派人到北门查看"), ("done", "li", "lock mended")]
    page = text(answer.content)
    assert "instruction of the leader on shift li 派人到北门查看 office" in page
    assert "No instruction yet" not in page and "No instruction yet" not in text(office.get("/alarms/").content)
    assert not Alarm.objects.get().acknowledged, "it is no second way of acknowledging"


def test_what_the_gate_recorded_and_what_the_office_wrote_stand_in_the_order_of_time(
    office: Client, clerk: User, gate: GateAtWork
) -> None:
    alarm = risen(gate)
    note(alarm, clerk, Told.DONE, "went there")
    told = AtGate(id=alarm, kind=AlarmKind.DOOR_FORCED, portal="main", since_ms=0, level=Level.LEADER)
    first = Alarm.objects.get().since_ms + 1
    gate.record(AlarmRecord(action=NOTED, alarm=told, by="wang", note="shut the gate", what="instruction"), at_ms=first)
    page = text(office.get(f"/alarms/{alarm}/").content)
    assert page.index("shut the gate") < page.index("went there")
    assert "No instruction yet" not in page, "the gate's counts too"


def test_those_without_an_instruction_are_listed(office: Client, clerk: User, gate: GateAtWork) -> None:
    first, second = risen(gate), risen(gate)
    gate.alarm(AlarmKind.CALL)
    assert "2 alarms came to the leader on shift" in text(office.get("/alarms/").content)
    note(first, clerk, Told.INSTRUCTION, "go")
    gate.alarm(AlarmKind.DOOR_FORCED, AlarmAction.CLEARED, id=second, level=Level.LEADER)
    office.post("/alarms/acknowledge/", {"alarm": second, "note": "looked"})
    assert "1 alarm came to the leader on shift" in text(office.get("/alarms/").content), "acknowledged or not"
    rows = office.get("/alarms/?uninstructed=1").content.decode().partition("<h2>History")[2]
    assert re.findall(r'href="/alarms/([0-9a-f]{32})/"', rows) == [second]


def test_who_may_not_is_told_and_changes_nothing(office: Client, gate: GateAtWork) -> None:
    alarm = risen(gate)
    page = office.get(f"/alarms/{alarm}/").content
    assert "/note/" not in page.decode() and "needs a permission" in text(page)
    assert office.post(f"/alarms/{alarm}/note/", {"what": "done", "note": "x"}).status_code == 403
    assert events(alarm) == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"what": "done"},
        {"what": "done", "note": "  "},
        {"what": "erased", "note": "x"},
        {"what": "\0", "note": "x"},
    ],
)
def test_what_makes_no_sense_is_not_written_down(
    office: Client, clerk: User, gate: GateAtWork, given: dict[str, str]
) -> None:
    allowed(clerk)
    alarm = risen(gate)
    answer = office.post(f"/alarms/{alarm}/note/", given, follow=True)
    assert "Nothing was written down" in text(answer.content)
    assert events(alarm) == []
    assert office.post(f"/alarms/{'0' * 32}/note/", {"what": "done", "note": "x"}).status_code == 404
    assert office.get(f"/alarms/{alarm}/note/").status_code == 405


def test_hostile_notes_are_harmless_and_two_at_one_moment_are_two(
    office: Client, clerk: User, gate: GateAtWork
) -> None:
    allowed(clerk)
    alarm = risen(gate)
    for number in range(5):
        given = {"what": "done", "note": f"{number}<script>alert(1)</script>\u202e" + "x" * 900}
        office.post(f"/alarms/{alarm}/note/", given)
    kept = events(alarm)
    assert [told[:1] for _, _, told in kept] == list("01234") and {len(told) for _, _, told in kept} == {500}
    page = office.get(f"/alarms/{alarm}/").content.decode()
    assert "<script>alert" not in page and "\u202e" not in page


def test_in_chinese(office: Client, gate: GateAtWork) -> None:
    risen(gate)
    office.cookies["django_language"] = "zh-hans"
    assert "已通知带班领导 尚无指示" in text(office.get("/alarms/bar/").content)
