"""The portal's pen in a place's part of the broker: writes questions there, apart from the portal's own application."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from monitoring.probe import link as probe_link


@cache
def _producer(url: str, ca_file: str, place: str) -> Celery:
    app = Celery("questions", fixups=[], set_as_current=False)
    app.conf.update(probe_link.celery_options(url, ca_file, place))
    return app


def ask(url: str, ca_file: str, place: str, specs: Sequence[dict[str, Any]], seconds: float) -> None:
    """Puts the specifications into the place's queue; nobody begins them after so many seconds.

    No specification asks only whether somebody takes messages there. `url`, `ca_file`: the portal's way to the broker.
    """
    name = probe_link.queue_name(place)
    queue: Any = Queue(name, Exchange(""), name, no_declare=True)
    _producer(url, ca_file, place).send_task(probe_link.CHECKS_TASK, args=[list(specs)], queue=queue, expires=seconds)
