"""Terms that stood in the code become the contract's: rhythm of updates, days of silence, exclusions, notice of days off.

Versions of today keep what they had: P1 their figure, P2 the 240 real minutes of the code, every reason of exclusion.
"""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

SEVERITIES = [("P1", "critical failure"), ("P2", "serious fault"), ("P3", "ordinary fault"), ("P4", "blemish")]
REASONS = [
    ("client_fault", "client's fault"),
    ("third_party", "third party"),
    ("force_majeure", "force majeure"),
    ("maintenance", "announced maintenance"),
    ("overstated", "category overstated by the client"),
]
FORWARD = """
INSERT INTO contracts_updaterhythm (version_id, severity, minutes)
    SELECT id, 'P1', update_minutes FROM contracts_contractversion WHERE update_minutes > 0
    UNION ALL SELECT id, 'P2', 240 FROM contracts_contractversion;
UPDATE contracts_contractversion
    SET exclusion_reasons = ARRAY['client_fault', 'third_party', 'force_majeure', 'maintenance', 'overstated'];
"""
BACKWARD = """
UPDATE contracts_contractversion v SET update_minutes = r.minutes
    FROM contracts_updaterhythm r WHERE r.version_id = v.id AND r.severity = 'P1';
"""


def days(default):
    return models.PositiveSmallIntegerField(default=default, validators=[django.core.validators.MinValueValidator(1)])


class Migration(migrations.Migration):
    dependencies = [("contracts", "0004_availability_terms")]

    operations = [
        migrations.AddField(
            model_name="contractversion",
            name="days_off_notice",
            field=models.PositiveSmallIntegerField(default=5, verbose_name="notice for days off, working days"),
        ),
        migrations.AddField(
            model_name="contractversion",
            name="exclusion_reasons",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=REASONS, max_length=13), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(model_name="contractversion", name="silence_days_p1", field=days(3)),
        migrations.AddField(model_name="contractversion", name="silence_days_p2", field=days(3)),
        migrations.AddField(model_name="contractversion", name="silence_days_p3", field=days(5)),
        migrations.AddField(model_name="contractversion", name="silence_days_p4", field=days(5)),
        migrations.CreateModel(
            name="UpdateRhythm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("severity", models.CharField(choices=SEVERITIES, max_length=2)),
                (
                    "minutes",
                    models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)]),
                ),
                (
                    "calendar",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.calendar",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rhythms",
                        to="contracts.contractversion",
                    ),
                ),
            ],
            options={
                "ordering": ["version", "severity"],
                "constraints": [
                    models.UniqueConstraint(fields=("version", "severity"), name="one_update_rhythm_per_severity")
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        # Rows were written in this transaction, and PostgreSQL changes no table that has triggers waiting
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.RemoveField(model_name="contractversion", name="update_minutes"),
    ]
