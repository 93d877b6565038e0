"""A drill as the office keeps it, and the stages that gates record."""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from central.entries.models import MadeOnce
from central.holders.models import MODES, SITE
from central.registry.models import Gate
from central.web.words import TABLES
from sync.contract.records import DrillStage

SCENARIOS: Final = list(TABLES["scenario"].items())
MODE_OF: Final = {
    "lock-down": "lockdown",
    "closed": "closed",
    "contact": "closed",
    "disinfection": "lockdown",
    "home-control": "closed",
}
"""What each scenario usually orders."""
DRILL_MODES: Final = [(mode, said) for mode, said in MODES if mode != "normal"]
BY_PEOPLE: Final = (DrillStage.SUPPLIES_READY, DrillStage.ASSEMBLED, DrillStage.RESIDENTS_ARRIVE)


class Drill(models.Model):
    """One drill: planned, then on from `began_at` to `ended_at`."""

    site = models.CharField(_("site"), max_length=32, validators=[SITE])
    scenario = models.CharField(_("scenario"), max_length=16, choices=SCENARIOS)
    building = models.CharField(_("building or place"), max_length=64, blank=True)
    mode = models.CharField(_("mode"), max_length=16, choices=DRILL_MODES)
    note = models.CharField(_("who takes part, and what is practised"), max_length=500, blank=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    began_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.site} {self.scenario} {self.building}".strip()

    @property
    def state(self) -> str:
        """In one machine word."""
        if self.began_at is None:
            return "planned"
        return "running" if self.ended_at is None else "over"


class DrillGate(models.Model):
    """A gate that takes part. `order`: the mode order that began it there; `given_back`: whether the office ordered it back to
    normal at the end, None while it is on."""

    drill = models.ForeignKey(Drill, on_delete=models.CASCADE, related_name="gates")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="+")
    order = models.CharField(max_length=32, blank=True, db_index=True)
    given_back = models.BooleanField(null=True)

    class Meta:
        ordering: ClassVar = ["gate"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["drill", "gate"], name="one_drill_gate")]

    def __str__(self) -> str:
        return f"{self.drill_id} {self.gate_id}"


class Stamp(models.Model):
    """What no sensor sees, stamped at the office; each stage once."""

    drill = models.ForeignKey(Drill, on_delete=models.CASCADE, related_name="stamps")
    stage = models.CharField(max_length=16)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["drill", "stage"], name="one_drill_stamp")]

    def __str__(self) -> str:
        return f"{self.drill_id} {self.stage}"


class GateStage(MadeOnce):
    """A stage that a gate recorded. `order`: the office's order that the drill began with, on every stage of it; "" where it
    began at the gate."""

    stage = models.CharField(max_length=16)
    mode = models.CharField(max_length=16, blank=True)
    by = models.CharField(max_length=64, blank=True)
    order = models.CharField(max_length=32, blank=True)

    class Meta(MadeOnce.Meta):
        constraints: ClassVar = [
            *MadeOnce.Meta.constraints,
            # an order is carried out once by each gate, and each of its stages stamped once
            models.UniqueConstraint(
                fields=["gate", "order", "stage"], condition=~models.Q(order=""), name="one_gate_stage"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["order"], name="gate_stage_order"),
            models.Index(fields=["gate", "at"], name="gate_stage_at"),
        ]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.stage}"
