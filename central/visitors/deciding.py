"""Whether a visitor comes in: what is decided about a registration, once, and what follows from it.

Approved, a visitor becomes a holder of the site's directory, with the registration done, and has a pass with an end. Where a time
slot was asked for, it is booked for them, and the pass begins with it. All of it in one transaction, with the directory.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.timezone import localtime

from central.accounts.models import User
from central.bookings.models import Booking
from central.bookings.places import Booked, ledger, whole_days
from central.directory.store import hold
from central.holders.models import Holder, RevokedPass
from central.visitors.issuing import visitor_pass
from central.visitors.models import APPROVED, LAPSED, LAPSES_AFTER, REFUSED, WAITING, Registration, VisitorPolicy
from sync.contract.colours import PassType

HOURS: Final = 12  # where the site has no policy any more


@transaction.atomic
def approve(pk: int, by: User | None, now: datetime) -> bool:
    """Let them in; False where it was decided already, or nobody has answered for too long. `by`: None = the site's policy. Raises
    KeyFileError without a key to sign with, ValidationError where the slot that was asked for is full by now."""
    site = Registration.objects.filter(pk=pk).values_list("site", flat=True).first()
    if site is None:
        return False
    hold(site)  # before the registration, as everybody does
    found = _waiting(pk, now)
    if found is None:
        return False
    begins, ends = _when(found, now)
    holder = _holder(found, ends)
    if found.slot_begins is not None and found.slot_ends is not None:
        _book(holder, found.slot_begins, found.slot_ends)
    found.pass_id, found.pass_text = visitor_pass(site, holder.reference, begins, ends)
    found.holder, found.begins, found.ends = holder, begins, ends
    _decided(found, APPROVED, by, now)
    return True


@transaction.atomic
def refuse(pk: int, by: User | None, now: datetime) -> bool:
    """Do not let them in; False as `approve`."""
    found = _waiting(pk, now)
    if found is None:
        return False
    _decided(found, REFUSED, by, now)
    return True


@transaction.atomic
def end(pk: int, by: User | None, now: datetime) -> bool:
    """Their pass is good no longer, from now on and at every gate; False where it had none, or it was over."""
    site = Registration.objects.filter(pk=pk).values_list("site", flat=True).first()
    if site is None:
        return False
    hold(site)
    found = Registration.objects.select_for_update().filter(pk=pk).first()
    if found is None or found.stands(now) != APPROVED:
        return False
    RevokedPass.objects.create(site=site, pass_id=found.pass_id, note="" if by is None else by.get_username())
    found.ends = now
    found.save(update_fields=["ends"])
    return True


def lapse(now: datetime) -> int:
    """Close what nobody has answered for too long; how many that were."""
    late = Registration.objects.filter(state=WAITING, made_at__lt=now - LAPSES_AFTER)
    return late.update(state=LAPSED, decided_at=now)


def _waiting(pk: int, now: datetime) -> Registration | None:
    found = Registration.objects.select_for_update().filter(pk=pk).first()
    return found if found is not None and found.stands(now) == WAITING else None


def _when(found: Registration, now: datetime) -> tuple[datetime, datetime]:
    policy = VisitorPolicy.objects.filter(site=found.site).first()
    begins = now if found.slot_begins is None else max(now, found.slot_begins)
    return begins, begins + timedelta(hours=HOURS if policy is None else policy.hours)


def _holder(found: Registration, ends: datetime) -> Holder:
    holder = Holder(
        site=found.site,
        reference=f"v-{secrets.token_hex(6)}",
        name=found.name,
        pass_type=PassType.VISITOR.value,
        valid_until=localtime(ends).date(),  # the pass itself ends by the minute
        registered=True,
    )
    holder.save()
    return holder


def _book(holder: Holder, begins: datetime, ends: datetime) -> None:
    ledger(holder.site, *whole_days(begins, ends)).add(Booked(holder.pk, begins, ends))
    Booking.objects.create(site=holder.site, holder=holder, begins=begins, ends=ends)


def _decided(found: Registration, state: str, by: User | None, now: datetime) -> None:
    found.state, found.decided_by, found.decided_at = state, by, now
    found.save()
