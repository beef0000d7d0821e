"""`manage.py backup FOLDER`: a new backup in the folder, and the old ones beyond `--keep` removed."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from contracts.terms import to_second
from messaging import heartbeat
from reports.health import BACKUP
from sla_portal import backup, database


class Command(BaseCommand):
    help = (
        "Writes the whole database into a new folder in FOLDER, with the count of its rows and its hash, while the "
        "portal works. Connects as the owner (MIGRATE_DATABASE_URL). SECRET_KEY and the passwords are not in it: keep "
        "them elsewhere. The health page shows the age of the last backup."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path, help="where backups are kept; made where missing")
        parser.add_argument("--keep", metavar="N", type=int, help="remove the older backups there, but the newest N")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["keep"] is not None and options["keep"] < 1:
            raise CommandError("--keep: expected 1 or more; the backup that was just made is always kept.")
        at, started = to_second(timezone.now()), time.monotonic()
        with database.as_owner():
            made = backup.make(options["folder"], at)
            heartbeat.beat(BACKUP, at=at, took_ms=int((time.monotonic() - started) * 1000))
        size = (made / backup.DUMP).stat().st_size / 1_000_000
        self.stdout.write(f"{made}: {sum(backup.read(made).rows.values())} rows, {size:.1f} MB")
        for old in backup.remove_old(options["folder"], options["keep"]) if options["keep"] else ():
            self.stdout.write(f"removed {old}")
