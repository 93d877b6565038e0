"""What a directory need not remember: versions and deleted rows of long ago. A gate that was away for longer gets a snapshot."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from central.directory.models import Directory, Row, Version

KEPT: Final = timedelta(days=90)
AT_ONCE: Final = 5_000  # rows deleted by one statement


def trim(now: datetime) -> int:
    """Forget what is older than `KEPT`. Returns how many rows and versions that was. Raises what the database raises.

    The version that a directory had then is kept, and everything after it: whoever says that it has one of these is sent what has
    changed since, and whoever has an older one, everything."""
    return sum(_trim_one(site, now - KEPT) for site in Directory.objects.values_list("pk", flat=True))


@transaction.atomic
def _trim_one(site: str, before: datetime) -> int:
    directory = Directory.objects.select_for_update().get(pk=site)
    standing = Version.objects.filter(directory=directory, made_at__lt=before).order_by("-version").first()
    if standing is None:
        return 0
    old = Version.objects.filter(directory=directory, version__lt=standing.version).order_by("version")
    gone, _ = Version.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()
    if old.exists():
        return gone  # the rows of versions that are still told of must stay
    rows = Row.objects.filter(directory=directory, value=None, version__lte=standing.version)
    deleted, _ = Row.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:AT_ONCE])).delete()
    return gone + deleted
