"""Batches of a backlog: held at once as they came, written out later, once, in order, whatever else comes."""

from datetime import timedelta

import pytest

from central.alarms.models import Alarm
from central.entries.models import Entry
from central.ingest import spool
from central.ingest.backlog import CALM_S, LOOK_S, MOST, SHARE_S, Backlog, fitting
from central.ingest.models import Log, MissingRange, Record, Spooled
from central.ingest.refusals import Refusals
from sync.contract.records import LogOpened
from sync.log.messages import Gone
from tests.central.ingest.sending import (
    NORTH,
    NOW,
    Desk,
    ack,
    batch,
    hashes,
    log_id,
    record,
    refuse_no_more,
    refuse_record,
    visits,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
SOUTH = "south-gate"


def stored() -> list[int]:
    return list(Record.objects.order_by("id").values_list("seq", flat=True))


def shown() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("visit", flat=True))


def write_all_out() -> int:
    """How many transactions it took."""
    count = 0
    while any(spool.write_out(name) for name in spool.gates()):
        count += 1
    return count


def test_a_backlog_is_held_at_once_and_written_out_later_in_its_order() -> None:
    desk, records = Desk(), visits(1, 2500)
    digests = hashes(records)
    for begin in range(0, 2500, 500):
        previous = digests[begin - 1] if begin else bytes(32)
        told = desk.take(batch(*records[begin : begin + 500], previous=previous))
        assert told == [ack(begin + 500, digests[begin + 499])]
    assert (stored(), shown()) == ([], [])
    assert (Spooled.objects.count(), Log.objects.get().seq, Log.objects.get().written) == (5, 2500, 0)
    assert spool.gates() == [NORTH]
    assert write_all_out() > 1
    assert stored() == list(range(1, 2501))
    assert shown() == [f"visit-{number}" for number in range(1, 2501)]
    assert (Spooled.objects.count(), Log.objects.get().written, spool.gates()) == (0, 2500, [])
    assert [bytes(row.hash) for row in Record.objects.order_by("seq")] == digests


def test_nothing_of_the_gate_overtakes_what_waits_and_other_gates_do_not_wait() -> None:
    desk, records = Desk(), visits(1, 203)
    digests = hashes(records)
    desk.take(batch(*records[:200]))
    desk.take(batch(*records[200:], previous=digests[199]))  # a small one
    other = visits(1, 2)
    desk.take(batch(*other, log=log_id(2)))  # of a new log of this gate
    assert stored() == []
    desk.take(batch(*other, log=log_id(3)), gate=SOUTH)
    assert stored() == [1, 2]
    write_all_out()
    assert stored() == [1, 2, *range(1, 204), 1, 2]
    desk.take(batch(record(LogOpened(reason="new")), log=log_id(9)))
    assert stored()[-1] == 1, "when all is written out, small ones are written at once again"


def test_what_comes_twice_or_from_elsewhere_is_told_the_cursor_and_not_spooled_again() -> None:
    desk, records = Desk(), visits(1, 300)
    digests = hashes(records)
    first, second = batch(*records[:150]), batch(*records[150:], previous=digests[149])
    assert desk.take(second) == [ack(0, bytes(32))]
    assert desk.take(first, first) == [ack(150, digests[149])] * 2
    assert desk.take(second) == [ack(300, digests[299])]
    assert desk.take(first) == [ack(300, digests[299])]
    write_all_out()
    assert stored() == list(range(1, 301))


def test_a_range_that_is_gone_amid_a_backlog_is_missing_at_once_and_keeps_its_place() -> None:
    desk, records = Desk(), visits(1, 400)
    digests = hashes(records)
    desk.take(batch(*records[:150]))
    gone = Gone(log_id=log_id(), after=150, upto=250, reason="trimmed", hash=digests[249])
    assert desk.take(gone) == [ack(250, digests[249])]
    desk.take(batch(*records[250:], previous=digests[249]))
    assert [(each.first, each.last) for each in MissingRange.objects.all()] == [(151, 250)]
    assert list(Alarm.objects.values_list("kind", flat=True)) == ["records-missing"]
    write_all_out()
    assert stored() == [*range(1, 151), *range(251, 401)]
    assert Log.objects.get().written == 400


def test_records_keep_the_time_when_they_came() -> None:
    records = visits(1, 120)
    Desk().take(batch(*records), at=NOW - timedelta(hours=3))
    write_all_out()
    assert set(Record.objects.values_list("received_at", flat=True)) == {NOW - timedelta(hours=3)}


def test_a_batch_that_cannot_be_written_out_stays_whole_and_stops_no_other_gate() -> None:
    desk, backlog = Desk(), Backlog(Refusals())
    desk.take(batch(*visits(1, 120)))
    desk.take(batch(*visits(1, 110), log=log_id(2)), gate=SOUTH)
    refuse_record(115)  # the north gate has one
    now_s = 100.0
    for _ in range(6):
        now_s += SHARE_S + LOOK_S
        backlog.turn(now_s, idle=True)
    assert stored() == list(range(1, 111))
    assert Spooled.objects.get().gate_id == NORTH
    refuse_no_more()
    backlog.turn(now_s + 120, idle=True)
    backlog.turn(now_s + 130, idle=True)
    assert sorted(stored()) == sorted([*range(1, 111), *range(1, 121)])


@pytest.mark.parametrize(
    ("most", "took_s", "then"),
    [
        (500, 0.05, 1000),
        (500, 0.2, 500),
        (500, 3.0, 500),
        (1000, 0.2, 1000),
        (4000, 0.3, 2000),
        (4000, 0.05, MOST),
        (600, 0.3, 500),
    ],
)
def test_how_much_is_written_out_together_is_what_the_database_takes_in_time(
    most: int, took_s: float, then: int
) -> None:
    assert fitting(most, took_s) == then


def test_what_waits_is_written_out_in_larger_transactions_when_it_is_calm_and_the_database_is_quick() -> None:
    clock = {"now_s": 0.0, "took_s": 0.01}

    def now_s() -> float:  # asked before and after
        clock["now_s"] += clock["took_s"]
        return clock["now_s"]

    desk, backlog = Desk(), Backlog(Refusals(), now_s)
    records = visits(1, 6000)
    digests = hashes(records)
    for begin in range(0, 6000, 250):
        desk.take(batch(*records[begin : begin + 250], previous=digests[begin - 1] if begin else bytes(32)))
    written = []
    for step in range(4):
        before = len(stored())
        backlog.turn(100.0 + step, idle=True)
        written.append(len(stored()) - before)
    assert written == [500, 1000, 2000, 2500]


def test_it_takes_less_again_when_that_takes_too_long_and_while_others_wait() -> None:
    ticks = iter([0.0, 0.01, 0.0, 0.3, 0.0, 0.1])
    desk, backlog = Desk(), Backlog(Refusals(), lambda: next(ticks, 0.0))
    records = visits(1, 4000)
    digests = hashes(records)
    for begin in range(0, 4000, 250):
        desk.take(batch(*records[begin : begin + 250], previous=digests[begin - 1] if begin else bytes(32)))
    written = []
    for step, idle in enumerate((True, True, True, False)):
        before = len(stored())
        backlog.turn(100.0 + step * SHARE_S, idle=idle)
        written.append(len(stored()) - before)
    assert written == [500, 1000, 500, 500]


def test_while_messages_come_little_is_written_out_and_when_it_is_calm_everything() -> None:
    desk, backlog = Desk(), Backlog(Refusals())
    records = visits(1, 5000)
    digests = hashes(records)
    for begin in range(0, 5000, 500):
        desk.take(batch(*records[begin : begin + 500], previous=digests[begin - 1] if begin else bytes(32)))
    backlog.turn(100.0, idle=False)
    some = len(stored())
    assert 0 < some <= spool.CHUNK
    for step in range(1, 9):
        backlog.turn(100.0 + step * SHARE_S / 10, idle=False)
    assert len(stored()) == some
    backlog.turn(100.0 + SHARE_S, idle=False)
    assert len(stored()) > some
    calm = 100.0 + SHARE_S + CALM_S
    for step in range(12):
        backlog.turn(calm + step / 100, idle=True)
    assert stored() == list(range(1, 5001))
    assert not backlog.waits
