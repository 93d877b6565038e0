"""The deciding thread when something of ours fails: fire and the way out are decided all the same."""

import secrets
from typing import Any

import pytest

from gateway.clock import Clock
from gateway.core import effects
from gateway.core.checkpoint import Checkpoint
from gateway.core.events import Event, ExitRequested, FireInput, Presence, Tick
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.executor import Executor
from gateway.inbox import Inbox
from gateway.journal import JournalError
from gateway.loop import Loop
from sync.contract.alarms import Alarm, AlarmAction
from tests.gateway.core.acting import policy

FLEES = policy(portal__escape_route=True)
STAYS = policy(portal__escape_route=False, portal__exit_needs_credential=True)


class Outputs:
    """Stands for every part that the executor drives. `broken`: what fails, by name."""

    name = "lock"

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.levels: list[bool] = []
        self.tones: list[tuple[effects.Tone, bool]] = []
        self.alarms: list[str] = []

    def set(self, active: bool) -> None:
        self.levels.append(active)

    def close(self) -> None: ...

    def append(self, *_given: Any) -> None:
        if "journal" in self.broken:
            raise JournalError("a record of 70000 bytes")

    def tone(self, tone: effects.Tone, on: bool) -> None:
        self.tones.append((tone, on))

    def say(self, *_given: Any) -> None:
        if "voice" in self.broken:
            raise RuntimeError("no such phrase")

    def loud(self, on: bool) -> None: ...

    def unsay(self, phrases: frozenset[str]) -> None: ...

    def volume(self, percent: int) -> None: ...

    def alarm(self, _action: AlarmAction, alarm: Alarm, _now: Moment) -> None:
        self.alarms.append(alarm.kind.value)

    def state_changed(self) -> None: ...

    def watch(self, _effect: effects.Effect, _now: Moment) -> None:
        if "watcher" in self.broken:
            raise BrokenPipeError


def run(core: Checkpoint, outputs: Outputs, *events: Event) -> None:
    """Let a gate's loop decide them, to the end."""
    inbox: Inbox = Inbox()
    parts: Any = outputs
    executor = Executor(
        journal=parts, post=inbox.post, lock=outputs, lamps={}, sounder=None, alarm_lamp=None, voice=outputs,
        tells=outputs, sampler=None, watchers=[outputs.watch],
    )  # fmt: skip
    loop = Loop(core, inbox, executor, Clock(0), lambda: None)
    loop.begin()
    for event in events:
        inbox.post(event)
    loop.stop()
    loop.run()


def gate(settings: Policy = FLEES) -> Checkpoint:
    return Checkpoint(settings, ids=lambda: secrets.token_hex(16))


def broken(core: Checkpoint, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this machine of the core fails whenever it is asked, and it is asked with every event."""

    def fails(*_given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(core, "_deadline", 0)
    monkeypatch.setattr(getattr(core, machine), "due", fails)


@pytest.mark.parametrize("machine", ["_reception", "_desk", "_duties", "_orders"])
def test_a_core_that_fails_with_every_event_lets_out_and_opens_in_a_fire(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for event in (FireInput(True), ExitRequested()):
        core, outputs = gate(), Outputs()
        broken(core, machine, monkeypatch)
        run(core, outputs, event)
        assert outputs.levels == [False, True], event


def test_the_fires_alarm_comes_as_soon_as_the_fault_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    core, outputs = gate(), Outputs()
    works, faults = core._desk.due, [ZeroDivisionError]

    def fails_once(now_ms: int) -> None:
        if faults:
            raise faults.pop()
        works(now_ms)

    monkeypatch.setattr(core, "_deadline", 0)
    monkeypatch.setattr(core._desk, "due", fails_once)
    run(core, outputs, FireInput(True), Tick())
    assert outputs.levels == [False, True]
    assert outputs.alarms == ["fire"] and (effects.Tone.EVACUATION, True) in outputs.tones


def test_it_lets_out_nobody_who_has_to_show_a_card_and_in_nobody_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    core, outputs = gate(STAYS), Outputs()
    broken(core, "_duties", monkeypatch)
    run(core, outputs, ExitRequested(), Presence(True), Tick())
    assert outputs.levels == [False]


def test_the_door_is_shut_again_when_the_fire_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    core, outputs = gate(), Outputs()
    broken(core, "_duties", monkeypatch)
    run(core, outputs, FireInput(True), FireInput(False))
    assert outputs.levels == [False, True, False]


@pytest.mark.parametrize("part", ["journal", "voice", "watcher"])
def test_one_part_that_fails_holds_up_none_behind_it(part: str) -> None:
    outputs = Outputs(part)
    run(gate(), outputs, FireInput(True))
    assert outputs.levels == [False, True]
    assert (effects.Tone.EVACUATION, True) in outputs.tones
    assert outputs.alarms == ["fire"]
