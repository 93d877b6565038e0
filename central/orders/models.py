"""Who ordered what of a gate, when, and what became of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from central.registry.models import Gate


class Outcome(models.TextChoices):
    """What became of a command."""

    SENT = "sent"  # no answer yet; or whoever waited for it was ended
    EXECUTED = "executed"
    REFUSED = "refused"
    NOT_DELIVERED = "not-delivered"  # no answer in time: one that comes later in a record still counts


class Order(models.Model):
    """One command. `target`: portal, phrase or alarm; `reason`: in one machine word, why it was refused or not delivered.

    `boot` and `not_after_mono` as they were signed; empty for one that never left the office."""

    id = models.CharField(primary_key=True, max_length=32)
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="orders")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=16)
    target = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=500, blank=True)
    ordered_at = models.DateTimeField()
    boot = models.CharField(max_length=36, blank=True)
    not_after_mono = models.BigIntegerField(default=0)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.SENT)
    reason = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-ordered_at", "id"]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.action} {self.outcome}"
