"""The daily anchor stands for the monitors' lists of acts too; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0013_digests")]

    operations = [
        migrations.AlterField(
            model_name="anchorleaf",
            name="kind",
            field=models.CharField(
                choices=[
                    ("journal", "journals"),
                    ("version", "contract versions"),
                    ("seals", "list of what was entered"),
                    ("decision", "decisions on breaches"),
                    ("monitor", "monitors"),
                ],
                max_length=8,
            ),
        )
    ]
