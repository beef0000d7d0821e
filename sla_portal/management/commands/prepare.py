"""`manage.py prepare`: collects the static files where they are hashed, and brings the database and its roles up to
date; into an empty one it plays the demo's history.

Migrations and roles run as the owner, the demo as the product's role.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand

from accounts.models import User

# Of installed packages, for pages that we don't show: half a second of CPU at each start
UNUSED = ["rest_framework", "redoc"]


class Command(BaseCommand):
    help = "Migrates the database; an empty one gets the demo data. For `make run`: production migrates only."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.STATIC_ROOT:
            call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=UNUSED)
        self.stdout.write("Database: migrations…")
        call_command("roles", stdout=StringIO())
        call_command("migrate", verbosity=0, interactive=False)
        if settings.DEMO_DATA and "demo_seed" in get_commands() and not User.objects.exists():
            self.stdout.write("Database: demo data…")
            call_command("demo_seed")
