"""Invitations leave by the queue of letters; of whom they tell."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_limit_reached"),
    ]

    operations = [
        migrations.AddField(
            model_name="letter",
            name="client",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.client"
            ),
        ),
    ]
