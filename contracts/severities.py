"""What a contract calls its severities, and which sentence of the report form means which of them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contracts.models import ContractVersion, Severity


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


# By the usual reading of the words; a contract may say otherwise, of each but the question
USUAL_SEVERITY: dict[str, str] = {
    What.CLOSED: Severity.P1,
    What.NO_ORDERS: Severity.P1,
    What.NO_PAYMENT: Severity.P1,
    What.BREAK_IN: Severity.P1,
    What.SOME_PAYMENTS: Severity.P2,
    What.ORDERS_LOST: Severity.P2,
    What.WRONG_DATA: Severity.P2,
    What.TOO_SLOW: Severity.P2,
    What.OTHER: Severity.P2,
    What.SLOWER: Severity.P3,
    What.TYPO: Severity.P4,
    What.QUESTION: "",
}
FAILURES = [symptom for symptom in What if USUAL_SEVERITY[symptom]]
"""The sentences that say a failure, in the form's order."""


class SeverityName(models.Model):
    """What a version calls one of its severities, in its own words."""

    version = models.ForeignKey(ContractVersion, on_delete=models.CASCADE, related_name="severity_names")
    severity = models.CharField(max_length=2, choices=Severity)
    name = models.CharField(_("name"), max_length=60)
    description = models.CharField(_("description"), max_length=300, blank=True)

    class Meta:
        ordering = ["version", "severity"]
        constraints = [models.UniqueConstraint(fields=["version", "severity"], name="one_name_per_severity")]

    def __str__(self) -> str:
        return f"{self.severity} {self.name}"


class Meaning(models.Model):
    """Which severity a sentence of the report form is by a version, where it isn't the usual one."""

    version = models.ForeignKey(ContractVersion, on_delete=models.CASCADE, related_name="meanings")
    symptom = models.CharField(max_length=16, choices=What)
    severity = models.CharField(max_length=2, choices=Severity)

    class Meta:
        ordering = ["version", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["version", "symptom"], name="one_severity_per_sentence"),
            models.CheckConstraint(condition=~models.Q(symptom=What.QUESTION), name="a_question_is_no_failure"),
        ]

    def __str__(self) -> str:
        return f"{self.symptom}: {self.severity}"


def agreed_severity(version: ContractVersion | None, symptom: str) -> str:
    """The severity that the version gives a sentence; "" where it says nothing of it."""
    if version is None:
        return ""
    return version.meanings.filter(symptom=symptom).values_list("severity", flat=True).first() or ""


def severity_of(version: ContractVersion | None, symptom: str) -> str:
    """The severity of a report with the sentence; "" for a question."""
    return agreed_severity(version, symptom) or USUAL_SEVERITY[symptom]


def severity_words(version: ContractVersion | None, severity: str) -> str:
    """What the version calls it, else the usual words."""
    names = version.severity_names.all() if version else ()
    return next((own.name for own in names if own.severity == severity), str(Severity(severity).label))
