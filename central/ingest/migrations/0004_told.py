from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0003_spool")]
    operations = [migrations.AddField("log", "told", models.BigIntegerField(default=0))]
