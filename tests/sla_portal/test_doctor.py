"""The doctor sees each part that is ill, says what to do, and is content with a portal that works."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiosmtpd.handlers import Sink
from django.conf import settings
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from messaging import heartbeat
from reports import health
from sla_portal import database, doctor
from tests.incidents.test_outbox import Server

pytestmark = pytest.mark.django_db
CLOSED = 9  # the port of discard: nobody listens there


@pytest.fixture(autouse=True)
def ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://127.0.0.1:9")
    monkeypatch.setenv("GATEWAY_URL", "http://127.0.0.1:9")
    for name, value in {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": CLOSED, "GATEWAY_URL": "http://127.0.0.1:9/"}.items():
        monkeypatch.setattr(settings, name, value)
    # The runner of the tests puts a backend without a server in its place
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")


def verdicts() -> dict[str, str]:
    return {finding.part: finding.verdict for finding in doctor.findings()}


def lines() -> str:
    written: list[str] = []
    doctor.report(written.append)
    return "\n".join(written)


def test_a_portal_that_works_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for job in health.JOBS:
        heartbeat.beat(job.name, at=timezone.now())
    mail = Server(Sink(), hostname="127.0.0.1", port=0)
    mail.start()
    try:
        monkeypatch.setattr(settings, "EMAIL_PORT", mail.port)
        monkeypatch.setattr(settings, "GATEWAY_URL", f"http://127.0.0.1:{settings.EMAIL_PORT}/send")
        with override_settings(BASE_URL="https://sla.example", TRUST_PROXY=1):
            assert set(verdicts().values()) == {"ok"}
            assert doctor.report(lambda line: None)
    finally:
        mail.stop()


def test_each_part_that_is_ill_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "installed_at", timezone.now)  # what has never run may still begin
    heartbeat.beat("clocks", at=timezone.now() - timedelta(minutes=5))
    heartbeat.beat("backup", at=timezone.now() - timedelta(hours=27))
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**63)
    monkeypatch.setattr(doctor, "DRIFT", timedelta(microseconds=-1))
    with override_settings(DEBUG=True, REDIS_URL="redis://127.0.0.1:9/0", PROBE_CANARIES=()):
        found = verdicts()
        text = lines()
    ill = {"mail", "gateway", "broker", "disk", "clock", "work: clocks", "work: backup"}
    assert {part for part, verdict in found.items() if verdict == "wrong"} == ill
    assert {part for part, verdict in found.items() if verdict == "warning"} == {"settings", "canaries"}
    assert "wrong   settings: DEBUG is on" in text
    assert " GB are free here\n        make room\n" in text
    assert "run manage.py backup, each night" in text
    assert "look at EMAIL_URL" in text
    assert not doctor.report(lambda line: None)


def test_without_a_database_the_rest_is_still_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(connection: object) -> None:
        raise OperationalError("connection to server failed:\n  Connection refused")

    monkeypatch.setattr(doctor, "refuse_too_much", away)
    found = verdicts()
    assert found["database"] == "wrong"
    assert {"broker", "mail", "disk"} <= set(found)
    assert not any(part.startswith("work") for part in found)
    assert "database: connection to server failed: Connection refused" in lines()


def test_a_way_out_that_is_not_given_to_this_process_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://given")
    monkeypatch.delenv("GATEWAY_URL")
    assert "gateway: not asked: GATEWAY_URL is not given to this process" in lines()


def test_a_role_that_may_too_much_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    database._judged.clear()
    monkeypatch.setattr(database, "TOO_MUCH", "SELECT true")
    assert verdicts()["database"] == "wrong"
