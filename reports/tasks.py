"""What Celery calls: one call each, safe to run twice, a number out."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from reports.anchor import make as anchor


@shared_task
def make_anchor() -> int:
    """Make the day's anchor where there is none yet; 1 where it made one."""
    at = timezone.now()
    return int(anchor.is_due(at) and anchor.make(at=at) is not None)
