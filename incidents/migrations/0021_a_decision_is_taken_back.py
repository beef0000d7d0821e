"""A decision on a breach may be taken back, which is a line of its incident's journal."""

from __future__ import annotations

from django.db import migrations, models

KINDS = [
    "received",
    "received_earlier",
    "alarm",
    "joined",
    "details",
    "reported_claim",
    "contact",
    "auto_reply",
    "internal_note",
    "client_message",
    "escalation_asked",
    "assigned",
    "unassigned",
    "reader_left",
    "paused",
    "resumed",
    "work_started",
    "backup",
    "backup_skipped",
    "workaround",
    "resolved",
    "rejected",
    "accepted",
    "closed",
    "verdict_asked",
    "severity",
    "withdrawal_agreed",
    "cancelled",
    "merged_into",
    "monitor_failed",
    "monitor_recovered",
    "recovery_asked",
    "recovery_denied",
    "update_missed",
    "escalated",
    "unheard",
    "breach",
    "breach_void",
    "breach_confirmed",
    "breach_excluded",
    "breach_seconded",
    "breach_reopened",
    "sweep_failed",
    "calendar_kept",
    "vouched",
    "forgotten",
    "sealed",
]


class Migration(migrations.Migration):
    dependencies = [("incidents", "0020_notices")]

    operations = [
        migrations.RemoveConstraint(model_name="journalentry", name="journal_knows_its_kinds"),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="journal_knows_its_kinds"),
        ),
    ]
