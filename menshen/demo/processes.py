"""The demo's child processes: each in a session of its own (Ctrl-C is ours to hand on), none outliving the demo."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)


class DemoError(Exception):
    """Something the demo needs did not start: what, why, and where its log is."""


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process with its log file."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, pipe: bool = False
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as sink:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else sink,
                stderr=sink,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  the demo has no other threads when it starts children
            )

    def check(self) -> None:
        """Raises DemoError when it has ended."""
        if self.process.poll() is not None:
            raise DemoError(f"{self.name} ended with {self.process.returncode}; its log: {self.log}\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-12:])

    def stop(self, timeout_s: float = 8.0) -> None:
        """End it: politely, then not."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def menshen(*arguments: str) -> list[str]:
    """The command line of one of our own commands."""
    return [sys.executable, "-m", "menshen", *arguments]


def run_once(name: str, command: Sequence[str], env: Mapping[str, str]) -> str:
    """Run a command to its end. Returns what it printed. Raises DemoError when it fails."""
    done = subprocess.run(
        command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DemoError(f"{name} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(child: Child, host: str, port: int, timeout_s: float = 30.0) -> None:
    """Wait until `child` listens. Raises DemoError when it ends or takes too long."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        child.check()
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DemoError(f"{child.name} does not listen on {host}:{port} after {timeout_s:.0f} s; its log: {child.log}")
