"""The office's commands at the core: carried out once, as far as the gate as it stands allows, and answered."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import events
from gateway.core.commanded import MOST, TOLD
from gateway.core.equipment import SENSORS, Equipment
from gateway.core.events import Commanded, CommandRefused, FireInput, GuardRelease, Mode, ModeOrdered, TamperInput
from gateway.core.policy import PortalKind, WatchPolicy
from gateway.core.refusals import AGAIN_S
from gateway.page.alarms import RecentAlarms
from sync.contract.alarms import AlarmKind, Answer, CommandOutcome
from sync.contract.commands import MAX_LIFE_MS, SAYABLE, Acknowledge, Command, Release, Say
from sync.contract.records import CommandRecord, Door, Passage, Refused, Shift, ShiftAction
from tests.gateway.core.acting import Gate, policy, said

BOOT = "1a" * 16
EXECUTED, REFUSED = CommandOutcome.EXECUTED, CommandOutcome.REFUSED
SPEAKS = Equipment({use: use for use in (*SENSORS, "speaker")})


def common(gate: Gate, number: int = 1, **changes: Any) -> dict[str, Any]:
    values = {"gate": "north-1", "id": f"{number:032x}", "boot": BOOT, "by": "li"}
    return values | {"not_after_mono": gate.now.mono_ms + 5_000} | changes


def release(gate: Gate, number: int = 1, *, portal: str = "", reason: str = "", **changes: Any) -> Release:
    return Release(portal=portal, reason=reason, **common(gate, number, **changes))


def answers(gate: Gate) -> list[tuple[CommandOutcome, str]]:
    """What the state says, and that the records say the same."""
    told = [(answer.outcome, answer.reason) for answer in gate.core.status().commands]
    assert [(each.outcome, each.reason) for each in gate.bodies(CommandRecord)][-TOLD:] == told
    return told


def refusals(gate: Gate) -> list[tuple[str, int]]:
    return [(each.reason, each.count) for each in gate.bodies(Refused) if each.what == "command"]


def test_a_release_opens_at_once_and_is_recorded_with_who_and_why() -> None:
    gate = Gate()
    gate.answers = False  # nothing waits for the disk
    command = release(gate, reason="the lift is out of order")
    gate.send(Commanded(command))
    assert gate.released
    (door,) = gate.bodies(Door)
    assert (door.state, door.cause, door.by) == ("released", "office", "li")
    assert gate.bodies(CommandRecord) == [
        CommandRecord(command=command.id, action="release", by="li", outcome=EXECUTED, note="the lift is out of order")
    ]
    assert gate.core.status().commands == (Answer(id=command.id, outcome=EXECUTED),)
    gate.go_through()
    assert [each.inside for each in gate.bodies(Passage)] == [1]
    assert gate.open_alarms == [] and not gate.released


def test_the_portal_may_be_named_and_must_be_this_one() -> None:
    gate = Gate()
    gate.send(Commanded(release(gate, 1, portal="somewhere")))
    assert not gate.released
    gate.send(Commanded(release(gate, 2, portal=gate.policy.portal.name)))
    assert gate.released
    assert answers(gate) == [(REFUSED, "other-portal"), (EXECUTED, "")]


def test_a_lockdown_holds_against_the_office_and_not_against_the_guard() -> None:
    gate = Gate()
    gate.send(ModeOrdered(Mode.LOCKDOWN, "guard"))
    gate.send(Commanded(release(gate)))
    assert not gate.released and answers(gate) == [(REFUSED, "lockdown")]
    gate.send(GuardRelease("guard"))
    assert gate.released


def test_in_a_fire_the_door_is_open_whatever_is_commanded() -> None:
    gate = Gate()
    gate.send(ModeOrdered(Mode.LOCKDOWN, "guard"), FireInput(True))
    gate.send(Commanded(release(gate)))
    assert gate.released and answers(gate) == [(EXECUTED, "")]
    gate.send(FireInput(False))
    assert not gate.released and gate.core.status().door == "locked_down"


def test_a_sealed_entrance_stays_shut() -> None:
    gate = Gate(policy(portal__kind=PortalKind.SEALED))
    gate.send(Commanded(release(gate)))
    assert not gate.released and answers(gate) == [(REFUSED, "sealed")]


@pytest.mark.parametrize("phrase", SAYABLE)
def test_what_may_be_said_is_said(phrase: str) -> None:
    gate = Gate(has=SPEAKS)
    assert said(gate.send(Commanded(Say(phrase=phrase, **common(gate))))) == [phrase]
    assert answers(gate) == [(EXECUTED, "")]
    assert gate.bodies(CommandRecord)[0].target == phrase


@pytest.mark.parametrize(
    "phrase", ["fire", "granted", "granted-normal", "fever", "", "open sesame", "../../etc/passwd"]
)
def test_nothing_else_is_said(phrase: str) -> None:
    gate = Gate(has=SPEAKS)
    assert said(gate.send(Commanded(Say(phrase=phrase, **common(gate))))) == []
    assert answers(gate) == [(REFUSED, "unknown-phrase")]


def test_a_gate_that_cannot_speak_says_so() -> None:
    gate = Gate()
    gate.send(Commanded(Say(phrase="register", **common(gate))))
    assert answers(gate) == [(REFUSED, "no-speaker")]


def test_an_alarm_is_acknowledged_by_the_offices_user() -> None:
    gate = Gate()
    gate.send(TamperInput(True))
    (alarm,) = gate.core.status().alarms
    assert gate.tones
    gate.send(Commanded(Acknowledge(alarm=alarm.id, note="seen", **common(gate))))
    (alarm,) = gate.core.status().alarms
    assert (alarm.acknowledged, alarm.acknowledged_by, gate.tones) == (True, "li", set())
    assert gate.alarm_actions(AlarmKind.TAMPER) == ["raised", "acknowledged"]
    gate.send(Commanded(Acknowledge(alarm=alarm.id, **common(gate, 2))))
    gate.send(Commanded(Acknowledge(alarm="f" * 32, **common(gate, 3))))
    assert answers(gate) == [(EXECUTED, ""), (REFUSED, "nothing-to-acknowledge"), (REFUSED, "nothing-to-acknowledge")]


def test_the_guards_page_shows_who_acknowledged_at_the_office_and_what_was_said() -> None:
    gate, said_of = Gate(), RecentAlarms()
    gate.send(TamperInput(True))
    (alarm,) = gate.core.status().alarms
    gate.send(Commanded(Acknowledge(alarm=alarm.id, note="call the clinic", **common(gate))))
    for body, _ in gate.commits:
        said_of.recorded(body, 1_000)
    (note,) = said_of.notes([alarm])[alarm.id]
    assert (note.by, note.what, note.note) == ("li", "acknowledged", "call the clinic")


# once, in time


def test_a_command_that_comes_again_does_nothing_and_keeps_its_answer() -> None:
    gate = Gate()
    command = release(gate)
    gate.send(Commanded(command))
    gate.wait(5)
    gate.now = gate.now.after(-1)  # still good
    assert not gate.released
    gate.send(Commanded(command), Commanded(command))
    assert not gate.released and answers(gate) == [(EXECUTED, "")]
    assert refusals(gate) == [("replayed", 1)]
    assert gate.bodies(Refused)[0].detail == f"release {command.id}"
    gate.wait(AGAIN_S + 1)
    assert refusals(gate) == [("replayed", 1), ("replayed", 1)]


def test_a_refused_command_is_answered_once_too() -> None:
    gate = Gate()
    command = release(gate)
    gate.send(ModeOrdered(Mode.LOCKDOWN, "guard"), Commanded(command), ModeOrdered(Mode.NORMAL, "guard"))
    gate.send(Commanded(command))
    assert not gate.released and answers(gate) == [(REFUSED, "lockdown")] and refusals(gate) == [("replayed", 1)]


def test_what_waited_too_long_to_be_decided_is_late() -> None:
    gate = Gate()
    command = release(gate)
    gate.now = gate.now.after(5_001)
    gate.send(Commanded(command))
    assert not gate.released and answers(gate) == [] and refusals(gate) == [("late", 1)]


def test_none_is_good_for_long() -> None:
    gate = Gate()
    gate.send(Commanded(release(gate, 1, not_after_mono=gate.now.mono_ms + MAX_LIFE_MS + 1)))
    assert not gate.released and refusals(gate) == [("life-too-long", 1)]
    gate.send(Commanded(release(gate, 1, not_after_mono=gate.now.mono_ms + MAX_LIFE_MS)))
    assert gate.released


def test_at_every_commit_a_restart_in_the_same_boot_knows_what_was_carried_out() -> None:
    gate = Gate()
    command = release(gate)
    before = len(gate.commits)
    gate.send(Commanded(command))
    made = gate.commits[before:]
    assert [type(body) for body, _ in made] == [Door, CommandRecord]
    for _, state in made:
        again = Gate(state=state, now=gate.now)
        again.send(Commanded(command))
        assert not again.released and refusals(again) == [("replayed", 1)]
        assert again.core.status().commands == (Answer(id=command.id, outcome=EXECUTED),)


def test_another_boot_forgets_the_ids_of_the_one_before() -> None:
    gate = Gate()
    gate.send(Commanded(release(gate, 1, not_after_mono=gate.now.mono_ms + MAX_LIFE_MS)))
    later = Gate(state=gate.durable)
    later.send(Commanded(release(later, 2, boot="2b" * 16)))
    assert later.released
    assert later.core.status().commands == (Answer(id=f"{2:032x}", outcome=EXECUTED),)


def test_no_id_is_given_up_while_it_is_good_and_none_is_kept_much_longer() -> None:
    gate = Gate()
    first = release(gate, 1, not_after_mono=gate.now.mono_ms + MAX_LIFE_MS)
    gate.send(Commanded(first))
    for number in range(2, MOST + 2):
        gate.send(Commanded(release(gate, number, not_after_mono=gate.now.mono_ms + MAX_LIFE_MS)))
    assert len(gate.bodies(CommandRecord)) == MOST and refusals(gate) == [("too-many-commands", 1)]
    gate.send(Commanded(first))
    assert refusals(gate)[-1] == ("replayed", 1)
    gate.wait(MAX_LIFE_MS / 1000 + 1)
    gate.send(Commanded(release(gate, 1000)))
    assert len(gate.core.status().commands) == TOLD
    assert gate.durable["commands"].count(b"executed") == TOLD


# what is refused before it gets here


def test_refused_messages_are_recorded_counted_and_never_answered() -> None:
    gate = Gate()
    gate.send(CommandRefused("forged"), CommandRefused("retained"), CommandRefused("forged", count=999))
    assert refusals(gate) == [("forged", 1), ("retained", 1)]
    gate.wait(AGAIN_S)
    assert refusals(gate) == [("forged", 1), ("retained", 1), ("forged", 999)]
    assert answers(gate) == [] and gate.core.deadline() is None


ANY = st.one_of(
    st.builds(lambda number: ("release", number), st.integers(1, 5)),
    st.builds(lambda number: ("say", number), st.integers(1, 5)),
    st.builds(lambda number: ("acknowledge", number), st.integers(1, 5)),
    st.just(("wait", 0)),
    st.just(("tamper", 0)),
    st.just(("lockdown", 0)),
    st.just(("normal", 0)),
    st.just(("restart", 0)),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(ANY, max_size=30))
def test_whatever_comes_each_id_has_one_answer(happens: list[tuple[str, int]]) -> None:
    gate, made = Gate(has=SPEAKS), dict[tuple[str, int], Command]()
    records: list[CommandRecord] = []
    for what, number in happens:
        if what == "restart":
            records += gate.bodies(CommandRecord)
            gate = Gate(has=SPEAKS, state=gate.durable, now=gate.now)
            continue
        if what == "wait":
            gate.wait(2)
            continue
        event = _event(gate, what, number, made)
        was = gate.released
        gate.send(event)
        assert gate.durable == gate.core.durable()
        if gate.released and not was:
            assert isinstance(event, Commanded) and isinstance(event.command, Release)
    ids = [each.command for each in (*records, *gate.bodies(CommandRecord))]
    assert len(ids) == len(set(ids))


def _event(gate: Gate, what: str, number: int, made: dict[tuple[str, int], Command]) -> events.Event:
    match what:
        case "tamper":
            return TamperInput(True)
        case "lockdown" | "normal":
            return ModeOrdered(Mode(what), "guard")
        case "release":
            command: Command = release(gate, number)
        case "say":
            command = Say(phrase="register", **common(gate, 10 + number))
        case _:
            alarms = [alarm.id for alarm in gate.core.status().alarms]
            command = Acknowledge(alarm=(alarms or ["f" * 32])[0], **common(gate, 20 + number))
    return Commanded(made.setdefault((what, number), command))


@pytest.mark.parametrize("of_post", [True, False])
def test_the_guard_who_acknowledges_at_his_post_is_awake_and_the_office_says_nothing_of_him(of_post: bool) -> None:
    gate = Gate(policy(watch=WatchPolicy(begins="00:00", ends="23:59", every_min=5)))
    gate.wait(6 * 60)
    (asked,) = (alarm for alarm in gate.core.status().alarms if alarm.kind is AlarmKind.PRESENCE_CHECK)
    gate.send(Commanded(Acknowledge(alarm=asked.id, **common(gate)), of_post=of_post))
    gate.wait(150)
    absent = [alarm for alarm in gate.core.status().alarms if alarm.kind is AlarmKind.GUARD_ABSENT]
    assert bool(absent) is not of_post
    assert [each.action for each in gate.bodies(Shift)] == [ShiftAction.PRESENT if of_post else ShiftAction.ABSENT]
