"""The slots of a day, and who booked which time; as gates are told it: one row of the directory for each holder."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import localtime
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.days import FIRST_DAY, LAST_DAY
from central.holders.models import SITE, Fault, Holder, Kept
from sync.contract.directory import Table
from sync.log.keyed import Row

MOST_OF_ONE: Final = 64  # bookings of one holder that lie ahead, as a gate takes
LONGEST: Final = timedelta(hours=24)
TOGETHER: Final = 500  # holders looked up by one statement
EVERY_DAY, WORKDAYS, WEEKEND = "every", "work", "weekend"
DAYS: Final = [(EVERY_DAY, _("every day")), (WORKDAYS, _("Monday to Friday")), (WEEKEND, _("Saturday and Sunday"))]
_encode = msgspec.json.Encoder(order="deterministic").encode


class TimeSlot(models.Model):
    """A slot of a site's day, and how many may book it. Where a site has none, any time may be booked by any number."""

    site = models.CharField(_("site"), max_length=32, validators=[SITE])
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("until"), help_text=_("on the same day"))
    days = models.CharField(_("days"), max_length=8, choices=DAYS, default=EVERY_DAY)
    places = models.PositiveIntegerField(_("places"), validators=[MinValueValidator(1), MaxValueValidator(1_000_000)])

    class Meta:
        verbose_name, verbose_name_plural = _("time slot"), _("time slots")
        ordering: ClassVar = ["site", "begins", "ends"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "begins", "ends", "days"], name="one_time_slot")
        ]

    def __str__(self) -> str:
        return f"{self.site} {self.begins:%H:%M}–{self.ends:%H:%M}"

    def clean(self) -> None:
        """What a single field cannot tell."""
        if self.begins and self.ends and self.ends <= self.begins:
            raise ValidationError({"ends": _("is not after the begin")})

    def is_on(self, day: date) -> bool:
        """Whether there is such a slot on that day."""
        return self.days == EVERY_DAY or (self.days == WEEKEND) is (day.isoweekday() >= 6)


class Booking(Kept):
    """A time that a holder has booked. `over`: it has ended, and gates are told of it no more."""

    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="bookings", verbose_name=_("holder"))
    begins = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))
    over = models.BooleanField(_("ended"), default=False, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("booking"), _("bookings")
        ordering: ClassVar = ["-begins", "holder__reference"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "holder", "begins"], name="one_booking")]
        indexes: ClassVar = [models.Index(fields=["site", "ends"], name="booking_ends")]

    def __str__(self) -> str:
        return f"{self.holder.reference} {localtime(self.begins):%Y-%m-%d %H:%M}–{localtime(self.ends):%H:%M}"

    def faults(self) -> Iterator[Fault]:
        """Of another site's holder, and times."""
        if self.holder_id and self.holder.site != self.site:
            yield "holder", _("belongs to another site")
        for name, moment in (("begins", self.begins), ("ends", self.ends)):
            if moment is not None and not FIRST_DAY < moment.date() < LAST_DAY:
                yield name, _("lies before 2000 or after 2999")
        if self.begins and self.ends and not timedelta() < self.ends - self.begins <= LONGEST:
            yield "ends", _("is not within 24 hours after the begin")

    def clean(self) -> None:
        """Whether it has ended, too."""
        super().clean()
        self.over = bool(self.ends and self.ends <= office_now())

    @classmethod
    def rows_of(cls, objects: Iterable[Kept]) -> Iterator[tuple[str, Row]]:
        """The rows of their holders, as the database has them now: a row holds all that a holder has booked."""
        holders = {each.holder_id: (each.site, each.holder.reference) for each in objects if isinstance(each, cls)}
        names = list(holders)
        for start in range(0, len(names), TOGETHER):
            some = names[start : start + TOGETHER]
            slots = _slots(cls.objects.filter(holder__in=some, over=False))
            for holder in some:
                site, reference = holders[holder]
                yield site, _row(reference, slots.get(holder, ()))

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.Booking`."""
        return next(row for _, row in self.rows_of([self]))

    @property
    def gone(self) -> Row:
        """What is left where this is no longer in the database."""
        return self.row


def _slots(bookings: "models.QuerySet[Booking]") -> dict[int, list[tuple[datetime, datetime]]]:
    found: dict[int, list[tuple[datetime, datetime]]] = {}
    for holder, begins, ends in bookings.order_by("begins").values_list("holder", "begins", "ends"):
        found.setdefault(holder, []).append((begins, ends))
    return found


def _row(reference: str, slots: Sequence[tuple[datetime, datetime]]) -> Row:
    if not slots:
        return Row(Table.BOOKING.value, reference, None)
    told: list[dict[str, Any]] = [
        {"begins_s": int(begins.timestamp()), "ends_s": int(ends.timestamp())} for begins, ends in slots[:MOST_OF_ONE]
    ]
    return Row(Table.BOOKING.value, reference, _encode({"slots": told}))
