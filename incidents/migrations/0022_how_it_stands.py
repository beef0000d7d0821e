"""When the delivery that stands was given, taken, sent back, and when an incident ended: what lists and letters say.

The columns follow from the journal (`incidents.state`); those of incidents that are here already are read from it.
"""

from django.db import migrations, models

FORWARD = """
UPDATE incidents_incident i SET
    ended_at = CASE
        WHEN i.status = 'closed' THEN taken.at
        WHEN i.status IN ('cancelled', 'merged') THEN ending.at END,
    delivered_at = CASE
        WHEN i.status IN ('cancelled', 'merged') THEN NULL
        WHEN last.kind <> 'rejected' THEN last.at
        WHEN i.status IN ('workaround', 'closed') THEN workaround.at END,
    accepted_at = CASE WHEN i.status NOT IN ('cancelled', 'merged') AND taken.seq > last.seq THEN taken.at END,
    rejected_at = CASE
        WHEN i.status NOT IN ('cancelled', 'merged') AND last.kind = 'rejected' AND COALESCE(taken.seq, 0) < last.seq
        THEN last.at END
FROM (
    SELECT DISTINCT ON (incident_id) incident_id, seq, kind, at FROM incidents_journalentry
    WHERE kind IN ('workaround', 'resolved', 'rejected', 'cancelled', 'merged_into') ORDER BY incident_id, seq DESC
) last
LEFT JOIN (
    SELECT DISTINCT ON (incident_id) incident_id, at FROM incidents_journalentry
    WHERE kind = 'workaround' ORDER BY incident_id, seq DESC
) workaround USING (incident_id)
LEFT JOIN (
    SELECT DISTINCT ON (incident_id) incident_id, seq, at FROM incidents_journalentry
    WHERE kind = 'accepted' ORDER BY incident_id, seq DESC
) taken USING (incident_id)
LEFT JOIN (
    SELECT DISTINCT ON (incident_id) incident_id, at FROM incidents_journalentry
    WHERE kind IN ('cancelled', 'merged_into') ORDER BY incident_id, seq DESC
) ending USING (incident_id)
WHERE last.incident_id = i.id;
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0021_a_decision_is_taken_back")]

    operations = [
        *(
            migrations.AddField("incident", name, models.DateTimeField(null=True))
            for name in ("delivered_at", "accepted_at", "rejected_at", "ended_at")
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
        # PostgreSQL alters no table whose foreign keys still wait to be checked
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
    ]
