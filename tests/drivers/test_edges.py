"""When an edge was, whatever a factory's ticks are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.edges import LATEST_MS, EdgeClock


class Seconds:
    """lgpio, native and RPi.GPIO: seconds of the monotonic clock."""

    per_s = 1.0

    def __init__(self) -> None:
        self.now = 1_234.5

    def ticks(self) -> float:
        return self.now

    @staticmethod
    def ticks_diff(later: float, earlier: float) -> float:
        return later - earlier

    def stamp(self, ago_ms: float) -> float:
        return self.now - ago_ms / 1000

    def passes(self, ms: float) -> None:
        self.now += ms / 1000


class Microseconds:
    """pigpio: microseconds in 32 bits, which wrap every 72 minutes, of a clock of its own."""

    def __init__(self) -> None:
        self.now = 2**32 - 1_000_000

    def ticks(self) -> int:
        return int(self.now) & 0xFFFFFFFF

    @staticmethod
    def ticks_diff(later: int, earlier: int) -> float:
        return ((later - earlier) & 0xFFFFFFFF) / 1_000_000

    def stamp(self, ago_ms: float) -> int:
        return int(self.now - ago_ms * 1000) & 0xFFFFFFFF

    def passes(self, ms: float) -> None:
        self.now += ms * 1000


@pytest.mark.parametrize("kind", [Seconds, Microseconds])
@given(st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 900)), max_size=20))
def test_an_edge_was_when_it_was_however_late_it_is_handed_over(
    kind: type[Seconds | Microseconds], edges: list[tuple[int, int]]
) -> None:
    factory, now_ms = kind(), 50_000
    clock = EdgeClock(factory, now_ms)
    factory.passes(1_000)
    now_ms += 1_000
    for after_ms, late_ms in edges:
        factory.passes(after_ms)
        now_ms += after_ms
        assert abs(clock.at_ms(factory.stamp(late_ms), now_ms) - (now_ms - late_ms)) <= 1


@pytest.mark.parametrize("kind", [Seconds, Microseconds])
def test_a_clock_that_drifts_is_set_again(kind: type[Seconds | Microseconds]) -> None:
    factory, now_ms = kind(), 0
    clock = EdgeClock(factory, now_ms)
    for _ in range(100):
        factory.passes(1_001)
        now_ms += 1_000
        clock.look(now_ms)
    assert abs(clock.at_ms(factory.stamp(20), now_ms) - (now_ms - 20)) <= 1


def test_a_stamp_of_another_clock_is_not_believed() -> None:
    factory = Seconds()
    clock = EdgeClock(factory, 1_000_000)
    assert clock.at_ms(factory.now + 1_700_000_000, 1_000_000) == 1_000_000
    assert clock.at_ms(factory.stamp(LATEST_MS + 1), 1_000_000) == 1_000_000
