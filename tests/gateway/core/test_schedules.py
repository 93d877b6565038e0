"""Schedules, and a clock that nobody has set."""

from dataclasses import replace

from gateway.core.events import ClockStepped, Mode, ModeOrdered
from gateway.core.policy import ModeSchedule, Policy
from tests.gateway.core.acting import Gate, at

DAY = replace(Policy(), schedules={"day": ModeSchedule(begins="08:00", ends="18:00", mode=Mode.FREE)})
NIGHT = replace(Policy(), schedules={"night": ModeSchedule(begins="08:00", ends="18:00", mode=Mode.CLOSED)})


def set_to(gate: Gate, hhmm: str) -> None:
    """The clock was not set, and is now."""
    before = gate.now.at_ms
    gate.now = at(hhmm, gate.now.mono_ms)
    gate.send(ClockStepped(gate.now.at_ms - before, True))


def test_after_a_power_cut_no_schedule_leaves_the_door_open_at_an_hour_nobody_knows() -> None:
    gate = Gate(DAY)
    assert gate.released and gate.core.status().mode == "free"
    again = Gate(DAY, state=gate.durable, now=replace(at("17:50"), trusted=False))
    assert not again.released and again.core.status().mode == "normal"
    again.wait(300)
    assert not again.released
    set_to(again, "02:00")
    again.wait(6 * 3600 - 60)
    assert not again.released
    again.wait(120)
    assert again.released and again.core.status().mode == "free"


def test_it_opens_when_the_clock_was_set_and_stays_so_when_the_time_source_is_lost() -> None:
    gate = Gate(DAY, now=replace(at("10:00"), trusted=False))
    assert not gate.released
    set_to(gate, "10:01")
    assert gate.released
    gate.now = replace(gate.now, trusted=False)
    gate.wait(3600)
    assert gate.released


def test_what_a_person_has_ordered_holds_and_what_closes_needs_no_clock() -> None:
    gate = Gate(DAY, now=replace(at("10:00"), trusted=False))
    gate.send(ModeOrdered(Mode.FREE, "Wang"))
    gate.wait(600)
    assert gate.released
    assert Gate(NIGHT, now=replace(at("10:00"), trusted=False)).core.status().mode == "closed"
