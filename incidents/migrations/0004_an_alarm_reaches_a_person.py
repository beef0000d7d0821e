"""What the outbox needs so that an alarm reaches a person or screams; old notices learn whom they were written to."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def say_who_was_written_to(apps, schema_editor):
    """Until now nobody but our people had a role, so a recipient without one is a client's person."""
    apps.get_model("incidents", "Notification").objects.filter(recipient__provider_role="").update(audience="client")


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0003_journal_without_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="UnheardAlarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.CharField(max_length=100, unique=True)),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("staff", "our people"),
                            ("admin", "administrator"),
                            ("client", "the client's people"),
                        ],
                        max_length=6,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("look_at", models.DateTimeField()),
                ("mended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["opened_at", "pk"],
            },
        ),
        migrations.AddField(
            model_name="firing",
            name="entry",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.journalentry"
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="audience",
            field=models.CharField(
                choices=[("staff", "our people"), ("admin", "administrator"), ("client", "the client's people")],
                default="staff",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="bar",
            field=models.CharField(
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
        migrations.AddField(
            model_name="notification",
            name="entry",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notifications",
                to="incidents.journalentry",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="firing",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notifications",
                to="incidents.firing",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="settle_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="topic",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name="notification",
            name="address",
            field=models.CharField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name="notification",
            name="status",
            field=models.CharField(
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
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("settle_at__isnull", False)), fields=["settle_at"], name="outbox_unsettled"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(condition=models.Q(("topic", ""), _negated=True), fields=["topic"], name="outbox_topic"),
        ),
        migrations.AddField(
            model_name="unheardalarm",
            name="entry",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.journalentry"
            ),
        ),
        migrations.AddField(
            model_name="unheardalarm",
            name="firing",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.firing"
            ),
        ),
        migrations.AddField(
            model_name="unheardalarm",
            name="incident",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="unheard", to="incidents.incident"
            ),
        ),
        migrations.AddIndex(
            model_name="unheardalarm",
            index=models.Index(condition=models.Q(("mended_at", None)), fields=["look_at"], name="unheard_alarms"),
        ),
        migrations.RunPython(say_who_was_written_to, migrations.RunPython.noop),
    ]
