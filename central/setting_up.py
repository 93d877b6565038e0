"""What every command of the office does first: set Django up, and see whether the tables are there."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

P = ParamSpec("P")
R = TypeVar("R")


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "central.settings")
    try:
        django.setup()
    except ValueError as error:  # a time zone or log level that does not exist
        raise click.ClickException(f"{error} (from the environment: see `menshen office check --help`)") from error


def with_django(command: Callable[P, R]) -> Callable[P, R]:
    """Set Django up when the command runs, not when its help is shown; what the disk refuses is told in one line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        _set_up()
        from django.db import DatabaseError

        try:
            return command(*args, **kwargs)
        except OSError as error:
            raise click.ClickException(str(error)) from error
        except DatabaseError as error:
            raise click.ClickException(_refused(error)) from error

    return run


def with_database(command: Callable[P, R]) -> Callable[P, R]:
    """The same, for commands that need the office's tables."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        problem = unmigrated()
        if problem:
            raise click.ClickException(problem)
        return command(*args, **kwargs)

    return with_django(run)


def database() -> str:
    """What the database is called when people are told of it."""
    from django.db import connection

    from central.database import database_name

    return database_name(connection.settings_dict)


def _refused(error: Exception) -> str:
    """What the database said, on one line, and where to look."""
    from django.db import OperationalError, connection

    from central.database import VARIABLE

    said = f"{database()}: {' '.join(str(error).split()).rstrip('.?')}"
    unreachable = (
        connection.vendor == "postgresql" and isinstance(error, OperationalError) and not connection.connection
    )
    return f"{said}. Does the server run, and is {VARIABLE} right?" if unreachable else said


def unmigrated() -> str:
    """What is wrong with the database's tables and what to do about it; "" when nothing is."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    name = database()
    if connection.vendor == "sqlite" and not Path(name).exists():
        return f"{name} does not exist: run `menshen office migrate` (MENSHEN_OFFICE_DIR names the folder)"
    executor = MigrationExecutor(connection)
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{name} lacks {len(steps)} change(s) of this version: run `menshen office migrate`" if steps else ""
