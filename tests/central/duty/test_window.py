"""Which shifts gates are told, as time goes on; and the gates' own records of shifts, once each."""

import json
from datetime import datetime, timedelta

import msgspec
import pytest
from django.utils.timezone import now as office_now

from central.directory.models import Directory, Row
from central.duty.models import DutyShift, ShiftEvent
from central.duty.window import AHEAD, MOST, PAST, publish, refresh
from central.entries.models import BootTime
from central.holders.publishing import delete_all, rebuild, save_all
from central.ingest import spool
from central.ingest.models import Record, Spooled
from central.ingest.reading import BACKLOG
from sync.contract.directory import Duty
from sync.contract.records import LogOpened, Shift, ShiftAction
from sync.log.records import Record as Sent
from tests.central.holders.test_pages import strange_at_a_gate
from tests.central.ingest.sending import NORTH, Desk, batch, log_id, raw, record, visits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
SITE = "garden-court"
HOUR = timedelta(hours=1)


def shift(name: str, begins: datetime, hours: float = 8, **values: str) -> DutyShift:
    """A shift that is not saved yet."""
    given = {"site": SITE, "role": "guard"} | values
    return DutyShift(name=name, begins_at=begins, ends_at=begins + hours * HOUR, **given)


def told(site: str = SITE) -> list[str]:
    """Whom the gates of a site are told."""
    rows = Row.objects.filter(directory=site, table="duty").exclude(value=None)
    return sorted(msgspec.json.decode(bytes(row.value or b""), type=Duty).name for row in rows)


def test_a_shift_stands_in_the_directory_as_gates_read_it() -> None:
    begins = office_now()
    mine = shift("李明", begins, role="leader", phone="138 0000 0000")
    mine.save()
    shift("王", begins, gate="north-gate").save()
    rows = {row.key: json.loads(bytes(row.value or b"")) for row in Row.objects.filter(table="duty")}
    at = int(begins.timestamp())
    assert rows[str(mine.pk)] == {
        "name": "李明", "role": "leader", "phone": "138 0000 0000", "begins_s": at, "ends_s": at + 8 * 3600,
    }  # fmt: skip
    assert sorted(key.partition("/")[0] for key in rows) == sorted([str(mine.pk), "north-gate"])
    assert strange_at_a_gate() == 0


def test_only_those_of_about_now_are_told() -> None:
    now = office_now()
    for name, begins in (
        ("long over", now - PAST - 9 * HOUR), ("just over", now - 9 * HOUR), ("now", now - HOUR), ("soon", now + AHEAD - HOUR),
        ("far", now + AHEAD + HOUR),
    ):  # fmt: skip
        shift(name, begins).save()
    assert told() == ["just over", "now", "soon"]


def test_as_time_goes_on_the_gates_are_told_without_anybody_saving() -> None:
    now = office_now()
    save_all([shift("now", now - HOUR), shift("far", now + AHEAD + HOUR), shift("south", now, site="south")], (), ())
    version = Directory.objects.get(pk=SITE).version
    refresh(now)
    assert Directory.objects.get(pk=SITE).version == version, "nothing differs"
    refresh(now + 2 * HOUR)
    assert told() == ["far", "now"]
    refresh(now + 2 * AHEAD + 3 * PAST)
    assert told() == told("south") == []
    DutyShift.objects.all().delete()
    refresh(now + 2 * HOUR)
    assert told() == []


def test_of_a_flood_those_of_now_and_next_are_told() -> None:
    now = office_now()
    over = [shift(f"over {each}", now - 9 * HOUR - each * timedelta(seconds=1)) for each in range(20)]
    coming = [shift(f"next {each:03}", now + each * timedelta(minutes=5)) for each in range(MOST - 5)]
    save_all([*over, *coming], (), ())
    assert len(told()) == MOST
    assert [name for name in told() if name.startswith("over")] == [f"over {each}" for each in range(5)]
    assert told()[0] == "next 000"


def test_changed_deleted_and_moved_to_another_site() -> None:
    mine = shift("li", office_now())
    mine.save()
    mine.name = "wang"
    mine.save()
    assert told() == ["wang"]
    mine.site = "south"
    mine.save()
    assert (told(), told("south")) == ([], ["wang"])
    mine.delete()
    other = shift("zhao", office_now())
    other.save()
    delete_all([other])
    assert (told(), told("south")) == ([], [])


def test_a_repair_leaves_what_is_right_and_mends_what_is_not() -> None:
    shift("now", office_now()).save()
    shift("far", office_now() + 2 * AHEAD).save()
    mark = rebuild(SITE)
    assert (told(), mark.version) == (["now"], Directory.objects.get(pk=SITE).version)
    Row.objects.filter(table="duty").update(value=b"{}")
    rebuild(SITE)
    assert told() == ["now"]
    publish(SITE, office_now())
    assert told() == ["now"]


# what gates record


def events() -> list[tuple[str, str, str, str]]:
    """What is kept of shifts, in the order in which it came."""
    return list(ShiftEvent.objects.order_by("pk").values_list("action", "by", "to", "note"))


def shifts(*names: str) -> list[Sent]:
    """Records of shifts begun by these."""
    return [record(Shift(action=ShiftAction.BEGUN, by=name), seq) for seq, name in enumerate(names, 1)]


def test_a_shift_is_a_row() -> None:
    body = Shift(action=ShiftAction.HANDED_OVER, by="li", to="wang", note="两把钥匙")
    Desk().take(batch(record(body)))
    assert events() == [("handed-over", "li", "wang", "两把钥匙")]
    row = ShiftEvent.objects.get()
    assert (row.gate_id, row.record.seq, row.shown_at) == (NORTH, 1, row.at)


def test_once_though_it_comes_twice_or_in_another_log() -> None:
    desk, records = Desk(), [record(LogOpened(reason="new")), *(record(each, seq) for seq, each in enumerate(
        [Shift(action=ShiftAction.BEGUN, by="li"), Shift(action=ShiftAction.PRESENT, by="li")], 2))]  # fmt: skip
    for _ in range(2):
        desk.take(batch(*records))
    assert len(events()) == 2
    opened = LogOpened(reason="rewound", predecessor=log_id(), predecessor_head=3, carried=((1, 3),))
    again = [msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(records, 2)]
    desk.take(batch(record(opened), *again, log=log_id(2)))
    assert Record.objects.filter(kind="shift").count() == 4
    assert len(events()) == 2


def test_out_of_a_backlog_too() -> None:
    desk = Desk()
    desk.take(batch(*visits(1, BACKLOG - 1), record(Shift(action=ShiftAction.ABSENT, by="li"), BACKLOG)))
    assert events() == []
    assert Spooled.objects.count() == 1
    while spool.write_out(NORTH):
        pass
    assert events() == [("absent", "li", "", "")]


def test_two_gates_with_the_same_words_are_two() -> None:
    desk = Desk()
    desk.take(batch(*shifts("li")))
    desk.take(batch(*shifts("li")), gate="south-gate")
    assert len(events()) == 2


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b'{"action":"erased"}',
        b'{"action":' + b"[" * 60_000,
        b'{"action":"begun","by":7}',
        b"\xff",
    ],
)
def test_what_cannot_be_read_is_kept_in_the_record_alone(body: bytes | None) -> None:
    Desk().take(batch(raw("shift", body), *shifts("", "wang")[1:]))
    assert events() == [("begun", "wang", "", "")]
    assert Record.objects.count() == 2


def test_hostile_words_are_harmless() -> None:
    evil = "\x1b[31m\u202e<script>\x00" + "x" * 5000
    Desk().take(batch(record(Shift(action=ShiftAction.BEGUN, by=evil, to=evil, note=evil))))
    row = ShiftEvent.objects.get()
    assert (len(row.by), len(row.to), len(row.note)) == (64, 64, 500)
    assert all(text.isprintable() for text in (row.by, row.to, row.note))


def test_a_word_of_the_time_that_comes_later_dates_them() -> None:
    desk = Desk()
    first = raw("shift", b'{"action":"begun","by":"li"}', 1, clock=False)
    desk.take(batch(first))
    assert ShiftEvent.objects.get().shown_at is None
    later = visits(2, 2)
    from tests.central.ingest.sending import hashes

    desk.take(batch(*later, previous=hashes([first])[-1]))
    assert BootTime.objects.get().words
    assert ShiftEvent.objects.get().shown_at == later[0].at - 1000
