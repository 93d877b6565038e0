"""The drain of a backlog, counted at the office's commit: gate → mosquitto → ingest → database, against bare COPY.

    python -m bench.ingest [--visits N] [--gates N] [--processes N] [--rounds N] [--folder FOLDER]

A gate is a process with the real journal, uplink and link; the ingest is `menshen office ingest`. Bodies are those of
bench.journal (about 800 bytes of JSON that don't repeat), whose visits each make a record and a row of the entry log. The
clock runs from the moment when the gates begin to connect until every record stands in its table, with its row of the entry log.

    postgresql_per_s      visits a second into PostgreSQL, with one ingest process or as many as asked for
    ratio_copy            the same against bare COPY: psycopg alone copies the very rows that came out, into tables with the
                          same keys, indexes and foreign keys, a transaction for as many rows as ingest had in one
    ratio_copy_writer     the ingest's writer alone, from payload to commit, against the same: without gate and broker
    sqlite_per_s, ratio_sqlite   the same with SQLite, against executemany with the same pragmas
    cpu_us                microseconds of processor time a visit took in each process of the PostgreSQL drain

Everything is durable: fsync is on, as it is for an office. Slices alternate; each figure is the median over the rounds.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.common import progress, scratch
from bench.journal import BOOT, moment, visit
from gateway.journal import Journal
from gateway.uplink import Uplink
from menshen.demo.processes import menshen, run_once
from sync.contract.alarms import StateMessage
from sync.log.messages import MAX_RECORDS, Batch, encode
from sync.log.records import GENESIS, Record, chain_hash
from sync.log.sender import MAX_BODIES
from sync.mqtt import MqttLink
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.postgres import Postgres, running_postgres

FILL: Final = 500  # visits appended at once; a journal's queue is bounded
CHUNK: Final = 1000  # rows a transaction of the bare sides
TABLES: Final = ("ingest_record", "entries_entry")
ORDER: Final = ("id", "record_id")  # their rows, so that what belongs together comes together
LIMIT_S: Final = 120.0
_TICK: Final = os.sysconf("SC_CLK_TCK")
Row = tuple[Any, ...]


def gate_name(number: int) -> str:
    """A gate's id."""
    return f"gate-{number}"


# a gate, in a process of its own


def fill(path: Path, visits: int, seed: int) -> None:
    """A journal with so many visits."""
    chance = random.Random(seed)
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        for begin in range(0, visits, FILL):
            durable = threading.Event()
            for number in range(begin, min(begin + FILL, visits) - 1):
                journal.append(visit(number, chance), moment())
            journal.append(visit(min(begin + FILL, visits), chance), moment(), (), lambda _error: durable.set())  # noqa: B023  waited for
            assert durable.wait(LIMIT_S), "the journal is not written"


def run_gate(name: str, port: int, path: Path) -> None:
    """Bring the journal to the office until SIGTERM. The word on standard output: it begins to connect."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        uplink = Uplink(
            name,
            journal,
            status=lambda connection: StateMessage(online=True, boot=BOOT.hex(), connection=connection),
            now_ms=lambda: moment().mono_ms,
            replace_log=lambda reason, _held: sys.exit(f"{name}: a new log was asked for: {reason}"),
            boot=BOOT,
        )
        link = MqttLink(
            "127.0.0.1", port, client_id=name, will=uplink.will, connected=uplink.connected,
            disconnected=uplink.disconnected,
        )  # fmt: skip
        link.subscribe(uplink.down_topic, uplink.received)
        uplink.start(link)
        print("ready", flush=True)
        link.start()
        stop.wait()
        uplink.stop()
        link.stop()


# the office


@dataclass
class Drain:
    """One drain: how long, and the processor time of each kind of process, in seconds."""

    seconds: float
    cpu_s: dict[str, float] = field(default_factory=dict)


class Office:
    """One database with its ingest processes."""

    def __init__(self, folder: Path, address: str, ask: Callable[[str], Sequence[Row]], gates: int) -> None:
        folder.mkdir()
        self._folder, self.ask = folder, ask
        self.env = {
            "MENSHEN_OFFICE_DIR": str(folder),
            "MENSHEN_OFFICE_DATABASE": address,
            "MENSHEN_LOG": "WARNING",
            "DJANGO_SETTINGS_MODULE": "central.settings",
        }
        run_once("migrate", menshen("office", "migrate"), self.env)
        for number in range(gates):
            run_once("gate add", menshen("office", "gate", "add", gate_name(number)), self.env)

    @contextmanager
    def ingest(self, port: int, processes: int) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Started; and every gate is somebody's, when the drain begins."""
        command = menshen("office", "ingest", "--broker", "127.0.0.1", "--port", str(port), "--lease", "4")
        with (self._folder / "log").open("ab") as log:
            env = {**os.environ, **self.env}
            running = [subprocess.Popen(command, env=env, stderr=log) for _ in range(processes)]
        try:
            time.sleep(6)  # two turns, in which the gates are shared out
            yield running
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(30)

    def cursor(self) -> int:
        """How much has been written out of all logs."""
        return int(self.ask("SELECT coalesce(sum(written), 0) FROM ingest_log")[0][0])


def cpu_s(pid: int) -> float:
    """Processor time of a process and its children so far: proc(5), stat, utime and stime."""
    total = 0.0
    with suppress(FileNotFoundError):
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total = (int(parts[11]) + int(parts[12])) / _TICK
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(cpu_s(int(child)) for child in (task / "children").read_text().split())
    return total


def drain(office: Office, broker: Mosquitto, journals: Sequence[Path], ends: int, processes: int, server: int) -> Drain:
    """Bring all the journals in. `server`: the process of the database, or 0."""
    with office.ingest(broker.port, processes) as ingests:
        command = [sys.executable, "-m", "bench.ingest", "--as-gate"]
        pids = {"ingest": [process.pid for process in ingests], "mosquitto": [broker.pid], "database": [server]}
        before = {name: sum(map(cpu_s, some)) for name, some in pids.items()}
        gates = [
            subprocess.Popen([*command, gate_name(number), str(broker.port), str(path)], stdout=subprocess.PIPE)
            for number, path in enumerate(journals)
        ]
        try:
            for gate in gates:
                assert gate.stdout is not None
                gate.stdout.readline()
            begun = time.monotonic()
            while (cursor := office.cursor()) < ends:
                assert time.monotonic() - begun < LIMIT_S, f"the drain does not end: {cursor} of {ends} records"
                time.sleep(0.02)
            seconds = time.monotonic() - begun
            spent = {name: sum(map(cpu_s, some)) - before[name] for name, some in pids.items()}
            spent["gate"] = sum(cpu_s(gate.pid) for gate in gates)
        finally:
            for gate in gates:
                gate.terminate()
            for gate in gates:
                gate.wait(30)
    return Drain(seconds, spent)


# the bare sides


def parts(rows: dict[str, list[Row]], columns: dict[str, Sequence[str]]) -> list[list[Row]]:
    """Transactions: CHUNK records and the entries that they made, table by table."""
    records, entries = (rows[table] for table in TABLES)
    own, theirs = (columns[table].index(f'"{order}"') for table, order in zip(TABLES, ORDER, strict=True))
    found, done = [], 0
    for begin in range(0, len(records), CHUNK):
        some = records[begin : begin + CHUNK]
        upto = bisect_right(entries, some[-1][own], key=lambda entry: entry[theirs])
        found += [some, entries[done:upto]]
        done = upto
    return found


def bare_copy(address: str, rows: dict[str, list[Row]], columns: dict[str, Sequence[str]]) -> float:
    """Seconds for COPY of these rows, CHUNK of each table a transaction."""
    with psycopg.connect(address, options="-c synchronous_commit=on") as connection, connection.cursor() as cursor:
        types = {}
        for table in TABLES:
            cursor.execute(f"SELECT {', '.join(columns[table])} FROM {table} LIMIT 0".encode())  # noqa: S608  ours
            types[table] = [column.type_code for column in cursor.description or ()]
        connection.commit()
        made = parts(rows, columns)
        begun = time.monotonic()
        for table, some in zip(cycle(TABLES), made, strict=False):
            statement = f"COPY {table} ({', '.join(columns[table])}) FROM STDIN (FORMAT BINARY)"
            with cursor.copy(statement.encode()) as copy:
                copy.set_types(types[table])
                for row in some:
                    copy.write_row(row)
            if table == TABLES[-1]:
                connection.commit()
        return time.monotonic() - begun


def bare_sqlite(path: Path, rows: dict[str, list[Row]], columns: dict[str, Sequence[str]]) -> float:
    """Seconds for executemany of these rows, CHUNK of each table a transaction."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
        made = parts(rows, columns)
        begun = time.monotonic()
        for table, some in zip(cycle(TABLES), made, strict=False):
            if table == TABLES[0]:
                connection.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" * len(columns[table]))
            sql = f"INSERT INTO {table} ({', '.join(columns[table])}) VALUES ({marks})"  # noqa: S608  ours
            connection.executemany(sql, some)
            if table == TABLES[-1]:
                connection.execute("COMMIT")
        return time.monotonic() - begun


# the ingest's writer alone, in a process of its own


def payloads(path: Path) -> list[bytes]:
    """The journal as the batches that a wide window makes of it."""
    found, previous, after = [], GENESIS, 0
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        while records := list(journal.read(after, MAX_RECORDS, MAX_BODIES)):
            begin = previous
            for record in records:
                previous = chain_hash(previous, record)
            found.append(encode(_batch(journal.log_id, after, begin, records)))
            after = records[-1].seq
    return found


def _batch(log_id: str, after: int, previous: bytes, records: Sequence[Record]) -> Batch:
    return Batch.of(log_id, after, previous, records)


def run_writer(path: Path) -> None:
    """Write a journal's batches; print how many seconds that took."""
    import django

    django.setup()
    from django.utils.timezone import now as office_now

    from central.ingest import spool
    from central.ingest.process import TOGETHER_BYTES
    from central.ingest.reading import Arrived, read
    from central.ingest.refusals import Refusals
    from central.ingest.writer import Writer
    from sync.contract.topics import Channel

    writer, made, waiting, size = Writer(Refusals(), admit=True), payloads(path), [], 0
    begun = time.monotonic()
    for payload in made:
        waiting.append(read(Arrived("writer-gate", Channel.UP, payload, office_now())))
        size += len(payload)
        if size >= TOGETHER_BYTES:
            writer.write(waiting)
            waiting, size = [], 0
    if waiting:
        writer.write(waiting)
    while spool.write_out("writer-gate"):
        pass
    print(time.monotonic() - begun)


# together


class Side:
    """One kind of database: drains into fresh ones, and the bare side with the rows that came out."""

    def __init__(self) -> None:
        self.drains: list[Drain] = []
        self.bare_s: list[float] = []
        self.writer_s: list[float] = []

    def ratio(self, seconds: Sequence[float]) -> float:
        """Of the bare side's time to this, the median over the rounds."""
        return round(statistics.median(bare / mine for bare, mine in zip(self.bare_s, seconds, strict=True)), 3)

    @property
    def drain_s(self) -> list[float]:
        return [drain.seconds for drain in self.drains]


def writer_s(office: Office, journal: Path) -> float:
    """Seconds of the writer alone."""
    command = [sys.executable, "-m", "bench.ingest", "--as-writer", str(journal)]
    return float(run_once("writer", command, office.env))


def parents(office: Office) -> list[tuple[str, Row, Sequence[str]]]:
    """The rows that records and entries refer to: table, row, columns."""
    found = []
    for table in ("registry_gate", "ingest_log"):
        names = columns_of(office, table)
        found += [(table, row, names) for row in office.ask(f"SELECT {', '.join(names)} FROM {table}")]  # noqa: S608  ours
    return found


def columns_of(office: Office, table: str) -> Sequence[str]:
    """Its columns, quoted where it matters to nobody."""
    if office.env["MENSHEN_OFFICE_DATABASE"]:
        sql = (
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"  # noqa: S608  ours
        )
        return [f'"{name}"' for (name,) in office.ask(sql)]
    return [f'"{row[1]}"' for row in office.ask(f"PRAGMA table_info({table})")]


def rows_of(office: Office, columns: dict[str, Sequence[str]]) -> dict[str, list[Row]]:
    """All that came out, in order; JSON as text that COPY takes."""
    from psycopg.types.json import Jsonb

    rows = {}
    for table, order in zip(TABLES, ORDER, strict=True):
        found = office.ask(f"SELECT {', '.join(columns[table])} FROM {table} ORDER BY {order}")  # noqa: S608  ours
        rows[table] = [tuple(Jsonb(value) if isinstance(value, dict) else value for value in row) for row in found]
    return rows


def postgresql_round(
    folder: Path, server: Postgres, broker: Mosquitto, plan: "Plan", side: Side, stack: ExitStack
) -> None:
    """One drain, one writer, one bare COPY."""

    def office(name: str) -> Office:
        address = server.address(server.new_database())
        asking = stack.enter_context(psycopg.connect(address, autocommit=True))  # one that stays: a new one costs 5 ms
        return Office(folder / name, address, lambda sql: asking.execute(sql.encode()).fetchall(), plan.gates)

    drained = office("drained")
    side.drains.append(drain(drained, broker, plan.journals, plan.ends, plan.processes, server.pid))
    side.writer_s.append(writer_s(office("written"), plan.whole))
    columns = {table: columns_of(drained, table) for table in TABLES}
    rows = rows_of(drained, columns)
    assert [len(rows[table]) for table in TABLES] == [plan.ends, plan.visits], "not every record came once"
    bare = office("bare")
    with psycopg.connect(bare.env["MENSHEN_OFFICE_DATABASE"]) as connection:
        connection.execute("TRUNCATE registry_gate CASCADE")
        for table, row, names in parents(drained):
            values = [json.dumps(value) if isinstance(value, list | dict) else value for value in row]
            marks = ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})".encode(), values)  # noqa: S608  ours
    side.bare_s.append(bare_copy(bare.env["MENSHEN_OFFICE_DATABASE"], rows, columns))


def sqlite_round(folder: Path, broker: Mosquitto, plan: "Plan", side: Side) -> None:
    """One drain, one bare executemany."""

    def office(name: str) -> Office:
        def ask(sql: str) -> Sequence[Row]:
            with closing(sqlite3.connect(f"file:{folder / name / 'office.sqlite3'}?mode=ro", uri=True)) as connection:
                return connection.execute(sql).fetchall()

        return Office(folder / name, "", ask, plan.gates)

    drained = office("drained-lite")
    side.drains.append(drain(drained, broker, plan.journals, plan.ends, 1, 0))
    columns = {table: columns_of(drained, table) for table in TABLES}
    rows = {
        table: list(drained.ask(f"SELECT {', '.join(columns[table])} FROM {table} ORDER BY {order}"))  # noqa: S608  ours
        for table, order in zip(TABLES, ORDER, strict=True)
    }
    assert [len(rows[table]) for table in TABLES] == [plan.ends, plan.visits], "not every record came once"
    office("bare-lite")
    path = folder / "bare-lite" / "office.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM registry_gate")
        for table, row, names in parents(drained):
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", row)  # noqa: S608  ours
    side.bare_s.append(bare_sqlite(path, rows, columns))


@dataclass(frozen=True)
class Plan:
    """What is brought in: by gate, and the same number of visits in one journal."""

    gates: int
    processes: int
    visits: int
    journals: Sequence[Path]
    whole: Path

    @property
    def ends(self) -> int:
        """Records of all the journals: each begins with one that says so."""
        return self.visits + self.gates


def measure(folder: Path, visits: int, gates: int, processes: int, rounds: int) -> dict[str, object]:
    """Every comparison, in `folder`."""
    journals = [folder / f"{gate_name(number)}.db" for number in range(gates)]
    for number, path in enumerate([*journals, folder / "whole.db"]):
        fill(path, visits // gates if path in journals else visits, number)
    plan = Plan(gates, processes, visits // gates * gates, journals, folder / "whole.db")
    postgresql, sqlite = Side(), Side()
    (folder / "broker").mkdir()
    with running_mosquitto(folder / "broker") as broker, running_postgres((), folder) as server:
        for number in progress(range(rounds), "drains"):
            below = folder / str(number)
            below.mkdir()
            with ExitStack() as stack:
                postgresql_round(below, server, broker, plan, postgresql, stack)
            sqlite_round(below, broker, plan, sqlite)
    spent = [drain.cpu_s for drain in postgresql.drains]
    return {
        "postgresql_per_s": round(plan.visits / statistics.median(postgresql.drain_s)),
        "bare_copy_per_s": round(plan.visits / statistics.median(postgresql.bare_s)),
        "writer_per_s": round(plan.visits / statistics.median(postgresql.writer_s)),
        "ratio_copy": postgresql.ratio(postgresql.drain_s),
        "ratio_copy_writer": postgresql.ratio(postgresql.writer_s),
        "sqlite_per_s": round(plan.visits / statistics.median(sqlite.drain_s)),
        "ratio_sqlite": sqlite.ratio(sqlite.drain_s),
        "cpu_us": {
            name: round(statistics.median(each[name] for each in spent) / plan.visits * 1e6, 1) for name in spent[0]
        },
        "visits": plan.visits,
        "gates": gates,
        "processes": processes,
    }


def main() -> None:
    """Measure, and print the result as the last line."""
    parser = argparse.ArgumentParser(description="The drain of a backlog at the office's commit, against bare COPY.")
    parser.add_argument("--visits", type=int, default=20_000)
    parser.add_argument("--gates", type=int, default=1, help="gates that bring them")
    parser.add_argument("--processes", type=int, default=1, help="ingest processes on PostgreSQL")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("var/bench"), help="where to write; not a tmpfs")
    parser.add_argument("--as-gate", nargs=3, metavar=("NAME", "PORT", "JOURNAL"), help=argparse.SUPPRESS)
    parser.add_argument("--as-writer", type=Path, metavar="JOURNAL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_gate:
        name, port, path = arguments.as_gate
        run_gate(name, int(port), Path(path))
        return
    if arguments.as_writer:
        run_writer(arguments.as_writer)
        return
    folder = scratch("ingest", arguments.folder).absolute()
    folder.chmod(0o755)  # the server runs as another user, in a folder of its own below
    try:
        result = measure(folder, arguments.visits, arguments.gates, arguments.processes, arguments.rounds)
        print(json.dumps(result))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
