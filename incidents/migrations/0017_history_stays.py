"""A breach that turned out none is marked, not deleted; words of a journal entry go by one function of the owner's."""

from django.db import migrations, models
from django.db.models import Q

FORWARD = """
CREATE FUNCTION incidents_forget_words(entry bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.incidents_journalentry line
        JOIN public.incidents_journalentry said ON said.incident_id = line.incident_id AND said.seq > line.seq
        WHERE line.id = entry AND said.kind = 'forgotten' AND said.facts -> 'forgotten' @> to_jsonb(line.seq)
    ) THEN
        RAISE EXCEPTION 'no line of the journal says that these words are forgotten'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE public.incidents_journalentry SET text = '', personal = '{}', old_facts = NULL, salt = ''
    WHERE id = entry AND salt <> '';
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION incidents_forget_words(bigint) FROM PUBLIC;
"""
# Before, a breach that was none was deleted; its line in the journal stays
BACKWARD = """
DROP FUNCTION incidents_forget_words(bigint);
DELETE FROM incidents_breach WHERE voided_at IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
"""
FIELDS = ["incident", "target", "run", "lap"]


class Migration(migrations.Migration):
    dependencies = [("incidents", "0016_words_of_old_letters")]

    operations = [
        migrations.AddField(model_name="breach", name="voided_at", field=models.DateTimeField(null=True)),
        migrations.RemoveConstraint(model_name="breach", name="one_breach_per_clock_and_lap"),
        migrations.AddConstraint(
            model_name="breach",
            constraint=models.UniqueConstraint(
                fields=FIELDS, condition=Q(voided_at=None), name="one_breach_per_clock_and_lap"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
