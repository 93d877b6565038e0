"""How many places are left in which slot. A booking takes a place in every slot that it touches."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext as _

from central.bookings.models import MOST_OF_ONE, Booking, TimeSlot


class Booked(NamedTuple):
    """A booking, or one that is wanted."""

    holder: int
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot of a certain day. `left`: places."""

    begins: datetime
    ends: datetime
    places: int
    left: int

    def __str__(self) -> str:
        return f"{localtime(self.begins):%m-%d %H:%M}–{localtime(self.ends):%H:%M}"


class Ledger:
    """What is booked at a site, and what may be."""

    def __init__(self, slots: Iterable[TimeSlot], booked: Iterable[Booked]) -> None:
        self._slots = list(slots)
        self._taken: Counter[tuple[int, date]] = Counter()
        self._of_holder: Counter[int] = Counter()
        for each in booked:
            self._count(each, 1)

    def add(self, wanted: Booked) -> None:
        """Book it. Raises ValidationError where a slot is full, or its holder has booked too much."""
        if self._of_holder[wanted.holder] >= MOST_OF_ONE:
            raise ValidationError(_("has booked %(most)d times already") % {"most": MOST_OF_ONE})
        for slot, day in self._touched(wanted):
            taken = self._taken[slot.pk, day]
            if taken >= slot.places:
                raise ValidationError(
                    _("%(day)s %(begins)s–%(ends)s is full: %(taken)d of %(places)d places are taken")
                    % {**_named(slot, day), "taken": taken, "places": slot.places}
                )
        self._count(wanted, 1)

    def take_back(self, booked: Booked) -> None:
        """It is booked no longer."""
        self._count(booked, -1)

    def offers(self, day: date) -> list[Offer]:
        """The slots of a day, in their order."""
        return [
            Offer(*_span(slot, day), slot.places, max(0, slot.places - self._taken[slot.pk, day]))
            for slot in self._slots
            if slot.is_on(day)
        ]

    def left(self, booked: Booked) -> list[Offer]:
        """The slots that a booking touches, with what is left there."""
        return [
            Offer(*_span(slot, day), slot.places, max(0, slot.places - self._taken[slot.pk, day]))
            for slot, day in self._touched(booked)
        ]

    def _count(self, booked: Booked, by: int) -> None:
        self._of_holder[booked.holder] += by
        for slot, day in self._touched(booked):
            self._taken[slot.pk, day] += by

    def _touched(self, booked: Booked) -> Iterator[tuple[TimeSlot, date]]:
        day, last = localtime(booked.begins).date(), localtime(booked.ends).date()
        while day <= last:
            for slot in self._slots:
                begins, ends = _span(slot, day)
                if slot.is_on(day) and booked.begins < ends and booked.ends > begins:
                    yield slot, day
            day += timedelta(days=1)


def ledger(site: str, since: datetime, until: datetime | None = None, *, without: Collection[int] = ()) -> Ledger:
    """Of a site, with the bookings that touch this time. `without`: bookings that are about to change. Raises what the
    database raises."""
    there = Booking.objects.filter(site=site, ends__gt=since)
    there = there if until is None else there.filter(begins__lt=until)
    rows = there.values_list("pk", "holder", "begins", "ends")
    booked = (Booked(holder, begins, ends) for pk, holder, begins, ends in rows if pk not in without)
    return Ledger(TimeSlot.objects.filter(site=site), booked)


def whole_days(begins: datetime, ends: datetime) -> tuple[datetime, datetime]:
    """From the first to the last moment of the days that a time touches."""
    first, last = localtime(begins).date(), localtime(ends).date() + timedelta(days=1)
    zone = get_default_timezone()
    return datetime.combine(first, time(), zone), datetime.combine(last, time(), zone)


def _span(slot: TimeSlot, day: date) -> tuple[datetime, datetime]:
    zone = get_default_timezone()
    return datetime.combine(day, slot.begins, zone), datetime.combine(day, slot.ends, zone)


def _named(slot: TimeSlot, day: date) -> dict[str, str]:
    return {"day": f"{day:%Y-%m-%d}", "begins": f"{slot.begins:%H:%M}", "ends": f"{slot.ends:%H:%M}"}
