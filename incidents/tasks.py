"""What Celery runs for this room. Each task is safe to run twice and at the same time as itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from incidents import retention, sweeps
from incidents.notices import sending
from messaging import outbox


@shared_task
def sweep_clocks() -> int:
    """Work on the incidents that are due now; how many there were."""
    return sweeps.sweep_now(timezone.now)


@shared_task
def send_mail() -> int:
    """Send the letters that are due now; how many left."""
    return sending.send_now(timezone.now, outbox.MAIL)


@shared_task
def send_calls() -> int:
    """Send the text messages and calls that are due now; how many left."""
    return sending.send_now(timezone.now, outbox.CALLS)


@shared_task
def forget() -> int:
    """Old letters lose their words, old repeat keys go; how many rows."""
    return retention.forget(at=timezone.now())
