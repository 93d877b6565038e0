"""Whether office and post are heard: changes, and nothing else."""

from collections.abc import Callable

import pytest

from gateway.core.events import Heard
from gateway.hearing import Hearing


class Ear:
    """A hearing, its clock, and what it told."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self.told: list[bool] = []
        self.hearing = Hearing("office", 60_000, now_ms=lambda: self.now_ms, post=self._take)

    def _take(self, event: Heard) -> None:
        assert event.who == "office"
        self.told.append(event.heard)

    def after(self, ms: int) -> None:
        self.now_ms += ms
        self.hearing.look()


@pytest.fixture
def ear() -> Ear:
    ear = Ear()
    ear.hearing.lost()
    ear.hearing.opened()
    return ear


def test_an_answer_and_the_end_of_the_link_are_told_once_each(ear: Ear) -> None:
    for step in (ear.hearing.heard, ear.hearing.heard, ear.hearing.lost, ear.hearing.lost):
        step()
    assert ear.told == [False, True, False]


def test_a_question_without_an_answer_is_told_to_the_second(ear: Ear) -> None:
    ear.hearing.heard()
    ear.hearing.expect()
    ear.after(30_000)
    ear.hearing.expect()  # asked again: the first still waits
    ear.after(29_999)
    assert ear.told == [False, True]
    ear.after(1)
    ear.after(60_000)
    assert ear.told == [False, True, False]
    ear.hearing.heard()
    assert ear.told == [False, True, False, True]


def test_without_a_question_nobody_is_missed(ear: Ear) -> None:
    ear.hearing.heard()
    ear.after(24 * 3_600_000)
    assert ear.told == [False, True]


@pytest.mark.parametrize("late", [Hearing.heard, lambda hearing: (hearing.heard(), hearing.look())])
def test_what_was_still_to_be_read_when_the_link_dropped_is_not_heard(
    ear: Ear, late: Callable[[Hearing], None]
) -> None:
    ear.hearing.lost()
    late(ear.hearing)
    assert ear.told == [False]
    ear.hearing.opened()
    ear.hearing.heard()
    assert ear.told == [False, True]
