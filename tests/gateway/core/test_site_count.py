"""How long a gate goes by what the office told of the others, and what it does without."""

import pytest

from gateway.core.capacity import FULL, REACHED, WARNING, Capacity
from gateway.core.moment import Moment
from gateway.core.policy import CapacityPolicy

POLICY = CapacityPolicy(limit=10, site_wide=True, site_max_age_s=60.0, share_percent=30)
NOW = Moment(1_000_000, 1_800_000_000_000)


def full(capacity: Capacity, own: int, later_ms: int = 0) -> bool:
    return capacity.against(own, (), NOW.after(later_ms)) == FULL


def test_what_was_told_counts_until_it_is_old_and_then_the_share() -> None:
    capacity = Capacity(POLICY)
    assert not full(capacity, 2) and full(capacity, 3), "told nothing yet: 30 % of 10"
    capacity.told(6, NOW.at_ms, NOW)
    assert not full(capacity, 3) and full(capacity, 4)
    assert not full(capacity, 3, 60_000) and full(capacity, 3, 60_001)


@pytest.mark.parametrize(
    ("ago_ms", "trusted", "counts"), [(30_000, True, True), (61_000, True, False), (61_000, False, True)]
)
def test_what_a_gate_finds_when_it_starts_is_as_old_as_it_says(ago_ms: int, trusted: bool, counts: bool) -> None:
    now = Moment(NOW.mono_ms, NOW.at_ms, trusted)
    capacity = Capacity(POLICY)
    capacity.told(6, now.at_ms - ago_ms, now)
    assert full(capacity, 3) is not counts


def test_an_office_whose_clock_is_ahead_is_not_believed_for_longer() -> None:
    capacity = Capacity(POLICY)
    capacity.told(6, NOW.at_ms + 3_600_000, NOW)
    assert full(capacity, 3, 60_001)


def test_full_by_the_share_is_judged_anew_when_the_sites_number_comes() -> None:
    capacity = Capacity(CapacityPolicy(limit=55, site_wide=True, site_max_age_s=60.0, share_percent=50))
    assert capacity.level(27, NOW) == REACHED, "the share: 27 of 55"
    capacity.told(26, NOW.at_ms, NOW)
    assert capacity.level(27, NOW) == WARNING, "53 of 55: nothing of the share's is held over"
    capacity.told(28, NOW.at_ms, NOW)
    assert [capacity.level(own, NOW) for own in (27, 25, 24)] == [REACHED, REACHED, WARNING], "at the limit it holds"
    capacity.told(0, NOW.at_ms, NOW)
    assert capacity.level(27, NOW) == ""
    assert capacity.level(27, NOW.after(60_001)) == REACHED, "the office is away: the share again"


def test_full_by_another_limit_is_judged_anew() -> None:
    capacity = Capacity(CapacityPolicy(limit=50))
    assert capacity.level(50, NOW) == REACHED
    capacity.adopt(CapacityPolicy(limit=52))
    assert capacity.level(50, NOW) == WARNING
