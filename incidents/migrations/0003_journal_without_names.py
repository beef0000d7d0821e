"""Names leave the hashed facts: old entries keep their hash, a new segment begins with a seal over the list of them.

What an old hash covers moves to `old_facts`, which may be forgotten; `facts` keeps ids, codes and times. The digests
stand here as they are today: a later change of the code may not change what this migration writes.
"""

import json
import secrets
from datetime import UTC
from hashlib import sha256
from itertools import groupby

from django.db import migrations, models
from django.utils import timezone

PERSONAL = {"assigned": {"name"}, "escalated": {"people"}, "backup": {"where", "size", "checksum"}}
BATCH = 200
TRIGGER = """
CREATE OR REPLACE FUNCTION incidents_journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the journal is append-only';
    END IF;
    IF ROW(OLD.incident_id, OLD.seq, OLD.kind, OLD.at, OLD.recorded_at, OLD.by_id, OLD.actor, OLD.channel, OLD.public,
           OLD.severity, OLD.change, OLD.reason, OLD.facts, OLD.commitment, OLD.previous, OLD.hash)
       IS DISTINCT FROM
       ROW(NEW.incident_id, NEW.seq, NEW.kind, NEW.at, NEW.recorded_at, NEW.by_id, NEW.actor, NEW.channel, NEW.public,
           NEW.severity, NEW.change, NEW.reason, NEW.facts, NEW.commitment, NEW.previous, NEW.hash)
       OR NEW.text <> '' AND NEW.text <> OLD.text OR NEW.salt <> '' AND NEW.salt <> OLD.salt
       OR NEW.personal <> '{}' AND NEW.personal <> OLD.personal
       OR NEW.old_facts IS NOT NULL AND NEW.old_facts IS DISTINCT FROM OLD.old_facts THEN
        RAISE EXCEPTION 'the journal is append-only';
    END IF;
    RETURN NEW;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION incidents_journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""
OFF = "ALTER TABLE incidents_journalentry DISABLE TRIGGER incidents_journal_is_append_only"
ON = "ALTER TABLE incidents_journalentry ENABLE TRIGGER incidents_journal_is_append_only"
NOW = "SET CONSTRAINTS ALL IMMEDIATE"


def as_json(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def hashed(value):
    return sha256(as_json(value).encode()).hexdigest()


def utc(at):
    return at.astimezone(UTC).isoformat(timespec="seconds")


def columns(entry):
    return [
        entry.previous, entry.incident_id, entry.seq, entry.kind, utc(entry.at), utc(entry.recorded_at), entry.by_id,
        entry.actor, entry.channel, entry.public, entry.severity, entry.change, entry.reason, entry.facts,
        entry.commitment,
    ]  # fmt: skip


def old_digest(entry):
    return hashed(columns(entry))


def new_digest(entry):
    return hashed([2, *columns(entry)])


def seal_journals(apps, schema_editor):
    Incident, Entry = apps.get_model("incidents", "Incident"), apps.get_model("incidents", "JournalEntry")
    at = timezone.now().replace(microsecond=0)
    keys = list(Incident.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        entries = Entry.objects.filter(incident__in=keys[start : start + BATCH]).order_by("incident_id", "seq")
        for pk, lines in groupby(entries, key=lambda entry: entry.incident_id):
            seal(Incident, Entry, pk, list(lines), at)


def seal(Incident, Entry, pk, lines, at):
    """A journal that does not hold is sealed as it is: what didn't fit before doesn't fit after it."""
    for entry in lines:
        entry.old_facts = entry.facts
        entry.facts = {key: value for key, value in entry.facts.items() if key not in PERSONAL.get(entry.kind, ())}
    Entry.objects.bulk_update(lines, ["facts", "old_facts"])
    hashes, head = [entry.hash for entry in lines], lines[-1].hash
    facts = {
        "entries": len(lines), "head": head, "hashes": hashed(hashes),
        "rows": hashed([[*columns(entry), entry.hash] for entry in lines]),
    }  # fmt: skip
    salt = secrets.token_hex(16)
    entry = Entry(
        incident_id=pk, seq=lines[-1].seq + 1, kind="sealed", at=at, recorded_at=at, actor="system", channel="portal",
        public=True, facts=facts, personal={}, salt=salt, commitment=sha256(f"{salt}:".encode()).hexdigest(), previous=head,
    )  # fmt: skip
    entry.hash = new_digest(entry)
    entry.save(force_insert=True)
    Incident.objects.filter(pk=pk).update(journal_length=entry.seq, journal_head=entry.hash)


def unseal_journals(apps, schema_editor):
    """Back only while nothing was written after the seals and nobody was forgotten."""
    Incident, Entry = apps.get_model("incidents", "Incident"), apps.get_model("incidents", "JournalEntry")
    for entry in Entry.objects.filter(kind="sealed").select_related("incident"):
        if entry.seq != entry.incident.journal_length:
            raise ValueError(f"{entry.incident.nr} was written to after its journal was sealed")
        before = Entry.objects.filter(incident=entry.incident_id, seq__lt=entry.seq)
        if before.filter(old_facts=None).exists():
            raise ValueError(f"{entry.incident.nr}: people of its journal were forgotten")
        before.update(facts=models.F("old_facts"))
        Incident.objects.filter(pk=entry.incident_id).update(
            journal_length=entry.facts["entries"], journal_head=entry.facts["head"]
        )
        entry.delete()


class Migration(migrations.Migration):
    dependencies = [("incidents", "0002_journal_is_append_only")]

    operations = [
        migrations.AddField(model_name="journalentry", name="personal", field=models.JSONField(default=dict)),
        migrations.AddField(model_name="journalentry", name="old_facts", field=models.JSONField(null=True)),
        migrations.RunSQL(OFF, ON),
        migrations.RunPython(seal_journals, unseal_journals),
        # PostgreSQL alters no table whose foreign keys still wait to be checked
        migrations.RunSQL(NOW, NOW),
        migrations.RunSQL(ON, OFF),
        migrations.RunSQL(TRIGGER, BEFORE),
    ]
