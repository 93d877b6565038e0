"""Visitors' data are deleted when their time is over: the registration, the holder and what was booked. Records keep the holder's
reference, which then stands for nobody."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, ProtectedError, QuerySet
from django.db.models.functions import Coalesce

from central.bookings.models import Booking
from central.holders.models import Holder, RevokedPass
from central.holders.publishing import delete_all, save_all
from central.visitors.deciding import lapse
from central.visitors.models import KEEP_DAYS, Registration, VisitorPolicy

EVERY_S: Final = 60.0
AT_ONCE: Final = 500


def tidy(now: datetime) -> int:
    """Close what nobody answered, delete what is old; how many were deleted. Raises what the database raises."""
    lapse(now)
    days = dict(VisitorPolicy.objects.values_list("site", "keep_days"))
    sites = Registration.objects.order_by("site").values_list("site", flat=True).distinct()
    return sum(_erase(site, now - timedelta(days=days.get(site, KEEP_DAYS))) for site in sites)


@transaction.atomic
def _erase(site: str, before: datetime) -> int:
    old = _old(site, before)
    holders = [each.holder for each in old if each.holder is not None]
    _forget_in_log(holders)
    delete_all(list(Booking.objects.select_related("holder").filter(holder__in=holders)))
    delete_all(list(RevokedPass.objects.filter(site=site, pass_id__in=[each.pass_id for each in old if each.pass_id])))
    _delete_holders(holders)
    Registration.objects.filter(pk__in=[each.pk for each in old]).delete()
    return len(old)


def _old(site: str, before: datetime) -> list[Registration]:
    there: QuerySet[Registration] = Registration.objects.select_related("holder").filter(site=site)
    there = there.annotate(over_at=Coalesce(F("ends"), F("made_at"))).filter(over_at__lt=before)
    return list(there.order_by("pk")[:AT_ONCE])


def _delete_holders(holders: list[Holder]) -> None:
    """Those whom a clerk has given a card keep their reference, and lose their name."""
    for holder in holders:
        try:
            with transaction.atomic():
                holder.delete()
        except ProtectedError:
            holder.name = ""
            save_all((), [holder], ("name",))


def _forget_in_log(holders: list[Holder]) -> None:
    """The log of what clerks did names what it was done to."""
    kind = ContentType.objects.get_for_model(Holder)
    for holder in holders:
        LogEntry.objects.filter(content_type=kind, object_id=str(holder.pk)).update(object_repr=holder.reference)
