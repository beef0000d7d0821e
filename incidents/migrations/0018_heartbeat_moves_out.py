"""The table of sweeps is the messaging room's (`messaging.0001`): here it is only forgotten."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0017_history_stays"), ("messaging", "0001_heartbeat")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Heartbeat")]),
    ]
