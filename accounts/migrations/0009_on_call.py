"""Who answers the duty phone is on call, as everywhere else; `duty` also meant a client's turn and a sweep."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_names_that_tell_nothing")]

    operations = [migrations.RenameField(model_name="user", old_name="on_duty", new_name="on_call")]
