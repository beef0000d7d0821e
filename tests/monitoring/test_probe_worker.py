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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from celery.app.utils import find_app
from django.conf import settings
from kombu import Connection

from monitoring.probe import link as probe_link
from monitoring.probe import questions
from monitoring.probe import worker as probe_worker
from monitoring.probe.canaries import Canaries
from monitoring.probe.canary_hosts import PUBLIC, parse_canaries
from monitoring.probe.check import tls_context
from monitoring.probe.result_lines import read
from monitoring.probe.specification import CheckSpec, Observation, Result
from monitoring.probe.verdict import WayOut
from monitoring.probe.worker import Bounds, Engine, broker_url
from sla_portal import processes
from sla_portal.demo.certificates import Authority
from tests.monitoring.badserver import answer, closed_port, says, serving
from tests.monitoring.tls_end import tls_end

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = Bounds(("127.0.0.0/8",))


def data_of(url: str, name: str = "7") -> dict[str, Any]:
    return CheckSpec(id=name, url=url, timeout_ms=2_000).to_json()


def engine_with(sent: list[dict[str, Any]], canaries: str = "none") -> Engine:
    return Engine(sent.extend, Canaries(parse_canaries(canaries)), tls_context, LOOPBACK)


def results_of(data: list[dict[str, Any]], canaries: str = "none") -> list[Result]:
    sent: list[dict[str, Any]] = []
    engine = engine_with(sent, canaries)
    for one in data:
        engine.start(one, "pl")
    engine.stop(seconds=20)
    return [Result.from_json(one) for one in sent]


def test_the_command_of_before_starts_the_same_application() -> None:
    """For one release, so that a place elsewhere needs no new command on the day of the move."""
    assert find_app("monitoring.probe_worker") is find_app("monitoring.probe.worker") is probe_worker.app


def test_it_loads_neither_django_nor_a_database_driver() -> None:
    # kombu itself takes one class of django.utils where Django is installed; that reads no settings.
    strangers = "{'django.conf', 'django.apps', 'django.db', 'psycopg2', 'sla_portal'}"
    script = f"import sys, monitoring.probe.worker; sys.exit(bool({strangers} & set(sys.modules)))"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "sla_portal.settings"}
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment).returncode == 0


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"BROKER_URL": "redis://a:6379/0", "REDIS_URL": "redis://b:6379/0"}, "redis://a:6379/0"),
        ({"REDIS_URL": "unix://u:p@/run/v.sock?db=3"}, "redis+socket://u:p@/run/v.sock?virtual_host=3"),
        ({"REDIS_URL": "unix:///run/v.sock"}, "redis+socket:///run/v.sock?virtual_host=0"),
        ({}, "redis://127.0.0.1:6379/0"),
    ],
)
def test_the_brokers_address_comes_from_the_environment(given: dict[str, str], address: str) -> None:
    assert probe_link.celery_address(broker_url(given)) == address


def test_a_result_carries_the_checks_id_its_place_and_its_time() -> None:
    results = results_of([data_of(f"http://127.0.0.1:{closed_port()}/")])
    assert [(one.id, one.place, one.reason) for one in results] == [("7", "pl", "connect")]
    assert results[0].at > 1_700_000_000


def test_what_breaks_in_the_worker_is_unknown_and_does_not_stop_the_next() -> None:
    broken = data_of("http://127.0.0.1/") | {"timeout_ms": "soon"}
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
            raise redis.ConnectionError("Connection refused")
        sent.extend(results)

    engine = Engine(send, Canaries(()), tls_context, LOOPBACK)
    engine.start(data_of(f"http://127.0.0.1:{closed_port()}/"), "pl")
    engine.stop(seconds=20)
    assert sent == []
    broken.clear()
    engine.flush()
    engine.flush()
    assert [one["id"] for one in sent] == ["7"]


def test_a_forged_message_makes_no_scanner_of_the_probe() -> None:
    """It says where to go, for how long and how much to read; the probe's own environment and bounds decide."""
    forged = data_of("http://127.0.0.1:5432/") | {
        "networks": ["0.0.0.0/0"], "ports": [5432], "timeout_ms": 10**9, "body_cap": 10**12, "header_cap": 10**12,
    }  # fmt: skip
    kept = Bounds().around(CheckSpec.from_json(forged))
    assert (kept.networks, kept.ports) == ((), (80, 443))
    assert (kept.timeout_ms, kept.body_cap, kept.header_cap) == (60_000, 512 * 1024, 64 * 1024)
    sent: list[dict[str, Any]] = []
    engine = Engine(sent.extend, Canaries(()), tls_context, Bounds())
    engine.start(forged, "pl")
    engine.stop(seconds=20)
    assert [(one["state"], one["reason"], one["detail"]) for one in sent] == [("unknown", "blocked", "address")]


def test_the_probes_bounds_come_from_its_environment_and_a_wrong_one_stops_it() -> None:
    given = {"PROBE_ALLOW_NETWORKS": "10.0.0.0/8, 127.0.0.1/32", "PROBE_PORTS": "80,8080"}
    assert Bounds.of(given) == Bounds(("10.0.0.0/8", "127.0.0.1/32"), (80, 8080))
    assert Bounds.of({}) == Bounds((), (80, 443))
    environment = os.environ | {"PROBE_ALLOW_NETWORKS": "10.0.0.1/8"}
    done = subprocess.run(worker_command(), cwd=ROOT, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode != 0
    assert b"PROBE_ALLOW_NETWORKS, PROBE_PORTS or PROBE_CANARIES: 10.0.0.1/8 has host bits set" in done.stderr


def worker_command(place: str = "pl") -> list[str]:
    return [sys.executable, "-m", *processes.commands(bind="", beat_file="", place=place)["probe"]]


def test_a_real_worker_far_away_takes_checks_from_its_place_and_sends_results_back(tmp_path: Path) -> None:
    """As its own broker user, over verified TLS: what that user may not do, the worker does not need."""
    worked, ca = tmp_path / "worked", tmp_path / "ca.pem"
    authority = Authority.create("Makowa CA", at=datetime.now(UTC))
    authority.write(ca)
    day = timedelta(days=1)
    now = datetime.now(UTC)
    certificate = authority.issue("127.0.0.1", tmp_path / "broker.pem", starts=now - day, ends=now + day)
    portal = probe_link.client(settings.REDIS_URL, "", seconds=90)
    portal.delete(probe_link.queue_key("pl"), probe_link.results_key("pl"))
    who, _, rest = os.environ["BROKER_URL"].removeprefix("redis+socket://").partition("@")
    broker_socket, _, number = rest.partition("?virtual_host=")
    with tls_end(certificate, Path(broker_socket)) as port:
        far = f"rediss://{who}@127.0.0.1:{port}/{number}"
        refuses_a_broker_that_is_somebody_else(far, far.replace("127.0.0.1", "localhost"), str(ca))
        given = os.environ | {
            "BROKER_URL": far, "BROKER_CA_FILE": str(ca), "WORKED_FILE": str(worked), "PROBE_CANARIES": "none",
            "PROBE_ALLOW_NETWORKS": "127.0.0.1/32",
        }  # fmt: skip
        given = processes.environment_of("probe", given)
        assert not {"REDIS_URL", "SECRET_KEY", "DATABASE_URL"} & set(given)
        with open(tmp_path / "log", "wb") as log:
            worker = subprocess.Popen(worker_command(), cwd=ROOT, env=given, stdout=log, stderr=subprocess.STDOUT)
        try:
            spec = data_of(f"http://127.0.0.1:{closed_port()}/") | {"slot": 1_790_000_000}
            questions.ask(settings.REDIS_URL, "", "pl", [spec], 60)
            taken = portal.blpop([probe_link.results_key("pl")], timeout=60)
        finally:
            worker.terminate()
            worker.wait(timeout=60)
    assert taken is not None, (tmp_path / "log").read_text()
    result = read(cast("bytes", taken[1]))
    assert (result.id, result.place, result.state, result.detail) == ("7", "pl", "down", "refused")
    assert result.slot == 1_790_000_000
    assert worked.exists()
    words = (tmp_path / "log").read_text()
    assert f"rediss://probe.pl:**@127.0.0.1:{port}" in words
    assert not {"NoPermission", "insecure", "CERT_NONE", who.partition(":")[2]} & set(re.findall(r"[\w-]+", words))


def refuses_a_broker_that_is_somebody_else(far: str, by_another_name: str, ca_file: str) -> None:
    """By an authority that it does not trust, or with another host's certificate; by the results' way and Celery's."""
    with probe_link.client(far, ca_file, seconds=5) as client:
        assert client.ping()
    for url, trusted in ((far, ""), (by_another_name, ca_file)):
        with probe_link.client(url, trusted, seconds=5) as client, pytest.raises(redis.ConnectionError, match="verify"):
            client.ping()
        options = probe_link.celery_options(url, trusted, "pl")
        link = Connection(url, ssl=options["broker_use_ssl"], transport_options=options["broker_transport_options"])
        with pytest.raises(redis.ConnectionError, match="verify"):
            link.channel()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("URL", "rediss://u:hush@h:6380/0?ssl_cert_reqs=none", "ssl_cert_reqs must not stand there"),
        ("URL", "rediss://u:hush@h:6380/0?ssl_check_hostname=false", "the certificate is always verified"),
        ("URL", "redis://u:hush/mid@h:6379/0", "in its password %2F for /"),
        ("PLACE", "p*", "expected a name of letters"),
    ],
)
def test_a_wrong_address_or_place_stops_the_start_without_saying_a_password(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setattr(probe_worker, name, value)
    with pytest.raises(SystemExit) as refused:
        probe_worker.refuse_wrong_bounds()
    assert sentence in str(refused.value)
    assert "hush" not in str(refused.value)
