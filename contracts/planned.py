"""Announced work on a shop."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class MaintenanceQuerySet(models.QuerySet["MaintenanceWindow"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_provider else self.filter(shop__client_id__in=user.memberships_now)

    def standing(self) -> Self:
        """Without those that were cancelled before they began."""
        return self.filter(Q(called_off_at=None) | Q(called_off_at__gt=F("starts_at")))

    def not_over(self, at: datetime) -> Self:
        """Those that go on or are to come at an instant."""
        rows = self.standing().filter(ends_at__gt=at)
        return rows.filter(Q(called_off_at=None) | Q(called_off_at__gt=at))

    def going_on(self, at: datetime) -> Self:
        return self.not_over(at).filter(starts_at__lte=at)


class MaintenanceWindow(models.Model):
    """Announced work on a shop, in which a failed check is maintenance and no outage.

    `called_off_at`: before its beginning it was cancelled, within it the work ended early.
    """

    shop = models.ForeignKey("contracts.Shop", on_delete=models.PROTECT, related_name="maintenance")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    announced_at = models.DateTimeField()
    note = models.CharField(_("what is done"), max_length=200)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    called_off_at = models.DateTimeField(null=True, blank=True)
    called_off_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="maintenance_ends_after_it_starts",
                violation_error_message=_("The work ends before it starts."),
            ),
            models.CheckConstraint(
                condition=Q(called_off_at=None, called_off_by=None)
                | Q(called_off_by__isnull=False, called_off_at__lt=F("ends_at")),
                name="maintenance_is_called_off_by_somebody_before_its_end",
                violation_error_message=_("This work is over already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shop}, {self.starts_at:%Y-%m-%d %H:%M}"

    @property
    def is_cancelled(self) -> bool:
        return self.called_off_at is not None and self.called_off_at <= self.starts_at

    @property
    def until(self) -> datetime:
        """When the work ends: as announced, or where it was ended early."""
        return self.called_off_at or self.ends_at

    def goes_on(self, at: datetime) -> bool:
        return self.starts_at <= at < self.until and not self.is_cancelled
