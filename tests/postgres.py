"""A real PostgreSQL server for tests: own data folder and socket, started when a test asks for it, ended with the worker."""

import ctypes
import os
import pwd
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

WAIT_S = 30.0
_LIBC = ctypes.CDLL(None)
USER = "postgres"
PASSWORD = "p@ss/word %41"  # whatever stands in it must go through an address
# Nothing here outlives its test: only processes are killed, never the machine, so the disk need not be waited for.
_FAST = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=64MB")


def _end_with_parent() -> None:
    """Should the tests be killed, the server ends too: with PR_SET_PDEATHSIG of prctl(2)."""
    _LIBC.prctl(1, signal.SIGINT)


def programs() -> Path | None:
    """Where Debian's newest PostgreSQL has its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """One server below a folder of its own, reached by a socket in it."""

    def __init__(self, programs: Path, settings: tuple[str, ...] = _FAST, below: Path | None = None) -> None:
        # not below pytest's folder: started as root, the server runs as another user, who may not enter there
        self._folder = Path(tempfile.mkdtemp(prefix="menshen-pg-", dir=below)).absolute()
        self._programs = programs
        self._settings = (*settings, "listen_addresses=", f"unix_socket_directories={self._folder}")
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []}
            shutil.chown(self._folder, USER, self._as["group"])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the data folder where there is none, start, and wait until it answers."""
        if not (self._folder / "data").exists():
            self._make()
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data")]
        for setting in self._settings:
            command += ["-c", setting]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  it calls nothing but prctl
                **self._as,
            )  # fmt: skip
        self._process = process
        deadline = time.monotonic() + WAIT_S
        while not self._answers():
            assert process.poll() is None, f"PostgreSQL ended: {(self._folder / 'log').read_text()}"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            select.select([], [], [], 0.05)

    @property
    def pid(self) -> int:
        """Of the server's first process; 0 while it does not run."""
        return 0 if self._process is None else self._process.pid

    def stop(self) -> None:
        """SIGINT: it ends its clients' sessions, where SIGTERM would wait for them."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As a crash: its processes end at once, and the next start recovers."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        """Stop it, and remove everything."""
        self.stop()
        shutil.rmtree(self._folder)

    def address(self, database: str) -> str:
        """What MENSHEN_OFFICE_DATABASE is for one of its databases."""
        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@/{database}?host={quote(str(self._folder), safe='')}"

    def ask(self, database: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows; each in a connection of its own."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str = "template1") -> str:
        """A new database, a copy of `template`, to which nobody may be connected."""
        name = f"office_{secrets.token_hex(4)}"
        self.ask("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _make(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)  # in a folder that is closed to others
        command = [str(self._programs / "initdb"), "--no-sync", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8",
                   "-A", "scram-sha-256", "--pwfile", str(password), "-D", str(self._folder / "data")]  # fmt: skip
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, **self._as)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(WAIT_S)


@contextmanager
def running_postgres(settings: tuple[str, ...] = _FAST, below: Path | None = None) -> Iterator[Postgres]:
    """A started server, ended and removed at the end. Skips the test where PostgreSQL is not installed."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed: make test installs it as root")
    server = Postgres(found, settings, below)
    try:
        server.start()
        yield server
    finally:
        server.remove()
