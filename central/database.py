"""Which database the office has: a file in its folder (SQLite), or a PostgreSQL server."""

import os
from pathlib import Path
from typing import Any, Final

from central.home import office_dir

VARIABLE: Final = "MENSHEN_OFFICE_DATABASE"
_SCHEMES: Final = ("postgresql://", "postgres://")
# A commit is durable whatever the server's own default, a lock is waited for as long as with SQLite, and a process that was
# frozen in the middle of a transaction does not hold up the others for good.
_SESSION: Final = (
    "-c synchronous_commit=on -c timezone=UTC -c lock_timeout=20s -c idle_in_transaction_session_timeout=30s"
)


def office_database() -> dict[str, Any]:
    """Django's settings for what MENSHEN_OFFICE_DATABASE names. Raises ValueError for an address that is none."""
    address = os.environ.get(VARIABLE, "").strip()
    return postgresql(address) if address else _sqlite(office_dir() / "office.sqlite3")


def database_name(settings: dict[str, Any]) -> str:
    """What people are told of it: a file, or database and server; never a password."""
    if settings["ENGINE"].endswith("sqlite3"):
        return str(settings["NAME"])
    return f"PostgreSQL database {settings['NAME'] or '?'} at {settings['HOST'] or 'this machine'}"


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",  # a writer waits for its turn at BEGIN, never fails half way
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }


def postgresql(address: str) -> dict[str, Any]:
    """Django's settings for a PostgreSQL server. Raises ValueError for an address that is none."""
    if not address.startswith(_SCHEMES):
        raise ValueError(f"{VARIABLE}: not an address like postgresql://USER@HOST/DATABASE; nothing = SQLite")
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(address).items() if value is not None}
    except ProgrammingError:
        # libpq's own words may repeat the whole address, and the password with it
        raise ValueError(
            f"{VARIABLE}: not an address like postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full "
            "(other characters of a password as %XX)"
        ) from None
    name, user, password = parts.pop("dbname", ""), parts.pop("user", ""), parts.pop("password", "")
    if not name:
        raise ValueError(f"{VARIABLE}: it names no database: postgresql://USER@HOST/DATABASE")
    options = {"connect_timeout": "5", "application_name": "menshen-office"} | parts
    host, port = options.pop("host", ""), options.pop("port", "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "PASSWORD": password,  # without one libpq looks into PGPASSFILE and ~/.pgpass
        "HOST": host,
        "PORT": port,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,  # a page is not the first to find out that the server was started anew
        "OPTIONS": options | {"options": f"{options.get('options', '')} {_SESSION}".strip()},
    }
