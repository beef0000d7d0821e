"""The closed lists of what happened: sentences of a report, states, origins, reasons of a pause."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contracts.severities import What
from incidents.clock import facts as clock
from incidents.state import Stage

# Severities of what keeps customers from buying.
FAILING = ("P1", "P2")

# A report with one of these joins the open incident that a monitor has opened for the shop.
JOINS_MONITOR = frozenset({What.CLOSED, What.NO_ORDERS, What.NO_PAYMENT})


class Status(models.TextChoices):
    NEW = Stage.NEW, _("reported")
    OPEN = Stage.OPEN, _("in work")
    WORKAROUND = Stage.WORKAROUND, _("workaround stands")
    RESOLVED = Stage.RESOLVED, pgettext_lazy("incident", "fixed, waits for the client")
    CLOSED = Stage.CLOSED, pgettext_lazy("incident", "closed")
    CANCELLED = Stage.CANCELLED, pgettext_lazy("incident", "withdrawn")
    MERGED = Stage.MERGED, pgettext_lazy("incident", "merged")


LIVES = ~Q(status__in=["closed", "cancelled", "merged"])


class Origin(models.TextChoices):
    PORTAL = "portal", _("portal")
    PHONE = "phone", _("phone")
    API = "api", "API"
    MONITOR = "monitor", _("monitor")


class PauseReason(models.TextChoices):
    CLIENT_ANSWER = clock.PauseReason.CLIENT_ANSWER, _("waiting for the client's answer")
    THIRD_PARTY = clock.PauseReason.THIRD_PARTY, _("waiting for a third party")
    CLIENT_WAIT = clock.PauseReason.CLIENT_WAIT, _("the client asked to wait")
    FORCE_MAJEURE = clock.PauseReason.FORCE_MAJEURE, _("force majeure")
    MAINTENANCE = clock.PauseReason.MAINTENANCE, _("maintenance window")


class Actor(models.TextChoices):
    CLIENT = "client", _("client")
    STAFF = "staff", _("staff")
    MONITOR = "monitor", _("monitor")
    SYSTEM = "system", _("system")


class ClockState(models.TextChoices):
    RUNNING = clock.ClockState.RUNNING, _("running")
    PAUSED = clock.ClockState.PAUSED, _("paused")
    SEEN_WORKING = clock.ClockState.SEEN_WORKING, _("seen working by the monitor")
    MET = clock.ClockState.MET, _("met")
    BREACHED = clock.ClockState.BREACHED, _("breached")
    NOT_RUNNING = clock.ClockState.NOT_RUNNING, _("not running")
