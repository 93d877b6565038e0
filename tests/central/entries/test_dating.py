"""When was it? Whatever clocks say, boots end and restarts come: times that are told exactly are true, and bounds hold what is
true."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import event, given
from hypothesis import strategies as st

from central.entries.dating import AHEAD_MS, MOST_WORDS, SAME_MS, Boot, Doubt, History, narrow

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
NOW_MS = 1_767_225_600_000


class Said(NamedTuple):
    """A record, and (which the office never sees) when it was."""

    boot: bytes
    mono: int
    at: int
    clock: bool = False
    kind: str = "visit"
    true_ms: int = 0


def boot_of(number: int) -> bytes:
    return bytes([number]) * 16


@dataclass(frozen=True)
class Shown:
    """What the office shows of a record."""

    said: Said
    at: int | None
    doubt: Doubt
    earliest: int | None
    latest: int | None


class Office:
    """As the ingest does it: batch by batch, and what was made before is put right."""

    def __init__(self) -> None:
        self._history = History()
        self._came: list[tuple[Said, int]] = []

    def take(self, records: Sequence[Said], received_ms: int) -> None:
        """A batch."""
        before = set(self._history.boots)
        self._history.learn(records, received_ms, lambda: None)
        self._came += [(said, received_ms) for said in records]
        boots = list(self._history.boots.values())
        for place in range(len(before), len(boots)) if set(self._history.boots) - before else (len(boots) - 1,):
            list(narrow(reversed(boots[:place]), boots[place]))

    def shown(self) -> list[Shown]:
        """All of it, as it is shown now."""
        out = []
        for said, received_ms in self._came:
            boot = self._history.boots[said.boot]
            at, doubt = boot.time_of(said, received_ms)
            least, most = boot.bounds
            earliest = None if least is None else least + said.mono
            latest = received_ms if most is None else min(received_ms, most + said.mono)
            out.append(Shown(said, at, doubt, earliest, latest))
        return out


# pure rules, one by one


def one(*said: Said, received_ms: int = NOW_MS + YEAR_MS) -> list[Shown]:
    office = Office()
    office.take(said, received_ms)
    return office.shown()


def test_a_word_dates_its_boot_backwards_too() -> None:
    early, word, late = one(
        Said(boot_of(1), 1_000, 0),
        Said(boot_of(1), 61_000, NOW_MS, clock=True, kind="clock"),
        Said(boot_of(1), 121_000, 7),
    )
    assert [shown.at for shown in (early, word, late)] == [NOW_MS - 60_000, NOW_MS, NOW_MS + 60_000]
    assert {shown.doubt for shown in (early, word, late)} == {Doubt.NONE}


def test_a_boot_without_a_word_lies_between_its_neighbours() -> None:
    office = Office()
    office.take([Said(boot_of(1), 500_000, NOW_MS, clock=True)], NOW_MS + DAY_MS)
    office.take([Said(boot_of(2), 10_000, 0), Said(boot_of(2), 40_000, 0)], NOW_MS + DAY_MS)
    office.take([Said(boot_of(3), 20_000, NOW_MS + 3_600_000, clock=True)], NOW_MS + DAY_MS)
    _, first, second, _ = office.shown()
    assert (first.at, first.doubt) == (None, Doubt.UNTRUSTED)
    assert (first.earliest, first.latest) == (NOW_MS, NOW_MS + 3_600_000 - 30_000)
    assert (second.earliest, second.latest) == (NOW_MS + 30_000, NOW_MS + 3_600_000)


def test_of_several_boots_in_a_row_each_takes_its_time() -> None:
    office = Office()
    office.take([Said(boot_of(1), 0, NOW_MS, clock=True)], NOW_MS + DAY_MS)
    for number in (2, 3):
        office.take([Said(boot_of(number), 5_000, 0), Said(boot_of(number), 65_000, 0)], NOW_MS + DAY_MS)
    office.take([Said(boot_of(4), 9_000, NOW_MS + 600_000, clock=True)], NOW_MS + DAY_MS)
    bounds = [(shown.earliest, shown.latest) for shown in office.shown()[1:5]]
    assert bounds == [
        (NOW_MS, NOW_MS + 600_000 - 120_000),
        (NOW_MS + 60_000, NOW_MS + 600_000 - 60_000),
        (NOW_MS + 60_000, NOW_MS + 600_000 - 60_000),
        (NOW_MS + 120_000, NOW_MS + 600_000),
    ]


def test_nothing_was_written_after_it_came_in() -> None:
    (first, second) = one(Said(boot_of(1), 1_000, 0), Said(boot_of(1), 5_000, 0), received_ms=NOW_MS)
    assert (first.earliest, first.latest) == (None, NOW_MS - 4_000)
    assert (second.earliest, second.latest) == (None, NOW_MS)


def test_a_clock_ahead_of_the_office_is_not_believed() -> None:
    (shown,) = one(Said(boot_of(1), 0, NOW_MS + AHEAD_MS + 1, clock=True), received_ms=NOW_MS)
    assert (shown.at, shown.doubt, shown.latest) == (None, Doubt.AHEAD, NOW_MS)
    (shown,) = one(Said(boot_of(1), 0, NOW_MS + AHEAD_MS, clock=True), received_ms=NOW_MS)
    assert (shown.at, shown.doubt) == (NOW_MS + AHEAD_MS, Doubt.NONE)


def test_an_excursion_and_back_leaves_every_time_exact() -> None:
    for jump in (YEAR_MS, -YEAR_MS, 7_200_000, -7_200_000):
        shown = one(
            Said(boot_of(1), 0, NOW_MS, clock=True),
            Said(boot_of(1), 1_000, NOW_MS + 1_000 + jump, clock=True, kind="clock"),
            Said(boot_of(1), 2_000, NOW_MS + 2_000 + jump, clock=True),
            Said(boot_of(1), 3_000, NOW_MS + 3_000, clock=True, kind="clock"),
            Said(boot_of(1), 4_000, NOW_MS + 4_000, clock=True),
            received_ms=NOW_MS + DAY_MS,
        )
        assert [one.at for one in shown] == [NOW_MS + 1_000 * place for place in range(5)], jump


def test_a_clock_that_was_set_far_and_stays_there_is_doubted_on_both_sides() -> None:
    hour = 3_600_000
    before, after = one(
        Said(boot_of(1), 0, NOW_MS, clock=True), Said(boot_of(1), 1_000, NOW_MS - hour, clock=True, kind="clock")
    )
    assert (before.at, before.doubt, before.earliest, before.latest) == (
        None, Doubt.SET, NOW_MS - hour - 1_000, NOW_MS,
    )  # fmt: skip
    assert (after.at, after.doubt, after.earliest, after.latest) == (None, Doubt.SET, NOW_MS - hour, NOW_MS + 1_000)


def test_of_two_words_the_one_that_fits_the_boot_before_is_believed() -> None:
    *_, wrong, right = one(
        Said(boot_of(1), 0, NOW_MS, clock=True),
        Said(boot_of(2), 1_000, NOW_MS - DAY_MS, clock=True),
        Said(boot_of(2), 2_000, NOW_MS + 9_000, clock=True, kind="clock"),
    )
    assert (wrong.at, right.at) == (NOW_MS + 8_000, NOW_MS + 9_000)


def test_a_boot_that_is_said_to_be_before_the_one_before_it_is_doubted() -> None:
    received = NOW_MS + DAY_MS
    _, shown = one(
        Said(boot_of(1), 0, NOW_MS, clock=True), Said(boot_of(2), 0, NOW_MS - DAY_MS, clock=True), received_ms=received
    )
    assert (shown.at, shown.doubt) == (None, Doubt.BACK)
    assert (shown.earliest, shown.latest) == (NOW_MS - DAY_MS, received)


def test_small_corrections_are_no_doubt() -> None:
    shown = one(
        Said(boot_of(1), 0, 5),
        Said(boot_of(1), 1_000, NOW_MS, clock=True, kind="clock"),
        Said(boot_of(1), 2_000, NOW_MS + 1_000 + SAME_MS, clock=True, kind="clock"),
    )
    assert {one.doubt for one in shown} == {Doubt.NONE}
    assert [one.at for one in shown[1:]] == [NOW_MS, NOW_MS + 1_000 + SAME_MS]


def test_a_clock_that_never_settles_is_given_up() -> None:
    boot = Boot(0, 0)
    for turn in range(10 * MOST_WORDS):
        boot.hear(NOW_MS + turn + (turn % 2) * DAY_MS, turn, NOW_MS + YEAR_MS)
    assert boot.doubt is Doubt.SET
    assert len(boot.words) <= MOST_WORDS


def test_records_that_are_sent_again_say_nothing_new() -> None:
    hour = 3_600_000
    said = [
        Said(boot_of(1), 0, NOW_MS, clock=True),
        Said(boot_of(1), 1_000, NOW_MS - hour, clock=True, kind="clock"),
    ]
    office = Office()
    office.take(said, NOW_MS)
    before = office.shown()
    office.take(said, NOW_MS + DAY_MS)
    assert office.shown()[:2] == before


# random lives of a gate


Batches = list[tuple[list[Said], int]]  # as the office gets them: records, and when they came in


@st.composite
def lives(draw: st.DrawFn) -> Batches:
    """Boots one after the other; in each the clock is wrong until it is trusted, if ever, and may jump away and back."""
    true_ms, records = NOW_MS, list[Said]()
    batches: Batches = []
    gaps = st.integers(1, 6 * 3_600_000)

    def deliver() -> None:
        nonlocal true_ms, records
        if records:
            true_ms += draw(gaps)
            batches.append((records, true_ms))
            records = []

    for number in range(1, draw(st.integers(1, 5)) + 1):
        true_ms += draw(gaps)  # without power
        began, wrong = true_ms, draw(st.integers(-YEAR_MS, YEAR_MS))
        trusted_from = draw(st.none() | st.integers(0, 8))
        jump_from, jump_to = draw(st.integers(1, 9)), draw(st.integers(1, 12))
        jump = draw(st.sampled_from((0, 0, YEAR_MS, -YEAR_MS, 7_200_000, -7_200_000)))
        told = 0
        length = draw(st.integers(1, 12))
        for place in range(length):
            true_ms += draw(st.integers(1, 600_000))
            trusted = trusted_from is not None and place >= trusted_from
            off = wrong
            if trusted:
                first = trusted_from or 0
                off = jump if first + jump_from <= place < first + jump_from + jump_to else 0
            kind = "clock" if trusted and off != told else "visit"
            told = off if trusted else told
            records.append(Said(boot_of(number), true_ms - began, true_ms + off, trusted, kind, true_ms))
            if draw(st.booleans()):
                deliver()
    deliver()
    return batches


@given(lives())
def test_what_is_told_exactly_is_true_and_bounds_hold_the_truth(life: Batches) -> None:
    office = Office()
    for records, received_ms in life:
        office.take(records, received_ms)
    shown = office.shown()
    trusted_boots = {said.boot for records, _ in life for said in records if said.clock}
    assert [one.said.true_ms for one in shown] == sorted(one.said.true_ms for one in shown)
    for one in shown:
        event(one.doubt or "exact")
        if one.at is not None:
            assert one.at == one.said.true_ms
        assert one.earliest is None or one.earliest <= one.said.true_ms
        assert one.latest is not None and one.latest >= one.said.true_ms
        assert (one.at is None) == (one.doubt is not Doubt.NONE)
        if one.said.boot not in trusted_boots:
            assert one.doubt is Doubt.UNTRUSTED


@given(lives())
def test_a_boot_whose_clock_is_right_in_the_end_is_exact(life: Batches) -> None:
    office = Office()
    for records, received_ms in life:
        office.take(records, received_ms)
    last = {one.said.boot: one.said for one in office.shown()}
    for one in office.shown():
        ends = last[one.said.boot]
        if ends.clock and ends.at == ends.true_ms:
            assert one.at == one.said.true_ms, "it came back to what it had said before, or never left it"


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.integers(0, 2**63 - 1), st.integers(-(2**63) + 1, 2**63 - 1), st.booleans(),
            st.sampled_from(("visit", "clock", "log-opened")),
        ),
        max_size=20,
    )
)  # fmt: skip
def test_no_numbers_are_too_strange(rows: list[tuple[int, int, int, bool, str]]) -> None:
    history = History()
    said = [Said(boot_of(number), mono, at, clock, kind) for number, mono, at, clock, kind in rows]
    history.learn(said, NOW_MS, lambda: None)
    boots = list(history.boots.values())
    for place in range(1, len(boots)):
        list(narrow(reversed(boots[:place]), boots[place]))
    for boot in boots:
        numbers = [*boot.words, boot.earliest, boot.latest, *boot.bounds, boot.first, boot.last]
        assert all(number is None or -(2**63) <= number < 2**63 for number in numbers)
        assert all(number is None or -(2**63) <= number + boot.last < 2**63 for number in (*boot.words, *boot.bounds))
