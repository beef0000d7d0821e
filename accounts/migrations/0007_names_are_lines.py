"""Names, phones and addresses of before become one line, and the database keeps names so.

A line break in a name stood in the subject of every letter about that person or shop, and no such letter could leave.
Where nothing of a name is left, the e-mail or the code stands in for it. Backwards nothing changes in the rows.
"""

import re

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NOT_IN_A_LINE = "[\\u0001-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]"
COLUMNS = (
    ("User", {"name": "email", "phone": ""}),
    ("Client", {"name": "code", "tax_id": "", "address": ""}),
)


def clean(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for model, columns in COLUMNS:
        rows = apps.get_model("accounts", model).objects
        for column, otherwise in columns.items():
            for row in rows.filter(**{f"{column}__regex": NOT_IN_A_LINE}):
                text = " ".join(re.sub(NOT_IN_A_LINE, " ", getattr(row, column)).split())
                setattr(row, column, text or getattr(row, otherwise, ""))
                row.save(update_fields=[column])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_token_facts")]

    operations = [
        migrations.RunPython(clean, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", NOT_IN_A_LINE), _negated=True),
                name="client_name_is_one_line",
                violation_error_message="Write it in one line, without tabs and control characters.",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", NOT_IN_A_LINE), _negated=True),
                name="person_name_is_one_line",
                violation_error_message="Write it in one line, without tabs and control characters.",
            ),
        ),
    ]
