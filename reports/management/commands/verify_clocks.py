"""`manage.py verify_clocks`: does every stored clock follow from its journal, and is all as the daily anchors say?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone

from contracts.proof import one_moment
from contracts.terms import to_second
from incidents.anchors import Anchor, newest
from incidents.models import Incident
from incidents.projection import proof
from reports.anchor import proof as anchor_proof
from reports.verify.proof import beside_incidents


class Command(BaseCommand):
    help = (
        "Recomputes every incident's clocks from its journal, at the time they were stored and now, and checks the "
        "chain of every journal; without numbers also that nothing is missing, contracts and calendars against their "
        "seals, what the monitors saw against their lists of acts, and the daily anchors. Prints each difference. "
        "Exit code 1 where there is one, 2 where the anchor isn't one of the portal's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="incidents, e.g. MAK-0142; default: all")
        parser.add_argument("--rebuild", action="store_true", help="first empty the stored clocks and make them anew")
        parser.add_argument("--anchor", metavar="HASH", help="prove the portal as of this day; default: the newest")

    def handle(self, *args: Any, **options: Any) -> None:
        at = to_second(timezone.now())
        anchor = self._anchor(options["anchor"], options["numbers"])
        if options["rebuild"]:
            self.stdout.write(f"rebuilt {proof.rebuild(at=at)} incidents")
        wrong = 0
        with one_moment():
            for difference in differences(options["numbers"], anchor, at):
                wrong += 1
                self.stdout.write(difference)
        incidents = _incidents(options["numbers"])
        waiting = incidents.filter(wake_at__lte=at).count()
        self.stdout.write(f"{incidents.count()} incidents, {waiting} wait for the sweep, {wrong} differences")
        if wrong:
            sys.exit(1)
        if anchor:
            self.stdout.write(f"all is as the anchor of {anchor.day} says: {anchor.hash}")

    def _anchor(self, typed: str | None, numbers: list[str]) -> Anchor | None:
        """The one that was typed, else the newest where the whole portal is proven."""
        if typed is None:
            return None if numbers else newest()
        try:
            return anchor_proof.find(typed)
        except anchor_proof.UnknownAnchorError as error:
            self.stderr.write(str(error))
            sys.exit(2)


def differences(numbers: list[str], anchor: Anchor | None, at: datetime) -> Iterator[str]:
    """All that the command prints: of these incidents, or of the whole portal at `at`, and against the anchor."""
    if not numbers:
        yield from map(str, beside_incidents())
    yield from map(str, proof.differences(at=at, incidents=_incidents(numbers).values_list("pk", flat=True)))
    if anchor or not numbers:
        yield from anchor_proof.broken_chain()
    if anchor:
        yield from anchor_proof.changed_between()
        yield from anchor_proof.differences(anchor)


def _incidents(numbers: list[str]) -> QuerySet[Incident]:
    return Incident.objects.filter(nr__in=numbers) if numbers else Incident.objects.all()
