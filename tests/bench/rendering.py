"""Rendering alone: the queue's page and its rows, with everything read from the database beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.http import HttpRequest
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import timezone, translation

from incidents import queue
from incidents.models import Incident
from incidents.views import queue as page
from tests.build import World


def request_of(world: World) -> HttpRequest:
    request = RequestFactory().get("/queue/")
    request.user = world.agent
    request.LANGUAGE_CODE = "pl"
    return request


def context_of(world: World, rows: int) -> dict[str, Any]:
    """What the page is given, with so many rows in one group, as if no bound were there."""
    at = timezone.now().replace(microsecond=0)
    incidents = Incident.objects.filter(pk__in=queue.waiting().values("pk")[:rows]).with_row().order_by("due_at", "pk")
    shown: list[queue.Row] = [
        {"incident": incident, "clock": queue.nearest(incident, at), "last": "Odpowiedź: sprawdzamy u operatora"}
        for incident in incidents
    ]
    assert len(shown) == rows
    context = page._context(request_of(world))  # type: ignore[arg-type]
    return context | {"groups": [queue.Group("now", queue.NAMES["now"], rows, shown)]}


def cpu(act: Callable[[], object], calls: int = 20) -> float:
    """Milliseconds of this thread's CPU, the median."""
    act()
    times = []
    for _ in range(calls):
        started = time.thread_time()
        act()
        times.append(time.thread_time() - started)
    return median(times) * 1000


def figures(world: World) -> list[tuple[int, float]]:
    template, request = get_template("incidents/queue.html"), request_of(world)
    with translation.override("pl"):
        pages = [(rows, context_of(world, rows)) for rows in (50, 100, 300)]
        return [(rows, cpu(lambda: template.render(context, request))) for rows, context in pages]  # noqa: B023
