"""Screening: what a reading means, given those before it. `None` is no reading; a number is °C."""

import math

import pytest

from gateway.core import effects
from gateway.core.events import DeviceChanged, TemperatureMeasured
from gateway.core.phrases import Phrase
from gateway.core.policy import StepsPolicy, TemperaturePolicy
from gateway.core.temperature import SETTLED, TABLE, Screening, ScreeningState
from sync.contract.alarms import AlarmKind
from sync.contract.records import Step, VisitOutcome
from tests.gateway.core.acting import Gate, card, measures_again, policy, said

S = ScreeningState


def screened(readings: list[float | None], settings: TemperaturePolicy, ambient_c: float | None = 24.0) -> Screening:
    screening = Screening(settings)
    for object_c in readings:
        screening.reading(TemperatureMeasured(thermometer="t", object_c=object_c, ambient_c=ambient_c))
    return screening


@pytest.mark.parametrize(
    ("readings", "state", "reason"),
    [
        ([36.5], S.NORMAL, "normal"),
        ([35.0], S.NORMAL, "normal"),
        ([37.29], S.NORMAL, "normal"),
        ([37.3], S.WAITING, "high"),
        ([38.4, 38.4], S.WAITING, "high"),
        ([38.4, 38.4, 38.4], S.FEVER, "high"),
        ([38.4, 38.4, 36.5], S.FEVER, "high"),
        ([38.4, 36.5], S.WAITING, "once-more"),
        ([38.4, 36.5, 36.5], S.NORMAL, "normal"),
        ([38.4, 36.5, 37.5], S.FEVER, "high"),
        ([34.9], S.WAITING, "too-cold"),
        ([34.9, 34.9, 34.9], S.MANUAL, "too-cold"),
        ([34.9, 36.0], S.NORMAL, "normal"),
        ([31.9], S.WANTED, "implausible"),
        ([43.0], S.WANTED, "implausible"),
        ([0.0], S.WANTED, "implausible"),
        ([-5.0], S.WANTED, "implausible"),
        ([None], S.WANTED, "no-reading"),
        ([math.nan], S.WANTED, "no-reading"),
        ([math.inf], S.WANTED, "no-reading"),
        ([None, 34.0, 50.0], S.MANUAL, "implausible"),
        ([38.4, None, None, None], S.MANUAL, "no-reading"),
    ],
)
def test_what_readings_mean(readings: list[float | None], state: ScreeningState, reason: str) -> None:
    screening = screened(readings, TemperaturePolicy())
    assert (screening.state, screening.reason) == (state, reason)


@pytest.mark.parametrize(
    ("repeats", "readings", "state"),
    [
        (0, [37.3], S.FEVER),
        (0, [36.9], S.NORMAL),
        (0, [None], S.MANUAL),
        (1, [37.3, 36.5], S.FEVER),  # a tie is for the guard
        (4, [38, 36, 38, 36, 36], S.NORMAL),
        (4, [38, 36, 38, 36, 38], S.FEVER),
    ],
)
def test_other_numbers_of_repeats(repeats: int, readings: list[float | None], state: ScreeningState) -> None:
    assert screened(readings, TemperaturePolicy(repeats=repeats)).state is state


@pytest.mark.parametrize("ambient_c", [15.9, 35.1, None, math.nan])
@pytest.mark.parametrize("object_c", [36.5, 38.5])
def test_surroundings_it_is_not_good_for(ambient_c: float | None, object_c: float) -> None:
    screening = screened([object_c], TemperaturePolicy(), ambient_c)
    assert (screening.state, screening.reason) == (S.MANUAL, "ambient-out-of-range")


def test_the_sites_calibration_is_added() -> None:
    screening = screened([35.5], TemperaturePolicy(offset_c=2.0))
    assert (screening.object_c, screening.state) == (37.5, S.WAITING)


def test_what_is_settled_stays_so() -> None:
    assert {S.NORMAL, S.FEVER, S.MANUAL} == SETTLED and set(TABLE) == set(S)
    screening = screened([36.5], TemperaturePolicy())
    screening.unavailable("no-thermometer")
    assert screening.state is S.NORMAL


# at the gate


def at_the_thermometer(gate: Gate) -> None:
    gate.arrive()
    gate.read(card())


def test_a_fever_is_measured_three_times_and_referred_with_an_alarm() -> None:
    gate = Gate()
    at_the_thermometer(gate)
    found = gate.measure(38.4)
    assert said(found) == [Phrase.HIGH_ONCE_MORE] and not measures_again(found)
    assert gate.measure(36.0) == []  # before the pause is over nothing counts
    assert measures_again(gate.wait(5))
    assert said(gate.measure(38.5)) == [Phrase.HIGH_ONCE_MORE] and gate.visits == []
    assert measures_again(gate.wait(5))
    found = gate.measure(38.6)
    assert (gate.last.outcome, gate.last.reasons) == (VisitOutcome.REFERRED, ("fever",))
    assert effects.Say(Phrase.FEVER, effects.Priority.REFUSAL, {"celsius": "38.6"}) in found
    assert gate.open_alarms == [AlarmKind.FEVER] and gate.last.object_c == 38.6 and not gate.released


def test_a_fever_needs_no_credential() -> None:
    gate = Gate()
    gate.arrive()
    for _ in range(3):
        gate.measure(39)
        gate.wait(5)
    assert gate.last.reasons == ("fever",)


def test_where_no_temperature_is_asked_for_a_high_one_still_counts() -> None:
    gate = Gate(policy(steps=StepsPolicy(resident=(Step.CREDENTIAL,))))
    gate.arrive()
    assert said(gate.read(card())) == [Phrase.GRANTED] and gate.released
    gate.leave()
    gate.arrive()
    gate.measure(38)
    gate.read(card())
    assert len(gate.visits) == 1
    for _ in range(2):
        gate.wait(5)
        gate.measure(38)
    assert gate.last.reasons == ("fever",)


def test_no_reading_is_tried_again_at_once_and_then_the_guard_comes() -> None:
    gate = Gate()
    at_the_thermometer(gate)
    for _ in range(2):
        found = gate.measure(None, reason="unsteady")
        assert said(found) == [Phrase.MEASURE_AGAIN] and measures_again(found)
    found = gate.measure(None, reason="unsteady")
    assert (gate.last.outcome, gate.last.reasons) == (VisitOutcome.REFERRED, ("unsteady",))
    assert said(found) == [Phrase.GUARD_COMES] and gate.last.object_c is None


def test_cold_skin_waits() -> None:
    gate = Gate()
    at_the_thermometer(gate)
    found = gate.measure(34)
    assert said(found) == [Phrase.TOO_COLD] and not measures_again(found)
    assert measures_again(gate.wait(5))
    gate.measure(36)
    assert gate.released


def test_outside_the_ambient_range_the_guard_measures_once_it_is_known_who_it_is() -> None:
    gate = Gate()
    gate.arrive()
    gate.measure(36.5, ambient_c=2)
    assert gate.visits == []
    gate.read(card())
    assert (gate.last.outcome, gate.last.reasons) == (VisitOutcome.REFERRED, ("ambient-out-of-range",))


@pytest.mark.parametrize("when", ["before", "during"])
def test_without_a_thermometer_the_guard_measures(when: str) -> None:
    gate = Gate()
    if when == "before":
        gate.send(DeviceChanged("thermometer", "lost"))
    at_the_thermometer(gate)
    if when == "during":
        gate.send(DeviceChanged("thermometer", "stale"))
    assert (gate.last.outcome, gate.last.reasons) == (VisitOutcome.REFERRED, ("no-thermometer",))
    gate.leave()
    gate.send(DeviceChanged("thermometer", "ok"))
    at_the_thermometer(gate)
    gate.measure()
    assert gate.released
