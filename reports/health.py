"""Whether the portal does its work: its sweeps, its outbox, its broker, and the proof of its clocks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import LimitReached, User
from contracts.proof import Difference
from incidents.models import Incident
from incidents.notices import unheard
from incidents.projection import proof
from messaging import outbox
from messaging.models import Delivery, Heartbeat, Notification
from monitoring.models import ProbePlace
from monitoring.probe import link as probe_link
from monitoring.way_out import WayOut
from reports.anchor import make as anchor
from reports.models import ProofRun
from reports.verify import monitors as monitoring
from reports.verify.proof import beside_incidents

logger = logging.getLogger(__name__)

PATIENCE = 2  # seconds that the broker has for its answer
SHOWN = 20  # differences and failed notices of one page
FIRST = timedelta(minutes=3)  # beat, the workers and their first runs
MINUTE, HOUR = timedelta(seconds=60), timedelta(hours=1)
NIGHTLY = (36 * HOUR, 25 * HOUR)  # once a day: one missed night is said the next noon
STRANGE = timedelta(days=1)  # so long an answer that was refused stands on the page


@dataclass(frozen=True, slots=True)
class Job:
    """A sweep that beat calls: its heartbeat, how old that may be, and what it means when nobody does it.

    `first`: how long after an installation or an upgrade its first run may take.
    """

    name: str
    label: str | Promise
    stalled: str | Promise
    patience: timedelta = MINUTE
    first: timedelta = FIRST


BACKUP = "backup"  # the heartbeat of `manage.py backup`


def _watched_backup(hours: int) -> list[Job]:
    """None where backups are made in another way."""
    if not hours:
        return []
    patience = timedelta(hours=hours)
    return [Job(BACKUP, _("Backup of the database"), _("There is no fresh backup."), patience, patience)]


JOBS = (
    Job("clocks", _("Deadlines and escalations"), _("Nobody watches the deadlines.")),
    Job("mail", _("Sending of e-mails"), _("Nobody sends e-mails.")),
    Job("calls", _("Sending of text messages and calls"), _("Nobody sends text messages and calls.")),
    Job("checks", _("Checks of the shops"), _("Nobody looks at the shops.")),
    Job("results", _("Results of the checks"), _("Nobody takes the results of the checks.")),
    Job("missed", _("Search for missed checks"), _("Nobody sees that checks are missing."), 2 * MINUTE),
    Job(anchor.JOB, _("Daily anchor"), _("No anchor was made: forgeries since then have no witness."), 36 * HOUR),
    Job("forget", _("Removal of old letters' words"), _("Old letters keep their words and addresses."), *NIGHTLY),
    Job("retention", _("Removal of old checks"), _("Old checks are kept longer than promised."), *NIGHTLY),
    *_watched_backup(settings.BACKUP_HOURS),
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A job and its last run: `age` in seconds, None when it has never run.

    `due_at`: until when a job that has never run may still begin; None where that has passed or it has run.
    """

    job: Job
    at: datetime | None
    age: int | None
    took_ms: int
    due_at: datetime | None = None

    @property
    def is_stalled(self) -> bool:
        if self.age is None:
            return self.due_at is None
        return timedelta(seconds=self.age) > self.job.patience


def sweeps(now: datetime) -> list[Sweep]:
    rows = Heartbeat.objects.in_bulk([job.name for job in JOBS])
    installed = now if len(rows) == len(JOBS) else installed_at()
    return [_sweep(job, rows.get(job.name), now, installed + job.first) for job in JOBS]


def installed_at() -> datetime:
    """When this version of the tables came to be: a job that is new can't have run before."""
    newest: datetime = MigrationRecorder.Migration.objects.latest("applied").applied
    return newest


def _sweep(job: Job, row: Heartbeat | None, now: datetime, due_at: datetime) -> Sweep:
    if row is None:
        return Sweep(job, None, None, 0, due_at if due_at > now else None)
    return Sweep(job, row.at, max(int((now - row.at).total_seconds()), 0), row.took_ms)


@dataclass(frozen=True, slots=True)
class Outbox:
    """What waits (`age` of the oldest in seconds, `retried` of them after an error) and what was given up."""

    waiting: int
    retried: int
    age: int | None
    given_up: int
    newest: list[Notification]


def outbox_state(user: User, now: datetime) -> Outbox:
    notices = Notification.objects.visible_to(user)
    queued = notices.filter(status=Delivery.QUEUED)
    given_up = notices.given_up()
    return Outbox(
        queued.count(),
        queued.exclude(error="").count(),
        oldest_waiting(now),
        given_up.count(),
        list(given_up.select_related("recipient")[:SHOWN]),
    )


def oldest_waiting(now: datetime) -> int | None:
    """Seconds since the oldest notice that has not left was written; None where nothing waits."""
    queued = Notification.objects.filter(status=Delivery.QUEUED)
    oldest = queued.order_by("created_at").values_list("created_at", flat=True).first()
    return None if oldest is None else max(int((now - oldest).total_seconds()), 0)


def send_all_again(user: User, *, at: datetime) -> int:
    """Every notice that was given up is tried anew; how many."""
    given_up = Notification.objects.visible_to(user).given_up()
    return sum(outbox.send_again(row, at=at) for row in given_up)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: nothing wrong, or its error."""

    took_ms: int
    error: str = ""


def database() -> Answer:
    """Raises OperationalError where there is none: then no page can be shown either."""
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Answer(_since(started))


def broker() -> Answer:
    started = time.monotonic()
    server = probe_link.client(settings.REDIS_URL, settings.BROKER_CA_FILE, seconds=PATIENCE)
    try:
        server.ping()
    except redis.RedisError as error:
        logger.warning("the broker does not answer: %s", error)
        return Answer(_since(started), f"{type(error).__name__}: {error}")
    finally:
        server.close()
    return Answer(_since(started))


def broker_guard() -> str:
    """What is wrong with the portal's address of the broker: "open" without a password, "shared" without a user, "".

    A given server is the operator's; where one password is for all, the probe has the portal's rights.
    """
    address = urlsplit(settings.REDIS_URL)
    if not address.password:
        return "open"
    return "" if address.username and address.username != "default" else "shared"


def strange_places(now: datetime) -> list[ProbePlace]:
    """Places from which something came lately that fits nothing asked, or too much of it."""
    since = now - STRANGE
    return list(ProbePlace.objects.filter(Q(refused_at__gt=since) | Q(dropped_at__gt=since)))


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all is well, said once for everything that shows it; each fact is one thing that is not."""

    stalled: list[Sweep]
    broker_error: str
    blind: list[WayOut]
    unheard: int
    given_up: int
    differences: int
    refused_reports: int

    @property
    def is_well(self) -> bool:
        return not (
            self.stalled
            or self.broker_error
            or self.blind
            or self.unheard
            or self.given_up
            or self.differences
            or self.refused_reports
        )


def verdict(
    user: User,
    runs: list[Sweep],
    blind: list[WayOut],
    given_up: int,
    broker_error: str,
    last: ProofRun | None,
    limits: list[LimitReached],
) -> Verdict:
    stalled = [sweep for sweep in runs if sweep.is_stalled]
    refused = sum(row.times for row in limits if row.kind == LimitReached.Kind.REPORTS)
    return Verdict(
        stalled, broker_error, blind, len(unheard.unheard(user)), given_up, last.wrong if last else 0, refused
    )


def last_proof(user: User) -> ProofRun | None:
    return ProofRun.objects.visible_to(user).order_by("-at", "-pk").first()


def prove(newest: int, now: Callable[[], datetime]) -> ProofRun:
    """Recompute the newest incidents and look at all that stands beside them, as `manage.py verify_clocks` does.

    Somebody may work on an incident between two reads of it, so what differs is looked at a second time.
    """
    started, at = time.monotonic(), now()
    keys = list(Incident.objects.order_by("-received_at", "-pk").values_list("pk", flat=True)[:newest])
    wrong = [*_beside_twice(newest), *_incidents_twice(keys, at, now)]
    lines = [str(difference) for difference in wrong[:SHOWN]]
    return ProofRun.objects.create(at=at, looked=len(keys), wrong=len(wrong), lines=lines, took_ms=_since(started))


def _beside_twice(newest: int) -> list[Difference]:
    monitors = monitoring.newest(newest)
    differences = list(beside_incidents(monitors))
    return [same for same in beside_incidents(monitors) if same in differences] if differences else []


def _incidents_twice(keys: list[int], at: datetime, now: Callable[[], datetime]) -> list[Difference]:
    differences = list(proof.differences(at=at, incidents=keys))
    if not differences:
        return []
    doubtful = Incident.objects.filter(nr__in={difference.nr for difference in differences})
    return list(proof.differences(at=now(), incidents=list(doubtful.values_list("pk", flat=True))))
