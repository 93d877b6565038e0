"""What is in view, with the time as an argument."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.frames import Box
from drivers.camera.view import BLURRED_MS, FrameWatch, InView
from drivers.held_up import MAX_CODES, REARM_MS, acceptable


def test_a_code_is_told_once_while_it_is_seen_and_again_after_it_was_away() -> None:
    view = InView()
    assert view.new([b"a"], 0) == [b"a"]
    assert view.new([b"a"], REARM_MS) == [], "seen again in time: still held"
    assert view.new([], REARM_MS + 1) == []
    assert view.new([b"a"], 2 * REARM_MS) == [], "a picture or two without it are a blur"
    assert view.new([b"a"], 3 * REARM_MS + 1) == [b"a"]


def test_several_codes_in_one_picture_are_each_told_once() -> None:
    view = InView()
    assert view.new([b"a", b"b", b"a"], 0) == [b"a", b"b"]
    assert view.new([b"b", b"c"], 10) == [b"c"]


def test_a_cut_begins_anew() -> None:
    view = InView()
    view.new([b"a"], 0)
    view.cut()
    assert view.new([b"a"], 1) == [b"a"]


def test_a_sheet_of_codes_is_told_in_portions() -> None:
    sheet = [bytes([number]) for number in range(MAX_CODES + 5)]
    view = InView()
    assert view.new(sheet, 0) == sheet[:MAX_CODES]
    assert view.new(sheet, 100) == sheet[MAX_CODES:]


@given(
    st.lists(
        st.tuples(st.integers(0, REARM_MS * 3), st.lists(st.binary(min_size=1, max_size=1), max_size=4)), max_size=40
    )
)
def test_nothing_is_told_twice_within_the_time(pictures: list[tuple[int, list[bytes]]]) -> None:
    view, now_ms = InView(), 0
    last_seen: dict[bytes, int] = {}
    for after_ms, codes in pictures:
        now_ms += after_ms
        came = view.new(codes, now_ms)
        for code in codes:
            away = code not in last_seen or now_ms - last_seen[code] > REARM_MS
            assert (code in came) == away
        last_seen.update(dict.fromkeys(codes, now_ms))


HERE, NEAR, ELSEWHERE = Box(100, 100, 200, 200), Box(150, 120, 250, 220), Box(500, 100, 600, 200)


def test_a_code_that_cannot_be_read_for_a_while_where_it_is_held_is_still_that_code() -> None:
    view = InView()
    assert view.look({b"a": HERE}, [], 0) == [b"a"]
    for now_ms in range(500, 4000, 500):
        assert view.look({}, [NEAR], now_ms) == []
    assert view.look({b"a": NEAR}, [], 4000) == [], "tilted, and moved a little, and never away"
    assert view.look({b"a": NEAR}, [], 4000 + REARM_MS + 1) == [b"a"]


def test_what_is_unreadable_elsewhere_or_for_too_long_may_be_another_code() -> None:
    view = InView()
    view.look({b"a": HERE}, [], 0)
    view.look({}, [ELSEWHERE], 800)
    assert view.look({b"a": HERE}, [], 1600) == [b"a"]
    for now_ms in range(2000, 1600 + BLURRED_MS + REARM_MS + 500, 400):
        assert view.look({}, [HERE], now_ms) == []
    assert view.look({b"a": HERE}, [], 1600 + BLURRED_MS + 2 * REARM_MS) == [b"a"]


def test_another_code_where_one_was_is_told_at_once() -> None:
    view = InView()
    view.look({b"a": HERE}, [], 0)
    assert view.look({}, [HERE], 100) == []
    assert view.look({b"b": HERE}, [], 200) == [b"b"]


def test_a_picture_that_never_changes_is_found_out_and_one_that_does_is_not() -> None:
    watch = FrameWatch(3000)
    assert watch.alive(1, 0)
    assert watch.alive(1, 2999)
    assert not watch.alive(1, 3000)
    assert not watch.alive(1, 9000), "nor is it alive after a pause"
    assert watch.alive(2, 9001)


def test_a_driver_that_hands_out_its_old_buffers_in_turn_is_found_out() -> None:
    watch = FrameWatch(3000)
    alive = [watch.alive(number if number < 20 else 16 + number % 4, 100 * number) for number in range(100)]
    assert all(alive[:20])
    assert not any(alive[49:]), "3 s after the last new one"


def test_what_no_code_can_hold_is_not_looked_at() -> None:
    assert acceptable(b"a" * 4296)
    assert acceptable(b"1" * 7089)
    assert acceptable(b"shc:/" + b"5" * 7080)
    assert acceptable(b"\xff" * 3072)
    assert not acceptable(b"")
    assert not acceptable(b"1" * 7090)
    assert not acceptable(b"a" * 4000 + b"1" * 500)
    assert not acceptable(b"a" * 4297)
    assert not acceptable(b"\xff" * 3073)
