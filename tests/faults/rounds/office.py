"""The office's database in a round: a file, or a database of one PostgreSQL server that all rounds share."""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg

from menshen.demo.processes import menshen, run_once
from sync.log.view import Head
from tests.faults.rounds.judge import Books, Kept
from tests.faults.rounds.ledger import as_row
from tests.postgres import Postgres, programs

GATES: Final = ("gate-0", "gate-1")
RESTART_S: Final = 20.0
Rows = list[tuple[Any, ...]]


class Office(Protocol):
    """One office's database. `put_back` and what follows it are for when no ingest runs."""

    env: dict[str, str]

    def ask(self, sql: str) -> Rows:
        """Rows, whatever else is going on."""

    def image(self) -> None:
        """Make a backup, while it is written to."""

    def put_back(self) -> None:
        """Put the last backup in its place."""

    def close(self) -> None:
        """Leave nothing behind that is not in the round's folder."""


def make_office(database: str, folder: Path) -> Office:
    """A new office that knows `GATES`. `database`: `sqlite` or `postgresql`."""
    folder.mkdir()
    return SqliteOffice(folder) if database == "sqlite" else PostgresOffice(folder)


def _environment(folder: Path, address: str = "") -> dict[str, str]:
    return {
        "MENSHEN_OFFICE_DIR": str(folder),
        "MENSHEN_OFFICE_DATABASE": address,
        "MENSHEN_LOG": "INFO",
        "DJANGO_SETTINGS_MODULE": "central.settings",
    }


def _set_up(env: dict[str, str]) -> None:
    run_once("migrate", menshen("office", "migrate"), env)
    for gate in GATES:
        run_once("gate add", menshen("office", "gate", "add", gate), env)


def _at_the_end(work: Callable[[], object]) -> None:
    Finalize(None, work, exitpriority=10)  # atexit has nothing to say in the processes of a pool


def _scratch(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"menshen-{name}-"))
    _at_the_end(lambda: shutil.rmtree(folder, ignore_errors=True))
    return folder


# SQLite


@cache
def _empty() -> Path:
    """The folder of an office in which nothing has happened yet."""
    folder = _scratch("office") / "empty"
    folder.mkdir()
    _set_up(_environment(folder))
    return folder


class SqliteOffice:
    """A file in `folder`."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(_empty(), folder, dirs_exist_ok=True)
        self.env = _environment(folder)
        self.path = folder / "office.sqlite3"
        self._backup = folder / "backup.sqlite3"

    def ask(self, sql: str) -> Rows:
        """Rows, whatever else is going on."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(sql).fetchall()

    def image(self) -> None:
        """By SQLite's own way to back up a database that is in use."""
        self._backup.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.path)) as here, closing(sqlite3.connect(self._backup)) as there:
            here.backup(there)

    def put_back(self) -> None:
        """Put the last backup in its place."""
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._backup, self.path)

    def close(self) -> None:
        """Nothing but files."""


# PostgreSQL


@cache
def server() -> Postgres:
    """The one server, started when it is first asked for, removed at the end."""
    found = programs()
    assert found is not None, "PostgreSQL is not installed: make test installs it as root"
    made = Postgres(found)
    made.start()
    _at_the_end(made.remove)
    return made


@cache
def _template() -> str:
    name = server().new_database()
    _set_up(_environment(_scratch("template"), server().address(name)))
    return name


class PostgresOffice:
    """A database of its own."""

    def __init__(self, folder: Path) -> None:
        revive()
        self._folder = folder
        self._name = server().new_database(_template())
        self._backup = folder / "backup.sql"
        self.env = _environment(folder, server().address(self._name))

    def ask(self, sql: str) -> Rows:
        """Rows, whatever else is going on; also while the server is starting."""
        return patiently(lambda: server().ask(self._name, sql))

    def image(self) -> None:
        """By pg_dump."""
        self._tool("pg_dump", self._name, "--file", str(self._backup))

    def put_back(self) -> None:
        """Into a new database: that is how one is restored."""
        self._drop()
        self._name = server().new_database("template0")
        self._tool("psql", self._name, "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(self._backup))
        self.env = _environment(self._folder, server().address(self._name))

    def close(self) -> None:
        """Drop the database."""
        revive()
        self._drop()

    def _drop(self) -> None:
        server().ask("postgres", f"DROP DATABASE {self._name} WITH (FORCE)")

    def _tool(self, name: str, database: str, *options: str) -> None:
        found = programs()
        assert found is not None
        command = [str(found / name), "--dbname", server().address(database), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def crash(*, whole: bool, chance: Callable[[Sequence[int]], int]) -> None:
    """kill -9 of PostgreSQL: all its processes, as when the kernel kills them for want of memory, or one that serves a
    client, whereupon the server ends all the others and recovers. `chance` chooses which."""
    if not server().pid:
        return
    if whole:
        pids = _children(server().pid)
        for pid in (server().pid, *pids):
            _kill(pid)
        _wait_until_gone(pids)
        server().kill()  # it is dead: this takes note of it
        return
    sql = "SELECT pid FROM pg_stat_activity WHERE starts_with(datname, 'office')"
    served = patiently(lambda: server().ask("postgres", sql))
    if served:
        _kill(chance([pid for (pid,) in served]))


def revive() -> None:
    """Start the server where it does not run, and wait until it answers."""
    if not server().pid:
        server().start()
    patiently(lambda: server().ask("postgres", "SELECT 1"))


def patiently(work: Callable[[], Rows]) -> Rows:
    """Do it again until the server is there."""
    deadline = time.monotonic() + RESTART_S
    while True:
        try:
            return work()
        except psycopg.OperationalError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _wait_until_gone(pids: Sequence[int]) -> None:
    deadline = time.monotonic() + RESTART_S
    while any(Path(f"/proc/{pid}").exists() and "Z" not in _state(pid) for pid in pids):
        assert time.monotonic() < deadline, f"PostgreSQL's processes {pids} do not end"
        time.sleep(0.02)


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


# what it says

_LOGS: Final = "SELECT id, log_id, seq, hash, predecessor FROM ingest_log WHERE gate_id = '{gate}' ORDER BY id"
_RECORDS: Final = (
    "SELECT log_id, seq, kind, at, clock, boot, mono, body, salt, body_hash, hash FROM ingest_record"
    " WHERE log_id IN (SELECT id FROM ingest_log WHERE gate_id = '{gate}') ORDER BY seq, id"
)
_MISSING: Final = (
    "SELECT log_id, first, last FROM ingest_missingrange"
    " WHERE log_id IN (SELECT id FROM ingest_log WHERE gate_id = '{gate}') ORDER BY first"
)
_FORKS: Final = (
    "SELECT log_id FROM ingest_forkevent WHERE log_id IN (SELECT id FROM ingest_log WHERE gate_id = '{gate}')"
)
_SHOWN: Final = "SELECT visit FROM entries_entry WHERE gate_id = '{gate}'"
_WAITING: Final = "SELECT count(*) FROM ingest_spooled WHERE gate_id = '{gate}'"


def read_books(ask: Callable[[str], Rows], gate: str) -> Books:
    """All that the office has of a gate. `ask`: for its database."""

    def rows(sql: str) -> Rows:
        return ask(sql.format(gate=gate))

    records, missing, forks = rows(_RECORDS), rows(_MISSING), [key for (key,) in rows(_FORKS)]
    logs = [
        Kept(
            log_id,
            Head(seq, bytes(digest)),
            tuple(as_row(row) for owner, *row in records if owner == key),
            tuple((first, last) for owner, first, last in missing if owner == key),
            predecessor,
            forks.count(key),
        )
        for key, log_id, seq, digest, predecessor in rows(_LOGS)
    ]
    return Books({log.log_id: log for log in logs}, [visit for (visit,) in rows(_SHOWN)], rows(_WAITING)[0][0])
