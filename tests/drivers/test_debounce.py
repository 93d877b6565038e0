"""Debouncing: a level counts once it has held."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.debounce import Debounce

SETTLE_MS = 50


def play(edges: list[tuple[bool, int]], until_ms: int, settle_ms: int = SETTLE_MS) -> list[bool]:
    """What is told of these edges, when they are all handed over together and the pin is read last."""
    debounce = Debounce(False, settle_ms)
    told = [debounce.edge(active, at_ms) for active, at_ms in edges]
    told.append(debounce.look(edges[-1][0] if edges else False, until_ms))
    return [level for level in told if level is not None]


def test_a_press_and_its_release() -> None:
    assert play([(True, 0), (False, 100)], 200) == [True, False]


def test_bouncing_is_one_press() -> None:
    bounces = [(at_ms % 4 == 0, at_ms) for at_ms in range(0, 22, 2)]
    assert play(bounces, 200) == [True]


def test_a_spike_is_nothing() -> None:
    assert play([(True, 0), (False, SETTLE_MS - 1)], 200) == []


def test_a_thread_that_is_late_loses_no_press() -> None:
    assert play([(True, 0), (False, 60), (True, 200), (False, 260)], 60_000) == [True, False, True, False]


def test_an_edge_that_was_never_told_is_found_by_reading_the_pin() -> None:
    debounce = Debounce(False, SETTLE_MS)
    assert debounce.look(True, 1_000) is None
    assert debounce.due_ms() == 1_050
    assert debounce.look(True, 1_050) is True
    assert debounce.due_ms() is None
    assert debounce.look(True, 5_000) is None


def test_without_a_time_to_settle_every_edge_counts() -> None:
    assert play([(True, 0), (False, 1), (True, 2)], 3, settle_ms=0) == [True, False, True]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=40))
def test_what_is_told_alternates_and_ends_at_the_level_of_the_pin(steps: list[tuple[bool, int]]) -> None:
    now_ms, edges = 0, []
    for active, after_ms in steps:
        now_ms += after_ms
        edges.append((active, now_ms))
    told = play(edges, now_ms + SETTLE_MS)
    assert all(before != after for before, after in zip([False, *told], told, strict=False))
    assert (told[-1] if told else False) == (edges[-1][0] if edges else False)
