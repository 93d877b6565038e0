"""Rows into a site's directory, and out of it for its gates: `sync.log.publisher.Source` over the database."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from django.db import connection, transaction

from central.directory.models import Directory, Row, Version
from sync.log.keyed import NOTHING, Mark, moved, weight
from sync.log.keyed import Row as Sent

TOGETHER: Final = 400  # rows looked up by one statement
_PUT: Final = (  # Django's own bulk_create takes ten times as long for a register read in
    f'INSERT INTO {Row._meta.db_table} (directory_id, "table", key, value, version) VALUES (%s, %s, %s, %s, %s) '  # noqa: S608  ours
    'ON CONFLICT (directory_id, "table", key) DO UPDATE SET value = excluded.value, version = excluded.version'
)
T = TypeVar("T")


class Difference(NamedTuple):
    """The rows that differ from a site's directory in the state `mark`, in their order, and the weights that come and go with them.
    `tables`: of all that were compared."""

    site: str
    mark: Mark
    tables: frozenset[str]
    rows: Sequence[Sent]
    added: int
    removed: int


def compare(site: str, rows: Iterable[Sent], mark: Mark) -> Difference:
    """What these would change; of the same row, the last one counts. `mark`: the directory's, read before all that the rows are made of:
    as long as nothing in their tables is newer, none of that has changed."""
    news: list[Sent] = []
    tables: set[str] = set()
    added = removed = 0
    for some in _chunks({(row.table, row.key): row for row in rows}.values()):
        before = _values(site, some)
        found = [row for row in some if row.value != before.get((row.table, row.key))]
        added += sum(_weight(row, row.value) for row in found)
        removed += sum(_weight(row, before.get((row.table, row.key))) for row in found)
        news += found
        tables.update(row.table for row in some)
    # In the index's order a large change touches each page once, and not once for each row.
    ordered = sorted(news, key=lambda row: (row.table, row.key))
    return Difference(site, mark, frozenset(tables), ordered, added, removed)


@transaction.atomic
def change(site: str, rows: Iterable[Sent], now: datetime) -> Mark:
    """Write rows; of the same row, the last one counts. Returns the newest mark: another version where something differs from
    what was there, and the same one else."""
    directory = _held(site)
    return _put(directory, compare(site, rows, _mark(directory)), now)


@transaction.atomic
def put(difference: Difference, now: datetime) -> bool:
    """Write what was compared before the directory was held. Whether that could be: not where a row of the same tables has changed
    since. Others may have: how full the place is changes every few seconds."""
    directory = _held(difference.site)
    if not _stands(directory, difference):
        return False
    _put(directory, difference, now)
    return True


def hold(site: str) -> None:
    """Hold a site's directory until the transaction ends. Whoever changes what its rows are made of does so before, so that row
    and model are of the same moment, and no two ever wait for each other."""
    _held(site)


@transaction.atomic
def open_epoch(site: str, above: int, now: datetime) -> Mark:
    """A new version of the same rows, in an epoch above this one: gates hold a state that this office has forgotten."""
    directory = _held(site)
    return _move(directory, max(above, directory.epoch) + 1, bytes(directory.digest), now)


class SiteSource:
    """One site's directory, for a publisher."""

    def __init__(self, site: str) -> None:
        self._site = site

    def newest(self) -> Mark:
        """The state as it is."""
        directory = Directory.objects.filter(pk=self._site).first()
        return NOTHING if directory is None else _mark(directory)

    def had(self, mark: Mark) -> bool:
        """Whether this was a state here."""
        version = Version.objects.filter(directory=self._site, version=mark.version).first()
        return version is not None and Mark(version.epoch, version.version, bytes(version.digest)) == mark

    def some(self, tables: Sequence[str], keys: Sequence[str]) -> tuple[Mark, int, Sequence[Sent]]:
        """The newest mark, the version of the last change to a row of these tables and keys (0: there is none), and those rows.
        All as of one moment."""
        rows = Row.objects.filter(directory=self._site, table__in=tables, key__in=keys).select_related("directory")
        found = list(rows)  # one statement: mark and rows are of the same moment
        if not found:
            return NOTHING, 0, ()
        sent = [Sent(row.table, row.key, None if row.value is None else bytes(row.value)) for row in found]
        return _mark(found[0].directory), max(row.version for row in found), sent

    @transaction.atomic
    def changed(self, base: Mark) -> tuple[Mark, Iterable[Sent]]:
        """The newest mark, and each row that has changed since `base`; all rows from NOTHING."""
        directory = _held(self._site)  # nobody changes it between the two
        rows = Row.objects.filter(directory=directory, version__gt=base.version).order_by("table", "key")
        if base == NOTHING:
            rows = rows.exclude(value=None)
        found = rows.values_list("table", "key", "value").iterator(chunk_size=2_000)
        return _mark(directory), [
            Sent(table, key, None if value is None else bytes(value)) for table, key, value in found
        ]


def _held(site: str) -> Directory:
    """The site's directory, held until the transaction ends."""
    Directory.objects.get_or_create(pk=site, defaults={"digest": NOTHING.digest})
    return Directory.objects.select_for_update().get(pk=site)


def _mark(directory: Directory) -> Mark:
    return Mark(directory.epoch, directory.version, bytes(directory.digest)) if directory.version else NOTHING


def _move(directory: Directory, epoch: int, digest: bytes, now: datetime) -> Mark:
    directory.epoch, directory.version, directory.digest = epoch, directory.version + 1, digest
    directory.save(update_fields=["epoch", "version", "digest"])
    Version.objects.create(directory=directory, epoch=epoch, version=directory.version, digest=digest, made_at=now)
    return _mark(directory)


def _weight(row: Sent, value: bytes | None) -> int:
    """What the row adds with this value; a deleted one adds nothing."""
    return 0 if value is None else weight(row.table, row.key, value)


def _values(site: str, rows: Sequence[Sent]) -> dict[tuple[str, str], bytes | None]:
    """What stands in the places of these rows."""
    there = Row.objects.filter(directory=site, key__in={row.key for row in rows})
    there = there.filter(table__in={row.table for row in rows})
    found = there.values_list("table", "key", "value")
    return {(table, key): None if value is None else bytes(value) for table, key, value in found}


def _stands(directory: Directory, difference: Difference) -> bool:
    """Whether what was compared is still as it was. Within an epoch versions rise, and each change leaves its own at its rows."""
    if _mark(directory) == difference.mark:
        return True
    since = Row.objects.filter(directory=directory, table__in=difference.tables, version__gt=difference.mark.version)
    return directory.epoch == difference.mark.epoch and not since.exists()


def _put(directory: Directory, difference: Difference, now: datetime) -> Mark:
    if not difference.rows:
        return _mark(directory)
    _write(directory, difference.rows, directory.version + 1)
    digest = moved(bytes(directory.digest), added=difference.added, removed=difference.removed)
    return _move(directory, directory.epoch, digest, now)


def _write(directory: Directory, rows: Sequence[Sent], version: int) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_PUT, [(directory.pk, row.table, row.key, row.value, version) for row in rows])


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, TOGETHER)):
        yield chunk
