"""The outbox leaves: e-mail by SMTP, text messages and calls by the HTTP gateway.

A row is claimed before it is sent: one statement counts the attempt and hides the row for LEASE, so two workers never
send the same one, and a worker that is killed between sending and saying so leaves a row that is sent again after the
lease. That one second copy cannot be ruled out by any sender (the other choice is to lose messages); the same
Message-ID and gateway key let the receiver drop it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPServerDisconnected,
)
from typing import Self

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.db.models import F

from contracts.models import Channel
from incidents import gateway, heartbeat
from incidents.letters import secret_name
from incidents.models import Delivery, Notification

LEASE = timedelta(minutes=3)
RETRY_AFTER = [timedelta(minutes=wait) for wait in (1, 5, 15, 60, 180)]
ATTEMPTS = len(RETRY_AFTER) + 1
AT_ONCE = 200  # rows of one run, so that a long queue lets the next beat in
# SMTPException is an OSError; ValueError: an address or a header that no mail can have
FAILURES = (OSError, ValueError, gateway.GatewayError)
WAY_DOWN = (SMTPAuthenticationError, SMTPConnectError, SMTPHeloError, SMTPServerDisconnected)

CLAIM = """
    UPDATE incidents_notification SET attempts = attempts + 1, next_attempt_at = %(hidden)s
    WHERE id = (SELECT id FROM incidents_notification
                WHERE status = 'queued' AND next_attempt_at <= %(at)s AND NOT channel = ANY(%(dead)s)
                ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
"""


def send_now(now: Callable[[], datetime]) -> int:
    """Send until nothing is due, with the time of each attempt; how many left. For the task that reads the clock."""
    started, at = time.monotonic(), now()
    sent = _send(now)
    heartbeat.beat("outbox", at=at, took_ms=int((time.monotonic() - started) * 1000))
    return sent


def send_due(*, at: datetime) -> int:
    """Send what is due at `at`; how many left."""
    return _send(lambda: at)


def _send(now: Callable[[], datetime]) -> int:
    """A channel that cannot be reached is left alone for the rest of the run: its other rows keep their attempts."""
    sent, dead = 0, set[str]()
    with _Mail() as mail:
        for _ in range(AT_ONCE):
            at = now()
            row = claim(at=at, dead=dead)
            if row is None:
                break
            try:
                _deliver(row, mail)
            except FAILURES as error:
                _failed(row, at, error)
                dead |= {row.channel} if _is_channel(error) else set()
            else:
                sent += _sent(row, at)
    return sent


def _deliver(row: Notification, mail: _Mail) -> None:
    """Raises one of FAILURES."""
    if row.attempts > ATTEMPTS:
        raise ValueError("the sender was ended during every attempt")
    if row.channel == Channel.EMAIL:
        mail.send(row)
    else:
        _call(row)


def claim(*, at: datetime, dead: AbstractSet[str] = frozenset()) -> Notification | None:
    """One due row with its attempt counted, hidden from other workers for the lease; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"at": at, "hidden": at + LEASE, "dead": sorted(dead)})
        found = cursor.fetchone()
    return Notification.objects.select_related("incident").get(pk=found[0]) if found else None


class _Mail:
    """One SMTP connection for a run, opened by the first mail and again after a failure."""

    def __init__(self) -> None:
        self.backend: BaseEmailBackend | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._close()

    def _close(self) -> None:
        if self.backend is not None:
            self.backend.close()
            self.backend = None

    def send(self, row: Notification) -> None:
        if self.backend is None:
            self.backend = get_connection()
            self.backend.open()
        try:
            message(row, self.backend).send()
        except FAILURES:
            self._close()
            raise


def message(row: Notification, backend: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """The mail of a row: text and HTML, one thread an incident, marked so that no autoresponder answers it."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    headers = {
        "Message-ID": f"<{secret_name(row.key)}@{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if row.incident_id:
        thread = f"<{secret_name(f'incident-{row.incident_id}')}@{domain}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    mail = EmailMultiAlternatives(row.subject, row.body, None, [row.address], headers=headers, connection=backend)
    if row.html:
        mail.attach_alternative(row.html, "text/html")
    return mail


def _call(row: Notification) -> None:
    gateway.send(
        url=settings.GATEWAY_URL, token=settings.GATEWAY_TOKEN, channel=row.channel, to=row.address, text=row.body,
        key=secret_name(row.key),
    )  # fmt: skip


def _is_channel(error: Exception) -> bool:
    """Whether the way itself is down, and not one message refused."""
    if isinstance(error, SMTPException):
        return isinstance(error, WAY_DOWN)
    return isinstance(error, OSError | gateway.GatewayUnreachableError)


def _sent(row: Notification, at: datetime) -> int:
    waiting = Notification.objects.filter(pk=row.pk, status=Delivery.QUEUED)
    return waiting.update(status=Delivery.SENT, sent_at=at, next_attempt_at=None, error="")


def _failed(row: Notification, at: datetime, error: Exception) -> None:
    """The next try after a growing wait, or given up; the error is kept and shown."""
    said = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    waiting = Notification.objects.filter(pk=row.pk, status=Delivery.QUEUED)
    if row.attempts >= ATTEMPTS:
        waiting.update(status=Delivery.FAILED, next_attempt_at=None, error=said)
    else:
        waiting.update(next_attempt_at=at + RETRY_AFTER[row.attempts - 1], error=said)


def send_again(row: Notification, *, at: datetime) -> bool:
    """A person asks for a notice that was given up to be tried anew; False where it was not given up."""
    given_up = Notification.objects.filter(pk=row.pk, status=Delivery.FAILED)
    return bool(given_up.update(status=Delivery.QUEUED, attempts=0, next_attempt_at=at))


def mark_sent(*, at: datetime) -> int:
    """Mark all that was due by `at` as sent when it was written, without sending: for history that is played."""
    waiting = Notification.objects.filter(status=Delivery.QUEUED, created_at__lte=at)
    return waiting.update(status=Delivery.SENT, sent_at=F("created_at"), next_attempt_at=None, attempts=1)
