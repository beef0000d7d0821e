"""What isn't kept for ever: the words and addresses of letters, and keys against repeats.

Who was told, by which channel and when, stays with the hash that proves it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from accounts.retention import BATCH, in_batches
from incidents.keys import RepeatKey
from messaging import outbox
from messaging.heartbeat import beat
from messaging.models import Delivery, Notification


def forget(*, at: datetime) -> int:
    """The night's work; how many rows."""
    done = empty_letters(at=at) + forget_keys(at=at)
    beat("forget", at=at)
    return done


def empty_letters(*, at: datetime, batch: int = BATCH) -> int:
    """Of letters older than `KEEP_LETTERS_DAYS` that wait for nothing any more the words and addresses go; how many."""
    before = at - timedelta(days=settings.KEEP_LETTERS_DAYS)
    old = Notification.objects.filter(created_at__lt=before, notice__settle_at=None).exclude(body="")
    done = old.exclude(status=Delivery.QUEUED).order_by("created_at")
    emptied = 0
    while now := outbox.empty(Notification.objects.filter(pk__in=list(done.values_list("pk", flat=True)[:batch]))):
        emptied += now
    return emptied


def forget_keys(*, at: datetime, batch: int = BATCH) -> int:
    """Delete the keys of reports older than `KEEP_KEYS_DAYS`: nobody repeats a call after so long."""
    old = RepeatKey.objects.filter(at__lt=at - timedelta(days=settings.KEEP_KEYS_DAYS))
    return in_batches(old, batch)
