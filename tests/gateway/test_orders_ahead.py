"""Orders that come ahead of the directory: carried out at once and once, whatever is being put in, and never undone by older ones."""

import logging
import shutil
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import load
from gateway.core.events import Desired, Event
from gateway.desired import DesiredState
from gateway.orders_ahead import OrdersAhead
from sync.contract.directory import ModeOrder
from sync.contract.sealed import seal
from sync.contract.standing_orders import StandingOrders, encode_orders, seal_orders
from sync.errors import MessageError
from sync.log.follower import Send
from sync.log.keyed import Mark, Row
from sync.log.parts import decode_have
from tests.gateway.test_directory_road import Gate as RoadGate
from tests.gateway.test_directory_road import Office
from tests.small_disk import small_disk, stuff
from tests.sync.following import LONG, OFFICE_KEY, SITE, STRANGER

EXAMPLE = Path(__file__).parents[2] / "config" / "gate.example.toml"
CONFIG = load(EXAMPLE)
GATE = CONFIG.gate.id
KEYS = [OFFICE_KEY.public_key()]


def an_order(number: int, mode: str) -> dict[str, object]:
    return {"id": f"{number:032x}", "mode": mode, "by": "li", "at_ms": number}


def row(number: int, mode: str, key: str = "*") -> Row:
    """A row of the directory."""
    return Row("mode", key, msgspec.json.encode(an_order(number, mode)))


def holders(number: int) -> list[Row]:
    """So many that they make several parts."""
    return [Row("holder", f"h-{each:05}", b'{"pass_type":"resident"}') for each in range(number)]


def orders(
    state: Mark, number: int, mode: str, *, gate: str = GATE, site: str = SITE, key: str = "*"
) -> StandingOrders:
    order = msgspec.convert(an_order(number, mode), ModeOrder)
    return StandingOrders(gate=gate, site=site, state=state, modes={key: order}, count=None)


def message(content: StandingOrders) -> bytes:
    """As the office sends them."""
    return encode_orders(seal_orders(content, OFFICE_KEY))


class Gate(RoadGate):
    """A gate's process, with its orders."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ahead = OrdersAhead(self.path, self.directory, gate=GATE, site=SITE, keys=KEYS)
        self.road._ahead = self.ahead.proof
        self.posted: list[Event] = []
        self.desired = DesiredState(
            CONFIG,
            self.directory,
            self.posted.append,
            ahead=self.ahead.now,
            adopt=lambda _: None,
            reword=lambda _: None,
        )
        self.desired.look()

    @property
    def wanted(self) -> list[str]:
        """The modes that the core was told to be wanted for all gates, one after the other."""
        return [event.modes["*"].mode for event in self.posted if isinstance(event, Desired)]

    @property
    def told(self) -> list[str]:
        """The ids of the same."""
        return [event.modes["*"].id for event in self.posted if isinstance(event, Desired)]

    def order(self, content: StandingOrders) -> bool:
        """Orders come. Whether they were news."""
        news = self.ahead.take(message(content))
        self.desired.look()
        return news

    def asked(self) -> bytes:
        """What its next question shows of its orders."""
        self.follower.disconnected()
        self.follower.connected(0)
        (send,) = self.poll(0)
        assert isinstance(send, Send)
        return decode_have(send.payload).ahead


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_an_order_comes_ahead_and_the_older_one_in_the_snapshot_never_counts(office: Office, gate: Gate) -> None:
    office.change([row(1, "normal"), *holders(4_000)])
    snapshot = office.parts()
    gate.receive(snapshot[:1])
    office.change([row(2, "lockdown")])
    assert gate.order(orders(office.mark, 2, "lockdown"))
    for part in snapshot[1:]:
        gate.receive([part])
        gate.desired.look()
    assert gate.directory.version == 1 and gate.wanted == ["lockdown"]
    assert gate.directory.entries("mode")["*"] == row(1, "normal").value, "it is the older one that came"
    gate.receive(office.parts(gate.road.held()))
    gate.desired.look()
    assert gate.directory.version == 2 and gate.ahead.now() is None
    assert gate.wanted == ["lockdown", "lockdown"], "the same once more, by its id"
    office.change([row(3, "normal")])
    gate.receive(office.parts(gate.road.held()))
    gate.desired.look()
    assert gate.wanted[-1] == "normal"


def test_it_holds_through_a_restart_before_and_after_the_snapshot(office: Office, tmp_path: Path) -> None:
    office.change([row(1, "normal"), *holders(4_000)])
    snapshot = office.parts()
    office.change([row(2, "lockdown")])
    Gate(tmp_path).order(orders(office.mark, 2, "lockdown"))
    gate = Gate(tmp_path)
    assert gate.wanted == ["lockdown"]
    gate.receive(snapshot)
    again = Gate(tmp_path)
    assert again.directory.version == 1 and again.wanted == ["lockdown"]


def test_what_is_older_or_was_taken_is_passed_over(office: Office, gate: Gate, tmp_path: Path) -> None:
    states = []
    for number in range(1, 5):
        office.change([row(number, "free")])
        states.append(office.mark)
    gate.receive(office.parts())
    assert not gate.order(orders(states[0], 1, "free")) and not gate.order(orders(states[3], 4, "free")), "as directory"
    newer = Mark(0, 9, bytes(16))
    assert gate.order(orders(newer, 9, "lockdown"))
    for one in (gate, Gate(tmp_path)):  # and the process started again remembers
        assert not one.order(orders(newer, 9, "lockdown"))
        assert not one.order(orders(Mark(0, 8, bytes(16)), 8, "free"))
        assert one.wanted[-1] == "lockdown"
    assert gate.order(orders(Mark(1, 5, bytes(16)), 10, "normal")), "an epoch is above every version"


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (encode_orders(seal_orders(orders(Mark(0, 9, bytes(16)), 9, "free"), STRANGER)), "not pinned"),
        (encode_orders(seal(b"{}", "directory-part", OFFICE_KEY)), "something else"),
        (message(orders(Mark(0, 9, bytes(16)), 9, "free", gate="other-gate")), "for 'other-gate'"),
        (message(orders(Mark(0, 9, bytes(16)), 9, "free", site="south")), "'south'"),
        (message(orders(Mark(0, 9, bytes(16)), 9, "free", key="other-gate")), "for"),
        (b"junk", "zlib"),
    ],
)
def test_what_is_forged_or_another_gates_is_refused(gate: Gate, payload: bytes, why: str) -> None:
    with pytest.raises(MessageError, match=why):
        gate.ahead.take(payload)
    assert gate.ahead.now() is None and gate.asked() == b""


def test_the_office_is_shown_them_until_a_directory_is_as_new(office: Office, gate: Gate) -> None:
    office.change([row(1, "normal")])
    assert gate.asked() == b""
    content = orders(office.mark, 1, "normal")
    gate.order(content)
    assert gate.asked() == seal_orders(content, OFFICE_KEY)
    gate.receive(office.parts())
    assert gate.asked() == b""


@pytest.mark.parametrize(
    "left", [b"", b"junk", bytes(5_000), seal_orders(orders(Mark(0, 9, bytes(16)), 9, "free"), STRANGER)]
)
def test_a_file_that_is_damaged_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture, left: bytes) -> None:
    (tmp_path / "directory.sqlite.orders").write_bytes(left)
    with caplog.at_level(logging.WARNING):
        gate = Gate(tmp_path)
    assert "is passed over" in caplog.text and gate.wanted == []
    gate.order(orders(Mark(0, 9, bytes(16)), 9, "lockdown"))
    assert Gate(tmp_path).wanted == ["lockdown"]


def test_on_a_full_disk_an_order_is_carried_out_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        gate = Gate(disk)
        stuff(disk)
        assert gate.order(orders(Mark(0, 9, bytes(16)), 9, "lockdown"))
        assert gate.wanted == ["lockdown"] and "until the next restart" in caplog.text


@pytest.mark.parametrize("fresh", [True, False])
def test_they_wait_for_no_rows_that_are_being_put_in(office: Office, gate: Gate, fresh: bool) -> None:
    """A snapshot into a file of its own, or many changes in one transaction of the directory's: in the midst of either."""
    office.change([row(1, "normal")])
    if not fresh:
        gate.receive(office.parts())
        gate.desired.look()
    office.change(holders(4_000))
    parts = office.parts(gate.road.held())
    assert len(parts) > 2
    seen: list[tuple[int, list[str]]] = []

    def meanwhile() -> None:
        if not seen:
            began = time.monotonic()
            assert gate.order(orders(Mark(0, 9, bytes(16)), 9, "lockdown"))
            assert time.monotonic() - began < 5.0, "no lock was waited for"
            seen.append((gate.directory.version, list(gate.wanted)))

    gate.road.meanwhile = meanwhile
    gate.receive(parts)
    assert seen == [(0 if fresh else 1, [*([] if fresh else ["normal"]), "lockdown"])]
    assert gate.directory.version == 2
    gate.desired.look()
    assert gate.wanted[-1] == "lockdown"


KINDS = ("order", "send", "make", "bring", "restart", "order", "send", "bring", "people", "begin", "changes")
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3)), min_size=10, max_size=20)


class Late:
    """An office and a gate, and a road that brings what it likes of all that was ever sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.office, self.gate = Office(), Gate(folder)
        self.orders: list[bytes] = []
        self.snapshots: list[list[bytes]] = []
        self.told: list[str] = []  # by processes that have ended
        self.heard = 0  # the newest order that came ahead
        self.order()

    def order(self) -> None:
        """The next order: they are numbered."""
        number = len(self.orders) + 1
        self.office.change([row(number, "lockdown")])
        self.orders.append(message(orders(self.office.mark, number, "lockdown")))

    def step(self, step: str, place: int) -> None:
        """One of them, and what the gate makes of it."""
        match step:
            case "order":
                self.order()
            case "people":
                self.office.change([Row("people", f"{place}-{each}", bytes(LONG)) for each in range(place % 3)])
            case "send":
                self.heard = max(self.heard, place % len(self.orders) + 1)
                self.gate.ahead.take(self.orders[place % len(self.orders)])
            case "make":
                self.snapshots.append(self.office.parts())
            case "begin" if self.snapshots:
                self.gate.receive(self.snapshots[place % len(self.snapshots)][:1])
            case "bring" if self.snapshots:
                self.gate.receive(self.snapshots[place % len(self.snapshots)])
            case "changes":
                self.gate.receive(self.office.parts(self.gate.road.held()))
            case "restart":
                self.told += self.gate.told
                self.gate = Gate(self.folder)
        self.gate.desired.look()

    def check(self) -> None:
        """The core was told the newest order that has come, by whichever way, and none after a newer one."""
        told = [*self.told, *self.gate.told]
        held = self.gate.directory.entries("mode").get("*")
        newest = max(self.heard, 0 if held is None else msgspec.json.decode(held, type=ModeOrder).at_ms)
        assert told == sorted(told) and (told[-1:] or [f"{0:032x}"]) == [f"{newest:032x}"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_newest_order_that_came_by_either_way_holds_and_no_older_one_ever_follows(
    tmp_path: Path, script: list[tuple[str, int]]
) -> None:
    """Orders and snapshots late, lost, doubled, played again, in any order; the process started again at any point."""
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    late = Late(tmp_path)
    for step, place in script:
        late.step(step, place)
        late.check()
