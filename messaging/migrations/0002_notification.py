"""The outbox moves here with its rows, and learns the thread of a letter, so that it need not know its incident.

The columns that say what a row is about move on in `incidents.0020_notices`.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

NOW = "SET CONSTRAINTS ALL IMMEDIATE"
# The triggers of the incidents' room come back by its own migration, on its own table
FORWARD = """
DROP TRIGGER incidents_hash_notice ON incidents_notification;
DROP TRIGGER incidents_count_notices ON incidents_notification;
"""
BACKWARD = """
CREATE TRIGGER incidents_count_notices AFTER INSERT ON incidents_notification
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_notices();
CREATE TRIGGER incidents_hash_notice BEFORE INSERT ON incidents_notification
    FOR EACH ROW EXECUTE FUNCTION incidents_hash_notice();
"""
RENAME = """
ALTER TABLE {0}_notification RENAME TO {1}_notification;
ALTER SEQUENCE {0}_notification_id_seq RENAME TO {1}_notification_id_seq;
ALTER TABLE {1}_notification RENAME CONSTRAINT {0}_notification_pkey TO {1}_notification_pkey;
ALTER TABLE {1}_notification RENAME CONSTRAINT {0}_notification_key_key TO {1}_notification_key_key;
ALTER TABLE {1}_notification RENAME CONSTRAINT {0}_notification_attempts_check TO {1}_notification_attempts_check;
ALTER TABLE {1}_notification RENAME CONSTRAINT {0}_notificati_recipient_id_{2}_fk_accounts_
    TO {1}_notificati_recipient_id_{3}_fk_accounts_;
ALTER INDEX {0}_notification_recipient_id_{2} RENAME TO {1}_notification_recipient_id_{3};
ALTER INDEX {0}_notification_key_{4}_like RENAME TO {1}_notification_key_{5}_like;
DO $$
DECLARE name text;  -- PostgreSQL 18 names these too
BEGIN
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = '{1}_notification'::regclass AND contype = 'n' LOOP
        EXECUTE format('ALTER TABLE {1}_notification RENAME CONSTRAINT %I TO %I', name, replace(name, '{0}', '{1}'));
    END LOOP;
END $$;
"""
# Django ends some names with a digest of table and column
OLD, NEW = ("incidents", "9e147112", "80d0b939"), ("messaging", "8180c113", "bc8a958c")
THREAD = """
ALTER TABLE messaging_notification ADD COLUMN thread varchar(40) DEFAULT '' NOT NULL;
ALTER TABLE messaging_notification ALTER COLUMN thread DROP DEFAULT;
UPDATE messaging_notification SET thread = 'incident-' || incident_id WHERE incident_id IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
"""
NO_THREAD = "ALTER TABLE messaging_notification DROP COLUMN thread"
HASH = """
CREATE FUNCTION messaging_hash_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.content :=
        encode(sha256(convert_to(json_build_array(NEW.subject, NEW.body, NEW.html)::text, 'UTF8')), 'hex');
    RETURN NEW;
END $$;
CREATE TRIGGER messaging_hash_content BEFORE INSERT ON messaging_notification
    FOR EACH ROW EXECUTE FUNCTION messaging_hash_content();
"""
NO_HASH = """
DROP TRIGGER messaging_hash_content ON messaging_notification;
DROP FUNCTION messaging_hash_content();
"""


def renamed(old, new):
    return RENAME.format(old[0], new[0], old[1], new[1], old[2], new[2])


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0001_heartbeat"),
        ("incidents", "0018_heartbeat_moves_out"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(NOW, NOW),
                migrations.RunSQL(FORWARD, BACKWARD),
                migrations.RunSQL(renamed(OLD, NEW), renamed(NEW, OLD)),
                migrations.RunSQL(THREAD, NO_THREAD),
                migrations.RunSQL(HASH, NO_HASH),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Notification",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=120, unique=True)),
                        ("thread", models.CharField(blank=True, max_length=40)),
                        (
                            "channel",
                            models.CharField(
                                choices=[("email", "e-mail"), ("sms", "text message"), ("voice", "phone call")],
                                max_length=5,
                            ),
                        ),
                        ("address", models.CharField(blank=True, max_length=254)),
                        ("subject", models.CharField(max_length=200)),
                        ("body", models.TextField()),
                        ("html", models.TextField(blank=True)),
                        ("created_at", models.DateTimeField()),
                        ("content", models.CharField(blank=True, editable=False, max_length=64)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("queued", "waits"),
                                    ("sent", "sent"),
                                    ("failed", "given up"),
                                    ("withheld", "not sent: this person may not be told"),
                                ],
                                default="queued",
                                max_length=8,
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("next_attempt_at", models.DateTimeField(null=True)),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("error", models.CharField(blank=True, max_length=500)),
                        ("bundle", models.CharField(blank=True, max_length=32)),
                        (
                            "recipient",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["next_attempt_at"], name="outbox_due", condition=Q(status="queued")),
                            models.Index(fields=["created_at"], name="outbox_words", condition=~Q(body="")),
                            models.Index(
                                fields=["recipient", "sent_at"],
                                name="outbox_texts",
                                condition=Q(channel__in=["sms", "voice"]),
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
