"""What was promised: shops, calendars, contracts with their versions, targets, penalties and ladders."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import MANAGER, OWNER, Client, User
from contracts import vocabulary
from contracts.planned import MaintenanceWindow  # noqa: F401 Django finds an app's models here
from contracts.seal_rows import Seal  # noqa: F401 as above
from contracts.timed import MINUTES_OR_DAYS, DayReading, TargetAlternative, Timed  # noqa: F401 its words stand here
from contracts.vocabulary import Mark
from messaging.models import Channel
from wording.lines import NOT_A_LINE, NOT_IN_A_LINE
from wording.words import SEVERITIES


class Severity(models.TextChoices):
    P1 = vocabulary.Severity.P1, SEVERITIES["P1"]
    P2 = vocabulary.Severity.P2, SEVERITIES["P2"]
    P3 = vocabulary.Severity.P3, SEVERITIES["P3"]
    P4 = vocabulary.Severity.P4, SEVERITIES["P4"]


class TargetKind(models.TextChoices):
    REACTION = vocabulary.TargetKind.REACTION, _("reaction")
    RESTORE = vocabulary.TargetKind.RESTORE, _("repair")
    FINAL_FIX = vocabulary.TargetKind.FINAL_FIX, _("final fix")


class ShopQuerySet(models.QuerySet["Shop"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_provider else self.filter(client_id__in=user.memberships_now)

    def at(self, slug: str) -> Shop | None:
        """The shop with this address, else the one that had it before."""
        rows = list(self.filter(Q(slug=slug) | Q(old_slug=slug)))
        return next((row for row in rows if row.slug == slug), rows[0] if rows and slug else None)


class Shop(models.Model):
    """An online shop of a client. `slug` begins with the client's code and never changes; `old_slug`: of before."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="shops")
    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(unique=True)
    old_slug = models.SlugField(blank=True, default="", editable=False)
    url = models.URLField(_("address"))
    is_active = models.BooleanField(default=True)

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name__regex=NOT_IN_A_LINE),
                name="shop_name_is_one_line",
                violation_error_message=NOT_A_LINE,
            )
        ]

    def __str__(self) -> str:
        return self.name


class CalendarQuerySet(models.QuerySet["Calendar"]):
    def visible_to(self, user: User) -> Self:
        if user.is_provider:
            return self
        first = Q(targets__version__contract__client_id__in=user.memberships_now)
        other = Q(alternatives__target__version__contract__client_id__in=user.memberships_now)
        return self.filter(first | other).distinct()


class Calendar(models.Model):
    """Working hours. `weekly` maps "mon", "mon-fri"… to lists of ["08:00", "16:00"]; a close may lie above 24:00.

    A calendar that a version in force uses is never edited; days off and special days are added ahead (`CalendarDay`).
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    zone = models.CharField(_("time zone"), max_length=40, default="Europe/Warsaw")
    weekly = models.JSONField(_("weekly hours"))
    statutory_holidays = models.BooleanField(_("closed on Polish public holidays"), default=True)
    is_office = models.BooleanField(_("our own office hours"), default=False)

    objects = CalendarQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_office"],
                condition=Q(is_office=True),
                name="one_calendar_of_the_office",
                violation_error_message=_("Another calendar has our office hours."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class CalendarDay(models.Model):
    """A company day off (no windows) or a special day, entered ahead; a removed one stays as the calendar's history."""

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="days")
    date = models.DateField(_("date"))
    windows = models.JSONField(_("hours"), default=list, blank=True)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    removed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["date", "entered_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "date"],
                condition=Q(removed_at=None),
                name="one_entry_per_calendar_and_date",
                violation_error_message=_("This day has its hours already."),
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_by=None) | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="calendar_day_is_removed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.calendar}, {self.date}"


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, user: User) -> Self:
        """Contracts hold money: for managers, and for owners of the client."""
        if user.provider_role == MANAGER:
            return self
        own = [client for client, role in user.memberships_now.items() if role == OWNER]
        return self.filter(client_id__in=own)


class Contract(models.Model):
    """An SLA with one client. `address`, such as `MAK-2`, is the client's code and `serial` and never changes."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="contracts")
    serial = models.PositiveIntegerField(editable=False)
    address = models.CharField(max_length=16, unique=True, editable=False)
    number = models.CharField(_("contract number"), max_length=40)
    shops = models.ManyToManyField(Shop, related_name="contracts", verbose_name=_("shops"))
    zone = models.CharField(_("time zone"), max_length=40, default="Europe/Warsaw")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until (last day)"), null=True, blank=True)
    notice_months = models.PositiveSmallIntegerField(_("notice in months"), default=3)

    objects = ContractQuerySet.as_manager()

    class Meta:
        ordering = ["client__name", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "number"],
                name="one_contract_per_client_and_number",
                violation_error_message=_("This client has a contract with this number."),
            ),
            models.UniqueConstraint(fields=["client", "serial"], name="one_contract_per_client_and_serial"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="contract_ends_after_it_starts",
                violation_error_message=_("The contract ends before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def local_day(self, at: datetime) -> date:
        """The day of an instant in the contract's zone, by which its versions and months are told."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def has_ended(self, at: datetime) -> bool:
        return self.ends_on is not None and self.local_day(at) > self.ends_on


class RepairStart(models.TextChoices):
    REPORT = vocabulary.RepairStart.REPORT, _("from the report")
    FIRST_CONTACT = vocabulary.RepairStart.FIRST_CONTACT, _("from the first contact")
    CONTACT_OR_DEADLINE = (
        vocabulary.RepairStart.CONTACT_OR_DEADLINE,
        _("from the first contact or the end of the reaction time"),
    )
    WORK_STARTED = vocabulary.RepairStart.WORK_STARTED, _("from the start of work")


class Reopen(models.TextChoices):
    CONTINUE = vocabulary.Reopen.CONTINUE, _("goes on with the time left")
    RESTART = vocabulary.Reopen.RESTART, _("starts anew")


class Liability(models.TextChoices):
    ZWLOKA = "zwloka", _("default of the provider (zwłoka)")
    OPOZNIENIE = "opoznienie", _("any delay (opóźnienie)")


class ExclusionReason(models.TextChoices):
    """Why a part of a delay may be left out: the closed list of the review."""

    CLIENT = "client_fault", _("client's fault")
    THIRD_PARTY = "third_party", _("third party")
    FORCE_MAJEURE = "force_majeure", _("force majeure")
    MAINTENANCE = "maintenance", _("announced maintenance")
    OVERSTATED = "overstated", _("severity overstated by the client")


class Cumulation(models.TextChoices):
    CUMULATIVE = vocabulary.Cumulation.CUMULATIVE, _("added up")
    HIGHEST = vocabulary.Cumulation.HIGHEST, _("only the highest")


class PenaltyBase(models.TextChoices):
    MONTH = vocabulary.PenaltyBase.MONTH, _("of the month in which the delay ended")
    MONTH_BEFORE = vocabulary.PenaltyBase.MONTH_BEFORE, _("of the month before")


class DelayTime(models.TextChoices):
    CALENDAR = "calendar", _("in the target's hours")
    REAL = "real", _("in real time")


class Maintenance(models.TextChoices):
    """What announced work is in the availability of a month."""

    OUT_OF_TOTAL = vocabulary.MaintenanceMode.OUT_OF_TOTAL, _("leaves the time that counts")
    IN_TOTAL = vocabulary.MaintenanceMode.IN_TOTAL, _("counts as time that the shop worked")


class VersionQuerySet(models.QuerySet["ContractVersion"]):
    def in_force(self, shop: Shop, at: datetime) -> ContractVersion | None:
        """The version that covers the shop at an instant, of those entered by then; days are the contract's own.

        Where two contracts cover the shop, the one whose version began last. A version that was entered after the
        instant rules nothing of it, and ends nothing before it.
        """
        rows = self.filter(contract__shops=shop, created_at__lte=at).select_related("contract").order_by("number")
        latest = {row.contract_id: row for row in rows if row.has_started(at)}
        covering = [row for row in latest.values() if not row.contract.has_ended(at)]
        return max(covering, key=lambda row: (row.valid_from, row.pk), default=None)

    def counting_by(self, calendar: Calendar) -> Self:
        """Versions of which a time or the rhythm of updates is counted or chosen by the calendar's hours."""
        other = Q(targets__alternatives__calendar=calendar) | Q(targets__alternatives__outside=calendar)
        return self.filter(Q(targets__calendar=calendar) | Q(rhythms__calendar=calendar) | other).distinct()

    def visible_to(self, user: User) -> Self:
        return self.filter(contract__in=Contract.objects.visible_to(user))


class ContractVersion(models.Model):
    """The terms of a contract for a period [valid_from, valid_to); never edited once in force."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(_("version"))
    valid_from = models.DateField(_("in force from"))
    valid_to = models.DateField(_("in force until (exclusive)"), null=True, blank=True)
    monthly_fee = models.DecimalField(
        _("monthly fee, net"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(_("currency"), max_length=3, default="PLN")
    repair_starts = models.CharField(max_length=32, choices=RepairStart, default=RepairStart.REPORT)
    reopen = models.CharField(max_length=8, choices=Reopen, default=Reopen.CONTINUE)
    liability = models.CharField(max_length=10, choices=Liability, default=Liability.ZWLOKA)
    delay_time = models.CharField(max_length=8, choices=DelayTime, default=DelayTime.CALENDAR)
    cumulation = models.CharField(max_length=10, choices=Cumulation, default=Cumulation.CUMULATIVE)
    penalty_base = models.CharField(max_length=12, choices=PenaltyBase, default=PenaltyBase.MONTH)
    part_months = models.BooleanField(_("a month covered in part counts by its days"), default=False)
    fee_parts = models.JSONField(default=dict, blank=True)  # shop's key → its part of the fee, as a decimal
    incident_cap_percent = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    incident_cap_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    month_cap_percent = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    month_cap_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    quarter_cap_percent = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    quarter_cap_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    reaction_cap_percent = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    reaction_cap_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    restore_cap_percent = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    restore_cap_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    final_fix_cap_percent = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    final_fix_cap_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    contract_cap_percent = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    contract_cap_share = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    contract_cap_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    contract_value = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    availability_target = models.DecimalField(max_digits=6, decimal_places=4, null=True, blank=True)
    minimum_outage_minutes = models.PositiveSmallIntegerField(default=0)
    maintenance = models.CharField(max_length=12, choices=Maintenance, default=Maintenance.OUT_OF_TOTAL)
    maintenance_notice_hours = models.PositiveSmallIntegerField(default=0)
    maintenance_limit_minutes = models.PositiveIntegerField(null=True, blank=True)
    unknown_limit_minutes = models.PositiveIntegerField(null=True, blank=True)
    monitoring_starts_clock = models.BooleanField(_("a monitor's alarm starts the clocks"), default=True)
    third_party_pause = models.BooleanField(_("a third party's delay stops the clock"), default=False)
    second_person_above = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    exclusion_reasons = ArrayField(models.CharField(max_length=13, choices=ExclusionReason), default=list, blank=True)
    silence_days_p1 = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    silence_days_p2 = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    silence_days_p3 = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])
    silence_days_p4 = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])
    days_off_notice = models.PositiveSmallIntegerField(_("notice for days off, working days"), default=5)
    signed_on = models.DateField(_("signed on"), null=True, blank=True)
    signatories = models.CharField(_("signed by"), max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["contract", "number"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="one_version_per_number"),
            ExclusionConstraint(
                name="versions_do_not_overlap",
                expressions=[
                    (
                        Func(F("valid_from"), F("valid_to"), function="daterange", output_field=models.Field()),
                        RangeOperators.OVERLAPS,
                    ),
                    ("contract", RangeOperators.EQUAL),
                ],
                violation_error_message=_("Another version is in force in this period."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract.number}, {self.number}"

    @property
    def last_day(self) -> date | None:
        """The last day in force; `valid_to` is the day after it."""
        return self.valid_to - timedelta(days=1) if self.valid_to else None

    @property
    def minimum_outage_seconds(self) -> int:
        return self.minimum_outage_minutes * 60

    @property
    def maintenance_limit_seconds(self) -> int | None:
        return None if self.maintenance_limit_minutes is None else self.maintenance_limit_minutes * 60

    @property
    def unknown_limit_seconds(self) -> int | None:
        return None if self.unknown_limit_minutes is None else self.unknown_limit_minutes * 60

    def silence_days(self, severity: str) -> int:
        """Working days of silence that accept a repair; a question has those of the mildest severity."""
        days: int = getattr(self, f"silence_days_{(severity or Severity.P4).lower()}")
        return days

    def allowed_exclusions(self) -> list[str]:
        """By default of the provider (zwłoka) every listed cause; for any delay only those that the version names."""
        return list(ExclusionReason.values if self.liability == Liability.ZWLOKA else self.exclusion_reasons)

    def has_started(self, at: datetime) -> bool:
        return self.contract.local_day(at) >= self.valid_from


class Target(Timed):
    """How long for one severity, counted in a calendar of its own; its `alternatives` for what begins outside hours."""

    version = models.ForeignKey(ContractVersion, on_delete=models.CASCADE, related_name="targets")
    severity = models.CharField(max_length=2, choices=Severity)
    kind = models.CharField(max_length=9, choices=TargetKind)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="targets")

    class Meta:
        ordering = ["version", "severity", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["version", "severity", "kind"], name="one_target_per_severity_and_kind"),
            models.CheckConstraint(condition=MINUTES_OR_DAYS, name="a_target_is_minutes_or_days"),
        ]

    def __str__(self) -> str:
        return f"{self.severity} {self.kind}"

    @property
    def otherwise(self) -> list[TargetAlternative]:
        """The times of what begins outside hours, in their order (prefetch `alternatives`)."""
        return list(self.alternatives.all())


class UpdateRhythm(models.Model):
    """How often the client hears of an open incident of a severity; without a calendar the minutes are real time."""

    version = models.ForeignKey(ContractVersion, on_delete=models.CASCADE, related_name="rhythms")
    severity = models.CharField(max_length=2, choices=Severity)
    minutes = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["version", "severity"]
        constraints = [models.UniqueConstraint(fields=["version", "severity"], name="one_update_rhythm_per_severity")]

    def __str__(self) -> str:
        return f"{self.severity} {self.minutes} min"


class RateType(models.TextChoices):
    PERCENT = vocabulary.RateType.PERCENT, _("% of the fee")
    AMOUNT = vocabulary.RateType.AMOUNT, _("amount")


class GraceMode(models.TextChoices):
    DEDUCTIBLE = vocabulary.GraceMode.DEDUCTIBLE, _("the first minutes are free")
    THRESHOLD = vocabulary.GraceMode.THRESHOLD, _("nothing up to the threshold, everything above")


class PenaltyRule(models.Model):
    """What a missed target costs: rate × units of delay. `tiers`: [up to, rate] of the first units, as decimals."""

    target = models.OneToOneField(Target, on_delete=models.CASCADE, related_name="penalty")
    rate_type = models.CharField(max_length=8, choices=RateType, default=RateType.PERCENT)
    rate = models.DecimalField(max_digits=12, decimal_places=4, validators=[MinValueValidator(0)])
    unit = models.CharField(max_length=16, default="started_hour")
    grace_minutes = models.PositiveSmallIntegerField(default=0)
    grace_mode = models.CharField(max_length=10, choices=GraceMode, default=GraceMode.DEDUCTIBLE)
    tiers = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"{self.target}: {self.rate} {self.rate_type} / {self.unit}"


class Whom(models.TextChoices):
    ASSIGNEE = "assignee", _("assignee")
    ON_CALL = "duty", _("person on call")
    MANAGER = MANAGER, _("manager")
    OWNER = OWNER, _("client's owner")
    PERSON = "person", _("named person")


class EscalationStep(models.Model):
    """One rung of a version's ladder: at a share of the target used, or so long before or after its deadline, tell
    somebody by a channel.

    `offset_minutes` are counted in the target's hours, negative before the deadline.
    """

    version = models.ForeignKey(ContractVersion, on_delete=models.CASCADE, related_name="steps")
    target = models.CharField(max_length=9, choices=TargetKind)
    share = models.PositiveSmallIntegerField(_("share of the time, %"), null=True, validators=[MinValueValidator(1)])
    offset_minutes = models.IntegerField(_("minutes from the deadline"), null=True)
    whom = models.CharField(max_length=8, choices=Whom)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.EMAIL)

    class Meta:
        ordering = ["version", "target", "share", "offset_minutes", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(share=None) ^ Q(offset_minutes=None), name="a_rung_has_a_share_or_an_offset"
            ),
            models.UniqueConstraint(
                fields=["version", "target", "share", "offset_minutes", "whom", "person", "channel"],
                name="one_rung_per_share_whom_and_channel",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(person=None) ^ Q(whom="person"), name="a_named_person_is_given_where_one_is_told"
            ),
        ]

    def __str__(self) -> str:
        mark = f"{self.offset_minutes:+} min" if self.share is None else f"{self.share} %"
        return f"{self.target} {mark} → {self.whom} ({self.channel})"

    @property
    def mark(self) -> Mark:
        return Mark(self.share, self.offset_minutes)
