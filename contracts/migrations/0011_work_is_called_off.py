"""Announced work may be cancelled, or ended early: who and when, once, with a seal of its own."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

KINDS = [
    ("calendar", "Calendar"),
    ("day", "Day"),
    ("day_removed", "Day Removed"),
    ("contract", "Contract"),
    ("version", "Version"),
    ("maintenance", "Maintenance"),
    ("called_off", "Called Off"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0010_a_severity_is_overstated"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="maintenancewindow", name="called_off_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="maintenancewindow",
            name="called_off_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(model_name="seal", name="kind", field=models.CharField(choices=KINDS, max_length=11)),
        migrations.AddConstraint(
            model_name="maintenancewindow",
            constraint=models.CheckConstraint(
                condition=Q(called_off_at=None, called_off_by=None)
                | Q(called_off_by__isnull=False, called_off_at__lt=F("ends_at")),
                name="maintenance_is_called_off_by_somebody_before_its_end",
                violation_error_message="This work is over already.",
            ),
        ),
    ]
