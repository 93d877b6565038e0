"""Each site's directory: its rows as they are, which version each came with, and the versions there were."""

from typing import ClassVar

from django.db import models


class Directory(models.Model):
    """One site's directory. `epoch`, `version` and `digest` are its newest mark (`sync.log.keyed`)."""

    site = models.CharField(primary_key=True, max_length=32)
    epoch = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)
    digest = models.BinaryField()

    class Meta:
        verbose_name_plural = "directories"

    def __str__(self) -> str:
        return f"{self.site} {self.epoch}.{self.version}"


class Version(models.Model):
    """A state that a directory was in: what a gate says that it has is looked for here."""

    directory = models.ForeignKey(Directory, on_delete=models.CASCADE, related_name="versions")
    epoch = models.BigIntegerField()
    version = models.BigIntegerField()
    digest = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["directory", "version"], name="directory_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.directory_id} {self.epoch}.{self.version}"


class Row(models.Model):
    """One row. `value`: None once it was deleted, which gates have to be told too; `version`: of its last change."""

    directory = models.ForeignKey(Directory, on_delete=models.CASCADE, related_name="rows")
    table = models.CharField(max_length=32)
    key = models.CharField(max_length=128)
    value = models.BinaryField(null=True)
    version = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["directory", "table", "key"], name="directory_row_once")
        ]
        indexes: ClassVar = [models.Index(fields=["directory", "version"], name="directory_row_version")]

    def __str__(self) -> str:
        return f"{self.directory_id} {self.table}/{self.key} {self.version}"
