"""From the office's database to a gate's file: asked for, pushed, past an office that was put back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.directory.desk import AGAIN, Desk
from central.directory.models import Directory as Kept
from central.directory.store import SiteSource, change
from gateway.directory import Directory
from gateway.directory_road import DirectoryRoad
from sync.log.follower import Follower, Send
from sync.log.keyed import NOTHING, Row
from tests.sync.following import sealed, verified

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
        self.now = 0
        self.follower.connected(0)

    def receive(self, payloads: Sequence[bytes]) -> None:
        """They come, and what is due is asked for."""
        waiting = list(payloads)
        while waiting or ((due := self.follower.deadline()) is not None and due <= self.now):
            actions = self.follower.received(waiting.pop(0), self.now) if waiting else self.follower.poll(self.now)
            for left in self.road.carry_out(actions, self.follower, now=self.now, received_s=1):
                assert isinstance(left, Send)
                waiting += self.desk.hear(GATE, SITE, left.payload, NOW)

    def push(self) -> int:
        """What the office tells unasked. Returns how many messages that were."""
        told = list(self.desk.news(NOW))
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
    return Desk(seal=sealed, verify=verified, refuse=lambda gate, reason: refused.append(f"{gate}: {reason}"))


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


def test_a_gate_of_another_site_and_noise_are_told_and_not_answered(
    tmp_path: Path, desk: Desk, refused: list[str]
) -> None:
    change(SITE, [CARD], NOW)
    gate = Gate(tmp_path, desk, site="south")
    gate.receive(())
    assert desk.hear(GATE, SITE, b"noise", NOW) == ()
    assert len(refused) == 2 and "'south'" in refused[0] and "zlib" in refused[1]
    assert gate.directory.version == 0
