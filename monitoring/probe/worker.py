"""The probe's own Celery application: it knows its place's part of the broker, no Django and no database.

    celery -A monitoring.probe.worker worker -Q probe.<place> --pool solo --without-heartbeat

`probe.run_checks` takes specifications, starts each as soon as one of the places in flight is free and returns; results
go back several times a second as lines of JSON on the list of `link.results_key`. What a killed worker had in
flight is lost and shows as missed. A message says what to ask; where the probe may go, how long and how much it reads
is said by its own environment and bounds, so a forged message makes no scanner of it.

Environment: PROBE_PLACE, BROKER_URL (else REDIS_URL), BROKER_CA_FILE (of a `rediss://` broker), PROBE_ALLOW_NETWORKS,
PROBE_PORTS, PROBE_CANARIES (`host:port` by commas, `none`; public ones where it is empty), PROBE_CA_FILE (trusted
besides the system's authorities), WORKED_FILE (touched after each task).
"""

import asyncio
import logging
import os
import queue
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import redis
from celery import Celery
from celery.signals import task_postrun, worker_init, worker_shutdown
from kombu import Exchange, Queue

from monitoring.probe import link as probe_link
from monitoring.probe.addresses import Policy, parse_networks
from monitoring.probe.canaries import Canaries
from monitoring.probe.canary_hosts import parse_canaries
from monitoring.probe.check import check, tls_context
from monitoring.probe.judging import Judge
from monitoring.probe.result_lines import line_of
from monitoring.probe.specification import CheckSpec, Result

IN_FLIGHT = 200  # checks; with a body of MOST_BODY each they hold 100 MiB
FLUSH_SECONDS = 0.2  # results wait so long for others to go with
BROKER_SECONDS = 5.0
AT_ONCE = 200  # results in one command: a client of the broker has a size
# A broker that is away for long must not fill our memory: about ten minutes of a full worker.
KEPT_RESULTS = probe_link.RESULTS_KEPT
# What a message may ask for at most.
MOST_CHECKS, MOST_MS, MOST_BODY, MOST_HEADERS = 1_000, 60_000, 512 * 1024, 64 * 1024

log = logging.getLogger(__name__)

Send = Callable[[list[dict[str, Any]]], None]


def broker_url(environ: dict[str, str] | os._Environ[str]) -> str:
    return environ.get("BROKER_URL") or environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"


def place_of(environ: dict[str, str] | os._Environ[str]) -> str:
    return environ.get("PROBE_PLACE", "").strip() or "pl"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where this probe may go, whatever a message says."""

    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = (80, 443)

    @classmethod
    def of(cls, environ: dict[str, str] | os._Environ[str]) -> "Bounds":
        """ValueError for what is no network or no port."""
        networks = tuple(_words(environ.get("PROBE_ALLOW_NETWORKS", "")))
        ports = tuple(int(word) for word in _words(environ.get("PROBE_PORTS", "") or "80,443"))
        Policy(parse_networks(networks), frozenset(ports))
        return cls(networks, ports)

    def around(self, spec: CheckSpec) -> CheckSpec:
        """The specification within these bounds; nothing is read for longer, or more of it, than a check needs."""
        return replace(
            spec,
            networks=self.networks,
            ports=self.ports,
            timeout_ms=min(spec.timeout_ms, MOST_MS),
            body_cap=min(spec.body_cap, MOST_BODY),
            header_cap=min(spec.header_cap, MOST_HEADERS),
        )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


PLACE, URL = place_of(os.environ), broker_url(os.environ)
CA_FILE = os.environ.get("BROKER_CA_FILE", "")
# Without fixups: Celery would load Django wherever DJANGO_SETTINGS_MODULE is set.
app = Celery("probe", fixups=[], set_as_current=False)
app.conf.update(
    probe_link.celery_options(URL, CA_FILE, PLACE),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Nothing is declared, so the queue is the only key. An unknown place is refused, not waited at.
    task_queues=[Queue(probe_link.queue_name(PLACE), Exchange(""), probe_link.queue_name(PLACE), no_declare=True)],
    task_create_missing_queues=False,
    # Commands for workers go over channels, which the place's user cannot reach.
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
)


class Engine:
    """One event loop in a thread of its own with a bounded number of checks, a judge process for what they bring, and a
    thread that sends results."""

    def __init__(self, send: Send, canaries: Canaries, tls: Callable[[], ssl.SSLContext], bounds: Bounds) -> None:
        self._send, self._canaries, self._tls, self._bounds = send, canaries, tls, bounds
        self._slots = threading.BoundedSemaphore(IN_FLIGHT)
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._unsent: list[dict[str, Any]] = []
        self._loop = asyncio.new_event_loop()
        self.judge = Judge()
        threading.Thread(target=self._loop.run_forever, name="checks", daemon=True).start()
        self._stopping = threading.Event()
        self._sender = threading.Thread(target=self._send_each_second, name="results", daemon=True)
        self._sender.start()

    def start(self, data: dict[str, Any], place: str) -> None:
        """Begins one check; waits while `IN_FLIGHT` are under way."""
        self._slots.acquire()
        begun = asyncio.run_coroutine_threadsafe(self._check(data, place), self._loop)
        begun.add_done_callback(self._finish)

    def _finish(self, done: Future[Result]) -> None:
        self._slots.release()
        self._results.put(done.result())

    async def _check(self, data: dict[str, Any], place: str) -> Result:
        at, slot = int(time.time()), data.get("slot")
        try:
            result = await self._judge(self._bounds.around(CheckSpec.from_json(data)))
        except Exception:
            # Whatever breaks in here is our fault and must neither blame the shop nor go unseen.
            log.exception("check %s broke", data.get("id"))
            result = Result(str(data.get("id")), "unknown", "egress", detail="probe")
        return replace(result, at=at, place=place, slot=slot if isinstance(slot, int) else 0)

    async def _judge(self, spec: CheckSpec) -> Result:
        return await self._canaries.vouch(await self.judge.judge(spec, await check(spec, tls=self._tls())))

    def _send_each_second(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self.flush()

    def flush(self) -> None:
        """Sends what has come in; what a broker doesn't take is kept for the next time."""
        while not self._results.empty():
            self._unsent.append(self._results.get().to_json())
        if not self._unsent:
            return
        try:
            self._send(self._unsent)
        except (redis.RedisError, OSError):
            log.exception("%d results could not be sent yet", len(self._unsent))
            del self._unsent[:-KEPT_RESULTS]
        else:
            self._unsent = []

    def stop(self, seconds: float) -> None:
        """Waits at most so long for what is in flight, then sends the last results."""
        end = time.monotonic() + seconds
        for _ in range(IN_FLIGHT):
            if not self._slots.acquire(timeout=max(0.0, end - time.monotonic())):
                break
        self._stopping.set()
        self._sender.join()
        self.flush()
        asyncio.run_coroutine_threadsafe(self.judge.close(), self._loop).result(seconds)


@cache
def _broker() -> redis.Redis:
    return probe_link.client(URL, CA_FILE, seconds=BROKER_SECONDS)


def _send(results: list[dict[str, Any]]) -> None:
    """The results behind those that wait; where the portal takes none for long, the oldest go."""
    key, waiting = probe_link.results_key(PLACE), 0
    for first in range(0, len(results), AT_ONCE):
        waiting = _broker().rpush(key, *map(line_of, results[first : first + AT_ONCE]))
    if waiting > probe_link.RESULTS_KEPT:
        _broker().ltrim(key, -probe_link.RESULTS_KEPT, -1)


@cache
def engine() -> Engine:
    """The engine of this process, begun with its first task."""
    canaries = Canaries(parse_canaries(os.environ.get("PROBE_CANARIES", "")))
    extra_ca = os.environ.get("PROBE_CA_FILE", "")
    return Engine(_send, canaries, lambda: tls_context(extra_ca), Bounds.of(os.environ))


@app.task(name=probe_link.CHECKS_TASK)
def run_checks(specs: Sequence[dict[str, Any]]) -> int:
    """Begins the checks and returns their number; an empty list asks whether anybody is there."""
    begun = [data for data in specs[:MOST_CHECKS] if isinstance(data, dict)]
    for data in begun:
        engine().start(data, PLACE)
    return len(begun)


@task_postrun.connect
def note_work(**_: object) -> None:
    """Touches WORKED_FILE: a worker that still runs may consume nothing, one that has just worked does."""
    if file := os.environ.get("WORKED_FILE"):
        Path(file).touch()


@worker_init.connect
def refuse_wrong_bounds(sender: Any = None, **_: object) -> None:
    """A wrong place, address, network or port, or a way round the verification, stops the start with a sentence."""
    if not probe_link.PLACE_NAME.fullmatch(PLACE):
        sys.exit(f"PROBE_PLACE={PLACE!r}: expected a name of letters, digits, - and _.")
    if probe_link.has_wrong_port(URL):
        sys.exit("BROKER_URL: expected an address with a port, and in its password %2F for /, %23 for #, %3F for ?.")
    if option := probe_link.refused_options(URL):
        sys.exit(f"BROKER_URL: {option} must not stand there; the certificate is always verified, by BROKER_CA_FILE.")
    try:
        Bounds.of(os.environ)
        parse_canaries(os.environ.get("PROBE_CANARIES", ""))
    except ValueError as error:
        sys.exit(f"PROBE_ALLOW_NETWORKS, PROBE_PORTS or PROBE_CANARIES: {error}")


@worker_shutdown.connect
def finish(**_: object) -> None:
    """A worker that is asked to end still reports what it has begun."""
    if engine.cache_info().currsize:
        engine().stop(seconds=10)
