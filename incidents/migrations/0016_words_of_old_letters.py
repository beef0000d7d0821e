"""Old letters lose their words each night: an index of those that still have them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0015_proof_of_what_stands_beside")]

    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("body", ""), _negated=True), fields=["created_at"], name="outbox_words"
            ),
        ),
    ]
