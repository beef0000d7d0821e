"""`manage.py restore BACKUP`: fills an empty database from a backup, brings it up to date and proves it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from sla_portal import backup, database, roles


class Command(BaseCommand):
    help = (
        "Fills an empty database from BACKUP, a folder that `manage.py backup` made: all of it or nothing. Then makes "
        "the product's role, migrates, and proves every clock and chain (`verify_clocks`). Connects as the owner "
        "(MIGRATE_DATABASE_URL). Nothing else of the portal may run meanwhile."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", metavar="BACKUP", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        manifest = backup.read(options["backup"])
        own = dict(connection.settings_dict)
        role = database.product_role()
        with database.as_owner():
            backup.restore(options["backup"], manifest)
            self.stdout.write(f"{sum(manifest.rows.values())} rows of {manifest.made_at}, as many as were written")
            if not roles.exists(role):
                roles.make(own["USER"], own["PASSWORD"])
            roles.grant(role)
        call_command("migrate", verbosity=0, interactive=False, stdout=self.stdout)
        if manifest.key != backup.fingerprint():
            self.stdout.write(
                "SECRET_KEY is another one than when the backup was made: everybody signs in again, links in old "
                "letters are dead, and answers to old letters begin a new thread. Nothing else depends on it."
            )
        call_command("verify_clocks", stdout=self.stdout)
