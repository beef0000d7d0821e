"""`manage.py roles`: makes the product's role in the database and gives it what it may do, and nothing else."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from sla_portal import database, roles


class Command(BaseCommand):
    help = (
        "Makes the role that DATABASE_URL names, with its password, and grants what the product may do. "
        "Connects as the owner (MIGRATE_DATABASE_URL). Run it again whenever you like: nothing else changes."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        own = dict(connection.settings_dict)
        with database.as_owner():
            roles.make(own["USER"], own["PASSWORD"])
            count = roles.grant(own["USER"])
        self.stdout.write(f"The role {own['USER']} may do with {count} tables what the product does, and no more.")
