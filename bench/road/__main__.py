"""The road: a backlog from the gate to the office's commit, against bare paho and thingsboard-gateway; alarms meanwhile.

    python -m bench.road [--visits N] [--rounds N] [--million] [--thingsboard FOLDER|no] [--alarms N] [--folder FOLDER]

Everything in one run on one machine, with the same records (visits of about 800 bytes that don't repeat) and the same broker.

    drain_per_s           visits a second from the whole gate (`menshen gate run`) until the office has committed them in
                          PostgreSQL, by its cursor: from then on it answers for them
    shown_per_s           the same until they stand in the entry log as well
    sqlite_per_s          as drain_per_s, into SQLite
    paho_per_s            bare paho, QoS 1, the same batches made as it goes, until a subscriber has the last one
    paho_ready_per_s      the same with payloads that were there before
    thingsboard_per_s     thingsboard-gateway 3.8.5 tuned, until a subscriber has the last record; thingsboard_shipped_per_s
    ratio_paho, ratio_thingsboard    drain_per_s against paho_per_s and thingsboard_per_s, medians over the rounds
    alarm_p99_s           from raising an alarm at a gate that drains, to its row in the office's database
    alarm_64kbit_p99_s    the same over a link of 64 kbit/s each way
    gate_rss_mb           the most that the whole gate's process had while it drained the largest backlog of the run
    wire_bytes_per_record bytes on the wire, both ways, TCP's and IP's own included, for a visit of the drain
    live_bytes_per_visit  the same for visits that come one by one, and are sent as they come
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.common import progress, scratch
from bench.ingest import Office, Row, fill, payloads
from bench.journal import visit
from bench.road import thingsboard
from bench.road.narrow import Narrow, narrow
from bench.road.sides import Gate, ingest, shown, told, wait_for
from sync.contract.records import encode_body
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.postgres import Postgres, running_postgres

SHIPPED_RECORDS: Final = 2_000  # as shipped it takes long
SLOW_ALARMS_EVERY_S: Final = 1.5
LIVE_VISITS: Final = 200


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
        import sqlite3

        path = self._folder / f"office-{self._made + 1}" / "office.sqlite3"

        def ask(sql: str) -> Sequence[Row]:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
                return connection.execute(sql).fetchall()

        return self._office("", ask)

    def _office(self, address: str, ask: Callable[[str], Sequence[Row]]) -> Office:
        self._made += 1
        return Office(self._folder / f"office-{self._made}", address, ask, 1)


class Drained:
    """One drain of the whole gate: the rates, and the gate's memory."""

    def __init__(self, folder: Path, office: Office, broker: Mosquitto, journal: Path, records: int) -> None:
        gate = Gate(folder, broker.port, journal)
        with ingest(office, folder, broker.port), gate.running():
            begun = wait_for("the office hears of the gate", lambda: told(office) > 0)
            at_first = told(office)
            there = wait_for("all is at the office", lambda: told(office) >= records)
            seen = wait_for("all is in the entry log", lambda: shown(office) >= records)
        entries = int(office.ask("SELECT count(*) FROM entries_entry")[0][0])
        assert entries == records - 1, f"{entries} visits in the entry log of {records - 1}"
        self.per_s = (records - at_first) / (there - begun)
        self.shown_per_s = (records - at_first) / (seen - begun)
        self.rss_mb = gate.rss_mb


def bare_per_s(broker: Mosquitto, journal: Path, visits: int, batches: int, mode: str) -> float:
    """Visits a second of bare paho."""
    command = [sys.executable, "-m", "bench.road.bare"]
    receiver = subprocess.Popen(
        [*command, "receive", str(broker.port), str(batches)], stdout=subprocess.PIPE, text=True
    )
    assert receiver.stdout is not None
    receiver.stdout.readline()
    sender = subprocess.Popen([*command, mode, str(broker.port), str(journal)], stdout=subprocess.PIPE, text=True)
    assert sender.stdout is not None
    begun, ended = float(sender.stdout.readline()), float(receiver.stdout.readline())
    sender.wait(60)
    receiver.wait(60)
    return visits / (ended - begun)


class Alarms:
    """Alarms of a gate that drains, and how long each took to the office's database."""

    def __init__(
        self, office: Office, folder: Path, broker: Mosquitto, journal: Path, *, count: int, every_s: float,
        link: Narrow | None = None, port: int = 0,
    ) -> None:  # fmt: skip
        folder.mkdir()
        shutil.copy(journal, folder / "journal.sqlite")
        where = [str(port or broker.port), str(folder / "journal.sqlite"), str(every_s), str(count)]
        before, host = ([], []) if link is None else (list(link.command), [link.host])
        command = [*before, sys.executable, "-m", "bench.road.alarms", *where, *host]
        self.delays_s: list[float] = []
        with ingest(office, folder, broker.port):
            gate = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
            assert gate.stdout is not None
            assert gate.stdin is not None
            try:
                for line in gate.stdout:
                    name, moment = line.split()
                    if name == "end":
                        self.acknowledged = int(moment)
                        break
                    self.delays_s.append(self._arrived(office, name) - float(moment))
                self.backlog_left = self._head(folder) - self.acknowledged
            finally:
                gate.stdin.close()
                gate.wait(60)

    def _arrived(self, office: Office, name: str) -> float:
        sql = f"SELECT count(*) FROM alarms_alarm WHERE id = '{name}'"  # noqa: S608  hexadecimal digits of our own
        return wait_for("an alarm is at the office", lambda: bool(office.ask(sql)[0][0]))

    @staticmethod
    def _head(folder: Path) -> int:
        import sqlite3

        with sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT max(seq) FROM records").fetchone()[0])

    @property
    def p99_s(self) -> float:
        """The 99th percentile, the worst of fewer than a hundred."""
        ordered = sorted(self.delays_s)
        return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def on_the_wire(office: Office, folder: Path, journal: Path, records: int, live: int) -> tuple[float, float]:
    """Bytes both ways for a record of a drain; and for a visit of those that come one by one."""
    from bench.road.live import bring

    with narrow("menshen-wire", None) as link:
        with _broker_on(folder, link.host) as (broker, port), ingest(office, folder, broker.port):
            before = link.bytes_both_ways()
            with bring(link, port, journal, 0) as done:
                wait_for("all is at the office", lambda: told(office) >= records)
                drained = link.bytes_both_ways() - before
                before = link.bytes_both_ways()
                done(live)
                wait_for("the live visits are at the office", lambda: told(office) >= records + live)
                return drained / records, (link.bytes_both_ways() - before) / live


def _broker_on(folder: Path, host: str) -> Any:
    """A broker that also listens at `host`: (broker, its port there)."""
    from contextlib import contextmanager

    from menshen.demo.processes import free_port

    @contextmanager
    def both() -> Any:
        port = free_port()
        below = folder / "broker-too"
        below.mkdir()
        with running_mosquitto(
            below, f"allow_anonymous true\nlistener {port} {host}\nallow_anonymous true\n"
        ) as broker:
            yield broker, port

    return both()


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Every side, in `folder`."""
    visits, figures = arguments.visits, {}
    journal = folder / "journal.db"
    fill(journal, visits, 1)
    batches = len(payloads(journal))
    (folder / "broker").mkdir()
    sides: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        sides.setdefault(name, []).append(value)
        print(f"{name}: {value:,.1f}", file=sys.stderr)

    with ExitStack() as stack:
        broker = stack.enter_context(running_mosquitto(folder / "broker"))
        server = stack.enter_context(running_postgres((), folder))
        offices = Offices(folder, server, stack)
        python = (
            None if arguments.thingsboard == "no" else thingsboard.environment(Path(arguments.thingsboard).absolute())
        )
        if python is not None:
            chance = __import__("random").Random(1)
            thingsboard.fill(python, folder / "tb", (encode_body(visit(n, chance)) for n in range(visits)))
            chance = __import__("random").Random(1)
            few = (encode_body(visit(n, chance)) for n in range(SHIPPED_RECORDS))
            thingsboard.fill(python, folder / "tb-few", few)
        for number in progress(range(arguments.rounds), "rounds"):
            note("paho_per_s", bare_per_s(broker, journal, visits, batches, "made"))
            note("paho_ready_per_s", bare_per_s(broker, journal, visits, batches, "ready"))
            drained = Drained(folder / f"gate-{number}", offices.postgresql(), broker, journal, visits + 1)
            note("drain_per_s", drained.per_s)
            note("shown_per_s", drained.shown_per_s)
            note("gate_rss_mb", drained.rss_mb)
            lite = Drained(folder / f"gate-lite-{number}", offices.sqlite(), broker, journal, visits + 1)
            note("sqlite_per_s", lite.per_s)
            if python is not None:
                below = folder / f"tb-{number}"
                below.mkdir()
                rate = thingsboard.drain_per_s(python, below, folder / "tb", broker.port, visits, tuned=True)
                note("thingsboard_per_s", rate)
        if python is not None:
            (folder / "tb-shipped").mkdir()
            rate = thingsboard.drain_per_s(
                python, folder / "tb-shipped", folder / "tb-few", broker.port, SHIPPED_RECORDS, tuned=False
            )
            note("thingsboard_shipped_per_s", rate)
        largest = journal
        if arguments.million:
            largest = folder / "million.db"
            fill(largest, 1_000_000, 2)
            drained = Drained(folder / "gate-million", offices.postgresql(), broker, largest, 1_000_001)
            note("million_per_s", drained.per_s)
            note("million_shown_per_s", drained.shown_per_s)
            sides["gate_rss_mb"] = [drained.rss_mb]
        alarms = Alarms(
            offices.postgresql(), folder / "alarms", broker, largest, count=arguments.alarms, every_s=0.1
        )  # fmt: skip
        note("alarm_p99_s", alarms.p99_s)
        figures["alarm_backlog_left"] = alarms.backlog_left
        with narrow("menshen-slow", "64kbit") as link:
            below = folder / "slow"
            below.mkdir()
            with _broker_on(below, link.host) as (slow, port):
                alarms = Alarms(
                    offices.postgresql(), folder / "alarms-slow", slow, journal, count=max(arguments.alarms // 2, 2),
                    every_s=SLOW_ALARMS_EVERY_S, link=link, port=port,
                )  # fmt: skip
        note("alarm_64kbit_p99_s", alarms.p99_s)
        below = folder / "wire"
        below.mkdir()
        wire, live = on_the_wire(offices.postgresql(), below, journal, visits + 1, LIVE_VISITS)
        note("wire_bytes_per_record", wire)
        note("live_bytes_per_visit", live)
    medians = {name: statistics.median(values) for name, values in sides.items()}
    ratios = {"ratio_paho": _ratio(sides, "paho_per_s")}
    if "thingsboard_per_s" in sides:
        ratios["ratio_thingsboard"] = _ratio(sides, "thingsboard_per_s")
    return {**{name: round(value, 3) for name, value in (medians | ratios).items()}, **figures, "visits": visits}


def _ratio(sides: dict[str, list[float]], other: str) -> float:
    pairs = zip(sides["drain_per_s"], sides[other], strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)


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
