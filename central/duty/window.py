"""Which shifts the gates are told: those of about now. Time moves on without anybody saving anything, so it is looked
at again beside ingest."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from central.directory.models import Row as Standing
from central.directory.store import change, hold
from central.duty.models import DutyShift
from sync.contract.directory import Table
from sync.log.keyed import Mark, Row

EVERY_S: Final = 60.0
PAST: Final = timedelta(hours=12)
AHEAD: Final = timedelta(days=7)
MOST: Final = 200  # of one site


def near(site: str, now: datetime) -> QuerySet[DutyShift]:
    """Those that the gates may be told: not over for long, and not far ahead."""
    return DutyShift.objects.filter(site=site, ends_at__gt=now - PAST, begins_at__lt=now + AHEAD)


def told(site: str, now: datetime) -> list[DutyShift]:
    """Those that the gates are told. Of more than are sent, those that go on now or begin next count before what is over."""
    coming = list(near(site, now).filter(ends_at__gt=now).order_by("begins_at", "pk")[:MOST])
    over = near(site, now).filter(ends_at__lte=now).order_by("-ends_at", "pk")
    return coming + list(over[: MOST - len(coming)])


@transaction.atomic
def publish(site: str, now: datetime) -> Mark:
    """Bring the duty rows of a site's directory to what they are to be now. Where nothing differs, nothing changes."""
    hold(site)
    rows = {row.key: row for row in (shift.row for shift in told(site, now))}
    gone = [
        Row(Table.DUTY.value, key, None) for key in _standing().filter(directory=site).values_list("key", flat=True)
    ]
    return change(site, [*(row for row in gone if row.key not in rows), *rows.values()], now)


def refresh(now: datetime) -> None:
    """The same of every site that has a roster. Raises what the database raises."""
    sites = set(DutyShift.objects.filter(ends_at__gt=now - PAST).values_list("site", flat=True))
    for site in sorted(sites | set(_standing().values_list("directory", flat=True))):
        publish(site, now)


def _standing() -> QuerySet[Standing]:
    return Standing.objects.filter(table=Table.DUTY.value).exclude(value=None)
