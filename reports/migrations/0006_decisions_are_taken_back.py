"""A decision may be taken back: it stays as it was, with who, when and why, and the breach waits for another one."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

STANDS = """
CREATE OR REPLACE FUNCTION reports_decided_breach_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reports_breachdecision WHERE breach_id = NEW.id{taken_back}) THEN
        RAISE EXCEPTION 'this breach has a decision'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_decided_breach_stands';
    END IF;
    RETURN NEW;
END $$;
"""
FORWARD, BACKWARD = STANDS.format(taken_back=" AND taken_back_at IS NULL"), STANDS.format(taken_back="")
DECIDED = "Somebody has decided this."


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0021_a_decision_is_taken_back"),
        ("reports", "0005_a_severity_is_overstated"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="breachdecision", name="one_decision_per_breach"),
        migrations.AddField(
            model_name="breachdecision",
            name="taken_back_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(model_name="breachdecision", name="taken_back_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="breachdecision", name="taken_back_why", field=models.TextField(blank=True)),
        migrations.AddConstraint(
            model_name="breachdecision",
            constraint=models.UniqueConstraint(
                fields=["breach"],
                condition=Q(taken_back_at=None),
                name="one_decision_per_breach",
                violation_error_message=DECIDED,
            ),
        ),
        migrations.AddConstraint(
            model_name="breachdecision",
            constraint=models.CheckConstraint(
                condition=Q(taken_back_by=None, taken_back_at=None, taken_back_why="")
                | (Q(taken_back_by__isnull=False, taken_back_at__isnull=False) & ~Q(taken_back_why="")),
                name="a_decision_is_taken_back_with_a_reason",
                violation_error_message="Say why the decision is taken back.",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
