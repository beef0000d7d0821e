"""What we saw: monitors, their checks, intervals of state, outages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from contracts.models import Severity, Shop
from contracts.severities import What
from contracts.terms import moment
from incidents.models import Incident
from monitoring.probe import specification
from monitoring.state.shop import Part, is_stale


class State(models.TextChoices):
    UP = specification.State.UP, _("works")
    DEGRADED = specification.State.DEGRADED, _("works badly")
    DOWN = specification.State.DOWN, _("does not work")
    UNKNOWN = specification.State.UNKNOWN, pgettext_lazy("monitor", "unknown")
    MAINTENANCE = specification.State.MAINTENANCE, _("maintenance")
    PAUSED = specification.State.PAUSED, pgettext_lazy("monitor", "not watched")


class MonitorQuerySet(models.QuerySet["Monitor"]):
    def visible_to(self, user: User) -> Self:
        return self if user.works_incidents else self.filter(shop__client_id__in=user.memberships_now)


class Monitor(models.Model):
    """One address of a shop that is checked every `interval` seconds; `name` is what a customer would call it.

    `state` is what the checks say together, `reason` the last check's alone. `busy_until`: a check is on its way.
    `sent_to` and `seen_from` are places of the last question and the last answer. `asked`: the questions that may still
    be answered, slot (epoch seconds) and place of each. `track` is the state machine's memory
    (`monitoring.state.confirmation`). `certificate_…`: the first to end that the shop sends.
    `fault`: why our own side could not take the last result, "" where it could.
    """

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
    busy_until = models.DateTimeField(null=True)
    sent_to = models.CharField(max_length=40, blank=True)
    asked = models.JSONField(default=list, blank=True)
    checked_at = models.DateTimeField(null=True)
    seen_from = models.CharField(max_length=40, blank=True)
    certificate_ends_at = models.DateTimeField(null=True)
    certificate_host = models.CharField(max_length=255, blank=True)
    certificate_intermediate = models.CharField(max_length=100, blank=True)
    track = models.JSONField(default=dict)
    fault = models.CharField(max_length=300, blank=True)

    objects = MonitorQuerySet.as_manager()

    class Meta:
        ordering = ["shop__name", "name"]
        indexes = [models.Index(fields=["next_check_at"], name="monitor_due", condition=Q(is_active=True))]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "name"],
                name="one_monitor_per_shop_and_name",
                violation_error_message=_("This shop has a monitor of this name."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.shop}, {self.name}"

    @property
    def patience(self) -> timedelta:
        """How long after a check the next one's result is missing: a check more than an interval late, and its time."""
        return timedelta(seconds=2 * self.interval, milliseconds=self.timeout_ms)

    @property
    def out_since(self) -> datetime | None:
        """The first failed check of the outage that lasts."""
        started = self.track.get("started_at")
        return moment(started) if started is not None and self.track.get("ended_at") is None else None

    @property
    def part(self) -> Part:
        """What the rule of a shop's state reads of it."""
        interval = timedelta(seconds=self.interval)
        return Part(self.name, self.state, self.state_since, self.checked_at, interval, self.patience, self.out_since)

    def is_stale(self, at: datetime) -> bool:
        """Whether a result is missing at this moment, so that the state says nothing any more."""
        return self.is_active and is_stale(self.checked_at, self.patience, at)

    def state_at(self, now: datetime) -> str:
        """The state to show: what was seen, or unknown once nobody looks."""
        return State.UNKNOWN if self.is_stale(now) else self.state

    @property
    def is_suspected(self) -> bool:
        """A failure was seen that the next check has yet to confirm."""
        return bool(self.track.get("recent"))


class Unfit(models.TextChoices):
    """Why an answer did not count, as the health page says it; the words of `monitoring.probe.result_lines.Refusal`."""

    FORM = "form", _("it is no result")
    WORDS = "words", _("its words are not of the closed lists")
    SIZE = "size", _("it is too large")
    MONITOR = "monitor", _("there is no such address to check")
    PLACE = "place", _("another place was asked")
    SLOT = "slot", _("it was never asked")
    TIME = "time", _("its time does not fit the question")
    TWICE = "twice", _("it was answered twice")


class ProbePlace(models.Model):
    """What came from a place and did not count: for people to see that a probe is wrong, late or somebody else.

    `refused`: answers that fit nothing asked, the last with its reason (`monitoring.probe.result_lines.Refusal`) and
    time; `late`: those whose question was put anew meanwhile; `dropped`: those that were too many to be read.
    """

    name = models.CharField(max_length=40, unique=True)
    refused = models.PositiveBigIntegerField(default=0)
    refused_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=12, blank=True, choices=Unfit)
    late = models.PositiveBigIntegerField(default=0)
    dropped = models.PositiveBigIntegerField(default=0)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def why(self) -> str:
        return self.get_refusal_display()


class CheckQuerySet(models.QuerySet["Check"]):
    def visible_to(self, user: User) -> Self:
        """Raw checks and the bodies of failed ones are for staff only."""
        return self if user.works_incidents else self.none()


class Check(models.Model):
    """One raw result; kept 90 days. `evidence` is the whole result where it was not `up`, {} else. Times in ms."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="checks")
    at = models.DateTimeField()
    state = models.CharField(max_length=11, choices=State)
    reason = models.CharField(max_length=12)
    phase = models.CharField(max_length=8, blank=True)
    place = models.CharField(max_length=40, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    dns_ms = models.PositiveIntegerField(null=True)
    connect_ms = models.PositiveIntegerField(null=True)
    tls_ms = models.PositiveIntegerField(null=True)
    first_byte_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField(null=True)
    evidence = models.JSONField(default=dict)

    objects = CheckQuerySet.as_manager()

    class Meta:
        ordering = ["monitor", "-at"]
        constraints = [models.UniqueConstraint(fields=["monitor", "at"], name="one_check_per_monitor_and_instant")]

    def __str__(self) -> str:
        return f"{self.monitor_id} {self.at} {self.state}"


class IntervalQuerySet(models.QuerySet["Interval"]):
    def visible_to(self, user: User) -> Self:
        return self if user.works_incidents else self.filter(monitor__shop__client_id__in=user.memberships_now)

    def overlapping(self, since: datetime, until: datetime) -> Self:
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=since), started_at__lt=until)


class Interval(models.Model):
    """The monitor was in one state from..until. Kept for ever; availability is computed from these."""

    monitor = models.ForeignKey(Monitor, on_delete=models.PROTECT, related_name="intervals")
    state = models.CharField(max_length=11, choices=State)
    reason = models.CharField(max_length=12, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = IntervalQuerySet.as_manager()

    class Meta:
        ordering = ["monitor", "started_at"]
        indexes = [models.Index(fields=["monitor", "started_at"], name="interval_by_monitor")]
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

    def overlapping(self, since: datetime, until: datetime) -> Self:
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=since), started_at__lt=until)


class Outage(models.Model):
    """A confirmed failure, from the first failed check to the first of three good ones.

    `evidence` is the result of the check that confirmed it, without what only staff may see. `incident` is the one that
    it opened or joined then, and stays so: what an outage that went on meant later is a row of `Reopening`.
    """

    monitor = models.ForeignKey(Monitor, on_delete=models.PROTECT, related_name="outages")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, related_name="outages")
    reason = models.CharField(max_length=12)
    evidence = models.JSONField(default=dict)
    flapping = models.BooleanField(default=False)
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
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="outage_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id} {self.started_at}"

    @property
    def incidents(self) -> list[Incident]:
        """Every incident that it is evidence of, the first one first; prefetch `reopenings__incident` for a list."""
        first = [self.incident] if self.incident else []
        return [*first, *(row.incident for row in sorted(self.reopenings.all(), key=lambda row: row.pk))]


class ReopeningQuerySet(models.QuerySet["Reopening"]):
    def visible_to(self, user: User) -> Self:
        return self if user.works_incidents else self.filter(incident__client_id__in=user.memberships_now)


class Reopening(models.Model):
    """An outage went on after its incident had been closed: the incident that opened then, with its own evidence."""

    outage = models.ForeignKey(Outage, on_delete=models.PROTECT, related_name="reopenings")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="reopenings")
    reopened_at = models.DateTimeField()
    reason = models.CharField(max_length=12)
    evidence = models.JSONField(default=dict)

    objects = ReopeningQuerySet.as_manager()

    class Meta:
        ordering = ["outage", "reopened_at"]
        constraints = [
            models.UniqueConstraint(fields=["outage", "incident"], name="one_reopening_per_outage_and_incident")
        ]

    def __str__(self) -> str:
        return f"{self.outage_id} {self.incident_id} {self.reopened_at}"


class ActKind(models.TextChoices):
    VOUCHED = "vouched", _("vouched for as it stood")
    ADDED = "added", _("monitor added")
    CHANGED = "changed", _("monitor changed")
    STOPPED = "stopped", _("watching stopped")
    STARTED = "started", _("watching started")
    STATE = "state", _("state changed")
    REVISED = "revised", _("earlier state determined")
    CONFIRMED = "confirmed", _("outage confirmed")
    REOPENED = "reopened", _("outage goes on")
    ENDED = "ended", _("outage ended")


class ActQuerySet(models.QuerySet["Act"]):
    def visible_to(self, user: User) -> Self:
        """Like raw checks: for staff only."""
        return self if user.works_incidents else self.none()


class Act(models.Model):
    """One change of what a monitor's availability rests on, in the monitor's own chained list (`monitoring.acts`).

    `facts` holds the rows that it changed as they are after it: table → key → columns. A trigger refuses to change or
    delete a line. `by` None: the monitor itself.
    """

    monitor = models.ForeignKey(Monitor, on_delete=models.PROTECT, related_name="acts")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=9, choices=ActKind)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    facts = models.JSONField()
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = ActQuerySet.as_manager()

    class Meta:
        ordering = ["monitor", "seq"]
        constraints = [models.UniqueConstraint(fields=["monitor", "seq"], name="one_act_per_monitor_and_number")]

    def __str__(self) -> str:
        return f"{self.monitor_id}/{self.seq} {self.kind}"


class ActTally(models.Model):
    """What the database itself has counted of a monitor's acts, by a trigger: how many, and the hash of the last.

    It stands apart, without foreign keys: it stays when the monitor is gone and isn't set back with its acts.
    """

    monitor = models.BigIntegerField(primary_key=True)
    acts = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.monitor} {self.acts}"
