"""A storm of texts or calls to one of our people: the first goes at once, the rest as one digest.

Twelve shops that fail in one second are twelve texts in a night: nobody reads the twelfth, and a gateway may hold back
all of them. A person who would get more than SINGLES within WINDOW gets the first alone and then everything that is due
as one message, and further digests no closer than GAP. Only our own people get digests: they may read every incident.
An administrator's text says whom to call about that one incident and stays alone, as a client's does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Max, Q
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.choices import Delivery
from incidents.models import Incident, Notification
from incidents.notices.reach import Audience
from messaging.models import Channel
from messaging.secret_names import secret_name
from wording import words
from wording.links import page_link

SINGLES = 3  # texts of one channel that a person gets one by one within WINDOW: two shops and a colleague's question
WINDOW = timedelta(minutes=5)
GAP = timedelta(seconds=30)  # half of the minute after which a rung goes on to the next person
MOST = 50  # rows of one digest, so that its lock is short
NAMED = 8  # numbers in it: three parts of a text message
GATHERED = frozenset({Channel.SMS, Channel.VOICE})

TAKE = """
    UPDATE incidents_notification SET attempts = attempts + 1, next_attempt_at = %(hidden)s
    WHERE id IN (SELECT id FROM incidents_notification
                 WHERE status = 'queued' AND next_attempt_at <= %(at)s AND attempts < %(attempts)s
                   AND recipient_id = %(recipient)s AND channel = %(channel)s AND audience = %(audience)s
                   AND incident_id IS NOT NULL
                 ORDER BY next_attempt_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""


def gather(row: Notification, *, at: datetime, attempts: int, lease: timedelta) -> list[Notification]:
    """What leaves together with a claimed row: itself alone, a digest's rows (claimed too), or none where it waits.

    `attempts`: after so many a row goes alone, to be given up; `lease`: how long claimed rows are hidden.
    """
    theirs = row.audience != Audience.STAFF or row.recipient_id is None or row.incident_id is None
    if row.channel not in GATHERED or theirs or row.attempts > attempts:
        return [row]
    mine = Notification.objects.filter(recipient=row.recipient_id, channel=row.channel, audience=row.audience)
    lately = mine.filter(status=Delivery.SENT, sent_at__gt=at - WINDOW).aggregate(
        sent=Count("pk"), digest_at=Max("sent_at", filter=~Q(bundle=""))
    )
    waiting = mine.filter(status=Delivery.QUEUED, next_attempt_at__lte=at).count()
    if not lately["sent"] or lately["sent"] + 1 + waiting <= SINGLES:
        return [row]
    if lately["digest_at"] and lately["digest_at"] + GAP > at:
        _hold(row, lately["digest_at"] + GAP)
        return []
    return [row, *_take(row, at, attempts, lease)]


def _hold(row: Notification, until: datetime) -> None:
    """The next digest takes it; waiting is no attempt."""
    waiting = Notification.objects.filter(pk=row.pk, status=Delivery.QUEUED)
    waiting.update(attempts=F("attempts") - 1, next_attempt_at=until)


def _take(row: Notification, at: datetime, attempts: int, lease: timedelta) -> list[Notification]:
    """The other rows that are due to the same person, claimed as `row` is."""
    asked: dict[str, datetime | int | str | None] = {
        "hidden": at + lease, "at": at, "attempts": attempts, "recipient": row.recipient_id, "channel": row.channel,
        "audience": row.audience, "most": MOST,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(TAKE, asked)
        keys = [pk for (pk,) in cursor.fetchall()]
    rows = Notification.objects.select_related("incident__version__contract", "entry", "recipient")
    return list(rows.filter(pk__in=keys).order_by("created_at", "pk"))


def key_of(rows: Sequence[Notification]) -> str:
    """The same for the same rows, so a gateway that knows it delivers once; it tells nothing."""
    return secret_name("digest " + " ".join(sorted(row.key for row in rows)))


def text_of(rows: Sequence[Notification], at: datetime) -> str:
    """How many wait and how urgent, their numbers, the nearest deadline and where to look: no words of a client."""
    person = rows[0].recipient
    incidents = list({row.incident.pk: row.incident for row in rows if row.incident}.values())
    if len(incidents) < 2:
        return rows[-1].body
    with translation.override(person.language if person else None):
        return f"{_waiting(incidents)}: {_numbers(incidents)}. {_deadline(incidents, at)}{page_link('queue')}"


def _waiting(incidents: Sequence[Incident]) -> str:
    categories = Counter(incident.severity or _("question") for incident in incidents)
    shares = ", ".join(f"{severity}: {count}" for severity, count in sorted(categories.items()))
    sentence = ngettext(
        "%(count)s incident waits (%(shares)s)", "%(count)s incidents wait (%(shares)s)", len(incidents)
    )
    return sentence % {"count": len(incidents), "shares": shares}


def _numbers(incidents: Sequence[Incident]) -> str:
    """The most urgent first."""
    ordered = sorted(incidents, key=lambda incident: (incident.severity or "P9", incident.received_at, incident.pk))
    named = ", ".join(incident.nr for incident in ordered[:NAMED])
    more = len(ordered) - NAMED
    return _("%(numbers)s and %(more)s more") % {"numbers": named, "more": more} if more > 0 else named


def _deadline(incidents: Sequence[Incident], at: datetime) -> str:
    due = min((incident.due_at for incident in incidents if incident.due_at), default=None)
    if due is None:
        return ""
    when = words.when(due, at, settings.DISPLAY_TIME_ZONE, today=False)
    return _("Nearest deadline %(when)s.") % {"when": when} + " "
