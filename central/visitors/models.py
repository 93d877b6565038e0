"""What a site wants of its visitors, the signs at its gates, and who has registered by them."""

import secrets
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from central.holders.models import SITE, Holder
from central.registry.models import Gate

CLOSED, ASK, AUTO = "closed", "ask", "auto"
DECIDES: Final = [
    (CLOSED, _("nobody registers by phone")),
    (ASK, _("a clerk or guard decides")),
    (AUTO, _("everybody who registers is let in")),
]
VISIT, DELIVERY, WORK, OTHER = "visit", "delivery", "work", "other"
PURPOSES: Final = [(VISIT, _("Visit")), (DELIVERY, _("Delivery")), (WORK, _("Work, repair")), (OTHER, _("Other"))]
WAITING, APPROVED, REFUSED, LAPSED = "waiting", "approved", "refused", "lapsed"
STATES: Final = [
    (WAITING, _("Waiting")),
    (APPROVED, _("Approved")),
    (REFUSED, _("Refused")),
    (LAPSED, _("Nobody answered")),
]
LAPSES_AFTER: Final = timedelta(hours=2)
KEEP_DAYS: Final = 14


class VisitorPolicy(models.Model):
    """What a site wants. Where a site has none, nobody registers by phone."""

    site = models.CharField(_("site"), max_length=32, unique=True, validators=[SITE])
    shown_name = models.CharField(_("name that visitors read"), max_length=60, blank=True)
    decides = models.CharField(_("who decides"), max_length=8, choices=DECIDES, default=ASK)
    hours = models.PositiveSmallIntegerField(
        _("hours that a pass is good for"), default=12, validators=[MinValueValidator(1), MaxValueValidator(72)]
    )
    keep_days = models.PositiveSmallIntegerField(
        _("days until a visitor's data are deleted"),
        default=KEEP_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("counted from the end of the pass"),
    )
    asks_slot = models.BooleanField(_("asks for a time slot"), default=False)
    bays = models.CharField(
        _("bays for deliveries"), max_length=200, blank=True, help_text=_("separated by spaces, such as A1 A2 B1")
    )
    address = models.CharField(
        _("address that phones reach this office by"),
        max_length=200,
        blank=True,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("such as https://office.example; empty: the one that this page was opened by"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("registration by phone"), _("registration by phone")
        ordering: ClassVar = ["site"]

    def __str__(self) -> str:
        return self.site

    @property
    def named(self) -> str:
        """As visitors know the place."""
        return self.shown_name or self.site


class GateSign(models.Model):
    """The sign that hangs at a gate. `number`: of the one that counts; a renewed one makes those before worthless."""

    gate = models.OneToOneField(Gate, on_delete=models.CASCADE, primary_key=True, related_name="sign")
    number = models.CharField(max_length=16)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("sign at a gate"), _("signs at gates")

    def __str__(self) -> str:
        return f"{self.gate}"


def new_token() -> str:
    """What only the phone knows that sent a form: 128 bits."""
    return secrets.token_urlsafe(16)


class Registration(models.Model):
    """Somebody who has registered by phone. All of it is deleted after a while (`erasing`)."""

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    form = models.CharField(max_length=32, unique=True, editable=False)  # the form that was sent; sent twice it is one
    site = models.CharField(_("site"), max_length=32)
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="+", verbose_name=_("gate"))
    name = models.CharField(_("Your name"), max_length=40)
    phone = models.CharField(_("Phone number"), max_length=20)
    whom = models.CharField(_("Whom do you visit?"), max_length=60)
    purpose = models.CharField(_("What for?"), max_length=8, choices=PURPOSES, default=VISIT)
    plate = models.CharField(_("Number plate of your vehicle"), max_length=12, blank=True)
    goods = models.CharField(_("What do you bring?"), max_length=80, blank=True)
    bay = models.CharField(_("Bay"), max_length=40, blank=True)
    slot_begins = models.DateTimeField(null=True, blank=True)
    slot_ends = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=STATES, default=WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    holder = models.ForeignKey(Holder, on_delete=models.SET_NULL, null=True, related_name="+")
    pass_id = models.CharField(max_length=16, blank=True)
    pass_text = models.CharField(max_length=600, blank=True)
    begins = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("registration"), _("registrations")
        ordering: ClassVar = ["-made_at"]
        indexes: ClassVar = [models.Index(fields=["state", "made_at"], name="registration_state")]

    def __str__(self) -> str:
        return f"{self.site} {self.made_at:%Y-%m-%d %H:%M}"  # no name: it would stay in the log of what was done

    def stands(self, now: datetime) -> str:
        """`waiting`, `approved`, `refused`, `lapsed`, or `over` for a pass that has ended."""
        if self.state == WAITING and now - self.made_at > LAPSES_AFTER:
            return LAPSED
        if self.state == APPROVED and self.ends is not None and now >= self.ends:
            return "over"
        return self.state
