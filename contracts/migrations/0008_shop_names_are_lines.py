"""Names of shops and calendars of before become one line, and the database keeps those of shops so.

What is sealed (a contract's number, who signed it, a monitor's name) stays as it was entered: pages show it, no letter's head does.
Backwards nothing changes in the rows.
"""

import re

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NOT_IN_A_LINE = "[\\u0001-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]"


def clean(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for shop in apps.get_model("contracts", "Shop").objects.filter(name__regex=NOT_IN_A_LINE):
        shop.name = one_line(shop.name) or shop.slug
        shop.save(update_fields=["name"])
    calendars = apps.get_model("contracts", "Calendar").objects
    for calendar in calendars.filter(name__regex=NOT_IN_A_LINE):
        name = one_line(calendar.name)
        is_taken = not name or calendars.filter(name=name).exists()
        calendar.name = f"{name[:60]} ({calendar.pk})" if is_taken else name
        calendar.save(update_fields=["name"])


def one_line(text: str) -> str:
    return " ".join(re.sub(NOT_IN_A_LINE, " ", text).split())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_names_are_lines"), ("contracts", "0007_seals")]

    operations = [
        migrations.RunPython(clean, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="shop",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", NOT_IN_A_LINE), _negated=True),
                name="shop_name_is_one_line",
                violation_error_message="Write it in one line, without tabs and control characters.",
            ),
        ),
    ]
