"""Write before you open, for entry; and what happens when nothing can be written."""

import pytest

from gateway.core import effects
from gateway.core.events import CommitFailed, Committed, FireInput, JournalWorks, Mode, ModeOrdered, Tick
from gateway.core.phrases import Phrase
from gateway.core.policy import JournalFailure, ModeSchedule, PortalKind
from sync.contract.alarms import AlarmKind
from sync.contract.colours import Lamp, PassType
from sync.contract.records import Door, Visit, VisitOutcome
from tests.gateway.core.acting import Gate, at, card, health, policy, said, shown


def granted(gate: Gate, pass_type: PassType | None = PassType.RESIDENT, *, shows_code: bool = False) -> int:
    """A grant whose record waits; its token."""
    gate.answers = False
    gate.arrive()
    gate.read(card(pass_type=pass_type))
    if shows_code:
        gate.read(health())
    found = gate.measure()
    return next(e.token for e in found if isinstance(e, effects.Append) and isinstance(e.body, Visit))


@pytest.mark.parametrize("kind", [PortalKind.DOOR, PortalKind.OPEN])
def test_nothing_opens_before_the_record_is_on_disk(kind: PortalKind) -> None:
    gate = Gate(policy(portal__kind=kind))
    token = granted(gate)
    assert token and gate.core.status().door == "committing" and gate.core.status().visiting
    assert not gate.released and gate.lamp is Lamp.YELLOW
    gate.wait(1.4)
    found = gate.send(Committed(token))
    assert gate.released is (kind is PortalKind.DOOR) and gate.lamp is Lamp.GREEN
    assert said(found) == [Phrase.GRANTED_NORMAL] and gate.send(Committed(token)) == []


def test_the_release_comes_first_of_all_effects() -> None:
    gate = Gate()
    assert gate.send(Committed(granted(gate)))[0] == effects.SetLock(True)


@pytest.mark.parametrize("why", ["late", "failed"])
@pytest.mark.parametrize(
    ("then", "released", "outcome"),
    [
        (JournalFailure.GUARD, False, "referred"),
        (JournalFailure.CLOSED, False, "denied"),
        (JournalFailure.OPEN, True, ""),
    ],
)
def test_a_record_that_is_not_written(why: str, then: JournalFailure, released: bool, outcome: str) -> None:
    gate = Gate(policy(when_journal_fails=then))
    token = granted(gate)
    found = gate.wait(1.6) if why == "late" else gate.send(CommitFailed(token, "disk full"))
    assert gate.released is released and gate.open_alarms == [AlarmKind.JOURNAL_FAILED]
    assert [each["outcome"] for each in shown(found, "decision")] == ([outcome] if outcome else [])
    assert [(door.cause, door.visit) for door in gate.bodies(Door)] == [("journal-failed", gate.last.visit)]
    gate.wait(10)
    gate.send(Committed(token))
    assert not gate.released, "an answer that comes too late opens nothing"


def test_the_alarm_of_a_late_record_ends_with_the_record() -> None:
    gate = Gate()
    token = granted(gate)
    gate.wait(2)
    gate.send(Committed(token))
    assert gate.alarm_actions(AlarmKind.JOURNAL_FAILED) == ["raised", "cleared"]


def test_a_failed_journal_is_one_alarm_until_it_works_again() -> None:
    gate = Gate()
    for _ in range(5):
        found = gate.send(CommitFailed(0, "disk full"))
    assert found == [] and gate.alarm_actions(AlarmKind.JOURNAL_FAILED) == ["raised"]
    gate.send(Committed(granted(gate)))  # into the reserve: the disk is as full as before
    assert gate.released and gate.open_alarms == [AlarmKind.JOURNAL_FAILED]
    gate.send(JournalWorks())
    assert gate.open_alarms == []


def test_the_alarm_of_the_last_run_ends_when_this_one_writes() -> None:
    gate = Gate()
    gate.send(CommitFailed(0, "disk full"))
    assert Gate(state=gate.durable).open_alarms == []


def test_a_lockdown_ordered_meanwhile_withdraws_the_grant() -> None:
    gate = Gate()
    token = granted(gate)
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"))
    found = gate.send(Committed(token))
    assert not gate.released and said(found) == [Phrase.LOCKED_DOWN]
    assert shown(found, "decision") == [{"outcome": "denied", "reason": "lockdown"}]
    assert gate.bodies(Door)[-1] == Door(portal="main", state="locked_down", cause="lockdown", visit=gate.last.visit)


def test_closed_management_ordered_meanwhile_withdraws_the_grant_of_a_colour_that_it_keeps_out() -> None:
    gate = Gate()
    token = granted(gate, PassType.TENANT)
    gate.send(ModeOrdered(Mode.CLOSED, "office"))
    found = gate.send(Committed(token))
    assert not gate.released and said(found) == [Phrase.CLOSED_MANAGEMENT]
    assert shown(found, "decision") == [{"outcome": "denied", "reason": "closed-management"}]
    assert gate.bodies(Door)[-1] == Door(
        portal="main", state="locked", cause="closed-management", visit=gate.last.visit
    )
    assert gate.core.status().door == "locked"


@pytest.mark.parametrize("pass_type", [PassType.TENANT, None])
def test_closed_management_holds_by_schedule_and_against_a_pass_without_a_colour(pass_type: PassType | None) -> None:
    schedule = ModeSchedule(begins="10:01", ends="11:00", mode=Mode.CLOSED)
    gate = Gate(policy(schedules={"morning": schedule}, visit__commit_limit_s=5.0), now=at("10:00").after(57_000))
    token = granted(gate, pass_type, shows_code=True)
    gate.wait(4)
    assert gate.core.status().mode == "closed"
    gate.send(Committed(token))
    assert not gate.released and gate.bodies(Door)[-1].cause == "closed-management"


def test_closed_management_ordered_meanwhile_lets_in_a_resident() -> None:
    gate = Gate()
    token = granted(gate)
    gate.send(ModeOrdered(Mode.CLOSED, "office"))
    assert said(gate.send(Committed(token))) == [Phrase.GRANTED_NORMAL] and gate.released


@pytest.mark.parametrize("mode", [Mode.CLOSED, Mode.LOCKDOWN])
def test_in_a_fire_no_mode_takes_a_grant_back(mode: Mode) -> None:
    gate = Gate()
    token = granted(gate, PassType.TENANT)
    gate.send(ModeOrdered(mode, "office"), FireInput(True))
    gate.send(Committed(token))
    assert gate.released and gate.bodies(Door)[-1].cause == "fire"


@pytest.mark.parametrize(("mode", "reason"), [(Mode.LOCKDOWN, "lockdown"), (Mode.CLOSED, "closed-management")])
@pytest.mark.parametrize("then", JournalFailure)
def test_a_mode_is_not_opened_by_a_failing_journal(mode: Mode, reason: str, then: JournalFailure) -> None:
    gate = Gate(policy(when_journal_fails=then))
    token = granted(gate, PassType.TENANT)
    found = gate.send(ModeOrdered(mode, "office"), CommitFailed(token, "disk full"))
    assert not gate.released and gate.bodies(Door)[-1].cause == reason
    assert shown(found, "decision") == [{"outcome": "denied", "reason": reason}]


def test_a_fire_meanwhile_has_opened_already() -> None:
    gate = Gate()
    token = granted(gate)
    gate.send(FireInput(True))
    assert gate.released
    gate.send(Committed(token))
    assert gate.core.status().door == "free" and gate.last.outcome is VisitOutcome.GRANTED


def test_an_open_door_is_closed_to_nobody_by_a_failing_journal() -> None:
    gate = Gate()
    token = granted(gate)
    gate.send(ModeOrdered(Mode.FREE, "office"))
    found = gate.send(CommitFailed(token, "disk full"))
    assert gate.released and said(found) == [Phrase.GRANTED_NORMAL]


def test_two_grants_wait_each_for_its_own_record() -> None:
    gate = Gate()
    first = granted(gate)
    gate.wait(1)
    gate.read(card("h-2"))
    gate.measure()
    second = first + 1
    gate.send(CommitFailed(first, "…"))
    assert not gate.released
    gate.send(Committed(second))
    assert gate.released


def test_a_year_on_the_wall_clock_changes_no_timing() -> None:
    gate = Gate()
    token = granted(gate)
    gate.now = type(gate.now)(gate.now.mono_ms + 1000, gate.now.at_ms + 31_536_000_000)
    gate.send(Tick(), Committed(token))
    assert gate.released
    gate.now = type(gate.now)(gate.now.mono_ms + 4999, gate.now.at_ms - 63_072_000_000)
    gate.send(Tick())
    assert gate.released
    gate.wait(0.001)
    assert not gate.released
