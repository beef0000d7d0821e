"""The daily anchor: one hash a day for the whole portal. Days and leaves are only added; the database refuses the rest."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION incidents_anchor_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'anchors are append-only';
END $$;
CREATE TRIGGER incidents_anchor_is_append_only BEFORE UPDATE OR DELETE ON incidents_anchor
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_anchor_is_append_only();
CREATE TRIGGER incidents_anchorleaf_is_append_only BEFORE UPDATE OR DELETE ON incidents_anchorleaf
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_anchor_is_append_only();
"""
BACKWARD = """
DROP TRIGGER incidents_anchorleaf_is_append_only ON incidents_anchorleaf;
DROP TRIGGER incidents_anchor_is_append_only ON incidents_anchor;
DROP FUNCTION incidents_anchor_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("incidents", "0010_keys_of_person_and_client"),
    ]

    operations = [
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(unique=True)),
                ("format", models.PositiveSmallIntegerField(default=1)),
                ("root", models.CharField(max_length=64)),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64, unique=True)),
                ("secret", models.CharField(max_length=64)),
                ("counts", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-day"],
            },
        ),
        migrations.CreateModel(
            name="AnchorTree",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret", models.CharField(max_length=64)),
                ("nodes", models.BinaryField()),
                ("way", models.JSONField(default=list)),
                (
                    "anchor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.anchor"
                    ),
                ),
                (
                    "client",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.client"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AnchorLeaf",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("journal", "journals"),
                            ("version", "contract versions"),
                            ("seals", "list of what was entered"),
                            ("decision", "decisions on breaches"),
                        ],
                        max_length=8,
                    ),
                ),
                ("row", models.BigIntegerField()),
                ("stage", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=60)),
                ("salt", models.CharField(max_length=32)),
                ("place", models.PositiveIntegerField()),
                ("hash", models.CharField(max_length=64)),
                (
                    "anchor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leaves", to="incidents.anchor"
                    ),
                ),
                (
                    "tree",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="leaves", to="incidents.anchortree"
                    ),
                ),
            ],
            options={
                "ordering": ["kind", "row", "anchor__day"],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "row", "anchor"), name="one_leaf_per_thing_and_anchor"),
                    models.UniqueConstraint(fields=("tree", "place", "anchor"), name="one_leaf_per_place_and_anchor"),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
