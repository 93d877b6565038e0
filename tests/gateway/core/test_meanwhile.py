"""What comes to speak against somebody while their steps go on, or while their record is written: it counts as much as before."""

from dataclasses import replace

import pytest

from gateway.core import effects
from gateway.core.events import (
    CommitFailed,
    Committed,
    CountCorrected,
    Crossing,
    DoorContact,
    Event,
    FireInput,
    Mode,
    ModeOrdered,
    Presence,
)
from gateway.core.findings import replay
from gateway.core.phrases import Phrase
from gateway.core.policy import AntiPassback, Booked, CapacityPolicy, JournalFailure, Policy, StepsRule
from sync.contract.alarms import AlarmKind
from sync.contract.colours import PassType
from sync.contract.records import Direction, Door, Passage, Step, VisitOutcome
from tests.gateway.core.acting import Gate, card, policy, said, shown

DENIED, GRANTED = VisitOutcome.DENIED, VisitOutcome.GRANTED
CLOSED = ModeOrdered(Mode.CLOSED, "Wang")
HARD = policy(portal__anti_passback=AntiPassback.HARD)
ASKS_ON_EXIT = policy(
    portal__escape_route=False,
    portal__exit_needs_credential=True,
    rules={"out": StepsRule(direction=Direction.EXIT, steps=(Step.CREDENTIAL, Step.TEMPERATURE))},
)
OUT_BY_CARD = policy(portal__escape_route=False, portal__exit_needs_credential=True)


@pytest.mark.parametrize(
    ("settings", "meanwhile", "reason"),
    [
        (Policy(), CLOSED, "closed-management"),
        (Policy(), ModeOrdered(Mode.LOCKDOWN, "Wang"), "lockdown"),
        (policy(capacity=CapacityPolicy(limit=5)), CountCorrected(5, "Wang"), "full"),
    ],
)
def test_between_two_steps(settings: Policy, meanwhile: Event, reason: str) -> None:
    gate = Gate(settings)
    gate.arrive()
    gate.read(card(pass_type=PassType.TENANT))
    gate.send(meanwhile)
    gate.measure()
    assert gate.decided == (DENIED, (reason,)) and not gate.released
    assert replay(gate.last, settings).reasons == (reason,)


def test_who_had_a_slot_when_they_began_keeps_it() -> None:
    gate = Gate(policy(capacity=CapacityPolicy(booked=Booked.REQUIRED)))
    ends_s = gate.now.at_ms // 1000 + 2
    gate.arrive()
    gate.read(card(booked=((ends_s - 60, ends_s),)))
    gate.wait(4)
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",))


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(("pass_type", "released"), [(PassType.TENANT, False), (PassType.RESIDENT, True)])
def test_closed_management_ordered_while_the_record_is_written(
    fails: bool, pass_type: PassType, released: bool
) -> None:
    gate = Gate(policy(when_journal_fails=JournalFailure.OPEN))
    gate.answers = False
    gate.arrive()
    gate.read(card(pass_type=pass_type))
    token = next(each.token for each in gate.measure() if isinstance(each, effects.Append) and each.token)
    gate.send(CLOSED)
    found = gate.send(CommitFailed(token, "disk full") if fails else Committed(token))
    assert gate.released is released
    if not released and not fails:
        assert said(found) == [Phrase.CLOSED_MANAGEMENT]
        assert shown(found, "decision") == [{"outcome": "denied", "reason": "closed-management"}]
        assert gate.bodies(Door)[-1].cause == "closed-management" and gate.bodies(Door)[-1].visit == gate.last.visit


def _handed_back(gate: Gate) -> None:
    """The first one is let in, stays outside, and gives the card to the second, who shows it."""
    gate.arrive()
    gate.read(card())
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",)) and gate.released
    gate.leave()
    gate.arrive()
    gate.read(card())


def test_a_card_handed_back_before_its_holder_goes_in_lets_in_nobody_else() -> None:
    gate = Gate(HARD)
    _handed_back(gate)
    gate.send(DoorContact(True), Crossing(None))
    gate.wait(1)
    gate.send(DoorContact(False))
    gate.measure()
    assert gate.decided == (DENIED, ("already-inside",)) and not gate.released


def test_nor_is_it_leave_for_two() -> None:
    gate = Gate(HARD)
    _handed_back(gate)
    gate.measure()
    assert gate.released
    gate.send(DoorContact(True), Crossing(None))
    gate.wait(1)
    gate.send(Crossing(None))
    assert AlarmKind.TAILGATING in gate.open_alarms
    assert [bool(each.visit) for each in gate.bodies(Passage)] == [True, False]


def test_nor_while_the_second_grant_is_written() -> None:
    gate = Gate(HARD)
    _handed_back(gate)
    gate.answers = False
    token = next(each.token for each in gate.measure() if isinstance(each, effects.Append) and each.token)
    gate.send(DoorContact(True), Crossing(None))
    gate.wait(1)
    gate.send(DoorContact(False))
    found = gate.send(Committed(token))
    assert not gate.released and said(found) == [Phrase.ALREADY_INSIDE]


def test_a_lockdown_ordered_between_two_steps_of_the_way_out() -> None:
    gate = Gate(ASKS_ON_EXIT)
    gate.read(card(), Direction.EXIT)
    gate.send(ModeOrdered(Mode.LOCKDOWN, "Wang"))
    gate.measure()
    assert gate.decided == (DENIED, ("lockdown",)) and not gate.released


def test_in_a_fire_nobody_who_flees_is_told_to_stay() -> None:
    gate = Gate(replace(OUT_BY_CARD, portal=replace(OUT_BY_CARD.portal, anti_passback=AntiPassback.HARD)))
    gate.read(card(), Direction.EXIT)
    gate.send(DoorContact(True), Crossing(Direction.EXIT), DoorContact(False))
    gate.send(FireInput(True))
    found = gate.read(card(stays_home=True), Direction.EXIT)
    assert gate.decided == (GRANTED, ("ok",)) and Phrase.STAY_HOME not in said(found) and gate.released
    assert AlarmKind.HOME_OBSERVATION in gate.open_alarms, "the guard knows all the same"


def test_without_a_fire_they_are() -> None:
    gate = Gate(OUT_BY_CARD)
    gate.send(Presence(True))
    found = gate.read(card(stays_home=True), Direction.EXIT)
    assert gate.decided == (DENIED, ("home-observation",)) and Phrase.STAY_HOME in said(found) and not gate.released
