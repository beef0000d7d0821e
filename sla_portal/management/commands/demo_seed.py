"""`manage.py demo_seed`: plays the demo into an empty database, through the product's own verbs, in time order."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from contracts.terms import to_second
from incidents.models import Breach, Incident
from sla_portal.demo import cast as cast_of
from sla_portal.demo import history, present
from sla_portal.demo.player import Player
from wording.refusals import Refused
from wording.words import local_day


class Command(BaseCommand):
    help = "Fills an empty database with believable demo data; refuses a database that has people in it."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            raise CommandError("The database has people in it; demo data go into an empty one (`make reset`).")
        started = time.monotonic()
        try:
            with transaction.atomic():
                self._play()
        except Refused as refusal:
            way_out = "The demo shops need PROBE_ALLOW_NETWORKS=127.0.0.1/32, as `make run` sets it."
            raise CommandError(f"{refusal} {way_out}") from refusal
        present.break_shops()
        took = time.monotonic() - started
        counts = f"{Incident.objects.count()} incidents, {Breach.objects.count()} breaches"
        self.stdout.write(f"Demo data: {counts}, {took:.0f} s")

    def _play(self) -> None:
        now = to_second(timezone.now())
        entered = now - timedelta(weeks=14)
        cast = cast_of.enter(local_day(now), entered)
        player = Player()
        history.tell(player, cast, history.Calendar(now))
        present.tell(player, cast, now)
        player.play(now, self._progress)

    def _progress(self, done: int, of: int) -> None:
        if done % 25 == 0 or done == of:
            self.stdout.write(f"Demo data: {done} of {of} acts")
