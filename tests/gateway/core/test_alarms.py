"""Open alarms: raised, repeated, acknowledged, cleared; and where each comes from."""

import itertools

import pytest

from gateway.core import effects
from gateway.core.alarm_rules import RULES, TABLES, AlarmState, Life, urgency
from gateway.core.alarms import MOST_EQUAL, MOST_LATELY, AlarmBook
from gateway.core.equipment import Equipment
from gateway.core.events import (
    Acknowledge,
    CallPressed,
    ClockStepped,
    DeviceChanged,
    DiskScarce,
    DoorContact,
    JournalReplaced,
    SirenStopped,
    TamperInput,
)
from gateway.core.moment import Moment
from gateway.core.phrases import Phrase
from gateway.core.policy import AlarmPolicy
from sync.contract.alarms import CONCERNS, AlarmAction, AlarmKind, Concern, Level, concern
from sync.contract.records import AlarmRecord, ClockChange, Device
from tests.gateway.core.acting import Gate, at, said, shown

NOW = at()
ids = map("{:032x}".format, itertools.count(1)).__next__


def book() -> AlarmBook:
    return AlarmBook("main", ids, {}, AlarmPolicy())


def test_every_kind_has_a_rule_and_every_life_a_table() -> None:
    assert set(RULES) == set(AlarmKind) and set(TABLES) == set(Life)
    assert all(AlarmState.CLEARED in table and not table[AlarmState.CLEARED] for table in TABLES.values())
    assert [kind for kind, rule in RULES.items() if rule.tone is effects.Tone.EVACUATION] == [AlarmKind.FIRE]


def test_a_moment_again_within_its_window_is_one_alarm() -> None:
    alarms = book()
    first = alarms.raise_(AlarmKind.CALL, NOW)
    again = alarms.raise_(AlarmKind.CALL, NOW.after(59_999))
    assert first is not None and again is not None
    assert (again.action, again.alarm.id, again.alarm.count) == (AlarmAction.REPEATED, first.alarm.id, 2)
    later = alarms.raise_(AlarmKind.CALL, NOW.after(59_999 + 60_000))
    assert later is not None and later.action is AlarmAction.RAISED and later.alarm.id != first.alarm.id
    assert len(alarms.open) == 2


def test_a_night_without_a_guard_fills_nothing() -> None:
    alarms = book()
    told = [alarms.raise_(AlarmKind.CALL, NOW.after(minute * 61_000)) for minute in range(500)]
    assert len(alarms.open) == MOST_EQUAL and alarms.open[-1].count == 500 - MOST_EQUAL + 1 and None not in told


def test_what_lasts_is_raised_once_and_cleared_when_over() -> None:
    alarms = book()
    assert alarms.raise_(AlarmKind.DEVICE_LOST, NOW, "camera") is not None
    assert alarms.raise_(AlarmKind.DEVICE_LOST, NOW, "camera") is None
    assert alarms.raise_(AlarmKind.DEVICE_LOST, NOW, "reader") is not None
    over = alarms.over(AlarmKind.DEVICE_LOST, "camera")
    assert over is not None and over.action is AlarmAction.CLEARED and not over.alarm.acknowledged
    assert [alarm.detail for alarm in alarms.open] == ["reader"] and alarms.over(AlarmKind.FIRE) is None


def test_what_is_latched_is_cleared_when_over_and_acknowledged_in_either_order() -> None:
    for order in ("over first", "acknowledged first"):
        alarms = book()
        news = alarms.raise_(AlarmKind.TAMPER, NOW)
        assert news is not None
        if order == "over first":
            ended = alarms.over(AlarmKind.TAMPER)
            assert ended is not None and ended.action is AlarmAction.ENDED and alarms.tones
            assert alarms.ended == (news.alarm.id,) and alarms.over(AlarmKind.TAMPER) is None
            last = alarms.acknowledge(news.alarm.id, "li")
        else:
            acknowledged = alarms.acknowledge(news.alarm.id, "li")
            assert acknowledged is not None and acknowledged.action is AlarmAction.ACKNOWLEDGED and not alarms.tones
            last = alarms.over(AlarmKind.TAMPER)
        assert last is not None and last.action is AlarmAction.CLEARED and last.alarm.acknowledged_by == "li"
        assert alarms.open == ()


def test_what_was_over_and_comes_again_unacknowledged_is_a_repetition() -> None:
    gate = Gate()
    for _ in range(3):
        gate.send(TamperInput(True), TamperInput(False))
    assert gate.alarm_actions(AlarmKind.TAMPER) == ["raised", *["ended", "repeated"] * 2, "ended"]
    assert gate.core.status().alarms[0].count == 3
    assert gate.tones == {effects.Tone.ALARM}


def test_news_is_sent_then_recorded_with_the_same_id_and_then_the_state() -> None:
    gate = Gate()
    found = gate.send(CallPressed())
    sent = next(effect for effect in found if isinstance(effect, effects.SendAlarm))
    record = next(effect for effect in found if isinstance(effect, effects.Append))
    assert isinstance(record.body, AlarmRecord) and sent.alarm == record.body.alarm
    assert found.index(sent) < found.index(record) < found.index(effects.StateChanged())
    assert len(sent.alarm.id) == 32 and sent.alarm.since_ms == gate.now.at_ms and sent.alarm.portal == "main"
    assert found[0] == effects.SetTone(effects.Tone.NIGHT, True) and said(found) == [Phrase.CALL_HEARD]
    assert shown(found, "alarm") == [{"kind": "call", "action": "raised", "detail": ""}]


def test_acknowledging_one_by_its_id_or_all_by_the_button() -> None:
    gate = Gate()
    gate.send(CallPressed(), TamperInput(True), JournalReplaced("…"))
    call = gate.core.status().alarms[0]
    gate.send(Acknowledge("li", call.id, "seen to"))
    record = gate.bodies(AlarmRecord)[-1]
    assert (record.by, record.note, record.alarm.acknowledged_by) == ("li", "seen to", "li")
    assert gate.open_alarms == [AlarmKind.TAMPER, AlarmKind.JOURNAL_REPLACED]
    gate.send(Acknowledge("li", "no such alarm"), Acknowledge("button"))
    assert gate.open_alarms == [AlarmKind.TAMPER]
    assert gate.send(Acknowledge("button")) == []


@pytest.mark.parametrize("state", ["lost", "stale"])
def test_a_device_that_is_lost_and_comes_back(state: str) -> None:
    gate = Gate()
    assert gate.send(DeviceChanged("entry-camera", "ok")) == []
    gate.send(DeviceChanged("entry-camera", state, "unplugged"), DeviceChanged("entry-camera", "lost"))
    assert gate.core.status().devices_lost == ("entry-camera",) and gate.tones == set()
    assert gate.core.status().alarms[0].detail == "entry-camera"
    gate.send(DeviceChanged("entry-camera", "ok"), DeviceChanged("entry-camera", "starting"))
    assert gate.core.status().devices_lost == () and gate.open_alarms == []
    assert gate.bodies(Device) == [
        Device(device="entry-camera", state=state, detail="unplugged"),
        Device(device="entry-camera", state="ok"),
    ]


def test_scarce_room_is_one_alarm_whose_reason_may_change_and_it_ends_with_it() -> None:
    gate = Gate()
    gate.send(DiskScarce(""))
    assert gate.bodies(AlarmRecord) == []
    gate.send(DiskScarce("disk-nearly-full"), DiskScarce("disk-nearly-full"))
    assert [(alarm.kind, alarm.detail) for alarm in gate.core.status().alarms] == [(AlarmKind.DISK, "disk-nearly-full")]
    gate.send(DiskScarce("journal-too-large"))
    assert [alarm.detail for alarm in gate.core.status().alarms] == ["journal-too-large"]
    later = Gate(state=gate.durable, now=at("12:00", mono_ms=10))
    assert later.open_alarms == [AlarmKind.DISK], "whoever looks after the disk will say"
    later.send(DiskScarce(""))
    assert (later.open_alarms, later.tones) == ([], set())


def test_a_clock_that_steps_is_recorded_and_a_big_step_is_an_alarm() -> None:
    gate = Gate()
    gate.send(ClockStepped(5_000, True))
    assert gate.bodies(ClockChange) == [ClockChange(step_ms=5_000, trusted=True)] and gate.open_alarms == []
    gate.send(ClockStepped(-60_000, True))
    assert gate.open_alarms == [AlarmKind.CLOCK]


def test_alarms_from_before_a_restart_end_when_their_sensor_says_so() -> None:
    before = Gate(now=at("23:30"))
    before.arrive()
    before.send(DoorContact(True), TamperInput(True), DeviceChanged("beam", "lost"), DeviceChanged("lock", "lost"))
    before.wait(2)
    assert len(before.open_alarms) == 5
    after = Gate(state=before.durable, now=at("23:40", mono_ms=10))
    assert sorted(after.open_alarms) == [AlarmKind.DEVICE_LOST, AlarmKind.DOOR_FORCED, AlarmKind.TAMPER]
    assert after.tones == {effects.Tone.ALARM}
    after.send(DoorContact(False), TamperInput(False), DeviceChanged("beam", "ok"))
    assert sorted(after.open_alarms) == [AlarmKind.DOOR_FORCED, AlarmKind.TAMPER]
    after.send(Acknowledge("button"))
    assert after.open_alarms == [] and after.durable == {}


def test_after_a_restart_the_oldest_stands_first_and_windows_begin_anew() -> None:
    gate = Gate()
    gate.send(CallPressed())
    gate.wait(30)
    gate.send(JournalReplaced("…"))
    for state in (gate.durable, dict(reversed(gate.durable.items()))):
        later = Gate(state=state, now=at("12:00", mono_ms=7_000_000))
        assert later.open_alarms == [AlarmKind.CALL, AlarmKind.JOURNAL_REPLACED]
        later.wait(59)
        later.send(CallPressed())
        assert later.alarm_actions(AlarmKind.CALL) == ["escalated", "repeated"]


def test_the_window_is_of_monotonic_time() -> None:
    alarms = book()
    alarms.raise_(AlarmKind.CALL, NOW)
    again = alarms.raise_(AlarmKind.CALL, Moment(NOW.mono_ms + 1000, NOW.at_ms + 31_536_000_000))
    assert again is not None and again.action is AlarmAction.REPEATED


@pytest.mark.parametrize("bounces", range(1, 40))
def test_a_wire_that_bounces_and_then_stays_open_is_not_over_on_record(bounces: int) -> None:
    gate = Gate(has=Equipment({"wire": "tamper"}))
    for _ in range(bounces):
        gate.send(TamperInput(True), TamperInput(False))
        gate.wait(0.1)
    gate.send(TamperInput(True))
    said = [action for action in gate.alarm_actions(AlarmKind.TAMPER) if action != "escalated"]
    assert said[-1] in ("raised", "repeated")


@pytest.mark.parametrize("kind", [AlarmKind.CALL, AlarmKind.TAMPER])
def test_a_loose_wire_and_a_button_that_is_played_with_fill_no_journal(kind: AlarmKind) -> None:
    gate = Gate(has=Equipment({"wire": "tamper"}))
    for _ in range(3_000):
        gate.send(*([CallPressed()] if kind is AlarmKind.CALL else [TamperInput(True), TamperInput(False)]))
        gate.wait(0.1)
    (alarm,) = (each for each in gate.core.status().alarms if each.kind is kind)
    assert alarm.count == 3_000
    told = gate.alarm_actions(kind)
    assert told.count("repeated") < 40 and len(gate.commits) < 70
    gate.send(SirenStopped("Li"))
    gate.send(*([CallPressed()] if kind is AlarmKind.CALL else [TamperInput(True)]))
    assert gate.tones, "it sounds again all the same"
    gate.send(TamperInput(False), Acknowledge("Li"))
    last = gate.bodies(AlarmRecord)[-1]
    assert (last.action.value, last.alarm.count) == ("cleared", 3_001), "the number is on record"


@pytest.mark.parametrize("device", ["door-contact", "entry-camera"])
def test_a_device_that_comes_and_goes_all_night_fills_no_journal_and_no_road(device: str) -> None:
    gate = Gate()
    brought: list[effects.Effect] = []
    for _ in range(5_000):
        brought += gate.send(DeviceChanged(device, "lost", "no word"))
        gate.wait(0.5)
        brought += gate.send(DeviceChanged(device, "ok"))
        gate.wait(0.5)
    assert len(gate.commits) < 200, "of 10,000 changes"
    if device == "entry-camera":  # the door's own state is told as it changes
        assert sum(isinstance(each, effects.StateChanged) for each in brought) < 130
    assert sum(isinstance(each, effects.SendAlarm) for each in brought) < 100
    (alarm,) = gate.core.status().alarms
    assert (alarm.count, gate.core.status().devices_lost) == (5_000 - 3, ())
    assert alarm.last_ms == gate.now.at_ms - 1_000
    gate.wait(60)
    last = gate.bodies(AlarmRecord)[-1]
    assert (last.action, last.alarm) == (AlarmAction.CLEARED, alarm), "number and time of the last are on record"
    assert gate.bodies(Device)[-1] == Device(device=device, state="ok")
    assert gate.core.durable() == gate.durable == {}


def test_what_lasts_longer_than_its_window_is_an_alarm_of_its_own_each_time() -> None:
    gate = Gate()
    for _ in range(6):
        gate.send(DeviceChanged("entry-camera", "lost"))
        gate.wait(70)
        gate.send(DeviceChanged("entry-camera", "ok"))
    told = gate.alarm_actions(AlarmKind.DEVICE_LOST)
    assert told == ["raised", "escalated", "cleared"] * 6 and gate.open_alarms == []


def test_what_came_too_often_and_then_stays_sounds_and_rises_like_any_other() -> None:
    alarms = book()
    now = NOW
    for _ in range(4):
        alarms.raise_(AlarmKind.DOOR_HELD_OPEN, now)
        ended = alarms.over(AlarmKind.DOOR_HELD_OPEN)
        now = now.after(1_000)
    assert ended is not None and ended.action is AlarmAction.ENDED and alarms.tones == frozenset()
    assert not alarms.stands(AlarmKind.DOOR_HELD_OPEN) and not alarms.lamp
    assert alarms.due(now.mono_ms + 50_000) == [], "while it is over nobody has to answer it"
    alarms.raise_(AlarmKind.DOOR_HELD_OPEN, now)
    assert alarms.stands(AlarmKind.DOOR_HELD_OPEN) and alarms.tones == {effects.Tone.ALARM}
    (news,) = alarms.due(now.mono_ms + 60_000)
    assert news.action is AlarmAction.ESCALATED
    alarms.over(AlarmKind.DOOR_HELD_OPEN)
    assert [each.action for each in alarms.due(now.mono_ms + 60_000)] == [AlarmAction.CLEARED]


def test_of_very_many_things_that_come_and_go_the_last_are_remembered() -> None:
    alarms = book()
    for number in range(1_000):
        alarms.raise_(AlarmKind.DEVICE_LOST, NOW, f"d{number}")
        alarms.over(AlarmKind.DEVICE_LOST, f"d{number}")
    assert len(alarms._lately) == MOST_LATELY


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_bad_door_contact_all_night_fills_no_journal(acknowledged: bool) -> None:
    gate = Gate(has=Equipment({"contact": "door-contact"}))
    for number in range(5_000):
        gate.send(DoorContact(True))
        gate.wait(1.2)
        gate.send(DoorContact(False))
        gate.wait(0.3)
        if acknowledged and number == 2_500:
            gate.send(Acknowledge("li"))
    assert len(gate.commits) < (170 if acknowledged else 100), "of 10,000 changes"
    (alarm,) = gate.core.status().alarms
    assert (alarm.kind, alarm.count) == (AlarmKind.DOOR_FORCED, 2_499 if acknowledged else 5_000)
    assert gate.now.at_ms - alarm.last_ms < 1_000


def test_each_kind_has_its_place_and_what_is_over_is_no_more_urgent_than_what_goes_on() -> None:
    for kind in AlarmKind:
        for level in Level:
            standing, over = (urgency(kind, over=over, acknowledged=False, level=level) for over in (False, True))
            assert standing <= over < urgency(kind, over=False, acknowledged=True, level=level)
            assert urgency(AlarmKind.FIRE, over=False, acknowledged=False, level=level) <= standing
    fire_that_was = urgency(AlarmKind.FIRE, over=True, acknowledged=False, level=Level.GATE)
    assert fire_that_was == urgency("not known here", over=False, acknowledged=False, level=Level.GATE)
    assert fire_that_was < urgency(AlarmKind.DEVICE_LOST, over=False, acknowledged=False, level=Level.LEADER)


def test_what_has_to_be_looked_at_when_it_is_over_is_a_danger() -> None:
    assert not [kind for kind, rule in RULES.items() if rule.life is Life.LATCHED and kind in CONCERNS]
    assert {concern(kind) for kind in (AlarmKind.DOOR_HELD_OPEN, AlarmKind.LOCK_OUT, AlarmKind.FEVER)} == {
        Concern.DANGER
    }
    assert concern("volcano") is Concern.DANGER, "of a gate that is newer"
