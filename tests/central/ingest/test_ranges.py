"""Missing ranges that come after all, and how many are stored of a gate."""

from datetime import timedelta

import msgspec
import pytest

from central.alarms.models import Alarm
from central.entries.models import Entry
from central.ingest import ranges, spool
from central.ingest.models import Log, MissingRange
from sync.contract.alarms import StateMessage
from sync.contract.records import LogOpened
from sync.log.messages import Batch, Gone
from sync.log.records import Record
from tests.central.ingest.sending import NORTH, NOW, NOW_MS, Desk, ack, batch, hashes, log_id, record, visits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
OLD = visits(1, 300)
DIGESTS = hashes(OLD)


def follows(head: int, *carried: Record) -> list[Record]:
    """Log 2, which goes on from log 1."""
    runs = ((carried[0].seq, carried[-1].seq),)
    opened = record(LogOpened(reason="rewound", predecessor=log_id(), predecessor_head=head, carried=runs))
    return [opened, *(msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(carried, 2))]


def gaps() -> list[tuple[int, int]]:
    return list(MissingRange.objects.order_by("log", "first").values_list("first", "last"))


def of_old(first: int, last: int) -> Batch:
    return batch(*OLD[first - 1 : last], previous=DIGESTS[first - 2])


def open_alarms() -> list[str]:
    return list(Alarm.objects.filter(kind="records-missing", cleared=False).values_list("detail", flat=True))


def restored() -> Desk:
    """An office that has 94 records of a log of 100, and all of the log that carries the last one over."""
    desk = Desk()
    desk.take(batch(*OLD[:94]))
    desk.take(batch(*follows(100, OLD[99]), log=log_id(2)))
    assert gaps() == [(95, 99)]
    assert open_alarms() == [f"{log_id()[:8]} #95-99"]
    return desk


def test_a_range_that_comes_after_all_is_missing_no_more() -> None:
    desk = restored()
    assert desk.take(of_old(95, 96)) == [ack(96, DIGESTS[95])]
    assert gaps() == [(97, 99)]
    assert open_alarms()
    later = NOW + timedelta(minutes=1)
    desk.take(of_old(97, 99), at=later)
    assert (gaps(), open_alarms()) == ([], [])
    (alarm,) = Alarm.objects.filter(kind="records-missing")
    assert alarm.cleared_at == later
    assert list(alarm.events.values_list("action", "source")) == [("raised", "office"), ("cleared", "office")]
    shown = sorted(Entry.objects.values_list("visit", flat=True))
    assert shown == sorted(f"visit-{number}" for number in range(1, 101)), "each once"


def test_what_of_it_is_gone_stays_missing() -> None:
    desk = restored()
    gone = Gone(log_id=log_id(), after=94, upto=97, reason="trimmed", hash=DIGESTS[96])
    assert desk.take(gone) == [ack(97, DIGESTS[96])]
    assert gaps() == [(95, 99)]
    desk.take(of_old(98, 99))
    assert gaps() == [(95, 97)]
    assert open_alarms() == [f"{log_id()[:8]} #95-99"]


def test_what_comes_in_the_same_transaction_counts_too() -> None:
    desk = Desk()
    desk.take(batch(*OLD[:94]))
    desk.take(batch(*follows(100, OLD[99]), log=log_id(2)), of_old(95, 99))
    assert (gaps(), open_alarms()) == ([], [])
    assert Log.objects.get(log_id=log_id()).seq == 99


def test_a_backlog_that_is_put_down_whole_counts_when_it_is_held() -> None:
    desk = Desk()
    desk.take(batch(*OLD[:94]))
    desk.take(batch(*follows(300, OLD[299]), log=log_id(2)))
    assert gaps() == [(95, 299)]
    desk.take(of_old(95, 299))
    assert gaps() == []
    while spool.write_out(NORTH):
        pass
    assert gaps() == []
    assert Entry.objects.count() == 300


def state(log: str, head: int, connection: int) -> StateMessage:
    return StateMessage(
        online=True, boot="0" * 32, connection=connection, mono_ms=connection, at_ms=NOW_MS, log_id=log, head=head
    )


@pytest.mark.parametrize("told_first", [True, False], ids=["state first", "records first"])
def test_what_a_journal_that_was_moved_aside_had_is_named_and_taken_back(*, told_first: bool) -> None:
    desk = Desk()
    desk.take(state(log_id(), 60, 1), batch(*OLD[:60]))
    desk.take(state(log_id(), 100, 2))  # forty of them are on their way, and do not come
    new = [state(log_id(2), 1, 3), batch(record(LogOpened(reason="new")), log=log_id(2))]
    for message in new if told_first else reversed(new):
        desk.take(message)
    assert gaps() == [(61, 100)]
    assert MissingRange.objects.get().reason == "moved-aside"
    assert open_alarms() == [f"{log_id()[:8]} #61-100"]
    desk.take(of_old(61, 100))  # somebody puts the file beside the new one
    assert (gaps(), open_alarms()) == ([], [])


def test_a_gate_that_begins_anew_and_knows_of_nothing_before_is_told() -> None:
    desk = Desk()
    desk.take(batch(*OLD[:60]), state(log_id(), 60, 1))
    assert not Alarm.objects.exists(), "a first log follows none"
    begins = [state(log_id(2), 1, 2), batch(record(LogOpened(reason="new")), log=log_id(2))]  # its card was replaced
    for _ in range(2):
        desk.take(*begins)
    (alarm,) = Alarm.objects.all()
    assert (alarm.kind, alarm.detail) == ("journal-replaced", f"{log_id()[:8]} #60")
    for number in range(3, 9):
        again = [state(log_id(number), 1, number), batch(record(LogOpened(reason="new")), log=log_id(number))]
        desk.take(*again)
    assert Alarm.objects.count() == 1, "as long as nobody has looked at it"
    Alarm.objects.update(office_acknowledged_at=NOW)
    desk.take(state(log_id(9), 1, 9), batch(record(LogOpened(reason="new")), log=log_id(9)))
    assert sorted(each.detail.split()[1] for each in Alarm.objects.all()) == ["#1", "#60"]


@pytest.mark.parametrize("one_boot", [True, False])
@pytest.mark.parametrize("head", [1, 9], ids=["all of it is here", "it is on its way"])
def test_an_older_log_that_comes_after_the_present_one_has_left_nothing_behind(head: int, *, one_boot: bool) -> None:
    def begun(number: int, at_s: int, predecessor: str = "") -> Batch:
        opened = record(LogOpened(reason="rewound" if predecessor else "new", predecessor=predecessor))
        boot = opened.boot if one_boot else bytes([number]) * 16
        first = msgspec.structs.replace(opened, at=NOW_MS + 1000 * at_s, mono=1000 * (100 + at_s), boot=boot)
        return batch(first, log=log_id(number))

    desk = Desk()
    desk.take(state(log_id(2), head, 1), begun(2, 0, predecessor=log_id()))
    desk.take(begun(1, -60))  # as an office asks for it that was put back
    desk.take(state(log_id(2), head, 2), begun(3, -90))  # a journal that somebody handed in
    assert (gaps(), Alarm.objects.count()) == ([], 0)


def test_a_log_that_another_one_goes_on_from_has_left_nothing_behind() -> None:
    desk = Desk()
    desk.take(state(log_id(), 100, 1), batch(*OLD[:95]))
    desk.take(batch(*follows(100, *OLD[95:100]), log=log_id(2)), state(log_id(2), 6, 2))
    desk.take(batch(record(LogOpened(reason="new")), log=log_id(3)), state(log_id(3), 1, 3))
    assert gaps() == []


def test_no_gate_stores_ranges_without_end(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(ranges, "MOST_RANGES", 5)
    desk = Desk()
    for number in range(1, 30):
        gone = Gone(log_id=log_id(number), after=0, upto=10**6, reason="trimmed", hash=bytes(32))
        assert len(desk.take(gone)) == (number <= 5)
    assert MissingRange.objects.count() == Log.objects.count() == 5
    assert "of this gate 5 missing ranges are stored" in caplog.text
    (alarm,) = Alarm.objects.filter(kind="record-doubtful")
    assert "no more are taken" in alarm.detail
    assert Alarm.objects.count() == 6
    assert desk.take(batch(*visits(1, 3), log=log_id(40))), "its records still come"
    south = Gone(log_id=log_id(), after=0, upto=3, reason="trimmed", hash=bytes(32))
    assert desk.take(south, gate="south-gate"), "and other gates are none of its business"


def test_nor_by_the_first_records_of_ever_new_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MOST_RANGES", 5)
    desk = Desk()
    for number in range(1, 10):
        before = log_id(1000 + number)
        opened = LogOpened(reason="new", predecessor=before, predecessor_head=9, carried=((3, 4), (7, 7)))
        desk.take(batch(record(opened), log=log_id(number)))
    assert MissingRange.objects.count() == 3
    assert Alarm.objects.filter(kind="record-doubtful").count() == 8, "one for each record that says so"


def test_batches_that_do_not_fit_under_ever_new_names_are_one_alarm() -> None:
    desk = Desk()
    for number in range(1, 10):
        bad = msgspec.structs.replace(batch(*visits(1, 2), log=log_id(number)), hash=bytes(32))
        assert desk.take(bad) == []
    assert Alarm.objects.filter(kind="record-doubtful").count() == 1
    assert Log.objects.count() == 0


@pytest.mark.parametrize(("put_down", "said"), [(100, 0), (80, 100), (100, 80)])
def test_what_a_log_that_is_no_longer_there_had_is_named_by_the_next_one(put_down: int, said: int) -> None:
    desk = Desk()
    desk.take(batch(*OLD[:60]), *([state(log_id(), said, 1)] if said else []))
    begins = LogOpened(reason="moved-aside", predecessor=log_id(), predecessor_head=put_down)
    desk.take(state(log_id(2), 1, 2), batch(record(begins), log=log_id(2)))
    assert gaps() == [(61, 100)]
    assert MissingRange.objects.get().reason == "moved-aside"
    assert open_alarms() == [f"{log_id()[:8]} #61-100"]
    desk.take(of_old(61, 100))  # the file was handed in
    assert (gaps(), open_alarms()) == ([], [])


def test_a_log_of_which_nothing_ever_came_is_named_whole() -> None:
    desk = Desk()
    begins = LogOpened(reason="moved-aside", predecessor=log_id(), predecessor_head=7)
    desk.take(batch(record(begins), log=log_id(2)))
    assert gaps() == [(1, 7)]


def doubtful() -> list[str]:
    return list(Alarm.objects.filter(kind="record-doubtful").values_list("detail", flat=True))


PUT_BACK = "the gate said to have them, and has them no more: its journal was put back"


@pytest.mark.parametrize(("now_says", "lost"), [(60, "61-100"), (80, "81-100"), (20, "61-100")])
def test_what_a_gate_whose_journal_was_put_back_had_written_is_told(now_says: int, lost: str) -> None:
    desk = Desk()
    desk.take(batch(*OLD[:60]), state(log_id(), 100, 1))
    assert doubtful() == []
    for connection in (2, 3):
        desk.take(state(log_id(), now_says, connection))
    assert doubtful() == [f"{log_id()[:8]} #{lost}: {PUT_BACK}"]


def test_of_a_log_of_which_nothing_came_too_and_again_once_more_came() -> None:
    desk = Desk()
    desk.take(state(log_id(), 9, 1))
    desk.take(state(log_id(), 4, 2))
    desk.take(state(log_id(), 9, 3), batch(*OLD[:5]))
    desk.take(state(log_id(), 5, 4))
    assert sorted(doubtful()) == [f"{log_id()[:8]} #{first}-9: {PUT_BACK}" for first in (5, 6)]


def test_a_goodbye_that_the_broker_kept_says_how_far_the_log_went() -> None:
    desk = Desk()  # of an office that was put back: the gate has started again since
    desk.take(batch(*OLD[:60]), state(log_id(), 60, 1))
    goodbye = StateMessage(online=False, boot="1" * 32, connection=5, mono_ms=9, log_id=log_id(), head=100)
    desk.take(goodbye)
    desk.take(StateMessage(online=True, boot="2" * 32, connection=1, mono_ms=1, log_id=log_id(), head=50))
    assert doubtful() == [f"{log_id()[:8]} #61-100: {PUT_BACK}"]


def test_what_the_same_transaction_brought_is_held() -> None:
    desk = Desk()
    desk.take(batch(*OLD[:60]), state(log_id(), 100, 1))
    desk.take(of_old(61, 100), state(log_id(), 80, 2))
    assert doubtful() == []


@pytest.mark.parametrize(
    "later",
    [state(log_id(2), 1, 3), state(log_id(), 60, 1), state(log_id(), 100, 3), StateMessage(online=False, boot="0" * 32, connection=2)],
    ids=["another log", "an older connection", "the same", "its will"],
)  # fmt: skip
def test_nothing_was_put_back_where_it_says_nothing_of_the_kind(later: StateMessage) -> None:
    desk = Desk()
    desk.take(batch(*OLD[:60]), state(log_id(), 100, 2))
    desk.take(later)
    assert doubtful() == []


def test_nor_where_the_office_has_them_which_the_chain_finds_out() -> None:
    desk = Desk()
    desk.take(batch(*OLD[:100]), state(log_id(), 100, 1))
    desk.take(state(log_id(), 60, 2))
    assert doubtful() == []
