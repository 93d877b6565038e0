"""From the office's database to a gate's file: asked for, pushed, past an office that was put back."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.directory.ahead import OrdersAhead
from central.directory.desk import AGAIN, Desk
from central.directory.models import Directory as Kept
from central.directory.service import TIMES_EACH_S, TIMES_OF_ONE, DirectoryService
from central.directory.store import SiteSource, change
from central.registry.models import Gate as Gate_
from gateway.directory import Directory
from gateway.directory_road import DirectoryRoad
from sync.contract.office_time import When
from sync.contract.standing_orders import StandingOrders, decode_orders, seal_orders, unseal_orders
from sync.log.follower import Follower, Send
from sync.log.keyed import NOTHING, Mark, Row
from sync.log.messages import encode, tag_of
from sync.log.parts import Have
from tests.sync.following import OFFICE_KEY, STRANGER, sealed, verified

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]

SITE, GATE = "north", "north-1"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
UID = "000414CD7E"
CARD = Row("card", UID, b'{"holder":"h-1"}')
LOST = Row("card", UID, b'{"holder":"h-1","lost":true}')


class Gate:
    """A gate with its directory in a real file, and a road that works."""

    def __init__(self, folder: Path, desk: Desk, site: str = SITE) -> None:
        self.directory = Directory(folder / "directory.sqlite")
        self.directory.open()
        self.road = DirectoryRoad(folder / "directory.sqlite", self.directory, site=site, verify=verified)
        self.follower = Follower(site, self.road, verified)
        self.desk = desk
        self.now, self.at = 0, NOW
        self.follower.connected(0)

    def receive(self, payloads: Iterable[bytes]) -> None:
        """They come, and what is due is asked for."""
        waiting = list(payloads)
        while waiting or ((due := self.follower.deadline()) is not None and due <= self.now):
            actions = self.follower.received(waiting.pop(0), self.now) if waiting else self.follower.poll(self.now)
            for left in self.road.carry_out(actions, self.follower, now=self.now, received_s=1):
                assert isinstance(left, Send)
                waiting += self.desk.hear(GATE, SITE, left.payload, self.at)

    def ask(self) -> None:
        """It asks, as after a new connection."""
        self.follower.disconnected()
        self.follower.connected(self.now)
        self.receive(())

    def push(self) -> int:
        """What the office tells unasked. Returns how many messages that were."""
        told = [(gate, list(payloads)) for gate, payloads in self.desk.news(NOW)]
        for gate, payloads in told:
            assert gate == GATE
            self.receive(payloads)
        return sum(len(payloads) for _, payloads in told)


@pytest.fixture
def refused() -> list[str]:
    return []


@pytest.fixture
def desk(refused: list[str]) -> Desk:
    return a_desk(refused)


def a_desk(refused: list[str]) -> Desk:
    """The office's process, started anew."""
    ahead = OrdersAhead(OFFICE_KEY)
    return Desk(
        seal=sealed, verify=verified, ahead=ahead, refuse=lambda gate, reason: refused.append(f"{gate}: {reason}")
    )


def test_a_gate_asks_and_is_told_of_changes_unasked(tmp_path: Path, desk: Desk, refused: list[str]) -> None:
    people = [Row("holder", f"h-{number:05}", b'{"pass_type":"resident"}') for number in range(3_000)]
    change(SITE, [CARD, *people], NOW)
    gate = Gate(tmp_path, desk)
    gate.receive(())
    assert gate.directory.version == 1 and desk.has(GATE) == SiteSource(SITE).newest()
    assert gate.push() == 0
    change(SITE, [LOST], NOW)
    assert gate.push() == 1
    card = gate.directory.card(UID)
    assert card is not None and card.lost and desk.has(GATE).version == 2
    assert gate.push() == 0 and refused == []
    desk.forget(GATE)
    change(SITE, [CARD], NOW)
    assert gate.push() == 0 and desk.has(GATE) == NOTHING


def test_news_that_was_lost_is_told_again_after_a_while(tmp_path: Path, desk: Desk) -> None:
    change(SITE, [CARD], NOW)
    gate = Gate(tmp_path, desk)
    gate.receive(())
    change(SITE, [LOST], NOW)
    assert len(list(desk.news(NOW))) == 1  # lost
    assert list(desk.news(NOW)) == []
    ((_, payloads),) = desk.news(NOW + AGAIN)
    gate.receive(payloads)
    assert gate.directory.version == 2 and list(desk.news(NOW + 2 * AGAIN)) == []


def test_an_office_put_back_and_started_again_leads_the_gate_on(tmp_path: Path, desk: Desk, refused: list[str]) -> None:
    change(SITE, [CARD], NOW)
    change(SITE, [LOST], NOW)
    gate = Gate(tmp_path, desk)
    gate.receive(())
    Kept.objects.get().delete()  # and last night's backup is put in
    change(SITE, [CARD], NOW)
    gate.desk = a_desk(refused)
    gate.follower.connected(0)
    gate.receive(())
    card = gate.directory.card(UID)
    assert card is not None and not card.lost
    assert gate.road.held().mark == SiteSource(SITE).newest() and gate.road.held().seen.epoch == 1
    assert refused == []


def an_order(number: int, mode: str, key: str = "*") -> Row:
    value = {"id": f"{number:032x}", "mode": mode, "by": "li", "at_ms": number}
    return Row("mode", key, json.dumps(value).encode())


def asking(**fields: object) -> bytes:
    """A gate's question."""
    have = Have(site=SITE, seen=NOTHING, title=b"", whole=False, staged=None, room=1)
    return encode(msgspec.structs.replace(have, **fields))


def told(payload: bytes) -> StandingOrders:
    return unseal_orders(decode_orders(payload), [OFFICE_KEY.public_key()])


def tags(payloads: Iterable[bytes]) -> list[str]:
    return [tag_of(payload) for payload in payloads]


def test_orders_go_first_and_once_and_only_the_gates_own(desk: Desk) -> None:
    count = Row("count", GATE, b'{"id":"%032x","inside":3,"by":"li","at_ms":1}' % 7)
    orders = [an_order(1, "closed"), an_order(2, "free", "south-1"), count]
    mark = change(SITE, [CARD, *orders], NOW)
    answers = desk.hear(GATE, SITE, asking(), NOW)
    first = next(answers)
    content = told(first)
    assert content.concern(GATE, SITE) and content.state == mark
    assert {key: order.mode for key, order in content.modes.items()} == {"*": "closed"}
    assert content.count is not None and content.count.inside == 3
    assert tags(answers) == ["part"]
    ahead = decode_orders(first)
    assert tags(desk.hear(GATE, SITE, asking(ahead=ahead), NOW)) == ["part"]
    change(SITE, [LOST, an_order(3, "free", "south-1")], NOW)
    assert tags(desk.hear(GATE, SITE, asking(ahead=ahead), NOW)) == ["part"], "none of its own is newer"
    mark = change(SITE, [an_order(4, "lockdown")], NOW)
    ((_, payloads),) = desk.news(NOW)
    pushed = list(payloads)
    assert tags(pushed) == ["orders", "part"] and told(pushed[0]).modes["*"].mode == "lockdown"
    assert told(pushed[0]).state == mark


def test_a_gate_that_has_them_in_its_directory_is_sent_none(tmp_path: Path, desk: Desk) -> None:
    change(SITE, [CARD], NOW)
    assert tags(desk.hear(GATE, SITE, asking(), NOW)) == ["part"], "there are none"
    mark = change(SITE, [an_order(1, "lockdown")], NOW)
    change(SITE, [LOST], NOW)
    has = {"seen": mark, "whole": True}
    assert tags(desk.hear(GATE, SITE, asking(**has), NOW)) == ["part"]
    assert tags(desk.hear(GATE, SITE, asking(seen=mark), NOW)) == ["orders", "part"], "it is not whole"


def test_orders_do_not_wait_for_a_snapshot_to_be_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    change(SITE, [an_order(1, "lockdown")], NOW)
    asked: list[object] = []
    monkeypatch.setattr(SiteSource, "changed", lambda *_: asked.append(1) or (NOTHING, ()))
    assert tag_of(next(desk.hear(GATE, SITE, asking(), NOW))) == "orders" and not asked


def test_an_office_put_back_to_before_an_order_learns_of_it_and_its_next_one_is_newer(
    desk: Desk, refused: list[str]
) -> None:
    change(SITE, [an_order(1, "normal")], NOW)
    change(SITE, [an_order(2, "lockdown")], NOW)
    first = next(desk.hear(GATE, SITE, asking(), NOW))
    Kept.objects.get().delete()
    change(SITE, [an_order(1, "normal")], NOW)
    again = a_desk(refused)
    content = told(next(again.hear(GATE, SITE, asking(ahead=decode_orders(first)), NOW)))
    assert content.state.order > told(first).state.order and content.modes["*"].mode == "normal"
    assert SiteSource(SITE).newest().epoch == 1 and refused == []


@pytest.mark.parametrize(
    "ahead",
    [
        b"junk",
        seal_orders(StandingOrders(gate=GATE, site=SITE, state=Mark(5, 9, bytes(16)), modes={}, count=None), STRANGER),
        seal_orders(StandingOrders(gate="x", site=SITE, state=Mark(5, 9, bytes(16)), modes={}, count=None), OFFICE_KEY),
        seal_orders(StandingOrders(gate=GATE, site="x", state=Mark(5, 9, bytes(16)), modes={}, count=None), OFFICE_KEY),
    ],
)  # fmt: skip
def test_nobody_makes_the_office_begin_anew_by_what_it_has_not_sealed_for_that_gate(desk: Desk, ahead: bytes) -> None:
    mark = change(SITE, [an_order(1, "normal")], NOW)
    assert tags(desk.hear(GATE, SITE, asking(ahead=ahead), NOW)) == ["orders", "part"]
    assert SiteSource(SITE).newest() == mark


def test_a_row_that_is_no_order_is_logged_and_comes_with_the_directory(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    change(SITE, [Row("mode", "*", b"{}")], NOW)
    assert tags(desk.hear(GATE, SITE, asking(), NOW)) == ["part"]
    assert "cannot be sent ahead" in caplog.text


def test_a_gate_of_another_site_and_noise_are_told_and_not_answered(
    tmp_path: Path, desk: Desk, refused: list[str]
) -> None:
    change(SITE, [CARD], NOW)
    gate = Gate(tmp_path, desk, site="south")
    gate.receive(())
    assert list(desk.hear(GATE, SITE, b"noise", NOW)) == []
    assert len(refused) == 2 and "'south'" in refused[0] and "zlib" in refused[1]
    assert gate.directory.version == 0


@pytest.mark.parametrize("again", [True, False])
def test_a_clock_of_the_office_that_was_ahead_makes_no_directory_younger_than_it_is(
    tmp_path: Path, desk: Desk, refused: list[str], again: bool
) -> None:
    """`again`: the office's process was started again after its clock was put right."""
    change(SITE, [CARD], NOW)
    gate = Gate(tmp_path, desk)
    gate.at = NOW + timedelta(days=30)
    gate.receive(())
    gate.ask()
    assert gate.road.held().at_ms > NOW.timestamp() * 1000 + 1_000_000
    gate.at = NOW
    gate.desk = a_desk(refused) if again else desk
    for _ in range(2):
        gate.ask()
        assert abs(gate.road.held().at_ms - NOW.timestamp() * 1000) < 1_000
        assert gate.road.held().mark == SiteSource(SITE).newest()
    assert SiteSource(SITE).newest().version == 2 and refused == []


@pytest.mark.parametrize("changes", [1, 2, 3])
def test_an_idle_gate_asks_an_office_that_was_put_back_as_soon_as_it_is_told(
    tmp_path: Path, desk: Desk, refused: list[str], changes: int
) -> None:
    """By the newest title, as a process sends it that has not heard the gate: older, as new and another, or newer."""
    change(SITE, [CARD], NOW)
    change(SITE, [LOST], NOW)
    gate = Gate(tmp_path, desk)
    gate.receive(())
    Kept.objects.get().delete()
    for number in range(changes):
        change(SITE, [CARD, Row("revoked", f"{number:016x}", b"")], NOW)
    gate.desk = a_desk(refused)
    later = NOW + AGAIN
    gate.receive([gate.desk.title(SITE, SiteSource(SITE).newest(), later)])
    card = gate.directory.card(UID)
    assert card is not None and not card.lost
    assert gate.road.held().mark == SiteSource(SITE).newest()
    assert refused == []


def test_every_gate_is_told_once_by_a_process_that_has_not_heard_it_and_again_while_it_has_another() -> None:
    mark = change(SITE, [CARD], NOW)
    for name, version in [("n-older", 0), ("n-same", mark.version), ("n-newer", mark.version + 4)]:
        Gate_.objects.create(
            pk=name, admitted=True, site=SITE, said_online=True, last_heard=NOW, directory_version=version
        )
    sent: list[str] = []
    service = DirectoryService(
        Ed25519PrivateKey.generate(), lambda name, _: sent.append(name.split("/")[2]), lambda *_: None
    )
    for at, told in [(NOW, ["n-newer", "n-older", "n-same"]), (NOW, []), (NOW + AGAIN, ["n-newer", "n-older"])]:
        sent.clear()
        service._poke(service._online(at), at)
        assert sorted(sent) == told


def test_a_gate_that_asks_for_the_time_without_end_takes_nobody_elses_answer() -> None:
    told: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    service = DirectoryService(
        Ed25519PrivateKey.generate(),
        lambda name, _: told.update([name.split("/")[2]]),
        lambda gate, _: refused.update([gate]),
    )
    when = encode(When(nonce=bytes(16)))
    service._told_since = time.monotonic() + 3600  # this second never ends
    for _ in range(1000):
        service.tell_time("hostile", when)
    for number in range(TIMES_EACH_S):
        service.tell_time(f"n-{number}", when)
    assert (told["hostile"], refused["hostile"]) == (TIMES_OF_ONE, 1000 - TIMES_OF_ONE)
    assert told.total() == TIMES_EACH_S, "and all of them together stay bounded"
    assert told["n-0"] == told[f"n-{TIMES_EACH_S - TIMES_OF_ONE - 1}"] == 1
