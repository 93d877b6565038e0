"""The alarms: at the top of every page, acknowledged with a note that is kept."""

import re
from html import unescape

import pytest
from django.test import Client

from central.accounts.models import User
from central.alarms.models import Alarm
from central.alarms.views import IN_BAR, PAGE
from central.web.templatetags.office import gate_time
from sync.contract.alarms import Alarm as AtGate
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.records import AlarmRecord
from tests.central.web.making import GateAtWork


def text(page: bytes) -> str:
    """The page's words."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


@pytest.mark.parametrize("address", ["/entries/", "/alarms/", "/gates/", "/password/", "/alarms/bar/"])
def test_open_alarms_stand_at_the_top_of_every_page(office: Client, gate: GateAtWork, address: str) -> None:
    assert "No open alarms" in text(office.get(address).content)
    alarm = gate.alarm(AlarmKind.DOOR_FORCED)
    page = office.get(address).content
    assert "Not acknowledged Door forced north-gate" in text(page)
    assert f'href="/alarms/{alarm}/"' in page.decode()
    assert page.decode().index("Door forced") < (page.decode() + "<main").index("<main")


def test_what_is_over_stays_until_somebody_has_looked(office: Client, gate: GateAtWork) -> None:
    alarm = gate.alarm(AlarmKind.DEVICE_LOST, detail="thermometer")
    gate.alarm(AlarmKind.DEVICE_LOST, AlarmAction.CLEARED, id=alarm, detail="thermometer")
    bar = text(office.get("/alarms/bar/").content)
    assert re.search(r"Over, not acknowledged yet over since [\d: -]{19} Device lost north-gate · thermometer", bar)
    office.post("/alarms/acknowledge/", {"alarm": alarm, "note": "plugged in again"})
    assert "No open alarms" in text(office.get("/alarms/bar/").content)


def test_an_alarm_that_its_gate_holds_open_and_is_over_says_so_with_a_shape_and_the_time(
    office: Client, gate: GateAtWork
) -> None:
    alarm = gate.alarm(AlarmKind.DOOR_FORCED)
    at_gate = Alarm.objects.get()
    held = AtGate(id=alarm, kind=AlarmKind.DOOR_FORCED, portal="main", since_ms=at_gate.since_ms)
    over_ms = at_gate.since_ms + 65_000
    gate.state(alarms=(held,), ended=(alarm,), at_ms=over_ms)
    since = f"over since {text(gate_time(over_ms).encode())}"
    for address in ("/alarms/bar/", "/alarms/open/", "/alarms/", f"/alarms/{alarm}/"):
        page = office.get(address).content
        assert f"Over, not acknowledged yet {since}" in text(page), address
        assert 'class="badge alarm_state-over"><svg' in page.decode(), "a shape beside the word"
        assert "alarm_state-new" not in page.decode()
    assert "over, not acknowledged yet" in text(office.get(f"/alarms/{alarm}/").content), "in its history"
    office.cookies.load({"django_language": "zh-hans"})
    assert "已结束，尚未确认 结束于" in text(office.get("/alarms/").content)
    office.cookies.load({"django_language": "en"})
    office.post("/alarms/acknowledge/", {"alarm": alarm, "note": "shut it"})
    page = text(office.get("/alarms/bar/").content)
    assert f"Over; acknowledged here, not yet at the gate {since}" in page
    gate.state()
    assert "No open alarms" in text(office.get("/alarms/bar/").content)
    assert "Closed" in text(office.get(f"/alarms/{alarm}/").content)


def test_one_that_was_acknowledged_at_the_gate_says_by_whom_and_what_he_noted(office: Client, gate: GateAtWork) -> None:
    alarm = gate.alarm(AlarmKind.CALL)
    row = Alarm.objects.get()
    told = AtGate(
        id=alarm, kind=AlarmKind.CALL, portal="main", since_ms=row.since_ms, acknowledged=True, acknowledged_by="Wang"
    )
    gate.record(AlarmRecord(action=AlarmAction.CLEARED, by="Wang", note="came to the door", alarm=told))
    page = office.get(f"/alarms/{alarm}/").content
    assert "Acknowledged by Wang at the gate Noted at the gate came to the door" in text(page)
    assert "acknowledged at the gate, and closed Wang came to the door" in text(page), "and not merely over"
    assert "Acknowledge at the office, too" in text(page) and "autofocus" not in page.decode()
    assert "Closed Wang at the gate came to the door" in text(office.get("/alarms/").content), "in the list, too"
    office.post("/alarms/acknowledge/", {"alarm": alarm, "note": "rang back"})
    assert "rang back" in text(office.get("/alarms/").content), "what the office wrote comes first"


def test_what_still_goes_on_stands_before_what_is_over(office: Client, gate: GateAtWork) -> None:
    forced = gate.alarm(AlarmKind.DOOR_FORCED)
    for number in range(IN_BAR):
        lost = gate.alarm(AlarmKind.DEVICE_LOST, detail=f"reader-{number}")
        gate.alarm(AlarmKind.DEVICE_LOST, AlarmAction.CLEARED, id=lost, detail=f"reader-{number}")
    bar = office.get("/alarms/bar/").content.decode()
    assert bar.index(forced) < bar.index("alarm_state-over")


def test_not_acknowledged_first_then_the_newest(office: Client, gate: GateAtWork) -> None:
    for kind in (AlarmKind.FEVER, AlarmKind.CALL, AlarmKind.FIRE):
        gate.alarm(kind)
    gate.alarm(AlarmKind.TAMPER, AlarmAction.ACKNOWLEDGED, acknowledged=True, acknowledged_by="guard")
    bar = text(office.get("/alarms/bar/").content)
    assert re.findall("Fever|Call button|Fire alarm|Tampering", re.sub(r": [^,]+, north-gate", "", bar)) == [
        "Fire alarm",
        "Call button",
        "Fever",
        "Tampering",
    ]
    assert "Acknowledged, still open Tampering" in bar


def test_a_flood_is_named_and_not_shown_whole(office: Client, gate: GateAtWork) -> None:
    for _ in range(IN_BAR + 5):
        gate.alarm(AlarmKind.CALL)
    page = office.get("/alarms/bar/").content
    assert page.decode().count("<li") == IN_BAR + 1
    assert f"All {IN_BAR + 5} open alarms" in text(page)


def test_acknowledging_one(office: Client, clerk: User, gate: GateAtWork) -> None:
    alarm, other = gate.alarm(AlarmKind.FEVER), gate.alarm(AlarmKind.CALL)
    page = office.get(f"/alarms/{alarm}/")
    assert 'name="note"' in page.content.decode()
    answer = office.post(
        "/alarms/acknowledge/", {"alarm": alarm, "note": " measured again by hand: 36.6 "}, follow=True
    )
    assert answer.redirect_chain == [("/alarms/", 302)]
    assert "1 alarm acknowledged." in text(answer.content)
    row = Alarm.objects.get(pk=alarm)
    assert (row.office_acknowledged_by, row.office_note) == (clerk, "measured again by hand: 36.6")
    assert not Alarm.objects.get(pk=other).acknowledged
    assert "measured again by hand: 36.6" in text(answer.content)  # in the history
    detail = text(office.get(f"/alarms/{alarm}/").content)
    assert "acknowledged at the office li measured again by hand: 36.6" in detail
    assert 'name="note"' not in office.get(f"/alarms/{alarm}/").content.decode()


def test_acknowledging_all_means_all_that_were_shown(office: Client, gate: GateAtWork) -> None:
    gate.alarm(AlarmKind.FEVER)
    gate.alarm(AlarmKind.CALL)
    page = office.get("/alarms/").content.decode()
    shown = re.findall(r'<input type="hidden" name="alarm" value="([0-9a-f]{32})" form="acknowledge-all">', page)
    assert len(shown) == 2
    later = gate.alarm(AlarmKind.FIRE)
    answer = office.post("/alarms/acknowledge/", {"alarm": shown, "note": "went there"}, follow=True)
    assert "2 alarms acknowledged." in text(answer.content)
    assert not Alarm.objects.get(pk=later).acknowledged


@pytest.mark.parametrize("note", ["", "   "])
def test_a_note_is_asked_for(office: Client, gate: GateAtWork, note: str) -> None:
    alarm = gate.alarm(AlarmKind.FEVER)
    answer = office.post("/alarms/acknowledge/", {"alarm": alarm, "note": note}, follow=True)
    assert "please write what was done" in text(answer.content)
    assert answer.redirect_chain == [(f"/alarms/{alarm}/", 302)]
    assert not Alarm.objects.get(pk=alarm).acknowledged


def test_twice_is_once(office: Client, gate: GateAtWork) -> None:
    alarm = gate.alarm(AlarmKind.FEVER)
    office.post("/alarms/acknowledge/", {"alarm": alarm, "note": "first"})
    answer = office.post("/alarms/acknowledge/", {"alarm": alarm, "note": "second"}, follow=True)
    assert "nothing left to acknowledge" in text(answer.content)
    assert Alarm.objects.get(pk=alarm).office_note == "first"


@pytest.mark.parametrize("ids", [[], ["x"], ["0" * 32], ["\x00"], ["'; drop table"]])
def test_alarms_that_do_not_exist(office: Client, gate: GateAtWork, ids: list[str]) -> None:
    answer = office.post("/alarms/acknowledge/", {"alarm": ids, "note": "x"}, follow=True)
    assert answer.status_code == 200
    assert office.post("/alarms/acknowledge/", {"alarm": ids, "note": ""}).status_code == 302


def test_hostile_notes_and_details_are_harmless(office: Client, gate: GateAtWork) -> None:
    alarm = gate.alarm(AlarmKind.DEVICE_LOST, detail="<script>alert(1)</script>")
    office.post("/alarms/acknowledge/", {"alarm": alarm, "note": "<b onclick=x>\u202e"})
    for address in ("/alarms/", f"/alarms/{alarm}/", "/entries/"):
        page = office.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<b onclick" not in page
        assert "\u202e" not in page


def test_history_has_pages(office: Client, gate: GateAtWork) -> None:
    for _ in range(PAGE + 1):
        gate.alarm(AlarmKind.CALL)
    assert 'href="?page=2"' in office.get("/alarms/").content.decode()
    assert 'href="?page=1"' in office.get("/alarms/?page=2").content.decode()
    assert office.get("/alarms/?page=x").status_code == 200


def test_the_list_keeps_itself_up_to_date(office: Client, gate: GateAtWork) -> None:
    page = office.get("/alarms/").content.decode()
    addresses = [unescape(each) for each in re.findall(r'hx-get="([^"]+)"', page)]
    assert len(addresses) == 2  # the bar, and the list
    assert [office.get(each).status_code for each in addresses] == [204, 204]
    gate.alarm(AlarmKind.FEVER)
    assert all("Fever" in text(office.get(each).content) for each in addresses)
