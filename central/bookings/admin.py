"""The pages of slots and bookings."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import localdate
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from central.bookings.models import MOST_OF_ONE, Booking, TimeSlot
from central.bookings.places import Booked, Ledger, ledger, whole_days
from central.directory.store import hold
from central.holders.admin import KeptAdmin
from central.holders.filters import Ahead
from central.holders.site import office_admin


@admin.register(TimeSlot, site=office_admin)
class TimeSlotAdmin(KeptAdmin):
    """Slots, and how full they are today and tomorrow."""

    list_display = ("begins", "ends", "days", "places", "today", "tomorrow", "site")
    list_filter = ("site",)

    def delete_queryset(self, _request: HttpRequest, queryset: Any) -> None:
        """No gate is told of slots."""
        queryset.delete()

    @admin.display(description=_("left today"))
    def today(self, slot: TimeSlot) -> str:
        """Places."""
        return _left(slot, 0)

    @admin.display(description=_("left tomorrow"))
    def tomorrow(self, slot: TimeSlot) -> str:
        """Places."""
        return _left(slot, 1)


class BookingForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own forms are not generic while they run
    """A booking, in a slot that is not full."""

    class Meta:
        model = Booking
        fields = ("site", "holder", "begins", "ends")

    def clean(self) -> dict[str, Any] | None:
        """Whether there is a place. The site is held from then until it is saved, in the page's own transaction: of two clerks who look at
        the last place, the second sees that it is taken."""
        cleaned = super().clean()
        begins, ends, holder = (self.cleaned_data.get(name) for name in ("begins", "ends", "holder"))
        holder = holder or (self.instance.holder if self.instance.holder_id else None)
        if begins and ends and holder and begins < ends and ends - begins <= timedelta(hours=24):
            site = self.cleaned_data.get("site") or self.instance.site
            for each in sorted({site, self.instance.site} - {""}):
                hold(each)
            _check_number(self.instance.pk, holder.pk)
            there = ledger(site, *whole_days(begins, ends), without={self.instance.pk})
            there.add(Booked(holder.pk, begins, ends))
        return cleaned


def _check_number(booking: int | None, holder: int) -> None:
    there = Booking.objects.filter(holder=holder, over=False).exclude(pk=booking or 0)
    if there.count() >= MOST_OF_ONE:
        raise forms.ValidationError(_("has booked %(most)d times already"), params={"most": MOST_OF_ONE})


@admin.register(Booking, site=office_admin)
class BookingAdmin(KeptAdmin):
    """Bookings."""

    form = BookingForm
    keys = ("holder",)
    list_display = ("holder", "begins", "ends", "over", "site")
    list_filter = ("site", Ahead)
    search_fields = ("holder__reference", "holder__name")
    autocomplete_fields = ("holder",)
    list_select_related = ("holder",)
    date_hierarchy = "begins"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and tell what is left there."""
        super().save_model(request, obj, form, change)
        wanted = Booked(obj.holder_id, obj.begins, obj.ends)
        for offer in ledger(obj.site, *whole_days(obj.begins, obj.ends)).left(wanted):
            told = {"slot": offer, "left": offer.left, "places": offer.places}
            self.message_user(request, _now("%(slot)s: %(left)d of %(places)d places are left") % told)


def _left(slot: TimeSlot, days: int) -> str:
    day = localdate() + timedelta(days=days)
    if not slot.is_on(day):
        return "—"
    left = _of(slot).offers(day)[0].left
    return f"{'✕ ' if not left else ''}{left} / {slot.places}"


def _of(slot: TimeSlot) -> Ledger:
    """Of this slot alone, looked up once for both cells of a row."""
    there: Ledger | None = slot.__dict__.get("_ledger")
    if there is None:
        now = office_now()
        since, until = whole_days(now, now + timedelta(days=1))
        rows = Booking.objects.filter(site=slot.site, begins__lt=until, ends__gt=since)
        booked = (Booked(*each) for each in rows.values_list("holder", "begins", "ends"))
        there = slot.__dict__["_ledger"] = Ledger([slot], booked)
    return there
