"""A pass's colour, a health code's and the lamp's are three things: none is ever taken for another."""

import itertools

import pytest

from gateway.core import effects
from gateway.core.door import DoorState
from gateway.core.portal import LAMPS
from sync.contract.colours import HealthCode, Lamp, PassType
from sync.contract.records import VisitOutcome
from tests.gateway.core.acting import Gate, card, health

BOTH = list(itertools.product(PassType, HealthCode))


def shown(pass_type: PassType, code: HealthCode) -> tuple[Gate, list[Lamp]]:
    """A whole visit of somebody registered who shows both; the lamps from then on."""
    gate = Gate()
    gate.arrive()
    gate.measure()
    found = gate.read(health(code))
    if not gate.visits:
        found += gate.read(card(pass_type=pass_type))
    return gate, [effect.lamp for effect in found if isinstance(effect, effects.SetLamp)]


def test_a_returnee_with_a_red_pass_and_a_green_code_may_pass() -> None:
    gate, lamps = shown(PassType.RETURNEE, HealthCode.GREEN)
    assert gate.decided == (VisitOutcome.GRANTED, ("ok",)) and gate.released
    assert (gate.last.pass_type, gate.last.health_code) == (PassType.RETURNEE, HealthCode.GREEN)
    assert lamps[-1] is Lamp.GREEN and Lamp.RED not in lamps


def test_a_resident_with_a_green_pass_and_a_red_code_may_not() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card(pass_type=PassType.RESIDENT))
    gate.read(health(HealthCode.RED))
    assert gate.decided == (VisitOutcome.DENIED, ("health-code-red",)) and not gate.released
    assert (gate.last.pass_type, gate.last.health_code) == (PassType.RESIDENT, HealthCode.RED)
    assert gate.lamp is Lamp.RED


@pytest.mark.parametrize(("pass_type", "code"), BOTH)
def test_the_code_decides_the_pass_does_not_and_the_lamp_follows_the_door(
    pass_type: PassType, code: HealthCode
) -> None:
    gate, lamps = shown(pass_type, code)
    good = code is HealthCode.GREEN
    assert gate.last.outcome is (VisitOutcome.GRANTED if good else VisitOutcome.DENIED)
    assert lamps[-1] is (Lamp.GREEN if good else Lamp.RED)
    assert lamps == shown(PassType.RESIDENT, code)[1]  # whatever the pass


def test_nothing_but_the_door_names_a_lamp() -> None:
    assert all(isinstance(state, DoorState) for state in LAMPS)
    words = {kind: {each.name for each in kind} for kind in (PassType, HealthCode, Lamp)}
    assert words[PassType].isdisjoint(words[HealthCode] | words[Lamp])
