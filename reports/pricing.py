"""What one breach costs by its contract, with the account of it: rows to the pure arithmetic and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum

from accounts.words import month as month_words
from contracts.models import ContractVersion, DelayTime, PenaltyRule
from contracts.penalties import ZERO, Account, Base, Used
from contracts.penalty_breach import Exclusion, Lateness, breach_penalty
from contracts.terms import caps_of, scheme_of, seconds
from contracts.worktime import work_calendar
from incidents import projection
from incidents.clock import Clock
from incidents.models import Breach
from reports.models import BreachDecision


def clock_of(breach: Breach, at: datetime) -> Clock:
    """The clock that was missed: this run and lap, from the incident's journal."""
    found = projection.clocks_of(breach.incident, at)[breach.target]
    runs = (found, *found.earlier)
    return next(one for one in runs if (one.run, one.lap) == (breach.run, breach.lap))


def rule_of(breach: Breach) -> PenaltyRule | None:
    """The rule of the incident's own version; None: this target costs nothing."""
    return PenaltyRule.objects.filter(
        target__version=breach.version_id, target__severity=breach.severity, target__kind=breach.target
    ).first()


def account_of(breach: Breach, clock: Clock, *, at: datetime, exclusions: Sequence[Exclusion] = ()) -> Account | None:
    """The account of a breach up to its stop, or up to `at` while the clock still runs; None without a rule."""
    rule = rule_of(breach)
    if rule is None:
        return None
    real = breach.version.delay_time == DelayTime.REAL
    calendar = None if real or clock.calendar is None else work_calendar(clock.calendar)
    stop = breach.stopped_at or at
    waited = tuple((line.at, line.until) for line in clock.trace if line.kind == "handover" and line.until is not None)
    settled = _settlement_version(breach, stop)
    fee = settled.monthly_fee
    base = Base(fee, month=month_words(_local(breach, stop)), version=str(settled))
    lateness = Lateness(seconds(breach.deadline), seconds(stop), calendar, waited)
    return breach_penalty(
        scheme_of(rule),
        lateness,
        base,
        exclusions=exclusions,
        caps=caps_of(settled),
        used=used_before(breach, stop),
        fee=fee,
    )


def _local(breach: Breach, instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(breach.version.contract.zone)).date()


def _settlement_version(breach: Breach, stop: datetime) -> ContractVersion:
    """The version whose fee the month of the stop is settled by; the incident's own where none is in force then."""
    on = _local(breach, stop)
    versions = breach.version.contract.versions.filter(valid_from__lte=on).select_related("contract")
    return versions.order_by("-valid_from").first() or breach.version


def used_before(breach: Breach, stop: datetime) -> Used:
    """What earlier decisions have used of each limit: of this incident, of the month of the stop, of the contract."""
    others = BreachDecision.objects.exclude(breach=breach).filter(breach__version__contract=breach.version.contract)
    zone = ZoneInfo(breach.version.contract.zone)
    month = others.filter(
        breach__stopped_at__gte=_month_start(stop.astimezone(zone)),
        breach__stopped_at__lt=_next_month(stop.astimezone(zone)),
    )
    return Used(
        incident=_sum(others.filter(breach__incident=breach.incident_id)), month=_sum(month), contract=_sum(others)
    )


def _sum(decisions: QuerySet[BreachDecision]) -> Decimal:
    return decisions.aggregate(total=Sum("amount_after"))["total"] or ZERO


def _month_start(local: datetime) -> datetime:
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next_month(local: datetime) -> datetime:
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return _month_start(local).replace(year=year, month=month)
