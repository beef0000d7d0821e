"""Who may be told of an incident, and at which address. No database: people come in as they are today."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Audience(TextChoices):
    """As what a person is written to: it decides who may read the letter."""

    STAFF = "staff", _("our people")
    ADMIN = "admin", _("administrator")
    CLIENT = "client", _("the client's people")


class Bar(TextChoices):
    """Why a person is not told, or not by this channel."""

    OFF = "off", _("account switched off")
    NO_ROLE = "no_role", _("no longer one of our people")
    NO_RIGHTS = "no_rights", _("no longer speaks for this client")
    NO_ADDRESS = "no_address", _("no address for this channel")
    MUTED = "muted", _("turned notices off")
    REFUSED = "refused", _("refused by the mail server or gateway")
    SILENT = "silent", _("no answer of the mail server or gateway for 60 seconds")
