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
from django.db.models import Count, Max, Q
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.models import Incident, Notice
from incidents.notices.reach import Audience
from incidents.text import letters
from messaging import outbox
from messaging.models import BY_PHONE, Delivery, Notification
from messaging.outbox import ATTEMPTS, LEASE
from wording import words
from wording.links import page_link

SINGLES = 3  # texts of one channel that a person gets one by one within WINDOW: two shops and a colleague's question
WINDOW = timedelta(minutes=5)
GAP = timedelta(seconds=30)  # half of the minute after which a rung goes on to the next person
MOST = 50  # rows of one digest, so that its lock is short
NAMED = 8  # numbers in it: three parts of a text message

TAKE = """
    UPDATE messaging_notification SET attempts = attempts + 1, next_attempt_at = %(hidden)s
    WHERE id IN (SELECT n.id FROM messaging_notification n JOIN incidents_notice i ON i.notification_id = n.id
                 WHERE n.status = 'queued' AND n.next_attempt_at <= %(at)s AND n.attempts < %(attempts)s
                   AND n.recipient_id = %(recipient)s AND n.channel = %(channel)s AND i.audience = %(audience)s
                   AND i.incident_id IS NOT NULL
                 ORDER BY n.next_attempt_at, n.id LIMIT %(most)s FOR UPDATE OF n SKIP LOCKED)
    RETURNING id
"""


def gather(notice: Notice, *, at: datetime) -> list[Notice]:
    """What leaves together with a claimed notice: itself alone, a digest (claimed too), or none where it waits."""
    row = notice.notification
    theirs = notice.audience != Audience.STAFF or row.recipient_id is None or notice.incident_id is None
    # After its last attempt a row goes alone, to be given up
    if row.channel not in BY_PHONE or theirs or row.attempts > ATTEMPTS:
        return [notice]
    mine = Notification.objects.filter(
        recipient=row.recipient_id, channel=row.channel, notice__audience=notice.audience
    )
    lately = mine.filter(status=Delivery.SENT, sent_at__gt=at - WINDOW).aggregate(
        sent=Count("pk"), digest_at=Max("sent_at", filter=~Q(bundle=""))
    )
    waiting = mine.filter(status=Delivery.QUEUED, next_attempt_at__lte=at).count()
    if not lately["sent"] or lately["sent"] + 1 + waiting <= SINGLES:
        return [notice]
    if lately["digest_at"] and lately["digest_at"] + GAP > at:
        outbox.hold(row, until=lately["digest_at"] + GAP)  # the next digest takes it
        return []
    return [notice, *_take(notice, at)]


def _take(notice: Notice, at: datetime) -> list[Notice]:
    """The other notices that are due to the same person, claimed as this one is."""
    due: dict[str, datetime | int | str | None] = {
        "hidden": at + LEASE,
        "at": at,
        "attempts": ATTEMPTS,
        "recipient": notice.notification.recipient_id,
        "channel": notice.notification.channel,
        "audience": notice.audience,
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, due)
        keys = [pk for (pk,) in cursor.fetchall()]
    notices = Notice.objects.select_related("notification__recipient", "incident__version__contract", "entry")
    return list(notices.filter(pk__in=keys).order_by("notification__created_at", "pk"))


def text_of(notices: Sequence[Notice], at: datetime) -> str:
    """How many wait and how urgent, their numbers, the nearest deadline and where to look: no words of a client."""
    person = notices[0].notification.recipient
    incidents = list({notice.incident.pk: notice.incident for notice in notices if notice.incident}.values())
    if len(incidents) < 2:
        return notices[-1].notification.body
    with translation.override(person.language if person else None):
        look = letters.where(notices[0].notification.channel, page_link("queue"))
        return f"{_waiting(incidents)}: {_numbers(incidents)}. {_deadline(incidents, at)}{look}"


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
