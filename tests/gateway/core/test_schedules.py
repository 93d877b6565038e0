"""Schedules, and a clock that nobody has set."""

from dataclasses import replace

import pytest

from gateway.core.events import ClockStepped, Desired, Mode, ModeOrdered
from gateway.core.policy import ModeSchedule, Policy
from sync.contract import records
from sync.contract.directory import ModeOrder
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


def hours(mode: Mode) -> ModeSchedule:
    return ModeSchedule(begins="08:00", ends="18:00", mode=mode)


OTHERS = {
    "none": (Policy(), "normal"),
    "out-of-hours": (
        replace(Policy(), schedules={"later": ModeSchedule(begins="20:00", mode=Mode.LOCKDOWN)}),
        "normal",
    ),
    "another": (replace(Policy(), schedules={"new": hours(Mode.FREE_EXIT)}), "free-exit"),
    "another-mode": (replace(Policy(), schedules={"night": hours(Mode.LOCKDOWN)}), "lockdown"),
    "the-same": (NIGHT, "closed"),
}
"""What the file has at the next start in place of the schedule in force, and the mode that holds then."""


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("trusted", [True, False])
def test_a_mode_that_no_schedule_asks_for_any_more_ends_at_the_start_on_record(name: str, trusted: bool) -> None:
    gate = Gate(NIGHT)
    assert gate.core.status().mode == "closed"
    policy, mode = OTHERS[name]
    again = Gate(policy, state=gate.durable, now=replace(at("10:05"), trusted=trusted))
    assert again.core.status().mode == mode
    told = [(each.before, each.mode, each.by) for each in again.bodies(records.Mode)]
    assert told == ([] if mode == "closed" else [("closed", mode, "schedule")])
    assert again.durable == again.core.durable(), "the journal has it"
    again.wait(600)
    third = Gate(policy, state=again.durable, now=at("10:30"))
    assert third.core.status().mode == mode and not third.bodies(records.Mode)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("office", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_what_a_person_has_ordered_outlasts_any_schedule(name: str, mode: Mode, office: bool, before: bool) -> None:
    order = Desired({"*": ModeOrder(id="1" * 32, mode=mode.value, by="chief", at_ms=0)})
    gate = Gate(NIGHT, now=at("07:50") if before else at("10:00"))
    gate.send(order if office else ModeOrdered(mode, "li"))
    gate.wait(1200)
    assert (gate.core.status().mode == mode.value) or (before and mode is Mode.NORMAL), "only what is normal gives way"
    if before and mode is Mode.NORMAL:
        return
    again = Gate(OTHERS[name][0], state=gate.durable, now=at("10:30"))
    overrules = name == "another" and mode is Mode.NORMAL  # the hours of another schedule begin
    assert again.core.status().mode == ("free-exit" if overrules else mode.value)
