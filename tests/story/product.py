"""The whole product as processes of one test: web server, workers, beat, mailbox and demo shops, on free ports."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings

from messaging.models import Heartbeat
from monitoring.probe import link as probe_link
from sla_portal import processes
from sla_portal.celery import app
from sla_portal.environment import VARIABLES
from sla_portal.local import run

log = logging.getLogger(__name__)

PATIENCE = 180.0
"""Seconds that a thing may take on a slow and busy machine; it is never waited out where all is well."""
LOOK_EVERY = 0.1
QUEUES = tuple(processes.LANES.values())
SWEEPS = {"clocks", "mail", "calls", "checks"}


def free_ports() -> int:
    """A port from which on as many are free as the product needs, below those that connections take by themselves."""
    for first in range(12000 + os.getpid() % 400 * 10, 17000, 10):
        try:
            run.check_ports(first)
        except run.RunError:
            continue
        return first
    raise AssertionError("no free ports from 12000 to 17000")


class Product:
    """Started by `start`, ended by `end`; every process is known by its number and by nothing else."""

    def __init__(self, folder: Path, given: Mapping[str, str], port: int) -> None:
        self.folder, self.port = folder, port
        self.url, self.mailbox, self.shops = (f"http://127.0.0.1:{number}" for number in (port, port + 1, port + 3))
        self.variables = self._variables(given)
        self.children: list[run.Child] = []

    def _variables(self, given: Mapping[str, str]) -> dict[str, str]:
        """What `make run` gives its processes, with this test's database, broker and canaries."""
        kept = {name: value for name, value in given.items() if name not in VARIABLES}
        own = {
            name: given[name] for name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "SECRET_KEY", "PROBE_CANARIES")
        }
        return kept | own | {
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "DEMO_SHOPS_URL": self.shops,
            "PROBE_ALLOW_NETWORKS": "127.0.0.1/32",
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    def start(self) -> None:
        """Returns once the pages answer and every sweep has been seen to run.

        Not every lane has worked by then: beat has something for that of the reports twice a minute only.
        """
        for name, command in self._commands():
            log = self.folder / f"{name}.log"
            self.children.append(run.Child(name, command, log, self.variables))
        self.until(self._answers, "the product answers")

    def _commands(self) -> Iterator[tuple[str, list[str]]]:
        port, folder = self.port, self.folder
        mail = ["--port", str(port + 1), "--smtp-port", str(port + 2), "--folder", str(folder / "mailbox")]
        yield "mailbox", [sys.executable, "-m", "sla_portal.local.mailbox", *mail]
        shops = ["--port", str(port + 3), "--state-dir", str(folder / "shops")]
        yield "shops", [sys.executable, "-m", "sla_portal.demo.shops", *shops]
        table = processes.commands(bind=f"127.0.0.1:{port}", beat_file=str(folder / "beat"), place="pl")
        for name, (program, *options) in table.items():
            yield name, [str(Path(sys.executable).parent / program), *options]

    def _answers(self) -> bool:
        addresses = (f"{self.url}/health/", self.mailbox, self.shops)
        beaten = set(Heartbeat.objects.values_list("name", flat=True))
        return beaten >= SWEEPS and all(run.answers(address) for address in addresses)

    def every_lane_works(self) -> bool:
        return all((self.folder / f"{lane}.worked").exists() for lane in processes.LANES)

    def end(self) -> None:
        """Ends every process, in the order of `make run`; their last words stand with a failed test's output."""
        running = [psutil.Process(child.process.pid) for child in self.children if child.process.poll() is None]
        run.end_all(running[::-1])
        for child in self.children:
            log.warning("%s: status %d. %s", child.name, child.process.wait(), run.last_words(child.log))

    def until(self, happened: Callable[[], object], what: str) -> None:
        """Looks again until it has happened. Fails at once where a process has ended, else after PATIENCE."""
        end = time.monotonic() + PATIENCE
        while not happened():
            for child in self.children:
                assert child.process.poll() is None, f"{child.name} ended by itself. {run.last_words(child.log)}"
            assert time.monotonic() < end, f"Within {PATIENCE:.0f} s not seen: {what}."
            time.sleep(LOOK_EVERY)

    def set_fault(self, shop: str, fault: str) -> None:
        """Breaks a demo shop by its control address; "" repairs it."""
        body = json.dumps({"fault": fault}).encode()
        request = urllib.request.Request(f"{self.shops}/api/shops/{shop}", body, method="PUT")
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request, timeout=20).close()

    def messages(self, channel: str, to: str) -> list[dict[str, Any]]:
        """What the SMTP server or the gateway has received for an address, in order."""
        with urllib.request.urlopen(f"{self.mailbox}/messages.json", timeout=20) as answer:
            received = json.load(answer)
        return [one for one in received if (one["channel"], one["to"]) == (channel, to)]


def clear_queues() -> None:
    """What another test of this worker left in the broker would be done on this test's database."""
    app.conf.update(broker_url=settings.CELERY_BROKER_URL)
    with app.connection_for_write() as connection:
        for name in QUEUES:
            connection.SimpleQueue(name).clear()
    with probe_link.client(settings.REDIS_URL, "", seconds=5) as broker:
        broker.delete(probe_link.queue_key("pl"), probe_link.results_key("pl"))
