"""The database itself refuses to change or delete a journal entry; only the words of an anonymised person may go."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION incidents_journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the journal is append-only';
    END IF;
    IF ROW(OLD.incident_id, OLD.seq, OLD.kind, OLD.at, OLD.recorded_at, OLD.by_id, OLD.actor, OLD.channel, OLD.public,
           OLD.severity, OLD.change, OLD.reason, OLD.facts, OLD.commitment, OLD.previous, OLD.hash)
       IS DISTINCT FROM
       ROW(NEW.incident_id, NEW.seq, NEW.kind, NEW.at, NEW.recorded_at, NEW.by_id, NEW.actor, NEW.channel, NEW.public,
           NEW.severity, NEW.change, NEW.reason, NEW.facts, NEW.commitment, NEW.previous, NEW.hash)
       OR NEW.text <> '' AND NEW.text <> OLD.text OR NEW.salt <> '' AND NEW.salt <> OLD.salt THEN
        RAISE EXCEPTION 'the journal is append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_journal_is_append_only BEFORE UPDATE OR DELETE ON incidents_journalentry
    FOR EACH ROW EXECUTE FUNCTION incidents_journal_is_append_only();
"""
BACKWARD = """
DROP TRIGGER incidents_journal_is_append_only ON incidents_journalentry;
DROP FUNCTION incidents_journal_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
