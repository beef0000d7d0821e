"""What is decided when a row of the outbox is about to leave: who may be told now, what goes as one, what follows.

The tasks of the lanes start here and hand these rules to the outbox, which knows neither incidents nor sign-in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from accounts import letters
from contracts.terms import to_second
from incidents.models import Notice
from incidents.notices import alarms, digests
from incidents.notices.reach import Bar
from messaging import outbox
from messaging.models import Delivery, Notification


def send_now(now: Callable[[], datetime], lane: str) -> int:
    """Send until nothing of the lane is due, with the time of each attempt; how many left. For tasks."""
    return outbox.send_now(now, lane, RULES)


def send_due(*, at: datetime) -> int:
    """Send what is due at `at` by every channel; how many left."""
    return outbox.send_due(RULES, at=at)


def notice_of(row: Notification) -> Notice | None:
    """What the row tells of; None for a row that another room wrote."""
    return getattr(row, "notice", None)


def gather(row: Notification, at: datetime) -> list[Notification]:
    """The rows that leave together with a claimed one, read with their notices; none where it waits on."""
    notices = Notice.objects.select_related("notification__recipient", "incident__version__contract", "entry")
    notice = notices.filter(pk=row.pk).first()
    return [row] if notice is None else [other.notification for other in digests.gather(notice, at=at)]


def address(row: Notification, at: datetime) -> str:
    """Where the person may be told at `at`; "" for nowhere, and then the row ends withheld."""
    notice = notice_of(row)
    if notice is None:
        return letters.address_of(row)
    answer = alarms.address(notice, at=at)
    if isinstance(answer, Bar):
        alarms.withhold(notice, answer)
        return ""
    return answer


def text(rows: Sequence[Notification], at: datetime) -> outbox.Text:
    """The words of one row, or of several as one digest."""
    notices = [notice for row in rows if (notice := notice_of(row))]
    if len(notices) > 1:
        return outbox.Text(digests.text_of(notices, at))
    return outbox.Text(rows[0].body, rows[0].html) if notices else letters.text_of(rows[0])


def attempted(rows: Sequence[Notification], at: datetime) -> None:
    """Each topic of the rows is told, or goes on to its next person."""
    topics = [notice.topic for row in rows if (notice := notice_of(row)) and notice.topic]
    for topic in dict.fromkeys(topics):
        alarms.settle_safely(topic, at=to_second(at))


RULES = outbox.Rules(gather=gather, address=address, text=text, attempted=attempted)


def mark_sent(*, at: datetime) -> int:
    """Mark all that was due by `at` as sent when it was written, without sending: for history that is played."""
    sent = outbox.mark_sent(at=at)
    unsettled = Notice.objects.filter(settle_at__isnull=False, notification__created_at__lte=at)
    unsettled.filter(firing=None, notification__status=Delivery.SENT).update(settle_at=None)
    for topic in dict.fromkeys(unsettled.order_by("pk").values_list("topic", flat=True)):
        alarms.settle(topic, at=to_second(at))
    return sent
