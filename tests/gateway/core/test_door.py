"""The door: its table, its times, and what the gate does about it. Times are the defaults: 5, 25, 30 and 1 s."""

import pytest

from gateway.core import effects
from gateway.core.door import RESTS, TABLE, DoorInput, DoorState
from gateway.core.equipment import Equipment
from gateway.core.events import (
    Acknowledge,
    Crossing,
    DeviceChanged,
    DoorContact,
    ExitRequested,
    FireInput,
    GuardRelease,
    ModeOrdered,
)
from gateway.core.phrases import Phrase
from gateway.core.policy import Mode, PortalKind
from sync.contract.alarms import AlarmKind
from sync.contract.colours import Lamp
from sync.contract.records import Direction, Door, Passage, Refused, VisitOutcome
from sync.contract.records import Mode as ModeRecord
from tests.gateway.core.acting import Gate, card, policy, said, shown

S = DoorState


def enter(gate: Gate, holder: str = "h-1", **changes: object) -> None:
    gate.arrive()
    gate.read(card(holder, **changes))
    gate.measure()


def door(gate: Gate) -> str:
    return gate.core.status().door


def test_the_table_covers_every_state_and_the_lock_is_released_by_three_ways_only() -> None:
    assert set(TABLE) == set(S) and [state for _, state in RESTS][-1] is S.LOCKED
    ways = {given for moves in TABLE.values() for given, target in moves.items() if target is S.RELEASED}
    assert ways == {DoorInput.COMMITTED, DoorInput.RELEASE}
    assert {given for moves in TABLE.values() for given, target in moves.items() if target is S.FREE} == {
        DoorInput.ORDERED_FREE
    }


def test_a_start_rests_the_lock_before_anything_else() -> None:
    gate = Gate(state={"mode": b'"free"'})
    locks = [effect for effect in gate.began if isinstance(effect, effects.SetLock)]
    assert gate.began[0] == effects.SetLock(False) and locks == [effects.SetLock(False), effects.SetLock(True)]
    assert Gate().began[0] == effects.SetLock(False)


def test_a_release_ends_with_time() -> None:
    gate = Gate()
    enter(gate)
    assert (door(gate), gate.lamp) == ("released", Lamp.GREEN)
    gate.wait(4.9)
    assert gate.released
    gate.wait(0.2)
    assert not gate.released and door(gate) == "locked" and gate.lamp is Lamp.RED


def test_a_release_ends_with_opening() -> None:
    gate = Gate()
    enter(gate)
    gate.send(DoorContact(True))
    assert not gate.released and door(gate) == "open"
    gate.send(DoorContact(False))
    assert door(gate) == "locked" and gate.open_alarms == []


def test_holders_who_need_it_have_more_time() -> None:
    gate = Gate()
    enter(gate, extended=True)
    gate.wait(19.9)
    assert gate.released
    gate.wait(0.2)
    assert not gate.released


def test_open_without_leave_is_forced_after_the_debounce() -> None:
    gate = Gate()
    gate.send(DoorContact(True))
    assert gate.wait(0.9) == []
    found = gate.wait(0.2)
    assert door(gate) == "forced" and said(found) == [Phrase.DOOR_FORCED]
    assert gate.open_alarms == [AlarmKind.DOOR_FORCED] and gate.tones == {effects.Tone.ALARM}
    gate.send(DoorContact(False))
    assert door(gate) == "locked" and gate.open_alarms == [AlarmKind.DOOR_FORCED]  # somebody has to look
    gate.send(Acknowledge("button"))
    assert gate.open_alarms == [] and gate.tones == set()


def test_a_rattled_door_is_not_forced() -> None:
    gate = Gate()
    for _ in range(10):
        gate.send(DoorContact(True))
        gate.wait(0.9)
        gate.send(DoorContact(False))
        gate.wait(0.1)
    assert gate.open_alarms == []


def test_held_open_with_a_pre_alarm() -> None:
    gate = Gate()
    enter(gate)
    gate.send(DoorContact(True))
    assert said(gate.wait(24.9)) == [] and gate.tones == set()
    assert said(gate.wait(0.2)) == [Phrase.CLOSE_DOOR] and gate.tones == {effects.Tone.PRE_ALARM}
    assert said(gate.wait(5)) == [Phrase.DOOR_HELD_OPEN] and gate.tones == {effects.Tone.ALARM}
    assert door(gate) == "held_open"
    gate.send(DoorContact(False))
    assert gate.open_alarms == [] and gate.tones == set() and door(gate) == "locked"


def test_a_second_grant_while_the_door_stands_open() -> None:
    gate = Gate()
    enter(gate, "h-1")
    gate.send(DoorContact(True))
    gate.send(Crossing(None))
    gate.wait(2)
    enter(gate, "h-2")
    assert door(gate) == "released"
    gate.send(Crossing(None))
    gate.wait(6)
    assert door(gate) == "open" and not gate.released
    gate.send(DoorContact(False))
    assert gate.open_alarms == [] and [p.visit for p in gate.bodies(Passage)] == [v.visit for v in gate.visits]


def test_the_exit_button_acts_at_once_and_is_recorded_after() -> None:
    gate = Gate()
    gate.answers = False
    found = gate.send(ExitRequested())
    kinds = [type(effect) for effect in found]
    assert kinds.index(effects.SetLock) < kinds.index(effects.Append) and gate.released
    assert said(found) == [Phrase.GOODBYE]
    gate.go_through()
    assert gate.bodies(Passage) == [Passage(portal="main", direction=Direction.EXIT)]
    assert [record.cause for record in gate.bodies(Door)] == ["rex"]


def test_a_button_held_down_is_one_record() -> None:
    gate = Gate()
    for _ in range(50):
        gate.send(ExitRequested())
    assert len(gate.bodies(Door)) == 1


def test_the_guard_releases_at_once() -> None:
    gate = Gate()
    gate.answers = False
    gate.send(GuardRelease("li"))
    assert gate.released and gate.bodies(Door) == [Door(portal="main", state="released", cause="guard", by="li")]


def test_fire_frees_the_door_until_it_is_over() -> None:
    gate = Gate()
    found = gate.send(FireInput(True))
    assert gate.released and door(gate) == "free" and gate.tones == {effects.Tone.EVACUATION}
    assert found[0] == effects.SetLock(True) and said(found) == [Phrase.FIRE]
    gate.send(Acknowledge("button"))
    assert gate.tones == {effects.Tone.EVACUATION}
    gate.send(DoorContact(True), Crossing(None))
    gate.wait(120)
    assert gate.open_alarms == [AlarmKind.FIRE]
    gate.send(DoorContact(False), FireInput(False))
    assert not gate.released and door(gate) == "locked" and gate.open_alarms == [] and gate.tones == set()


def test_fire_outranks_a_lockdown_which_holds_again_after_it() -> None:
    gate = Gate()
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"))
    gate.send(FireInput(True))
    assert gate.released
    gate.send(FireInput(False))
    assert not gate.released and door(gate) == "locked_down" and gate.core.status().mode == "lockdown"


def test_in_a_lockdown_nobody_is_granted_and_those_inside_may_flee() -> None:
    gate = Gate()
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"))
    assert gate.bodies(ModeRecord) == [ModeRecord(mode="lockdown", before="normal", by="office")]
    gate.arrive()
    assert said(gate.read(card())) == [Phrase.LOCKED_DOWN]
    assert gate.decided == (VisitOutcome.DENIED, ("lockdown",)) and gate.lamp is Lamp.RED
    gate.send(ExitRequested())
    assert gate.released
    gate.wait(6)
    assert door(gate) == "locked_down"


def test_where_nobody_has_to_flee_a_lockdown_holds_both_ways() -> None:
    gate = Gate(policy(portal__escape_route=False))
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"), ExitRequested())
    assert not gate.released and gate.bodies(Refused) == [Refused(what="exit", reason="lockdown")]
    gate.read(card(), Direction.EXIT)
    assert gate.decided == (VisitOutcome.DENIED, ("lockdown",))


def test_a_way_out_that_needs_a_credential() -> None:
    gate = Gate(policy(portal__escape_route=False, portal__exit_needs_credential=True))
    gate.send(ExitRequested())
    assert not gate.released and gate.bodies(Refused) == [Refused(what="exit", reason="credential-needed")]
    gate.read(card(), Direction.EXIT)
    assert gate.released


def test_a_lockdown_locks_a_released_door_and_waits_for_an_open_one() -> None:
    gate = Gate()
    enter(gate)
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"))
    assert not gate.released and door(gate) == "locked_down"
    gate.send(ModeOrdered(Mode.NORMAL, "office"), ExitRequested(), DoorContact(True))
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"))
    assert door(gate) == "open"
    gate.wait(31)
    assert gate.open_alarms == [AlarmKind.DOOR_HELD_OPEN]
    gate.send(DoorContact(False))
    assert door(gate) == "locked_down"


def test_a_free_door() -> None:
    gate = Gate()
    gate.send(ModeOrdered(Mode.FREE, "office"))
    assert gate.released and gate.lamp is Lamp.GREEN
    gate.go_through()
    enter(gate)
    assert gate.released and gate.decided == (VisitOutcome.GRANTED, ("ok",)) and gate.open_alarms == []
    gate.send(ModeOrdered(Mode.NORMAL, "office"))
    assert not gate.released


def test_a_lost_contact_is_a_fault_that_still_releases_by_time() -> None:
    gate = Gate()
    gate.send(DeviceChanged("door-contact", "lost", "cable"))
    assert door(gate) == "fault" and gate.core.status().devices_lost == ("door-contact",)
    enter(gate)
    assert gate.released
    gate.wait(6)
    assert not gate.released and door(gate) == "fault"
    gate.send(DeviceChanged("door-contact", "ok"), DoorContact(False))
    assert door(gate) == "locked" and gate.open_alarms == []


def test_what_a_lost_contact_said_last_is_no_longer_known() -> None:
    gate = Gate()
    gate.send(ExitRequested(), DoorContact(True), DeviceChanged("door-contact", "lost"))
    gate.send(DeviceChanged("door-contact", "ok"))
    assert door(gate) == "locked"
    gate.send(DoorContact(True))
    gate.wait(2)
    assert door(gate) == "forced"


def test_a_door_that_opened_in_a_fault_is_forced_as_soon_as_it_counts_again() -> None:
    gate = Gate()
    gate.send(DeviceChanged("door-contact", "stale"), DoorContact(True))
    gate.wait(10)
    assert door(gate) == "fault"
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"))
    assert door(gate) == "forced"


def test_a_door_found_open_at_the_start_is_forced() -> None:
    gate = Gate()
    gate.send(DoorContact(True))
    gate.wait(2)
    assert gate.open_alarms == [AlarmKind.DOOR_FORCED]


def test_opening_while_a_grant_is_written_stays_without_leave() -> None:
    gate = Gate()
    gate.answers = False
    enter(gate)
    gate.send(DoorContact(True))
    gate.wait(1.6)
    assert door(gate) == "forced"
    assert set(gate.open_alarms) >= {AlarmKind.DOOR_FORCED, AlarmKind.JOURNAL_FAILED}


def test_a_sealed_entrance_alarms_at_any_opening_and_grants_nobody() -> None:
    gate = Gate(policy(portal__kind=PortalKind.SEALED))
    gate.arrive()
    gate.read(card())
    assert gate.decided == (VisitOutcome.DENIED, ("sealed",))
    gate.send(GuardRelease("li"))
    gate.send(DoorContact(True))
    assert gate.open_alarms == [AlarmKind.DOOR_FORCED] and door(gate) == "forced"


def test_an_open_gate_has_no_lock_and_a_green_light_for_one() -> None:
    gate = Gate(policy(portal__kind=PortalKind.OPEN))
    enter(gate)
    assert gate.lamp is Lamp.GREEN and effects.SetLock(True) not in gate.seen
    gate.send(Crossing(None))
    assert gate.lamp is Lamp.RED and gate.open_alarms == []
    gate.wait(4)
    found = gate.send(Crossing(None))
    assert gate.open_alarms == [AlarmKind.PASSED_WITHOUT_GRANT] and said(found) == [Phrase.PASSED_WITHOUT_GRANT]
    gate.send(DoorContact(True))
    gate.wait(60)
    assert gate.open_alarms == [AlarmKind.PASSED_WITHOUT_GRANT]


def test_without_a_beam_the_door_sees_who_passes() -> None:
    gate = Gate(has=Equipment({"c": "door-contact", "t": "thermometer", "p": "presence"}))
    enter(gate)
    gate.send(DoorContact(True), DoorContact(False))
    assert gate.core.status().inside == 1 and gate.open_alarms == []
    gate.wait(2)
    gate.send(ExitRequested(), DoorContact(True), DoorContact(False))
    assert gate.core.status().inside == 0


def test_each_change_is_shown() -> None:
    gate = Gate()
    enter(gate)
    gate.go_through()
    states = [values["state"] for values in shown(gate.seen, "door")]
    assert states == ["locked", "committing", "released", "open", "locked"]


@pytest.mark.parametrize("state", [S.LOCKED, S.LOCKED_DOWN, S.FORCED, S.HELD_OPEN, S.OPEN, S.FAULT, S.COMMITTING])
def test_fire_is_heard_in_every_state(state: DoorState) -> None:
    assert TABLE[state][DoorInput.ORDERED_FREE] is S.FREE


def test_a_fire_that_is_over_stays_until_somebody_has_acknowledged_it() -> None:
    gate = Gate()
    gate.send(FireInput(True), FireInput(False))
    status = gate.core.status()
    assert gate.open_alarms == [AlarmKind.FIRE] and status.ended == (status.alarms[0].id,)
    assert gate.tones == set() and not gate.released
    assert Phrase.FIRE not in said(gate.wait(600)), "it rises, and nobody is told to flee"
    gate.send(FireInput(True))
    assert gate.core.status().ended == () and gate.tones == {effects.Tone.EVACUATION}
    gate.send(FireInput(False), Acknowledge("button"))
    assert gate.open_alarms == []
