"""What Celery calls: one call each, safe to run twice, a number out."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from monitoring import retention, schedule, watch
from monitoring.specification import Result


@shared_task
def sweep_checks() -> int:
    """Ask the probes for every check that is due."""
    return schedule.sweep(at=timezone.now())


@shared_task
def record_results(results: list[dict[str, Any]]) -> int:
    """Take the results that a probe sends."""
    return watch.record_all([Result.from_json(one) for one in results], at=timezone.now())


@shared_task
def sweep_missed() -> int:
    """Monitors that nobody looks at become unknown."""
    return watch.sweep_missed(at=timezone.now())


@shared_task
def forget_checks() -> int:
    """Raw checks older than 90 days go; once a day."""
    return retention.forget_checks(at=timezone.now())
