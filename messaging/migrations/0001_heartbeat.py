"""When each sweep last ran: the table of the incidents' room moves here with its rows and all its names."""

from django.db import migrations, models

RENAME = """
ALTER TABLE {0}_heartbeat RENAME TO {1}_heartbeat;
ALTER TABLE {1}_heartbeat RENAME CONSTRAINT {0}_heartbeat_pkey TO {1}_heartbeat_pkey;
ALTER TABLE {1}_heartbeat RENAME CONSTRAINT {0}_heartbeat_took_ms_check TO {1}_heartbeat_took_ms_check;
ALTER INDEX {0}_heartbeat_name_{2}_like RENAME TO {1}_heartbeat_name_{3}_like;
DO $$
DECLARE name text;  -- PostgreSQL 18 names these too
BEGIN
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = '{1}_heartbeat'::regclass AND contype = 'n' LOOP
        EXECUTE format('ALTER TABLE {1}_heartbeat RENAME CONSTRAINT %I TO %I', name, replace(name, '{0}', '{1}'));
    END LOOP;
END $$;
"""
# Django ends such an index's name with a digest of table and column
BEFORE, NOW = ("incidents", "4d3e7dd4"), ("messaging", "6201bba7")


class Migration(migrations.Migration):
    initial = True
    dependencies = [("incidents", "0017_history_stays")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    RENAME.format(BEFORE[0], NOW[0], BEFORE[1], NOW[1]),
                    RENAME.format(NOW[0], BEFORE[0], NOW[1], BEFORE[1]),
                ),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Heartbeat",
                    fields=[
                        ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("took_ms", models.PositiveIntegerField(default=0)),
                    ],
                ),
            ],
        ),
    ]
