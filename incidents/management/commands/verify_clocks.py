"""`manage.py verify_clocks`: does every stored clock follow from its journal?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from contracts.terms import whole
from incidents import proof
from incidents.models import Incident


class Command(BaseCommand):
    help = (
        "Recomputes every incident's clocks from its journal, at the time they were stored and now, checks the chain "
        "of every journal and prints each difference. Exit code 1 where there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="incidents, e.g. MAK-0142; default: all")
        parser.add_argument("--rebuild", action="store_true", help="first empty the stored clocks and make them anew")

    def handle(self, *args: Any, **options: Any) -> None:
        at = whole(timezone.now())
        if options["rebuild"]:
            self.stdout.write(f"rebuilt {proof.rebuild(at=at)} incidents")
        found = Incident.objects.filter(nr__in=options["numbers"]) if options["numbers"] else Incident.objects.all()
        wrong = 0
        for difference in proof.differences(at=at, incidents=found.values_list("pk", flat=True)):
            wrong += 1
            self.stdout.write(str(difference))
        waiting = found.filter(wake_at__lte=at).count()
        self.stdout.write(f"{found.count()} incidents, {waiting} wait for the sweep, {wrong} differences")
        if wrong:
            sys.exit(1)
