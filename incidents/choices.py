"""The closed lists of what happened: sentences of a report, states, origins, reasons of a pause."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incidents.clock import facts as clock
from incidents.state import Stage


class What(models.TextChoices):
    """The sentences of the report form, in the form's order."""

    CLOSED = "closed", _("Shop doesn't open")
    NO_ORDERS = "no_orders", _("Customers can't order")
    NO_PAYMENT = "no_payment", _("No payment works")
    BREAK_IN = "break_in", _("Break-in, leak, foreign content")
    SOME_PAYMENTS = "some_payments", _("Some payments fail")
    ORDERS_LOST = "orders_lost", _("Orders don't reach our systems")
    WRONG_DATA = "wrong_data", _("Wrong prices, delivery, e-mails")
    TOO_SLOW = "too_slow", _("Too slow to buy")
    OTHER = "other", _("Something else")
    SLOWER = "slower", _("Slower than usual")
    TYPO = "typo", _("Typo, looks, small thing")
    QUESTION = "question", _("I have a question or want a change")


SEVERITY_OF: dict[str, str] = {
    What.CLOSED: "P1",
    What.NO_ORDERS: "P1",
    What.NO_PAYMENT: "P1",
    What.BREAK_IN: "P1",
    What.SOME_PAYMENTS: "P2",
    What.ORDERS_LOST: "P2",
    What.WRONG_DATA: "P2",
    What.TOO_SLOW: "P2",
    What.OTHER: "P2",
    What.SLOWER: "P3",
    What.TYPO: "P4",
    What.QUESTION: "",
}


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
