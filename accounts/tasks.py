"""What Celery runs for this room. Each task is safe to run twice and at the same time as itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts import allowances, letters, limits


@shared_task
def send_letters() -> int:
    """Send the letters of sign-in that are due; how many left."""
    return letters.send_due(timezone.now)


@shared_task
def forget() -> int:
    """Full buckets, old letters and refusals; how many rows went."""
    now = timezone.now()
    return limits.forget_idle(at=now) + letters.forget(at=now) + allowances.forget(at=now)
