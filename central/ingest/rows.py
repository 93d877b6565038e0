"""Many new rows of one table at once: COPY where the database is PostgreSQL, INSERT where it is SQLite.

Rows are named tuples of what the columns hold. A model's instance costs several times what the database takes for its row.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

from django.db import connection
from django.db.models import DateTimeField, Field, JSONField, Model


class Row(Protocol):
    """A NamedTuple whose names are those of a model's columns (`gate_id`, not `gate`)."""

    @property
    def _fields(self) -> tuple[str, ...]: ...

    def __iter__(self) -> Any: ...


def insert(model: type[Model], rows: Sequence[Row]) -> None:
    """Insert new rows, in this order, in the caller's transaction. A key that they do not name is the database's to give.

    No defaults, no signals; raises what the database raises, in Django's words."""
    if not rows:
        return
    table = _table(model, rows[0]._fields, connection.vendor)
    made = (_adapted(list(row), table.adapted) for row in rows)
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany(table.statement, made)  # type: ignore[arg-type]  # takes any iterable
            return
        # `copy` is psycopg's own, past Django's cursor: its errors are put into Django's words here
        with connection.wrap_database_errors, cursor.copy(table.statement) as copy:
            copy.set_types(table.types)
            for row in made:
                copy.write_row(row)


def new_keys(model: type[Model], count: int) -> Sequence[int]:
    """Keys for so many new rows: known beforehand, what refers to the rows can be written without asking for them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [_sequence(model), count])
            return [key for (key,) in cursor.fetchall()]
        # within a transaction nobody else writes; SQLite lets this table of its own be changed like any other
        name = model._meta.db_table
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s RETURNING seq", [count, name])
        found = cursor.fetchone()
        if found is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [name, count])
        last = count if found is None else found[0]
        return range(last - count + 1, last + 1)


class _Table(NamedTuple):
    """What there is to know of a table for rows of one kind. `types`: of the columns, for COPY; `adapted`: the positions of
    values that the database has in another form, and how they get it."""

    statement: str
    types: Sequence[int]
    adapted: Sequence[tuple[int, Callable[[Any], Any]]]


def _adapted(row: list[Any], adapted: Iterable[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    for position, adapt in adapted:
        row[position] = adapt(row[position])
    return row


@cache
def _sequence(model: type[Model]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [model._meta.db_table, str(model._meta.pk.column)])
        return str(cursor.fetchone()[0])


@cache
def _table(model: type[Model], names: tuple[str, ...], vendor: str) -> _Table:
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    quote = connection.ops.quote_name
    name = quote(model._meta.db_table)
    columns = ", ".join(quote(str(field.column)) for field in fields)
    adapted = [
        (position, adapt) for position, field in enumerate(fields) if (adapt := _adapter(field, vendor)) is not None
    ]
    if vendor != "postgresql":
        marks = ", ".join(["%s"] * len(fields))
        return _Table(f"INSERT INTO {name} ({columns}) VALUES ({marks})", (), adapted)  # noqa: S608  our own models', quoted
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {name} LIMIT 0")  # noqa: S608  as above
        types = [column.type_code for column in cursor.description]
    return _Table(f"COPY {name} ({columns}) FROM STDIN (FORMAT BINARY)", types, adapted)


def _adapter(field: "Field[Any, Any]", vendor: str) -> Callable[[Any], Any] | None:
    if isinstance(field, JSONField):
        adapt = connection.ops.adapt_json_value  # one look-up in the thread's connection, and not one for each row
        return lambda value: adapt(value, None)
    if isinstance(field, DateTimeField) and vendor != "postgresql":
        return connection.ops.adapt_datetimefield_value
    return None
