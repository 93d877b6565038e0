"""Rows of the road in the directory's tables: holders, cards, codes and revoked passes are looked up, so they have tables of
their own; all others are kept as they came, key → value.

A row that this version does not understand is kept as it came, too, under its table's name: so the state stays whole, and
nobody is let in by it. Fields that it does not know are passed over.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from gateway.directory import holder_row
from sync.contract.directory import NOBODY, Card, Code, Holder, PassId, Status
from sync.log.keyed import DIGEST_BYTES, Row, weight

Values = tuple[object, ...]


class Change(NamedTuple):
    """What a number of rows have done: the weights that came and went, the rows, and how many of them are not understood."""

    added: int = 0
    removed: int = 0
    rows: int = 0
    strange: int = 0

    def and_then(self, other: "Change") -> "Change":
        """Both, one after the other."""
        return Change(*(one + more for one, more in zip(self, other, strict=True)))


class _Table(NamedTuple):
    """A table of its own: its key's column, and its columns of a row, without the weight. Raises ValueError for what is
    no such row."""

    key: str
    read: Callable[[str, bytes], Values]


def _fields(value: bytes, kind: type[msgspec.Struct], **key: str) -> Any:
    given = msgspec.json.decode(value, type=dict[str, Any])
    return msgspec.convert({name: given[name] for name in kind.__struct_fields__ if name in given} | key, kind)


def _holder(key: str, value: bytes) -> Values:
    if key == NOBODY:
        raise ValueError("stands for nobody")
    return holder_row(_fields(value, Holder, holder=key))


def _card(key: str, value: bytes) -> Values:
    return msgspec.structs.astuple(_fields(value, Card, uid=key))


def _code(key: str, value: bytes) -> Values:
    return msgspec.structs.astuple(_fields(value, Code, sha256=key))


def _status(key: str, value: bytes) -> Values:
    return msgspec.structs.astuple(_fields(value, Status, holder=key))


def _revoked(key: str, _value: bytes) -> Values:
    return (msgspec.convert(key, PassId),)


_TABLES: Final = {
    "holder": _Table("holder", _holder),
    "card": _Table("uid", _card),
    "code": _Table("sha256", _code),
    "revoked": _Table("pass_id", _revoked),
    "status": _Table("holder", _status),
}


def put(connection: sqlite3.Connection, rows: Sequence[Row], *, fresh: bool = False) -> Change:
    """Write rows, in the caller's transaction. `fresh`: the tables held none of them before."""
    removed = 0 if fresh else sum(_remove(connection, row) for row in rows)
    added = strange = 0
    own: dict[str, list[Values]] = {}
    other: list[Values] = []
    for row in rows:
        if row.value is None:
            continue
        weighs = weight(row.table, row.key, row.value)
        added += weighs
        blob = weighs.to_bytes(DIGEST_BYTES)
        try:
            own.setdefault(row.table, []).append((*_TABLES[row.table].read(row.key, row.value), blob))
        except (KeyError, ValueError):  # msgspec's errors are ValueErrors
            strange += row.table in _TABLES
            other.append((_name(row), row.value, blob))
    for table, values in own.items():
        _insert(connection, table, values)
    _insert(connection, "other", other)
    return Change(added, removed, len(rows), strange)


def _remove(connection: sqlite3.Connection, row: Row) -> int:
    """Delete the row, wherever it is. Returns what it weighed."""
    places = [("other", "name", _name(row))]
    if row.table in _TABLES:
        places.append((row.table, _TABLES[row.table].key, row.key))
    weighed = 0
    for table, column, key in places:
        deleted = connection.execute(
            f"DELETE FROM {table} WHERE {column} = ? RETURNING weight",  # noqa: S608  the names are ours
            (key,),
        )
        weighed += sum(int.from_bytes(blob or b"") for (blob,) in deleted.fetchall())
    return weighed


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Values]) -> None:
    listed = list(rows)
    if listed:
        marks = ", ".join("?" for _ in listed[0])
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", listed)  # noqa: S608  the names are ours


def _name(row: Row) -> str:
    return f"{row.table}/{row.key}"
