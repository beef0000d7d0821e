"""The probe as an enemy: with its own broker user it reaches its two lists, and no other key, channel or command."""

from __future__ import annotations

import json
import os
import pickle
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from contracts.terms import seconds
from incidents.models import Incident
from monitoring import incoming, tasks
from monitoring.models import Check, Monitor, Outage, ProbePlace, State
from monitoring.probe import link as probe_link
from monitoring.probe import questions
from sla_portal import broker_users, sockets
from sla_portal.local import embedded
from tests import build
from tests.monitoring.played import monitor

OTHERS = (
    "clock", "mail", "calls", "monitor", "report", "unacked", "_kombu.binding.clock", "taking.pl",
    "probe.de.probe.de", "probe.de.results", "probe.pl.", "probe.pl.other", "probe.plx.results",
)  # fmt: skip
ON_A_KEY = (
    "BRPOP {} 1", "RPUSH {} x", "LPUSH {} x", "LTRIM {} 1 0", "LRANGE {} 0 -1", "DEL {}", "GET {}", "SET {} x",
)  # fmt: skip
CHANNELS = ("/0.celery.pidbox", "/1.celery.pidbox", "probe.pl./0.celery.pidbox", "probe.pl.results", "/0.celeryev/x")
SERVERS_OWN = (
    "KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "CONFIG GET *", "CONFIG SET dir /tmp", "FLUSHALL", "FLUSHDB", "SAVE",
    "BGSAVE", "SHUTDOWN NOSAVE", "MODULE LIST", "ACL LIST", "ACL SETUSER x on", "CLIENT LIST", "CLIENT PAUSE 1",
    "INFO", "MONITOR", "SWAPDB 0 1", "EVAL x 0", "EVALSHA x 0", "SCRIPT LOAD x", "FUNCTION LIST", "REPLICAOF a 1",
    "CLUSTER INFO", "SLOWLOG GET", "OBJECT HELP", "WAIT 0 0", "WATCH x", "MULTI",
)  # fmt: skip


def as_user(user: str) -> redis.Redis:
    """On the database of this test's worker."""
    words = json.loads(Path(os.environ["BROKER_PASSWORDS"]).read_text())
    socket = Path(settings.REDIS_URL.partition("@")[2].partition("?")[0])
    number = int(settings.REDIS_URL.rpartition("=")[2])
    return redis.Redis.from_url(sockets.socket_url(socket, user, words[user], number), socket_timeout=5)


def order(client: Any, *words: str) -> None:
    client.execute_command(*words)


@pytest.fixture
def probe() -> Iterator[redis.Redis]:
    with as_user("probe.pl") as client:
        yield client


@pytest.fixture
def portal() -> Iterator[redis.Redis]:
    with as_user(broker_users.PORTAL) as client:
        kept = [*OTHERS, probe_link.queue_key("pl"), probe_link.results_key("pl")]
        client.delete(*kept)
        yield client
        client.delete(*kept)


@pytest.mark.parametrize("key", OTHERS)
def test_it_reads_and_writes_no_key_of_others(probe: redis.Redis, portal: redis.Redis, key: str) -> None:
    portal.rpush(key, "kept")
    for command in ON_A_KEY:
        with pytest.raises(redis.exceptions.NoPermissionError):
            order(probe, *command.format(key).split())
    assert portal.lrange(key, 0, -1) == [b"kept"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_it_speaks_and_listens_on_no_channel(probe: redis.Redis, channel: str) -> None:
    for command in ("PUBLISH", "SPUBLISH"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            order(probe, command, channel, "{}")
    for command in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            order(probe, command, channel)


@pytest.mark.parametrize("command", SERVERS_OWN)
def test_it_orders_nothing_of_the_server(probe: redis.Redis, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        order(probe, *command.split())


def test_it_takes_its_questions_and_writes_results_that_it_cannot_read(probe: redis.Redis, portal: redis.Redis) -> None:
    questions.ask(settings.REDIS_URL, "", "pl", [], 60)
    assert portal.exists("probe.pl", "_kombu.binding.probe.pl") == 0
    assert probe.brpop([probe_link.queue_key("pl")], timeout=5) is not None
    assert probe.rpush(probe_link.results_key("pl"), "{}") == 1
    for command in ("LRANGE {} 0 -1", "BRPOP {} 1", "DEL {}", "EXPIRE {} 1"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            order(probe, *command.format(probe_link.results_key("pl")).split())


def test_what_it_forges_by_the_way_that_it_has_counts_nowhere_and_is_shown(
    probe: redis.Redis, portal: redis.Redis, db: None, settings: Any
) -> None:
    """A taken-over probe of pl, with its own user: it knows every monitor's number and was asked of none."""
    settings.PROBE_PLACES = ["pl", "de"]
    at = build.at("2026-03-02 10:10:00")
    world, slot = build.world(), seconds(at)
    watched = monitor(world.shop, asked=[[slot, "de"]])
    asked = monitor(world.shop, name="Koszyk", asked=[[slot, "pl"]])
    down = {"state": "down", "reason": "content", "id": str(watched.pk), "slot": slot, "at": slot + 1, "place": "pl"}
    mine = down | {"id": str(asked.pk)}
    forged: list[dict[str, Any]] = [
        down, down | {"place": "de"}, down | {"slot": slot - 7200}, down | {"id": "999999"}, mine | {"slot": slot + 60},
        mine | {"at": slot + 3600}, mine | {"at": slot - 3600}, mine | {"state": "paused"}, mine | {"reason": "fire"},
        mine | {"excerpt": "x" * 100_000}, mine | {"timings": {"dns": {}}}, mine | {"id": [str(asked.pk)]},
    ]  # fmt: skip
    lines = [json.dumps({"timings": {}, **one}) for one in forged]
    odd = [b"[" * 100_000, b"\xff", b"null", b'{"id":' + b"9" * 30_000 + b"}", pickle.dumps(forged)]
    probe.rpush(probe_link.results_key("pl"), *lines, *odd)
    with pytest.raises(redis.exceptions.NoPermissionError):
        probe.rpush(probe_link.results_key("de"), json.dumps(down | {"place": "de"}))
    assert incoming.sweep(at=at + timedelta(seconds=3)) == 0
    assert [Check.objects.count(), Outage.objects.count(), Incident.objects.count()] == [0, 0, 0]
    assert set(Monitor.objects.values_list("state", "checked_at")) == {(State.UNKNOWN, None)}
    assert portal.exists(probe_link.results_key("pl")) == 0
    assert ProbePlace.objects.values_list("name", "refused").get() == ("pl", len(forged) + len(odd))


def fill(client: redis.Redis, key: str) -> int:
    """Pushes megabytes, then less, until the broker has no room. How many went in."""
    count = 0
    for size in (2**20, 2**14, 2**8):
        try:
            for _ in range(2**10):
                client.lpush(key, b"x" * size)
                count += 1
        except redis.exceptions.OutOfMemoryError:
            continue
    return count


@pytest.mark.parametrize("key", [probe_link.queue_key("pl"), probe_link.results_key("pl")])
def test_a_flood_that_fills_the_broker_is_cut_while_no_task_gets_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, key: str
) -> None:
    words = dict.fromkeys(("portal", "keeper", "probe.pl"), "w" * 32)
    limits = broker_users.LIMITS.replace("160mb", "16mb")
    assert limits != broker_users.LIMITS
    server = embedded.Valkey(tmp_path / "v", words, limits)
    server.start()
    settings.REDIS_URL = server.url(broker_users.PORTAL)
    monkeypatch.setattr(incoming, "KEPT_BYTES", 4 * 2**20)
    kept: list[int] = []
    monkeypatch.setattr(incoming.Unfit, "keep", lambda self, place, dropped, at: kept.append(dropped))
    stop = threading.Event()
    try:
        probe, portal = server.client("probe.pl"), server.client(broker_users.PORTAL)
        with pytest.raises(redis.ConnectionError):
            probe.lpush(key, b"x" * (4 * 2**20 + 1))  # one value has a size
        count = fill(probe, key)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            portal.lpush("clock", "tick")
        guarding = threading.Thread(target=tasks.guard, args=(stop,))
        guarding.start()
        end = time.monotonic() + 20
        while not any(kept) and time.monotonic() < end:
            time.sleep(0.05)
        stop.set()
        guarding.join(20)
        assert portal.lpush("clock", "tick") == 1
        assert (max(kept), portal.exists(key)) == (count, 0)
    finally:
        stop.set()
        server.stop()


@pytest.mark.parametrize(("queue", "guarded"), [("monitor", True), ("clock", False)])
def test_the_lane_that_takes_results_guards_the_broker(
    monkeypatch: pytest.MonkeyPatch, queue: str, guarded: bool
) -> None:
    begun = threading.Event()
    monkeypatch.setattr(tasks, "guard", lambda stop: begun.set())
    queues = SimpleNamespace(consume_from={queue: None})
    tasks.guard_the_broker(SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=queues))))
    assert begun.wait(5 if guarded else 0.2) is guarded


PORTALS_NOT = (
    "CONFIG GET *",
    "FLUSHALL",
    "KEYS *",
    "SAVE",
    "SHUTDOWN",
    "MODULE LIST",
    "ACL LIST",
    "EVAL x 0",
    "MONITOR",
)


@pytest.mark.parametrize("command", PORTALS_NOT)
def test_the_portal_s_user_orders_nothing_of_the_server_either(portal: redis.Redis, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        order(portal, *command.split())


def test_nobody_gets_in_without_a_name_and_who_ends_the_server_reads_nothing() -> None:
    socket = settings.REDIS_URL.partition("@")[2].partition("?")[0]
    once = Retry(NoBackoff(), 0)
    with redis.Redis(unix_socket_path=socket, retry=once) as anybody, pytest.raises(redis.AuthenticationError):
        anybody.ping()
    with as_user(broker_users.KEEPER) as keeper, pytest.raises(redis.exceptions.NoPermissionError):
        keeper.get("clock")
