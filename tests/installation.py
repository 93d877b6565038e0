"""A whole installation for tests: a real mosquitto, the office's ingest and a gate, each a process that can be killed."""

import json
import queue
import re
import select
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from menshen.demo.broker import find_mosquitto
from menshen.demo.cast import make_cast
from menshen.demo.gate import GATE, SITE, gate_config
from menshen.demo.processes import Child, free_port, menshen, run_once, wait_for_port
from menshen.demo.tally import Tally, take_tally

WAIT_S = 60.0
Line = dict[str, str]


class Installation:
    """Broker, ingest and gate below one folder. Nothing runs until it is started; `close` ends what does."""

    def __init__(self, folder: Path, *, camera: Path | None = None, scenario: Path | None = None) -> None:
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
        run_once("gate add", menshen("office", "gate", "add", GATE), self.env)
        self._cast = make_cast(folder, SITE)
        self._scenario = scenario
        self._camera = None if camera is None else ("folder", camera)
        self.config = folder / "gate.toml"
        self.configure(visits=0)
        load = menshen("gate", "directory", "load", "--config", str(self.config), str(self._cast.directory))
        run_once("directory load", load, {})

    def configure(self, *, visits: int | None) -> None:
        """The gate's file for its next start: so many visits as fast as they go (0: no end), or None: nobody comes."""
        text = gate_config(
            self.folder,
            self._cast,
            "127.0.0.1",
            self.port,
            visits=visits or 10**6,
            camera=self._camera,
            with_camera=bool(self._camera),
        )
        if visits is None:
            text = re.sub(r"^\[simulation\]\n(?:.+\n)*", "", text, flags=re.MULTILINE)
        elif visits:
            text = re.sub(r"^visits = \d+$", f"visits = {visits}", text, flags=re.MULTILINE)
        if self._scenario is not None:
            text = re.sub(r"^scenario = .+$", f'scenario = "{self._scenario}"', text, flags=re.MULTILINE)
        self.config.write_text(text, "utf-8")

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

    def stop(self, name: str) -> int:
        """End it politely. Returns its exit code."""
        child = self.running.pop(name)
        child.stop()
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
        command = menshen("gate", "run", "--config", str(self.config), "--feed")
        child = Child("gate", command, self.folder / "gate.log", pipe=True)
        threading.Thread(target=self._listen, args=(child,), daemon=True).start()
        return child

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

    def hear_until(self, what: str, **values: str) -> Line:
        """The next line of this kind with these values."""
        while True:
            line = self.hear()
            if line["what"] == what and all(line.get(key) == value for key, value in values.items()):
                return line

    def wait_until_told(self) -> None:
        """Wait until the office has said that it holds the journal's last record: the gate notes it on disk."""
        told = "SELECT max(seq) = (SELECT acked_seq FROM meta) FROM records"
        deadline = time.monotonic() + WAIT_S
        while not self._ask_journal(told):
            assert time.monotonic() < deadline, "the office never had everything"
            self.running["gate"].check()
            select.select([], [], [], 0.1)

    def _ask_journal(self, sql: str) -> object:
        connection = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchone()[0]
        finally:
            connection.close()

    def tally(self) -> Tally:
        """The journal against the office."""
        return take_tally(self.journal, self.office, GATE)
