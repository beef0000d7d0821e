"""A person's handle, for links and pages: a running number tells how many people there are. A client's code stays."""

from uuid import uuid4

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION accounts_client_code_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a client''s code never changes';
END $$;
CREATE TRIGGER accounts_client_code_never_changes BEFORE UPDATE ON accounts_client FOR EACH ROW
    WHEN (OLD.code IS DISTINCT FROM NEW.code)
    EXECUTE FUNCTION accounts_client_code_never_changes();
"""
BACKWARD = """
DROP TRIGGER accounts_client_code_never_changes ON accounts_client;
DROP FUNCTION accounts_client_code_never_changes();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_names_are_lines")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="handle",
            field=models.UUIDField(default=uuid4, editable=False, null=True),
        ),
        migrations.RunSQL("UPDATE accounts_user SET handle = gen_random_uuid()", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="user",
            name="handle",
            field=models.UUIDField(default=uuid4, editable=False, unique=True),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
