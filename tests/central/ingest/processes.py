"""Both ends as processes and links of their own: `menshen office ingest`, and gates with the real sender."""

import os
import queue
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sync.contract.alarms import StateMessage
from sync.contract.topics import Channel, topic
from sync.log.sender import Acknowledged, Action, Send, Sender
from sync.mqtt import MqttLink
from tests.central.ingest.sending import NORTH, as_json
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.sync.road import MemoryLog

WAIT_S = 20.0


class Server:
    """`menshen office ingest`, in a folder of its own. `address`: of a PostgreSQL database; without one, SQLite."""

    def __init__(self, folder: Path, broker: Mosquitto, address: str = "", *options: str) -> None:
        self._env = {
            **os.environ,
            "MENSHEN_OFFICE_DIR": str(folder),
            "MENSHEN_OFFICE_DATABASE": address,
            "MENSHEN_OFFICE_ADMIT": "auto",
        }
        self._broker = broker
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.database = folder / "office.sqlite3"
        self.log = folder / "ingest.log"
        if not address:
            subprocess.run([*self._command("migrate")], env=self._env, check=True, stdout=subprocess.DEVNULL)

    @staticmethod
    def _command(*words: str) -> list[str]:
        return [sys.executable, "-m", "menshen", "office", *words]

    def start(self) -> None:
        """Start it (again)."""
        broker = ("--broker", self._broker.host, "--port", str(self._broker.port))
        command = self._command("ingest", *broker, *self._options)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self._env, stderr=log)

    def end(self, number: signal.Signals) -> int:
        """End it by this signal; its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(WAIT_S)

    def spooled(self) -> int:
        """How many batches it has committed to as they came, and not written out yet."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM ingest_spooled").fetchone()[0])

    def stored(self) -> list[tuple[int, bytes, bytes]]:
        """Number, hash and body of every record, in the order in which they came."""
        sql = "SELECT r.seq, r.hash, r.body FROM ingest_record r JOIN ingest_log l ON l.id = r.log_id WHERE l.gate_id = ? ORDER BY r.id"
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return list(database.execute(sql, (NORTH,)))


@contextmanager
def running_server(folder: Path) -> Iterator[tuple[Server, Mosquitto]]:
    """Broker and ingest."""
    with running_mosquitto(folder) as broker:
        server = Server(folder, broker)
        server.start()
        try:
            yield server, broker
        finally:
            server.end(signal.SIGKILL)


class Gate:
    """The gate's end: the real sender over a real link. Its time runs 20 times as fast, and so does its patience."""

    def __init__(self, broker: Mosquitto, name: str = NORTH) -> None:
        self.name = name
        self.log = MemoryLog()
        self.acked_often = 0
        self._sender = Sender(self.log)
        self._work: queue.SimpleQueue[Callable[[], Sequence[Action]]] = queue.SimpleQueue()
        self._link = MqttLink(
            broker.host,
            broker.port,
            client_id=name,
            connected=lambda: self._work.put(lambda: self._sender.connected(self._now())),
            disconnected=lambda: self._work.put(self._gone),
        )
        self._link.subscribe(
            topic(name, Channel.DOWN),
            lambda _, payload: self._work.put(lambda: self._sender.received(payload, self._now())),
        )

    @contextmanager
    def on_the_road(self) -> Iterator["Gate"]:
        """Connected."""
        self._link.start()
        try:
            yield self
        finally:
            self._link.stop()

    @staticmethod
    def _now() -> int:
        return time.monotonic_ns() // 50_000

    def _gone(self) -> Sequence[Action]:
        self._sender.disconnected()
        return ()

    def append(self, *bodies: bytes) -> None:
        """Write records."""
        self.log.append(*bodies)
        self._work.put(lambda: self._sender.appended(self._now()))

    def run_until(self, condition: Callable[[], bool]) -> None:
        """Send, hear and wait, until it holds."""
        run_until([self], condition)

    def step(self, wait_s: float) -> None:
        """Do what there is to do, or wait so long for it."""
        due = self._sender.deadline()
        wait_s = wait_s if due is None else min(wait_s, max(0.0, (due - self._now()) / 20_000))
        try:
            self._carry_out(self._work.get(timeout=wait_s)())
        except queue.Empty:
            self._carry_out(self._sender.poll(self._now()))

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send(payload):
                    self._link.publish(topic(self.name, Channel.UP), payload)
                case Acknowledged(seq, _):
                    self.log.acked = seq
                    self.acked_often += 1
                case other:
                    raise AssertionError(f"an honest gate and an honest office never come to {other}")

    def say_state(self) -> None:
        """The retained state, which a gate nobody knows is found by."""
        state = StateMessage(online=True, boot=bytes(16).hex(), connection=1, log_id=self.log.log_id)
        assert self._link.publish(topic(self.name, Channel.STATE), as_json(state), retain=True)

    def has_brought_everything(self) -> bool:
        """Whether the office has told so."""
        return self.log.acked == self.log.head().seq


def run_until(gates: Sequence[Gate], condition: Callable[[], bool]) -> None:
    """Let these gates send, hear and wait, until it holds."""
    end_s = time.monotonic() + 3 * WAIT_S
    while not condition():
        told = [f"{gate.name}: {gate.log.acked} of {gate.log.head().seq}" for gate in gates]
        assert time.monotonic() < end_s, f"the office has {', '.join(told)} records"
        for gate in gates:
            gate.step(0.05 / len(gates))
