"""When a site's gates are told of one another, and what."""

from hypothesis import given
from hypothesis import strategies as st

from central.capacity.counting import AT_MOST_EVERY_MS, elsewhere, is_due
from central.capacity.standing import level
from sync.contract.directory import Elsewhere

GATES = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers(-500, 500))


@given(GATES)
def test_own_and_elsewhere_make_up_the_whole(inside: dict[str, int]) -> None:
    told = elsewhere(inside)
    assert told.keys() == inside.keys()
    assert all(inside[gate] + told[gate] == sum(inside.values()) for gate in inside)


def test_no_row_is_larger_than_a_gate_takes() -> None:
    assert elsewhere({"a": 900_000, "b": 900_000, "c": -1}) == {"a": 899_999, "b": 899_999, "c": 1_000_000}


def rows(at_ms: int, **inside: int) -> dict[str, Elsewhere | None]:
    return {gate: Elsewhere(inside=count, at_ms=at_ms) for gate, count in inside.items()}


def test_it_is_told_when_it_changed_not_too_often_and_again_before_it_is_old() -> None:
    assert is_due({"a": 0}, {}, 1_000_000, 40_000), "the first time"
    told = rows(1_000_000, a=0, b=3)
    assert not is_due({"a": 1, "b": 3}, told, 1_000_000 + AT_MOST_EVERY_MS - 1, 40_000)
    assert is_due({"a": 1, "b": 3}, told, 1_000_000 + AT_MOST_EVERY_MS, 40_000)
    assert not is_due({"a": 0, "b": 3}, told, 1_039_999, 40_000), "nothing has changed"
    assert is_due({"a": 0, "b": 3}, told, 1_040_000, 40_000), "or the gates would think it old"
    assert is_due({"a": 0}, told, 1_010_000, 40_000), "a gate has gone"
    assert is_due({}, told, 1_010_000, 0), "the site is counted together no more"
    assert not is_due({}, {}, 1_010_000, 0)
    assert is_due({"a": 0, "b": 3}, told, 900_000, 40_000), "the office's clock was set back"
    assert is_due({"a": 0}, {"a": None}, 1_000_000, 40_000), "what stood there was none of ours"


def test_levels() -> None:
    assert [level(inside, 10, 80) for inside in (-3, 0, 7, 8, 9, 10, 12)] == [
        *["room"] * 3, *["nearly"] * 2, *["full"] * 2,
    ]  # fmt: skip
    assert level(10_000, 0, 80) == "unlimited"
