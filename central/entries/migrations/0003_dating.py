"""When boots were, and from that when rows were written; learnt from the records that are there."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, OuterRef, Q, Subquery

from central.entries.dating import LONGEST_MS, SAME_MS, Boot, Doubt, History, dates, narrow

_COLUMNS = ("first", "last", "earliest", "latest", "words", "heard", "wavered")


class _Said(NamedTuple):
    """What a record says of the time."""

    key: int
    kind: str
    at: int
    clock: bool
    boot: bytes
    mono: int
    received_ms: int


def date_what_is_there(apps: Any, schema_editor: Any) -> None:
    for gate in apps.get_model("registry", "Gate").objects.order_by("pk"):
        _date_gate(apps, gate)


def _date_gate(apps: Any, gate: Any) -> None:
    history = History()
    keys: dict[bytes, tuple[int, int]] = {}  # of the records of each boot, the least and the last
    for log in apps.get_model("ingest", "Log").objects.filter(gate=gate).order_by("pk"):
        for received_ms, group in groupby(_said(apps, log), lambda said: said.received_ms):
            together = list(group)
            history.learn(together, received_ms, lambda: None)
            for said in filter(dates, together):
                first, _ = keys.get(said.boot, (said.key, 0))
                keys[said.boot] = min(first, said.key), said.key
    boots = list(history.boots.items())
    for place in range(len(boots) - 1, 0, -1):
        for _ in narrow((boot for _, boot in reversed(boots[:place])), boots[place][1]):
            pass
    for name, boot in boots:
        _date_boot(apps, gate, name, boot, *keys[name])


def _said(apps: Any, log: Any) -> Iterator[_Said]:
    columns = ("pk", "kind", "at", "clock", "boot", "mono", "received_at")
    rows = apps.get_model("ingest", "Record").objects.filter(log=log).order_by("seq").values_list(*columns)
    for key, kind, at, clock, boot, mono, received_at in rows.iterator(chunk_size=2000):
        yield _Said(key, kind, at, clock, bytes(boot), mono, int(received_at.timestamp() * 1000))


def _date_boot(apps: Any, gate: Any, name: bytes, boot: Boot, first: int, last: int) -> None:
    least, most = boot.bounds
    values = {column: getattr(boot, column) for column in _COLUMNS}
    row = apps.get_model("entries", "BootTime").objects.create(
        gate=gate, boot=name, first_record=first, least=least, most=most, **values
    )
    record = apps.get_model("ingest", "Record").objects.filter(pk=OuterRef("record_id"))
    for model in (apps.get_model("entries", "Entry"), apps.get_model("entries", "SeenCard")):
        of_gate = model.objects.filter(gate=gate, record_id__gte=first, record_id__lte=last)
        of_gate.filter(record__boot=name, record__mono__lt=LONGEST_MS).update(
            boot=row, mono=Subquery(record.values("mono")[:1])
        )
        rows = of_gate.filter(boot=row)
        if settings.SCRIPTED_CLOCKS:
            rows.filter(record__clock=True).update(shown_at=F("at"), clock_doubt="")
        elif boot.doubt is not Doubt.NONE:
            rows.update(clock_doubt=boot.doubt.value)
        else:
            word = boot.words[0]
            said_so = Q(at__gte=F("mono") + word - SAME_MS, at__lte=F("mono") + word + SAME_MS)
            rows.update(shown_at=F("mono") + word, clock_doubt="")
            rows.filter(said_so, record__clock=True).update(shown_at=F("at"))


class Migration(migrations.Migration):
    dependencies = [
        ("entries", "0002_seen_cards"),
        ("ingest", "0002_leases"),
        ("registry", "0002_gate_state_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="BootTime",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("boot", models.BinaryField(max_length=16)),
                ("first_record", models.BigIntegerField()),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("earliest", models.BigIntegerField(null=True)),
                ("latest", models.BigIntegerField(null=True)),
                ("least", models.BigIntegerField(null=True)),
                ("most", models.BigIntegerField(null=True)),
                ("words", models.JSONField(default=list)),
                ("heard", models.BigIntegerField(default=-1)),
                ("wavered", models.IntegerField(default=0)),
                ("gate", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="boots", to="registry.gate")),
            ],
            options={"ordering": ["gate", "id"]},
        ),
        migrations.AddConstraint(
            model_name="boottime", constraint=models.UniqueConstraint(fields=("gate", "boot"), name="one_boot")
        ),
        *(
            operation
            for name in ("entry", "seencard")
            for operation in (
                migrations.AddField(model_name=name, name="mono", field=models.BigIntegerField(default=0)),
                migrations.AddField(model_name=name, name="shown_at", field=models.BigIntegerField(null=True)),
                migrations.AddField(
                    model_name=name,
                    name="boot",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="entries.boottime",
                    ),
                ),
                migrations.AlterField(
                    model_name=name,
                    name="clock_doubt",
                    field=models.CharField(
                        blank=True,
                        choices=[("", ""), ("untrusted", "untrusted"), ("ahead", "ahead"), ("back", "back"), ("set", "set")],
                        default="",
                        max_length=16,
                    ),
                ),
            )
        ),
        migrations.AddIndex(model_name="entry", index=models.Index(fields=["shown_at"], name="entry_shown_at")),
        migrations.RunPython(date_what_is_there, migrations.RunPython.noop, elidable=True),
    ]
