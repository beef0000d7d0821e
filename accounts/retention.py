"""What signing in leaves behind goes by age: sessions, tokens, tries, letters. A known device is a cookie, no row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Model, QuerySet
from knox.models import AuthToken

from accounts.models import Letter, Limit, LimitReached
from messaging import outbox
from messaging.models import Notification

BATCH = 5_000  # rows of one transaction, so that no lock is held for long


def forget(*, at: datetime, batch: int = BATCH) -> int:
    """Delete what has ended or is older than `KEEP_ATTEMPTS_DAYS`; how many rows.

    A full bucket is what a missing one means. A letter's link is dead after three days at most; its row in the outbox
    loses the words and the address. The tables of axes are written by nobody any more and hold what was tried before.
    """
    before = at - timedelta(days=settings.KEEP_ATTEMPTS_DAYS)
    outbox.empty(Notification.objects.filter(letter__asked_at__lt=before).exclude(body=""))
    old: tuple[QuerySet[Any], ...] = (
        Session.objects.filter(expire_date__lt=at),
        AuthToken.objects.filter(expiry__lt=at),
        Limit.objects.filter(full_at__lt=at),
        Letter.objects.filter(asked_at__lt=before),
        LimitReached.objects.filter(last_at__lt=before),
        *(log.objects.filter(attempt_time__lt=before) for log in (AccessAttempt, AccessLog, AccessFailureLog)),
    )
    return sum(in_batches(rows, batch) for rows in old)


def in_batches(rows: QuerySet[Model], batch: int) -> int:
    """Delete them, each batch committed alone, so that no lock is held for long; how many."""
    deleted = 0
    while gone := rows.model._default_manager.filter(pk__in=rows.order_by().values("pk")[:batch]).delete()[0]:
        deleted += gone
    return deleted
