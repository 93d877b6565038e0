"""A registration is for whom its form was begun, and for nobody who has stepped up since; and what came of it is told."""

from dataclasses import replace

import pytest

from gateway.core.events import Presence, Registered, Tick
from gateway.core.policy import CapacityPolicy, Mode, StepsPolicy, VisitPolicy
from gateway.core.visit import SOMEBODY_ELSE, VISIT_OVER
from sync.contract.colours import PassType
from sync.contract.records import Refused, Step, Visit, VisitOutcome
from tests.gateway.core.acting import Gate, card, policy, shown

SITE = policy(steps=StepsPolicy(visitor=(Step.CREDENTIAL, Step.TEMPERATURE, Step.REGISTRATION)))
UNREGISTERED = card("h-1", PassType.VISITOR, serves=frozenset({Step.CREDENTIAL}))


def registers(gate: Gate, visit: str, *, instead: bool = True) -> dict[str, str]:
    """The guard registers them: what is shown of it."""
    (told,) = shown(gate.send(Registered("r-1", "li", instead, visit)), "registered")
    assert told["reference"] == "r-1"
    return told


def who(gate: Gate) -> str:
    """Whose visit the guard's page is told of."""
    return gate.core.status().visit


def test_whoever_stands_there_and_has_shown_nothing_is_who_the_visit_will_be_of() -> None:
    gate = Gate(SITE)
    assert who(gate) == ""
    gate.arrive()
    visit = who(gate)
    assert len(visit) == 32
    gate.measure()
    assert who(gate) == visit
    assert registers(gate, visit)["outcome"] == "granted"
    assert (gate.last.visit, gate.last.outcome) == (visit, VisitOutcome.GRANTED)
    assert [each.data["visit"] for each in gate.last.evidence if each.event == "registered"] == [""]


def test_somebody_else_who_steps_in_while_the_guard_types_is_not_registered() -> None:
    gate = Gate(SITE)
    gate.arrive()
    visit = who(gate)
    gate.leave()
    gate.arrive()
    gate.measure()
    before = len(gate.visits)
    told = registers(gate, visit)
    assert (told["outcome"], told["reason"]) == ("turned-away", SOMEBODY_ELSE)
    assert gate.bodies(Refused) == [Refused(what="registration", reason=SOMEBODY_ELSE, detail="r-1")]
    gate.leave()
    (ended,) = gate.visits[before:]
    assert ended.outcome is VisitOutcome.ABANDONED and not any(step.step == "registration" for step in ended.steps)


def test_the_second_at_the_same_reader_is_somebody_else() -> None:
    gate = Gate(SITE)
    gate.arrive()
    gate.read(UNREGISTERED)
    visit = who(gate)
    gate.read(card("h-2", PassType.VISITOR, serves=frozenset({Step.CREDENTIAL})))
    assert who(gate) != visit
    assert registers(gate, visit, instead=False)["reason"] == SOMEBODY_ELSE


def test_who_has_gone_is_over() -> None:
    gate = Gate(SITE)
    gate.arrive()
    visit = who(gate)
    gate.leave()
    assert registers(gate, visit)["reason"] == VISIT_OVER
    assert gate.visits == [] and not gate.released


def test_tapped_twice_nobody_is_let_in_twice() -> None:
    gate = Gate(SITE)
    gate.arrive()
    gate.measure()
    visit = who(gate)
    assert registers(gate, visit)["outcome"] == "granted"
    assert registers(gate, visit)["reason"] == VISIT_OVER
    gate.go_through()
    assert registers(gate, visit)["reason"] == VISIT_OVER
    assert len(gate.visits) == 1


def test_who_waits_for_the_registration_is_the_same_also_when_they_show_their_card_again() -> None:
    gate = Gate(SITE)
    gate.arrive()
    gate.read(UNREGISTERED)
    gate.measure()
    visit = who(gate)
    assert gate.last.reasons == ("registration-missing",) and gate.last.visit == visit
    gate.wait(6)
    gate.read(UNREGISTERED)
    told = registers(gate, visit, instead=False)
    assert told["outcome"] == "granted" and gate.last.visit != visit


def test_without_a_presence_sensor_it_is_the_visit_under_way() -> None:
    gate = Gate(replace(SITE, visit=VisitPolicy(presence_sensor=False)))
    assert who(gate) == ""
    gate.read(UNREGISTERED)
    visit = who(gate)
    told = registers(gate, visit, instead=False)
    assert (told["outcome"], told["reason"]) == ("waits", "temperature")
    gate.wait(30)
    assert registers(gate, visit, instead=False)["reason"] == VISIT_OVER


def test_a_sensor_that_blinks_makes_nobody_another() -> None:
    gate = Gate(SITE)
    gate.arrive()
    visit = who(gate)
    gate.send(Presence(False))
    gate.wait(0.5)
    gate.send(Presence(True), Tick())
    assert who(gate) == visit


def test_a_registration_that_names_no_visit_is_for_whoever_is_there() -> None:
    gate = Gate(SITE)
    gate.arrive()
    gate.measure()
    assert registers(gate, "")["outcome"] == "granted"


@pytest.mark.parametrize("mode", [Mode.NORMAL, Mode.LOCKDOWN, Mode.CLOSED])
def test_what_came_of_it_is_told_with_all_reasons_and_the_number(mode: Mode) -> None:
    gate = Gate(replace(SITE, capacity=CapacityPolicy(limit=1)))
    gate.core._orders.mode(mode, "li", gate.now)
    gate.core._portal.passages.correct(1)
    gate.arrive()
    gate.measure()
    told = registers(gate, who(gate))
    assert told["outcome"] == "denied"
    first = {Mode.NORMAL: "full", Mode.LOCKDOWN: "lockdown,full", Mode.CLOSED: "closed-management,full"}[mode]
    assert (told["reason"], told["number"]) == (first, "1")
    assert isinstance(gate.last, Visit) and ",".join(gate.last.reasons) == first
