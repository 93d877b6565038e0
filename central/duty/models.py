"""The roster as it is kept, and what gates record of shifts."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar, Final

import msgspec
from django.core.validators import RegexValidator
from django.db import models
from django.utils.timezone import localtime
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.days import FIRST_DAY, LAST_DAY
from central.entries.models import MadeOnce
from central.holders.models import GATE, Fault, Kept
from central.registry.models import Gate
from sync.contract.directory import Duty, DutyRole, Table
from sync.log.keyed import Row

LONGEST: Final = timedelta(days=7)  # of one shift: what is longer is a slip
ROLES: Final = [
    (DutyRole.GUARD.value, _("guard")),
    (DutyRole.DUTY_ROOM.value, _("duty room")),
    (DutyRole.LEADER.value, _("leader on shift")),
]
_PHONE: Final = RegexValidator(r"^[0-9+() -]*\Z", _("digits, spaces, +, - and brackets"))


class DutyShift(Kept):
    """Somebody's shift. The gates are told those of now (`central.duty.window`), so that they know whom to call."""

    role = models.CharField(_("duty"), max_length=16, choices=ROLES)
    gate = models.CharField(
        _("gate"), max_length=32, blank=True, validators=[GATE], help_text=_("empty: all gates of the site")
    )
    name = models.CharField(_("name"), max_length=64)
    phone = models.CharField(
        _("phone"), max_length=32, blank=True, validators=[_PHONE], help_text=_("is shown at the gates")
    )
    begins_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name, verbose_name_plural = _("shift"), _("duty roster")
        ordering: ClassVar = ["-begins_at", "site", "role", "gate"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "role", "gate", "name", "begins_at"], name="one_duty_shift")
        ]
        indexes: ClassVar = [models.Index(fields=["site", "ends_at"], name="duty_ends_at")]

    def __str__(self) -> str:
        return f"{self.name} · {localtime(self.begins_at):%Y-%m-%d %H:%M}"

    def faults(self) -> Iterator[Fault]:
        """Of times, and another site's gate."""
        for name in ("begins_at", "ends_at"):
            moment = getattr(self, name)
            if moment is not None and not FIRST_DAY < localtime(moment).date() < LAST_DAY:
                yield name, _("lies before 2000 or after 2999")
        if self.begins_at and self.ends_at and not timedelta() < self.ends_at - self.begins_at <= LONGEST:
            yield "ends_at", _("must lie after the begin, and no more than 7 days")
        if self.gate and not Gate.objects.filter(pk=self.gate, site=self.site).exists():
            yield "gate", _("is no gate of this site")

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.Duty`; the key names the gate, where it is for one alone."""
        value = Duty(
            name=self.name,
            role=DutyRole(self.role),
            phone=self.phone,
            begins_s=int(self.begins_at.timestamp()),
            ends_s=int(self.ends_at.timestamp()),
        )
        key = f"{self.gate}/{self.pk}" if self.gate else str(self.pk)
        return Row(Table.DUTY.value, key, msgspec.json.encode(value))

    @classmethod
    def tell(cls, site: str, _rows: Iterable[Row]) -> None:
        """Those of now, whichever have changed."""
        from central.duty.window import publish  # which asks for this model

        publish(site, office_now())


class ShiftEvent(MadeOnce):
    """What a gate recorded of a guard's shift: begun, handed over, ended; a presence check answered, or not."""

    action = models.CharField(max_length=16)
    by = models.CharField(max_length=64, blank=True)
    to = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta(MadeOnce.Meta):
        indexes: ClassVar = [models.Index(fields=["gate", "received_at"], name="shift_event_received")]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.action}"
