"""Several ingest processes share the gates: who holds which, and that the cursor decides whatever they believe to hold."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import Count
from hypothesis import given, settings
from hypothesis import strategies as st

from central.entries.models import Entry
from central.ingest import listening, store
from central.ingest.leases import Held, Leases, divide
from central.ingest.listening import CHANNELS, AlreadyRunning, Everything, Leased
from central.ingest.models import IngestProcess, Lease, Log, Record
from central.registry.models import Gate
from sync.contract.topics import Channel, topic
from sync.mqtt import Handler
from tests.central.ingest.sending import NORTH, Desk, ack, batch, hashes, visits

GATES = [f"gate-{number}" for number in range(7)]


# who takes what


@settings(max_examples=200, deadline=None)
@given(
    st.sets(st.sampled_from("abcdefghijk"), min_size=1),
    st.dictionaries(st.sampled_from("abcdefghijkxyz"), st.sampled_from("12345")),
    st.integers(1, 5),
)
def test_after_a_turn_of_each_all_is_held_evenly(wanted: set[str], holders: dict[str, str], processes: int) -> None:
    names = [str(number) for number in range(1, processes + 1)]
    holders = {name: holder for name, holder in holders.items() if holder in names}
    for me in names * 2:  # in the second turn they take what others gave back after theirs
        take, give = divide(me, holders, wanted, names)
        assert all(holders[name] == me for name in give)
        assert not take & holders.keys(), "nothing is taken from anybody alive"
        holders = {name: holder for name, holder in holders.items() if name not in give} | dict.fromkeys(take, me)
    assert holders.keys() == wanted
    counts = [list(holders.values()).count(name) for name in names]
    assert max(counts) - min(counts) <= 1
    assert all(divide(me, holders, wanted, names) == (set(), set()) for me in names), "then nothing moves any more"


# the rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


@pytest.fixture
def gates(request: pytest.FixtureRequest, database: str) -> list[str]:
    """Seven gates, on PostgreSQL."""
    if database != "postgresql":
        pytest.skip("SQLite takes one process")
    request.getfixturevalue("db")
    Gate.objects.bulk_create(Gate(pk=name) for name in GATES)
    return GATES


def silent(leases: Leases) -> None:
    """So long ago that its time is over."""
    IngestProcess.objects.filter(pk=leases.name).update(until="2020-01-01T00:00:00Z")


def test_the_first_takes_all_and_gives_others_their_share(gates: list[str]) -> None:
    one, two, three = Leases(), Leases(), Leases()
    assert one.turn() == Held(frozenset(gates), True, frozenset(gates))
    assert two.turn().gates == frozenset(), "what is held is taken from nobody"
    assert len(one.turn().gates) < 7
    two.turn()
    assert sorted(Lease.objects.values_list("holder").annotate(count=Count("pk")).values_list("count", flat=True)) == [
        4,
        4,
    ]
    for _ in range(2):
        held = [leases.turn() for leases in (one, two, three)]
    assert sorted(name for each in held for name in each.gates) == gates
    assert max(len(each.gates) + each.discovers for each in held) == 3
    assert [each.discovers for each in held].count(True) == 1
    assert [leases.turn() for leases in (one, two, three)] == held


def test_what_one_gives_back_or_leaves_behind_the_others_take(
    gates: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    one, two, three = Leases(), Leases(), Leases()
    for _ in range(2):
        for leases in (one, two, three):
            leases.turn()
    one.release()
    silent(two)
    held = three.turn()
    assert (held.gates, held.discovers) == (frozenset(gates), True)
    assert caplog.messages == [f"ingest process {two.name} is silent: its gates are taken over"]
    assert list(IngestProcess.objects.values_list("pk", flat=True)) == [three.name]
    two.turn()  # it wakes up, and has nothing
    assert caplog.messages[-1] == "this process was silent for too long: others have its gates"
    assert set(Lease.objects.values_list("holder", flat=True)) == {three.name}


def test_a_new_gate_is_taken_by_one(gates: list[str]) -> None:
    one, two = Leases(), Leases()
    for _ in range(2):
        one.turn(), two.turn()
    Gate.objects.create(pk="new-gate")
    held = [leases.turn() for leases in (one, two)]
    assert ["new-gate" in each.gates for each in held].count(True) == 1
    assert all("new-gate" in each.known for each in held)


# what a process listens to


class Topics:
    """A link that notes what it is asked for."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def subscribe_all(self, topic_filters: Sequence[str], handler: Handler) -> None:
        assert not set(topic_filters) & self.handlers.keys(), "what is subscribed to already"
        self.handlers |= dict.fromkeys(topic_filters, handler)

    def unsubscribe_all(self, topic_filters: Sequence[str]) -> None:
        for each in topic_filters:
            del self.handlers[each]


def ignore(_topic: str, _payload: bytes) -> None:
    """Whatever it is."""


def test_it_listens_to_what_it_holds_and_finds_who_is_unknown(gates: list[str]) -> None:
    link, other, offered = Topics(), Leases(), []
    way = Leased(10)
    way.turn(link, lambda name, _: offered.append(name))
    finding = "menshen/1/+/state"
    assert link.handlers.keys() == {topic(gate, channel) for gate in gates for channel in CHANNELS} | {finding}
    for name in (topic(GATES[0], Channel.STATE), topic("new-gate", Channel.STATE), "menshen/1/NO/state", "elsewhere"):
        link.handlers[finding](name, b"")
    assert offered == [topic("new-gate", Channel.STATE)]
    for _ in range(2):
        held = other.turn()
        way.turn(link, ignore)
    assert held == Held(frozenset(GATES[3:]), False, frozenset(gates))
    assert link.handlers.keys() == {topic(gate, channel) for gate in GATES[:3] for channel in CHANNELS} | {finding}
    way.end()
    assert set(Lease.objects.values_list("holder", flat=True)) == {other.name}


def test_without_the_database_it_goes_on_until_the_leases_are_over(
    gates: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    link, way = Topics(), Leased(10, lambda: now[0])
    way.turn(link, ignore)
    held = set(link.handlers)

    def refuse() -> Held:
        raise OperationalError("no connection")

    monkeypatch.setattr(connection, "close", lambda: None)  # this test's own transaction
    with monkeypatch.context() as broken:
        broken.setattr(way._leases, "turn", refuse)
        for now[0] in (2.5, 5.0, 9.0):
            way.turn(link, ignore)
            assert link.handlers.keys() == held
        now[0] = 11.0
        way.turn(link, ignore)
        assert link.handlers == {}
    way.turn(link, ignore)
    assert link.handlers.keys() == held
    told = [message for message in caplog.messages if message.startswith("the leases")]
    assert told == ["the leases cannot be renewed: no connection", "the leases are renewed again"]


def test_sqlite_takes_one_process(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENSHEN_OFFICE_DIR", str(tmp_path))
    link, way = Topics(), Everything()
    for _ in range(2):
        way.turn(link, ignore)
    assert link.handlers.keys() == {f"menshen/1/+/{channel}" for channel in CHANNELS}
    with pytest.raises(AlreadyRunning, match="MENSHEN_OFFICE_DATABASE names a PostgreSQL server"):
        Everything()
    way.end()
    Everything().end()


def test_the_way_goes_with_the_database(database: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENSHEN_OFFICE_DIR", str(tmp_path))
    way = listening.listening(10)
    assert type(way) is {"sqlite": Everything, "postgresql": Leased}[database]
    way.end()


# two who believe that they hold the same gate


def both(take: Callable[[], object]) -> list[object]:
    """What two threads get, each with a connection of its own; what is raised is what it got."""
    got: list[object] = []

    def run() -> None:
        try:
            got.append(take())
        except Exception as error:  # noqa: BLE001  it is looked at
            got.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return got


@pytest.mark.django_db(transaction=True)
def test_the_same_batch_taken_by_two_at_once_is_there_once() -> None:
    records = visits(1, 200)
    digests = hashes(records)
    Desk().take(batch(*records[:10]))
    for begin in range(10, 200, 10):
        some = batch(*records[begin : begin + 10], previous=digests[begin - 1])
        told = both(lambda: Desk().take(some))  # noqa: B023  called before the loop goes on
        assert told == [[ack(begin + 10, digests[begin + 9])]] * 2
    assert list(Record.objects.order_by("id").values_list("seq", flat=True)) == list(range(1, 201))
    assert Entry.objects.count() == 200


@pytest.fixture
def careless(database: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An office that holds no gate's row, moves the cursor wherever it stands, and has no index to find it out."""
    if database != "postgresql":
        pytest.skip("on SQLite one waits for the other whatever the office does")
    meet = threading.Barrier(2, timeout=20)
    write = store.Sheet.write

    def late(sheet: store.Sheet) -> None:
        meet.wait()  # both have read the cursor
        write(sheet)

    def move(log: Log, _after: int) -> None:
        Log.objects.filter(pk=log.pk).update(seq=log.seq, hash=bytes(log.hash), written=log.written)

    monkeypatch.setattr(Gate, "hold", lambda names: list(Gate.objects.filter(pk__in=names)))
    monkeypatch.setattr(store, "_move", move)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ingest_record DROP CONSTRAINT one_record")
        cursor.execute("ALTER TABLE entries_boottime DROP CONSTRAINT one_boot")
    monkeypatch.setattr(store.Sheet, "write", late)
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE ingest_record, entries_boottime CASCADE;"
            "ALTER TABLE ingest_record ADD CONSTRAINT one_record UNIQUE (log_id, seq);"
            "ALTER TABLE entries_boottime ADD CONSTRAINT one_boot UNIQUE (gate_id, boot)"
        )


def test_control_a_careless_office_has_it_twice(careless: None) -> None:
    gate = Gate.objects.create(pk=NORTH, admitted=True)
    Log.objects.create(gate=gate, log_id=f"{1:032x}")
    records = visits(1, 10)
    assert both(lambda: Desk().take(batch(*records))) == [[ack(10, hashes(records)[-1])]] * 2
    assert Record.objects.count() == 20
