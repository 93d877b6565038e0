"""Bookings that have ended: gates are told of them no more, and after a while they are forgotten here."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from central.bookings.models import Booking
from central.holders.publishing import save_all

EVERY_S: Final = 60.0
KEPT: Final = timedelta(days=30)
AT_ONCE: Final = 2_000


@transaction.atomic
def tidy(now: datetime) -> int:
    """Take away what is over; how many that were. Raises what the database raises."""
    ended = list(Booking.objects.select_related("holder").filter(over=False, ends__lte=now).order_by("pk")[:AT_ONCE])
    for each in ended:
        each.over = True
    save_all((), ended, ("over",))
    Booking.objects.filter(over=True, ends__lt=now - KEPT).delete()  # no row holds them any more
    return len(ended)
