"""Buckets of the limiter, in a table that costs no write-ahead log."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Limit",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("full_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE accounts_limit SET UNLOGGED",
            "ALTER TABLE accounts_limit SET LOGGED",
        ),
    ]
