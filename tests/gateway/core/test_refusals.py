"""Refusals: the first is told at once, a flood once a minute, and each is counted."""

from gateway.core.refusals import AGAIN_S, Refusals
from sync.contract.records import Refused

AGAIN_MS = round(AGAIN_S * 1000)


def refused(reason: str = "forged", count: int = 1, detail: str = "") -> Refused:
    return Refused(what="command", reason=reason, count=count, detail=detail)


def test_the_first_of_each_reason_is_told_at_once() -> None:
    refusals = Refusals("command")
    assert refusals.count("forged", 0) == refused()
    assert refusals.count("late", 1, "release 1") == refused("late", detail="release 1")
    assert refusals.deadline() is None
    assert refusals.due(10 * AGAIN_MS) == []


def test_a_flood_is_a_record_a_minute_and_counted_to_the_last() -> None:
    refusals, told = Refusals("command"), list[Refused]()
    for at_ms in range(0, 3 * AGAIN_MS, 10):
        told += refusals.due(at_ms)
        record = refusals.count("forged", at_ms)
        told += [] if record is None else [record]
    deadline = refusals.deadline()
    assert deadline == 3 * AGAIN_MS
    told += refusals.due(deadline)
    assert [each.count for each in told] == [1, AGAIN_MS // 10 - 1, AGAIN_MS // 10, AGAIN_MS // 10]
    assert refusals.deadline() is None
    assert refusals.count("forged", deadline + AGAIN_MS) == refused()


def test_what_is_due_says_the_last_detail_and_is_told_once() -> None:
    refusals = Refusals("command")
    refusals.count("late", 0, "release 1", 5)
    assert refusals.count("late", 1, "release 2", 7) is None
    assert refusals.count("late", 2, "say 3") is None
    assert refusals.due(AGAIN_MS - 1) == []
    assert refusals.due(AGAIN_MS) == [refused("late", 8, "say 3")]
    assert refusals.due(AGAIN_MS) == []


def test_what_was_not_asked_for_in_time_is_counted_with_the_next() -> None:
    refusals = Refusals("command")
    refusals.count("late", 0)
    refusals.count("late", 1)
    assert refusals.count("late", 2 * AGAIN_MS) == refused("late", 2)
    assert refusals.deadline() is None
