"""The entry log: each visit record as a row that can be searched, and each card that a gate had never seen before; the
record stays the truth."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.apps import apps
from django.db import models

from central.entries.dating import Bounds, Doubt
from central.ingest.models import Record
from central.registry.models import Gate

UNREADABLE = "unreadable"  # a visit record whose body this office cannot read: shown all the same


class BootTime(models.Model):
    """When a gate's machine was up: what `central.entries.dating.Boot` knows of one boot. In the order of the gate's log.

    `least` and `most`: the bounds of its offset, whatever they come from; `first_record`: no record of it has a smaller
    key."""

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="boots")
    boot = models.BinaryField(max_length=16)
    first_record = models.BigIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    earliest = models.BigIntegerField(null=True)
    latest = models.BigIntegerField(null=True)
    least = models.BigIntegerField(null=True)
    most = models.BigIntegerField(null=True)
    words = models.JSONField(default=list)
    heard = models.BigIntegerField(default=-1)
    wavered = models.IntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["gate", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["gate", "boot"], name="one_boot")]

    def __str__(self) -> str:
        return f"{self.gate_id} {bytes(self.boot).hex()[:8]}"


class Dated(models.Model):
    """A row made from a record, and when that was written. `at` is what the gate's clock said, and is never changed;
    `shown_at` is what is known, and none while there is a doubt: then the boot has bounds."""

    at = models.BigIntegerField()
    boot = models.ForeignKey(
        BootTime, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    mono = models.BigIntegerField(default=0)
    shown_at = models.BigIntegerField(null=True)
    clock_doubt = models.CharField(
        max_length=16, choices=[(doubt.value, doubt.value) for doubt in Doubt], default=Doubt.NONE.value, blank=True
    )
    received_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def bounds(self) -> Bounds:
        """From when to when it may have been, Unix ms: by its boot, and by when it came in."""
        received = int(self.received_at.timestamp() * 1000)
        if self.shown_at is not None:
            return Bounds(self.shown_at, self.shown_at)
        if self.boot is None:
            return Bounds(None, received)
        least, most = self.boot.least, self.boot.most
        latest = received if most is None else min(received, most + self.mono)
        return Bounds(None if least is None else min(least + self.mono, latest), latest)

    @property
    def about(self) -> int:
        """When it was, Unix ms, as well as that is known: where it is not, it is no further off than the bounds are."""
        least, most = self.bounds
        if most is None:  # bounds that come from reception are always there
            return self.at
        return min(self.at, most) if least is None else (least + most) // 2

    @property
    def about_time(self) -> datetime:
        """`about` as a time; when it came in where no calendar holds that."""
        try:
            return datetime.fromtimestamp(self.about / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return self.received_at


class MadeOnce(Dated):
    """A row made from a record; once, though the record may come again in a log that carries it over: it has the same salt
    then, and so the same `body_hash`."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="%(class)s")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="%(class)ss")
    body_hash = models.BinaryField(max_length=32)

    class Meta:
        abstract = True
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["gate", "body_hash"], name="one_%(class)s")]


class Entry(Dated):
    """One visit. Order is that of arrival (`id`), never of the gate's clock; words are the record's machine words."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="entry")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="entries")
    visit = models.CharField(max_length=64, blank=True)
    portal = models.CharField(max_length=64, blank=True)
    direction = models.CharField(max_length=16, blank=True)
    outcome = models.CharField(max_length=16)
    reasons = models.CharField(max_length=400, blank=True)  # machine words separated by spaces
    credential = models.CharField(max_length=128, blank=True)
    credential_kind = models.CharField(max_length=32, blank=True)
    holder = models.CharField(max_length=128, blank=True)
    pass_type = models.CharField(max_length=16, blank=True)
    health_code = models.CharField(max_length=16, blank=True)
    object_c = models.FloatField(null=True)
    ambient_c = models.FloatField(null=True)
    facts = models.JSONField(default=dict, blank=True)  # what the site keeps of a health certificate: word → text
    night = models.BooleanField(default=False)
    mode = models.CharField(max_length=32, blank=True)
    passed = models.BooleanField(default=False)  # somebody was then seen to pass

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["gate", "visit"], name="entry_visit"),
            models.Index(fields=["shown_at"], name="entry_shown_at"),
        ]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.outcome}"


class SeenCard(Dated):
    """A card that was read at a gate for the first time; once for each gate and card, whatever logs it came in.

    `outcome`: `unreadable` where the record's body cannot be read; then `card` is empty."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="seen_card")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="seen_cards")
    received_at = models.DateTimeField(db_index=True)
    portal = models.CharField(max_length=64, blank=True)
    reader = models.CharField(max_length=64, blank=True)
    direction = models.CharField(max_length=16, blank=True)
    card = models.CharField(max_length=128, blank=True)
    holder = models.CharField(max_length=128, blank=True)
    outcome = models.CharField(max_length=16)
    reason = models.CharField(max_length=40, blank=True)
    full = models.BooleanField(default=False)  # the gate keeps no more of this sort

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gate", "card"], condition=~models.Q(card=""), name="one_first_time")
        ]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.card}"


def dated_models() -> "list[Any]":
    """Every model whose rows are made from records, whichever part of the office makes them."""
    return [model for model in apps.get_models() if issubclass(model, Dated)]
