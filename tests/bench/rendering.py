"""Rendering alone: the queue's page with everything read from the database beforehand; and CPU of a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from django.http import HttpRequest
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import translation

from incidents.views import queue as page
from tests.build import World


def request_of(world: World) -> HttpRequest:
    request = RequestFactory().get("/queue/")
    request.user = world.agent
    request.LANGUAGE_CODE = "pl"
    return request


def cpu(act: Callable[[], object], calls: int = 20) -> float:
    """Milliseconds of this thread's CPU, the median."""
    act()
    times = []
    for _ in range(calls):
        started = time.thread_time()
        act()
        times.append(time.thread_time() - started)
    return median(times) * 1000


def figures(world: World) -> tuple[int, float]:
    """How many rows the page has, and what its template costs."""
    template, request = get_template("incidents/queue.html"), request_of(world)
    with translation.override("pl"):
        context = page._context(request)  # type: ignore[arg-type]
        return context["rows"].count(",") + 1, cpu(lambda: template.render(context, request))
