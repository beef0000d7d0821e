"""From rows to the dataclasses of the pure arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.models import Calendar, CalendarDay, Contract, ContractVersion
from contracts.notice import months_after
from contracts.penalty.rules import Cap, Caps, Grace, Scheme, Tier, Unit
from contracts.target_times import DayCount, Hours, TargetTerms
from contracts.vocabulary import GraceMode as PenaltyGrace
from contracts.vocabulary import RateType
from contracts.worktime import CalendarTerms, parse_calendar

SECOND = timedelta(seconds=1)
History = tuple[tuple[int, CalendarTerms], ...]


def seconds(moment: datetime) -> int:
    """The instant as whole UTC epoch seconds; every stored time is cut to them already."""
    return int(moment.timestamp())


def moment(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def moment_or_none(instant: int | None) -> datetime | None:
    return None if instant is None else moment(instant)


def to_second(at: datetime) -> datetime:
    """Cut to whole seconds, as every received time is before any comparison."""
    return at.replace(microsecond=0)


def calendar_terms(calendar: Calendar, *, as_of: datetime | None = None) -> CalendarTerms:
    """The calendar as it stands, or as it stood at an instant; equal calendars are one object."""
    if as_of is None:
        return _with_days(calendar, [day for day in calendar.days.all() if day.removed_at is None])
    return _with_days(calendar, [day for day in calendar.days.all() if _stood(day, as_of)])


def calendar_week(calendar: Calendar) -> CalendarTerms:
    """The calendar's week and holidays alone; no day is asked for."""
    return _with_days(calendar, [])


def calendar_history(calendar: Calendar) -> tuple[CalendarTerms, History]:
    """The calendar before its first entry, and what it was after each entry and removal of a day, in order."""
    days = list(calendar.days.all())
    instants = sorted({at for day in days for at in (day.entered_at, day.removed_at) if at is not None})
    after = ((seconds(at), calendar_terms(calendar, as_of=at + SECOND)) for at in instants)
    return _with_days(calendar, []), tuple(after)


def _stood(day: CalendarDay, at: datetime) -> bool:
    """An entry or a removal counts from the second after it: what was counted within its second stays."""
    return day.entered_at < at and (day.removed_at is None or at <= day.removed_at)


def _with_days(calendar: Calendar, days: Iterable[CalendarDay]) -> CalendarTerms:
    entries = sorted((day.date.isoformat(), tuple(map(tuple, day.windows))) for day in days)
    weekly = tuple((key, tuple(map(tuple, windows))) for key, windows in calendar.weekly.items())
    return _parsed(calendar.zone, calendar.statutory_holidays, weekly, tuple(entries))


@lru_cache(maxsize=16)
def working_days(zone: str) -> CalendarTerms:
    """Working days in the law's sense, whatever hours a target is counted in: Monday to Friday, no public holiday."""
    days = {"weekly": {"mon-fri": [["00:00", "24:00"]]}, "statutory_holidays_closed": True}
    return parse_calendar(days, zone=zone, holidays=POLISH_HOLIDAYS)


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


class Penalty(Protocol):
    """What a missed target costs, stored or only typed so far."""

    @property
    def rate_type(self) -> str: ...
    @property
    def rate(self) -> Decimal: ...
    @property
    def unit(self) -> str: ...
    @property
    def grace_minutes(self) -> int: ...
    @property
    def grace_mode(self) -> str: ...
    @property
    def tiers(self) -> Iterable[Iterable[str]]: ...


class Time(Protocol):
    """A time, stored or only typed so far: minutes of the calendar's hours or, with a reading, days."""

    @property
    def minutes(self) -> int: ...
    @property
    def days(self) -> int: ...
    @property
    def reading(self) -> str: ...
    @property
    def calendar(self) -> Calendar: ...


class OtherTime(Time, Protocol):
    """The time of what begins outside the hours of `outside`."""

    @property
    def outside(self) -> Calendar: ...


def target_terms(first: Time, otherwise: Sequence[OtherTime], hours: Callable[[Calendar], Hours]) -> TargetTerms:
    """A target as the arithmetic reads it; `hours` says what a calendar was and is."""
    times = [_time_terms(time, hours) for time in (first, *otherwise)]
    terms = times[-1]
    for time, other in zip(times[-2::-1], otherwise[::-1], strict=True):
        terms = replace(time, reported_in=hours(other.outside), otherwise=terms)
    return terms


def _time_terms(time: Time, hours: Callable[[Calendar], Hours]) -> TargetTerms:
    days = DayCount(time.days, time.reading, POLISH_HOLIDAYS) if time.reading else None
    return TargetTerms(time.minutes * 60, hours(time.calendar), days)


def hours_now(calendar: Calendar) -> Hours:
    """As the calendar stands, for what is asked of it now."""
    return Hours(calendar_terms(calendar))


def hours_ever(calendar: Calendar) -> Hours:
    """With all its changes, for what is counted in a journal."""
    return Hours(*calendar_history(calendar))


def scheme_of(rule: Penalty) -> Scheme:
    """The pure rule of one target. PenaltyError for an unknown unit, or tiers that don't rise."""
    grace = Grace(rule.grace_minutes * 60, PenaltyGrace(rule.grace_mode)) if rule.grace_minutes else None
    kind, unit = RateType(rule.rate_type), Unit.named(rule.unit)
    tiers = tuple(Tier(Decimal(up_to), Decimal(rate)) for up_to, rate in rule.tiers)
    if tiers:
        return Scheme(kind, unit, tiers=(*tiers, Tier(None, rule.rate)), grace=grace)
    return Scheme(kind, unit, rule.rate, grace=grace)


def tier_columns(tiers: Iterable[Tier]) -> tuple[tuple[str, str], ...]:
    """Tiers as the column holds them: equal ones are equal texts, `2.5` and not `2.50`."""
    return tuple((_digits(tier.up_to), _digits(tier.rate)) for tier in tiers if tier.up_to is not None)


def _digits(value: Decimal) -> str:
    return f"{value.normalize():f}"


def shop_share(version: ContractVersion, shop: int) -> Fraction:
    """The shop's part of the version's fee; 1 where the fee isn't split, or is 0."""
    part = version.fee_parts.get(str(shop))
    return Fraction(1) if part is None or not version.monthly_fee else Fraction(part) / Fraction(version.monthly_fee)


def covered_days(contract: Contract, month: date) -> tuple[int, int] | None:
    """How many of a month's days the contract covers, of how many; None where it covers all of them."""
    first, last = month.replace(day=1), months_after(month.replace(day=1), 1) - timedelta(days=1)
    begins, ends = max(first, contract.starts_on), min(last, contract.ends_on or last)
    days, of_days = (ends - begins).days + 1, last.day
    return None if days >= of_days else (max(0, days), of_days)


KINDS = ("reaction", "restore", "final_fix")
"""Kinds of penalty that may have a limit of their own in a month."""


def caps_of(version: ContractVersion) -> Caps:
    """The limits of a version; an absent one is legal between companies."""
    kinds = ((kind, _limit(version, f"{kind}_cap")) for kind in KINDS)
    return Caps(
        incident=_limit(version, "incident_cap"),
        month=_limit(version, "month_cap"),
        quarter=_limit(version, "quarter_cap"),
        contract=_limit(version, "contract_cap") or _share_of_value(version),
        kinds=tuple((kind, cap) for kind, cap in kinds if cap),
    )


def _limit(version: ContractVersion, name: str) -> Cap | None:
    """In per cent of the monthly fee, or an amount."""
    for kind in RateType:
        value = getattr(version, f"{name}_{kind}")
        if value is not None:
            return Cap(kind, value)
    return None


def _share_of_value(version: ContractVersion) -> Cap | None:
    value = None if version.contract_cap_share is None else value_of(version)
    if version.contract_cap_share is None or value is None:
        return None
    return Cap(RateType.AMOUNT, Cap(RateType.PERCENT, version.contract_cap_share).limit(value))


def value_of(version: ContractVersion) -> Decimal | None:
    """What the whole contract is worth: as agreed, else the fee of its months; None without an end and a sum."""
    if version.contract_value is not None:
        return version.contract_value
    months = contract_months(version.contract.starts_on, version.contract.ends_on)
    return None if months is None else version.monthly_fee * months


def contract_months(starts_on: date, ends_on: date | None) -> int | None:
    """The months that a contract lasts, a started one whole; None where it has no end."""
    if ends_on is None:
        return None
    after = ends_on + timedelta(days=1)
    whole = (after.year - starts_on.year) * 12 + after.month - starts_on.month
    return max(1, whole + (after.day > starts_on.day))
