"""How much is on its way, over links of any width and any length of way."""

from collections import deque

import pytest

from sync.log.view import Head
from sync.log.window import FULL_MS, LEAST_WINDOW, MAX_WINDOW, MIN_WINDOW, MOST_WAY_MS, Window

SIMULATED_MS = 120_000


def drained(rate: float, way_ms: int, *, hello_ms: int = 0) -> tuple[Window, float, float]:
    """A backlog without end over a link that carries `rate` bytes a millisecond, and each of them `way_ms` later. The window at the end,
    and the longest that an alarm would have waited behind what was on its way, at all and once the link was known. `hello_ms`: that
    the first answer took more."""
    window, now, free_at, seq, waited, later = Window(), 0, 0.0, 0, 0.0, 0.0
    window.answered(0, 2 * way_ms + hello_ms)
    answers: deque[tuple[int, int]] = deque()
    while now < SIMULATED_MS:
        while size := window.budget():
            seq += 1
            free_at = max(free_at, now) + size / rate
            window.sent(Head(seq, b""), size, size, now)
            answers.append((round(free_at) + 2 * way_ms, seq))
            waited = max(waited, free_at - now)
            later = max(later, free_at - now) if now > SIMULATED_MS / 2 else later
        now, arrived = answers.popleft()
        window.acknowledged(arrived, now)
    return window, waited, later


@pytest.mark.parametrize("way_ms", [0, 10, 150, 500, 1000, 2000])
@pytest.mark.parametrize("kbit_s", [10, 64, 1_000, 20_000, 100_000])
def test_it_is_what_the_link_carries_in_half_a_second_however_long_the_way(kbit_s: int, way_ms: int) -> None:
    rate = kbit_s / 8
    window, waited, later = drained(rate, way_ms)
    least = LEAST_WINDOW if 2 * way_ms < FULL_MS else MIN_WINDOW
    carried = rate * (FULL_MS + min(2 * way_ms, MOST_WAY_MS))
    assert min(max(least, carried / 2), MAX_WINDOW) <= window.size <= max(2 * least, 2 * carried)
    assert waited <= 2 * FULL_MS + 2 * way_ms + MIN_WINDOW / rate
    assert later <= 1.5 * FULL_MS + least / rate, "what is on the way delays nothing"


@pytest.mark.parametrize("kbit_s", [10, 64, 1_000])
def test_a_first_answer_that_came_late_for_another_reason_costs_an_alarm_little(kbit_s: int) -> None:
    _, waited, _ = drained(kbit_s / 8, 10, hello_ms=8_000)
    assert waited <= 2 * FULL_MS + 4 * MIN_WINDOW / (kbit_s / 8)
