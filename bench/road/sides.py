"""The processes of a drain: the whole gate with a prepared journal, the office, and what is counted where."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.ingest import Office, gate_name
from gateway.config.loading import load
from gateway.voice.voice import sounds_for
from menshen.demo.cast import make_cast
from menshen.demo.gate import SITE, gate_config
from menshen.demo.processes import menshen

LIMIT_S: Final = 1800.0
POLL_S: Final = 0.02


class Gate:
    """`menshen gate run`, whole but for people, over a journal that is there, and with its voice: a gate that has a backlog ran
    before, and renders its phrases once in its life (1.4 s of processor time beside whatever is measured)."""

    def __init__(self, folder: Path, port: int, journal: Path) -> None:
        folder.mkdir()
        self._folder = folder
        text = gate_config(folder, make_cast(folder, SITE), "127.0.0.1", port, visits=1, camera=None, with_camera=False)
        text = re.sub(r"^\[simulation\]\n(?:.+\n)*", "", text, flags=re.MULTILINE)
        text = text.replace('id = "demo-gate"', f'id = "{gate_name(0)}"')
        (folder / "gate.toml").write_text(text, "utf-8")
        (folder / "gate").mkdir(exist_ok=True)
        _render_voice(folder / "gate.toml")
        shutil.copy(journal, folder / "gate" / "journal.sqlite")
        os.sync()  # a backlog is on the disk: else the kernel writes the copy out beside the drain
        self.rss_mb = 0.0  # the highest yet
        self.pid = 0

    @contextmanager
    def running(self) -> Iterator["Gate"]:
        """Started; ended at the end."""
        with (self._folder / "log").open("ab") as log:
            command = menshen("gate", "run", "--config", str(self._folder / "gate.toml"))
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.pid = process.pid
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, stop))
        watcher.start()
        try:
            yield self
        finally:
            stop.set()
            watcher.join()
            process.terminate()
            process.wait(30)

    def _watch(self, pid: int, stop: threading.Event) -> None:
        """Follow how much memory the gate has: proc(5), status, VmRSS; the sound's own process is not it."""
        while not stop.wait(0.2):
            status = Path(f"/proc/{pid}/status").read_text()
            found = re.search(r"VmRSS:\s+(\d+) kB", status)
            self.rss_mb = max(self.rss_mb, int(found[1]) / 1024 if found else 0.0)


def _render_voice(path: Path) -> None:
    config = load(path)
    sounds = sounds_for(config, config.gate.data_dir / "voice")
    sounds.prepare()
    for lang in map(str, config.gate.languages):
        for phrase in sounds.fixed(lang):
            sounds.file(phrase, {}, lang)


@contextmanager
def ingest(office: Office, folder: Path, port: int) -> Iterator[int]:
    """The office's ingest, listening; its process."""
    command = menshen("office", "ingest", "--broker", "127.0.0.1", "--port", str(port), "--lease", "4")
    with (folder / "ingest.log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **office.env}, stderr=log)
    try:
        time.sleep(6)  # its leases are taken and its topics subscribed to
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def engaged_s(pid: int) -> dict[str, float]:
    """How long each thread of a process has run or waited for a core: proc(5), schedstat, in ns. The rest of a time it waited for
    somebody else: an answer, the disk, another thread."""
    found = {path.parent.name: path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")}
    return {thread: (int(ran) + int(waited)) / 1e9 for thread, (ran, waited, _) in found.items()}


def waiting_share(before: dict[str, float], after: dict[str, float], seconds: float) -> float:
    """The share of a time in which the busiest thread was not engaged."""
    return 1 - max(each - before.get(thread, 0.0) for thread, each in after.items()) / seconds


def wait_for(what: str, reached: Callable[[], bool]) -> float:
    """When it was reached, on the monotonic clock."""
    deadline = time.monotonic() + LIMIT_S
    while not reached():
        if time.monotonic() > deadline:
            sys.exit(f"never: {what}")
        time.sleep(POLL_S)
    return time.monotonic()


def told(office: Office) -> int:
    """Records that the office has committed, and said so."""
    return int(office.ask("SELECT coalesce(sum(seq), 0) FROM ingest_log")[0][0])


def shown(office: Office) -> int:
    """Records that stand in their tables, with their rows of the entry log."""
    return int(office.ask("SELECT coalesce(sum(written), 0) FROM ingest_log")[0][0])
