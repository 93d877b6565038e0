"""Links that break in every way that TCP knows: half-open, cut, late, and a broker that accepts and never answers."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.faults.rounds.kills import no_broker, some_plan
from tests.faults.rounds.kinds import Found, Kind, Kinds
from tests.faults.rounds.site import Plan, Site
from tests.mosquitto import Mosquitto
from tests.proxy import Proxy


class Proxied:
    """A road with a proxy on either side of the broker."""

    def __init__(self, broker: Mosquitto) -> None:
        self.gates, self.office = Proxy(broker.port), Proxy(broker.port)

    def to_gates(self) -> tuple[str, int, Sequence[str]]:
        """Host, port, and the beginning of the command."""
        return self.gates.host, self.gates.port, ()

    def to_office(self) -> tuple[str, int, Sequence[str]]:
        """The same for ingest."""
        return self.office.host, self.office.port, ()

    def close(self) -> None:
        """End both."""
        self.gates.close()
        self.office.close()


@contextmanager
def proxied(folder: Path, chance: random.Random, plan: Plan) -> Iterator[tuple[Site, Proxied]]:
    """A site on such a road, with everything started."""
    with Site(folder, chance, plan) as site:
        assert isinstance(site.broker, Mosquitto)
        road = Proxied(site.broker)
        site.road = road
        try:
            site.start("broker", "ingest", "gates")
            yield site, road
        finally:
            road.close()


# half-open


def half_open(chance: random.Random, folder: Path) -> Found:
    """What is open stays open, takes everything, and hands nothing on: once or twice, on either side or both."""
    with proxied(folder, chance, some_plan(chance)) as (site, road):
        for _ in range(chance.randint(1, 2)):
            site.flow()
            sides = (road.gates, road.office)
            for side in chance.sample(sides, chance.choice((1, 1, 2))):
                side.silence()
            site.pass_time(chance.uniform(0.2, 1.5))
            site.flow()  # when it was noticed, and a new link stands
        return site.judged()


def half_open_control(chance: random.Random, folder: Path) -> Found:
    """Between the broker and the office, where the broker goes on confirming what the gate sends."""
    plan = Plan(without="acknowledgement", rate=120.0, limit_s=12.0)
    with proxied(folder, chance, plan) as (site, road):
        site.flow()
        road.office.silence()
        site.flow()
        site.pass_time(1.0)
        return site.judged()


# cut, and late


def cut_and_late(chance: random.Random, folder: Path) -> Found:
    """Cut three to six times, while everything comes up to 0.3 s late."""
    return _cut(chance, folder, some_plan(chance))


def cut_control(chance: random.Random, folder: Path) -> Found:
    """The same with the cursor off on both ends."""
    return _cut(chance, folder, Plan(without="cursor", rate=120.0, limit_s=12.0))


def _cut(chance: random.Random, folder: Path, plan: Plan) -> Found:
    with proxied(folder, chance, plan) as (site, road):
        for _ in range(chance.randint(3, 6)):
            site.flow()
            for side in (road.gates, road.office):
                side.delay_s = chance.choice((0.0, 0.0, chance.uniform(0, 0.3)))
            site.pass_time(chance.uniform(0, 0.3))
            chance.choice((road.gates, road.office)).cut()
            if chance.random() < 0.2:
                site.pass_time(chance.uniform(0, 0.1))
                road.gates.cut()
                road.office.cut()
        site.flow()
        road.gates.delay_s = road.office.delay_s = 0.0
        return site.judged()


# a broker that never answers


class Mute:
    """Accepts on a port, reads, and never says a word. What it has accepted stays open until `close`."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Accept no more: somebody else may listen."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def close(self) -> None:
        """Close what was accepted."""
        for each in self._accepted:
            each.close()

    @property
    def accepted(self) -> int:
        """How many connections it has swallowed."""
        return len(self._accepted)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._accepted.append(self._listener.accept()[0])


def mute(chance: random.Random, folder: Path) -> Found:
    """The broker is killed, and in its place one that accepts and never answers; then it comes back."""
    return _mute(chance, folder, replace(some_plan(chance), rate=15.0))


def mute_control(chance: random.Random, folder: Path) -> Found:
    """The same with links that wait for an answer for ever."""
    return _mute(chance, folder, Plan(without="deadline", rate=15.0, limit_s=8.0))


def _mute(chance: random.Random, folder: Path, plan: Plan) -> Found:
    with Site(folder, chance, plan) as site:
        assert isinstance(site.broker, Mosquitto)
        site.start("broker", "ingest", "gates")
        site.flow()
        site.kill("broker")
        broker = Mute(site.broker.port)
        try:
            site.wait_until("somebody fell for it", lambda: broker.accepted > 0)
            site.pass_time(chance.uniform(0.2, 2.0))
            broker.leave()
            site.start("broker")
            return site.judged()
        finally:
            broker.leave()
            broker.close()


KINDS: Kinds = (
    Kind(
        "half-open", half_open, half_open_control,
        "the office's acknowledgement: the gate deletes on the broker's PUBACK", no_broker, weight=3,
    ),
    Kind(
        "cut-and-late", cut_and_late, cut_control,
        "the cursor: the gate goes on after what it sent last, the office takes a batch wherever it begins",
        no_broker, weight=2,
    ),
    Kind(
        "mute-broker", mute, mute_control, "the deadlines: neither a limit for the broker's answer nor a keep-alive",
        no_broker, weight=2,
    ),
)  # fmt: skip
