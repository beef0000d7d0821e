"""What we saw: monitors, their checks, intervals of state, outages."""

from __future__ import annotations

from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from contracts.models import Severity, Shop
from incidents.models import Incident, What


class State(models.TextChoices):
    UP = "up", _("works")
    DEGRADED = "degraded", _("works badly")
    DOWN = "down", _("does not work")
    UNKNOWN = "unknown", pgettext_lazy("monitor", "unknown")
    MAINTENANCE = "maintenance", _("maintenance")
    PAUSED = "paused", pgettext_lazy("monitor", "not watched")


class MonitorQuerySet(models.QuerySet["Monitor"]):
    def visible_to(self, user: User) -> Self:
        return self if user.works_incidents else self.filter(shop__client_id__in=user.memberships_now)


class Monitor(models.Model):
    """One address of a shop that is checked every `interval` seconds; `part` is what a customer would call it."""

    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="monitors")
    name = models.CharField(_("name"), max_length=80)
    url = models.URLField(_("address"), max_length=500)
    method = models.CharField(max_length=4, default="GET")
    interval = models.PositiveIntegerField(_("every, seconds"), default=60, validators=[MinValueValidator(5)])
    timeout_ms = models.PositiveIntegerField(default=10_000)
    slow_ms = models.PositiveIntegerField(default=3_000)
    statuses = models.JSONField(default=list, blank=True)
    required_text = models.CharField(max_length=200, blank=True)
    forbidden_text = models.CharField(max_length=200, blank=True)
    min_bytes = models.PositiveIntegerField(default=0)
    what = models.CharField(max_length=16, choices=What, default=What.CLOSED)
    severity = models.CharField(max_length=2, choices=Severity, default=Severity.P1)
    means_down = models.BooleanField(_("its failure means that the shop is down"), default=True)
    is_active = models.BooleanField(default=True)
    state = models.CharField(max_length=11, choices=State, default=State.UNKNOWN)
    reason = models.CharField(max_length=12, blank=True)
    state_since = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    track = models.JSONField(default=dict)

    objects = MonitorQuerySet.as_manager()

    class Meta:
        ordering = ["shop__name", "name"]
        indexes = [models.Index(fields=["next_check_at"], name="monitor_due", condition=Q(is_active=True))]
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="one_monitor_per_shop_and_name")]

    def __str__(self) -> str:
        return f"{self.shop}, {self.name}"


class Check(models.Model):
    """One raw result; kept 90 days."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="checks")
    at = models.DateTimeField()
    state = models.CharField(max_length=11, choices=State)
    reason = models.CharField(max_length=12)
    phase = models.CharField(max_length=8, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    total_ms = models.PositiveIntegerField(null=True)
    detail = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering = ["monitor", "-at"]
        constraints = [models.UniqueConstraint(fields=["monitor", "at"], name="one_check_per_monitor_and_instant")]

    def __str__(self) -> str:
        return f"{self.monitor_id} {self.at} {self.state}"


class Interval(models.Model):
    """The monitor was in one state from..until. Kept for ever; availability is computed from these."""

    monitor = models.ForeignKey(Monitor, on_delete=models.PROTECT, related_name="intervals")
    state = models.CharField(max_length=11, choices=State)
    reason = models.CharField(max_length=12, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["monitor", "started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["monitor"], condition=Q(ended_at=None), name="one_open_interval_per_monitor"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="interval_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id} {self.state} {self.started_at}"


class OutageQuerySet(models.QuerySet["Outage"]):
    def visible_to(self, user: User) -> Self:
        return self if user.works_incidents else self.filter(monitor__shop__client_id__in=user.memberships_now)


class Outage(models.Model):
    """A confirmed failure, from the first failed check to the first of three good ones."""

    monitor = models.ForeignKey(Monitor, on_delete=models.PROTECT, related_name="outages")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, related_name="outages")
    reason = models.CharField(max_length=12)
    detail = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = OutageQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["monitor"], condition=Q(ended_at=None), name="one_open_outage_per_monitor"),
            models.CheckConstraint(
                condition=Q(confirmed_at__gte=F("started_at")), name="outage_is_confirmed_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id} {self.started_at}"
