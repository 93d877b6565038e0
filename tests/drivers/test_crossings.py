"""Two beams and people who walk through them: who went which way. The bodies are drawn by physics, and the truth is known."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.crossings import TABLE, Beam, Crossings, Edge, Stage
from drivers.debounce import Debounce
from drivers.simulators.passage import SPACING_M, Move, Walker, moves, walk

FREE = dict.fromkeys(Beam, False)
STUCK_MS = 60_000
IN, OUT = True, False
speeds = st.floats(0.25, 2.5)
depths = st.floats(0.22, 0.5)


def counted(seen: Iterable[Move], settle_ms: int = 0) -> list[bool]:
    """Who went which way, by what the beams did; with `settle_ms` as the driver has it, each debounced by itself."""
    crossings = Crossings(FREE, 0, STUCK_MS)
    debounces = {beam: Debounce(False, settle_ms) for beam in Beam}
    told: list[tuple[int, Beam, bool]] = []
    last_ms = 0
    for move in seen:
        last_ms = round(move.at_s * 1000)
        settled = debounces[move.beam].edge(move.broken, last_ms)
        if settled is not None:
            told.append((debounces[move.beam].told_since_ms, move.beam, settled))
    for beam, debounce in debounces.items():
        settled = debounce.due(last_ms + settle_ms)
        if settled is not None:
            told.append((debounce.told_since_ms, beam, settled))
    went = [crossings.level(beam, broken, at_ms) for at_ms, beam, broken in sorted(told)]
    return [each for each in went if each is not None]


def test_the_table_has_every_stage_and_only_edges_that_can_be() -> None:
    assert set(TABLE) == set(Stage)
    for stage, after in TABLE.items():
        for edge, target in after.items():
            assert target in TABLE, (stage, edge)
            assert {edge.value.split()[0]} <= {"near", "far"}


@given(speeds, depths, st.booleans())
def test_who_walks_through_is_one_that_way(speed: float, depth: float, inward: bool) -> None:
    assert counted(moves([walk(speed, inward=inward, depth_m=depth)])) == [inward]


@given(speeds, depths, st.booleans(), st.floats(0.0, 20.0), st.floats(0.0, 1.0))
def test_who_stops_on_the_way_and_goes_on_is_one(
    speed: float, depth: float, inward: bool, stands_s: float, where: float
) -> None:
    stop_m = -0.6 + 1.2 * where
    begins, ends = (-1.0, 1.0) if inward else (1.0, -1.0)
    reached_s = abs(stop_m - begins) / speed
    left_s = reached_s + stands_s
    way = ((0.0, begins), (reached_s, stop_m), (left_s, stop_m), (left_s + abs(ends - stop_m) / speed, ends))
    assert counted(moves([Walker(depth, way)])) == [inward]


@given(speeds, depths, st.booleans(), st.floats(0.3, 10.0), st.floats(0.0, 1.0))
def test_who_turns_back_before_being_through_is_none(
    speed: float, depth: float, inward: bool, turns_s: float, how_far: float
) -> None:
    """As far as may be: until a finger's breadth before the far beam would come free."""
    far_m, side = (SPACING_M, 1) if inward else (0.0, -1)
    last_m = far_m + side * (depth / 2 - 0.01)
    begins = -1.0 * side + (0.0 if inward else SPACING_M)
    turn_m = begins + (last_m - begins) * how_far
    reached_s = abs(turn_m - begins) / speed
    way = ((0.0, begins), (reached_s, turn_m), (reached_s + turns_s, turn_m), (2 * reached_s + turns_s, begins))
    assert counted(moves([Walker(depth, way)])) == []


@given(st.floats(0.25, 2.0), st.lists(depths, min_size=2, max_size=5), st.booleans(), st.floats(0.02, 1.0))
def test_people_close_behind_one_another_are_as_many_as_they_are(
    speed: float, deep: list[float], inward: bool, gap_m: float
) -> None:
    """`gap_m` of air between two bodies. All walk at one speed."""
    starts_s, walkers = 0.0, []
    for before, depth in zip([0.0, *deep], deep, strict=False):
        starts_s += (before / 2 + gap_m + depth / 2) / speed if before else 0.0
        walkers.append(walk(speed, inward=inward, depth_m=depth, starts_s=starts_s))
    assert counted(moves(walkers)) == [inward] * len(deep)


@given(st.floats(0.4, 2.0), depths, st.booleans(), st.floats(0.08, 0.5))
def test_the_next_one_who_turns_back_is_none_and_the_first_is_one(
    speed: float, depth: float, inward: bool, gap_m: float
) -> None:
    first = walk(speed, inward=inward, depth_m=depth)
    side = 1 if inward else -1
    near_m = 0.0 if inward else SPACING_M
    begins, turns_at = -1.0 * side - side * (depth + gap_m), near_m - side * (depth / 2 - 0.05)
    reached_s = abs(turns_at - begins) / speed
    way = ((0.0, begins), (reached_s, turns_at), (reached_s + 0.5, turns_at), (2 * reached_s + 0.5, begins))
    assert counted(moves([first, Walker(depth, way)])) == [inward]


@given(st.lists(st.tuples(speeds, st.booleans(), depths), min_size=1, max_size=8))
def test_a_crowd_that_comes_and_goes_one_at_a_time(crowd: list[tuple[float, bool, float]]) -> None:
    walkers, starts_s = [], 0.0
    for speed, inward, depth in crowd:
        walkers.append(walk(speed, inward=inward, depth_m=depth, starts_s=starts_s))
        starts_s += 2.0 / speed + 0.2
    assert counted(moves(walkers)) == [inward for _, inward, _ in crowd]


@given(st.lists(st.tuples(speeds, st.booleans(), depths), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_contacts_that_chatter_change_nothing(crowd: list[tuple[float, bool, float]], seed: int) -> None:
    """Each edge comes as up to nine, within 8 ms; the driver lets them settle for 30."""
    chance = random.Random(seed)
    walkers, starts_s = [], 0.0
    for speed, inward, depth in crowd:
        walkers.append(walk(speed, inward=inward, depth_m=depth, starts_s=starts_s))
        starts_s += 2.0 / speed + 0.2
    chattering: list[Move] = []
    for move in moves(walkers):
        bounces = sorted(chance.uniform(0, 0.008) for _ in range(2 * chance.randrange(5)))
        chattering.append(move)
        chattering += [Move(move.at_s + at_s, move.beam, move.broken ^ (n % 2 == 0)) for n, at_s in enumerate(bounces)]
    assert counted(sorted(chattering), settle_ms=30) == [inward for _, inward, _ in crowd]


@given(st.lists(st.tuples(st.sampled_from([*Beam]), st.booleans(), st.integers(0, 3_000)), max_size=60))
def test_whatever_the_beams_do_it_counts_no_more_than_they_were_broken(
    steps: list[tuple[Beam, bool, int]],
) -> None:
    crossings, now_ms, went = Crossings(FREE, 0, STUCK_MS), 0, 0
    broken = {Beam.OUTER: 0, Beam.INNER: 0}
    level = dict(FREE)
    for beam, is_broken, after_ms in steps:
        now_ms += after_ms
        broken[beam] += is_broken and not level[beam]
        level[beam] = is_broken
        went += crossings.level(beam, is_broken, now_ms) is not None
        assert went <= min(broken.values())
    crossings.level(Beam.OUTER, False, now_ms + 1)
    crossings.level(Beam.INNER, False, now_ms + 2)
    assert crossings.stage is Stage.NOBODY


@given(st.sampled_from([*Beam]), st.lists(st.integers(1, 500), max_size=200))
def test_one_beam_alone_counts_nobody_however_often(beam: Beam, after_ms: list[int]) -> None:
    crossings, now_ms = Crossings(FREE, 0, STUCK_MS), 0
    for number, step in enumerate(after_ms):
        now_ms += step
        assert crossings.level(beam, number % 2 == 0, now_ms) is None


@pytest.mark.parametrize("order", [[Beam.OUTER, Beam.INNER], [Beam.INNER, Beam.OUTER]])
def test_light_that_fails_at_both_at_once_is_nobody(order: list[Beam]) -> None:
    crossings = Crossings(FREE, 0, STUCK_MS)
    for at_ms, broken in ((1_000, True), (3_000, False)):
        for beam in order:
            assert crossings.level(beam, broken, at_ms) is None
    assert crossings.stage is Stage.NOBODY


def test_a_beam_that_stays_broken_is_a_fault_and_counts_nobody_until_both_are_free() -> None:
    crossings = Crossings(FREE, 0, STUCK_MS)
    assert crossings.stuck_at_ms() is None
    crossings.level(Beam.INNER, True, 5_000)
    assert crossings.stuck_at_ms() == 65_000
    assert crossings.stuck(64_999) is None
    assert crossings.stuck(65_000) is Beam.INNER
    for at_ms in range(70_000, 80_000, 500):  # people go on walking through the other one
        assert crossings.level(Beam.OUTER, at_ms % 1_000 == 0, at_ms) is None
    assert crossings.level(Beam.INNER, False, 90_000) is None
    assert crossings.stuck(90_000) is None
    assert crossings.stage is Stage.NOBODY


def test_whoever_stands_in_it_at_the_start_is_not_counted() -> None:
    crossings = Crossings({Beam.OUTER: True, Beam.INNER: True}, 0, STUCK_MS)
    assert crossings.level(Beam.OUTER, False, 500) is None
    assert crossings.level(Beam.INNER, False, 900) is None
    assert crossings.stage is Stage.NOBODY


def test_an_edge_is_named_for_where_the_body_came_from() -> None:
    assert {edge.value for edge in Edge} == {"near broken", "near free", "far broken", "far free"}
