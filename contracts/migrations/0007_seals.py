"""Each contract, version, calendar and day is sealed: a chained list of digests of what was entered.

What stands at the upgrade is sealed as it stands. The digests stand here as they are today: a later change of the code
may not change what this migration writes.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

from django.db import migrations, models
from django.utils import timezone

FORMAT = 1
NAMES = {
    "Calendar": ["zone", "weekly", "statutory_holidays"],
    "CalendarDay": ["calendar_id", "date", "windows", "entered_by_id", "entered_at"],
    "Contract": ["client_id", "number", "zone", "starts_on", "ends_on", "notice_months"],
    "ContractVersion": [
        "contract_id", "number", "valid_from", "monthly_fee", "currency", "repair_starts", "reopen", "liability",
        "delay_time", "cumulation", "incident_cap_percent", "incident_cap_amount", "month_cap_percent",
        "contract_cap_amount", "availability_target", "minimum_outage_minutes", "maintenance",
        "maintenance_notice_hours", "maintenance_limit_minutes", "unknown_limit_minutes", "monitoring_starts_clock",
        "third_party_pause", "second_person_above", "exclusion_reasons", "silence_days_p1", "silence_days_p2",
        "silence_days_p3", "silence_days_p4", "days_off_notice", "signed_on", "signatories", "created_by_id",
        "created_at",
    ],
    "Target": ["severity", "kind", "minutes", "calendar_id"],
    "PenaltyRule": ["rate_type", "rate", "unit", "grace_minutes", "grace_mode"],
    "UpdateRhythm": ["severity", "minutes", "calendar_id"],
    "EscalationStep": ["target", "share", "whom", "person_id", "channel"],
    "MaintenanceWindow": ["shop_id", "starts_at", "ends_at", "announced_at", "note", "entered_by_id"],
}  # fmt: skip
FORWARD = """
CREATE FUNCTION contracts_seals_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the list of seals is append-only';
END $$;
CREATE TRIGGER contracts_seals_are_append_only BEFORE UPDATE OR DELETE ON contracts_seal
    FOR EACH ROW EXECUTE FUNCTION contracts_seals_are_append_only();
"""
BACKWARD = """
DROP TRIGGER contracts_seals_are_append_only ON contracts_seal;
DROP FUNCTION contracts_seals_are_append_only();
"""


def digest(value):
    text = json.dumps([FORMAT, value], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def plain(row, name):
    value = getattr(row, name)
    if isinstance(value, Decimal):
        return f"{value:.{row._meta.get_field(name).decimal_places}f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def columns(row):
    return {name: plain(row, name) for name in NAMES[row._meta.object_name]}


def ordered(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def removed(day):
    return {
        **columns(day), "removed_at": day.removed_at.astimezone(UTC).isoformat(), "removed_by_id": day.removed_by_id,
    }  # fmt: skip


def seal_all(apps, schema_editor):
    """What a contract rests on before what rests on it; of equals the oldest first."""
    Calendar, Day, Contract, Version, Target, Rule, Rhythm, Step, Window = (
        apps.get_model("contracts", name)
        for name in (
            "Calendar", "CalendarDay", "Contract", "ContractVersion", "Target", "PenaltyRule", "UpdateRhythm",
            "EscalationStep", "MaintenanceWindow",
        )
    )  # fmt: skip

    def terms(version):
        targets = [
            {
                **columns(target),
                "week": digest(columns(target.calendar)),
                "penalty": next((columns(rule) for rule in Rule.objects.filter(target=target)), None),
            }
            for target in Target.objects.filter(version=version).select_related("calendar")
        ]
        rhythms = [columns(row) for row in Rhythm.objects.filter(version=version)]
        steps = [columns(row) for row in Step.objects.filter(version=version)]
        below = {"targets": ordered(targets), "rhythms": ordered(rhythms), "steps": ordered(steps)}
        return {**columns(version), **below}

    at = timezone.now().replace(microsecond=0)
    seals = List(apps.get_model("contracts", "Seal"), at)
    for row in Calendar.objects.order_by("pk"):
        seals.add("calendar", row, columns(row))
    for row in Day.objects.order_by("entered_at", "pk"):
        seals.add("day", row, columns(row))
    for row in Day.objects.filter(removed_at__isnull=False).order_by("removed_at", "pk"):
        seals.add("day_removed", row, removed(row))
    for row in Contract.objects.order_by("pk"):
        shops = sorted(row.shops.values_list("pk", flat=True))
        seals.add("contract", row, {**columns(row), "shops": shops})
    for row in Version.objects.order_by("created_at", "pk"):
        seals.add("version", row, terms(row))
    for row in Window.objects.order_by("announced_at", "pk"):
        seals.add("maintenance", row, columns(row))


class List:
    """The list of seals while it is written."""

    def __init__(self, model, at):
        self.model, self.at, self.seq, self.previous = model, at, 0, ""

    def add(self, kind, row, values):
        self.seq += 1
        content = digest(values)
        link = digest([self.previous, self.seq, kind, row.pk, content, self.at.astimezone(UTC).isoformat()])
        self.model.objects.create(
            seq=self.seq, kind=kind, row=row.pk, digest=content, at=self.at, previous=self.previous, hash=link
        )
        self.previous = link


class Migration(migrations.Migration):
    dependencies = [("contracts", "0006_calendars_have_a_history")]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField(unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("calendar", "Calendar"),
                            ("day", "Day"),
                            ("day_removed", "Day Removed"),
                            ("contract", "Contract"),
                            ("version", "Version"),
                            ("maintenance", "Maintenance"),
                        ],
                        max_length=11,
                    ),
                ),
                ("row", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["seq"],
                "indexes": [models.Index(fields=["kind", "row"], name="seals_of_a_row")],
            },
        ),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
