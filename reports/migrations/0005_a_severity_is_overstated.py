"""The label of one choice says severity, as everything else in English does; no column changes."""

from django.db import migrations, models

REASONS = [
    ("client_fault", "client's fault"),
    ("third_party", "third party"),
    ("force_majeure", "force majeure"),
    ("maintenance", "announced maintenance"),
    ("overstated", "severity overstated by the client"),
]


class Migration(migrations.Migration):
    dependencies = [("reports", "0004_a_decided_breach_stands")]

    operations = [
        migrations.AlterField(
            model_name="breachdecision",
            name="reason",
            field=models.CharField(blank=True, choices=REASONS, max_length=13),
        )
    ]
