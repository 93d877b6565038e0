"""A real gate with its page, in processes of their own, whose people act by a scenario of the test's."""

import socket
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.open_alarm import Kept
from gateway.journal.schema import SET_STATE
from menshen.demo.processes import free_port, menshen, run_once
from sync.contract.alarms import Alarm
from tests.installation import Installation

PINS = {"Li": "739164", "Chen": "502847"}
RESIDENT = ["arrive", "card resident", "forehead 36.5", "enter"]
OUT = ["exit"]
CALM: Sequence[Sequence[str]] = (RESIDENT, OUT)


def scenes(*done: Sequence[str]) -> str:
    """A scenario in which this is done, again and again."""
    parts = [f'[[scene]]\nat = "08:{at:02}"\nzh = "-"\nen = "-"\ndo = {list(do)!r}\n' for at, do in enumerate(done)]
    return "\n".join(parts).replace("'", '"')


class GuardedGate:
    """The gate alone, without broker and office, until they are started. Li is a guard, Chen a leader with a card."""

    def __init__(self, folder: Path) -> None:
        self.scenario = folder / "scenes.toml"
        self.scenario.write_text(scenes(*CALM))
        self.inst = Installation(folder, scenario=self.scenario)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.page = f'host = "127.0.0.1"\nport = {self.port}\nplaintext = true\n'
        self.configure()
        self.guard("add", "Li", "--pin", PINS["Li"])
        self.guard("add", "Chen", "--leader", "--holder", "h-0101", "--pin", PINS["Chen"])

    def configure(self, change: Callable[[str], str] = str) -> None:
        """Write the gate's file."""
        self.inst.configure(
            visits=0,
            change=lambda text: (
                change(text)
                + f'\n[policy.steps]\nvisitor = ["credential", "temperature", "registration"]\n\n[page]\n{self.page}'
            ),
        )

    def guard(self, *words: str) -> None:
        """`menshen gate guard …`."""
        run_once("guard", menshen("gate", "guard", *words, "--config", str(self.inst.config)), {})

    def asked(self, *words: str) -> str:
        """What a command of the gate prints."""
        return run_once("asked", menshen("gate", *words, "--config", str(self.inst.config)), {})

    def play(self, *done: Sequence[str]) -> None:
        """Start the gate anew, with people who do this."""
        if "gate" in self.inst.running:
            self.inst.stop("gate")
        self.scenario.write_text(scenes(*done))
        self.inst.start("gate")
        self.inst.hear_until("ready")
        self.inst.wait_until("the page is up", self.listens)

    def hold(self, alarms: Sequence[Alarm]) -> None:
        """Stop the gate; what it holds open at its next start are these alarms, as if it had raised them before."""
        if not self.inst.journal.exists():
            self.play(*CALM)
        if "gate" in self.inst.running:
            self.inst.stop("gate")
        with closing(sqlite3.connect(self.inst.journal)) as journal, journal:
            journal.execute("DELETE FROM core_state WHERE key LIKE 'alarm/%'")
            rows = [
                (f"alarm/{alarm.id}", msgspec.json.encode(Kept(**msgspec.structs.asdict(alarm)))) for alarm in alarms
            ]
            journal.executemany(SET_STATE, rows)

    def listens(self) -> bool:
        """Whether the page takes connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    @property
    def page_pid(self) -> int:
        """The page's process."""
        gate = self.inst.running["gate"].process.pid
        out = subprocess.run(
            ["pgrep", "-P", str(gate), "-f", "gateway.page.process"], capture_output=True, text=True, check=True
        )
        return int(out.stdout.split()[0])

    def records(self, kind: str, **having: Any) -> list[dict[str, Any]]:
        """The journal's records of a kind with these values."""
        rows = self.inst.ask_journal("SELECT body FROM records WHERE kind = ? AND body IS NOT NULL ORDER BY seq", kind)
        bodies = [msgspec.json.decode(body) for (body,) in rows]
        return [body for body in bodies if all(body.get(key) == value for key, value in having.items())]

    def wait_for(self, kind: str, **having: Any) -> dict[str, Any]:
        """The last such record, once there is one."""
        self.inst.wait_until(f"{kind} {having}", lambda: bool(self.records(kind, **having)))
        return self.records(kind, **having)[-1]


def seq(gate: GuardedGate) -> int:
    """The number of the journal's last record."""
    return int(gate.inst.ask_journal("SELECT max(seq) FROM records")[0][0])
