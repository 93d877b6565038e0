"""Clocks: monotonic never steps, a time source is believed, until then the wall never runs below what is known, and a
scripted day only goes forward."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway import clock as clock_module
from gateway.clock import Clock, ScriptedClock, boot_id
from gateway.core.checkpoint import Checkpoint
from gateway.core.effects import Append, Effect
from gateway.core.events import Tick
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.inbox import Inbox
from gateway.loop import Loop
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.records import AlarmRecord, Body, ClockChange

YEAR_MS = 365 * 86_400_000


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> "Kernel":
    return Kernel(monkeypatch)


class Kernel:
    """What the kernel says of the wall clock: not kept by any time source, until told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synchronised = False
        monkeypatch.setattr(clock_module, "synchronised", lambda: self.synchronised)


def stepped(clock: Clock) -> int:
    """What the clock tells of a step."""
    step = clock.take_step()
    assert step is not None
    return step


def test_until_it_is_synchronised_time_never_runs_below_the_last_known(kernel: Kernel) -> None:
    floor = Clock().now().at_ms + YEAR_MS
    clock = Clock(floor)
    first, second = clock.now(), clock.now()
    assert floor <= first.at_ms <= second.at_ms < floor + 60_000
    assert not first.trusted and clock.take_step() is None


def test_a_time_source_is_believed_against_what_is_known_from_disk(kernel: Kernel) -> None:
    wall = Clock().now().at_ms
    clock = Clock(wall + YEAR_MS)
    assert clock.now().at_ms >= wall + YEAR_MS
    kernel.synchronised = True
    now = clock.now()
    assert now.trusted and wall <= now.at_ms < wall + 60_000
    assert abs(stepped(clock) + YEAR_MS) < 60_000
    assert clock.take_step() is None
    kernel.synchronised = False  # weeks without a network: what was wrong does not come back
    assert clock.now().at_ms < wall + 60_000
    assert clock.take_step() is None


def test_a_gate_that_starts_synchronised_tells_the_step_once(kernel: Kernel) -> None:
    kernel.synchronised = True
    clock = Clock(Clock().now().at_ms + YEAR_MS)
    assert clock.now().trusted
    assert abs(stepped(clock) + YEAR_MS) < 60_000
    assert clock.take_step() is None


def test_the_last_word_of_the_time_source_is_what_time_never_runs_below(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    kernel.synchronised = True
    known = clock.now().at_ms
    kernel.synchronised = False
    real = Clock._wall_ms
    monkeypatch.setattr(Clock, "_wall_ms", staticmethod(lambda: real() - YEAR_MS))
    assert clock.now().at_ms >= known


def test_a_scripted_day_that_goes_on_after_a_restart_is_no_step() -> None:
    floor = Clock().now().at_ms + YEAR_MS
    clock = ScriptedClock("Asia/Shanghai", floor)
    assert clock.now().at_ms >= floor and clock.now().trusted
    assert clock.take_step() is None


def test_a_step_of_a_year_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    assert clock.take_step() is None
    real = Clock._wall_ms
    monkeypatch.setattr(Clock, "_wall_ms", staticmethod(lambda: real() + YEAR_MS))
    assert abs(stepped(clock) - YEAR_MS) < 1000
    assert clock.take_step() is None
    monkeypatch.undo()
    assert abs(stepped(clock) + YEAR_MS) < 1000


def test_a_scripted_day_goes_forward_and_is_no_step() -> None:
    clock = ScriptedClock("Asia/Shanghai")
    seen = []
    for hhmm in ("07:40", "23:40", "02:50", "02:50"):
        clock.forward_to(hhmm)
        now = clock.now()
        seen.append(now.at_ms)
        assert f"{datetime.fromtimestamp(now.at_ms / 1000, ZoneInfo('Asia/Shanghai')):%H:%M}" == hhmm
    assert seen == sorted(seen) and seen[-1] - seen[-2] > YEAR_MS / 366
    assert clock.take_step() is None


def test_the_boot_id_is_this_boots() -> None:
    assert len(boot_id()) == 16 and boot_id() == boot_id() != bytes(16)


def test_a_gate_that_was_a_year_ahead_comes_back_with_one_alarm(kernel: Kernel) -> None:
    kernel.synchronised = True
    wall = Clock().now().at_ms
    inbox, done = Inbox(), CarriedOut()
    checkpoint = Checkpoint(Policy(), ids=lambda: secrets.token_hex(16))
    loop = Loop(checkpoint, inbox, done, Clock(wall + YEAR_MS), lambda: None)
    loop.begin()
    for _ in range(3):
        inbox.post(Tick())
    loop.stop()
    loop.run()
    (step,) = [body for body in done.bodies if isinstance(body, ClockChange)]
    assert step.trusted and abs(step.step_ms + YEAR_MS) < 60_000
    alarms = [(body.action, body.alarm.kind) for body in done.bodies if isinstance(body, AlarmRecord)]
    assert alarms == [(AlarmAction.RAISED, AlarmKind.CLOCK)]
    assert all(wall <= at_ms < wall + 60_000 for at_ms in done.times)


class CarriedOut:
    """Stands where the executor does: the records, and when they were made."""

    def __init__(self) -> None:
        self.bodies: list[Body] = []
        self.times: list[int] = []

    def carry_out(self, todo: tuple[Effect, ...], now: Moment) -> None:
        self.bodies += [effect.body for effect in todo if isinstance(effect, Append)]
        self.times.append(now.at_ms)
