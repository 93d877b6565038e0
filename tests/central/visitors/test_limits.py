"""How often something may be done from one place."""

from central.visitors import limits
from central.visitors.limits import Limit


def test_so_many_in_a_window_and_each_place_by_itself() -> None:
    limit = Limit(3, 60)
    assert [limit.allows("a", 0.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert limit.allows("b", 1.0)
    assert not limit.allows("a", 59.9)
    assert [limit.allows("a", 60.0) for _ in range(4)] == [True] * 3 + [False]


def test_it_does_not_grow_without_end(monkeypatch: object) -> None:
    limit = Limit(1, 60)
    for number in range(limits.MOST_PLACES + 500):
        limit.allows(str(number), 0.0)
    assert len(limit._counted) == limits.MOST_PLACES
    assert not limit.allows(str(limits.MOST_PLACES + 499), 1.0), "the newest are remembered"
