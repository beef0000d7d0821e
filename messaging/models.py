"""What leaves: the outbox, by which ways, and when each sweep and lane last ran. Knows the user model and no room."""

from __future__ import annotations

from typing import Protocol, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """By which way a person is written to or called."""

    EMAIL = "email", _("e-mail")
    SMS = "sms", _("text message")
    VOICE = "voice", _("phone call")


# What goes by the gateway to a phone: one lane, gathered when there is much of it
BY_PHONE = frozenset({Channel.SMS, Channel.VOICE})


class Delivery(models.TextChoices):
    QUEUED = "queued", _("waits")
    SENT = "sent", _("sent")
    FAILED = "failed", _("given up")
    WITHHELD = "withheld", _("not sent: this person may not be told")


class Reader(Protocol):
    """What this room asks of a user; `is_provider`: one of our own people."""

    pk: int

    @property
    def is_provider(self) -> bool: ...


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: Reader) -> Self:
        return self if user.is_provider else self.filter(recipient=user.pk)

    def given_up(self) -> Self:
        """What can still be tried again: old ones have lost their words."""
        return self.filter(status=Delivery.FAILED).exclude(body="")


class Notification(models.Model):
    """The outbox: written with the change, sent after commit, retried with a cap; `key` allows no second one.

    Rows of one `thread` are one conversation in a mailbox. What a row is about, its writer keeps in a row of its own.
    The database fills in `content`, a hash of subject, body and html; the words may go (all together), the row stays.
    """

    key = models.CharField(max_length=120, unique=True)
    thread = models.CharField(max_length=40, blank=True)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    html = models.TextField(blank=True)
    created_at = models.DateTimeField()
    content = models.CharField(max_length=64, blank=True, editable=False)
    status = models.CharField(max_length=8, choices=Delivery, default=Delivery.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    bundle = models.CharField(max_length=32, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="outbox_due", condition=Q(status="queued")),
            models.Index(fields=["created_at"], name="outbox_words", condition=~Q(body="")),
            models.Index(
                fields=["recipient", "sent_at"], name="outbox_texts", condition=Q(channel__in=sorted(BY_PHONE))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.address}: {self.subject}"


class Heartbeat(models.Model):
    """When a sweep last ran, so that a page can say that nobody is watching."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    took_ms = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.at}"
