"""The entry log: each visit record as a row that can be searched, and each card that a gate had never seen before; the
record stays the truth."""

from typing import ClassVar

from django.db import models

from central.ingest.models import Record
from central.registry.models import Gate

UNREADABLE = "unreadable"  # a visit record whose body this office cannot read: shown all the same


class ClockDoubt(models.TextChoices):
    """Why the time of a row is shown with "≈"."""

    NONE = ""
    UNTRUSTED = "untrusted"
    AHEAD = "ahead"
    BACK = "back"


class Entry(models.Model):
    """One visit. Order is that of arrival (`id`), never of the gate's clock; words are the record's machine words."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="entry")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="entries")
    visit = models.CharField(max_length=64, blank=True)
    at = models.BigIntegerField()
    clock_doubt = models.CharField(max_length=16, choices=ClockDoubt.choices, default=ClockDoubt.NONE, blank=True)
    received_at = models.DateTimeField()
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
        indexes: ClassVar = [models.Index(fields=["gate", "visit"], name="entry_visit")]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.outcome}"


class SeenCard(models.Model):
    """A card that was read at a gate for the first time; once for each gate and card, whatever logs it came in.

    `outcome`: `unreadable` where the record's body cannot be read; then `card` is empty."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="seen_card")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="seen_cards")
    at = models.BigIntegerField()
    clock_doubt = models.CharField(max_length=16, choices=ClockDoubt.choices, default=ClockDoubt.NONE, blank=True)
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
