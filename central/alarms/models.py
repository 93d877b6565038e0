"""Alarms, each by its own id, and everything that happened to it.

An alarm is heard of three ways: its own message, the gate's retained state, and its record. They arrive in any order
and more than once; each adds what it knows and takes nothing back.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models

from central.registry.models import Gate
from sync.contract.alarms import AlarmAction, Concern, Level, concern

_TOLD: Mapping[int, str] = {Level.LOUDER: "louder", Level.DUTY_ROOM: "duty-room", Level.LEADER: "leader"}


ENDED = "ended"
"""The action of an event: over at the gate, which holds it open until somebody acknowledges it."""


class Origin(models.TextChoices):
    """Who raised it."""

    GATE = "gate"
    OFFICE = "office"


class Alarm(models.Model):
    """One alarm. `heard_*` say where the latest news of it stands in the gate's own order, so that an older state
    message does not close a newer alarm. Times in `*_ms` are Unix milliseconds by the gate's clock. `over_ms`: since when what it
    told of is over, at the latest; an alarm that is over stays open at its gate until somebody acknowledges it. `settled`: nobody has to
    look at it any more, and it never comes back."""

    id = models.CharField(primary_key=True, max_length=32)
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="alarms")
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.GATE)
    kind = models.CharField(max_length=64)
    portal = models.CharField(max_length=64, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    since_ms = models.BigIntegerField()
    count = models.BigIntegerField(default=1)
    level = models.SmallIntegerField(default=0)  # whom it concerns by now: see sync.contract.alarms.Level
    received_at = models.DateTimeField()
    heard_boot = models.CharField(max_length=36, blank=True)
    heard_mono = models.BigIntegerField(default=0)
    heard_log = models.CharField(max_length=64, blank=True)
    heard_seq = models.BigIntegerField(default=0)

    gate_acknowledged = models.BooleanField(default=False)
    gate_acknowledged_by = models.CharField(max_length=64, blank=True)
    over_ms = models.BigIntegerField(null=True, blank=True)
    cleared = models.BooleanField(default=False)
    cleared_at = models.DateTimeField(null=True, blank=True)  # by the office's clock
    office_acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    office_acknowledged_at = models.DateTimeField(null=True, blank=True)
    office_note = models.CharField(max_length=500, blank=True)
    settled = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["-received_at", "-since_ms", "id"]
        indexes: ClassVar = [
            models.Index(fields=["gate"], condition=models.Q(settled=False), name="alarm_unsettled"),
            models.Index(fields=["cleared", "gate"], name="alarm_open"),
            models.Index(fields=["level"], condition=models.Q(level__gte=Level.LEADER.value), name="alarm_at_leader"),
        ]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.kind}"

    @property
    def acknowledged(self) -> bool:
        """Whether a person, at the gate or at the office, has taken notice."""
        return self.gate_acknowledged or self.office_acknowledged_at is not None

    @property
    def over(self) -> bool:
        """Whether what it told of is over, closed or not."""
        return self.cleared or self.over_ms is not None

    @property
    def standing(self) -> str:
        """How it stands, in one machine word."""
        if self.acknowledged:
            return "closed" if self.cleared else "over-open" if self.over else "acknowledged"
        call = concern(self.kind) is Concern.CALL
        if self.settled:
            return "visit-ended" if call else "passed"
        if call and self.cleared:
            return "unanswered"
        return "over" if self.over else "new"

    def settle(self, *, answered: bool = False) -> None:
        """Settle it, if it is. `answered`: as a call it was answered by what ended it."""
        done = answered or self.acknowledged or concern(self.kind) is Concern.NOTICE
        self.settled = self.settled or (self.cleared and done)

    @property
    def told(self) -> str:
        """Whom it has come to, as nobody acknowledged it, in one machine word; "" while it is the gate's alone."""
        return _TOLD.get(self.level, "")


class AlarmEvent(models.Model):
    """One line of an alarm's history. `step` tells repetitions apart; one event is stored once, however it was heard."""

    class Source(models.TextChoices):
        """How the office came to know of it first."""

        MESSAGE = "message"
        STATE = "state"
        RECORD = "record"
        OFFICE = "office"

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="events")
    action = models.CharField(max_length=16)
    step = models.BigIntegerField(default=0)
    source = models.CharField(max_length=8, choices=Source.choices)
    at_ms = models.BigIntegerField()
    by = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=500, blank=True)
    what = models.CharField(max_length=16, blank=True)  # of a note: instruction, done
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alarm", "action", "step"], name="one_alarm_event"),
        ]

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.action}"

    @property
    def told(self) -> str:
        """Of an escalation: whom it came to, in one machine word."""
        return _TOLD.get(self.step, "") if self.action == AlarmAction.ESCALATED else ""
