"""When the client wrote under a repair that stands: from then no silence accepts it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0006_missed_updates")]

    operations = [migrations.AddField("incident", "client_wrote_at", models.DateTimeField(null=True))]
