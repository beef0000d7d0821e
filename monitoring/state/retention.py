"""What is not kept for ever: raw checks. Intervals and outages stay, so no figure ever changes by it."""

from __future__ import annotations

from datetime import datetime, timedelta

from messaging.heartbeat import beat
from monitoring.models import Check, Monitor

KEPT = timedelta(days=90)  # as far back as a shop's page draws
BATCH = 5_000  # rows of one transaction


def forget_checks(*, at: datetime, batch: int = BATCH) -> int:
    """Drop checks older than 90 days; returns how many. Each batch is committed alone, so no lock is held for long.

    Monitor by monitor, for so every batch is one short walk along the index that a check is unique by.
    """
    before = at - KEPT
    dropped = sum(_forget(pk, before, batch) for pk in Monitor.objects.order_by("pk").values_list("pk", flat=True))
    beat("retention", at=at)
    return dropped


def _forget(monitor: int, before: datetime, batch: int) -> int:
    old = Check.objects.filter(monitor=monitor, at__lt=before).order_by("at")
    dropped = 0
    while deleted := Check.objects.filter(pk__in=old.values("pk")[:batch]).delete()[0]:
        dropped += deleted
    return dropped
