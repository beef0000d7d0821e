"""A row that left in a digest names it; how many texts a person got lately is found by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0012_journal_by_kind")]

    operations = [
        migrations.AddField(
            model_name="notification", name="bundle", field=models.CharField(blank=True, max_length=32)
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(channel__in=["sms", "voice"]), fields=["recipient", "sent_at"], name="outbox_texts"
            ),
        ),
    ]
