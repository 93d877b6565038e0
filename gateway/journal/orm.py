"""peewee as a gate needs it: with SQLite alone.

peewee imports psycopg wherever it is installed, as it is where gate and office share an environment (a developer's, the
demo's): 9 MB and 0.2 s for a driver that no gate has a use for. So while peewee is imported, there is none.
"""

import sys

_LOADED = sys.modules.get("psycopg")  # by an office in the same process, as in tests: it is left alone
if _LOADED is None:
    sys.modules["psycopg"] = None  # type: ignore[assignment]  # the import system's own word for "not to be had"
try:
    from peewee import BlobField, IntegerField, Model, PeeweeException, SchemaManager, SqliteDatabase, TextField
finally:
    if _LOADED is None:
        del sys.modules["psycopg"]

__all__ = ["BlobField", "IntegerField", "Model", "PeeweeException", "SchemaManager", "SqliteDatabase", "TextField"]
