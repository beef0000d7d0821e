"""The probe's worker: a stranger with nothing but the broker, bounded; a broker that is away costs no result."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from monitoring import probe_worker
from monitoring.canaries import Canaries
from monitoring.canary_hosts import PUBLIC, parse_canaries
from monitoring.probe import tls_context
from monitoring.probe_worker import Engine, broker_address
from monitoring.specification import CheckSpec, Observation, Result
from monitoring.verdict import WayOut
from tests.monitoring.badserver import answer, closed_port, says, serving

ROOT = Path(__file__).resolve().parents[2]


def data_of(url: str, name: str = "7") -> dict[str, Any]:
    return CheckSpec(id=name, url=url, networks=("127.0.0.0/8",), timeout_ms=2_000).to_json()


def engine_with(sent: list[dict[str, Any]], canaries: str = "none") -> Engine:
    return Engine(sent.extend, Canaries(parse_canaries(canaries)), tls_context)


def results_of(data: list[dict[str, Any]], canaries: str = "none") -> list[Result]:
    sent: list[dict[str, Any]] = []
    engine = engine_with(sent, canaries)
    for one in data:
        engine.start(one, "pl")
    engine.stop(seconds=20)
    return [Result.from_json(one) for one in sent]


def test_it_loads_neither_django_nor_a_database_driver() -> None:
    # kombu itself takes one class of django.utils where Django is installed; that reads no settings.
    strangers = "{'django.conf', 'django.apps', 'django.db', 'psycopg2', 'sla_portal'}"
    script = f"import sys, monitoring.probe_worker; sys.exit(bool({strangers} & set(sys.modules)))"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "sla_portal.settings"}
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment).returncode == 0


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"BROKER_URL": "redis://a:6379/0", "REDIS_URL": "redis://b:6379/0"}, "redis://a:6379/0"),
        ({"REDIS_URL": "unix:///run/v.sock?db=3"}, "redis+socket:///run/v.sock?virtual_host=3"),
        ({"REDIS_URL": "unix:///run/v.sock"}, "redis+socket:///run/v.sock?virtual_host=0"),
        ({}, "redis://127.0.0.1:6379/0"),
    ],
)
def test_the_brokers_address_comes_from_the_environment(given: dict[str, str], address: str) -> None:
    assert broker_address(given) == address


def test_a_result_carries_the_checks_id_its_place_and_its_time() -> None:
    results = results_of([data_of(f"http://127.0.0.1:{closed_port()}/")])
    assert [(one.id, one.place, one.reason) for one in results] == [("7", "pl", "connect")]
    assert results[0].at > 1_700_000_000


def test_what_breaks_in_the_worker_is_unknown_and_does_not_stop_the_next() -> None:
    broken = data_of("http://127.0.0.1/") | {"networks": ["nonsense"]}
    strange = {"id": "8", "surprise": 1}
    results = results_of([broken, strange, data_of(f"http://127.0.0.1:{closed_port()}/", "9")])
    assert {one.id: (one.state, one.reason, one.detail) for one in results} == {
        "7": ("unknown", "egress", "probe"),
        "8": ("unknown", "egress", "probe"),
        "9": ("down", "connect", "refused"),
    }


def test_a_failure_while_the_canaries_fail_too_is_ours() -> None:
    canaries = ",".join(f"127.0.0.1:{closed_port()}" for _ in range(4))
    results = results_of([data_of(f"http://127.0.0.1:{closed_port()}/")], canaries)
    assert (results[0].state, results[0].reason, results[0].detail) == ("unknown", "egress", "canaries")
    assert results[0].canaries == "failed"


def test_three_of_four_canaries_are_enough() -> None:
    async def run() -> list[bool | None]:
        async with serving(says(answer())) as good:
            here, gone = ("127.0.0.1", good.port), ("127.0.0.1", closed_port())
            rows = ((here, here, here, gone), (here, here, gone, gone), ())
            return [(await Canaries(row).answer()).works for row in rows]

    assert asyncio.run(run()) == [True, False, None]


def test_canaries_are_asked_once_for_failures_that_wait_together_and_anew_for_a_later_one() -> None:
    async def run() -> tuple[int, int, float]:
        async with serving(says(answer())) as good:
            canaries = Canaries((("127.0.0.1", good.port),), spacing=0.05)
            await asyncio.gather(*(canaries.answer() for _ in range(10)))
            await asyncio.sleep(0.01)
            together, started = good.connections, time.monotonic()
            await canaries.answer()
            await asyncio.sleep(0.01)
            return together, good.connections, time.monotonic() - started

    together, later, waited = asyncio.run(run())
    assert together <= 2  # the first was asked before the others began to wait
    assert later == together + 1
    assert waited >= 0.04


def test_an_answer_from_before_the_failure_proves_nothing_of_it() -> None:
    async def run() -> list[bool | None]:
        canaries = Canaries((("127.0.0.1", closed_port()),), spacing=0)
        async with serving(says(answer())) as good:
            canaries.canaries = (("127.0.0.1", good.port),)
            before = await canaries.answer()
        return [before.works, (await canaries.answer()).works]

    assert asyncio.run(run()) == [True, False]


@pytest.mark.parametrize(
    ("number", "works", "names"),
    [(0, True, True), (socket.EAI_NONAME, True, True), (socket.EAI_AGAIN, True, False), (socket.EAI_FAIL, True, False)],
)
def test_name_servers_vouch_by_an_answer_that_no_cache_can_know(number: int, works: bool, names: bool) -> None:
    """The canaries' own names are known here for a while; one that was never asked needs a server that works."""
    asked = []

    async def run() -> WayOut:
        async def resolve(host: str) -> Sequence[str]:
            asked.append(host)
            if host == "canary.example" or not number:
                return ["127.0.0.1"]
            raise socket.gaierror(number, "as the system says it")

        async with serving(says(answer())) as good:
            return await Canaries((("canary.example", good.port), ("127.0.0.1", good.port)), resolve).answer()

    assert asyncio.run(run()) == WayOut(works, names)
    own, fresh = sorted(asked, key=len)
    assert own == "canary.example"
    assert re.fullmatch(r"[0-9a-f]{16}\.canary\.example\.", fresh)


def test_the_canaries_are_public_and_of_four_parties_unless_somebody_says_none() -> None:
    public = parse_canaries("")
    assert public == parse_canaries(PUBLIC)
    assert len({host.rpartition(".")[0].rpartition(".")[2] for host, _ in public}) == 4
    assert parse_canaries(" None ") == ()


def test_a_canary_without_a_port_is_named() -> None:
    with pytest.raises(ValueError, match=r"expected host:port or none, got 'dns\.example'"):
        parse_canaries("dns.example")


def test_never_more_checks_than_allowed_are_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most, lock = 0, 0, threading.Lock()

    async def slow_check(spec: CheckSpec, **_: object) -> Observation:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        await asyncio.sleep(0.01)
        with lock:
            now -= 1
        return Observation(method="GET", url=spec.url, status=200, body=b"x")

    monkeypatch.setattr(probe_worker, "check", slow_check)
    monkeypatch.setattr(probe_worker, "IN_FLIGHT", 5)
    assert len(results_of([data_of("http://127.0.0.1/") for _ in range(40)])) == 40
    assert most == 5


def test_results_wait_for_a_broker_that_is_away() -> None:
    sent: list[dict[str, Any]] = []
    broken = threading.Event()
    broken.set()

    def send(results: list[dict[str, Any]]) -> None:
        if broken.is_set():
            raise OperationalError("Connection refused")
        sent.extend(results)

    engine = Engine(send, Canaries(()), tls_context)
    engine.start(data_of(f"http://127.0.0.1:{closed_port()}/"), "pl")
    engine.stop(seconds=20)
    assert sent == []
    broken.clear()
    engine.flush()
    engine.flush()
    assert [one["id"] for one in sent] == ["7"]


def test_a_real_worker_takes_checks_from_its_place_and_sends_results_back(tmp_path: Path) -> None:
    broker = broker_address({"REDIS_URL": os.environ["REDIS_URL"]})
    worker = subprocess.Popen(
        [
            *[sys.executable, "-m", "celery", "-A", "monitoring.probe_worker", "worker", "-n", f"t{os.getpid()}@%h"],
            *["-Q", "probe.test", "--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"],
        ],
        cwd=ROOT,
        env=os.environ | {"BROKER_URL": broker},
    )
    try:
        with Connection(broker) as connection:
            probe_worker.app.send_task(
                "probe.run_checks",
                args=[[data_of(f"http://127.0.0.1:{closed_port()}/")], "test"],
                queue="probe.test",
                connection=connection,
            )
            queue = connection.SimpleQueue("monitor")
            message = queue.get(timeout=60)
            message.ack()
            queue.close()
    finally:
        worker.terminate()
        worker.wait(timeout=60)
    ((results,), _, _) = message.payload
    assert message.headers["task"] == "monitoring.tasks.record_results"
    assert [(one["id"], one["place"], one["state"], one["detail"]) for one in results] == [
        ("7", "test", "down", "refused")
    ]
