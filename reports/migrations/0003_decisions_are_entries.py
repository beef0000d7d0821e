"""Each decision of before becomes an entry of its incident's journal: at its own time, recorded at the upgrade.

The digests stand here as they are today: a later change of the code may not change what this migration writes.
"""

import json
import secrets
from datetime import UTC
from hashlib import sha256

from django.db import migrations
from django.utils import timezone

KINDS = ("breach_confirmed", "breach_excluded", "breach_seconded")
NOW = "SET CONSTRAINTS ALL IMMEDIATE"
OFF = "ALTER TABLE incidents_journalentry DISABLE TRIGGER incidents_journal_is_append_only"
ON = "ALTER TABLE incidents_journalentry ENABLE TRIGGER incidents_journal_is_append_only"


def utc(at):
    return at.astimezone(UTC).isoformat(timespec="seconds")


def as_json(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def entry_digest(entry):
    hashed = [
        2, entry.previous, entry.incident_id, entry.seq, entry.kind, utc(entry.at), utc(entry.recorded_at), entry.by_id,
        entry.actor, entry.channel, entry.public, entry.severity, entry.change, entry.reason, entry.facts,
        entry.commitment,
    ]  # fmt: skip
    return sha256(as_json(hashed).encode()).hexdigest()


def enter(apps, schema_editor):
    Decision, Entry = apps.get_model("reports", "BreachDecision"), apps.get_model("incidents", "JournalEntry")
    Incident = apps.get_model("incidents", "Incident")
    now = timezone.now().replace(microsecond=0)
    for decision in Decision.objects.select_related("breach__version").order_by("at", "pk"):
        breach = decision.breach
        incident = Incident.objects.select_for_update().get(pk=breach.incident_id)
        which = {
            "decision": decision.pk, "breach": breach.pk, "target": breach.target, "run": breach.run, "lap": breach.lap,
        }  # fmt: skip
        promise = {}
        if incident.next_update_at is not None:
            missed = incident.update_missed_at
            promise = {"promise": [utc(incident.next_update_at), missed and utc(missed)]}
        span = {name: utc(at) for name in ("excluded_from", "excluded_to") if (at := getattr(decision, name))}
        personal = {
            "amount_before": f"{decision.amount_before:.2f}", "amount_after": f"{decision.amount_after:.2f}",
            "evidence": decision.evidence, "currency": breach.version.currency,
        }  # fmt: skip
        lines = [(f"breach_{decision.verdict}", decision.by_id, decision.at, decision.reason, span, personal)]
        if decision.second_by_id:
            lines.append(("breach_seconded", decision.second_by_id, decision.second_at, "", {}, {}))
        for kind, by, at, reason, more, words in lines:
            salt = secrets.token_hex(16)
            said = f"\0{as_json(words)}" if words else ""
            entry = Entry(
                incident=incident, seq=incident.journal_length + 1, kind=kind, at=at, recorded_at=now, by_id=by,
                actor="staff", channel="portal", public=False, reason=reason, facts={**which, **more, **promise},
                personal=words, salt=salt, commitment=sha256(f"{salt}:{said}".encode()).hexdigest(),
                previous=incident.journal_head,
            )  # fmt: skip
            entry.hash = entry_digest(entry)
            entry.save(force_insert=True)
            incident.journal_length, incident.journal_head, incident.last_entry = entry.seq, entry.hash, entry
        incident.save(update_fields=["journal_length", "journal_head", "last_entry"])


def take_back(apps, schema_editor):
    """Back only while nothing was written after these lines."""
    Incident, Entry = apps.get_model("incidents", "Incident"), apps.get_model("incidents", "JournalEntry")
    Tally = apps.get_model("incidents", "Tally")
    for entry in Entry.objects.filter(kind__in=KINDS).select_related("incident").order_by("-seq"):
        incident = Incident.objects.get(pk=entry.incident_id)
        if entry.seq != incident.journal_length:
            raise ValueError(f"{incident.nr} was written to after its decision was put on record")
        before = Entry.objects.filter(incident=incident, seq=entry.seq - 1).first()
        incident.journal_length, incident.journal_head = entry.seq - 1, entry.previous
        incident.last_entry = before
        incident.save(update_fields=["journal_length", "journal_head", "last_entry"])
        Tally.objects.filter(pk=incident.pk).update(entries=entry.seq - 1, head=entry.previous)
        entry.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0015_proof_of_what_stands_beside"),
        ("reports", "0002_proof_runs"),
    ]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, f"{NOW}; {ON}"),
        migrations.RunPython(enter, take_back),
        migrations.RunSQL(migrations.RunSQL.noop, f"{NOW}; {OFF}"),
    ]
