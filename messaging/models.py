"""What leaves: by which way, and when each sweep and lane last ran. Knows the user model and no room."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """By which way a person is written to or called."""

    EMAIL = "email", _("e-mail")
    SMS = "sms", _("text message")
    VOICE = "voice", _("phone call")


class Heartbeat(models.Model):
    """When a sweep last ran, so that a page can say that nobody is watching."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    took_ms = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.at}"
