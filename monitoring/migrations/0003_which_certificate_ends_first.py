"""Which certificate is the first to end: whose it is, and its name where it is an intermediate one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0002_an_outage_may_go_on_under_another_incident"),
    ]

    operations = [
        migrations.AddField(
            model_name="monitor",
            name="certificate_host",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="monitor",
            name="certificate_intermediate",
            field=models.CharField(blank=True, max_length=100),
        ),
    ]
