"""The month of the breaches' page reads the clocks of this month, not all there ever were."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0022_how_it_stands")]

    operations = [
        migrations.AddIndex(model_name="clockrow", index=models.Index(fields=["deadline"], name="clocks_by_deadline")),
    ]
