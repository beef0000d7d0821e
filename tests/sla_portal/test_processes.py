"""docker-compose.yml says the same as the local runner: commands, variables, pinned images, health checks."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from sla_portal import processes
from sla_portal.celery import app
from sla_portal.environment import BASE_DIR, VARIABLES

COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = processes.commands(bind="0.0.0.0:8000", beat_file="/run/sla/beat", place="pl")


def test_every_process_of_the_local_run_is_a_service_with_the_same_command() -> None:
    commands = {name: service["command"] for name, service in SERVICES.items() if "command" in service}
    assert commands == {**OURS, "migrate": ["python", "manage.py", "migrate", "--noinput"]}
    assert set(SERVICES) - set(commands) == {"postgres", "redis"}


def test_the_image_starts_the_web_server_that_the_table_names() -> None:
    dockerfile = (BASE_DIR / "Dockerfile").read_text(encoding="utf-8")
    assert yaml.safe_load(re.findall(r"^CMD (.+)$", dockerfile, re.MULTILINE)[0]) == OURS["web"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_a_pinned_image_a_restart_rule_and_known_variables(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"])
    assert service["restart"] in {"unless-stopped", "no"}
    if name != "postgres":
        assert set(service.get("environment", {})) <= set(VARIABLES)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_a_service_that_stays_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert "interval" in SERVICES[name]["healthcheck"]


def test_base_images_are_pinned() -> None:
    images = re.findall(r"^FROM (\S+)", (BASE_DIR / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(images) == 2
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-.+", image) for image in images)


def test_the_probe_gets_the_broker_and_nothing_secret() -> None:
    assert set(SERVICES["probe"]["environment"]) == {"BROKER_URL", "PROBE_CANARIES"}


def queues_of(command: list[str]) -> set[str]:
    return set(command[command.index("-Q") + 1].split(",")) if "-Q" in command else set()


def test_every_queue_that_a_task_goes_to_has_a_worker() -> None:
    wanted = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} | {settings.CELERY_TASK_DEFAULT_QUEUE}
    assert set().union(*map(queues_of, OURS.values())) == wanted | {"probe.pl"}


def test_the_clock_worker_is_alone_with_its_queue_and_has_one_process() -> None:
    assert [name for name, command in OURS.items() if "clock" in queues_of(command)] == ["clock"]
    assert queues_of(OURS["clock"]) == {"clock"}
    assert OURS["clock"][OURS["clock"].index("--concurrency") + 1] == "1"


def test_every_entry_of_beat_expires_and_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    entries: list[dict[str, Any]] = list(settings.CELERY_BEAT_SCHEDULE.values())
    assert {entry["task"] for entry in entries} <= set(app.tasks)
    assert all(entry["options"]["expires"] >= 10 for entry in entries)
