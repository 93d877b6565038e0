from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F


def all_is_written(apps: Any, schema_editor: Any) -> None:
    apps.get_model("ingest", "Log").objects.update(written=F("seq"))


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0002_leases"),
        ("registry", "0001_initial"),
    ]

    operations = [
        migrations.AddField(model_name="log", name="written", field=models.BigIntegerField(default=0)),
        migrations.RunPython(all_is_written, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Spooled",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("after", models.BigIntegerField()),
                ("upto", models.BigIntegerField()),
                ("payload", models.BinaryField(null=True)),
                ("received_at", models.DateTimeField()),
                ("gate", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.gate")),
                ("log", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="spooled", to="ingest.log")),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.AddConstraint(
            model_name="spooled",
            constraint=models.UniqueConstraint(fields=("log", "after"), name="one_spooled_batch"),
        ),
    ]
