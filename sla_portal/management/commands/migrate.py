"""`manage.py migrate` as the database's owner; what is new is granted to the product's role at once."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connection

from sla_portal import database, roles


class Command(migrate.Command):
    help = f"{migrate.Command.help} Connects as the owner (MIGRATE_DATABASE_URL)."

    def handle(self, *args: Any, **options: Any) -> None:
        role = database.product_role()
        with database.as_owner():
            super().handle(*args, **options)
            if options.get("plan") or options.get("check_unapplied"):
                return
            if roles.exists(role):
                roles.grant(role)
            elif role != connection.settings_dict["USER"]:
                self.stderr.write(f"There is no role {role!r} for the product yet: run `manage.py roles`.")
