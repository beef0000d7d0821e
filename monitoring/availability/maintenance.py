"""Announced work as the contract counts it: early enough, and within the month's limit. Only that excuses a failure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from contracts.models import ContractVersion
from contracts.planned import MaintenanceWindow
from contracts.terms import moment, seconds
from contracts.vocabulary import MaintenanceMode
from monitoring.availability import measure as pure
from monitoring.availability.measure import MaintenanceLine, Period, Reason, Terms
from monitoring.availability.periods import local_months
from monitoring.probe.specification import State

# What was announced for earlier in the month has taken its share of the month's limit
MONTH = timedelta(days=32)


def terms_of(version: ContractVersion | None) -> Terms:
    """What a version says of availability; without a contract nothing is promised and all announced work counts."""
    if version is None:
        return Terms()
    return Terms(
        target=version.availability_target,
        minimum_outage=version.minimum_outage_seconds,
        mode=MaintenanceMode(version.maintenance),
        notice=version.maintenance_notice_hours * 3600,
        maintenance_limit=version.maintenance_limit_seconds,
        unknown_limit=version.unknown_limit_seconds,
    )


def window_interval(window: MaintenanceWindow) -> pure.Interval:
    return pure.Interval(
        seconds(window.starts_at),
        seconds(window.until),
        State.MAINTENANCE,
        announced=seconds(window.announced_at),
    )


def counted_lines(windows: Iterable[MaintenanceWindow], period: Period, terms: Terms) -> list[MaintenanceLine]:
    """The parts of announced work in the period that count as such."""
    lines = pure.measure(period, map(window_interval, windows), terms).lines
    return [line for line in lines if isinstance(line, MaintenanceLine) and line.reason is Reason.COUNTS]


def in_force(shops: Iterable[int], first: int, last: int) -> dict[int, list[Period]]:
    """Shop id → the spans of work that excuse failures between two instants (epoch seconds)."""
    since, until = moment(first), moment(last)
    rows = MaintenanceWindow.objects.standing().filter(shop__in=set(shops))
    rows = rows.filter(starts_at__lte=until, ends_at__gt=since - MONTH)
    by_shop: defaultdict[int, list[MaintenanceWindow]] = defaultdict(list)
    for row in rows.select_related("shop"):
        by_shop[row.shop_id].append(row)
    return {
        shop: _spans(windows, first, last)
        for shop, windows in by_shop.items()
        if any(window.until > since for window in windows)
    }


def _spans(windows: Sequence[MaintenanceWindow], first: int, last: int) -> list[Period]:
    """By the version and the local months of the two instants."""
    version = ContractVersion.objects.in_force(windows[0].shop, moment(last))
    zone = version.contract.zone if version else settings.DISPLAY_TIME_ZONE
    days = [moment(instant).astimezone(ZoneInfo(zone)).date() for instant in (first, last)]
    months = {local_months(day.year, day.month, 1, zone) for day in days}
    lines = [line for month in months for line in counted_lines(windows, month, terms_of(version))]
    return [Period(line.start, line.end) for line in lines]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the contract would make of announced work; spans in seconds.

    `left`: of the month's limit before this work, None without a limit; `counts`: how much of the work it excuses.
    """

    is_covered: bool
    notice: int
    is_late: bool
    limit: int | None
    left: int | None
    length: int
    counts: int

    @property
    def falls_short(self) -> bool:
        """Whether some of the work is ordinary time, in which a failure is downtime and an incident."""
        return self.counts < self.length


def prospect(window: MaintenanceWindow) -> Prospect:
    """Of work that is announced, or about to be: by the version in force at its start."""
    version = ContractVersion.objects.in_force(window.shop, window.starts_at)
    terms, zone = terms_of(version), version.contract.zone if version else settings.DISPLAY_TIME_ZONE
    days = [at.astimezone(ZoneInfo(zone)).date() for at in (window.starts_at, window.ends_at)]
    months = {local_months(day.year, day.month, 1, zone) for day in days}
    others = MaintenanceWindow.objects.standing().filter(shop=window.shop).exclude(pk=window.pk)
    before = list(others.filter(starts_at__lt=window.starts_at, ends_at__gt=window.starts_at - MONTH))
    first = local_months(days[0].year, days[0].month, 1, zone)
    used = sum(line.taken for line in counted_lines(before, first, terms))
    whole = sum(line.taken for month in months for line in counted_lines([*before, window], month, terms))
    taken = sum(line.taken for month in months for line in counted_lines(before, month, terms))
    start, announced = seconds(window.starts_at), seconds(window.announced_at)
    return Prospect(
        is_covered=version is not None,
        notice=terms.notice,
        is_late=announced > start - terms.notice,
        limit=terms.maintenance_limit,
        left=None if terms.maintenance_limit is None else max(0, terms.maintenance_limit - used),
        length=seconds(window.until) - start,
        counts=whole - taken,
    )
