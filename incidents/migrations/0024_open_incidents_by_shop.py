"""The open incidents of a shop, the newest first: what the report form offers to join, and what a shop's state is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0023_clocks_by_deadline")]

    operations = [
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                fields=["shop", "-received_at"],
                name="incident_open_by_shop",
                condition=~models.Q(status__in=["closed", "cancelled", "merged"]),
            ),
        ),
    ]
