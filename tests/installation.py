"""A whole installation for tests: a real mosquitto, the office's ingest and a gate, each a process that can be killed."""

import json
import queue
import re
import select
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from menshen.demo.broker import find_mosquitto
from menshen.demo.cast import make_cast
from menshen.demo.gate import GATE, SITE, gate_config
from menshen.demo.processes import Child, free_port, menshen, run_once, wait_for_port
from menshen.demo.tally import Tally, take_tally

WAIT_S = 60.0
Line = dict[str, str]


class Installation:
    """Broker, ingest and gate below one folder. Nothing runs until it is started; `close` ends what does."""

    def __init__(
        self, folder: Path, *, camera: Path | None = None, scenario: Path | None = None, known: bool = True
    ) -> None:
        """`known`: the office has admitted the gate before it comes."""
        self.folder = folder
        self.port = free_port()
        self.env = {
            "MENSHEN_OFFICE_DIR": str(folder / "office"),
            "MENSHEN_LOG": "WARNING",
            "DJANGO_SETTINGS_MODULE": "central.settings",
        }
        self.journal = folder / "gate" / "journal.sqlite"
        self.office = folder / "office" / "office.sqlite3"
        self.heard: queue.Queue[Line] = queue.Queue()
        self.lines: list[Line] = []
        self.running: dict[str, Child] = {}
        self.ingest: Sequence[str] = menshen("office", "ingest", "--broker", "127.0.0.1", "--port", str(self.port))
        run_once("migrate", menshen("office", "migrate"), self.env)
        if known:
            run_once("gate add", menshen("office", "gate", "add", GATE), self.env)
        self._cast = make_cast(folder, SITE)
        self._scenario = scenario
        self._camera = None if camera is None else ("folder", camera)
        self.config = folder / "gate.toml"
        self.gate: Sequence[str] = menshen("gate", "run", "--config", str(self.config), "--feed")
        self.configure(visits=0)
        load = menshen("gate", "directory", "load", "--config", str(self.config), str(self._cast.directory))
        run_once("directory load", load, {})
        take = menshen("trust", "import", "--config", str(self.config), str(self._cast.trust))
        run_once("trust import", take, {})

    def configure(self, *, visits: int | None, change: Callable[[str], str] = str) -> None:
        """The gate's file for its next start: so many visits as fast as they go (0: no end), or None: nobody comes.
        `change`: what else is to be different in it."""
        text = gate_config(
            self.folder,
            self._cast,
            "127.0.0.1",
            self.port,
            visits=visits or 10**6,
            camera=self._camera,
            with_camera=bool(self._camera),
            fast=True,
        )
        if visits is None:
            text = re.sub(r"^\[simulation\]\n(?:.+\n)*", "", text, flags=re.MULTILINE)
        elif visits:
            text = re.sub(r"^visits = \d+$", f"visits = {visits}", text, flags=re.MULTILINE)
        if self._scenario is not None:
            text = re.sub(r"^scenario = .+$", f'scenario = "{self._scenario}"', text, flags=re.MULTILINE)
        self.config.write_text(change(text), "utf-8")

    def start(self, name: str) -> Child:
        """Start `broker`, `ingest` or `gate`."""
        child: Child = getattr(self, f"_start_{name}")()
        self.running[name] = child
        return child

    def kill(self, name: str) -> None:
        """kill -9."""
        child = self.running.pop(name)
        child.process.kill()
        child.process.wait()
        self._heard_out(name)

    def stop(self, name: str) -> int:
        """End it politely. Returns its exit code."""
        child = self.running.pop(name)
        child.stop()
        self._heard_out(name)
        return child.process.returncode

    def close(self) -> None:
        """End everything."""
        for name in list(self.running):
            self.stop(name)

    def _start_broker(self) -> Child:
        program = find_mosquitto()
        assert program, "mosquitto is not installed: make test installs it"
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        child = Child("broker", [program, "-c", str(config)], self.folder / "broker.log")
        wait_for_port(child, "127.0.0.1", self.port)
        return child

    def _start_ingest(self) -> Child:
        return Child("ingest", self.ingest, self.folder / "ingest.log", env=self.env)

    def _start_gate(self) -> Child:
        child = Child("gate", self.gate, self.folder / "gate.log", pipe=True)
        self._listener = threading.Thread(target=self._listen, args=(child,), daemon=True)
        self._listener.start()
        return child

    def _heard_out(self, name: str) -> None:
        if name == "gate":
            self._listener.join(WAIT_S)

    def _listen(self, gate: Child) -> None:
        assert gate.process.stdout is not None
        for line in gate.process.stdout:
            try:
                self.heard.put(json.loads(line))
            except json.JSONDecodeError:  # it was killed in the middle of a line
                return

    def hear(self) -> Line:
        """The next line of the gate's feed; kept in `lines` too."""
        line = self.heard.get(timeout=WAIT_S)
        self.lines.append(line)
        return line

    def hear_for(self, seconds: float) -> None:
        """What comes within this time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with suppress(queue.Empty):
                self.lines.append(self.heard.get(timeout=left))

    def hear_until(self, what: str, **values: str) -> Line:
        """The next line of this kind with these values."""
        while True:
            line = self.hear()
            if line["what"] == what and all(line.get(key) == value for key, value in values.items()):
                return line

    def catch_up(self) -> None:
        """Take in what was told by now: what is heard next has happened since."""
        while not self.heard.empty():
            self.hear()

    def settle(self, change: Callable[[str], str] = str) -> None:
        """Nobody comes any more; wait until the office's cursor has reached the journal's end."""
        if "gate" in self.running:
            self.stop("gate")
        self.configure(visits=None, change=change)
        self.start("gate")
        self.hear_until("ready")
        self.wait_until_told()

    def wait_until_told(self) -> None:
        """Wait until the office has said that it holds the journal's last record, which the gate notes on disk; and has
        written out what it holds."""
        told = "SELECT max(seq) = (SELECT acked_seq FROM meta) FROM records"
        self.wait_until("the office has everything", lambda: bool(self.ask_journal(told)[0][0]))
        spooled = "SELECT count(*) FROM ingest_spooled"
        self.wait_until("all is written out", lambda: not self.ask_office(spooled)[0][0])

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for something that shows only in files, while everything that runs goes on running."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, f"it never came to this: {what}"
            for child in self.running.values():
                child.check()
            select.select([], [], [], 0.1)

    def ask_journal(self, sql: str, *values: object) -> list[Any]:
        """Rows of the gate's journal."""
        return _ask(self.journal, sql, *values)

    def ask_office(self, sql: str, *values: object) -> list[Any]:
        """Rows of the office's database."""
        return _ask(self.office, sql, *values)

    def log(self, name: str) -> str:
        """Everything that `broker`, `ingest` or `gate` has logged."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def tally(self) -> Tally:
        """The journal against the office."""
        return take_tally(self.journal, self.office, GATE)


def _ask(path: Path, sql: str, *values: object) -> list[Any]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()
