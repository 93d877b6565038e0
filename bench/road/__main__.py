"""The road: a backlog from the gate to the office's commit, against bare paho and thingsboard-gateway; alarms meanwhile.

    python -m bench.road [--visits N] [--rounds N] [--million] [--thingsboard FOLDER|no] [--alarms N] [--folder FOLDER]

Everything in one run on one machine, with the same records (visits of about 800 bytes that don't repeat) and the same broker.

    drain_per_s           visits a second from the whole gate (`menshen gate run`) until the office has committed them in
                          PostgreSQL, by its cursor: from then on it answers for them
    shown_per_s           the same until they stand in the entry log as well
    sqlite_per_s          as drain_per_s, into SQLite
    paho_per_s            bare paho, QoS 1, the same batches made as it goes, until a subscriber has the last one
    paho_ready_per_s      the same with payloads that were there before
    paho_cpu_us, paho_ready_cpu_us    microseconds of processor time a visit, of publisher, broker and subscriber together
    gate_cpu_us, ingest_cpu_us, mosquitto_cpu_us, database_cpu_us    the same of each process of the drain into PostgreSQL
    gate_waits, ingest_waits    share of that drain in which the busiest thread of the two waited for somebody, and not for a core
    thingsboard_per_s     thingsboard-gateway 3.8.5 tuned, until a subscriber has the last record; thingsboard_shipped_per_s
    ratio_paho, ratio_thingsboard    drain_per_s against paho_per_s and thingsboard_per_s, medians over the rounds
    million_per_s, million_shown_per_s, million_ratio_paho    the same of a backlog of 1,000,000, with --million
    alarm_p99_s           from raising an alarm at a gate that drains, to its row in the office's database
    alarm_64kbit_p99_s    the same over a link of 64 kbit/s each way
    gate_rss_mb           the most that the whole gate's process had while it drained the largest backlog of the run
    wire_bytes_per_record bytes on the wire, both ways, TCP's and IP's own included, for a visit of the drain
    live_bytes_per_visit  the same for visits that come one by one, and are sent as they come
    disk_bytes_per_record bytes that the kernel sent to the gate's disk for a record that is committed by itself (bench.wear)
"""

import argparse
import json
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg

from bench import wear
from bench.common import progress, scratch
from bench.ingest import Office, Row, cpu_s, fill, payloads
from bench.journal import visit
from bench.road import thingsboard
from bench.road.live import bring
from bench.road.narrow import Narrow, narrow
from bench.road.sides import Gate, engaged_s, ingest, shown, told, wait_for, waiting_share
from menshen.demo.processes import free_port
from sync.contract.records import encode_body
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.postgres import Postgres, running_postgres

SHIPPED_RECORDS: Final = 2_000  # as shipped it takes long
SLOW_ALARMS_EVERY_S: Final = 1.5
LIVE_VISITS: Final = 200
MILLION: Final = 1_000_000
WORN_VISITS: Final = 1_000


class Offices:
    """Fresh ones, each with a database of its own."""

    def __init__(self, folder: Path, server: Postgres, stack: ExitStack) -> None:
        self._folder, self._server, self._stack, self._made = folder, server, stack, 0

    def postgresql(self) -> Office:
        """One on PostgreSQL."""
        address = self._server.address(self._server.new_database())
        asking = self._stack.enter_context(psycopg.connect(address, autocommit=True))
        return self._office(address, lambda sql: asking.execute(sql.encode()).fetchall())

    def sqlite(self) -> Office:
        """One on SQLite."""
        path = self._folder / f"office-{self._made + 1}" / "office.sqlite3"

        def ask(sql: str) -> Sequence[Row]:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                return connection.execute(sql).fetchall()

        return self._office("", ask)

    def _office(self, address: str, ask: Callable[[str], Sequence[Row]]) -> Office:
        self._made += 1
        return Office(self._folder / f"office-{self._made}", address, ask, 1)


class Drained:
    """One drain of the whole gate: the rates, the gate's memory, and until all was at the office the processor time of each process
    and how long the two ends waited. `server`: the database's process, or 0."""

    def __init__(
        self, folder: Path, office: Office, broker: Mosquitto, journal: Path, records: int, server: int = 0
    ) -> None:
        gate = Gate(folder, broker.port, journal)
        with ingest(office, folder, broker.port) as ingest_pid, gate.running():
            begun = wait_for("the office hears of the gate", lambda: told(office) > 0)
            at_first = told(office)
            pids = {"gate": gate.pid, "ingest": ingest_pid, "mosquitto": broker.pid, "database": server}
            before = {name: cpu_s(pid) for name, pid in pids.items()}
            engaged = {name: engaged_s(pids[name]) for name in ("gate", "ingest")}
            there = wait_for("all is at the office", lambda: told(office) >= records)
            spent = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
            waits = {name: waiting_share(each, engaged_s(pids[name]), there - begun) for name, each in engaged.items()}
            seen = wait_for("all is in the entry log", lambda: shown(office) >= records)
        entries = int(office.ask("SELECT count(*) FROM entries_entry")[0][0])
        assert entries == records - 1, f"{entries} visits in the entry log of {records - 1}"
        self.per_s = (records - at_first) / (there - begun)
        self.shown_per_s = (records - at_first) / (seen - begun)
        self.rss_mb = gate.rss_mb
        self.cpu_us = {f"{name}_cpu_us": each / (records - at_first) * 1e6 for name, each in spent.items()}
        self.waits = {f"{name}_waits": share for name, share in waits.items()}


def bare_per_s(broker: Mosquitto, journal: Path, visits: int, batches: int, mode: str) -> tuple[float, float]:
    """Visits a second of bare paho; and microseconds of processor time a visit, of all three processes."""
    command = [sys.executable, "-m", "bench.road.bare"]
    receiver = subprocess.Popen(
        [*command, "receive", str(broker.port), str(batches)], stdout=subprocess.PIPE, text=True
    )
    assert receiver.stdout is not None
    receiver.stdout.readline()
    sender = subprocess.Popen([*command, mode, str(broker.port), str(journal)], stdout=subprocess.PIPE, text=True)
    assert sender.stdout is not None
    begun, before = float(sender.stdout.readline()), cpu_s(broker.pid)
    ended, received_s = map(float, receiver.stdout.readline().split())
    sent_s, broker_s = float(sender.stdout.readline()), cpu_s(broker.pid) - before
    sender.wait(60)
    receiver.wait(60)
    return visits / (ended - begun), (sent_s + received_s + broker_s) / visits * 1e6


class Alarms:
    """Alarms of a gate that drains, and how long each took to the office's database."""

    def __init__(
        self, office: Office, folder: Path, broker: Mosquitto, journal: Path, *, count: int, every_s: float,
        link: Narrow | None = None, port: int = 0,
    ) -> None:  # fmt: skip
        folder.mkdir()
        shutil.copy(journal, folder / "journal.sqlite")
        records = self._records(journal)
        where = [str(port or broker.port), str(folder / "journal.sqlite"), str(every_s), str(count)]
        before, host = ([], []) if link is None else (list(link.command), [link.host])
        command = [*before, sys.executable, "-m", "bench.road.alarms", *where, *host]
        self.delays_s: list[float] = []
        self.while_draining = 0  # alarms that came before the backlog was through
        with ingest(office, folder, broker.port):
            gate = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
            assert gate.stdout is not None
            assert gate.stdin is not None
            try:
                for line in gate.stdout:
                    name, moment = line.split()
                    if name == "end":
                        break
                    self.delays_s.append(self._arrived(office, name) - float(moment))
                    self.while_draining += told(office) < records
            finally:
                gate.stdin.close()
                gate.wait(60)

    def _arrived(self, office: Office, name: str) -> float:
        sql = f"SELECT count(*) FROM alarms_alarm WHERE id = '{name}'"  # noqa: S608  hexadecimal digits of our own
        return wait_for("an alarm is at the office", lambda: bool(office.ask(sql)[0][0]))

    @staticmethod
    def _records(journal: Path) -> int:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT max(seq) FROM records").fetchone()[0])

    @property
    def p99_s(self) -> float:
        """The 99th percentile, the worst of fewer than a hundred."""
        ordered = sorted(self.delays_s)
        return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def on_the_wire(office: Office, folder: Path, journal: Path, records: int, live: int) -> tuple[float, float]:
    """Bytes both ways for a record of a drain; and for a visit of those that come one by one."""
    folder.mkdir()
    with (
        narrow("menshen-wire", None) as link,
        broker_at(folder, link.host) as (broker, port),
        ingest(office, folder, broker.port),
        bring(link, port, journal) as visits,
    ):
        before = link.bytes_both_ways()
        wait_for("all is at the office", lambda: told(office) >= records)
        drained = link.bytes_both_ways() - before
        before = link.bytes_both_ways()
        visits(live)
        wait_for("the live visits are at the office", lambda: told(office) >= records + live)
        return drained / records, (link.bytes_both_ways() - before) / live


@contextmanager
def broker_at(folder: Path, host: str) -> Iterator[tuple[Mosquitto, int]]:
    """A broker that also listens at `host`, and its port there."""
    port = free_port()
    below = folder / "broker"
    below.mkdir()
    with running_mosquitto(below, f"allow_anonymous true\nlistener {port} {host}\nallow_anonymous true\n") as broker:
        yield broker, port


class Road:
    """Every side, in a folder, with what was measured."""

    def __init__(self, folder: Path, arguments: argparse.Namespace, stack: ExitStack) -> None:
        self._folder, self._visits, self._alarms = folder, arguments.visits, arguments.alarms
        self.figures: dict[str, list[float]] = {}
        self._journal = folder / "journal.db"
        fill(self._journal, self._visits, 1)
        self._largest, self._records = self._journal, self._visits + 1
        (folder / "broker").mkdir()
        self._broker = stack.enter_context(running_mosquitto(folder / "broker"))
        self._server = stack.enter_context(running_postgres((), folder))
        self._offices = Offices(folder, self._server, stack)
        self._python: Path | None = None

    def note(self, name: str, value: float) -> None:
        """One more of these; shown as it comes."""
        self.figures.setdefault(name, []).append(value)
        print(f"{name}: {value:,.3f}", file=sys.stderr)

    def with_thingsboard(self, environment: Path) -> None:
        """Make its environment, and its storage with the same visits."""
        self._python = thingsboard.environment(environment.absolute())
        for name, count in (("tb", self._visits), ("tb-few", SHIPPED_RECORDS)):
            chance = random.Random(1)
            bodies = (encode_body(visit(number, chance)) for number in range(count))
            thingsboard.fill(self._python, self._folder / name, bodies)

    def bare(self) -> None:
        """Bare paho, both ways."""
        batches = len(payloads(self._journal))
        for name, mode in (("paho_per_s", "made"), ("paho_ready_per_s", "ready")):
            rate, cpu_us = bare_per_s(self._broker, self._journal, self._visits, batches, mode)
            self.note(name, rate)
            self.note(name.replace("per_s", "cpu_us"), cpu_us)

    def drain(self, number: int) -> None:
        """Into both databases."""
        below, office = self._below(f"gate-{number}"), self._offices.postgresql()
        drained = Drained(below, office, self._broker, self._journal, self._records, self._server.pid)
        for name, value in (drained.cpu_us | drained.waits).items():
            self.note(name, value)
        self.note("drain_per_s", drained.per_s)
        self.note("shown_per_s", drained.shown_per_s)
        self.note("gate_rss_mb", drained.rss_mb)
        lite = Drained(
            self._below(f"gate-lite-{number}"), self._offices.sqlite(), self._broker, self._journal, self._records
        )
        self.note("sqlite_per_s", lite.per_s)

    def thingsboard(self, number: int, *, tuned: bool) -> None:
        """thingsboard-gateway, where it is wanted."""
        if self._python is None:
            return
        below = self._below(f"thingsboard-{number}-{tuned}")
        below.mkdir()
        storage, count = (self._folder / "tb", self._visits) if tuned else (self._folder / "tb-few", SHIPPED_RECORDS)
        rate = thingsboard.drain_per_s(self._python, below, storage, self._broker.port, count, tuned=tuned)
        self.note("thingsboard_per_s" if tuned else "thingsboard_shipped_per_s", rate)

    def million(self) -> None:
        """A backlog of a million."""
        self._largest = self._below("million") / "journal.db"  # beside another journal it would offer that one too
        self._largest.parent.mkdir()
        fill(self._largest, MILLION, 2)
        office = self._offices.postgresql()
        drained = Drained(self._below("gate-million"), office, self._broker, self._largest, MILLION + 1)
        rate, _ = bare_per_s(self._broker, self._largest, MILLION, len(payloads(self._largest)), "made")
        self.note("million_per_s", drained.per_s)
        self.note("million_ratio_paho", drained.per_s / rate)
        self.note("million_shown_per_s", drained.shown_per_s)
        self.figures["gate_rss_mb"] = [drained.rss_mb]

    def alarms(self) -> None:
        """While the largest backlog drains; and over a slow link."""
        office = self._offices.postgresql()
        fast = Alarms(office, self._below("alarms"), self._broker, self._largest, count=self._alarms, every_s=0.1)
        self.note("alarm_p99_s", fast.p99_s)
        self.note("alarms_while_draining", fast.while_draining)
        below = self._below("slow")
        below.mkdir()
        with narrow("menshen-slow", "64kbit") as link, broker_at(below, link.host) as (broker, port):
            office, count = self._offices.postgresql(), max(self._alarms // 2, 2)
            slow = Alarms(
                office,
                below / "gate",
                broker,
                self._journal,
                count=count,
                every_s=SLOW_ALARMS_EVERY_S,
                link=link,
                port=port,
            )
        self.note("alarm_64kbit_p99_s", slow.p99_s)

    def wire(self) -> None:
        """Bytes on the wire."""
        office = self._offices.postgresql()
        drained, live = on_the_wire(office, self._below("wire"), self._journal, self._records, LIVE_VISITS)
        self.note("wire_bytes_per_record", drained)
        self.note("live_bytes_per_visit", live)

    def result(self) -> dict[str, float]:
        """Medians over the rounds, and the ratios of what was measured beside each other."""
        found = {name: statistics.median(values) for name, values in self.figures.items()}
        for name, other in (("ratio_paho", "paho_per_s"), ("ratio_thingsboard", "thingsboard_per_s")):
            if other in self.figures:
                pairs = zip(self.figures["drain_per_s"], self.figures[other], strict=True)
                found[name] = statistics.median(mine / theirs for mine, theirs in pairs)
        return {name: round(value, 3) for name, value in found.items()}

    def _below(self, name: str) -> Path:
        return self._folder / name


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Every side, in `folder`."""
    with ExitStack() as stack:
        road = Road(folder, arguments, stack)
        if arguments.thingsboard != "no":
            road.with_thingsboard(Path(arguments.thingsboard))
        for number in progress(range(arguments.rounds), "rounds"):
            road.bare()
            road.drain(number)
            road.thingsboard(number, tuned=True)
        road.thingsboard(0, tuned=False)
        if arguments.million:
            road.million()
        road.alarms()
        road.wire()
        worn = wear.measure(folder, WORN_VISITS)
        road.note("disk_bytes_per_record", worn["disk_bytes_per_record"])
        return road.result() | {"visits": arguments.visits}


def main() -> None:
    """Measure, and print the result as the last line."""
    parser = argparse.ArgumentParser(description="The road, against bare paho and thingsboard-gateway.")
    parser.add_argument("--visits", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true", help="also a backlog of 1,000,000 visits")
    parser.add_argument(
        "--thingsboard", default="var/thingsboard", help="where its environment is made; `no`: without it"
    )
    parser.add_argument("--alarms", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=Path("var/bench"), help="where to write; not a tmpfs")
    arguments = parser.parse_args()
    folder = scratch("road", arguments.folder).absolute()
    folder.chmod(0o755)  # the server runs as another user, in a folder of its own below
    begun = time.monotonic()
    try:
        result = measure(folder, arguments)
        print(json.dumps(result | {"took_s": round(time.monotonic() - begun)}))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
