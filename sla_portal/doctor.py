"""What `manage.py doctor` looks at: each part of an installation, what is wrong with it and what to do."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib import metadata
from smtplib import SMTPException
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from contracts.terms import to_second
from reports import health
from sla_portal import environment
from sla_portal.database import refuse_too_much

OLDEST_SERVER = 150_000  # PostgreSQL 15: what the constraints' NULLS NOT DISTINCT and the tests' SQL need
DRIFT = timedelta(seconds=2)  # breaches are promised within two seconds of their deadline
LEAST_FREE = 10**9  # bytes: logs and a container's layers fill a smaller rest within days
WAIT = 5  # seconds for each connection that is tried


class Verdict(StrEnum):
    WELL = "ok"
    DOUBTFUL = "warning"
    ILL = "wrong"


WELL, DOUBTFUL, ILL = Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of what was seen, and where that isn't well one of what to do."""

    part: str
    verdict: Verdict
    state: str
    advice: str = ""


def findings() -> Iterator[Finding]:
    """Every part is looked at, whatever the one before says; without a database its tables are not."""
    yield from _settings()
    database = list(_database())
    yield from database
    yield _broker()
    yield from _ways_out()
    yield _disk()
    yield _zones()
    yield from _canaries()
    if all((finding.part, finding.verdict) != ("database", ILL) for finding in database):
        yield from _work()


def _settings() -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding("settings", ILL, "DEBUG is on: errors show settings to everybody", "take DEBUG out")
    if not settings.BASE_URL.startswith("https://"):
        advice = "set BASE_URL to the https:// address that people open, behind a proxy with TLS"
        yield Finding("settings", DOUBTFUL, f"BASE_URL is {settings.BASE_URL}: passwords travel in plain", advice)
    elif not settings.TRUST_PROXY:
        advice = "set TRUST_PROXY to how many proxies of yours there are"
        yield Finding("settings", DOUBTFUL, "no proxy is believed, so limits count all people as one", advice)
    else:
        yield Finding("settings", WELL, settings.BASE_URL)


def _database() -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int, clock_timestamp()")
            version, there = cursor.fetchone()
            here = timezone.now()
        refuse_too_much(connection)
    except (DatabaseError, ImproperlyConfigured) as error:
        yield Finding("database", ILL, _one_line(error), "look at DATABASE_URL and at the server")
        return
    yield _version(version)
    if abs(there - here) > DRIFT:
        state = f"this machine's clock is {(here - there).total_seconds():+.1f} s off the database's"
        yield Finding("clock", ILL, state, "let both machines take their time from one source (NTP)")
    else:
        yield Finding("clock", WELL, "this machine's and the database's agree")
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("tables", ILL, f"{len(missing)} migrations are not made", "run manage.py migrate")
    else:
        yield Finding("tables", WELL, "as this version wants them")


def _version(number: int) -> Finding:
    state = f"PostgreSQL {number // 10_000}.{number % 10_000}, as {connection.settings_dict['USER']}"
    if number < OLDEST_SERVER:
        return Finding("database", ILL, state, f"the portal needs PostgreSQL {OLDEST_SERVER // 10_000} or newer")
    return Finding("database", WELL, state)


def _broker() -> Finding:
    answer = health.broker()
    if answer.error:
        return Finding(
            "broker", ILL, answer.error, "look at REDIS_URL and at the server; what is due waits in the database"
        )
    if guard := health.broker_guard():
        state = (
            "it asks for no password" if guard == "open" else "one password is for all, so a probe may do everything"
        )
        return Finding("broker", DOUBTFUL, state, "give the portal and each probe a user of its own (README)")
    return Finding("broker", WELL, f"answers in {answer.took_ms} ms")


def _ways_out() -> Iterator[Finding]:
    for part, variable, attempt in (("mail", "EMAIL_URL", _greet_mail), ("gateway", "GATEWAY_URL", _greet_gateway)):
        if os.environ.get("DATABASE_URL") and not os.environ.get(variable):
            yield Finding(part, WELL, f"not asked: {variable} is not given to this process")
            continue
        try:
            yield Finding(part, WELL, attempt())
        except (OSError, SMTPException) as error:
            advice = f"look at {variable}; what should leave waits and is tried again"
            yield Finding(part, ILL, _one_line(error), advice)


def _greet_mail() -> str:
    """Signs in at the mail server and sends nothing."""
    backend = get_connection(timeout=WAIT)
    backend.open()
    backend.close()
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} lets us in"


def _greet_gateway() -> str:
    parts = urlsplit(settings.GATEWAY_URL)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    with socket.create_connection((host, parts.port or (443 if is_tls else 80)), timeout=WAIT) as line:
        if is_tls:
            ssl.create_default_context().wrap_socket(line, server_hostname=host).close()
    return f"{parts.hostname} answers; whether it takes our token only a message tells"


def _disk() -> Finding:
    free = shutil.disk_usage(environment.BASE_DIR).free
    state = f"{free / 10**9:.1f} GB are free here"
    return Finding("disk", WELL, state) if free >= LEAST_FREE else Finding("disk", ILL, state, "make room")


def _zones() -> Finding:
    """An old list of zones moves working hours, where a country has changed its clocks since."""
    summer = datetime(2026, 7, 1, tzinfo=UTC).astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE))
    version = metadata.version("tzdata")
    if summer.utcoffset() != timedelta(hours=2) or int(version.partition(".")[0]) < timezone.now().year - 1:
        return Finding("time zones", DOUBTFUL, f"tzdata {version}", "upgrade the package tzdata")
    return Finding("time zones", WELL, f"tzdata {version}")


def _canaries() -> Iterator[Finding]:
    hosts = settings.PROBE_CANARIES
    if not hosts:
        state = "none is named, so nobody knows whether a failing check is the shop's fault or ours"
        yield Finding("canaries", DOUBTFUL, state, "name four in PROBE_CANARIES")
        return
    silent = [f"{host}:{port}" for host, port in hosts if not _answers(host, port)]
    if len(silent) > 1:  # three of four must answer
        state = f"{', '.join(silent)} do not answer from this machine"
        yield Finding("canaries", DOUBTFUL, state, "fine where only the probe may go out; else look at the way out")
    else:
        yield Finding("canaries", WELL, f"{len(hosts) - len(silent)} of {len(hosts)} answer from this machine")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=WAIT).close()
    except OSError:
        return False
    return True


def _work() -> Iterator[Finding]:
    for sweep in health.sweeps(to_second(timezone.now())):
        if sweep.is_stalled:
            last = f"last at {sweep.at:%Y-%m-%d %H:%M:%S} UTC" if sweep.at else "never"
            advice = (
                "run manage.py backup, each night" if sweep.job.name == health.BACKUP else "start its worker, and beat"
            )
            yield Finding(f"work: {sweep.job.name}", ILL, last, advice)
        elif sweep.at:
            yield Finding(f"work: {sweep.job.name}", WELL, f"{sweep.age} s ago")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


Report = Callable[[str], object]


def report(write: Report) -> bool:
    """Writes a line a finding, and its advice below it; answers whether nothing is wrong."""
    is_well = True
    for finding in findings():
        is_well = is_well and finding.verdict != ILL
        write(f"{finding.verdict:8}{finding.part}: {finding.state}")
        if finding.advice:
            write(f"{'':8}{finding.advice}")
    return is_well
