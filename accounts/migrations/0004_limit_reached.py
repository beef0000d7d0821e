"""Who was refused by a limit, for the administrators."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sign_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="LimitReached",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reports", "reports of failures"),
                            ("acts", "what was sent"),
                            ("reads", "lists, files and searches"),
                        ],
                        max_length=7,
                    ),
                ),
                ("token", models.CharField(blank=True, max_length=25)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("times", models.PositiveIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("person", "kind", "token"), name="one_row_per_person_kind_and_token"
                    )
                ],
            },
        ),
    ]
