"""The gates' logs, record by record, as they came."""

from typing import ClassVar

from django.db import models

from central.registry.models import Gate


class Log(models.Model):
    """One log of one gate. `seq` and `hash` are the cursor: every record up to there is held, or known to be gone. Up to
    `written` the records stand in their own table; what lies between waits in `Spooled`."""

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="logs")
    log_id = models.CharField(max_length=64)
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField(default=bytes(32))
    written = models.BigIntegerField(default=0)
    last_at = models.BigIntegerField(default=0)  # `at` of the last one written, to see a clock that went back
    told = models.BigIntegerField(
        default=0
    )  # the last record that the gate said to have, when it went on to another log
    predecessor = models.CharField(max_length=64, blank=True)
    opened_because = models.CharField(max_length=32, blank=True)
    first_received = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["gate", "log_id"], name="one_log")]

    def __str__(self) -> str:
        return f"{self.gate_id}/{self.log_id[:8]}"


class Record(models.Model):
    """One record, byte for byte. `at`: Unix ms as the gate's clock said; `mono`: ms since that boot.

    `body` and `salt` are empty once a person was erased; the chain of hashes still verifies."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="records")
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=255)
    at = models.BigIntegerField()
    clock = models.BooleanField()
    boot = models.BinaryField(max_length=16)
    mono = models.BigIntegerField()
    body = models.BinaryField(null=True)
    salt = models.BinaryField(null=True)
    body_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["log", "seq"], name="one_record")]

    def __str__(self) -> str:
        return f"{self.log}#{self.seq} {self.kind}"


class Spooled(models.Model):
    """A batch as it came, whole: its records are held, and are still to be written out. Without a payload: the range is
    gone, which has been told already, and only the order needs it here."""

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="+")
    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="spooled")
    after = models.BigIntegerField()
    upto = models.BigIntegerField()
    payload = models.BinaryField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["log", "after"], name="one_spooled_batch")]

    def __str__(self) -> str:
        return f"{self.log}#{self.after + 1}-{self.upto} waits"


class MissingRange(models.Model):
    """Records `first … last` that the gate no longer had when the office could have taken them."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="missing")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    reason = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["log", "first"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["log", "first"], name="one_missing_range")]

    def __str__(self) -> str:
        return f"{self.log}#{self.first}-{self.last}"

    @property
    def count(self) -> int:
        """How many records are missing."""
        return self.last - self.first + 1


class ForkEvent(models.Model):
    """A gate offered another record than the office already has at `seq`: nothing was taken."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="forks")
    seq = models.BigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-received_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["log", "seq"], name="one_fork")]

    def __str__(self) -> str:
        return f"{self.log}#{self.seq} fork"


class IngestProcess(models.Model):
    """An ingest process at work, where there are several; one that does not renew `until` is dead."""

    name = models.CharField(primary_key=True, max_length=32)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Lease(models.Model):
    """Which process takes the messages of a gate, or looks for new ones (`central.ingest.leases`)."""

    name = models.CharField(primary_key=True, max_length=32)
    holder = models.ForeignKey(IngestProcess, on_delete=models.CASCADE, related_name="leases")

    def __str__(self) -> str:
        return f"{self.name}: {self.holder_id}"
