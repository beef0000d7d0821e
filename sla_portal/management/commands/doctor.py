"""`manage.py doctor`: is this installation as it should be, and what is to be done?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from sla_portal import doctor


class Command(BaseCommand):
    help = (
        "Looks at settings, database, clock, tables, broker, mail server, gateway, disk, time zones, canaries, sweeps "
        "and the last backup, and says what to do. It changes and sends nothing. Exit code 1 where something is wrong."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not doctor.report(self.stdout.write):
            sys.exit(1)
