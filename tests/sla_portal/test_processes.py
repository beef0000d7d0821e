"""docker-compose.yml says the same as the local runner: commands, variables, pinned images, health checks."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from monitoring.probe_worker import RESULTS_QUEUE
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


def test_every_queue_that_a_task_goes_to_has_one_worker_and_every_worker_one_queue_of_its_own() -> None:
    wanted = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} | {settings.CELERY_TASK_DEFAULT_QUEUE}
    served = [queue for command in OURS.values() for queue in queues_of(command)]
    assert sorted(served) == sorted({*wanted, "probe.pl"})
    assert {len(queues_of(command)) for command in OURS.values() if "worker" in command} == {1}
    assert {name: queues_of(OURS[name]) for name in processes.LANES} == {
        "clock": {"clock"}, "mail": {"mail"}, "calls": {"calls"}, "checks": {"monitor"}, "worker": {"report"},
    }  # fmt: skip


def test_every_task_goes_to_the_lane_that_is_named_for_it() -> None:
    app.loader.import_default_modules()
    ours = [name for name in app.tasks if name.partition(".")[0] in {"incidents", "monitoring", "reports"}]
    lanes = {name.rpartition(".")[2]: app.amqp.router.route({}, name)["queue"].name for name in ours}
    assert lanes == {
        "sweep_clocks": "clock",
        "send_mail": "mail", "send_outbox": "mail",
        "send_calls": "calls",
        "sweep_checks": "monitor", "record_results": "monitor", "sweep_missed": "monitor",
        "forget_checks": "report",
    }  # fmt: skip
    assert lanes["record_results"] == RESULTS_QUEUE


def test_every_entry_of_beat_expires_and_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    entries: list[dict[str, Any]] = list(settings.CELERY_BEAT_SCHEDULE.values())
    assert {entry["task"] for entry in entries} <= set(app.tasks)
    assert all(entry["options"]["expires"] >= 10 for entry in entries)
