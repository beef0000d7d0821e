"""The whole way with nothing played: broker, workers, probe, a shop on loopback that is broken on purpose."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from incidents.models import Incident
from monitoring import tasks
from monitoring.models import Monitor, Outage, State
from monitoring.probe import link as probe_link
from sla_portal import processes
from sla_portal.celery import app
from sla_portal.demo import shops as demo_shops
from tests import build
from tests.monitoring.played import monitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[str]:
    """The demo shops' address, served by a thread of this process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    begun = demo_shops.start(tmp_path, 0, 0, at=datetime.now(UTC))
    running = asyncio.run_coroutine_threadsafe(begun, loop).result(20)
    yield f"http://127.0.0.1:{running.port}"
    asyncio.run_coroutine_threadsafe(running.runner.cleanup(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def workers(process_environment: dict[str, str]) -> Iterator[None]:
    """A worker for results and one probe, by the product's own commands."""
    app.conf.update(broker_url=settings.CELERY_BROKER_URL)
    with probe_link.client(settings.REDIS_URL, "", seconds=5) as broker:
        broker.delete("monitor", probe_link.queue_key("pl"), probe_link.results_key("pl"))
    variables = process_environment | {"PROBE_ALLOW_NETWORKS": "127.0.0.1/32"}
    commands = processes.commands(bind="", beat_file="", place="pl")
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *commands[name]], cwd=ROOT, env=processes.environment_of(name, variables)
        )
        for name in ("checks", "probe")
    ]
    yield
    for process in started:
        process.terminate()
    for process in started:
        process.wait(timeout=20)


def break_shop(shops: str, slug: str, fault: str) -> None:
    body = json.dumps({"fault": fault}).encode()
    request = urllib.request.Request(f"{shops}/api/shops/{slug}", body, method="PUT")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=5).close()


def sweep_until(happened: Callable[[], bool]) -> None:
    """Play beat: a sweep each second, until it happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, list(Monitor.objects.values("state", "reason", "checked_at", "fault"))
        # By name and over a connection of its own: another test may have made the probe's app the current one
        with app.connection_for_write() as connection:
            for task in (tasks.sweep_checks, tasks.take_results):
                app.send_task(task.name, queue="monitor", expires=5, connection=connection)
        time.sleep(0.5)


@pytest.mark.full  # the story walks the same way every day; here nothing else does
def test_a_shop_that_breaks_is_seen_confirmed_and_has_its_incident(shops: str, workers: None) -> None:
    world = build.world()
    watched = monitor(world.shop, url=f"{shops}/mak/", interval=5, timeout_ms=3000)
    sweep_until(lambda: Monitor.objects.get().state == State.UP)
    broken_at = datetime.now(UTC).replace(microsecond=0)
    break_shop(shops, "mak", "database")
    sweep_until(Outage.objects.exists)
    outage, incident = Outage.objects.get(), Incident.objects.get()
    assert broken_at <= outage.started_at < outage.confirmed_at
    assert (outage.reason, outage.incident, incident.what) == ("content", incident, "closed")
    assert incident.received_at == outage.confirmed_at
    assert "database connection" in watched.checks.filter(state="down").latest("at").evidence["excerpt"]
    joined = build.incident(world.shop, by=world.reporter, at=datetime.now(UTC), what="closed")
    assert joined == incident
