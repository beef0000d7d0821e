"""The label of one choice says severity, as everything else in English does; no column changes."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

REASONS = [
    ("client_fault", "client's fault"),
    ("third_party", "third party"),
    ("force_majeure", "force majeure"),
    ("maintenance", "announced maintenance"),
    ("overstated", "severity overstated by the client"),
]


class Migration(migrations.Migration):
    dependencies = [("contracts", "0009_addresses_that_stay")]

    operations = [
        migrations.AlterField(
            model_name="contractversion",
            name="exclusion_reasons",
            field=ArrayField(models.CharField(choices=REASONS, max_length=13), blank=True, default=list, size=None),
        )
    ]
