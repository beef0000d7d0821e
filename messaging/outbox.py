"""The outbox leaves: e-mail by SMTP, text messages and calls by the HTTP gateway.

A row is claimed before it is sent: one statement counts the attempt and hides the row for LEASE, so two workers never
send the same one, and a worker that is killed between sending and saying so leaves a row that is sent again after the
lease. That one second copy cannot be ruled out by any sender (the other choice is to lose messages); the same
Message-ID and gateway key let the receiver drop it.

Each lane has a queue, a worker and a heartbeat of its own, so a mail server that hangs delays no text message. What a
row is about this room does not know: whoever starts a run hands over `Rules`, which decide at each attempt.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
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
from django.db.models import F

from messaging import gateway, heartbeat
from messaging.models import BY_PHONE, Channel, Delivery, Notification, NotificationQuerySet
from messaging.secret_names import secret_name
from messaging.time_limit import within
from wording.texts import one_line

# Longer than a run can last (below), so what is being sent is never sent by another; the rows that a killed sender held
# are late by this much and no more
LEASE = timedelta(minutes=3)
# A server that greylists takes the second or third attempt. The sixth and last is 4 h 21 min after the first: word of a
# deadline that is later than that needs a call, so people are shown the failure instead of it being tried for days
RETRY_AFTER = [timedelta(minutes=wait) for wait in (1, 5, 15, 60, 180)]
ATTEMPTS = len(RETRY_AFTER) + 1
AT_ONCE = 200  # rows of one run, so that a long queue lets the next beat in
# A run claims nothing more after RUN_SECONDS. With its last attempt it ends within 50 s: before the health page calls
# the lane silent (60 s), and long before another sender would take a row of it over (LEASE)
RUN_SECONDS = 20.0
ATTEMPT_SECONDS = 30.0
GOODBYE_SECONDS = 5.0  # for QUIT, a courtesy: what the server took is taken
MAIL, CALLS = "mail", "calls"
LANES = {MAIL: frozenset({Channel.EMAIL}), CALLS: BY_PHONE}
# SMTPException is an OSError; ValueError: an address or a header that no mail can have
FAILURES = (OSError, ValueError, gateway.GatewayError)
WAY_DOWN = (SMTPAuthenticationError, SMTPConnectError, SMTPHeloError, SMTPServerDisconnected)

CLAIM = """
    UPDATE messaging_notification SET attempts = attempts + 1, next_attempt_at = %(hidden)s
    WHERE id = (SELECT id FROM messaging_notification
                WHERE status = 'queued' AND next_attempt_at <= %(at)s AND channel = ANY(%(channels)s)
                ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
"""


@dataclass(frozen=True, slots=True)
class Text:
    """What a message says; `html` is the same for mails, "" where a message has none."""

    plain: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What those who wrote the rows decide at each attempt.

    `gather`: what leaves together with a claimed row: itself, several as one message (claimed too), none if it waits;
    `address`: where the row's person may be told now, "" for nowhere, and then the rule has withheld the row;
    `text`: what is said of these rows, made at the moment of sending, so that no secret stands in a row;
    `attempted`: told of all the rows when the attempt is over.
    """

    gather: Callable[[Notification, datetime], list[Notification]]
    address: Callable[[Notification, datetime], str]
    text: Callable[[Sequence[Notification], datetime], Text]
    attempted: Callable[[Sequence[Notification], datetime], None]


def send_now(now: Callable[[], datetime], lane: str, rules: Rules) -> int:
    """Send until nothing of the lane is due, with the time of each attempt; how many left. For tasks."""
    started, at = time.monotonic(), now()
    sent = _send(now, LANES[lane], rules)
    heartbeat.beat(lane, at=at, took_ms=int((time.monotonic() - started) * 1000))
    return sent


def send_due(rules: Rules, *, at: datetime) -> int:
    """Send what is due at `at` by every channel; how many left."""
    return _send(lambda: at, Channel, rules)


def _send(now: Callable[[], datetime], channels: Iterable[Channel], rules: Rules) -> int:
    """A channel that cannot be reached is left alone for the rest of the run: its other rows keep their attempts."""
    sent, reachable, end = 0, set(channels), time.monotonic() + RUN_SECONDS
    with _Mail() as mail:
        for _ in range(AT_ONCE):
            at = now()
            row = claim(at=at, channels=reachable) if time.monotonic() < end else None
            if row is None:
                break
            rows = rules.gather(row, at)
            sent += _attempt([row for row in rows if _is_open(row, rules, at)], rules, at, mail, reachable)
            rules.attempted(rows, at)
    return sent


def _is_open(row: Notification, rules: Rules, at: datetime) -> bool:
    """Whether the person may be told at `at`: then the row has the address of now."""
    address = rules.address(row, at)
    if address and row.address != address:
        row.address = address
        row.save(update_fields=["address"])
    return bool(address)


def _attempt(rows: Sequence[Notification], rules: Rules, at: datetime, mail: _Mail, reachable: set[Channel]) -> int:
    """One attempt at a row, or at several as one message; a way that is down leaves `reachable`. How many left."""
    if not rows:
        return 0
    try:
        _deliver(rows, rules, at, mail)
    except FAILURES as error:
        for row in rows:
            _failed(row, at, error)
        reachable -= {Channel(rows[0].channel)} if _is_channel(error) else set()
        return 0
    bundle = key_of(rows) if len(rows) > 1 else ""
    return sum(_sent(row, at, bundle) for row in rows)


def _deliver(rows: Sequence[Notification], rules: Rules, at: datetime, mail: _Mail) -> None:
    """Raises one of FAILURES."""
    row = rows[0]
    if row.attempts > ATTEMPTS:
        raise ValueError("the sender was ended during every attempt")
    text = rules.text(rows, at)
    if row.channel == Channel.EMAIL:
        mail.send(row, text)
    else:
        _call(row, text.plain, key_of(rows))


def key_of(rows: Sequence[Notification]) -> str:
    """The same for the same rows, so a gateway that knows it delivers once; it tells nothing."""
    if len(rows) == 1:
        return secret_name(rows[0].key)
    return secret_name("digest " + " ".join(sorted(row.key for row in rows)))


def claim(*, at: datetime, channels: Iterable[str] = Channel) -> Notification | None:
    """One due row of the channels with its attempt counted, hidden from others for the lease; None: there is none."""
    due = {"at": at, "hidden": at + LEASE, "channels": list(map(str, channels))}
    return next(iter(list(Notification.objects.raw(CLAIM, due))), None)


def put(rows: Sequence[Notification]) -> dict[str, int]:
    """Write each once per key, those that stand there already not again; key → number of the row."""
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    return dict(Notification.objects.filter(key__in=[row.key for row in rows]).order_by().values_list("key", "pk"))


class _Mail:
    """One SMTP connection for a run, opened by the first mail and again after a failure."""

    def __init__(self) -> None:
        self.backend: BaseEmailBackend | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self.backend is not None:
            with suppress(*FAILURES):  # every mail has been taken, only the goodbye is missing
                within(GOODBYE_SECONDS, self.backend.close)
            self._drop()

    def _drop(self) -> None:
        """Cut the connection without a goodbye: a server that hangs would hang on that too."""
        backend, self.backend = self.backend, None
        link: socket.socket | None = getattr(getattr(backend, "connection", None), "sock", None)
        if link is not None:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def send(self, row: Notification, text: Text) -> None:
        if self.backend is None:
            self.backend = get_connection()
        backend = self.backend
        try:
            within(ATTEMPT_SECONDS, lambda: self._converse(row, text, backend))
        except FAILURES:
            self._drop()
            raise

    @staticmethod
    def _converse(row: Notification, text: Text, backend: BaseEmailBackend) -> None:
        backend.open()  # does nothing where it is open
        message(row, text, backend).send()


def message(row: Notification, text: Text, backend: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """The mail of a row: text and HTML, marked so that no autoresponder answers it."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    headers = {
        "Message-ID": f"<{secret_name(row.key)}@{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if row.thread:
        thread = f"<{secret_name(row.thread)}@{domain}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    mail = EmailMultiAlternatives(
        one_line(row.subject), text.plain, None, [row.address], headers=headers, connection=backend
    )
    if text.html:
        mail.attach_alternative(text.html, "text/html")
    return mail


def _call(row: Notification, text: str, key: str) -> None:
    call = partial(gateway.send, channel=row.channel, to=row.address, text=text, key=key)
    within(ATTEMPT_SECONDS, partial(call, url=settings.GATEWAY_URL, token=settings.GATEWAY_TOKEN))


def _is_channel(error: Exception) -> bool:
    """Whether the way itself is down, and not one message refused."""
    if isinstance(error, SMTPException):
        return isinstance(error, WAY_DOWN)
    return isinstance(error, OSError | gateway.GatewayUnreachableError)


def _sent(row: Notification, at: datetime, bundle: str) -> int:
    waiting = Notification.objects.filter(pk=row.pk, status=Delivery.QUEUED)
    return waiting.update(status=Delivery.SENT, sent_at=at, next_attempt_at=None, error="", bundle=bundle)


def _failed(row: Notification, at: datetime, error: Exception) -> None:
    """The next try after a growing wait, or given up; the error is kept and shown."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    waiting = Notification.objects.filter(pk=row.pk, status=Delivery.QUEUED)
    if row.attempts >= ATTEMPTS:
        waiting.update(status=Delivery.FAILED, next_attempt_at=None, error=reason)
    else:
        waiting.update(next_attempt_at=at + RETRY_AFTER[row.attempts - 1], error=reason)


def send_again(row: Notification, *, at: datetime) -> bool:
    """A person asks for a notice that was given up to be tried anew; False where it was not given up."""
    given_up = Notification.objects.given_up().filter(pk=row.pk)
    return bool(given_up.update(status=Delivery.QUEUED, attempts=0, next_attempt_at=at))


def withhold(row: Notification) -> bool:
    """The row ends unsent: its person may not be told. False where it does not wait any more."""
    waiting = Notification.objects.filter(pk=row.pk, status=Delivery.QUEUED)
    return bool(waiting.update(status=Delivery.WITHHELD, next_attempt_at=None))


def hold(row: Notification, *, until: datetime) -> None:
    """A claimed row waits on, which is no attempt."""
    waiting = Notification.objects.filter(pk=row.pk, status=Delivery.QUEUED)
    waiting.update(attempts=F("attempts") - 1, next_attempt_at=until)


def mark_sent(*, at: datetime) -> int:
    """Mark all that was due by `at` as sent when it was written, without sending: for history that is played."""
    waiting = Notification.objects.filter(status=Delivery.QUEUED, created_at__lte=at)
    return waiting.update(status=Delivery.SENT, sent_at=F("created_at"), next_attempt_at=None, attempts=1)


def empty(rows: NotificationQuerySet) -> int:
    """Blank the words, all together, so that the hash goes on proving the row; errors, for they hold addresses."""
    return rows.update(subject="", body="", html="", address="", error="")
