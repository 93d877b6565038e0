"""The directory as it comes down the road: in a real file, whole or not at all, past power cuts, and waited for by nobody."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.directory import Directory, DirectoryFile, Holder, KeptList, code_digest
from gateway.directory_road import DirectoryRoad, Mismatch
from gateway.directory_staging import Staging
from gateway.errors import DirectoryError
from gateway.journal import files
from sync.contract.colours import HealthCode, PassType
from sync.log.follower import Action, Confirm, Follower, Held, Send, Stage, Take
from sync.log.keyed import NOTHING, Row, weight
from sync.log.parts import Have, OpenedPart, Staged, open_part
from sync.log.publisher import Parts, Publisher
from tests.small_disk import small_disk, stuff
from tests.sync.following import SITE, Careless, GateState, OfficeState, State, World, sealed, verified
from tests.sync.test_following import STEPS, Step, play

UID = "000414CD7E"


class RealGate(GateState):
    """`GateState` in a gate's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "directory.sqlite"
        self.start()

    def start(self) -> None:
        """The process starts."""
        self.directory = Directory(self.path)
        self.directory.open()
        self.road = DirectoryRoad(self.path, self.directory, site=SITE, verify=verified)

    def held(self) -> Held:
        """What decides."""
        return self.road.held()

    def staged(self) -> Staged | None:
        """What is on its way."""
        return self.road.staged()

    def stage(self, action: Stage) -> None:
        """Keep it for later."""
        self.road._staging.add(action.title, action.payload)

    def take_staged(self) -> bool:
        """Take it whole. Whether it was what its title says."""
        with self._matched() as matched:
            self.road._take_staged(1)
        self.drop()
        return not matched

    def take(self, action: Take) -> bool:
        """Take it. Whether it was what its title says."""
        with self._matched() as matched:
            self.road._take(action.title, action.sealed, [action.rows], 1)
        return not matched

    @contextlib.contextmanager
    def _matched(self) -> Iterator[list[Mismatch]]:
        wrong: list[Mismatch] = []
        try:
            yield wrong
        except Mismatch as error:
            wrong.append(error)

    def confirm(self, action: Confirm) -> None:
        """Still the newest."""
        self.road._confirm(action, 2)

    def drop(self) -> None:
        """Nothing is staged any more."""
        self.road._staging.clear()

    def lose(self, pieces: int) -> None:
        """The process ends, and its power: some bytes at the end of what was staged are gone."""
        staged = files.beside(self.path, ".staged")
        if staged.exists():
            os.truncate(staged, max(0, staged.stat().st_size - 100 * pieces))
        self.start()

    def image(self) -> "RealGate":
        """A copy of its card."""
        copies = len(list(self.folder.parent.iterdir()))
        return RealGate(Path(shutil.copytree(self.folder, self.folder.with_name(f"card-{copies}"))))

    def load(self) -> None:
        """Somebody loads a file by hand."""
        Directory(self.path).replace(DirectoryFile(version=self.held().seen.version + 1))

    def holds(self, state: State | None) -> bool:
        """Whether its rows are exactly these."""
        wanted = sorted((*place, weight(*place, value)) for place, value in (state or {}).items())
        return rows_in(self.path) == wanted


def rows_in(path: Path) -> list[tuple[str, str, int]]:
    """Every row there is: table, key, weight."""
    found = []
    keys = {"holder": "holder", "card": "uid", "code": "sha256", "revoked": "pass_id"}
    with closing(sqlite3.connect(path)) as connection:
        for table, key in keys.items():
            for name, blob in connection.execute(f"SELECT {key}, weight FROM {table}"):  # noqa: S608  the names are ours
                found.append((table, name, int.from_bytes(blob)))
        for name, blob in connection.execute("SELECT name, weight FROM other"):
            table, _, key = name.partition("/")
            found.append((table, key, int.from_bytes(blob)))
    return sorted(found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_a_real_file_holds_always_one_whole_state_and_at_last_the_newest(tmp_path: Path, script: list[Step]) -> None:
    shutil.rmtree(tmp_path)
    (tmp_path / "gate").mkdir(parents=True)
    play(World(Careless(gate=lambda: RealGate(tmp_path / "gate"))), script)


# what comes, and what is looked up


class Office(OfficeState):
    """An office that speaks to one gate."""

    def parts(self, held: Held | None = None) -> list[bytes]:
        """What brings a gate that holds this, or nothing, to the newest state."""
        publisher = Publisher(SITE, self, seal=sealed, verify=verified)
        held = held or Held()
        parts: list[bytes] = []
        staged: Staged | None = None
        while staged is None or staged.next < staged.parts:
            have = Have(site=SITE, seen=held.seen, title=held.title, whole=held.whole, staged=staged, room=16)
            answer = publisher.answer(have, 1_700_000_000_000)
            assert isinstance(answer, Parts)
            parts += answer.payloads
            title = opened(parts[-1]).title
            staged = Staged(title.base, title.upto, title.parts, title.number + 1)
        return parts


def opened(payload: bytes) -> OpenedPart:
    """A part of the office's."""
    return open_part(payload, SITE, verified)


class Gate:
    """A gate's process, as far as the directory goes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "directory.sqlite"
        self.directory = Directory(self.path)
        self.directory.open()
        self.road = DirectoryRoad(self.path, self.directory, site=SITE, verify=verified)
        self.follower = Follower(SITE, self.road, verified)
        self.follower.connected(0)

    def receive(self, payloads: Sequence[bytes]) -> list[Action]:
        """They come. Returns what was left to do."""
        left: list[Action] = []
        for payload in payloads:
            actions = self.follower.received(payload, 0)
            left += self.road.carry_out(actions, self.follower, now=0, received_s=1_700_000_100)
        return left

    def poll(self, now: int) -> list[Action]:
        """What is due. Returns what was left to do."""
        return self.road.carry_out(self.follower.poll(now), self.follower, now=now, received_s=1_700_000_100)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def text_row(text: str) -> Row:
    """A health code."""
    return Row("code", code_digest(text), b'{"health_code":"green","holder":"h-1"}')


PEOPLE = (
    Row("holder", "h-1", b'{"pass_type":"resident","sites":["north"],"extended":true}'),
    Row("card", UID, b'{"holder":"h-1"}'),
    Row("revoked", "0011223344556677", b"{}"),
    text_row("a code"),
    Row("policy", "quiet-hours", b'{"from":"22:00"}'),
    Row("status", "h-1", b'{"isolation":true}'),
)


def test_what_comes_is_looked_up(office: Office, gate: Gate) -> None:
    office.change(PEOPLE)
    assert gate.receive(office.parts()) == []
    card, standing, code = (
        gate.directory.card(UID),
        gate.directory.standing(bytes.fromhex("0011223344556677"), "h-1"),
        gate.directory.code("a code"),
    )
    assert card is not None and (card.holder, card.pass_type, card.sites) == ("h-1", PassType.RESIDENT, ("north",))
    assert standing.revoked and standing.extended and standing.version == 1
    assert code is not None and code.health_code is HealthCode.GREEN
    assert gate.directory.entries("policy") == {"quiet-hours": b'{"from":"22:00"}'}
    assert gate.directory.entries("status") == {"h-1": b'{"isolation":true}'}
    edition = gate.directory.edition()
    assert edition is not None and (edition.version, edition.issued_s, edition.received_s) == (
        1,
        1_700_000_000,
        1_700_000_100,
    )
    assert not list(gate.path.parent.glob("*.new*")) and not list(gate.path.parent.glob("*.staged"))


def test_a_change_changes_what_it_names_and_nothing_else(office: Office, gate: Gate) -> None:
    office.change(PEOPLE)
    gate.receive(office.parts())
    inode = gate.path.stat().st_ino
    office.change(
        [Row("card", UID, None), Row("revoked", "0011223344556677", None), Row("policy", "quiet-hours", None)]
    )
    gate.receive(office.parts(gate.road.held()))
    assert gate.directory.card(UID) is None and gate.directory.code("a code") is not None
    assert not gate.directory.standing(bytes.fromhex("0011223344556677"), "h-1").revoked
    assert gate.directory.entries("policy") == {} and gate.directory.version == 2
    assert gate.path.stat().st_ino == inode  # in place


@pytest.mark.parametrize(
    "row",
    [
        Row("holder", "h-2", b'{"pass_type":"astronaut"}'),
        Row("holder", "-", b'{"pass_type":"resident"}'),
        Row("holder", "h-2", b"no JSON"),
        Row("card", "not-hexadecimal", b'{"holder":"h-1"}'),
        Row("card", "0123456789", b'{"holder":["h-1"]}'),
        Row("revoked", "short", b"{}"),
    ],
)
def test_what_is_not_understood_is_kept_lets_nobody_in_and_holds_nothing_up(
    office: Office, gate: Gate, row: Row
) -> None:
    office.change([*PEOPLE, row])
    gate.receive(office.parts())
    assert gate.road.held().mark == office.mark and gate.directory.card(UID) is not None
    assert gate.directory.entries(row.table) == {row.key: row.value}
    office.change([Row(row.table, row.key, None)])
    gate.receive(office.parts(gate.road.held()))
    assert gate.directory.entries(row.table) == {} and gate.road.held().mark == office.mark


def test_a_row_that_is_understood_at_last_stands_in_one_place_only(office: Office, gate: Gate) -> None:
    office.change([Row("card", UID, b'{"holder":7}')])
    gate.receive(office.parts())
    office.change([Row("card", UID, b'{"holder":"h-1"}')])
    gate.receive(office.parts(gate.road.held()))
    assert gate.directory.entries("card") == {} and gate.directory.card(UID) is not None


def test_fields_of_a_later_version_are_passed_over(office: Office, gate: Gate) -> None:
    office.change([Row("holder", "h-1", b'{"pass_type":"tenant","shoe_size":43}'), PEOPLE[1]])
    gate.receive(office.parts())
    card = gate.directory.card(UID)
    assert card is not None and card.pass_type is PassType.TENANT


def test_rows_that_are_not_those_that_were_signed_change_nothing(office: Office, gate: Gate) -> None:
    office.change(PEOPLE)
    gate.receive(office.parts())
    with closing(sqlite3.connect(gate.path)) as connection, connection:
        connection.execute("DELETE FROM card")  # behind everybody's back
    office.change([Row("card", UID, b'{"holder":"h-1","lost":true}')])
    before = rows_in(gate.path)
    (refused,) = gate.receive(office.parts(gate.road.held()))
    assert "not what they should be" in str(refused) and rows_in(gate.path) == before
    assert gate.directory.version == 1
    (ask,) = gate.poll(20_000)
    assert isinstance(ask, Send)
    gate.receive(office.parts())  # as it asks: all of them
    card = gate.directory.card(UID)
    assert card is not None and card.lost


def test_what_was_loaded_by_hand_holds_until_the_office_sends_its_own(office: Office, gate: Gate) -> None:
    office.change(PEOPLE)
    gate.receive(office.parts())
    by_hand = DirectoryFile(version=9, holders=(Holder(holder="h-9", pass_type=PassType.VISITOR),))
    Directory(gate.path).replace(by_hand)
    held = gate.road.held()
    assert not held.whole and held.mark == NOTHING and held.seen == office.mark and gate.directory.version == 9
    gate.receive(office.parts(held))
    assert gate.directory.version == 1 and gate.directory.card(UID) is not None and gate.road.held().whole


def test_the_trust_list_outlives_a_snapshot(office: Office, gate: Gate) -> None:
    kept = KeptList(3, 1, 2, b"sealed")
    gate.directory.keep_trust(lambda _held: kept)
    stamp = gate.directory.stamp()
    office.change(PEOPLE)
    gate.receive(office.parts())
    assert gate.directory.trust_list() == kept and gate.directory.stamp() != stamp


def test_who_waits_to_write_while_a_snapshot_takes_the_place_writes_into_the_new_one(
    office: Office, gate: Gate
) -> None:
    """`menshen trust import` in the very moment: it must not write into a file that nobody will read any more."""
    office.change(PEOPLE)
    other = Directory(gate.path)
    other.open()
    real_begin = other._begin

    def begin_late() -> sqlite3.Connection:
        real_connect = sqlite3.connect
        late: list[int] = []

        def connect(*args: object, **named: object) -> sqlite3.Connection:
            connection = real_connect(*args, **named)  # type: ignore[call-overload]  # whatever it was called with
            if not late:
                late.append(1)
                gate.receive(office.parts())
            return connection  # type: ignore[no-any-return]  # a connection

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gateway.directory.sqlite3.connect", connect)
            return real_begin()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other, "_begin", begin_late)
        other.keep_trust(lambda _held: KeptList(3, 1, 2, b"revokes a key"))
    kept = gate.directory.trust_list()
    assert kept is not None and kept.sealed == b"revokes a key" and gate.directory.card(UID) is not None


# power cuts


@pytest.mark.parametrize("step", ["put", "_check", "_note", "swap_in", "_flush", "rename", "sync_folder"])
def test_whatever_ends_a_snapshot_leaves_the_old_directory_or_the_new_one(
    office: Office, gate: Gate, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    office.change(PEOPLE)
    gate.receive(office.parts())
    office.change([Row("card", f"{number:08X}", b'{"holder":"h-1"}') for number in range(2_000)])
    before = rows_in(gate.path)

    class PowerCut(BaseException):
        pass

    def cut(*_args: object, **_named: object) -> None:
        raise PowerCut

    targets = {
        "put": "gateway.directory_road.put",
        "_check": "gateway.directory_road._check",
        "_note": "gateway.directory_road._note",
        "swap_in": "gateway.directory.Directory.swap_in",
        "_flush": "gateway.directory._flush",
        "rename": "pathlib.Path.rename",
        "sync_folder": "gateway.journal.files.sync_folder",
    }
    parts = office.parts()
    assert len(parts) > 1
    with monkeypatch.context() as patch:
        patch.setattr(targets[step], cut)
        with pytest.raises(PowerCut):
            gate.receive(parts)
    files.beside(gate.path, ".new").write_bytes(b"what a power cut leaves")
    after = Gate(gate.path.parent)
    assert after.directory.version == (2 if step == "sync_folder" else 1)
    if step != "sync_folder":
        assert rows_in(gate.path) == before
        assert after.road.staged() is not None  # all of it is still here: nothing is asked for again
        after.poll(0)
    assert after.directory.version == 2 and after.road.held().mark == office.mark
    assert len(rows_in(gate.path)) == 2_000 + len(PEOPLE)


_CHILD = """
import sys
from sync.log.follower import Held
from pathlib import Path
from tests.gateway.test_directory_road import Gate, Office
from sync.log.keyed import Row
gate, office = Gate(Path(sys.argv[1])), Office()
number = 0
print("ready", flush=True)
while True:
    number += 1
    office.change([Row("card", f"{at:08X}", b'{"holder":"h-%d"}' % number) for at in range(number % 7, 1500, 3)])
    gate.receive(office.parts(gate.road.held() if number % 3 else Held()))
"""


def test_kill_9_leaves_one_whole_state(tmp_path: Path) -> None:
    (tmp_path / "gate").mkdir()
    seen = set()
    for round_number in range(6):
        shutil.rmtree(tmp_path / "gate")
        (tmp_path / "gate").mkdir()
        command = [sys.executable, "-c", _CHILD, str(tmp_path / "gate")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05 + 0.037 * round_number)  # what is under test is whatever it is at by then
            process.send_signal(signal.SIGKILL)
        gate = Gate(tmp_path / "gate")
        held, total = gate.road.held(), sum(weighs for _, _, weighs in rows_in(gate.path)) % 2**128
        assert held.seen.digest == total.to_bytes(16)
        seen.add(held.seen.version)
    assert len(seen) > 1  # it was at work


def test_an_input_or_output_error_changes_nothing_and_is_tried_again(
    office: Office, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.change(PEOPLE)

    def broken(_path: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.directory._flush", broken)
        with pytest.raises(DirectoryError, match="Input/output"):
            gate.receive(office.parts())
    assert gate.directory.version == 0 and gate.follower.deadline() is not None
    gate.receive(office.parts())
    assert gate.directory.version == 1


def test_on_a_full_disk_the_old_one_decides(office: Office, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        gate = Gate(disk)
        office.change(PEOPLE)
        gate.receive(office.parts())
        office.change([Row("card", f"{number:08X}", b'{"holder":"h-1"}') for number in range(3_000)])
        filler = stuff(disk)
        with pytest.raises(DirectoryError):
            gate.receive(office.parts())
        assert gate.directory.version == 1 and gate.directory.card(UID) is not None
        filler.unlink()
        gate.poll(60_000)  # what was staged is taken, or
        gate.receive(office.parts())
        assert gate.directory.version == 2


# what is staged


def test_what_a_power_cut_leaves_of_the_staged_is_used_as_far_as_it_is_good(office: Office, tmp_path: Path) -> None:
    office.change([Row("card", f"{number:08X}", b'{"holder":"h-1"}') for number in range(6_000)])
    parts = office.parts()
    path = tmp_path / "staged"
    staging = Staging(path, opened)
    for payload in parts[:4]:
        staging.add(opened(payload).title, payload)
    whole = path.read_bytes()
    for size in (0, 2, 5, 1_000, len(whole) - 1):
        path.write_bytes(whole[:size] + bytes(300))
        again = Staging(path, opened)
        staged = again.staged()
        number = 0 if staged is None else staged.next
        assert number == (3 if size == len(whole) - 1 else 0)
        again.add(opened(parts[number]).title, parts[number])
        assert [part.title.number for part in again.parts()] == list(range(number + 1))
    path.write_bytes(whole)
    assert [part.title.number for part in Staging(path, opened).parts()] == [0, 1, 2, 3]
