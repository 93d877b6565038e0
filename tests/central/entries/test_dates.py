"""What is known of boots in the database: learnt with the records, and rows put right that were made before; on both."""

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from pytest_django import DjangoAssertNumQueries

from central.entries.models import BootTime, Dated, Entry, SeenCard
from sync.contract.records import CardSeen, ClockChange, Direction, LogOpened, encode_body
from sync.log.records import GENESIS, Record, body_hash
from tests.central.entries.test_dating import DAY_MS, Batches, Said, boot_of, lives
from tests.central.ingest.sending import NOW, NOW_MS, SALT, Desk, batch, hashes, log_id, visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
CARD = CardSeen(
    card="c", portal="main", reader="r", direction=Direction.ENTRY, outcome="unknown", reason="unknown-card"
)  # fmt: skip
Known = tuple[int | None, str, tuple[int | None, int | None]]


class Gate:
    """A gate's log, sent batch by batch."""

    def __init__(self, log: str = "") -> None:
        self.desk = Desk()
        self.log = log
        self.seq, self.hash = 0, GENESIS

    def send(self, said: Iterable[Said], received_ms: int = NOW_MS) -> None:
        """Records whose bodies are of their kind."""
        records = [self._record(one, place) for place, one in enumerate(said, self.seq + 1)]
        message = batch(*records, previous=self.hash, log=self.log)
        self.desk.take(message, at=datetime.fromtimestamp(received_ms / 1000, UTC))
        self.seq, self.hash = records[-1].seq, hashes(records, self.hash)[-1]

    def _record(self, said: Said, seq: int) -> Record:
        bodies = {
            "visit": visit(seq),
            "clock": ClockChange(step_ms=0, trusted=said.clock),
            "card-seen": CARD,
            "log-opened": LogOpened(reason="damaged", predecessor=log_id()),
        }
        body = encode_body(bodies[said.kind])
        return Record(seq, said.kind, said.at, said.clock, said.boot, said.mono, body, SALT, body_hash(SALT, body))


def known(*models: type[Dated]) -> list[Known]:
    """What is shown, in the order of the log."""
    rows = [row for model in models or (Entry,) for row in model.objects.select_related("boot").order_by("record_id")]
    return [(row.shown_at, row.clock_doubt, tuple(row.bounds)) for row in rows]


def test_a_word_that_comes_later_dates_what_was_made_before() -> None:
    gate = Gate()
    gate.send([Said(boot_of(1), 1_000, 5), Said(boot_of(1), 2_000, 6, kind="card-seen")])
    assert known(Entry, SeenCard) == [
        (None, "untrusted", (None, NOW_MS - 1_000)),
        (None, "untrusted", (None, NOW_MS)),
    ]
    gate.send([Said(boot_of(1), 61_000, NOW_MS - DAY_MS, clock=True, kind="clock")], NOW_MS + 1)
    at = NOW_MS - DAY_MS - 60_000
    assert known(Entry, SeenCard) == [(at, "", (at, at)), (at + 1_000, "", (at + 1_000, at + 1_000))]
    assert Entry.objects.get().at == 5, "what the gate's clock said is kept as it is"


def test_another_gate_and_another_boot_are_left_alone() -> None:
    gate, other = Gate(), Gate()
    other.desk.take(batch(gate._record(Said(boot_of(1), 0, 0), 1)), gate="south-gate")
    gate.send([Said(boot_of(1), 0, 0), Said(boot_of(2), 0, 0)])
    gate.send([Said(boot_of(2), 1_000, NOW_MS, clock=True)])
    assert [doubt for _, doubt, _ in known()] == ["untrusted", "untrusted", "", ""]
    assert BootTime.objects.count() == 3


def test_a_new_log_goes_on_after_the_one_before_it() -> None:
    gate = Gate()
    gate.send([Said(boot_of(1), 0, NOW_MS - DAY_MS, clock=True)])
    new = Gate(log_id(2))
    new.send([Said(boot_of(2), 9_000, 0, kind="log-opened"), Said(boot_of(2), 10_000, 0)])
    assert known()[1] == (None, "untrusted", (NOW_MS - DAY_MS, NOW_MS))


def test_what_a_new_log_carries_over_is_older_than_its_first_record() -> None:
    Gate().send([Said(boot_of(1), 0, NOW_MS - 10_000, clock=True)])
    new = Gate(log_id(2))
    new.send(
        [
            Said(boot_of(3), 1_000, NOW_MS, clock=True, kind="log-opened"),
            Said(boot_of(2), 500, 0),
            Said(boot_of(3), 2_000, NOW_MS + 1_000, clock=True),
        ],
        NOW_MS + 5_000,
    )
    assert known()[1] == (None, "untrusted", (NOW_MS - 10_000, NOW_MS + 1_000))


def test_a_boot_that_is_dated_costs_one_question_a_batch(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    gate = Gate()
    gate.send([Said(boot_of(1), 0, NOW_MS, clock=True)])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        gate.send([Said(boot_of(1), mono, NOW_MS + mono, clock=True) for mono in (10, 20, 30)])
    about = [query["sql"] for query in asked.captured_queries if "entries_boottime" in query["sql"]]
    assert len(about) == 1 and about[0].startswith("SELECT")


def test_a_doubt_that_comes_up_and_goes_in_one_transaction_leaves_nothing_behind() -> None:
    gate = Gate()
    gate.send([Said(boot_of(1), 0, NOW_MS - DAY_MS, clock=True)])
    first = gate._record(Said(boot_of(1), 1_000, NOW_MS - 2 * DAY_MS, clock=True), 2)
    second = gate._record(Said(boot_of(1), 2_000, NOW_MS - DAY_MS + 2_000, clock=True), 3)
    middle = hashes([first], gate.hash)[0]
    gate.desk.take(batch(first, previous=gate.hash), batch(second, previous=middle))
    assert [at for at, _, _ in known()] == [NOW_MS - DAY_MS + mono for mono in (0, 1_000, 2_000)]


def test_a_script_is_believed_where_the_office_is_told_of_it(settings: object) -> None:
    settings.SCRIPTED_CLOCKS = True  # type: ignore[attr-defined]  # pytest-django's
    Gate().send([Said(boot_of(1), mono, NOW_MS + mono * DAY_MS, clock=True) for mono in (1, 2)])
    assert [at for at, _, _ in known()] == [NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS]


def test_numbers_that_no_clock_shows_stop_nothing() -> None:
    most, least = 2**63 - 1, -(2**63) + 1
    said = [
        Said(boot_of(number), mono, at, clock)
        for number, mono in enumerate((0, 2**61 - 1, 2**61, most), 1)
        for at in (0, most, least, NOW_MS)
        for clock in (True, False)
    ]
    gate = Gate()
    for one in said:
        gate.send([one])
    assert len(known()) == len(said)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lives())
def test_what_is_told_exactly_is_true_and_bounds_hold_the_truth(life: Batches) -> None:
    with transaction.atomic():
        gate = Gate()
        for records, received_ms in life:
            gate.send([one._replace(kind="visit") for one in records], received_ms)
        true = [one.true_ms for records, _ in life for one in records]
        for (at, doubt, (earliest, latest)), moment in zip(known(), true, strict=True):
            assert at == (None if doubt else moment)
            assert earliest is None or earliest <= moment
            assert latest is not None and latest >= moment
        learnt = known()
        Entry.objects.update(boot=None, mono=0, shown_at=None, clock_doubt="back")
        BootTime.objects.all().delete()
        import_module("central.entries.migrations.0003_dating").date_what_is_there(apps, None)
        for after, before in zip(known(), learnt, strict=True):
            assert after[:2] == before[:2]
            assert all(abs((one or 0) - (other or 0)) < 2_000 for one, other in zip(after[2], before[2], strict=True))
        transaction.set_rollback(True)


def test_what_was_there_before_is_dated_by_the_migration() -> None:
    gate = Gate()
    gate.send([Said(boot_of(1), 0, NOW_MS - DAY_MS, clock=True), Said(boot_of(2), 7, 0, kind="card-seen")])
    gate.send([Said(boot_of(3), 5, NOW_MS, clock=True)], int(NOW.timestamp() * 1000) + 9)
    learnt = known(Entry, SeenCard)
    for model in (Entry, SeenCard):
        model.objects.update(boot=None, mono=0, shown_at=None, clock_doubt="")
    BootTime.objects.all().delete()
    import_module("central.entries.migrations.0003_dating").date_what_is_there(apps, None)
    assert known(Entry, SeenCard) == learnt == [
        (NOW_MS - DAY_MS, "", (NOW_MS - DAY_MS,) * 2),
        (NOW_MS, "", (NOW_MS,) * 2),
        (None, "untrusted", (NOW_MS - DAY_MS, NOW_MS)),
    ]  # fmt: skip
