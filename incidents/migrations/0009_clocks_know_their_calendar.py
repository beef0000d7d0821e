"""A clock's row says as of when its calendar is read, and what a day off had moved stays as the client was told.

Until now every count read all days off that were there, whenever they were entered. From here on a base reads the
calendar as it stood when the base began. An incident that was counted with days entered after its beginning gets a
line in its journal by which its clocks go on reading the calendar as of that count, so no deadline moves back. Rows
of before have no `calendar_at` and are read as of when they were computed.

The digest stands here as it is today: a later change of the code may not change what this migration writes.
"""

import json
import secrets
from datetime import UTC
from hashlib import sha256

from django.db import migrations, models
from django.db.models import Max, Min
from django.utils import timezone

OFF = "ALTER TABLE incidents_journalentry DISABLE TRIGGER incidents_journal_is_append_only"
ON = "ALTER TABLE incidents_journalentry ENABLE TRIGGER incidents_journal_is_append_only"
NOW = "SET CONSTRAINTS ALL IMMEDIATE"


def utc(at):
    return at.astimezone(UTC).isoformat(timespec="seconds")


def digest(entry):
    hashed = [
        2, entry.previous, entry.incident_id, entry.seq, entry.kind, utc(entry.at), utc(entry.recorded_at), entry.by_id,
        entry.actor, entry.channel, entry.public, entry.severity, entry.change, entry.reason, entry.facts,
        entry.commitment,
    ]  # fmt: skip
    return sha256(json.dumps(hashed, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def keep_calendars(apps, schema_editor):
    """A line for each incident whose last count read a day that was entered after the incident began."""
    Day, Target = apps.get_model("contracts", "CalendarDay"), apps.get_model("contracts", "Target")
    Incident, Entry = apps.get_model("incidents", "Incident"), apps.get_model("incidents", "JournalEntry")
    recorded_at = timezone.now().replace(microsecond=0)
    days = list(Day.objects.order_by("date"))
    if not days:
        return
    calendars = {}
    for version, calendar in Target.objects.values_list("version_id", "calendar_id"):
        calendars.setdefault(version, set()).add(calendar)
    counted = Incident.objects.exclude(version=None).annotate(counted_at=Max("clocks__computed_at"))
    for incident in counted.exclude(counted_at=None).order_by("pk"):
        began_at = Entry.objects.filter(incident=incident).aggregate(first=Min("at"))["first"]
        read = [
            day
            for day in days
            if day.calendar_id in calendars.get(incident.version_id, ())
            and began_at <= day.entered_at < incident.counted_at
        ]
        if read:
            keep(Entry, incident, sorted({day.date.isoformat() for day in read}), recorded_at)


def keep(Entry, incident, dates, recorded_at):
    salt = secrets.token_hex(16)
    entry = Entry(
        incident_id=incident.pk, seq=incident.journal_length + 1, kind="calendar_kept", at=incident.counted_at,
        recorded_at=recorded_at, actor="system", channel="portal", public=True, facts={"dates": dates}, personal={},
        salt=salt, commitment=sha256(f"{salt}:".encode()).hexdigest(), previous=incident.journal_head,
    )  # fmt: skip
    entry.hash = digest(entry)
    entry.save(force_insert=True)
    type(incident).objects.filter(pk=incident.pk).update(journal_length=entry.seq, journal_head=entry.hash)


def forget_kept(apps, schema_editor):
    """Back only while nothing was written after these lines."""
    Incident, Entry = apps.get_model("incidents", "Incident"), apps.get_model("incidents", "JournalEntry")
    for entry in Entry.objects.filter(kind="calendar_kept").select_related("incident"):
        if entry.seq != entry.incident.journal_length:
            raise ValueError(f"{entry.incident.nr} was written to after its calendar was kept")
        Incident.objects.filter(pk=entry.incident_id).update(journal_length=entry.seq - 1, journal_head=entry.previous)
        entry.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0006_calendars_have_a_history"),
        ("incidents", "0008_seen_working"),
    ]

    operations = [
        migrations.AddField(model_name="clockrow", name="calendar_at", field=models.DateTimeField(null=True)),
        migrations.RunSQL(migrations.RunSQL.noop, f"{NOW}; {ON}"),
        migrations.RunPython(keep_calendars, forget_kept),
        migrations.RunSQL(NOW, OFF),
    ]
