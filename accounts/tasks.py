"""What Celery runs for this room. Each task is safe to run twice and at the same time as itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts import letters, retention


@shared_task
def send_letters() -> int:
    """Write the letters of sign-in that were asked for into the outbox; how many."""
    return letters.hand_over(at=timezone.now())


@shared_task
def forget() -> int:
    """Ended sessions and tokens, full buckets, old letters, tries and refusals; how many rows went."""
    return retention.forget(at=timezone.now())
