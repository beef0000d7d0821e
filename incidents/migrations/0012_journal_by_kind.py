"""The few entries of a kind are found without passing over fifty thousand answers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0011_the_daily_anchor")]

    operations = [
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["incident", "kind", "seq"], name="journal_by_kind"),
        ),
    ]
