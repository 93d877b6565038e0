"""Many at once: one transaction, one change of each site's directory."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from django.db import transaction
from django.utils.timezone import now as office_now

from central.directory.models import Row as Standing
from central.directory.store import change
from central.holders.models import KEPT, CountOrder, Kept, ModeOrder
from sync.log.keyed import Mark, Row

AT_ONCE = 1_000  # rows of one statement


@transaction.atomic
def save_all(new: Sequence[Kept], changed: Sequence[Kept], fields: Sequence[str]) -> None:
    """Save objects of one model, whose keys are as they were, and tell their gates."""
    if new:
        type(new[0])._default_manager.bulk_create(new, batch_size=AT_ONCE)
    if changed:
        type(changed[0])._default_manager.bulk_update(changed, fields, batch_size=AT_ONCE)
    _tell((each.site, each.row) for each in (*new, *changed))


@transaction.atomic
def delete_all(objects: Sequence[Kept]) -> None:
    """Delete objects of one model, and tell their gates."""
    gone = [(each.site, each.gone) for each in objects]
    if objects:
        type(objects[0])._default_manager.filter(pk__in=[each.pk for each in objects]).delete()
    _tell(gone)


@transaction.atomic
def rebuild(site: str) -> Mark:
    """Bring a site's directory to what is kept here: a repair. Where nothing differs, nothing changes. Returns its mark."""
    rows: dict[tuple[str, str], Row] = {}
    models: tuple[type[Kept], ...] = (*KEPT, ModeOrder, CountOrder)
    for model in models:
        for each in model._default_manager.filter(site=site).order_by("pk").iterator(chunk_size=2_000):
            rows[each.row.table, each.row.key] = each.row  # of orders the last one
    own = {row.table for row in rows.values()} | {
        "holder",
        "card",
        "code",
        "revoked",
        "status",
        "policy",
        "phrase",
        "mode",
        "count",
    }
    standing = Standing.objects.filter(directory=site, table__in=own).exclude(value=None)
    gone = [Row(table, key, None) for table, key in standing.values_list("table", "key") if (table, key) not in rows]
    return change(site, [*gone, *rows.values()], office_now())


def _tell(rows: Iterable[tuple[str, Row]]) -> None:
    for site, some in groupby(sorted(rows, key=lambda each: each[0]), key=lambda each: each[0]):
        change(site, [row for _, row in some], office_now())
