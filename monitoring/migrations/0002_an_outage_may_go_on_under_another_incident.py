"""An outage that goes on after its incident was closed keeps both: the first incident, and a row for each later one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0003_journal_without_names"),
        ("monitoring", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reopening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reopened_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=12)),
                ("evidence", models.JSONField(default=dict)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reopenings", to="incidents.incident"
                    ),
                ),
                (
                    "outage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reopenings", to="monitoring.outage"
                    ),
                ),
            ],
            options={
                "ordering": ["outage", "reopened_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("outage", "incident"), name="one_reopening_per_outage_and_incident")
                ],
            },
        ),
    ]
