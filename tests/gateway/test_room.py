"""Room on the disk: what goes first, what never goes, and that it is told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.moment import Moment
from gateway.journal import Journal
from gateway.room import FIRST, MB, Limits, Room
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind
from sync.contract.records import (
    AlarmRecord,
    Body,
    CardSeen,
    Device,
    Direction,
    Door,
    Dropped,
    Passage,
    Visit,
    VisitOutcome,
    decode_body,
)

BOOT = bytes(range(16))
NOW = Moment(1_000, 1_700_000_000_000)
BODIES: dict[str, Body] = {
    "visit": Visit(visit="v", portal="main", direction=Direction.ENTRY, outcome=VisitOutcome.GRANTED, reasons=("ok",), started_ms=0, duration_ms=1),
    "door": Door(portal="main", state="released", cause="grant"),
    "passage": Passage(portal="main", direction=Direction.ENTRY, visit="v", inside=1),
    "device": Device(device="d", state="lost"),
    "alarm": AlarmRecord(action=AlarmAction.RAISED, alarm=Alarm(id="0" * 32, kind=AlarmKind.CALL, portal="main", since_ms=0)),
    "card-seen": CardSeen(portal="main", card="c", reader="r", direction=Direction.ENTRY, outcome="valid", reason="ok"),
}  # fmt: skip


class Gate:
    """A journal and who makes room in it, with as much free as is said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = Journal.open(path, boot=BOOT, now=NOW)
        self.free = 10 * MB
        self.told: list[tuple[str, str]] = []
        self.room = Room(
            self.journal, Limits(100 * MB, 2 * MB), lambda: NOW, lambda *said: self.told.append(said), lambda: self.free
        )  # fmt: skip

    def write(self, *kinds: str) -> None:
        for kind in kinds:
            self.journal.append(BODIES[kind], NOW)
        self.journal.checkpoint()

    def acknowledge(self, seq: int) -> None:
        digest = self.journal.hash_at(seq)
        assert digest is not None
        self.journal.acknowledge(seq, digest)

    def rows(self) -> list[tuple[int, str, bytes | None]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute("SELECT seq, kind, body FROM records ORDER BY seq").fetchall()

    def dropped(self) -> list[Dropped]:
        bodies = [decode_body(kind, body) for _, kind, body in self.rows() if kind == "dropped" and body is not None]
        return [body for body in bodies if isinstance(body, Dropped)]

    def without_body(self) -> list[str]:
        return [kind for _, kind, body in self.rows() if body is None]


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


def test_while_there_is_room_nothing_goes(gate: Gate) -> None:
    gate.write(*BODIES)
    gate.acknowledge(5)
    gate.room.look()
    assert (len(gate.rows()), gate.without_body(), gate.told) == (1 + len(BODIES), [], [])


def test_what_the_office_has_goes_first_whatever_its_age(gate: Gate) -> None:
    gate.write(*BODIES, *BODIES)
    gate.acknowledge(9)
    gate.free = MB
    gate.room.look()
    assert gate.rows()[0][0] == 10
    assert gate.told == [("stale", "disk-nearly-full")]
    gate.free = 10 * MB
    gate.room.look()
    assert gate.told[-1] == ("ok", "")
    gate.journal.verify()


def test_of_what_it_has_not_the_lesser_kinds_go_in_their_order_and_it_is_told(gate: Gate) -> None:
    gate.write(*BODIES, "door")
    gate.free = MB
    gate.room.look()
    assert gate.without_body() == ["door", "door"]
    assert gate.dropped() == [Dropped(reason="disk-nearly-full", kinds={"door": 2}, first=3, last=8)]
    for _ in range(6):
        gate.room.look()
    assert sorted(gate.without_body()) == sorted(["door", *FIRST])
    assert {kind for _, kind, body in gate.rows() if body is not None} == {"log-opened", "visit", "alarm", "dropped"}
    assert [each for told in gate.dropped() for each in told.kinds] == list(FIRST)
    gate.journal.verify()


def test_a_journal_that_is_too_large_is_told_as_that(gate: Gate) -> None:
    gate.write("door")
    gate.room._limits = Limits(1, 0)
    gate.room.look()
    assert gate.dropped()[0].reason == "journal-too-large"


def test_room_is_given_back_to_the_disk(gate: Gate) -> None:
    for _ in range(40):
        for _ in range(100):
            gate.journal.append(BODIES["visit"], NOW)
        gate.journal.checkpoint()
    before = gate.path.stat().st_size
    gate.acknowledge(gate.journal.head().seq)
    gate.free = MB
    gate.room.look()
    gate.journal.checkpoint()
    assert gate.path.stat().st_size < before / 4
    gate.journal.verify()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(st.sampled_from(sorted(BODIES)), st.integers(0, 40), st.sampled_from([MB, 10 * MB]), st.just(None)),
        max_size=40,
    )
)
def test_whatever_happens_no_unsent_visit_or_alarm_goes_and_the_count_is_right(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str | int | None]
) -> None:
    gate = Gate(tmp_path_factory.mktemp("room") / "journal.sqlite")
    try:
        for step in steps:
            if step is None:  # a restart
                gate.journal.close()
                free, told = gate.free, gate.told
                gate = Gate(gate.path)
                gate.free, gate.told = free, told
            elif isinstance(step, str):
                gate.write(step)
            elif step in (MB, 10 * MB):
                gate.free = step
            elif gate.journal.oldest() <= step <= gate.journal.head().seq and step >= gate.journal.acked.seq:
                gate.acknowledge(step)
            gate.room.look()
        gate.journal.verify()
        rows, acked = gate.rows(), gate.journal.acked.seq
        assert not [kind for seq, kind, body in rows if body is None and (kind not in FIRST)]
        unsent = {seq for seq, _, _ in rows if seq > acked}
        assert unsent == set(range(acked + 1, gate.journal.head().seq + 1)), (
            "of what is not sent, every number is there"
        )
        told = sum(sum(each.kinds.values()) for each in gate.dropped())
        assert told >= len([1 for seq, _, body in rows if body is None and seq > acked]) - 0
    finally:
        gate.journal.close()
