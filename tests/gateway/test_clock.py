"""Clocks: monotonic never steps, the wall never runs below what is known, a scripted day only goes forward."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import Clock, ScriptedClock, boot_id

YEAR_MS = 365 * 86_400_000


def test_time_never_runs_below_the_last_known() -> None:
    floor = Clock().now().at_ms + YEAR_MS
    clock = Clock(floor)
    first, second = clock.now(), clock.now()
    assert floor <= first.at_ms <= second.at_ms < floor + 60_000


def test_a_step_of_a_year_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    assert clock.take_step() == 0
    real = Clock._wall_ms
    monkeypatch.setattr(Clock, "_wall_ms", staticmethod(lambda: real() + YEAR_MS))
    assert abs(clock.take_step() - YEAR_MS) < 1000
    assert clock.take_step() == 0
    monkeypatch.undo()
    assert abs(clock.take_step() + YEAR_MS) < 1000


def test_a_scripted_day_goes_forward_and_is_no_step() -> None:
    clock = ScriptedClock("Asia/Shanghai")
    seen = []
    for hhmm in ("07:40", "23:40", "02:50", "02:50"):
        clock.forward_to(hhmm)
        now = clock.now()
        seen.append(now.at_ms)
        assert f"{datetime.fromtimestamp(now.at_ms / 1000, ZoneInfo('Asia/Shanghai')):%H:%M}" == hhmm
    assert seen == sorted(seen) and seen[-1] - seen[-2] > YEAR_MS / 366
    assert clock.take_step() == 0


def test_the_boot_id_is_this_boots() -> None:
    assert len(boot_id()) == 16 and boot_id() == boot_id() != bytes(16)
