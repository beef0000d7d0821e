"""The probe's own Celery application: it knows the broker's address and nothing else, no Django and no database.

    celery -A monitoring.probe_worker worker -Q probe.<place> --pool solo

`probe.run_checks` takes specifications, starts each as soon as one of the places in flight is free and returns; results
go back once a second to `monitoring.tasks.record_results` on the queue `monitor`. What a killed worker had in flight is
lost and shows as missed.

Environment: BROKER_URL (else REDIS_URL), PROBE_CANARIES (`host:port` by commas, `none`; public ones where it is empty),
PROBE_CA_FILE (trusted besides the system's authorities).
"""

import asyncio
import logging
import os
import queue
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cache
from typing import Any

from celery import Celery
from celery.signals import worker_shutdown
from kombu.exceptions import OperationalError

from monitoring.canaries import Canaries
from monitoring.canary_hosts import parse_canaries
from monitoring.judging import Judge
from monitoring.probe import check, tls_context
from monitoring.specification import CheckSpec, Result

IN_FLIGHT = 200
FLUSH_SECONDS = 1.0
# A broker that is away for long must not fill our memory: about ten minutes of a full worker.
KEPT_RESULTS = 100_000
RESULTS_TASK, RESULTS_QUEUE = "monitoring.tasks.record_results", "monitor"

log = logging.getLogger(__name__)

Send = Callable[[list[dict[str, Any]]], None]


def broker_address(environ: dict[str, str] | os._Environ[str]) -> str:
    """Celery's spelling of BROKER_URL or REDIS_URL: a socket is `redis+socket://…?virtual_host=N`."""
    address = environ.get("BROKER_URL") or environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
    if not address.startswith("unix://"):
        return address
    path, _, query = address.removeprefix("unix://").partition("?")
    return f"redis+socket://{path}?virtual_host={query.removeprefix('db=') or '0'}"


# Without fixups: Celery would load Django wherever DJANGO_SETTINGS_MODULE is set.
app = Celery("probe", broker=broker_address(os.environ), fixups=[])
app.conf.update(
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
)


class Engine:
    """One event loop in a thread of its own with a bounded number of checks, a judge process for what they bring, and a
    thread that sends results."""

    def __init__(self, send: Send, canaries: Canaries, tls: Callable[[], ssl.SSLContext]) -> None:
        self._send, self._canaries, self._tls = send, canaries, tls
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
        at = int(time.time())
        try:
            result = await self._judge(CheckSpec.from_json(data))
        except Exception:
            # Whatever breaks in here is our fault and must neither blame the shop nor go unseen.
            log.exception("check %s broke", data.get("id"))
            result = Result(str(data.get("id")), "unknown", "egress", detail="probe")
        return replace(result, at=at, place=place)

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
        except (OperationalError, OSError):
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


def _send(results: list[dict[str, Any]]) -> None:
    app.send_task(RESULTS_TASK, args=[results], queue=RESULTS_QUEUE, retry=False)


@cache
def engine() -> Engine:
    """The engine of this process, begun with its first task."""
    canaries = Canaries(parse_canaries(os.environ.get("PROBE_CANARIES", "")))
    extra_ca = os.environ.get("PROBE_CA_FILE", "")
    return Engine(_send, canaries, lambda: tls_context(extra_ca))


@app.task(name="probe.run_checks")
def run_checks(specs: Sequence[dict[str, Any]], place: str) -> int:
    """Begins the checks and returns their number; their results come by `record_results`."""
    for data in specs:
        engine().start(data, place)
    return len(specs)


@worker_shutdown.connect
def finish(**_: object) -> None:
    """A worker that is asked to end still reports what it has begun."""
    if engine.cache_info().currsize:
        engine().stop(seconds=10)
