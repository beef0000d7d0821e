"""A failure that the monitor saw heal: since when the clock stands, and when staff are asked again."""

from django.db import migrations, models

STATES = [
    ("running", "running"),
    ("paused", "paused"),
    ("seen_working", "seen working by the monitor"),
    ("met", "met"),
    ("breached", "breached"),
    ("not_running", "not running"),
]


class Migration(migrations.Migration):
    dependencies = [("incidents", "0007_client_wrote_after_a_repair")]

    operations = [
        migrations.AddField("clockrow", "seen_at", models.DateTimeField(null=True)),
        migrations.AddField("incident", "ask_at", models.DateTimeField(null=True)),
        migrations.AlterField("clockrow", "state", models.CharField(choices=STATES, max_length=12)),
    ]
