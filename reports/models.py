"""What it adds up to: the manager's decisions on breaches, and the runs of the proof."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import ADMIN, User
from contracts.models import ExclusionReason
from incidents.models import Breach


class Verdict(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed")
    EXCLUDED = "excluded", _("excluded")


class DecisionQuerySet(models.QuerySet["BreachDecision"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(breach__in=Breach.objects.visible_to(user))

    def standing(self) -> Self:
        """Those that nobody has taken back: at most one a breach."""
        return self.filter(taken_back_at=None)

    def awaiting_second(self) -> Self:
        """More was at stake than one person may decide, and nobody else has agreed yet."""
        rows = self.standing().filter(second_by=None)
        return rows.filter(amount_before__gt=F("breach__version__second_person_above"))


class BreachDecision(models.Model):
    """One act on a breach: confirmed, or a span of its delay excluded. Both amounts stay; nothing is overwritten.

    A decision that is taken back stays as it was, with who took it back, when and why; the breach waits again.

    The amounts are the breach's own, by its rule: what of them counts beside the incident's others and under the
    contract's limits is the ledger's (reports/money/pricing.py), whichever of them was decided first.
    """

    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=9, choices=Verdict)
    reason = models.CharField(max_length=13, choices=ExclusionReason, blank=True)
    evidence = models.TextField(blank=True)
    excluded_from = models.DateTimeField(null=True)
    excluded_to = models.DateTimeField(null=True)
    amount_before = models.DecimalField(max_digits=14, decimal_places=2)
    amount_after = models.DecimalField(max_digits=14, decimal_places=2)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    second_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    second_at = models.DateTimeField(null=True)
    taken_back_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    taken_back_at = models.DateTimeField(null=True)
    taken_back_why = models.TextField(blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["breach", "at"]
        constraints = [
            models.UniqueConstraint(
                fields=["breach"],
                condition=Q(taken_back_at=None),
                name="one_decision_per_breach",
                violation_error_message=_("Somebody has decided this."),
            ),
            models.CheckConstraint(
                condition=Q(verdict="confirmed") | (~Q(reason="") & ~Q(evidence="")),
                name="an_exclusion_has_a_reason_and_evidence",
                violation_error_message=_("An exclusion needs a reason and evidence."),
            ),
            models.CheckConstraint(
                condition=Q(second_by=None) | ~Q(second_by=F("by")),
                name="the_second_person_is_another",
                violation_error_message=_("The second person must be another than the first."),
            ),
            models.CheckConstraint(
                condition=Q(taken_back_by=None, taken_back_at=None, taken_back_why="")
                | (Q(taken_back_by__isnull=False, taken_back_at__isnull=False) & ~Q(taken_back_why="")),
                name="a_decision_is_taken_back_with_a_reason",
                violation_error_message=_("Say why the decision is taken back."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.breach_id} {self.verdict}"

    @property
    def awaits_second(self) -> bool:
        """What was at stake decides, not what is left of it: an exclusion to zero needs a second person too."""
        above = needs_second(self.amount_before, self.breach.version.second_person_above)
        return above and self.second_by_id is None and self.taken_back_at is None

    @property
    def standing(self) -> Decimal:
        """What the breach is worth by the decision; until a second person agrees, as if nothing were excluded."""
        return self.amount_before if self.awaits_second else self.amount_after


def needs_second(at_stake: Decimal, limit: Decimal | None) -> bool:
    """Whether one person's decision about the amount isn't enough. `limit`: the version's, None where it has none."""
    return limit is not None and at_stake > limit


def undecided(breaches: QuerySet[Breach]) -> QuerySet[Breach]:
    """Those that nobody has decided, or whose decision was taken back."""
    return breaches.filter(~Exists(BreachDecision.objects.standing().filter(breach=OuterRef("pk"))))


class ProofRunQuerySet(models.QuerySet["ProofRun"]):
    def visible_to(self, user: User) -> Self:
        """The differences name incidents of every client."""
        return self if user.provider_role == ADMIN else self.none()


class ProofRun(models.Model):
    """One recomputation of the newest incidents, begun at `at`.

    `looked`: incidents that were looked at; `wrong`: columns that differ, the first of them in words in `lines`.
    """

    at = models.DateTimeField()
    looked = models.PositiveIntegerField()
    wrong = models.PositiveIntegerField()
    lines = models.JSONField(default=list)
    took_ms = models.PositiveIntegerField()

    objects = ProofRunQuerySet.as_manager()

    class Meta:
        ordering = ["at"]
        indexes = [models.Index(fields=["-at"], name="proof_run_newest")]

    def __str__(self) -> str:
        return f"{self.at} {self.wrong}"
