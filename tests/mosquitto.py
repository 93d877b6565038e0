"""A real mosquitto for tests: own port, absolute configuration path, to be stopped, killed and started again."""

import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from menshen.demo.processes import free_port

WAIT_S = 15.0
# pytest's folders are open to their owner only: started as root, mosquitto must stay root to read and write there
_CONFIG = """\
user root
listener {port} 127.0.0.1
persistence false
set_tcp_nodelay true
log_dest file {folder}/mosquitto.log
"""
_OPEN = "allow_anonymous true\n"


def program(name: str) -> str | None:
    """Where it is; Debian puts mosquitto into /usr/sbin, which is not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """One broker below `folder`. `settings` are further lines of its configuration; without them anybody may do anything."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, settings: str = _OPEN) -> None:
        self.port = free_port()
        self._config = (folder / "mosquitto.conf").absolute()
        self._config.write_text(_CONFIG.format(port=self.port, folder=folder.absolute()) + settings)
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again), and wait until it listens."""
        command = program("mosquitto")
        assert command, "mosquitto is not installed: make test installs it"
        self._process = subprocess.Popen([command, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + WAIT_S
        while not self._listens():
            assert self._process.poll() is None, f"mosquitto ended: {self._told()}"
            assert time.monotonic() < deadline, "mosquitto does not listen"
            select.select([], [], [], 0.02)

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        return 0 if self._process is None else self._process.pid

    def stop(self) -> None:
        """SIGTERM."""
        self._end(kill=False)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(kill=True)

    def _told(self) -> str:
        return self._log.read_text() if self._log.exists() else "it wrote no log"

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _end(self, *, kill: bool) -> None:
        if self._process is not None:
            if kill:
                self._process.kill()
            else:
                self._process.terminate()
            self._process.wait(WAIT_S)
            self._process = None


@contextmanager
def running_mosquitto(folder: Path, settings: str = _OPEN) -> Iterator[Mosquitto]:
    """A started broker, ended at the end. Skips the test where mosquitto is not installed."""
    if program("mosquitto") is None:
        pytest.skip("mosquitto is not installed: make test installs it")
    broker = Mosquitto(folder, settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
