"""What a row of the outbox tells of stands in a row beside it; the outbox itself is the messaging room's now.

Each row of before gets its notice with all that it held, hash and head as they are. Then these columns leave the outbox.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

NOW = "SET CONSTRAINTS ALL IMMEDIATE"
COLUMNS = "incident_id, entry_id, firing_id, topic, audience, bar, settle_at, head, hash"
# As `incidents.0015` wrote it, of the row {0} of the outbox and the row {1} that says what it is about
HASH = """
    encode(sha256(convert_to(json_build_array(
        1, {0}.key, {1}.incident_id, {1}.entry_id, {1}.firing_id, {1}.topic, {1}.audience, {0}.recipient_id, {0}.channel,
        to_char({0}.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), {1}.head, {0}.content
    )::text, 'UTF8')), 'hex')
"""
MOVE = """
INSERT INTO incidents_notice (notification_id, @COLUMNS@) SELECT id, @COLUMNS@ FROM messaging_notification;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE messaging_notification
    DROP COLUMN incident_id, DROP COLUMN entry_id, DROP COLUMN firing_id, DROP COLUMN topic, DROP COLUMN audience,
    DROP COLUMN bar, DROP COLUMN settle_at, DROP COLUMN head, DROP COLUMN hash;
""".replace("@COLUMNS@", COLUMNS)
# The columns, constraints and indexes as they were; a row without a notice tells of nothing and has the hash of that
MOVE_BACK = """
ALTER TABLE messaging_notification
    ADD COLUMN incident_id bigint, ADD COLUMN entry_id bigint, ADD COLUMN firing_id bigint,
    ADD COLUMN topic varchar(100) NOT NULL DEFAULT '', ADD COLUMN audience varchar(6) NOT NULL DEFAULT 'staff',
    ADD COLUMN bar varchar(10) NOT NULL DEFAULT '', ADD COLUMN settle_at timestamptz,
    ADD COLUMN head varchar(64) NOT NULL DEFAULT '', ADD COLUMN hash varchar(64) NOT NULL DEFAULT '';
ALTER TABLE messaging_notification
    ALTER COLUMN topic DROP DEFAULT, ALTER COLUMN audience DROP DEFAULT, ALTER COLUMN bar DROP DEFAULT,
    ALTER COLUMN head DROP DEFAULT, ALTER COLUMN hash DROP DEFAULT;
UPDATE messaging_notification o SET (@COLUMNS@) = (
    SELECT @COLUMNS@ FROM incidents_notice WHERE notification_id = o.id
) WHERE id IN (SELECT notification_id FROM incidents_notice);
UPDATE messaging_notification o SET hash = @HASH@ WHERE hash = '';
DELETE FROM incidents_notice;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE messaging_notification
    ADD CONSTRAINT incidents_notificati_incident_id_12dfc3f3_fk_incidents FOREIGN KEY (incident_id)
        REFERENCES incidents_incident (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT incidents_notificati_entry_id_8011d7e8_fk_incidents FOREIGN KEY (entry_id)
        REFERENCES incidents_journalentry (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT incidents_notificati_firing_id_8c52af67_fk_incidents FOREIGN KEY (firing_id)
        REFERENCES incidents_firing (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX incidents_notification_incident_id_12dfc3f3 ON messaging_notification (incident_id);
CREATE INDEX incidents_notification_entry_id_8011d7e8 ON messaging_notification (entry_id);
CREATE INDEX incidents_notification_firing_id_8c52af67 ON messaging_notification (firing_id);
CREATE INDEX outbox_unsettled ON messaging_notification (settle_at) WHERE settle_at IS NOT NULL;
CREATE INDEX outbox_topic ON messaging_notification (topic) WHERE NOT topic = '';
""".replace("@COLUMNS@", COLUMNS).replace("@HASH@", HASH.format("o", "o"))
TRIGGERS = """
CREATE TRIGGER incidents_count_notices AFTER INSERT ON incidents_notice
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_notices();
CREATE OR REPLACE FUNCTION incidents_hash_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.head := coalesce((SELECT journal_head FROM incidents_incident WHERE id = NEW.incident_id), '');
    NEW.hash := (SELECT @HASH@ FROM messaging_notification o WHERE o.id = NEW.notification_id);
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_hash_notice BEFORE INSERT ON incidents_notice
    FOR EACH ROW EXECUTE FUNCTION incidents_hash_notice();
""".replace("@HASH@", HASH.format("o", "NEW"))
TRIGGERS_BACK = """
DROP TRIGGER incidents_hash_notice ON incidents_notice;
CREATE OR REPLACE FUNCTION incidents_hash_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.head := coalesce((SELECT journal_head FROM incidents_incident WHERE id = NEW.incident_id), '');
    NEW.content :=
        encode(sha256(convert_to(json_build_array(NEW.subject, NEW.body, NEW.html)::text, 'UTF8')), 'hex');
    NEW.hash := @HASH@;
    RETURN NEW;
END $$;
DROP TRIGGER incidents_count_notices ON incidents_notice;
""".replace("@HASH@", HASH.format("NEW", "NEW"))


def nullable(model):
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="notices", to=f"incidents.{model}"
    )


class Migration(migrations.Migration):
    dependencies = [("incidents", "0019_journal_knows_its_kinds"), ("messaging", "0002_notification")]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "notification",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="notice",
                        serialize=False,
                        to="messaging.notification",
                    ),
                ),
                ("topic", models.CharField(blank=True, max_length=100)),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("staff", "our people"),
                            ("admin", "administrator"),
                            ("client", "the client's people"),
                        ],
                        default="staff",
                        max_length=6,
                    ),
                ),
                (
                    "bar",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("off", "account switched off"),
                            ("no_role", "no longer one of our people"),
                            ("no_rights", "no longer speaks for this client"),
                            ("no_address", "no address for this channel"),
                            ("muted", "turned notices off"),
                            ("refused", "refused by the mail server or gateway"),
                            ("silent", "no answer of the mail server or gateway for 60 seconds"),
                        ],
                        max_length=10,
                    ),
                ),
                ("settle_at", models.DateTimeField(null=True)),
                ("head", models.CharField(blank=True, editable=False, max_length=64)),
                ("hash", models.CharField(blank=True, editable=False, max_length=64)),
                ("entry", nullable("journalentry")),
                ("firing", nullable("firing")),
                ("incident", nullable("incident")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["settle_at"], name="notices_unsettled", condition=Q(settle_at__isnull=False)),
                    models.Index(fields=["topic"], name="notices_topic", condition=~Q(topic="")),
                ],
            },
        ),
        # The foreign keys of a new table come at the end of its migration, so what is inserted is checked by then
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(NOW, NOW),
                migrations.RunSQL(MOVE, MOVE_BACK),
                migrations.RunSQL(TRIGGERS, TRIGGERS_BACK),
            ],
            state_operations=[migrations.DeleteModel("Notification")],
        ),
    ]
