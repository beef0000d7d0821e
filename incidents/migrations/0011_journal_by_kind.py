"""The few entries of a kind are found without passing over fifty thousand answers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0010_keys_of_person_and_client")]

    operations = [
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["incident", "kind", "seq"], name="journal_by_kind"),
        ),
    ]
