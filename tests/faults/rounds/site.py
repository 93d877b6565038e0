"""One round's installation: a real mosquitto, the office's ingest on a real database, and gates, all to be killed at will."""

import random
import select
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from menshen.demo.processes import Child
from sync.log.view import Head
from tests.faults.rounds.judge import add, judge
from tests.faults.rounds.kinds import Found
from tests.faults.rounds.ledger import Card, Ledger, read_card
from tests.faults.rounds.office import GATES, crash, make_office, read_books, revive
from tests.mosquitto import Mosquitto

ROOT: Final = Path(__file__).parents[3]
LIMIT_S: Final = 30.0  # for everything to arrive once all runs
STEP_S: Final = 0.05
END_S: Final = 15.0
MOSTLY: Final = 0.75
TIMES: Final = 8.0  # so much shorter are the waits of the road


@dataclass(frozen=True, slots=True)
class Plan:
    """How a round is set up. `rate`: bursts of records a second and gate, about; `trims`: gates delete what was acknowledged
    at once; `without`: a protection that is missing; `lease_s`: of ingest processes on PostgreSQL."""

    database: str = "sqlite"
    gates: int = 1
    trims: bool = False
    rate: float = 60.0
    times: float = TIMES
    without: str = ""
    limit_s: float = LIMIT_S
    lease_s: float = 2.0


class Road(Protocol):
    """Where each side finds the broker, and what its commands begin with (to run elsewhere)."""

    def to_gates(self) -> tuple[str, int, Sequence[str]]:
        """Host, port, and the beginning of the command."""

    def to_office(self) -> tuple[str, int, Sequence[str]]:
        """The same for ingest."""


class Broker(Protocol):
    """A broker that can be killed."""

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...


class Direct:
    """Everybody talks to the broker itself."""

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker

    def to_gates(self) -> tuple[str, int, Sequence[str]]:
        """Host, port, and the beginning of the command."""
        return self._broker.host, self._broker.port, ()

    to_office = to_gates


class Gate:
    """A slim gate (`tests.faults.rounds.gate`): its folder, and its process while it runs."""

    def __init__(self, name: str, folder: Path, seed: str, plan: Plan) -> None:
        (folder / "card").mkdir(parents=True)
        self.name, self.folder, self.ledger = name, folder, Ledger()
        self.journal = folder / "card" / "journal.sqlite"
        self._seed, self._plan = seed, plan
        self._starts = 0
        self.child: Child | None = None

    def start(self, host: str, port: int, prefix: Sequence[str]) -> None:
        """Start it (again)."""
        plan, self._starts = self._plan, self._starts + 1
        command = [*prefix, sys.executable, "-m", "tests.faults.rounds.gate", self.name, host, str(port),
                   "--folder", str(self.folder), "--seed", f"{self._seed}-{self.name}-{self._starts}",
                   "--rate", str(plan.rate), "--times", str(plan.times), "--without", plan.without]  # fmt: skip
        command += ["--trims"] if plan.trims else []
        self.child = Child(self.name, command, self.folder / "log", env={"PYTHONPATH": str(ROOT)})

    @property
    def promised(self) -> int:
        """How many visits it has called durable."""
        told = self.folder / "told"
        return told.read_bytes().count(b'["promised"') if told.exists() else 0

    @property
    def is_quiet(self) -> bool:
        """Whether it has written all that it will."""
        told = self.folder / "told"
        return told.exists() and b'["quiet"' in told.read_bytes()

    def head(self) -> tuple[str, Head]:
        """The log's name and the journal's last record, while it is written to."""
        with closing(self._look()) as connection:
            connection.execute("BEGIN")
            log_id, *trimmed = connection.execute("SELECT log_id, trimmed_seq, trimmed_hash FROM meta").fetchone()
            last = connection.execute("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
        return log_id, Head(*(last or trimmed))

    def held(self) -> set[bytes]:
        """The records that the journal holds, while it is written to."""
        with closing(self._look()) as connection:
            return {digest for (digest,) in connection.execute("SELECT body_hash FROM records")}

    def asides(self) -> list[tuple[str, int, Path]]:
        """The logs before this one: name, up to where the office is known to have had it, and file."""
        with closing(self._look()) as connection:
            found = connection.execute("SELECT log_id, held_seq, file FROM earlier ORDER BY rowid").fetchall()
        return [(log_id, held, self.journal.with_name(file)) for log_id, held, file in found]

    def held_aside(self) -> set[bytes]:
        """The records that the files of those logs hold, as far as the office once acknowledged them."""
        held = set()
        for _, upto, file in self.asides():
            if file.exists():
                with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as connection:
                    sql = "SELECT body_hash FROM records WHERE seq <= min(?, (SELECT acked_seq FROM meta))"
                    held |= {digest for (digest,) in connection.execute(sql, (upto,))}
        return held

    def _look(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=20)

    def card(self) -> Card:
        """What stands in the journal; it must have ended."""
        return read_card(self.journal)

    def image(self) -> None:
        """Make an image of its card; it must have ended."""
        shutil.rmtree(self.folder / "image", ignore_errors=True)
        shutil.copytree(self.folder / "card", self.folder / "image")

    def exchange_card(self, image: Path | None, at_office: set[bytes]) -> None:
        """Put an image in the place of its card, or an empty one. `at_office`: what the office has by now."""
        self.note()
        shutil.rmtree(self.folder / "card")
        if image is None:
            (self.folder / "card").mkdir()
        else:
            shutil.copytree(image, self.folder / "card")
        self.ledger.taken_away(self.card().hashes, at_office)

    def note(self) -> None:
        """Take into the ledger what it told and what its journal holds; it must have ended."""
        self.ledger.read(self.folder / "told")
        self.ledger.look(self.card())


class Site:
    """Everything of one round; a context manager that ends it all."""

    def __init__(self, folder: Path, chance: random.Random, plan: Plan) -> None:
        self.folder, self.chance, self.plan = folder.absolute(), chance, plan
        seed = str(chance.random())
        self.gates = [Gate(name, self.folder / name, seed, plan) for name in GATES[: plan.gates]]
        self.office = make_office(plan.database, self.folder / "office")
        mosquitto = Mosquitto(self.folder)
        self.broker: Broker = mosquitto
        self.road: Road = Direct(mosquitto)
        self.broker_runs = False
        self.ingests: dict[str, Child] = {}
        self.troubles: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for gate in self.gates:
            _kill(gate.child)
        for child in self.ingests.values():
            _kill(child)
        self.broker.stop()
        self.office.close()

    # starting and killing

    def start(self, *names: str) -> None:
        """Start those of them that do not run: `broker`, `gates`, a gate's or an ingest's name, `postgres`."""
        for name in names:
            if name == "broker" and not self.broker_runs:
                self.broker.start()
                self.broker_runs = True
            elif name == "postgres":
                revive()
            elif name.startswith("ingest") and not self._runs(name):
                self.ingests[name] = self.new_ingest(name)
            for gate in self.gates:
                if name in ("gates", gate.name) and gate.child is None:
                    gate.start(*self.road.to_gates())

    def _runs(self, name: str) -> bool:
        """Whether this ingest does. One that has found no database has ended: whoever keeps it running starts it again."""
        child = self.ingests.get(name)
        return child is not None and child.process.poll() is None

    def new_ingest(self, name: str) -> Child:
        """A further ingest process, that nobody looks after."""
        host, port, prefix = self.road.to_office()
        command = [*prefix, sys.executable, "-m", "tests.faults.rounds.ingest", str(self.plan.times), self.plan.without,
                   "--broker", host, "--port", str(port), "--lease", str(self.plan.lease_s), "--plaintext"]  # fmt: skip
        env = {**self.office.env, "PYTHONPATH": str(ROOT)}
        return Child(name, command, self.folder / f"{name}.log", env=env)

    def kill(self, *names: str) -> None:
        """kill -9, of those of them that run. `postgres`: all its processes; `backend`: one that serves a client."""
        for name in names:
            if name == "broker" and self.broker_runs:
                self.broker.kill()
                self.broker_runs = False
            elif name in ("postgres", "backend"):
                crash(whole=name == "postgres", chance=self.chance.choice)
            elif name in self.ingests:
                _kill(self.ingests.pop(name))
            for gate in self.gates:
                if name in ("gates", gate.name):
                    child, gate.child = gate.child, None
                    _kill(child)

    def stop(self, gate: Gate) -> None:
        """End a gate politely."""
        child, gate.child = gate.child, None
        self._end(child)

    def freeze(self, name: str) -> None:
        """SIGSTOP: an ingest process that does nothing, and does not know that it does nothing."""
        self.ingests[name].process.send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self.ingests[name].process.send_signal(signal.SIGCONT)

    # time

    def pass_time(self, seconds: float) -> None:
        """Let it all go on for so long."""
        select.select([], [], [], seconds)

    def write(self, least: int = 3, most: int = 30) -> None:
        """Until some more visits are promised, and some moment more."""
        count, begun = self.chance.randint(least, most), self._promised()
        self.wait_until("records are written", lambda: self._promised() >= begun + count)
        self.pass_time(self.chance.uniform(0, 0.2))

    def arrive(self) -> None:
        """Until some more records are at the office, and some moment more."""
        self.wait_until("records arrive", self._arrival())
        self.pass_time(self.chance.uniform(0, 0.2))

    def has_arrived(self, within_s: float) -> bool:
        """Whether some more records come to the office within so long."""
        return self.came_to(self._arrival(), within_s)

    def _arrival(self) -> Callable[[], bool]:
        stood = self._taken()
        return lambda: self._tended() and self._taken() > stood

    def flow(self) -> None:
        """Until some more visits are promised, and mostly also until some more records have arrived."""
        self.write()
        if self.chance.random() < MOSTLY:
            self.arrive()

    def _promised(self) -> int:
        return sum(gate.promised for gate in self.gates)

    def _taken(self) -> int:
        """Up to where the office has come with everything."""
        return int(self.office.ask("SELECT coalesce(sum(seq), 0) FROM ingest_log")[0][0])

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Raises AssertionError when it never comes to this; but of a careless site, that is for the judge to see."""
        came = self.came_to(condition, self.plan.limit_s)
        assert came or self.plan.without, f"it never came to this: {what}"

    def came_to(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Whether it holds within so long."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() >= deadline:
                return False
            self.pass_time(STEP_S)
        return True

    # the office

    def cursor(self, gate: Gate, log_id: str) -> Head | None:
        """Where the office stands in a log; None when it does not know it."""
        sql = f"SELECT seq, hash FROM ingest_log WHERE gate_id = '{gate.name}' AND log_id = '{log_id}'"  # noqa: S608  ours
        found = self.office.ask(sql)
        return Head(found[0][0], bytes(found[0][1])) if found else None

    def at_office(self, gate: Gate) -> set[bytes]:
        """The records that the office has of a gate."""
        return read_books(self.office.ask, gate.name).hashes

    def has_everything(self, gate: Gate) -> bool:
        """Whether the office's cursor stands at the journal's end, and all is written out."""
        if not gate.is_quiet:
            return False
        log_id, head = gate.head()
        if self.cursor(gate, log_id) != head:
            return False
        for earlier, upto, _ in gate.asides():
            cursor = self.cursor(gate, earlier)
            if cursor is None or cursor.seq < upto:
                return False
        return not self.office.ask("SELECT count(*) FROM ingest_spooled")[0][0]

    # the end

    def judged(self) -> Found:
        """Let everything run, heal and come to rest, end it, and compare."""
        self.start("postgres" if self.plan.database == "postgresql" else "", "broker", "ingest", "gates")
        for gate in self.gates:
            (gate.folder / "quiet").touch()
        self.came_to(self._is_done, self.plan.limit_s)
        for gate in self.gates:
            self.stop(gate)
        while self.ingests:
            self._end(self.ingests.popitem()[1])
        founds = [self._judge(gate) for gate in self.gates]
        told = Found(0, 0, 0, "; ".join([*self.troubles, *self._tracebacks()]))
        return add([*founds, told])

    def _is_done(self) -> bool:
        return self._tended() and all(map(self.has_everything, self.gates))

    def _tended(self) -> bool:
        """Start again what has ended by itself, as systemd does."""
        self.start(*self.ingests)
        return True

    def _judge(self, gate: Gate) -> Found:
        gate.note()
        return judge(gate.ledger, gate.card(), read_books(self.office.ask, gate.name))

    def _end(self, child: Child | None) -> None:
        if child is None:
            return
        child.stop(END_S)
        if child.process.returncode not in {0, -signal.SIGTERM}:  # the latter: it had hardly begun
            self.troubles.append(f"{child.name} ended with {child.process.returncode}: {child.log}")

    def _tracebacks(self) -> list[str]:
        logs = [*self.folder.glob("ingest*.log"), *(gate.folder / "log" for gate in self.gates)]
        return [f"a traceback in {log}" for log in logs if log.exists() and b"Traceback" in log.read_bytes()]


def _kill(child: Child | None) -> None:
    if child is not None:
        child.process.kill()
        child.process.wait()
