"""How much is on its way, over links of any width and any length of way."""

from collections import deque

import pytest

from sync.log.view import Head
from sync.log.window import FULL_MS, MAX_WINDOW, MIN_WINDOW, Window

SIMULATED_MS = 120_000


def drained(rate: float, way_ms: int, *, hello_ms: int = 0) -> tuple[Window, float]:
    """A backlog without end over a link that carries `rate` bytes a millisecond, and each of them `way_ms` later. The window at the end,
    and the longest that an alarm would have waited behind what was on its way. `hello_ms`: that the first answer took more."""
    window, now, free_at, seq, waited = Window(), 0, 0.0, 0, 0.0
    window.answered(0, 2 * way_ms + hello_ms)
    answers: deque[tuple[int, int]] = deque()
    while now < SIMULATED_MS:
        while size := window.budget():
            seq += 1
            free_at = max(free_at, now) + size / rate
            window.sent(Head(seq, b""), size, size, now)
            answers.append((round(free_at) + 2 * way_ms, seq))
            waited = max(waited, free_at - now)
        now, arrived = answers.popleft()
        window.acknowledged(arrived, now)
    return window, waited


@pytest.mark.parametrize("way_ms", [0, 10, 150, 500, 1000, 2000])
@pytest.mark.parametrize("kbit_s", [10, 64, 1_000, 20_000, 100_000])
def test_it_is_what_the_link_carries_in_half_a_second_however_long_the_way(kbit_s: int, way_ms: int) -> None:
    rate = kbit_s / 8
    window, waited = drained(rate, way_ms)
    assert (
        min(max(MIN_WINDOW, rate * FULL_MS / 2), MAX_WINDOW) <= window.size <= max(2 * MIN_WINDOW, 2 * rate * FULL_MS)
    )
    assert waited <= 2 * FULL_MS + MIN_WINDOW / rate


@pytest.mark.parametrize("kbit_s", [10, 64, 1_000])
def test_a_first_answer_that_came_late_for_another_reason_costs_an_alarm_little(kbit_s: int) -> None:
    _, waited = drained(kbit_s / 8, 10, hello_ms=8_000)
    assert waited <= 2 * FULL_MS + 4 * MIN_WINDOW / (kbit_s / 8)
