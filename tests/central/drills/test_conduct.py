"""A drill: ordered as every mode is, and given back; what gates record of it, once each and tied to its order."""

import json

import msgspec
import pytest
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.directory.models import Directory, Row
from central.drills.conduct import begin, end, plan, stamp
from central.drills.models import Drill, DrillGate, GateStage, Stamp
from central.drills.reading import course, proposals
from central.holders.models import ModeOrder
from central.ingest import spool
from central.ingest.models import Record, Spooled
from central.ingest.reading import BACKLOG
from central.registry.models import Gate
from sync.contract.records import Drill as Told
from sync.contract.records import DrillStage as Stage
from sync.contract.records import LogOpened, Shift, ShiftAction
from sync.log.records import Record as Sent
from tests.central.holders.test_pages import strange_at_a_gate
from tests.central.ingest.sending import NORTH, Desk, batch, hashes, log_id, raw, record, visits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
SITE = "garden-court"


@pytest.fixture
def li() -> User:
    return User.objects.create(username="li")


def planned(by: User, *names: str, **values: str) -> Drill:
    """A drill at these gates, which are made where they are not there."""
    for name in names:
        Gate.objects.update_or_create(pk=name, defaults={"site": SITE, "admitted": True})
    given = {"scenario": "lock-down", "mode": "lockdown", "building": "3 号楼"} | values
    return plan(Drill(site=SITE, **given), Gate.objects.filter(pk__in=names), by)


def ordered() -> dict[str, tuple[str, bool]]:
    """What stands in the directory for each gate: mode, and whether it is a drill."""
    rows = {row.key: json.loads(bytes(row.value or b"")) for row in Row.objects.filter(directory=SITE, table="mode")}
    return {gate: (row["mode"], row["drill"]) for gate, row in rows.items()}


def order_of(drill: Drill, gate: str) -> str:
    """The order of the drill at a gate."""
    return DrillGate.objects.get(drill=drill, gate=gate).order


def test_to_plan_orders_nothing(li: User) -> None:
    drill = planned(li, "north-gate", "west-gate")
    assert (drill.state, ordered(), ModeOrder.objects.count()) == ("planned", {}, 0)


def test_it_is_ordered_at_its_gates_as_a_drill_once(li: User) -> None:
    drill = planned(li, "north-gate", "west-gate")
    planned(li, "south-gate")
    assert begin(drill.pk, li)
    assert ordered() == {"north-gate": ("lockdown", True), "west-gate": ("lockdown", True)}
    assert Directory.objects.get(pk=SITE).version == 1, "one change, for all gates at one time"
    assert strange_at_a_gate() == 0
    assert not begin(drill.pk, li)
    assert ModeOrder.objects.count() == 2
    orders = set(ModeOrder.objects.values_list("order", "gate", "by"))
    assert {(order_of(drill, gate), gate, li.pk) for gate in ("north-gate", "west-gate")} == orders


def test_a_gate_that_went_to_another_site_takes_no_part(li: User) -> None:
    drill = planned(li, "north-gate", "west-gate")
    Gate.objects.filter(pk="west-gate").update(site="south")
    assert begin(drill.pk, li)
    assert ordered() == {"north-gate": ("lockdown", True)}
    assert [step.at_ms for step in course(drill).steps if step.stage is Stage.IN_MODE] == [None, None]


def test_its_end_gives_the_order_back_to_normal(li: User) -> None:
    drill = planned(li, "north-gate", "west-gate")
    assert not end(drill.pk, li), "it is not on"
    begin(drill.pk, li)
    assert end(drill.pk, li)
    assert ordered() == {"north-gate": ("normal", False), "west-gate": ("normal", False)}
    assert not end(drill.pk, li)
    assert ModeOrder.objects.count() == 4
    assert set(DrillGate.objects.values_list("given_back", flat=True)) == {True}


def test_who_ordered_something_else_meanwhile_has_the_last_word(li: User) -> None:
    drill = planned(li, "north-gate", "west-gate", "south-gate")
    begin(drill.pk, li)
    ModeOrder(site=SITE, gate="north-gate", mode="lockdown", by=li).save()
    desk = Desk()
    stages = [
        record(Told(stage=Stage.ORDERED, order=order_of(drill, "west-gate")), 1),
        record(Told(stage=Stage.ENDED, by="guard"), 2),
    ]
    desk.take(batch(*stages), gate="west-gate")
    end(drill.pk, li)
    assert ordered() == {
        "north-gate": ("lockdown", False),
        "west-gate": ("lockdown", True),
        "south-gate": ("normal", False),
    }
    assert dict(DrillGate.objects.values_list("gate", "given_back")) == {
        "north-gate": False,
        "west-gate": False,
        "south-gate": True,
    }


def test_an_order_for_all_gates_since_is_the_last_word_too(li: User) -> None:
    drill = planned(li, "north-gate")
    begin(drill.pk, li)
    ModeOrder(site=SITE, gate="", mode="closed", by=li).save()
    end(drill.pk, li)
    assert ordered()["*"] == ("closed", False) and ordered()["north-gate"] == ("lockdown", True)


def test_each_stage_is_stamped_once_while_it_is_on(li: User) -> None:
    drill = planned(li, "north-gate")
    assert not stamp(drill.pk, Stage.SUPPLIES_READY, li)
    begin(drill.pk, li)
    assert stamp(drill.pk, Stage.SUPPLIES_READY, li)
    assert not stamp(drill.pk, Stage.SUPPLIES_READY, User.objects.create(username="wang"))
    for stage in (Stage.ORDERED, Stage.IN_MODE, Stage.ENDED):
        assert not stamp(drill.pk, stage, li)
    end(drill.pk, li)
    assert not stamp(drill.pk, Stage.ASSEMBLED, li)
    assert [(each.stage, each.by) for each in Stamp.objects.all()] == [("supplies-ready", li)]


# what gates record


def a_course(order: str, first: int = 1) -> list[Sent]:
    """The records of a drill at a gate: only the first two name its order."""
    told = [
        Told(stage=Stage.ORDERED, mode="lockdown", by="li", order=order),
        Told(stage=Stage.IN_MODE, mode="lockdown", by="li", order=order),
        Told(stage=Stage.ASSEMBLED, by=f"guard of {order}"),
        Told(stage=Stage.RESIDENTS_ARRIVE, mode=order),
        Told(stage=Stage.ENDED, by=f"li of {order}"),
    ]
    return [record(each, seq) for seq, each in enumerate(told, first)]


def kept(gate: str = NORTH) -> list[tuple[str, str]]:
    """Stages and orders of a gate, as they came."""
    return list(GateStage.objects.filter(gate=gate).order_by("pk").values_list("stage", "order"))


COURSE = ["ordered", "in-mode", "assembled", "residents-arrive", "ended"]
ORDER, OTHER = "a" * 32, "b" * 32


def test_all_stages_are_tied_to_the_order_that_began_it() -> None:
    first, second = a_course(ORDER), a_course(OTHER, 6)
    Desk().take(batch(*first, *second))
    assert kept() == [(stage, order) for order in (ORDER, OTHER) for stage in COURSE]


def test_also_record_by_record_and_gate_by_gate() -> None:
    desk, records = Desk(), a_course(ORDER)
    digests = [bytes(32), *hashes(records)]
    for place, one in enumerate(records):
        desk.take(batch(one, previous=digests[place]))
        desk.take(
            batch(a_course(OTHER)[place], previous=[bytes(32), *hashes(a_course(OTHER))][place]), gate="west-gate"
        )
    assert kept() == [(stage, ORDER) for stage in COURSE]
    assert kept("west-gate") == [(stage, OTHER) for stage in COURSE]


def test_also_out_of_a_backlog() -> None:
    desk, records = Desk(), a_course(ORDER, BACKLOG)
    before = visits(1, BACKLOG - 1)
    desk.take(batch(*before, *records))
    assert (kept(), Spooled.objects.count()) == ([], 1)
    while spool.write_out(NORTH):
        pass
    assert kept() == [(stage, ORDER) for stage in COURSE]


def test_once_though_they_come_twice_or_in_another_log() -> None:
    desk = Desk()
    old = [record(LogOpened(reason="new")), *a_course(ORDER, 2)]
    for _ in range(2):
        desk.take(batch(*old))
    opened = LogOpened(reason="rewound", predecessor=log_id(), predecessor_head=6, carried=((1, 6),))
    again = [msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(old, 2)]
    new = [
        record(Told(stage=Stage.ORDERED, mode="closed", order=OTHER), 8),
        record(Told(stage=Stage.SUPPLIES_READY), 9),
    ]
    desk.take(batch(record(opened), *again, *new, log=log_id(2)))
    assert Record.objects.filter(kind="drill").count() == 12
    assert kept() == [(stage, ORDER) for stage in COURSE] + [("ordered", OTHER), ("supplies-ready", OTHER)]


def test_a_drill_that_began_at_the_gate_is_no_orders() -> None:
    told = [Told(stage=Stage.ORDERED, mode="lockdown", by="guard"), Told(stage=Stage.IN_MODE, mode="lockdown", by="guard"), Told(stage=Stage.ENDED, by="guard")]  # fmt: skip
    Desk().take(batch(*a_course(ORDER), *(record(each, seq) for seq, each in enumerate(told, 6))))
    assert kept()[5:] == [("ordered", ""), ("in-mode", ""), ("ended", "")]


def test_a_gate_that_floods_stages_fills_no_table() -> None:
    stages = [Told(stage=Stage.ORDERED, by=f"n{each}", order=ORDER) for each in range(40)]
    Desk().take(batch(*(record(each, seq) for seq, each in enumerate(stages, 1))))
    assert kept() == [("ordered", ORDER)]


def test_another_gates_word_for_an_order_is_nobodys(li: User) -> None:
    drill = planned(li, "north-gate", "west-gate")
    begin(drill.pk, li)
    Desk().take(batch(*a_course(order_of(drill, "north-gate"))), gate="west-gate")
    assert [step.at_ms for step in course(drill).steps if step.stage is Stage.IN_MODE] == [None, None]
    Desk().take(batch(*a_course(order_of(drill, "north-gate"))))
    assert [step.at_ms is None for step in course(drill).steps if step.stage is Stage.IN_MODE] == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"{}",
        b"[]",
        b'{"stage":"teleported"}',
        b'{"stage":' + b"[" * 60_000,
        b'{"stage":"ended","by":7}',
        b"\xff",
    ],
)
def test_what_cannot_be_read_is_kept_in_the_record_alone(body: bytes | None) -> None:
    Desk().take(batch(raw("drill", body), record(Shift(action=ShiftAction.BEGUN), 2)))
    assert (kept(), Record.objects.count()) == ([], 2)


def test_hostile_words_are_harmless() -> None:
    evil = "\x1b[31m\u202e<script>\x00" + "x" * 5000
    Desk().take(batch(record(Told(stage=Stage.ORDERED, mode=evil, by=evil, order=evil))))
    row = GateStage.objects.get()
    assert (len(row.mode), len(row.by), len(row.order)) == (16, 64, 32)
    assert all(text.isprintable() for text in (row.mode, row.by, row.order))


def test_what_is_proposed_goes_by_what_was_held(li: User) -> None:
    drill = planned(li, "north-gate", building="3 号楼")
    Gate.objects.create(pk="west-gate", site=SITE, admitted=True)
    assert proposals()[SITE].scenario == "lock-down", "planned is not held"
    begin(drill.pk, li)
    found = proposals()[SITE]
    assert (found.scenario, found.building, found.gate) == ("closed", "3 号楼", "west-gate")
    assert found.due is not None and found.due > office_now().date()
