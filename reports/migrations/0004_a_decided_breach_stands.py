"""The database itself refuses that a breach somebody has decided about is taken back."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION reports_decided_breach_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reports_breachdecision WHERE breach_id = NEW.id) THEN
        RAISE EXCEPTION 'this breach has a decision'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_decided_breach_stands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_decided_breach_stands BEFORE UPDATE OF voided_at ON incidents_breach
    FOR EACH ROW WHEN (NEW.voided_at IS NOT NULL) EXECUTE FUNCTION reports_decided_breach_stands();
"""
BACKWARD = """
DROP TRIGGER a_decided_breach_stands ON incidents_breach;
DROP FUNCTION reports_decided_breach_stands();
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0003_decisions_are_entries"), ("incidents", "0017_history_stays")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
