"""From rows to the pure arithmetic of availability: what was seen of shops, and the terms that it is judged by.

A shop is up when a customer can buy: every monitor of it that means "down" counts, outages are their union. Time is
unknown where one of them was blind and none is known to have been down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Max, Min, Q

from contracts.models import ContractVersion, Severity, Shop
from contracts.planned import MaintenanceWindow
from contracts.spans import Span, intersect, subtract, union
from contracts.terms import moment, seconds
from incidents.choices import FAILING, Status
from incidents.models import Incident, IncidentQuerySet
from monitoring.availability import measure as pure
from monitoring.availability.maintenance import counted_lines, terms_of, window_interval
from monitoring.availability.measure import Measured, Period, Terms
from monitoring.availability.periods import local_day, local_months
from monitoring.models import Act, ActKind, Interval, Monitor, Outage
from monitoring.probe.specification import State
from monitoring.state.shop import ShopState, Trouble, shop_state

REPORTS_SHOWN = 50  # of a month; more than anybody has reported of one shop
SEEN = (State.UNKNOWN, State.PAUSED, State.DOWN)


@dataclass(frozen=True, slots=True)
class ShopHistory:
    """What was seen of one shop up to `now` (epoch seconds). `since` is the first check ever, None: never watched."""

    shop: Shop
    monitors: tuple[Monitor, ...]
    outages: tuple[Outage, ...]
    windows: tuple[MaintenanceWindow, ...]
    blind: tuple[Span, ...]
    versions: tuple[ContractVersion, ...]
    incidents: tuple[Incident, ...]
    since: int | None
    now: int

    @property
    def zone(self) -> str:
        version = self.version_on(self.today)
        return version.contract.zone if version else settings.DISPLAY_TIME_ZONE

    @property
    def today(self) -> date:
        newest = max(self.versions, key=lambda version: version.valid_from, default=None)
        zone = newest.contract.zone if newest else settings.DISPLAY_TIME_ZONE
        return moment(self.now).astimezone(ZoneInfo(zone)).date()

    @property
    def active(self) -> tuple[Monitor, ...]:
        return tuple(monitor for monitor in self.monitors if monitor.is_active)

    @property
    def state(self) -> ShopState:
        """What the shop is said to be now."""
        return state_of(self.active, moment(self.now), self.incidents)

    def version_on(self, day: date) -> ContractVersion | None:
        inside = [row for row in self.versions if row.valid_from <= day and (not row.valid_to or day < row.valid_to)]
        return max(inside, key=lambda version: version.valid_from, default=None)

    def measure(self, period: Period) -> Measured:
        """From the first check on and up to now, by the version in force on the period's last day."""
        start = period.start if self.since is None else max(period.start, self.since)
        end = max(period.start, min(period.end, self.now))
        last = moment(max(end - 1, period.start)).astimezone(ZoneInfo(self.zone)).date()
        clipped = Period(min(start, end), end)
        return pure.measure(clipped, self.intervals(), self._left_of(terms_of(self.version_on(last)), clipped))

    def _left_of(self, terms: Terms, period: Period) -> Terms:
        """For a part of a month: its limit of announced work without what the days before have taken."""
        if terms.maintenance_limit is None:
            return terms
        month = self.month(moment(period.start).astimezone(ZoneInfo(self.zone)).date().replace(day=1))
        before = Period(max(month.start, self.since or month.start), period.start)
        if before.start >= before.end:
            return terms
        taken = sum(line.taken for line in counted_lines(self.windows, before, terms))
        return replace(terms, maintenance_limit=max(0, terms.maintenance_limit - taken))

    def intervals(self) -> list[pure.Interval]:
        down = [pure.Interval(seconds(outage.started_at), self.end_of(outage), State.DOWN) for outage in self.outages]
        blind = [pure.Interval(*span, State.UNKNOWN) for span in self.blind]
        return [*down, *blind, *map(window_interval, self.windows)]

    def end_of(self, outage: Outage) -> int:
        """For an outage that lasts: now."""
        return seconds(outage.ended_at) if outage.ended_at else max(self.now, seconds(outage.started_at))

    def month(self, first: date) -> Period:
        return local_months(first.year, first.month, 1, self.zone)

    def day(self, day: date) -> Period:
        return local_day(day, self.zone)

    def was_watched(self, period: Period) -> bool:
        return self.since is not None and self.since < period.end and period.start < self.now


def unseen_reports(history: ShopHistory, period: Period) -> list[Incident]:
    """P1 and P2 that people reported in the period and no monitor saw, the newest first; what was withdrawn is none."""
    reported = Incident.objects.filter(shop=history.shop, severity__in=FAILING, failure="")
    reported = reported.filter(received_at__gte=moment(period.start), received_at__lt=moment(period.end))
    measured = Q(outages__isnull=False) | Q(reopenings__isnull=False)
    reported = reported.exclude(status__in=[Status.CANCELLED, Status.MERGED]).exclude(measured)
    return list(reported.order_by("-received_at")[:REPORTS_SHOWN])


def vouched_at(history: ShopHistory) -> datetime | None:
    """When what was seen before was put on record as it stood; None where every change has its own line."""
    monitors = [monitor.pk for monitor in history.monitors if monitor.means_down]
    newest = Act.objects.filter(monitor__in=monitors, kind=ActKind.VOUCHED).aggregate(at=Max("at"))
    at: datetime | None = newest["at"]
    return at


def state_of(monitors: Iterable[Monitor], now: datetime, incidents: Iterable[Incident] = ()) -> ShopState:
    """What a shop with these monitors and these incidents is said to be; asks nothing of the database."""
    parts = (monitor.part for monitor in monitors if monitor.is_active and monitor.means_down)
    return shop_state(parts, now, filter(None, map(trouble_of, incidents)))


def worst_of(incidents: IncidentQuerySet) -> IncidentQuerySet:
    """Of what keeps customers from buying, each shop's oldest of a severity and status: all that its state needs."""
    kinds = ("shop_id", "severity", "status")
    failing = incidents.active().filter(severity__in=FAILING, ask_at=None).exclude(status=Status.RESOLVED)
    return failing.order_by(*kinds, "received_at").distinct(*kinds)


def trouble_of(incident: Incident) -> Trouble | None:
    """What an incident says of its shop; None where it is repaired, or keeps nobody from buying."""
    is_repaired = incident.is_ended or incident.status == Status.RESOLVED or incident.is_seen_working
    if is_repaired or incident.severity not in FAILING:
        return None
    eased = incident.status == Status.WORKAROUND
    state = State.DOWN if incident.severity == Severity.P1 and not eased else State.DEGRADED
    return Trouble(incident.nr, incident.get_what_display(), state, incident.failing_since, eased)


def _blind_from(monitor: Monitor) -> datetime:
    assert monitor.checked_at is not None
    return monitor.checked_at + timedelta(seconds=monitor.interval)


def histories(shops: Sequence[Shop], *, since: datetime, now: datetime) -> dict[int, ShopHistory]:
    """Shop id → what was seen of it from `since` on; the same number of queries for any number of shops."""
    monitors = _by_shop(Monitor.objects.filter(shop__in=shops), lambda row: row.shop_id)
    counting = {row.pk: row for of_shop in monitors.values() for row in of_shop if row.means_down}
    outages = Outage.objects.filter(monitor__in=counting).overlapping(since, now).select_related("incident")
    outages = outages.prefetch_related("reopenings__incident")
    by_shop = _by_shop(outages.order_by("started_at", "pk"), lambda row: counting[row.monitor_id].shop_id)
    windows = MaintenanceWindow.objects.standing().filter(shop__in=shops, ends_at__gt=since, starts_at__lt=now)
    windows_of = _by_shop(windows, lambda row: row.shop_id)
    spans = _spans(counting, since, now)
    first = _first_checks(counting)
    versions = _versions(shops)
    incidents = _by_shop(worst_of(Incident.objects.filter(shop__in=shops)), lambda row: row.shop_id)
    return {
        shop.pk: ShopHistory(
            shop=shop,
            monitors=tuple(monitors[shop.pk]),
            outages=tuple(by_shop[shop.pk]),
            windows=tuple(windows_of[shop.pk]),
            blind=tuple(_blind([spans[row.pk] for row in monitors[shop.pk] if row.means_down])),
            versions=tuple(versions[shop.pk]),
            incidents=tuple(incidents[shop.pk]),
            since=first.get(shop.pk),
            now=seconds(now),
        )
        for shop in shops
    }


def _by_shop(rows: Iterable[Any], shop_of: Callable[[Any], int]) -> defaultdict[int, list[Any]]:
    grouped: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[shop_of(row)].append(row)
    return grouped


def _first_checks(monitors: Mapping[int, Monitor]) -> dict[int, int]:
    rows = Interval.objects.filter(monitor__in=monitors).values("monitor__shop").annotate(first=Min("started_at"))
    return {row["monitor__shop"]: seconds(row["first"]) for row in rows.order_by()}


def _versions(shops: Sequence[Shop]) -> defaultdict[int, list[ContractVersion]]:
    """Shop id → every version of its contracts; a version of a contract for two shops comes once for each."""
    rows = ContractVersion.objects.filter(contract__shops__in=shops).annotate(covers=F("contract__shops"))
    return _by_shop(rows.select_related("contract"), lambda version: version.covers)


Spans = dict[str, list[Span]]


def _spans(monitors: Mapping[int, Monitor], since: datetime, now: datetime) -> defaultdict[int, Spans]:
    """Monitor id → state → when; what is stale by now is unknown since its first missing check."""
    spans: defaultdict[int, Spans] = defaultdict(lambda: {state: [] for state in SEEN})
    rows = Interval.objects.filter(monitor__in=monitors, state__in=SEEN).overlapping(since, now)
    for row in rows.order_by("started_at"):
        end = row.ended_at or _known_until(monitors[row.monitor_id], row, now)
        spans[row.monitor_id][row.state].append((seconds(row.started_at), seconds(end)))
    for monitor in monitors.values():
        if monitor.is_stale(now):
            spans[monitor.pk][State.UNKNOWN].append((seconds(_blind_from(monitor)), seconds(now)))
    return spans


def _known_until(monitor: Monitor, row: Interval, now: datetime) -> datetime:
    if row.state == State.DOWN and monitor.is_stale(now):
        return max(row.started_at, _blind_from(monitor))
    return now


def _blind(monitors: Sequence[Spans]) -> list[Span]:
    """When nobody knows whether the shop sells: one is blind, or none is watched, and none is known to be down."""
    unknown = [span for spans in monitors for span in spans[State.UNKNOWN]]
    down = union(span for spans in monitors for span in spans[State.DOWN])
    return subtract(union([*unknown, *_common([spans[State.PAUSED] for spans in monitors])]), down)


def _common(rows: Sequence[list[Span]]) -> list[Span]:
    """The time that lies in every row of spans."""
    if not rows:
        return []
    common = union(rows[0])
    for row in rows[1:]:
        common = intersect(common, union(row))
    return common
