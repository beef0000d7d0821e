"""A repeat key belongs to a person, a client and a body: a table of its own instead of a column that all share.

Keys of before go to whoever used them as far as the journal tells: the person who filed, or who joined. Their bodies
were not kept (`body` empty), so a repeat of theirs is told by the shop and the sentence.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
INSERT INTO incidents_repeatkey (by_id, client_id, key, body, incident_id, at)
SELECT entry.by_id, incident.client_id, incident.form_key, '', incident.id, incident.received_at
FROM incidents_incident incident
JOIN incidents_journalentry entry ON entry.incident_id = incident.id AND entry.seq = 1 AND entry.by_id IS NOT NULL
WHERE incident.form_key IS NOT NULL
UNION ALL
SELECT joined.by_id, incident.client_id, joined.form_key, '', incident.id, joined.at
FROM incidents_joinedreport joined JOIN incidents_incident incident ON incident.id = joined.incident_id
WHERE joined.form_key IS NOT NULL
ON CONFLICT DO NOTHING;
"""
# A key that two people used goes back to the first of them: the column knows no other
BACKWARD = """
UPDATE incidents_incident incident SET form_key = first.key
FROM (SELECT DISTINCT ON (repeated.key) repeated.key, repeated.incident_id, repeated.by_id
      FROM incidents_repeatkey repeated ORDER BY repeated.key, repeated.at, repeated.id) first
JOIN incidents_journalentry entry ON entry.incident_id = first.incident_id AND entry.seq = 1
WHERE incident.id = first.incident_id AND entry.by_id = first.by_id;
UPDATE incidents_joinedreport joined SET form_key = first.key
FROM (SELECT DISTINCT ON (repeated.key) repeated.key, repeated.incident_id, repeated.by_id, repeated.at
      FROM incidents_repeatkey repeated ORDER BY repeated.key, repeated.at, repeated.id) first
WHERE joined.incident_id = first.incident_id AND joined.by_id = first.by_id AND joined.at = first.at
  AND NOT EXISTS (SELECT 1 FROM incidents_incident WHERE form_key = first.key);
"""
NOW = "SET CONSTRAINTS ALL IMMEDIATE"


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("incidents", "0009_clocks_know_their_calendar"),
    ]

    operations = [
        migrations.CreateModel(
            name="RepeatKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField()),
                ("body", models.CharField(blank=True, max_length=64)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.client"
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="incidents.incident",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="repeatkey",
            constraint=models.UniqueConstraint(
                fields=("by", "client", "key"), name="one_report_per_person_client_and_key"
            ),
        ),
        migrations.RunSQL(f"{FORWARD} {NOW}", f"{BACKWARD} {NOW}"),
        migrations.RemoveConstraint(model_name="incident", name="one_incident_per_form"),
        migrations.RemoveConstraint(model_name="joinedreport", name="one_joined_report_per_form"),
        migrations.RemoveField(model_name="incident", name="form_key"),
        migrations.RemoveField(model_name="joinedreport", name="form_key"),
    ]
