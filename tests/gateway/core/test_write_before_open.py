"""Write before you open, for entry; and what happens when nothing can be written."""

import pytest

from gateway.core import effects
from gateway.core.events import CommitFailed, Committed, FireInput, JournalWorks, Mode, ModeOrdered, Tick
from gateway.core.phrases import Phrase
from gateway.core.policy import JournalFailure, PortalKind
from sync.contract.alarms import AlarmKind
from sync.contract.colours import Lamp
from sync.contract.records import Door, Visit, VisitOutcome
from tests.gateway.core.acting import Gate, card, policy, said, shown


def granted(gate: Gate) -> int:
    """A grant whose record waits; its token."""
    gate.answers = False
    gate.arrive()
    gate.read(card())
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


def test_a_lockdown_is_not_opened_by_a_failing_journal() -> None:
    gate = Gate(policy(when_journal_fails=JournalFailure.OPEN))
    token = granted(gate)
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"), CommitFailed(token, "disk full"))
    assert not gate.released


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
