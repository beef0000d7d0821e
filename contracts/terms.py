"""From rows to the dataclasses of the pure arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.models import Calendar, ContractVersion, PenaltyRule
from contracts.penalties import Cap, Caps, Grace, Kind, Scheme, Unit
from contracts.penalties import GraceMode as PenaltyGrace
from contracts.worktime import CalendarTerms, parse_calendar


def seconds(moment: datetime) -> int:
    """The instant as whole UTC epoch seconds; every stored time is cut to them already."""
    return int(moment.timestamp())


def moment(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def whole(at: datetime) -> datetime:
    """Cut to whole seconds, as every received time is before any comparison."""
    return at.replace(microsecond=0)


def calendar_terms(calendar: Calendar) -> CalendarTerms:
    days = [(day.date.isoformat(), tuple(map(tuple, day.windows))) for day in calendar.days.all()]
    weekly = tuple((key, tuple(map(tuple, windows))) for key, windows in calendar.weekly.items())
    return _parsed(calendar.zone, calendar.statutory_holidays, weekly, tuple(days))


@lru_cache(maxsize=1024)
def _parsed(
    zone: str,
    holidays: bool,
    weekly: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...],
    days: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...],
) -> CalendarTerms:
    data = {
        "weekly": {key: [list(window) for window in windows] for key, windows in weekly},
        "statutory_holidays_closed": holidays,
        "days_off": [day for day, windows in days if not windows],
        "special_days": {day: [list(window) for window in windows] for day, windows in days if windows},
    }
    return parse_calendar(data, zone=zone, holidays=POLISH_HOLIDAYS)


def scheme_of(rule: PenaltyRule) -> Scheme:
    """The pure rule of one target. PenaltyError where the stored unit is unknown."""
    grace = Grace(rule.grace_minutes * 60, PenaltyGrace(rule.grace_mode)) if rule.grace_minutes else None
    return Scheme(kind=Kind(rule.rate_type), unit=Unit.named(rule.unit), rate=rule.rate, grace=grace)


def caps_of(version: ContractVersion) -> Caps:
    """The limits of a version; an absent one is legal between companies."""
    return Caps(
        incident=_percent(version.incident_cap_percent) or _amount(version.incident_cap_amount),
        month=_percent(version.month_cap_percent),
        contract=_amount(version.contract_cap_amount),
    )


def _percent(value: Decimal | None) -> Cap | None:
    return None if value is None else Cap(Kind.PERCENT, value)


def _amount(value: Decimal | None) -> Cap | None:
    return None if value is None else Cap(Kind.AMOUNT, value)
