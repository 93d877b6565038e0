"""The gates' page: what each gate said last, and how complete its records are."""

from datetime import timedelta

import pytest
from django.test import Client

from central.registry.models import Gate
from sync.contract.alarms import DeviceReport
from tests.central.web.making import GateAtWork
from tests.central.web.test_alarms import text


def shown(office: Client) -> str:
    return text(office.get("/gates/").content)


def test_no_gates(office: Client) -> None:
    assert "appears here by itself" in shown(office)


def test_what_a_gate_said_last(office: Client, gate: GateAtWork) -> None:
    gate.visit()
    gate.state(door="held_open", mode="lockdown", inside=12, devices_lost=("thermometer", "camera"), head=4)
    page = shown(office)
    assert "north-gate Online Clock trusted" in page
    assert "Door Held open too long Mode Lockdown People inside 12 Devices lost thermometer, camera" in page
    assert "Complete up to record 1 · 3 records are still at the gate" in page


def test_offline_by_its_will_and_by_its_silence(office: Client, gate: GateAtWork) -> None:
    gate.state(clock_trusted=False)
    assert "Online Clock not trusted" in shown(office)
    gate.state(online=False, clock_trusted=False)
    assert "Offline Clock not trusted It is not heard: what stands here is what it said last." in shown(office)
    gate.state(connection=2)
    assert "It is not heard" not in shown(office)
    row = Gate.objects.get(pk="north-gate")
    assert row.last_heard
    Gate.objects.update(last_heard=row.last_heard - timedelta(minutes=1))
    assert "Offline" in shown(office)


def test_missing_ranges_and_contradictions_are_named(office: Client, gate: GateAtWork) -> None:
    gate.visit()
    gate.lose(1)
    gate.visit()
    gate.lose(5)
    gate.contradict()
    gate.state()
    page = shown(office)
    assert "Incomplete up to record 8, but for what is named here" in page
    assert "record 2 is missing" in page
    assert "records 4 to 8 are missing (5) no longer kept at the gate" in page
    assert "at record 8 the gate offered another one than the office has" in page


@pytest.mark.parametrize("reason", ["moved-aside", "damaged", "new"])
def test_how_far_a_log_went_that_another_one_had_to_follow_is_not_known(
    office: Client, gate: GateAtWork, reason: str
) -> None:
    gate.visit()
    gate.state()
    gate.begin_log(reason, "" if reason == "new" else gate.log_id)  # another machine's: it knows of none before
    gate.visit()
    gate.state()
    page = shown(office)
    assert "Complete up to record 2" in page, "the present one"
    assert "Up to record 1; whether it had more is not known" in page
    assert page.count("Complete") == 1
    office.post("/language/", {"language": "zh-hans", "next": "/"})
    assert "至第 1 条记录；之后是否还有记录无法得知" in shown(office)


def test_what_was_carried_over_whole_is_complete_and_what_is_missing_of_a_lost_log_is_named(
    office: Client, gate: GateAtWork
) -> None:
    gate.visit()
    gate.state()
    gate.begin_log("rewound", gate.log_id)
    gate.state()
    assert shown(office).count("Complete up to record 1") == 2
    gate.lose(2)
    gate.state()
    gate.begin_log("moved-aside", gate.log_id)
    gate.state()
    page = shown(office)
    assert page.count("Complete up to record 1") == 2
    assert "Incomplete up to record 3, but for what is named here" in page
    assert "is not known" not in page


def test_a_journal_handed_in_is_not_complete_though_it_came_last(office: Client, gate: GateAtWork) -> None:
    gate.visit()
    gate.state()
    written = gate.log_id
    gate.begin_log("new", "")
    gate.visit()
    gate.log_id, gate.seq = written, 1
    gate.state()
    page = shown(office)
    assert "Up to record 2; whether it had more is not known" in page
    assert page.index("Complete up to record 1") < page.index("Up to record 2"), "the one that is written stands first"


def test_admitting(office: Client, db: None) -> None:
    stranger = GateAtWork("south-gate", admit=False)
    stranger.visit(holder="h-0101")
    page = office.get("/gates/").content.decode()
    assert "Not admitted" in page
    assert 'form="admit" formaction="/gates/south-gate/admit/"' in page
    assert "h-0101" not in office.get("/entries/").content.decode()
    answer = office.post("/gates/south-gate/admit/", follow=True)
    assert answer.redirect_chain == [("/gates/", 302)]
    assert "Gate south-gate is admitted" in text(answer.content)
    assert Gate.objects.get(pk="south-gate").admitted
    stranger = GateAtWork("south-gate", admit=False)  # it sends again from the cursor
    stranger.visit(holder="h-0101")
    assert "h-0101" in office.get("/entries/").content.decode()


@pytest.mark.parametrize("address", ["/gates/nowhere/admit/", "/alarms/" + "0" * 32 + "/"])
def test_what_does_not_exist(office: Client, address: str) -> None:
    answer = office.post(address) if "admit" in address else office.get(address)
    assert answer.status_code == 404
    assert "Not found" in text(answer.content)


def test_words_that_nobody_knows_are_shown_as_they_are(office: Client, gate: GateAtWork) -> None:
    gate.state(door="ajar<b>", mode="carnival")
    page = office.get("/gates/").content.decode()
    assert "ajar&lt;b&gt;" in page
    assert "carnival" in page


def test_the_devices_of_a_gate(office: Client, gate: GateAtWork) -> None:
    gate.state(
        devices=(
            DeviceReport(
                name="forehead",
                state="stale",
                valid_at_ms=1_700_000_000_000,
                frames=864_003,
                bad=2,
                noise=17,
                reopens=1,
            ),
            DeviceReport(name="<b>reader", state="ok"),
            DeviceReport(name="camera", state="dreaming"),
        )
    )
    page = office.get("/gates/").content.decode()
    assert "1 of 3 work" in text(page.encode())
    assert 'href="/gates/north-gate/devices/"' in page
    answer = office.get("/gates/north-gate/devices/")
    shown = text(answer.content)
    assert "Devices of north-gate" in shown
    assert "forehead Says nothing valid 2023-11-1" in shown
    assert "864003 2 17 1" in shown
    assert "<b>reader Works never 0 0 0 0" in shown
    assert b"&lt;b&gt;reader" in answer.content
    assert "camera dreaming never" in shown
    assert office.get("/gates/north-gate/devices/rows/").status_code == 200
    assert office.get("/gates/nowhere/devices/").status_code == 404


def test_a_gate_that_tells_of_no_devices(office: Client, gate: GateAtWork) -> None:
    gate.state()
    assert "has not told of its devices" in text(office.get("/gates/north-gate/devices/").content)
    assert "/devices/" not in office.get("/gates/").content.decode()
