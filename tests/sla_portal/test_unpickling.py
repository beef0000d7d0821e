"""Whoever reaches the broker runs no code in the portal: nothing that comes from there is unpickled."""

from __future__ import annotations

import pickle
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.core.cache import caches
from kombu import Connection, Queue
from kombu.exceptions import ContentDisallowed
from kombu.message import Message
from rest_framework.throttling import SimpleRateThrottle

from accounts.throttle import Throttle
from monitoring.probe import worker as probe_worker
from sla_portal.celery import app
from sla_portal.environment import BASE_DIR

SOURCES = ("sla_portal", "wording", "messaging", "accounts", "contracts", "incidents", "monitoring", "reports")
UNPICKLES = re.compile(
    r"^\s*(?:import|from) (?:pickle|cPickle|shelve|marshal|dill|django\.core\.cache)\b", re.MULTILINE
)
APPS = {"portal": app, "probe": probe_worker.app}


def test_the_cache_keeps_nothing_and_neither_sessions_nor_sign_in_use_it() -> None:
    assert {name: cache["BACKEND"] for name, cache in settings.CACHES.items()} == {
        "default": "django.core.cache.backends.dummy.DummyCache"
    }
    caches["default"].set("x", 1)
    assert caches["default"].get("x") is None
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    assert settings.AXES_HANDLER == "accounts.attempts.Attempts"  # counts in rows; axes' own default may be the cache
    assert settings.REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"] == ["accounts.throttle.Throttle"]
    assert not issubclass(Throttle, SimpleRateThrottle)  # DRF's own, which counts in the cache


def test_no_file_of_the_product_unpickles_or_caches() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    files = [Path(name) for name in listed.stdout.split() if name.split("/")[0] in SOURCES]
    assert len(files) > 100
    assert [str(file) for file in files if UNPICKLES.search((BASE_DIR / file).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("name", APPS)
def test_a_worker_takes_json_only_and_keeps_no_results(name: str) -> None:
    configuration: Any = APPS[name].conf
    assert list(configuration.accept_content) == ["json"]
    assert configuration.task_serializer == configuration.result_serializer == configuration.event_serializer == "json"
    assert configuration.result_accept_content in (None, ["json"])
    assert (configuration.result_backend, configuration.task_ignore_result) == (None, True)


class Bomb:
    fired: list[int] = []

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return Bomb.fired.append, (1,)


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize("kind", ["application/x-python-serialize", "application/x-yaml", "application/x-msgpack"])
def test_a_message_that_is_no_json_is_refused_by_every_consumer(name: str, kind: str) -> None:
    consumers = [*task_consumers(APPS[name]), *control_consumers(APPS[name])]
    for accept in consumers:
        body: Any = pickle.dumps(Bomb())
        message = Message(body, content_type=kind, content_encoding="binary", accept=accept)
        with pytest.raises(ContentDisallowed):
            message.decode()
    assert Bomb.fired == []


def task_consumers(celery: Celery) -> list[Any]:
    """What the consumer of tasks lets in, and one that is made without saying anything."""
    with Connection("memory://") as link, link.channel() as channel:
        tasks = celery.amqp.TaskConsumer(channel, queues=[Queue("x")], accept=celery.conf.accept_content)
        return [tasks.accept]


def control_consumers(celery: Any) -> list[Any]:
    with Connection("memory://") as link, link.channel() as channel:
        return [celery.control.mailbox.Node("x", channel=channel).Consumer(channel=channel).accept]
