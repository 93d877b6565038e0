"""The timeline, its picture, and what is practised next."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.drills.picture import HEIGHT, LEFT, RIGHT, bars
from central.drills.proposing import EVERY, Held, propose
from central.drills.timeline import Stamped, Step, gate_lines, steps
from sync.contract.records import DrillStage as Stage

MINUTE = 60_000
NINE = 9 * 60 * MINUTE


def office(*stamps: tuple[Stage, float]) -> list[Stamped]:
    """Stamps at so many minutes after nine."""
    return [Stamped(stage, NINE + int(minute * MINUTE), "li") for stage, minute in stamps]


def told(found: list[Step]) -> list[tuple[str, str, float | None, float | None]]:
    """Each step: what, at which gate, so many minutes after nine, and how many it took."""
    return [
        (
            step.stage.value,
            step.gate,
            None if step.at_ms is None else (step.at_ms - NINE) / MINUTE,
            None if step.took_ms is None else step.took_ms / MINUTE,
        )
        for step in found
    ]


def test_a_drill_as_it_was_held() -> None:
    """9:00 order; 9:40 supplies in place, people assembled; 10:00 residents arrive."""
    stamps = office(
        (Stage.ORDERED, 0), (Stage.SUPPLIES_READY, 40), (Stage.ASSEMBLED, 40), (Stage.RESIDENTS_ARRIVE, 60), (Stage.ENDED, 90)
    )  # fmt: skip
    gates = {"north": office((Stage.ORDERED, 0.1), (Stage.IN_MODE, 0.1), (Stage.RESIDENTS_ARRIVE, 61)), "west": []}
    assert told(steps(stamps, gates)) == [
        ("ordered", "", 0, None),
        ("supplies-ready", "", 40, 40),
        ("assembled", "", 40, 0),
        ("in-mode", "north", 0.1, 0.1),
        ("in-mode", "west", None, None),
        ("residents-arrive", "", 60, 20),
        ("ended", "", 90, 30),
    ]


def test_what_the_office_did_not_stamp_is_that_of_the_first_gate() -> None:
    gates = {
        "north": office((Stage.RESIDENTS_ARRIVE, 62), (Stage.SUPPLIES_READY, 35), (Stage.ENDED, 70)),
        "west": office((Stage.RESIDENTS_ARRIVE, 61)),
    }
    found = told(steps(office((Stage.ORDERED, 0)), gates))
    assert ("supplies-ready", "north", 35, 35) in found
    assert ("residents-arrive", "west", 61, 26) in found
    assert ("ended", "", None, None) in found, "a gate's end is not the drill's"


def test_before_and_beside_the_order() -> None:
    assert {each[2] for each in told(steps([], {"north": []}))} == {None}
    early = told(steps(office((Stage.ORDERED, 0)), {"north": office((Stage.IN_MODE, -1))}))
    assert ("in-mode", "north", -1, 0) in early, "its clock is behind; nothing takes less than no time"


def test_what_comes_in_another_order_counts_from_what_was_there_by_then() -> None:
    stamps = office((Stage.ORDERED, 0), (Stage.SUPPLIES_READY, 50), (Stage.ASSEMBLED, 20))
    assert told(steps(stamps, {}))[1:3] == [("supplies-ready", "", 50, 50), ("assembled", "", 20, 20)]


def test_of_a_stage_that_a_gate_tells_twice_the_first_stands() -> None:
    (line,) = gate_lines({"north": office((Stage.IN_MODE, 1), (Stage.IN_MODE, 2), (Stage.ENDED, 3))})
    assert line.in_mode is not None and line.in_mode.at_ms == NINE + MINUTE
    assert line.first_visit is None and line.ended is not None


_TIMES = st.integers(-(2**62), 2**62)


@given(st.lists(st.tuples(st.sampled_from(Stage), _TIMES), max_size=8), st.lists(st.tuples(st.sampled_from(Stage), _TIMES), max_size=8),
       st.integers(0, 2**45))  # fmt: skip
def test_the_picture_stays_in_its_frame(
    at_office: list[tuple[Stage, int]], at_gate: list[tuple[Stage, int]], now: int
) -> None:
    found = steps([Stamped(*each) for each in at_office], {"north": [Stamped(*each) for each in at_gate]})
    assert [step.stage for step in found].count(Stage.IN_MODE) == 1 and len(found) == 6
    for place, bar in enumerate(bars(found, now)):
        assert LEFT <= bar.x0 <= bar.x1 <= RIGHT and bar.y == place * HEIGHT
        assert LEFT <= bar.mark <= RIGHT - 14
        assert bar.step.took_ms is None or bar.step.took_ms >= 0


TODAY = date(2026, 11, 27)
SCENARIOS = ("lock-down", "closed", "contact")


def held(scenario: str, building: str, gates: str, days_ago: int) -> Held:
    """A drill."""
    return Held(scenario, building, gates.split(), TODAY - timedelta(days=days_ago))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([], ("lock-down", "", "north")),
        ([held("lock-down", "3", "north", 100)], ("closed", "3", "west")),
        ([held("lock-down", "3", "north west", 300), held("closed", "4", "west", 200), held("contact", "3", "north", 100)],
         ("lock-down", "4", "west")),
        ([held("closed", "", "west", 10), held("contact", "", "west", 20), held("lock-down", "", "north", 30)],
         ("lock-down", "", "north")),
        ([held("no such thing", "", "nowhere", 1)], ("lock-down", "", "north")),
    ],
)  # fmt: skip
def test_what_was_not_done_for_the_longest_time_is_proposed(before: list[Held], expected: tuple[str, str, str]) -> None:
    found = propose(before, SCENARIOS, ("north", "west"))
    assert (found.scenario, found.building, found.gate) == expected
    assert found.due == (max(each.day for each in before) + EVERY if before else None)
    assert propose(before, SCENARIOS, ()).gate == ""
