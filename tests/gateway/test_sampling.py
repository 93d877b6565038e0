"""From frames to one measurement a person."""

import pytest

from gateway.core.events import TemperatureMeasured
from gateway.core.policy import TemperaturePolicy
from gateway.sampling import UNSTEADY_MS, TemperatureSampler

POLICY = TemperaturePolicy(warm_up_s=0)


WALL_C = 22.0


def sampler_of(policy: TemperaturePolicy = POLICY) -> TemperatureSampler:
    """One that has seen the wall: whoever comes then is a change."""
    made = TemperatureSampler("t", policy)
    assert made.feed(WALL_C, 24.0, -100) is None
    return made


def run(sampler: TemperatureSampler, values: list[float], start_ms: int = 0) -> list[TemperatureMeasured]:
    found = [sampler.feed(value, 24.0, start_ms + 100 * n) for n, value in enumerate(values)]
    return [each for each in found if each is not None]


def test_one_measurement_for_one_person() -> None:
    found = run(sampler_of(), [22.0] * 10 + [36.5, 36.6, 36.5, 36.4, 36.5] + [36.5] * 50)
    assert [(each.object_c, each.ambient_c, each.samples) for each in found] == [(36.5, 24.0, 5)]
    assert found[0].spread_c == pytest.approx(0.2) and found[0].read_mono_ms == 1400


def test_the_next_person_is_measured_after_the_first_has_gone() -> None:
    found = run(sampler_of(), [36.5] * 8 + [22.0] * 3 + [38.1] * 8)
    assert [each.object_c for each in found] == [36.5, 38.1]


def test_one_bad_frame_does_not_make_a_new_person() -> None:
    assert len(run(sampler_of(), [36.5] * 8 + [22.0, 22.0] + [36.5] * 8)) == 1


def test_somebody_approaching_is_not_measured_before_steady() -> None:
    found = run(sampler_of(), [33.0, 34.0, 35.0, 36.0, 36.4, 36.5, 36.5, 36.5, 36.5])
    assert [each.object_c for each in found] == [36.5]


def test_never_steady_is_said_and_is_no_temperature() -> None:
    found = run(sampler_of(), [35.0, 36.5] * (UNSTEADY_MS // 200 + 1))
    assert [(each.object_c, each.reason) for each in found] == [(None, "unsteady")]


def test_surroundings_are_no_person() -> None:
    assert run(sampler_of(), [22.0, 31.9, 43.0, 60.0, -20.0] * 20) == []


def test_again_measures_anew() -> None:
    sampler = sampler_of()
    assert len(run(sampler, [36.5] * 20)) == 1
    sampler.again()
    assert len(run(sampler, [38.5] * 20, start_ms=5000)) == 1


def test_samples_with_a_gap_are_not_one_measurement() -> None:
    sampler = sampler_of()
    assert run(sampler, [36.5] * 4) == []
    assert sampler.feed(36.5, 24.0, 3_300) is None  # 3 s after the fourth


def test_warm_up_does_not_count() -> None:
    sampler = sampler_of(TemperaturePolicy(warm_up_s=30))
    assert run(sampler, [36.5] * 299) == []
    assert [each.read_mono_ms for each in run(sampler, [36.5] * 10, start_ms=29_900)] == [30_300]


def test_the_offset_decides_what_is_skin_and_the_raw_value_is_kept() -> None:
    found = run(sampler_of(TemperaturePolicy(warm_up_s=0, offset_c=2.0)), [31.0] * 8)
    assert [each.object_c for each in found] == [31.0]


def test_a_thermometer_that_does_not_tell_its_surroundings_says_so() -> None:
    sampler = sampler_of()
    found = [measured for n in range(8) if (measured := sampler.feed(36.5, None, 100 * n)) is not None]
    assert [(each.object_c, each.ambient_c) for each in found] == [(36.5, None)]


# a thermometer that hangs


def test_what_was_read_before_anybody_came_is_nobody_s_temperature() -> None:
    """It hung with somebody's good temperature; they have gone, and the next one comes."""
    sampler = sampler_of()
    assert len(run(sampler, [36.5] * 30)) == 1
    sampler.again()
    assert run(sampler, [36.5] * 600, start_ms=3_000) == []


def test_it_may_have_hung_since_before_the_gate_was_started() -> None:
    assert run(TemperatureSampler("t", POLICY), [36.5] * 600) == []


def test_a_new_policy_makes_no_measurement_of_a_reading_that_stands_still() -> None:
    sampler = sampler_of()
    assert len(run(sampler, [36.5] * 30)) == 1
    sampler.adopt(TemperaturePolicy(warm_up_s=0, samples=3))
    assert run(sampler, [36.5] * 100, start_ms=3_000) == []


def test_one_step_of_the_sensor_is_a_sign_of_life() -> None:
    sampler = sampler_of()
    run(sampler, [36.5] * 30)
    sampler.again()
    assert len(run(sampler, [36.5] * 50 + [36.6] + [36.5] * 10, start_ms=3_000)) == 1


def test_so_is_the_sensor_s_own_temperature() -> None:
    sampler = sampler_of()
    run(sampler, [36.5] * 30)
    sampler.again()
    assert [sampler.feed(36.5, 24.1, 3_000 + 100 * n) is not None for n in range(5)] == [False] * 4 + [True]


def test_who_comes_right_behind_is_not_measured_by_it_either() -> None:
    sampler = sampler_of()
    run(sampler, [36.4, 36.5, 36.4, 36.5, 36.5])
    sampler.again()
    assert run(sampler, [36.5] * 100, start_ms=500) == []
