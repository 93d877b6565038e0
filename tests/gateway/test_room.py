"""Room on the disk: what goes first, what never goes, and that it is told."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import room
from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError, files
from gateway.room import FIRST, MB, NEVER, Limits, Room
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind
from sync.contract.records import (
    KINDS,
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
from tests.small_disk import small_disk, stuff

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


ENOUGH: Final = 100  # records, for it to pay
LIMITS: Final = Limits(100 * MB, 2 * MB)


class Gate:
    """A journal and who makes room in it, with as much free as is said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = Journal.open(path, boot=BOOT, now=NOW)
        self.free = 10 * MB
        self.limits = LIMITS
        self.told: list[str] = []
        self.start()

    def start(self) -> None:
        """Whoever makes room begins anew."""
        self.room = Room(self.journal, self.limits, lambda: NOW, self.told.append, lambda: self.free)

    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal.open(self.path, boot=BOOT, now=NOW)
        self.start()

    def write(self, *kinds: str) -> None:
        for kind in kinds:
            self.journal.append(BODIES[kind], NOW)
        self.journal.checkpoint()

    def acknowledge(self, seq: int) -> None:
        digest = self.journal.hash_at(seq)
        assert digest is not None
        self.journal.acknowledge(seq, digest)

    def rows(self) -> list[tuple[int, str, bytes | None]]:
        return self.rows_of(self.path)

    @staticmethod
    def rows_of(path: Path) -> list[tuple[int, str, bytes | None]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT seq, kind, body FROM records ORDER BY seq").fetchall()

    def dropped(self) -> dict[int, Dropped]:
        bodies = {seq: decode_body(kind, body) for seq, kind, body in self.rows() if kind == "dropped" and body}
        return {seq: body for seq, body in bodies.items() if isinstance(body, Dropped)}

    def without_body(self) -> list[str]:
        return [kind for _, kind, body in self.rows() if body is None]

    def used(self) -> int:
        return self.journal.usage().used


@pytest.fixture(autouse=True)
def _room_for_large_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ROOM", 1)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


def test_every_kind_has_its_place() -> None:
    assert sorted([*FIRST, *NEVER]) == sorted(KINDS)
    assert {"visit", "alarm"} <= NEVER.keys()


def test_while_there_is_room_nothing_goes(gate: Gate) -> None:
    gate.write(*BODIES)
    gate.acknowledge(5)
    gate.room.look()
    gate.room.look()
    assert (len(gate.rows()), gate.without_body(), gate.told) == (1 + len(BODIES), [], [""])


def test_what_the_office_has_goes_first_whatever_its_age_and_it_is_told(gate: Gate) -> None:
    gate.write(*(list(BODIES) * 40))
    gate.acknowledge(150)
    gate.free = MB
    gate.room.look()
    assert (gate.rows()[0][0], gate.without_body()) == (151, [])
    [told] = gate.dropped().values()
    assert (told.reason, told.sent, told.first, told.last, told.kinds) == ("disk-nearly-full", 150, 1, 150, {})
    assert told.bytes > 4096
    assert gate.told == ["disk-nearly-full"]
    gate.free = 2 * MB
    gate.room.look()
    assert gate.told == ["disk-nearly-full"], "a little more than the limit, or it would begin again at once"
    gate.free = 10 * MB
    gate.room.look()
    assert gate.told == ["disk-nearly-full", ""]
    gate.journal.verify()


@pytest.mark.parametrize(("free", "steps"), [(MB, [128, 22]), (200_000, [24] * 6 + [6]), (0, [10] * 15)])
def test_what_goes_at_a_time_fits_into_the_room_that_is_left(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, free: int, steps: list[int]
) -> None:
    monkeypatch.setattr(room, "ROOM", 8 * 1024)
    gate.write(*(list(BODIES) * 40))
    gate.acknowledge(150)
    gate.free = free
    wal = gate.path.with_name("journal.sqlite-wal")
    sizes: list[int] = []
    give_back = gate.journal.give_back
    monkeypatch.setattr(
        gate.journal, "give_back", lambda pages: (sizes.append(wal.stat().st_size), give_back(pages))[1]
    )
    gate.room.look()
    assert [each.sent for each in gate.dropped().values()] == steps
    assert max(sizes) < max(free, 256 * 1024), "what is written first, before it is emptied"


@pytest.mark.parametrize("office_has_it", [True, False], ids=["acknowledged", "not yet"])
def test_on_a_disk_without_any_room_the_reserve_begins_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, office_has_it: bool
) -> None:
    monkeypatch.setattr(room, "ROOM", 8 * 1024)
    with small_disk(tmp_path / "disk", "12m") as disk:
        gate = Gate(disk / "journal.sqlite")
        for _ in range(30):
            gate.write(*(["visit", "door", "passage"] * 50))
        if office_has_it:
            gate.acknowledge(gate.journal.head().seq)
        stuff(disk)
        free = room.free_on(gate.path)
        maker = Room(gate.journal, LIMITS, lambda: NOW, gate.told.append, lambda: room.free_on(gate.path))
        for _ in range(3):
            maker.look()
        assert room.free_on(gate.path) > free + MB // 2
        assert (gate.journal.oldest() > 4000) is office_has_it
        assert (len(gate.without_body()) >= 3 * room.LEAST) is not office_has_it
        gate.write("visit")
        gate.journal.verify()
        gate.journal.close()


def test_of_what_it_has_not_the_lesser_kinds_go_in_their_order_and_it_is_told(gate: Gate) -> None:
    gate.write(*(list(BODIES) * ENOUGH), "door")
    gate.free = MB
    gate.room.look()
    assert gate.without_body() == ["door"] * (ENOUGH + 1)
    head = gate.journal.head().seq
    door = len('{"portal":"main","state":"released","cause":"grant"}')
    assert gate.dropped() == {
        head: Dropped(
            reason="disk-nearly-full",
            kinds={"door": ENOUGH + 1},
            first=3,
            last=head - 1,
            bytes=door * (ENOUGH + 1),
        )
    }
    for _ in range(6):
        gate.room.look()
    assert sorted(gate.without_body()) == sorted([*(list(FIRST) * ENOUGH), "door"])
    assert {kind for _, kind, body in gate.rows() if body is not None} == {"log-opened", "visit", "alarm", "dropped"}
    assert [each for told in gate.dropped().values() for each in told.kinds] == list(FIRST)
    assert gate.journal.verify().given_up == 4 * ENOUGH + 1
    assert gate.journal.verify().erased == 0


def test_a_few_are_left_until_there_are_more(gate: Gate) -> None:
    """Else the gate would write a record about every door, and each would take more room than it makes."""
    gate.write(*(["door"] * (ENOUGH - 1)))
    gate.free = MB
    gate.room.look()
    assert (gate.without_body(), gate.dropped()) == ([], {})
    gate.write("door")
    gate.room.look()
    gate.room.look()
    assert len(gate.without_body()) == ENOUGH
    assert len(gate.dropped()) == 1


def test_what_was_given_up_makes_room(gate: Gate) -> None:
    for _ in range(20):
        gate.write(*(["visit", "door", "passage", "door"] * 50))
    before, visits = gate.used(), [row for row in gate.rows() if row[1] == "visit"]
    gate.free = MB
    for _ in range(10):
        gate.room.look()
    told = sum(each.bytes for each in gate.dropped().values())
    assert before - gate.used() > told > 100_000
    assert [row for row in gate.rows() if row[1] == "visit"] == visits
    assert gate.path.stat().st_size == gate.used()
    gate.journal.verify()


def test_a_journal_that_is_too_large_is_no_trouble_while_the_office_has_it(gate: Gate) -> None:
    gate.write(*(["visit"] * 2 * ENOUGH))
    gate.acknowledge(ENOUGH)
    gate.limits = Limits(1, 0)
    gate.start()
    gate.room.look()
    assert gate.told == [""]
    assert [told.reason for told in gate.dropped().values()] == ["journal-too-large"]
    gate.room.look()
    assert gate.told == ["", "journal-too-large"], "nothing is left that may go"
    assert (gate.journal.oldest(), gate.without_body()) == (ENOUGH + 1, [])


def test_only_so_much_goes_that_it_is_not_too_large(gate: Gate) -> None:
    for _ in range(60):
        gate.write(*(["visit"] * 100))
    gate.acknowledge(gate.journal.head().seq)
    before = gate.used()
    gate.limits = Limits(before - 1, 0)
    gate.start()
    gate.room.look()
    assert before * 0.5 < gate.used() <= before * 0.95
    oldest = gate.journal.oldest()
    gate.room.look()
    assert gate.journal.oldest() == oldest


def test_room_is_given_back_to_the_disk(gate: Gate) -> None:
    for _ in range(40):
        gate.write(*(["visit"] * 100))
    before = gate.path.stat().st_size
    gate.acknowledge(gate.journal.head().seq)
    gate.free = MB
    gate.room.look()
    assert gate.path.stat().st_size < before / 4
    assert gate.path.with_name("journal.sqlite-wal").stat().st_size == 0
    gate.journal.verify()


def test_a_little_that_is_free_stays_for_what_comes(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(10):
        gate.write(*(["visit"] * 100))
    gate.acknowledge(gate.journal.head().seq)
    gate.journal.trim_acknowledged(900, lambda first, last, _: Dropped(reason="test", first=first, last=last), NOW)
    spare = gate.journal.usage().spare
    assert spare > 100_000
    gate.room.look()
    assert gate.journal.usage().spare == spare
    monkeypatch.setattr(room, "SPARE", 100_000)
    gate.room.look()
    assert gate.journal.usage().spare == 0


def test_when_even_giving_up_finds_no_room_less_is_given_up_at_a_time(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.write(*(["door"] * 900))
    gate.free = MB
    drop, asked = gate.journal.drop_bodies, []

    def full_for_many(seqs: list[int], told: Body, now: Moment) -> None:
        asked.append(len(seqs))
        if len(seqs) > 300:
            raise JournalError("the disk is full")
        drop(seqs, told, now)

    monkeypatch.setattr(gate.journal, "drop_bodies", full_for_many)
    for _ in range(2):
        with pytest.raises(JournalError):
            gate.room.look()
    assert gate.told == ["disk-nearly-full"], "it is told all the same"
    gate.room.look()
    assert (asked, len(gate.without_body())) == ([900, 500, 250], 250)


def test_another_log_still_says_which_bodies_were_given_up_and_which_erased(gate: Gate) -> None:
    gate.write("visit", *(["door"] * ENOUGH))
    gate.free = MB
    gate.room.look()
    gate.journal.erase(2)
    gate.journal.replace_log("rewound", now=NOW)
    found = gate.journal.verify()
    assert (found.erased, found.given_up) == (1, ENOUGH)
    assert all(record.salt is None for record in gate.journal.read(0, 200, MB) if record.body is None)


def test_a_pack_that_fails_leaves_all_as_it_was(gate: Gate) -> None:
    gate.write(*BODIES)
    before = gate.rows()
    with closing(sqlite3.connect(gate.path)) as connection:
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(JournalError, match="no"):
        gate.journal.pack(2, 5)
    assert gate.rows() == before
    gate.journal.verify()


def test_the_power_may_go_at_any_step(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LEAST": 5, "LEAST_PACKED": 0.05, "PACKED": 20, "TRIM_ROWS": 7, "PAGES": 3}.items():
        monkeypatch.setattr(room, name, value)
    for _ in range(10):
        gate.write(*(["visit", "door", "passage", "alarm", "door", "device"] * 5))
    gate.acknowledge(100)
    left: list[Path] = []

    def copied(work: Callable[..., object]) -> Callable[..., object]:
        def then(*arguments: object) -> object:
            done = work(*arguments)
            left.append(tmp_path / str(len(left)))
            left[-1].mkdir()
            for suffix in ("", "-wal"):
                shutil.copy(f"{gate.path}{suffix}", left[-1])
            return done

        return then

    for step in ("trim_acknowledged", "drop_bodies", "pack", "give_back", "empty"):
        monkeypatch.setattr(gate.journal, step, copied(getattr(gate.journal, step)))
    gate.free = MB
    for _ in range(6):
        gate.room.look()
    whole = {seq: body for seq, kind, body in gate.rows() if kind in ("visit", "alarm")}
    assert len(left) > 40
    for folder in left:
        with closing(Gate(folder / "journal.sqlite").journal) as journal:
            assert journal.recovered is None
            found, gone = journal.verify(), journal.oldest() - 1
        rows = [row for row in Gate.rows_of(folder / "journal.sqlite") if row[0] > 100]
        assert {seq: body for seq, kind, body in rows if kind in ("visit", "alarm")} == whole
        told = [decode_body(kind, body) for _, kind, body in rows if kind == "dropped" and body]
        assert sum(each.sent for each in told if isinstance(each, Dropped)) == gone
        assert sum(sum(each.kinds.values()) for each in told if isinstance(each, Dropped)) == found.given_up


def cut_at_every_statement(gate: Gate, folder: Path, work: Callable[[], None]) -> list[Path]:
    """The files as they were before each statement of the journal's thread while `work` went on, and after it: what is left of a
    process that is killed there."""
    left: list[Path] = []

    def copy(_statement: str = "") -> None:
        left.append(folder / str(len(left)))
        left[-1].mkdir(parents=True)
        for suffix in ("", "-wal"):
            shutil.copy(f"{gate.path}{suffix}", left[-1])

    store = gate.journal._store
    gate.journal._wait(lambda: store._connection.set_trace_callback(copy))
    work()
    gate.journal._wait(lambda: store._connection.set_trace_callback(None))
    copy()
    return left


def untold(files: Path) -> int:
    """How many records went of which none tells, in what is left of a journal."""
    with closing(Gate(files / "journal.sqlite").journal) as journal:
        assert journal.recovered is None
        journal.verify()
        gone = journal.oldest() - 1
    bodies = [
        decode_body(kind, body)
        for _, kind, body in Gate.rows_of(files / "journal.sqlite")
        if kind == "dropped" and body
    ]
    return gone - sum(each.sent for each in bodies if isinstance(each, Dropped) and not each.log)


def careless(journal: Journal) -> Callable[..., int]:
    """It deletes, and then writes that it has."""

    def trim_acknowledged(limit: int, told: Callable[[int, int, int], Body], now: Moment) -> int:
        store = journal._store
        first, upto = store.trimmed.seq + 1, min(store.acked.seq, store.trimmed.seq + limit)
        if upto < first:
            return 0
        count = journal._wait(lambda: store._trim_upto(upto))
        journal.append(told(first, upto, 0), now)
        return count

    return trim_acknowledged


@pytest.mark.parametrize("is_careless", [False, True])
def test_killed_at_any_statement_nothing_is_gone_that_no_record_tells_of(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_careless: bool
) -> None:
    monkeypatch.setattr(room, "TRIM_ROWS", 40)
    gate.write(*(list(BODIES) * 40))
    gate.acknowledge(150)
    if is_careless:
        gate.journal._wait(lambda: gate.journal._writer._commit(()))
        monkeypatch.setattr(gate.journal, "trim_acknowledged", careless(gate.journal))
    gate.free = MB
    left = cut_at_every_statement(gate, tmp_path / "cut", gate.room.look)
    assert len(left) > 20 and gate.journal.oldest() > 100
    found = [untold(files) for files in left]
    assert any(found) == is_careless, "the control has to be caught, and nothing else"


def replaced(gate: Gate) -> Path:
    """The office has all of a log that another one has followed. Its file."""
    gate.write(*BODIES)
    gate.acknowledge(gate.journal.head().seq)
    old = gate.journal.log_id
    gate.journal.replace_log("rewound", now=NOW)
    return gate.path.with_name(f"journal.sqlite.{old}.old")


def test_an_earlier_log_is_told_of_before_its_file_goes(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    file, remove, told = replaced(gate), files.remove, []

    def watched(path: Path) -> None:
        told.append([each.log for each in gate.dropped().values()])  # in the database, and not in memory
        remove(path)

    monkeypatch.setattr(files, "remove", watched)
    gate.free = MB
    gate.room.look()
    assert not file.exists()
    assert told == [[file.name.split(".")[2]]]


def test_a_file_that_cannot_be_deleted_yet_is_told_of_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    file, remove = replaced(gate), files.remove

    def refused(_path: Path) -> None:
        raise OSError("read-only")

    monkeypatch.setattr(files, "remove", refused)
    gate.free = MB
    for _ in range(2):
        with pytest.raises(JournalError):
            gate.room.look()
    monkeypatch.setattr(files, "remove", remove)
    gate.room.look()
    assert not file.exists()
    assert len(gate.dropped()) == 1


def test_a_disk_that_takes_no_record_does_not_keep_an_earlier_log(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    file = replaced(gate)
    append, waiting = gate.journal.append, []

    def fails(body: Body, now: Moment, changes: tuple[()], done: Callable[[JournalError], None]) -> None:
        waiting.append(body)  # as it does in memory, until the disk takes it
        done(JournalError("the disk is full"))

    monkeypatch.setattr(gate.journal, "append", fails)
    gate.free = MB
    gate.room.look()
    assert not file.exists()
    for body in waiting:
        append(body, NOW)
    gate.journal.checkpoint()
    assert len(gate.dropped()) == 1


STEPS = st.one_of(
    st.lists(st.sampled_from(sorted(BODIES)), min_size=1, max_size=8),
    st.integers(1, 60),
    st.sampled_from(["scarce", "enough", "large", "restart", "old"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=30))
def test_whatever_happens_no_unsent_visit_or_alarm_goes_and_every_drop_is_counted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[str] | int | str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "LEAST": 2,
            "LEAST_PACKED": 0.05,
            "PACKED": 5,
            "WINDOW": 9,
            "TRIM_ROWS": 3,
        }.items():
            patch.setattr(room, name, value)
        gate = Gate(tmp_path_factory.mktemp("room") / "journal.sqlite")
        try:
            watch(gate, steps)
        finally:
            gate.journal.close()


def watch(gate: Gate, steps: list[list[str] | int | str]) -> None:
    """What is written, what goes, and what is told of it, step by step."""
    told: dict[int, Dropped] = {}
    written: dict[int, str] = {}
    gone: list[str] = []
    aged = 0
    for step in steps:
        aged += take(gate, step)
        before = {seq for seq, _, body in gate.rows() if body is not None}
        written |= {seq: kind for seq, kind, _ in gate.rows()}
        unsent = {seq for seq in written if seq > gate.journal.acked.seq}
        gate.room.look()
        gate.journal.verify()
        after = {seq: body for seq, _, body in gate.rows()}
        assert unsent <= after.keys(), "of what is not sent, every number is there"
        lost = [written[seq] for seq in before & unsent if after[seq] is None]
        assert all(kind in FIRST for kind in lost)
        gone += lost
        told |= gate.dropped()
    assert sum(sum(each.kinds.values()) for each in told.values()) == len(gone)
    assert sum(each.sent for each in told.values()) + aged == gate.journal.oldest() - 1


def take(gate: Gate, step: list[str] | int | str) -> int:
    """Do it. How many records went because of their age."""
    match step:
        case list():
            gate.write(*step)
        case int():
            seq = max(min(step, gate.journal.head().seq), gate.journal.acked.seq, gate.journal.oldest() - 1)
            gate.acknowledge(seq)
        case "scarce" | "enough":
            gate.free = MB if step == "scarce" else 10 * MB
        case "large":
            gate.limits = LIMITS if gate.limits != LIMITS else Limits(1, 0)
            gate.start()
        case "restart":
            gate.restart()
        case "old":
            return gate.journal.trim(NOW.after(40 * 86_400_000), 30, 5)
    return 0
