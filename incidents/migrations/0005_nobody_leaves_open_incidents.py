"""The database itself refuses that somebody leaves open incidents behind, or gets one without working on incidents."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_user_leaves_no_open_incidents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM incidents_incident
               WHERE assignee_id = NEW.id AND status NOT IN ('closed', 'cancelled', 'merged')) THEN
        RAISE EXCEPTION 'open incidents are assigned to this person'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_leaves_open_incidents';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER nobody_leaves_open_incidents BEFORE UPDATE OF is_active, provider_role ON accounts_user
    FOR EACH ROW
    WHEN (OLD.is_active AND OLD.provider_role IN ('agent', 'manager')
          AND NOT (NEW.is_active AND NEW.provider_role IN ('agent', 'manager')))
    EXECUTE FUNCTION accounts_user_leaves_no_open_incidents();

CREATE FUNCTION incidents_incident_goes_to_staff() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.assignee_id IS NULL OR TG_OP = 'UPDATE' AND NEW.assignee_id IS NOT DISTINCT FROM OLD.assignee_id THEN
        RETURN NEW;
    END IF;
    -- Waits for whoever switches the person off at this moment, and then sees it
    PERFORM 1 FROM accounts_user
        WHERE id = NEW.assignee_id AND is_active AND provider_role IN ('agent', 'manager') FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this person works on no incidents'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'only_active_staff_has_incidents';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_active_staff_has_incidents BEFORE INSERT OR UPDATE OF assignee_id ON incidents_incident
    FOR EACH ROW EXECUTE FUNCTION incidents_incident_goes_to_staff();
"""
BACKWARD = """
DROP TRIGGER only_active_staff_has_incidents ON incidents_incident;
DROP FUNCTION incidents_incident_goes_to_staff();
DROP TRIGGER nobody_leaves_open_incidents ON accounts_user;
DROP FUNCTION accounts_user_leaves_no_open_incidents();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0004_an_alarm_reaches_a_person"), ("accounts", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
