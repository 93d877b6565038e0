"""Log-ins, tablets and wrong guesses."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.page.access import (
    FIRST_WAIT_MS,
    FREE_TRIES,
    LONGEST_WAIT_MS,
    MOST_KEYS,
    MOST_OF_TABLET,
    MOST_SESSIONS,
    MOST_TABLETS,
    Guesses,
    Sessions,
    Tablets,
    place_of,
)

IDLE_MS, LONGEST_MS = 60_000, 200_000


def sessions() -> Sessions:
    numbers = itertools.count()
    return Sessions(IDLE_MS, LONGEST_MS, lambda: f"t{next(numbers)}")


def test_a_log_in_ends_when_nothing_is_done_and_at_its_longest() -> None:
    kept = sessions()
    token = kept.begin("Li", 0).token
    assert kept.find(token, IDLE_MS - 1) is not None
    kept.used(token, IDLE_MS - 1)
    assert kept.find(token, 2 * IDLE_MS - 2) is not None
    for now in range(IDLE_MS, LONGEST_MS, IDLE_MS // 2):
        if kept.find(token, now):
            kept.used(token, now)
    assert kept.find(token, LONGEST_MS - 1) is not None
    assert kept.find(token, LONGEST_MS) is None


def test_looking_keeps_no_log_in_alive() -> None:
    kept = sessions()
    token = kept.begin("Li", 0).token
    for now in range(0, IDLE_MS, 1000):
        assert kept.find(token, now) is not None
    assert kept.find(token, IDLE_MS) is None


def test_a_log_out_ends_it_and_nothing_is_nobodys() -> None:
    kept = sessions()
    token = kept.begin("Li", 0).token
    kept.end(token)
    kept.end(token)
    assert kept.find(token, 1) is None
    assert kept.find("", 1) is None


def test_too_many_log_ins_end_the_one_unused_for_longest() -> None:
    kept = sessions()
    tokens = [kept.begin("Li", at).token for at in range(MOST_SESSIONS)]
    kept.used(tokens[0], MOST_SESSIONS)
    kept.begin("Chen", MOST_SESSIONS)
    assert kept.find(tokens[0], MOST_SESSIONS) is not None
    assert kept.find(tokens[1], MOST_SESSIONS) is None


def test_a_tablet_keeps_its_token_and_the_oldest_are_forgotten() -> None:
    numbers = itertools.count()
    tablets = Tablets(lambda: f"t{next(numbers)}")
    first = tablets.add("made up", "Li", "m1")
    assert first == "t0"
    assert tablets.add(first, "Chen", "m2") == first
    assert tablets.knows(first, "Li") and tablets.knows(first, "Chen") and not tablets.knows(first, "Wu")
    assert not tablets.known("made up")
    assert not tablets.known("")
    for _ in range(MOST_TABLETS):
        tablets.add("", "Li", "m1")
    assert not tablets.knows(first, "Li")
    assert not tablets.known(first)


def test_after_a_restart_a_tablet_may_look_on_and_no_more_while_its_guard_has_his_pin() -> None:
    before = Tablets(lambda: "t" * 43)
    token = before.add("", "Li", "m1")
    assert "t" * 43 not in str(before.kept)
    after = Tablets(lambda: "n" * 43, before.kept)
    assert after.may_watch(token, {"Li": "m1", "Chen": "m2"})
    assert not after.known(token) and not after.knows(token, "Li")  # which is what a card would go by
    for marks in ({"Li": "m3"}, {"Chen": "m1"}, {}):
        assert not after.may_watch(token, marks)
    assert not after.may_watch("", {"Li": "m1"}) and not after.may_watch("made up", {"Li": "m1"})
    assert after.add(token, "Chen", "m2") == token and after.knows(token, "Chen")
    assert after.may_watch(token, {"Chen": "m2"})
    for number in range(2 * MOST_OF_TABLET):
        after.add(token, f"g{number}", "m")
    assert all(len(marks) <= MOST_OF_TABLET for marks in after.kept.values())


def test_the_wait_grows_and_a_right_pin_ends_it() -> None:
    guesses, now, waits = Guesses(), 0, []
    for _ in range(FREE_TRIES + 12):
        waits.append(guesses.wrong(("guard",), now))
        now += waits[-1] + 1
        assert guesses.wait_ms(("guard",), now) <= 0
    assert waits[: FREE_TRIES - 1] == [0] * (FREE_TRIES - 1)
    assert waits[FREE_TRIES - 1] == FIRST_WAIT_MS
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_MS
    guesses.right(("guard",))
    assert guesses.wrong(("guard",), now) == 0


def test_whoever_guesses_locks_nobody_else_out() -> None:
    guesses = Guesses()
    for _ in range(FREE_TRIES):
        guesses.wrong(("guard Li at 10.0.0.9", "address 10.0.0.9"), 0)
    assert guesses.anybody_waits(1)
    assert guesses.wait_ms(("guard Chen at 10.0.0.9", "address 10.0.0.9"), 1) > 0
    assert guesses.wait_ms(("guard Li at 10.0.0.7", "address 10.0.0.7"), 1) <= 0
    assert not guesses.anybody_waits(FIRST_WAIT_MS)


@given(st.lists(st.tuples(st.integers(0, 2 * MOST_KEYS), st.integers(0, 10_000)), max_size=300))
def test_a_wait_never_gets_shorter_by_another_guess(tried: list[tuple[int, int]]) -> None:
    guesses, now = Guesses(), 0
    for key, later in tried:
        now += later
        keys = (f"address {key}",)
        before = guesses.wait_ms(keys, now)
        assert guesses.wrong(keys, now) >= min(before, LONGEST_WAIT_MS)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("a name", "a name"),
    ],
)
def test_addresses_that_one_machine_has_as_many_of_as_it_likes_are_one_place(address: str, place: str) -> None:
    assert place_of(address) == place


def test_their_number_is_bounded() -> None:
    guesses = Guesses()
    for at in range(MOST_KEYS + 50):
        guesses.wrong((f"address {at}",), at)
    assert len(guesses._by) == MOST_KEYS
