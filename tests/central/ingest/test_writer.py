"""Messages into the database: exactly once, acknowledged after the commit, and what cannot be had is told."""

from contextlib import nullcontext
from types import SimpleNamespace

import msgspec
import pytest
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries

from central.alarms.models import Alarm, AlarmEvent
from central.entries.models import Entry, SeenCard
from central.ingest import spool, store, writer
from central.ingest.models import ForkEvent, Log, MissingRange, Record, Spooled
from central.ingest.store import MOST_OPENINGS
from central.ingest.writer import MAX_PENDING
from central.registry.models import Gate
from sync.contract.alarms import Alarm as Told
from sync.contract.alarms import AlarmAction, AlarmKind, AlarmMessage, StateMessage
from sync.contract.records import MAX_RUNS, AlarmRecord, Body, CardSeen, Direction, LogOpened, Passage
from sync.log.messages import Fork, Gone, Hello
from sync.log.records import GENESIS
from sync.log.records import Record as Sent
from tests.central.ingest.sending import (
    BOOT,
    NORTH,
    NOW_MS,
    Desk,
    ack,
    admitted,
    as_json,
    batch,
    hashes,
    log_id,
    raw,
    record,
    refuse_record,
    visit,
    visits,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


def as_bytes(value: "bytes | memoryview[int] | None") -> bytes:
    """What a binary column holds."""
    assert value is not None
    return bytes(value)


def stored() -> list[int]:
    """The numbers of all records, in the order in which they came."""
    return list(Record.objects.order_by("id").values_list("seq", flat=True))


def written_out() -> None:
    """Everything that was spooled."""
    while spool.write_out(NORTH):
        pass
    assert not Spooled.objects.exists()


def test_a_batch_is_stored_byte_for_byte_and_acknowledged() -> None:
    records = visits(1, 3)
    digests = hashes(records)
    assert Desk().take(batch(*records)) == [ack(3, digests[-1])]
    log = Log.objects.get()
    assert (log.gate_id, log.log_id, log.seq, bytes(log.hash)) == (NORTH, log_id(), 3, digests[-1])
    for sent, row, digest in zip(records, Record.objects.order_by("seq"), digests, strict=True):
        assert sent.body is not None
        kept = (row.seq, row.kind, row.at, row.clock, bytes(row.boot), row.mono, as_bytes(row.body), as_bytes(row.salt))
        assert kept == (sent.seq, sent.kind, sent.at, sent.clock, sent.boot, sent.mono, sent.body, sent.salt)
        assert (bytes(row.body_hash), bytes(row.hash)) == (sent.body_hash, digest)
    assert list(Entry.objects.order_by("id").values_list("visit", flat=True)) == ["visit-1", "visit-2", "visit-3"]


def test_more_records_than_one_statement_holds() -> None:
    records = visits(1, 1000)
    assert Desk().take(batch(*records)) == [ack(1000, hashes(records)[-1])]
    written_out()
    assert stored() == list(range(1, 1001))


def test_a_batch_that_comes_twice_is_stored_once() -> None:
    desk, records = Desk(), visits(1, 2)
    answer = ack(2, hashes(records)[-1])
    assert [desk.take(batch(*records)) for _ in range(3)] == [[answer]] * 3
    assert desk.take(batch(*records), batch(*records)) == [answer, answer]
    assert stored() == [1, 2]


@pytest.mark.parametrize("first, last", [(1, 1), (2, 4), (4, 5), (9, 9)])
def test_a_batch_that_does_not_begin_at_the_cursor_is_told_the_cursor(first: int, last: int) -> None:
    desk, records = Desk(), visits(1, 9)
    digests = [GENESIS, *hashes(records)]
    desk.take(batch(*records[:2]))
    answer = desk.take(batch(*records[first - 1 : last], previous=digests[first - 1]))
    assert answer == [ack(2, digests[2])]
    assert stored() == [1, 2]


def test_hello_is_told_the_cursor() -> None:
    desk, records = Desk(), visits(1, 5)
    digests = hashes(records)
    hello = Hello(log_id=log_id(), oldest=1, head=5, head_hash=digests[-1])
    assert desk.take(hello) == [ack(0, GENESIS)]
    desk.take(batch(*records[:3]))
    assert desk.take(hello) == [ack(3, digests[2])]


def test_two_gates_with_one_log_id_are_two_logs() -> None:
    desk, records = Desk(), visits(1, 2)
    desk.take(batch(*records))
    desk.take(batch(*records), gate="south-gate")
    assert stored() == [1, 2, 1, 2]
    assert Entry.objects.filter(gate="south-gate").count() == 2


# one transaction


def test_what_fails_leaves_no_trace_of_the_others_in_its_transaction() -> None:
    refuse_record(3)
    desk, records = Desk(), visits(1, 3)
    with pytest.raises(IntegrityError, match="refused"):
        desk.take(batch(*records[:2]), batch(records[2], previous=hashes(records)[1]))
    assert (stored(), Log.objects.count(), Entry.objects.count(), Gate.objects.count()) == ([], 0, 0, 0)


def move_nothing(*_: object) -> None:
    """Instead of moving the cursor."""
    raise store.CursorMoved("somebody else writes this log")


def test_records_and_cursor_move_together(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, records = Desk(), visits(1, 2)
    with monkeypatch.context() as broken, pytest.raises(store.CursorMoved):
        broken.setattr(store, "_move", move_nothing)
        desk.take(batch(*records))
    assert stored() == []
    desk.take(batch(*records))
    assert stored() == [1, 2]


def test_control_without_the_transaction_records_stay_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_move", move_nothing)
    monkeypatch.setattr(writer, "transaction", SimpleNamespace(atomic=nullcontext))
    with pytest.raises(store.CursorMoved):
        Desk().take(batch(*visits(1, 2)))
    assert stored() == [1, 2]


def test_a_cursor_that_somebody_else_moved_stops_the_batch() -> None:
    desk, records = Desk(), visits(1, 2)
    desk.take(batch(records[0]))
    with pytest.raises(store.CursorMoved):
        store._move(Log.objects.get(), 0)


# what is missing, and what cannot be


def test_records_that_are_gone_are_a_missing_range_and_an_alarm_of_the_office() -> None:
    desk, records = Desk(), visits(1, 9)
    digests = hashes(records)
    desk.take(batch(*records[:2]))
    gone = Gone(log_id=log_id(), after=2, upto=5, reason="disk-full", hash=digests[4])
    for _ in range(2):
        assert desk.take(gone) == [ack(5, digests[4])]
    assert desk.take(batch(*records[5:], previous=digests[4])) == [ack(9, digests[8])]
    missing = MissingRange.objects.get()
    assert (missing.first, missing.last, missing.count, missing.reason) == (3, 5, 3, "disk-full")
    assert list(Alarm.objects.values_list("kind", "origin", "cleared")) == [("records-missing", "office", False)]
    assert stored() == [1, 2, 6, 7, 8, 9]


def test_a_fork_is_an_alarm_and_nothing_of_it_is_taken() -> None:
    desk, records = Desk(), visits(1, 3)
    digests = hashes(records)
    desk.take(batch(*records))
    other = batch(record(LogOpened(reason="other past"), 4), previous=bytes(32))
    for _ in range(2):
        assert desk.take(other) == [Fork(log_id=log_id(), seq=3, hash=digests[-1])]
    assert stored() == [1, 2, 3]
    assert ForkEvent.objects.get().seq == 3
    assert [(alarm.kind, alarm.cleared) for alarm in Alarm.objects.all()] == [("log-fork", False)]


def test_records_that_were_changed_on_the_way_are_not_taken_and_somebody_hears_of_it() -> None:
    desk, records = Desk(), visits(1, 3)
    whole = batch(*records)
    changed = msgspec.structs.replace(records[1], at=records[1].at + 1)
    for _ in range(2):
        assert desk.take(msgspec.structs.replace(whole, records=(records[0], changed, records[2]))) == []
    assert stored() == []
    assert [(alarm.kind, alarm.cleared) for alarm in Alarm.objects.all()] == [("record-doubtful", False)]
    assert desk.take(whole) == [ack(3, hashes(records)[-1])]
    assert stored() == [1, 2, 3]


def test_a_new_log_tells_what_the_old_one_still_held() -> None:
    desk = Desk()
    desk.take(batch(*visits(1, 2)))
    opened = record(LogOpened(reason="damaged", predecessor=log_id(), predecessor_head=7))
    desk.take(batch(opened, log=log_id(2)))
    log = Log.objects.get(log_id=log_id(2))
    assert (log.predecessor, log.opened_because) == (log_id(), "damaged")
    missing = MissingRange.objects.get()
    assert (missing.log.log_id, missing.first, missing.last, missing.reason) == (log_id(), 3, 7, "damaged")


def gaps() -> list[tuple[int, int]]:
    """Every missing range; each has its alarm."""
    ranges = list(MissingRange.objects.order_by("first").values_list("first", "last"))
    alarms = Alarm.objects.filter(kind="records-missing").values_list("detail", flat=True)
    assert sorted(alarms) == sorted(f"{log_id()[:8]} #{first}-{last}" for first, last in ranges)
    return ranges


@pytest.mark.parametrize(
    "head, carried, missing",
    [
        (9, ((5, 9),), []),
        (9, ((5, 7),), [(8, 9)]),
        (9, ((5, 5), (7, 8)), [(6, 6), (9, 9)]),
        (9, ((7, 9),), [(5, 6)]),  # the office stepped back behind what was acknowledged
        (0, ((2, 5), (7, 8)), [(6, 6)]),  # the gate could not read how far its log went
        (3, ((2, 3),), []),  # a rewound one: the office is further
        (9, ((8, 9), (5, 6), (9, 2), (-5, -1), (20, 10**30)), [(7, 7)]),  # nonsense
        (9, ((12, 13),), [(5, 9)]),
    ],
)
def test_only_what_the_new_log_does_not_carry_is_missing(
    head: int, carried: tuple[tuple[int, int], ...], missing: list[tuple[int, int]]
) -> None:
    desk = Desk()
    desk.take(batch(*visits(1, 4)))
    opened = record(LogOpened(reason="damaged", predecessor=log_id(), predecessor_head=head, carried=carried))
    desk.take(batch(opened, log=log_id(2)))
    assert gaps() == missing


def carried_over(*carried: Sent) -> list[Sent]:
    """A log that opens with records of log 1."""
    runs = ((carried[0].seq, carried[-1].seq),)
    opened = record(LogOpened(reason="rewound", predecessor=log_id(), predecessor_head=runs[0][1], carried=runs))
    return [opened, *(msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(carried, 2))]


def test_what_a_new_log_brings_again_is_kept_and_shown_once() -> None:
    desk, alarm = Desk(), AlarmRecord(action=AlarmAction.RAISED, alarm=an_alarm().alarm)
    old = [*visits(1, 3), record(alarm, 4), raw("visit", b"no JSON", 5)]
    desk.take(batch(*old))
    again = carried_over(*old[1:], record(visit(6), 6))
    for _ in range(2):
        assert desk.take(batch(*again, log=log_id(2))) == [ack(6, hashes(again)[-1], log_id(2))]
    assert Record.objects.filter(log__log_id=log_id(2)).count() == 6
    assert list(Entry.objects.order_by("id").values_list("visit", flat=True)) == [
        "visit-1", "visit-2", "visit-3", "", "visit-6",
    ]  # fmt: skip
    assert [(event.action, event.alarm_id) for event in AlarmEvent.objects.all()] == [("raised", alarm.alarm.id)]


def test_another_gates_visit_and_another_record_of_the_same_visit_are_shown() -> None:
    desk = Desk()
    desk.take(batch(*visits(1, 1)), gate="south-gate")
    desk.take(batch(*visits(1, 1)))
    other = msgspec.structs.replace(visit(1), mode="drill")
    desk.take(batch(*carried_over(record(other)), log=log_id(2)))
    assert Entry.objects.filter(visit="visit-1").count() == 3


@pytest.mark.parametrize(
    "body",
    [
        b'{"reason":"new","predecessor":"nobody\\u0000s","predecessor_head":5}',
        b'{"reason":"new","predecessor":"%032x","predecessor_head":99999999999999999999999}' % 1,
        b'{"reason":"new","predecessor":"%032x","predecessor_head":-1}' % 2,
        b'{"reason":"\\u202e<b>","predecessor":"' + b"x" * 5000 + b'"}',
    ],
)
def test_a_first_record_that_lies_is_kept_and_moves_nothing_else(body: bytes) -> None:
    desk = Desk()
    desk.take(batch(*visits(1, 2)))
    opened = raw("log-opened", body)
    assert desk.take(batch(opened, log=log_id(2))) == [ack(1, hashes([opened])[-1], log_id(2))]
    assert not MissingRange.objects.exists()


HOSTILE = [b"", b"\0", b"a\tb\nc\r\n\\.\n\\N\\x41", bytes(range(256)) * 4, b"\\.\n", b"\xff\xfe\x00"]


@pytest.mark.parametrize("kind", ["visit", "card-seen", "unheard-of"])
def test_bodies_of_any_bytes_are_kept_as_they_are(kind: str) -> None:
    records = [raw(kind, body, seq) for seq, body in enumerate([*HOSTILE, None], 1)]
    assert Desk().take(batch(*records)) == [ack(len(records), hashes(records)[-1])]
    kept = Record.objects.order_by("seq").values_list("body", "salt", "body_hash")
    assert [(one.body, one.salt, one.body_hash) for one in records] == [
        (body if body is None else bytes(body), salt if salt is None else bytes(salt), bytes(digest))
        for body, salt, digest in kept
    ]


def test_words_that_copy_might_take_for_its_own_are_shown_as_they_are() -> None:
    words = "a\\tb\\.\\N 王门 'quoted' \"and\" {braces} %s"
    sent = msgspec.structs.replace(visit(1), holder=words, facts={"name": words, "\\N": ""})
    Desk().take(batch(record(sent)))
    row = Entry.objects.get()
    assert (row.holder, row.facts) == (words, {"name": words, "\\N": ""})


def test_many_records_cost_no_query_each(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    desk = Desk()
    desk.take(batch(*visits(1, 1)))
    bodies: list[Body] = []
    for number in range(2, 402):
        bodies += [visit(number), Passage(portal="main", direction=Direction.ENTRY, visit=f"visit-{number - 1}")]
    bodies += [a_card(number) for number in range(200)]
    records = [record(body, seq) for seq, body in enumerate(bodies, 2)]
    with django_assert_max_num_queries(60):  # a statement of SQLite holds some rows only
        desk.take(batch(*records, previous=hashes(visits(1, 1))[0]))
        written_out()
    assert stored() == list(range(1, 1002))
    assert list(Entry.objects.filter(passed=False).values_list("visit", flat=True)) == ["visit-401"]
    assert SeenCard.objects.count() == 200


def a_card(number: int) -> CardSeen:
    """A card seen for the first time."""
    return CardSeen(
        portal="main",
        reader="outside",
        direction=Direction.ENTRY,
        card=f"card-{number}",
        outcome="denied",
        reason="unknown",
    )


def test_kinds_that_the_office_does_not_know_are_kept() -> None:
    future = raw("home-observation", b"\xff not even JSON")
    assert Desk().take(batch(future)) == [ack(1, hashes([future])[-1])]
    assert as_bytes(Record.objects.get().body) == b"\xff not even JSON"


# gates that nobody has admitted


def an_alarm(number: int = 1) -> AlarmMessage:
    """The message of an alarm."""
    alarm = Told(id=f"{number:032x}", kind=AlarmKind.TAMPER, portal="main", since_ms=NOW_MS)
    return AlarmMessage(action=AlarmAction.RAISED, alarm=alarm, at_ms=NOW_MS, boot=BOOT.hex(), mono_ms=5)


def a_state(**values: int | bool) -> StateMessage:
    """A state message."""
    return StateMessage(online=True, boot=BOOT.hex(), connection=1, log_id=log_id(), **values)  # type: ignore[arg-type]  # by name


def test_an_unknown_gate_is_pending_unanswered_and_admitted_later() -> None:
    desk, records = Desk(admit=False), visits(1, 2)
    assert desk.take(batch(*records), an_alarm(), a_state(mono_ms=10, head=2)) == []
    gate = Gate.objects.get()
    assert (gate.pk, gate.admitted, gate.boot, gate.last_heard is not None) == (NORTH, False, "", True)
    assert (stored(), Alarm.objects.count()) == ([], 0)
    gate.admitted = True
    gate.save()
    assert desk.take(batch(*records), an_alarm()) == [ack(2, hashes(records)[-1])]
    assert (stored(), Alarm.objects.get().cleared) == ([1, 2], False)


def test_only_so_many_unknown_gates_are_remembered() -> None:
    desk = Desk(admit=False)
    Gate.objects.bulk_create(Gate(pk=f"g{number}") for number in range(MAX_PENDING - 1))
    desk.take(a_state(), gate="last-one")
    assert desk.take(a_state(), gate="one-too-many") == []
    assert not Gate.objects.filter(pk="one-too-many").exists()
    assert desk.refusals.counts == {"one-too-many": 1}
    admitted()
    assert len(desk.take(batch(*visits(1, 1)))) == 1, "those that are known are served all the same"


def test_an_alarm_that_is_none_of_the_gates_own_is_counted_and_the_rest_is_taken() -> None:
    desk = Desk()
    desk.take(an_alarm(1), gate="south-gate")
    good = an_alarm(2)
    assert desk.take(an_alarm(1), good, batch(*visits(1, 1))) == [ack(1, hashes(visits(1, 1))[-1])]
    assert desk.refusals.counts == {NORTH: 1}
    assert set(Alarm.objects.values_list("pk", "gate")) == {(f"{1:032x}", "south-gate"), (f"{2:032x}", NORTH)}


def test_a_state_with_a_foreign_alarm_is_taken_for_the_rest() -> None:
    desk = Desk()
    desk.take(an_alarm(1), gate="south-gate")
    desk.take(an_alarm(2))
    alarms = tuple(an_alarm(number).alarm for number in (1, 3))
    desk.take(StateMessage(online=True, boot=BOOT.hex(), connection=1, mono_ms=99, alarms=alarms))
    assert desk.refusals.counts == {NORTH: 1}
    north = Alarm.objects.filter(gate=NORTH)
    assert {alarm.pk: alarm.cleared for alarm in north} == {f"{2:032x}": True, f"{3:032x}": False}


def opened(seq: int, number: int, head: int, carried: tuple[tuple[int, int], ...] = ()) -> Sent:
    """A log-opened record that names log `number` as the one before it."""
    body = LogOpened(reason="damaged", predecessor=log_id(number), predecessor_head=head, carried=carried)
    return record(body, seq)


def test_two_logs_that_name_the_same_one_before_them_both_tell_what_is_missing() -> None:
    desk = Desk()
    for number, head in ((2, 80), (3, 90), (4, 85)):
        one = opened(1, 1, head)
        assert desk.take(batch(one, log=log_id(number))) == [ack(1, hashes([one])[0], log_id(number))]
    assert list(MissingRange.objects.values_list("first", "last")) == [(1, 90)]
    assert Alarm.objects.filter(kind="records-missing").count() == 2


def test_a_gate_that_names_ranges_without_end_keeps_nobody_waiting() -> None:
    runs = tuple((2 * number, 2 * number) for number in range(1, MAX_RUNS + 2))
    records = [opened(1, 99, 10**6, runs), *(opened(seq, seq, 10**6, runs[:2]) for seq in range(2, 40))]
    assert Desk().take(batch(*records)) == [ack(39, hashes(records)[-1])]
    assert MissingRange.objects.count() == 3 * (MOST_OPENINGS - 1)
    assert Alarm.objects.filter(kind="record-doubtful").count() == 1


def test_a_record_of_a_command_with_any_name_is_taken() -> None:
    body = {"command": "a\x00b", "action": "release", "by": "li", "outcome": "executed"}
    one = raw("command", as_json(body))
    assert Desk().take(batch(one)) == [ack(1, hashes([one])[0])]
