"""Rounds by timetable when the clock is put right."""

from dataclasses import replace

import pytest

from gateway.core.events import Acknowledge, ClockStepped, RoundConfirmed
from gateway.core.policy import Policy, RoundPolicy
from sync.contract.alarms import AlarmKind
from sync.contract.records import Round
from tests.gateway.core.acting import Gate

LOBBY = replace(Policy(), rounds={"lobby": RoundPolicy(times=("11:00",))})
HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS


def step(gate: Gate, ms: int) -> None:
    gate.now = replace(gate.now, at_ms=gate.now.at_ms + ms)
    gate.send(ClockStepped(ms, True))


@pytest.mark.parametrize("waited_h", [0.01, 1.2, 2])
def test_a_clock_that_was_a_year_ahead_ends_no_timetable(waited_h: float) -> None:
    gate = Gate(LOBBY)
    step(gate, YEAR_MS)
    gate.wait(waited_h * 3600)  # before it is due there, while it is due, and when it was missed
    step(gate, -YEAR_MS)
    before = len(gate.bodies(Round))
    gate.wait(48 * 3600)
    assert [each.outcome for each in gate.bodies(Round)][before:].count("missed") >= 2
    assert AlarmKind.ROUND_MISSED in gate.open_alarms


@pytest.mark.parametrize("back_ms", [1_000, 600_000])
def test_a_small_step_back_brings_no_round_twice(back_ms: int) -> None:
    gate = Gate(LOBBY)
    gate.wait(3600 + 30)
    assert gate.core.status().rounds
    step(gate, -back_ms)
    gate.wait(1200)
    assert gate.bodies(Round) == [] and len(gate.core.status().rounds) == 1


def test_a_missed_round_that_was_done_needs_no_more_than_an_acknowledgement_after_a_restart() -> None:
    gate = Gate(LOBBY)
    gate.wait(2 * 3600)
    gate.send(RoundConfirmed("lobby", "Li"))
    assert gate.open_alarms == [AlarmKind.ROUND_MISSED]
    again = Gate(LOBBY, state=gate.durable, now=gate.now)
    assert again.open_alarms == [AlarmKind.ROUND_MISSED], "nobody has seen it yet"
    again.send(Acknowledge("button"))
    assert again.open_alarms == []


def test_one_that_was_not_done_stands_until_it_is() -> None:
    gate = Gate(LOBBY)
    gate.wait(2 * 3600)
    again = Gate(LOBBY, state=gate.durable, now=gate.now)
    again.send(Acknowledge("button"))
    assert again.open_alarms == [AlarmKind.ROUND_MISSED]
    again.send(RoundConfirmed("lobby", "Li"))
    assert again.open_alarms == []
