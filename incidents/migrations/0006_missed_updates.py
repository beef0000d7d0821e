"""A missed update stays the promise: its column, and the promises that were disarmed when they were missed.

An open incident whose newest word to the client is older than its missed update gets the promise back. The silence
until this migration is on record by that one line; the lines of further rhythms begin with it.
"""

from django.db import migrations, models

FORWARD = """
UPDATE incidents_incident i SET next_update_at = missed.at, update_missed_at = date_trunc('second', now()), wake_at = now()
FROM (
    SELECT DISTINCT ON (incident_id) incident_id, seq, (COALESCE(old_facts, facts) ->> 'due')::timestamptz AS at
    FROM incidents_journalentry WHERE kind = 'update_missed' ORDER BY incident_id, seq DESC
) missed
WHERE missed.incident_id = i.id AND i.next_update_at IS NULL AND i.status IN ('new', 'open')
    AND NOT EXISTS (
        SELECT 1 FROM incidents_pause p
        WHERE p.incident_id = i.id AND p.ended_at IS NULL AND p.reason IN ('client_answer', 'client_wait'))
    AND NOT EXISTS (
        SELECT 1 FROM incidents_journalentry later
        WHERE later.incident_id = i.id AND later.seq > missed.seq AND later.actor = 'staff'
            AND later.kind IN ('contact', 'paused', 'workaround', 'resolved', 'severity'));
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0005_nobody_leaves_open_incidents")]

    operations = [
        migrations.AddField(model_name="incident", name="update_missed_at", field=models.DateTimeField(null=True)),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
        # PostgreSQL alters no table whose foreign keys still wait to be checked
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
    ]
