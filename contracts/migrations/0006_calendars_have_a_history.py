"""A day off or special day may be removed and stays as history; one entry a date among those that aren't removed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

NAME = "one_entry_per_calendar_and_date"
TAKEN = "This day has its hours already."
REMOVED = Q(removed_at=None, removed_by=None) | Q(removed_at__isnull=False, removed_by__isnull=False)
# Back only what stands: the schema before knew no removed days
FORGET = "DELETE FROM contracts_calendarday WHERE removed_at IS NOT NULL"
# PostgreSQL alters no table whose foreign keys still wait to be checked
NOW = "SET CONSTRAINTS ALL IMMEDIATE"


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0005_terms_that_are_read"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(name="calendarday", options={"ordering": ["date", "entered_at", "id"]}),
        migrations.AddField(
            model_name="calendarday", name="removed_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="calendarday",
            name="removed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RemoveConstraint(model_name="calendarday", name=NAME),
        migrations.AddConstraint(
            model_name="calendarday",
            constraint=models.UniqueConstraint(
                fields=["calendar", "date"],
                condition=Q(removed_at=None),
                name=NAME,
                violation_error_message=TAKEN,
            ),
        ),
        migrations.AddConstraint(
            model_name="calendarday",
            constraint=models.CheckConstraint(condition=REMOVED, name="calendar_day_is_removed_by_somebody"),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, f"{FORGET}; {NOW}"),
    ]
