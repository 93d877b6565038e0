"""A new log that carries over the first record of the old one too: the office heard of nothing, or the gate of no answer."""

import msgspec
import pytest

from central.entries.models import Entry
from central.ingest.models import Log, MissingRange
from sync.contract.records import LogOpened
from sync.log.messages import Gone
from sync.log.records import Record
from tests.central.ingest.sending import Desk, batch, hashes, log_id, record, visits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


def follows(number: int, head: int, *carried: Record, reason: str = "rewound") -> list[Record]:
    """A log that follows log `number`, which ended at `head`, and begins with these records of it."""
    runs = ((carried[0].seq, carried[-1].seq),)
    opened = record(LogOpened(reason=reason, predecessor=log_id(number), predecessor_head=head, carried=runs))
    return [opened, *(msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(carried, 2))]


def missing() -> list[tuple[str, int, int]]:
    """Every missing range: log, first and last."""
    return list(MissingRange.objects.order_by("log__log_id").values_list("log__log_id", "first", "last"))


def test_visits_are_shown_once_though_the_old_logs_beginning_comes_again() -> None:
    """The card was imaged before it knew of any answer, and put back."""
    desk, old = Desk(), [record(LogOpened(reason="new")), *visits(2, 4)]
    desk.take(batch(*old))
    desk.take(batch(*follows(1, 4, *old), log=log_id(2)))
    log = Log.objects.get(log_id=log_id(2))
    assert (log.predecessor, log.opened_because, log.seq) == (log_id(1), "rewound", 5)
    assert sorted(Entry.objects.values_list("visit", flat=True)) == ["visit-2", "visit-3", "visit-4"]
    assert missing() == []


def test_what_is_missing_of_a_log_two_back_is_told_by_the_beginning_that_was_carried_over() -> None:
    """Log 2 stood between them, and never came to the office."""
    desk = Desk()
    desk.take(batch(*visits(1, 3)))
    second = follows(1, 9, *visits(6, 9), reason="damaged")
    desk.take(batch(*follows(2, 5, *second), log=log_id(3)))
    assert Log.objects.get(log_id=log_id(3)).predecessor == log_id(2)
    assert missing() == [(log_id(1), 4, 5)]


def test_what_is_missing_of_a_log_that_never_came_is_shown() -> None:
    """A gate that was never on the road: its journal was damaged, and three records of it could not be read."""
    desk = Desk()
    desk.take(batch(*follows(1, 9, *visits(4, 9), reason="damaged"), log=log_id(2)))
    assert missing() == [(log_id(1), 1, 3)]
    assert Log.objects.get(log_id=log_id(1)).seq == 0


def test_visits_are_shown_once_though_the_new_logs_beginning_is_missing() -> None:
    """The office was put back to a time before the new log, of which the gate has trimmed the first record since."""
    desk, old = Desk(), [record(LogOpened(reason="new")), *visits(2, 4)]
    desk.take(batch(*old))
    again = follows(1, 4, *old)
    digests = hashes(again)
    desk.take(Gone(log_id=log_id(2), after=0, upto=2, reason="trimmed", hash=digests[1]))
    desk.take(batch(*again[2:], previous=digests[1], log=log_id(2)))
    assert sorted(Entry.objects.values_list("visit", flat=True)) == ["visit-2", "visit-3", "visit-4"]
    assert missing() == [(log_id(2), 1, 2)]
