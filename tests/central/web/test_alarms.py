"""The alarms: at the top of every page, acknowledged with a note that is kept."""

import re
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from central.accounts.models import User
from central.alarms import views
from central.alarms.models import Alarm, AlarmEvent
from central.alarms.views import IN_BAR, PAGE
from central.web.templatetags.office import gate_time
from sync.contract.alarms import Alarm as AtGate
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.records import AlarmRecord
from tests.central.web.making import GateAtWork

EVENING = datetime(2026, 3, 1, 22, tzinfo=ZoneInfo("Asia/Shanghai"))


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
        "Fever",
        "Call button",  # though it came after the fever: somebody waits, and nobody is in danger
        "Tampering",
    ]
    assert "Acknowledged, still open Tampering" in bar


def a_night(gate: GateAtWork, *, let_in: int = 0, unanswered: int = 0, evening: datetime = EVENING) -> list[str]:
    """People who come at night, a quarter of an hour after each other. Returns the alarms, those of whom was let in first."""
    alarms = []
    for number in range(let_in + unanswered):
        since_ms = int((evening + timedelta(minutes=15 * number)).timestamp() * 1000)
        alarms.append(gate.alarm(AlarmKind.NIGHT_ARRIVAL, since_ms=since_ms))
        told = AtGate(id=alarms[-1], kind=AlarmKind.NIGHT_ARRIVAL, portal="main", since_ms=since_ms)
        gate.alarm(AlarmKind.NIGHT_ARRIVAL, AlarmAction.CLEARED, id=told.id, since_ms=since_ms)
        what = "granted" if number < let_in else ""
        gate.record(AlarmRecord(action=AlarmAction.CLEARED, alarm=told, what=what))
    return alarms


def over_here(page: str) -> list[str]:
    """What the page would acknowledge as being over."""
    (ids,) = re.findall(r'<input type="hidden" name="over" value="([0-9a-f ]+)" form="acknowledge-all">', page)
    return str(ids).split()


def test_who_came_at_night_and_was_let_in_needs_nobody_any_more(office: Client, gate: GateAtWork) -> None:
    (alarm,) = a_night(gate, let_in=1)
    assert "No open alarms" in text(office.get("/alarms/bar/").content)
    page = office.get("/alarms/").content.decode()
    assert "Over: the visit ended" in text(page.encode()) and 'class="badge alarm_state-visit-ended"><svg' in page
    assert 'name="over"' not in page and 'name="alarm"' not in page
    assert "over: the visitor was let in" in text(office.get(f"/alarms/{alarm}/").content)


def test_calls_that_nobody_answered_are_counted_by_gate_and_night_and_hide_no_forced_door(
    office: Client, gate: GateAtWork
) -> None:
    forced = gate.alarm(AlarmKind.DOOR_FORCED)
    a_night(gate, let_in=9, unanswered=12)
    a_night(gate, unanswered=1, evening=EVENING + timedelta(days=1))
    south = GateAtWork("south-gate")
    a_night(south, unanswered=2)
    bar = office.get("/alarms/bar/").content.decode()
    assert bar.count("<li") == 2 and bar.index(forced) < bar.index("Nobody answered")
    assert "Nobody answered 15 calls · 2 gates" in text(bar.encode())
    page = office.get("/alarms/").content.decode()
    rows = re.findall(
        r'<tr id="of-night-[\w-]+" tabindex="-1">\s*<td class="time">(.*?)</tr>',
        page.partition("<h2>History")[0],
        re.DOTALL,
    )
    assert [text(row.encode()).partition(" Look")[0] for row in rows] == [
        "2026-03-02 – 03-03 north-gate 1 22:00:00",
        "2026-03-01 – 03-02 north-gate 12 00:15:00 – 03:00:00",
        "2026-03-01 – 03-02 south-gate 2 22:00:00 – 22:15:00",
    ]
    assert page.count('id="open-') == 2, "the list and the forced door"
    one = office.get("/alarms/?gate=north-gate&night=2026-03-01&unanswered=1").content.decode()
    assert len(over_here(one)) == 12 and "No open alarms" in text(one.partition("<main")[2].encode())
    assert "12 alarms here are over" in text(one.encode())
    office.cookies.load({"django_language": "zh-hans"})
    assert "无人应答" in text(office.get("/alarms/bar/").content)


def test_all_that_is_over_is_acknowledged_at_once_as_far_as_it_was_shown(
    office: Client, clerk: User, gate: GateAtWork
) -> None:
    goes_on = gate.alarm(AlarmKind.DOOR_FORCED)
    held = gate.alarm(AlarmKind.DOOR_HELD_OPEN)
    gate.alarm(AlarmKind.DOOR_HELD_OPEN, AlarmAction.CLEARED, id=held)
    calls = a_night(gate, unanswered=3)
    south = GateAtWork("south-gate")
    a_night(south, unanswered=2)
    page = office.get("/alarms/?gate=north-gate").content.decode()
    assert sorted(over_here(page)) == sorted([held, *calls])
    assert '<input type="hidden" name="gate" value="north-gate">' in page
    (later,) = a_night(gate, unanswered=1)
    listed = re.findall(r'name="alarm" value="([0-9a-f]{32})"', page)
    given = {"alarm": listed, "over": " ".join(over_here(page)), "all-over": "1", "gate": "north-gate"}
    answer = office.post("/alarms/acknowledge/", given | {"note": " "}, follow=True)
    assert "please write what was done" in text(answer.content) and not Alarm.objects.get(pk=held).acknowledged
    answer = office.post("/alarms/acknowledge/", given | {"note": "looked at the pictures"}, follow=True)
    assert answer.redirect_chain == [("/alarms/?gate=north-gate", 302)]
    assert "4 alarms acknowledged." in text(answer.content)
    done = Alarm.objects.filter(office_acknowledged_by=clerk, office_note="looked at the pictures")
    assert set(done.values_list("pk", flat=True)) == {held, *calls}
    assert AlarmEvent.objects.filter(action="office-ack", by="li").count() == 4, "each has it in its history"
    assert not Alarm.objects.filter(pk__in=[goes_on, later], office_acknowledged_by=clerk).exists()
    assert "Nobody answered 3 calls" in text(office.get("/alarms/bar/").content)


def test_acknowledging_at_once_needs_a_login_and_the_pages_own_token(gate: GateAtWork, clerk: User) -> None:
    (alarm,) = a_night(gate, unanswered=1)
    given = {"over": alarm, "all-over": "1", "note": "x"}
    assert Client().post("/alarms/acknowledge/", given)["Location"].startswith("/login/")
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(clerk)
    assert forged.post("/alarms/acknowledge/", given).status_code == 403
    assert not Alarm.objects.get(pk=alarm).acknowledged


@pytest.mark.parametrize(
    "query", ["gate=x&night=2026-99-99", "night=0001-01-01", "night=9999-12-31", "gate=%00", "unanswered=x"]
)
def test_addresses_that_make_no_sense(office: Client, gate: GateAtWork, query: str) -> None:
    gate.alarm(AlarmKind.NIGHT_ARRIVAL, AlarmAction.CLEARED, since_ms=2**62)
    assert office.get(f"/alarms/?{query}").status_code == 200
    assert office.get(f"/alarms/open/?{query}").status_code == 200


def test_one_click_acknowledges_no_more_than_it_says(
    office: Client, gate: GateAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "AT_ONCE", 2)
    a_night(gate, unanswered=3)
    page = office.get("/alarms/").content.decode()
    assert "2 alarms here are over" in text(page.encode()) and "There may be more" in text(page.encode())
    every = " ".join(Alarm.objects.values_list("pk", flat=True))
    answer = office.post("/alarms/acknowledge/", {"over": every, "note": "seen"}, follow=True)
    assert "2 alarms acknowledged." in text(answer.content)


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
