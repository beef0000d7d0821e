"""What Celery calls: one call each, safe to run twice, a number out."""

from __future__ import annotations

import logging
import threading
from typing import Any

import redis
from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from monitoring import incoming, watch
from monitoring.state import retention, schedule

log = logging.getLogger(__name__)

GUARD_SECONDS, GUARD_PATIENCE = 0.5, 5.0  # between two looks at the broker; the pause after one that failed


@worker_ready.connect
def guard_the_broker(sender: Any, **_: object) -> None:
    """The lane that takes results guards the broker too, in a thread: a full broker takes no task that would."""
    if "monitor" in sender.app.amqp.queues.consume_from:
        threading.Thread(target=guard, args=(threading.Event(),), name="guard", daemon=True).start()


def guard(stop: threading.Event) -> None:
    """Cuts what probes write too much of, twice a second, until it is stopped; what fails is tried again."""
    pause = GUARD_SECONDS
    while not stop.wait(pause):
        try:
            with incoming.connect() as broker:
                while not stop.wait(pause := GUARD_SECONDS):
                    incoming.cut_floods(at=timezone.now(), broker=broker)
        except (redis.RedisError, DatabaseError) as error:
            log.warning("the broker cannot be guarded: %s", error)
            pause = GUARD_PATIENCE
        finally:
            connection.close()


@shared_task
def sweep_checks() -> int:
    """Ask the probes for every check that is due."""
    return schedule.sweep(at=timezone.now())


@shared_task
def take_results() -> int:
    """Take what the probes have sent."""
    return incoming.sweep(at=timezone.now())


@shared_task
def greet_probes() -> int:
    """Ask each place for nothing, for the health checks of the probes."""
    return schedule.greet()


@shared_task
def record_results(results: list[dict[str, Any]]) -> int:
    """A probe of before 0.1 sent its results here, unasked for all we know: refused, and its monitors asked anew."""
    log.warning("%d results of an old probe were refused: start it with the portal's version", len(results))
    for place in settings.PROBE_PLACES:
        incoming.refuse_unasked(place, sum(result.get("place") == place for result in results), at=timezone.now())
    return 0


@shared_task
def sweep_missed() -> int:
    """Monitors that nobody looks at become unknown."""
    return watch.sweep_missed(at=timezone.now())


@shared_task
def forget_checks() -> int:
    """Raw checks older than 90 days go; once a day."""
    return retention.forget_checks(at=timezone.now())
