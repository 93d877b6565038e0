"""Many at once: one transaction, one change of each site's directory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.timezone import now as office_now

from central.bookings.models import Booking
from central.directory.models import Row as Standing
from central.directory.store import Difference, SiteSource, change, compare, hold, put
from central.duty.window import publish as publish_roster
from central.holders.models import KEPT, CountOrder, Kept, ModeOrder
from sync.contract.directory import Table
from sync.log.keyed import Mark, Row

AT_ONCE: Final = 1_000  # rows of one statement
_MADE_OTHERWISE: Final = frozenset({Table.DUTY, Table.ELSEWHERE})  # of what is about now, and of what gates say


def save_all(new: Sequence[Kept], changed: Sequence[Kept], fields: Sequence[str]) -> None:
    """Save objects of one model, whose keys are as they were, and tell their gates. `fields`: of those that changed; what
    else they say is as the database has it by now.

    What can be looked up is looked up before the transaction: SQLite lets nobody else write while it lasts."""
    update = _Update(changed, fields) if changed and fields else None
    foreseen = _foresee(new, changed, fields)
    with transaction.atomic():
        sites = _hold((*new, *changed))
        if new:
            type(new[0])._default_manager.bulk_create(new, batch_size=AT_ONCE)
        if update:
            update.write()
        now = office_now()
        missed = [site for site in sites if site not in foreseen or not put(foreseen[site], now)]
        if missed:
            told = [*_rows_of(new), *_rows_of(list(_read_again(changed)))]
            for site in missed:
                (new or changed)[0].tell(site, (row for of, row in told if of == site))


@transaction.atomic
def delete_all(objects: Sequence[Kept]) -> None:
    """Delete objects of one model, and tell their gates."""
    sites = _hold(objects)
    for some in _chunks(objects):
        type(some[0])._default_manager.filter(pk__in=[each.pk for each in some]).delete()
    gone = list(type(objects[0]).gone_of(objects)) if objects else []
    for site in sites:
        objects[0].tell(site, (row for of, row in gone if of == site))


@transaction.atomic
def rebuild(site: str) -> Mark:
    """Bring a site's directory to what is kept here: a repair. Where nothing differs, nothing changes. Returns its mark."""
    hold(site)
    rows: dict[tuple[str, str], Row] = {}
    models: tuple[type[Kept], ...] = (*KEPT, Booking, ModeOrder, CountOrder)
    for model in models:
        there = whole(model).filter(site=site).order_by("pk").iterator(chunk_size=2_000)
        for _, row in model.rows_of(there):
            rows[row.table, row.key] = row  # of orders the last one
    made_of_this = [table.value for table in Table if table not in _MADE_OTHERWISE]
    standing = Standing.objects.filter(directory=site, table__in=made_of_this).exclude(value=None)
    gone = [Row(table, key, None) for table, key in standing.values_list("table", "key") if (table, key) not in rows]
    change(site, [*gone, *rows.values()], office_now())
    return publish_roster(site, office_now())  # of which only what is about now stands there


def _rows_of(objects: Sequence[Kept]) -> Iterable[tuple[str, Row]]:
    return type(objects[0]).rows_of(objects) if objects else ()


def whole(model: type[Kept]) -> "QuerySet[Kept]":
    """All of a model, each with those whom its row names."""
    named = [field.name for field in model._meta.fields if field.is_relation]
    return model._default_manager.select_related(*named) if named else model._default_manager.all()


def _hold(objects: Iterable[Kept]) -> list[str]:
    """Hold the directories of these, always in the same order. Returns their sites."""
    sites = _sites(objects)
    for site in sites:
        hold(site)
    return sites


def _sites(objects: Iterable[Kept]) -> list[str]:
    return sorted({each.site for each in objects})


class _Update:
    """Fields to be written. Django's own bulk_update takes minutes for a register read in, in which nobody else can write."""

    def __init__(self, objects: Sequence[Kept], names: Sequence[str]) -> None:
        meta = type(objects[0])._meta
        fields = [field for field in meta.concrete_fields if field.name in names]
        columns = ", ".join(f"{connection.ops.quote_name(str(field.column))} = %s" for field in fields)
        self._statement = f"UPDATE {connection.ops.quote_name(meta.db_table)} SET {columns} WHERE id = %s"  # noqa: S608  ours
        self._values = [
            (*(field.get_db_prep_save(getattr(each, field.attname), connection) for field in fields), each.pk)
            for each in sorted(objects, key=lambda each: each.pk)
        ]

    def write(self) -> None:
        """Do it."""
        with connection.cursor() as cursor:
            cursor.executemany(self._statement, self._values)


def _foresee(new: Sequence[Kept], changed: Sequence[Kept], fields: Sequence[str]) -> dict[str, Difference]:
    """What will differ in each site's directory, unless that is changed meanwhile; nothing where rows are made of more than these."""
    if not (new or changed) or not (new or changed)[0].by_itself:
        return {}
    marks = {site: SiteSource(site).newest() for site in _sites((*new, *changed))}
    rows: dict[str, list[Row]] = {site: [] for site in marks}
    for site, row in (*_rows_of(new), *_rows_of(list(_as_saved(changed, fields)))):
        rows[site].append(row)
    return {site: compare(site, rows[site], mark) for site, mark in marks.items()}


def _as_saved(objects: Sequence[Kept], names: Sequence[str]) -> Iterator[Kept]:
    """These as they will be, read again: what is not written here may have changed since. (A holder's reference, which others' rows
    name, never changes.)"""
    wanted = {each.pk: each for each in objects}
    for there in _read_again(objects):
        for name in names:
            setattr(there, name, getattr(wanted[there.pk], name))
        yield there


def _read_again(objects: Sequence[Kept]) -> Iterator[Kept]:
    """These as they are now. Somebody may have changed what is not written here, or deleted them, since they were read."""
    for some in _chunks(objects):
        yield from whole(type(some[0])).filter(pk__in=[each.pk for each in some])


def _chunks(objects: Sequence[Kept]) -> Iterator[Sequence[Kept]]:
    for start in range(0, len(objects), AT_ONCE):
        yield objects[start : start + AT_ONCE]
