"""What a month's availability rests on changes only with a line of its monitor's list, which the database counts.

Each monitor of before gets one line, `vouched`, that names its terms, intervals and outages as they are at the upgrade.
What was changed before it nobody can tell. The digests stand here as they are today: a later change of the code may not
change what this migration writes.
"""

import json
from datetime import UTC, datetime
from hashlib import sha256

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

FORMAT = 1
NAMES = {
    "monitor": [
        "shop_id", "name", "url", "method", "interval", "timeout_ms", "slow_ms", "statuses", "required_text",
        "forbidden_text", "min_bytes", "what", "severity", "means_down", "is_active",
    ],
    "interval": ["monitor_id", "state", "reason", "started_at", "ended_at"],
    "outage": [
        "monitor_id", "incident_id", "reason", "evidence", "flapping", "started_at", "confirmed_at", "ended_at",
    ],
    "reopening": ["outage_id", "incident_id", "reopened_at", "reason", "evidence"],
}  # fmt: skip
FORWARD = """
CREATE FUNCTION monitoring_acts_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the list of acts is append-only';
END $$;
CREATE TRIGGER monitoring_acts_are_append_only BEFORE UPDATE OR DELETE ON monitoring_act
    FOR EACH ROW EXECUTE FUNCTION monitoring_acts_are_append_only();
CREATE FUNCTION monitoring_count_act() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.monitoring_acttally AS tally (monitor, acts, head) VALUES (NEW.monitor_id, 1, NEW.hash)
        ON CONFLICT (monitor) DO UPDATE SET acts = tally.acts + 1, head = NEW.hash;
    RETURN NULL;
END $$;
CREATE TRIGGER monitoring_count_act AFTER INSERT ON monitoring_act
    FOR EACH ROW EXECUTE FUNCTION monitoring_count_act();
"""
BACKWARD = """
DROP TRIGGER monitoring_count_act ON monitoring_act;
DROP FUNCTION monitoring_count_act();
DROP TRIGGER monitoring_acts_are_append_only ON monitoring_act;
DROP FUNCTION monitoring_acts_are_append_only();
"""


def digest(value):
    text = json.dumps([FORMAT, value], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def plain(name, value):
    if name == "evidence":
        return digest(value)
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def rows(kind, found):
    return {str(row.pk): {name: plain(name, getattr(row, name)) for name in NAMES[kind]} for row in found}


def vouch(apps, schema_editor):
    Monitor, Interval, Outage, Reopening, Act = (
        apps.get_model("monitoring", name) for name in ("Monitor", "Interval", "Outage", "Reopening", "Act")
    )
    at = timezone.now().replace(microsecond=0)
    for monitor in Monitor.objects.order_by("pk"):
        facts = {
            "monitor": rows("monitor", [monitor]),
            "interval": rows("interval", Interval.objects.filter(monitor=monitor).order_by("pk")),
            "outage": rows("outage", Outage.objects.filter(monitor=monitor).order_by("pk")),
            "reopening": rows("reopening", Reopening.objects.filter(outage__monitor=monitor).order_by("pk")),
        }
        content = digest([None, facts])
        link = digest(["", 1, "vouched", monitor.pk, content, at.astimezone(UTC).isoformat()])
        Act.objects.create(monitor=monitor, seq=1, kind="vouched", at=at, facts=facts, previous="", hash=link)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("monitoring", "0003_which_certificate_ends_first"),
    ]

    operations = [
        migrations.CreateModel(
            name="ActTally",
            fields=[
                ("monitor", models.BigIntegerField(primary_key=True, serialize=False)),
                ("acts", models.PositiveIntegerField(default=0)),
                ("head", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Act",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("vouched", "vouched for as it stood"),
                            ("added", "monitor added"),
                            ("changed", "monitor changed"),
                            ("stopped", "watching stopped"),
                            ("started", "watching started"),
                            ("state", "state changed"),
                            ("revised", "earlier state determined"),
                            ("confirmed", "outage confirmed"),
                            ("reopened", "outage goes on"),
                            ("ended", "outage ended"),
                        ],
                        max_length=9,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("facts", models.JSONField()),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "monitor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="acts", to="monitoring.monitor"
                    ),
                ),
            ],
            options={
                "ordering": ["monitor", "seq"],
                "constraints": [
                    models.UniqueConstraint(fields=("monitor", "seq"), name="one_act_per_monitor_and_number")
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(vouch, migrations.RunPython.noop),
    ]
