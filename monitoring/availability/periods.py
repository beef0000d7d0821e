"""Local months, quarters and years, their sums by time, and the pace of a period in progress. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from monitoring.availability.measure import (
    NOTHING,
    AvailabilityError,
    Measured,
    Period,
    Settled,
    Terms,
    TimeLine,
    budget,
    result,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def local_midnight(day: date, zone: str) -> int:
    """The instant at which a local day begins (where midnight is skipped: the jump)."""
    return (datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) - EPOCH) // SECOND


def local_day(day: date, zone: str) -> Period:
    return Period(local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone))


def local_months(year: int, first: int, count: int, zone: str) -> Period:
    """`count` calendar months from the `first` of the year: 1 a month, 3 a quarter, 12 a year."""
    last = year * 12 + first - 1 + count
    return Period(local_midnight(date(year, first, 1), zone), local_midnight(date(last // 12, last % 12 + 1, 1), zone))


@dataclass(frozen=True, slots=True)
class PartLine(TimeLine):
    """A month of a quarter or a year, with the weight of its time."""

    start: int
    end: int
    known_time: int
    downtime: Fraction

    @property
    def seconds(self) -> int:
        return self.known_time

    @property
    def down(self) -> Fraction:
        return self.downtime


def together(parts: Sequence[Measured], terms: Terms, settled: Settled | None = None) -> Measured:
    """A quarter or a year: its time added up, never a mean of months. AvailabilityError where there are no parts."""
    if not parts:
        raise AvailabilityError("no months to add up")
    period = Period(min(part.period.start for part in parts), max(part.period.end for part in parts))
    lines: list[TimeLine] = [PartLine(*part.period, part.known_time, part.down) for part in parts]
    unknown = sum(part.unknown for part in parts)
    return result(period, lines, unknown, terms, settled)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the budget goes: `burn_rate` 1 would use it exactly by the end; `lasts` is in measured seconds."""

    budget: Fraction
    used: Fraction | None
    burn_rate: Fraction | None
    projected: Fraction | None
    lasts: Fraction | None


def pace(so_far: Measured, whole: int) -> Pace:
    """Project a period in progress onto its `whole` measured seconds, if it goes on as it did.

    AvailabilityError without a target.
    """
    allowed = budget(whole, so_far.target)
    used = so_far.down / allowed if allowed else None
    rate = None if used is None or not so_far.known_time else used * whole / so_far.known_time
    left = allowed - so_far.down
    lasts = max(NOTHING, left) * so_far.known_time / so_far.down if so_far.down else None
    return Pace(allowed, used, rate, so_far.availability, lasts)
