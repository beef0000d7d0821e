"""A message that somebody sends to themselves, to see that a way out works. It leaves by the outbox like any other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from messaging import outbox
from messaging.models import BY_PHONE, Channel, Delivery, Notification, NotificationQuerySet

AGAIN_AFTER = timedelta(seconds=30)  # a second tap within it sends nothing: each text message and call costs money


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A way out by its newest messages; `waiting` have not left yet."""

    channel: Channel
    way: str
    waiting: int
    last_sent: Notification | None
    last_error: Notification | None

    @property
    def fails(self) -> bool:
        """Whether the newest message that has met its fate met an error."""
        if self.last_error is None:
            return False
        return self.last_sent is None or self.last_sent.created_at < self.last_error.created_at


def channel_states(notifications: NotificationQuerySet) -> list[ChannelState]:
    """Of each channel, in the order in which contracts offer them. Old messages, whose words are gone, don't count."""
    return [_state(channel, notifications.filter(channel=channel).exclude(body="")) for channel in Channel]


def _state(channel: Channel, rows: NotificationQuerySet) -> ChannelState:
    newest = rows.select_related("recipient").order_by("-created_at")
    return ChannelState(
        channel,
        settings.GATEWAY_URL if channel in BY_PHONE else f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        rows.filter(status=Delivery.QUEUED).count(),
        newest.filter(status=Delivery.SENT).first(),
        newest.exclude(error="").first(),
    )


def send_trial(*, recipient: int, channel: Channel, address: str, at: datetime) -> bool:
    """Into the outbox, in the language of now; False where one was written to this person a moment ago."""
    prefix = f"trial-{channel}-{recipient}-"
    if Notification.objects.filter(key__startswith=prefix, created_at__gt=at - AGAIN_AFTER).exists():
        return False
    text = _("%(provider)s: a trial message. You get it because you asked for it; the way works.")
    row = Notification(
        key=f"{prefix}{at:%Y%m%d%H%M%S}",
        recipient_id=recipient,
        channel=channel,
        address=address,
        subject=_("Trial message"),
        body=text % {"provider": settings.PROVIDER_NAME},
        created_at=at,
        next_attempt_at=at,
    )
    outbox.put([row])
    return True
