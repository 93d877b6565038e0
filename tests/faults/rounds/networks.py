"""Networks as they are, in namespaces of the round's own: narrow (tbf), lossy (nftables), parted and whole again.

┌ namespace a ────────┐            ┌ namespace b ┐
│ broker, one side    │ ── veth ── │ other side  │        the other side is the gates, or ingest
└─────────────────────┘            └─────────────┘
"""

import itertools
import os
import random
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from menshen.demo.processes import Child
from tests.faults.rounds.kills import no_broker
from tests.faults.rounds.kinds import Found, Kind, Kinds
from tests.faults.rounds.site import Plan, Site
from tests.mosquitto import program

HOST: Final = "10.213.7.1"  # of namespace a, seen by nobody but b
PORT: Final = 1883
START_S: Final = 15.0
KBIT: Final = (10, 16, 32, 64)
TIMES: Final = 5.0  # the waits are shortened less: answers take their time here
RECORDS: Final = 12  # at 10 kbit/s three of them take a second
_NUMBERS: Final = itertools.count()


class Wire:
    """Two namespaces and the veth between them. Needs root."""

    def __init__(self) -> None:
        mark = f"{os.getpid()}-{next(_NUMBERS)}"
        self.a, self.b = f"menshen-a-{mark}", f"menshen-b-{mark}"
        for name in (self.a, self.b):
            _run("ip", "netns", "add", name)
            self._in(name, "ip", "link", "set", "lo", "up")
        self._in(self.a, "ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", self.b)
        for name, address in ((self.a, HOST), (self.b, "10.213.7.2")):
            self._in(name, "ip", "address", "add", f"{address}/24", "dev", "wire")
            self._in(name, "ip", "link", "set", "wire", "up")

    @staticmethod
    def prefix(namespace: str) -> list[str]:
        """The beginning of a command that is to run there."""
        return ["ip", "netns", "exec", namespace]

    def narrow(self, kbit: int) -> None:
        """So many bits a second, in each direction; what would wait longer than a second is dropped."""
        for name in (self.a, self.b):
            self._in(name, "tc", "qdisc", "replace", "dev", "wire", "root", "tbf",
                     "rate", f"{kbit}kbit", "burst", "2k", "latency", "1s")  # fmt: skip

    def lose(self, percent: int) -> None:
        """Drop so many packets that arrive, by chance, in each direction; 100 parts the network, 0 heals it."""
        some = f"numgen random mod 100 < {percent}" if percent < 100 else ""
        rule = f"add rule inet wire in iifname wire {some} drop\n" if percent else ""
        rules = (
            "add table inet wire\n"
            "delete table inet wire\n"
            "add table inet wire\n"
            "add chain inet wire in { type filter hook input priority 0; }\n" + rule
        )
        for name in (self.a, self.b):
            subprocess.run([*self.prefix(name), "nft", "-f", "-"], input=rules, text=True, check=True)

    def remove(self) -> None:
        """Both namespaces; the veth goes with them. Nothing must run there any more."""
        for name in (self.a, self.b):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def _in(self, namespace: str, *command: str) -> None:
        _run(*self.prefix(namespace), *command)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"


@cache
def no_namespaces() -> str:
    """Why there are none here, "" where there are."""
    if trouble := no_broker():
        return trouble
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    missing = [tool for tool in ("ip", "tc", "nft") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)}: not installed (make test installs iproute2 and nftables, as root)"
    try:
        wire = Wire()
    except AssertionError as error:
        return str(error)
    try:
        wire.narrow(64)
        wire.lose(20)
    except (AssertionError, subprocess.CalledProcessError) as error:
        return f"the kernel does not do it: {error}"
    finally:
        wire.remove()
    return ""


class BrokerThere:
    """A mosquitto in namespace a."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        self._config, self._log = folder / "mosquitto.conf", folder / "mosquitto.log"
        self._config.write_text(
            f"user root\nlistener {PORT}\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
        )
        command = program("mosquitto")
        assert command, "mosquitto is not installed"
        self._command = [*wire.prefix(wire.a), command, "-c", str(self._config)]
        # asked from within: nobody else reaches it
        self._asks = [*wire.prefix(wire.a), sys.executable, "-c",
                      f"import socket; socket.create_connection(('127.0.0.1', {PORT}), timeout=1)"]  # fmt: skip
        self._child: Child | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._child = Child("broker", self._command, self._log)
        deadline = time.monotonic() + START_S
        while subprocess.run(self._asks, check=False, capture_output=True).returncode:
            assert time.monotonic() < deadline, f"mosquitto does not listen: {self._child.tail()}"
            select.select([], [], [], 0.05)

    def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            self._child.process.kill()
            self._child.process.wait()

    def stop(self) -> None:
        """SIGTERM."""
        if self._child is not None:
            self._child.stop()


class Across:
    """The gates are in namespace b, or ingest is; all else is in a."""

    def __init__(self, wire: Wire, *, gates_are_away: bool) -> None:
        self._wire, self._gates_are_away = wire, gates_are_away

    def to_gates(self) -> tuple[str, int, Sequence[str]]:
        """Host, port, and the beginning of the command."""
        return self._side(away=self._gates_are_away)

    def to_office(self) -> tuple[str, int, Sequence[str]]:
        """The same for ingest."""
        return self._side(away=not self._gates_are_away)

    def _side(self, *, away: bool) -> tuple[str, int, Sequence[str]]:
        namespace = self._wire.b if away else self._wire.a
        return HOST if away else "127.0.0.1", PORT, self._wire.prefix(namespace)


@contextmanager
def across(folder: Path, chance: random.Random, plan: Plan, *, gates_are_away: bool) -> Iterator[tuple[Site, Wire]]:
    """A site with a wire in it, and everything started."""
    wire = Wire()
    try:
        with Site(folder, chance, plan) as site:
            site.broker = BrokerThere(folder.absolute(), wire)
            site.road = Across(wire, gates_are_away=gates_are_away)
            site.start("broker", "ingest", "gates")
            yield site, wire
    finally:
        wire.remove()


def _plan(chance: random.Random, rate: float) -> Plan:
    return Plan(trims=chance.random() < 0.5, rate=rate, times=TIMES, limit_s=90.0)


def _hush(site: Site) -> None:
    """No more records: a narrow link carries those that there are."""
    for gate in site.gates:
        (gate.folder / "quiet").touch()


def narrow(chance: random.Random, folder: Path) -> Found:
    """10 to 64 kbit/s in each direction."""
    with across(folder, chance, _plan(chance, 10.0), gates_are_away=chance.random() < 0.7) as (site, wire):
        site.arrive()
        wire.narrow(chance.choice(KBIT))
        site.write(RECORDS, 2 * RECORDS)
        _hush(site)
        return site.judged()


def lossy(chance: random.Random, folder: Path) -> Found:
    """20 % of the packets are lost in each direction."""
    with across(folder, chance, _plan(chance, 20.0), gates_are_away=chance.random() < 0.5) as (site, wire):
        site.arrive()
        wire.lose(20)
        site.write(3 * RECORDS, 6 * RECORDS)
        _hush(site)
        return site.judged()


def parted(chance: random.Random, folder: Path) -> Found:
    """Nothing gets through, for a while, once or twice: shorter than anybody notices, or longer."""
    return _parted(chance, folder, _plan(chance, 30.0), gates_are_away=chance.random() < 0.5)


def _parted(chance: random.Random, folder: Path, plan: Plan, *, gates_are_away: bool) -> Found:
    with across(folder, chance, plan, gates_are_away=gates_are_away) as (site, wire):
        for _ in range(1 if plan.without else chance.randint(1, 2)):
            site.flow()
            wire.lose(100)
            site.write()
            site.pass_time(8.0 if plan.without else chance.choice((0.5, 2.0, 5.0)))
            wire.lose(0)
            site.flow()
        return site.judged()


def parted_control(chance: random.Random, folder: Path) -> Found:
    """Between the broker and the office, longer than the broker keeps what it has confirmed."""
    plan = Plan(without="acknowledgement", rate=60.0, limit_s=20.0)
    return _parted(chance, folder, plan, gates_are_away=False)


_PUBACK: Final = "the office's acknowledgement: the gate deletes on the broker's PUBACK"

KINDS: Kinds = (
    Kind("narrow-network", narrow, parted_control, _PUBACK, no_namespaces),
    Kind("lossy-network", lossy, parted_control, _PUBACK, no_namespaces),
    Kind("parted-network", parted, parted_control, _PUBACK, no_namespaces, weight=2),
)
