"""What money rests on beside the clocks is proven: the incident's row, its terms, notices, forgotten words, counts.

Each journal of before gets one line (`vouched`) that says what its row and terms are at the upgrade; from then on they
are compared with it. Each notice gets its hash, and the database counts lines and notices of its own. The digests stand
here as they are today: a later change of the code may not change what this migration writes.
"""

import json
import secrets
from datetime import UTC, datetime
from hashlib import sha256

from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone

BATCH = 500
ROW = [
    "client_id", "shop_id", "version_id", "number", "nr", "what", "origin", "reporter_id", "occurred_at", "reported_at",
    "received_at", "possible_leak", "failure", "contested", "assignee_id",
]  # fmt: skip
NOW = "SET CONSTRAINTS ALL IMMEDIATE"
HASH = """
    encode(sha256(convert_to(json_build_array(
        1, {0}key, {0}incident_id, {0}entry_id, {0}firing_id, {0}topic, {0}audience, {0}recipient_id, {0}channel,
        to_char({0}created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), {0}head, {0}content
    )::text, 'UTF8')), 'hex')
"""
CONTENT = """
    encode(sha256(convert_to(json_build_array({0}subject, {0}body, {0}html)::text, 'UTF8')), 'hex')
"""
# A letter of before carries the first half of its journal's head, in groups of four
FILL = """
UPDATE incidents_notification SET
    content = @CONTENT@,
    head = CASE WHEN incident_id IS NULL THEN ''
        ELSE coalesce(replace(substring(body FROM '(?:[0-9a-f]{4} ){7}[0-9a-f]{4}'), ' ', ''), '') END;
UPDATE incidents_notification SET hash = @HASH@;
INSERT INTO incidents_tally (incident, client, number, entries, head, notices)
    SELECT id, client_id, number, journal_length, journal_head,
        (SELECT count(*) FROM incidents_notification n WHERE n.incident_id = i.id)
    FROM incidents_incident i;
""".replace("@CONTENT@", CONTENT.format("")).replace("@HASH@", HASH.format(""))
TRIGGERS = """
CREATE FUNCTION incidents_count_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO incidents_tally AS t (incident, client, number, entries, head, notices)
        SELECT i.id, i.client_id, i.number, a.entries, a.head, 0
        FROM (
            SELECT incident_id, count(*) AS entries, (array_agg(hash ORDER BY seq DESC))[1] AS head
            FROM added GROUP BY incident_id
        ) a JOIN incidents_incident i ON i.id = a.incident_id ORDER BY i.id
        ON CONFLICT (incident) DO UPDATE SET entries = t.entries + EXCLUDED.entries, head = EXCLUDED.head;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_count_entries AFTER INSERT ON incidents_journalentry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_entries();
CREATE FUNCTION incidents_count_notices() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO incidents_tally AS t (incident, client, number, entries, head, notices)
        SELECT i.id, i.client_id, i.number, 0, '', a.notices
        FROM (SELECT incident_id, count(*) AS notices FROM added GROUP BY incident_id) a
        JOIN incidents_incident i ON i.id = a.incident_id ORDER BY i.id
        ON CONFLICT (incident) DO UPDATE SET notices = t.notices + EXCLUDED.notices;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_count_notices AFTER INSERT ON incidents_notification
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_notices();
CREATE FUNCTION incidents_hash_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.head := coalesce((SELECT journal_head FROM incidents_incident WHERE id = NEW.incident_id), '');
    NEW.content := @CONTENT@;
    NEW.hash := @HASH@;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_hash_notice BEFORE INSERT ON incidents_notification
    FOR EACH ROW EXECUTE FUNCTION incidents_hash_notice();
""".replace("@CONTENT@", CONTENT.format("NEW.")).replace("@HASH@", HASH.format("NEW."))
BACK = """
DROP TRIGGER incidents_hash_notice ON incidents_notification;
DROP FUNCTION incidents_hash_notice();
DROP TRIGGER incidents_count_notices ON incidents_notification;
DROP FUNCTION incidents_count_notices();
DROP TRIGGER incidents_count_entries ON incidents_journalentry;
DROP FUNCTION incidents_count_entries();
"""
OFF = "ALTER TABLE incidents_journalentry DISABLE TRIGGER incidents_journal_is_append_only"
ON = "ALTER TABLE incidents_journalentry ENABLE TRIGGER incidents_journal_is_append_only"


def utc(at):
    return at.astimezone(UTC).isoformat(timespec="seconds")


def plain(value):
    return utc(value) if isinstance(value, datetime) else value


def entry_digest(entry):
    hashed = [
        2, entry.previous, entry.incident_id, entry.seq, entry.kind, utc(entry.at), utc(entry.recorded_at), entry.by_id,
        entry.actor, entry.channel, entry.public, entry.severity, entry.change, entry.reason, entry.facts,
        entry.commitment,
    ]  # fmt: skip
    return sha256(json.dumps(hashed, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def calendars_digest(calendars, at):
    """As `contracts.seal.stood_digest` of today."""
    stood = {}
    for calendar in calendars:
        days = calendar.days.filter(entered_at__lt=at).filter(Q(removed_at=None) | Q(removed_at__gte=at))
        week = {
            "zone": calendar.zone, "weekly": calendar.weekly, "statutory_holidays": calendar.statutory_holidays,
        }  # fmt: skip
        stood[str(calendar.pk)] = [week, sorted([day.date.isoformat(), day.windows] for day in days)]
    text = json.dumps([1, stood], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def vouch(apps, schema_editor):
    Calendar, Seal = apps.get_model("contracts", "Calendar"), apps.get_model("contracts", "Seal")
    Incident, Entry = apps.get_model("incidents", "Incident"), apps.get_model("incidents", "JournalEntry")
    at = timezone.now().replace(microsecond=0)
    versions = Incident.objects.exclude(version=None).order_by().values_list("version", flat=True).distinct()
    calendars = {
        version: list(Calendar.objects.filter(targets__version=version).distinct().order_by("pk"))
        for version in versions
    }
    stood = {version: calendars_digest(rows, at) if rows else "" for version, rows in calendars.items()}
    terms = dict(Seal.objects.filter(kind="version").order_by("seq").values_list("row", "digest"))
    keys = list(Incident.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        part = keys[start : start + BATCH]
        forgotten = {}
        for pk, seq in Entry.objects.filter(incident__in=part, salt="").order_by("seq").values_list("incident", "seq"):
            forgotten.setdefault(pk, []).append(seq)
        incidents = list(Incident.objects.filter(pk__in=part).order_by("pk"))
        entries = []
        for incident in incidents:
            facts = {"row": {name: plain(getattr(incident, name)) for name in ROW}}
            if incident.next_update_at is not None:
                facts["promise"] = [plain(incident.next_update_at), plain(incident.update_missed_at)]
            if incident.pk in forgotten:
                facts["forgotten"] = forgotten[incident.pk]
            if terms.get(incident.version_id):
                facts["terms"] = terms[incident.version_id]
            if stood.get(incident.version_id):
                facts["calendars"] = stood[incident.version_id]
            salt = secrets.token_hex(16)
            entry = Entry(
                incident=incident, seq=incident.journal_length + 1, kind="vouched", at=at, recorded_at=at,
                actor="system", channel="portal", public=True, facts=facts, personal={}, salt=salt,
                commitment=sha256(f"{salt}:".encode()).hexdigest(), previous=incident.journal_head,
            )  # fmt: skip
            entry.hash = entry_digest(entry)
            incident.journal_length, incident.journal_head = entry.seq, entry.hash
            entries.append(entry)
        Entry.objects.bulk_create(entries)
        Incident.objects.bulk_update(incidents, ["journal_length", "journal_head"])


def unvouch(apps, schema_editor):
    """Back only while nothing was written after these lines."""
    Incident, Entry = apps.get_model("incidents", "Incident"), apps.get_model("incidents", "JournalEntry")
    for entry in Entry.objects.filter(kind="vouched").select_related("incident"):
        if entry.seq != entry.incident.journal_length:
            raise ValueError(f"{entry.incident.nr} was written to after its row was put on record")
        Incident.objects.filter(pk=entry.incident_id).update(journal_length=entry.seq - 1, journal_head=entry.previous)
        entry.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0007_seals"),
        ("incidents", "0014_monitors_in_the_anchor"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("incident", models.BigIntegerField(primary_key=True, serialize=False)),
                ("client", models.BigIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("entries", models.PositiveIntegerField(default=0)),
                ("head", models.CharField(blank=True, max_length=64)),
                ("notices", models.PositiveIntegerField(default=0)),
            ],
        ),
        *(
            migrations.AddField(
                model_name="notification",
                name=name,
                field=models.CharField(blank=True, default="", editable=False, max_length=64),
                preserve_default=False,
            )
            for name in ("head", "content", "hash")
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(
                condition=~Q(salt="") | Q(text="", personal={}), name="an_entry_without_salt_has_no_words"
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, f"{NOW}; {ON}"),
        migrations.RunPython(vouch, unvouch),
        migrations.RunSQL(NOW, OFF),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(NOW, NOW),
        migrations.RunSQL(TRIGGERS, BACK),
    ]
