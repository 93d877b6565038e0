"""A gate as the office knows it: admitted or not, and what its last state message said."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models

from central.compiled import Compiled

OFFLINE_AFTER = timedelta(seconds=30)  # a state is expected every 10 s
KNOWN_BOOTS = 16  # earlier boots remembered, to tell a late message from a new one


class Gate(models.Model):
    """One gate. Everything below `first_seen` is as of the last accepted state message (`boot`, `connection`, `mono_ms`).

    `said_online` is false after the last will; whether the gate is online also depends on when it was last heard, since
    a will is only as good as the broker that sends it.
    """

    id = models.CharField(primary_key=True, max_length=32)
    name = models.CharField(max_length=64, blank=True)
    site = models.CharField(max_length=32, blank=True)  # whose directory it is sent; none without
    admitted = models.BooleanField(default=False)
    first_seen = models.DateTimeField(auto_now_add=True)

    last_heard = models.DateTimeField(null=True, blank=True)
    said_online = models.BooleanField(default=False)
    boot = models.CharField(max_length=36, blank=True)
    earlier_boots = models.JSONField(default=list, blank=True)
    connection = models.BigIntegerField(default=0)
    mono_ms = models.BigIntegerField(default=0)
    state_at = models.DateTimeField(null=True, blank=True)  # when `mono_ms` came, by the office's clock
    at_ms = models.BigIntegerField(default=0)
    clock_trusted = models.BooleanField(default=False)
    version = models.CharField(max_length=32, blank=True)
    mode = models.CharField(max_length=32, blank=True)
    drill = models.BooleanField(default=False)  # the mode is an exercise
    door = models.CharField(max_length=32, blank=True)
    inside = models.BigIntegerField(default=0)
    log_id = models.CharField(max_length=64, blank=True)
    head = models.BigIntegerField(default=0)
    acked = models.BigIntegerField(default=0)
    directory_epoch = models.BigIntegerField(default=0)
    directory_version = models.BigIntegerField(default=0)
    directory_at_ms = models.BigIntegerField(default=0)
    came_back = models.JSONField(default=list, blank=True)  # states of superseded boots: [mono_ms, Unix seconds]
    devices_lost = models.JSONField(default=list, blank=True)
    devices = models.JSONField(default=list, blank=True)  # each as sync.contract.alarms.DeviceReport

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name or self.id

    @classmethod
    def hold(cls, names: Iterable[str]) -> "list[Gate]":
        """These gates, as far as there are such, their rows held until the transaction ends. Whoever changes a gate's state,
        logs or alarms does so; and all take several in the same order, so that no two ever wait for each other."""
        wanted = set(names)
        return list(_HELD.ask(wanted)) if wanted else []

    def is_online(self, now: datetime) -> bool:
        """Whether the gate says so and was heard within the last 30 s of the office's time."""
        return self.said_online and self.last_heard is not None and now - self.last_heard <= OFFLINE_AFTER


_HELD: Final = Compiled(
    Gate, lambda names: Gate.objects.select_for_update(no_key=True).filter(pk__in=names).order_by("pk")
)
