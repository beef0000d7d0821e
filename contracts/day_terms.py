"""Terms in days: where one ends, and the working seconds that it is from its start to there. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from contracts.vocabulary import DayReading
from contracts.worktime import CalendarTerms, NoWorkingTimeError, WorkCalendar, work_calendar

# Days to look ahead for the working days of a term.
LONGEST_WAIT = 10_000
ALL_DAY = ((0, 1440),)


@dataclass(frozen=True, slots=True)
class DayTerm:
    """A term in days: its last day, and the last instant that is still in time."""

    last_day: date
    deadline: int


def day_term(
    calendar: WorkCalendar, at: int, days: int, mode: str, statutory: frozenset[date] = frozenset()
) -> DayTerm:
    """The end of a term of `days` from `at`, whose own day is not counted (Kodeks cywilny art. 111 § 2).

    `mode` is a DayReading; an end of calendar days on a Saturday, a Sunday or a day of `statutory` moves on (art. 115).
    ValueError: another mode, or fewer than 0 days.
    """
    if days < 0:
        raise ValueError(f"a term of {days} days")
    day = calendar.local_date(at)
    if mode == DayReading.CALENDAR_DAYS:
        last = _next_ordinary(day + timedelta(days=days), statutory)
        return DayTerm(last, calendar.edge(last, 1440, closing=False))
    if mode not in (DayReading.CLOSE, DayReading.END_OF_DAY):
        raise ValueError(f"unknown mode of a day term: {mode}")
    last = _business_day(calendar, day, days)
    if mode == DayReading.END_OF_DAY:
        return DayTerm(last, calendar.edge(last, 1440, closing=False))
    return DayTerm(last, max(calendar.edge(last, closed, closing=True) for _, closed in calendar.day_windows(last)))


def _next_ordinary(day: date, statutory: frozenset[date]) -> date:
    while day.weekday() >= 5 or day in statutory:
        day += timedelta(days=1)
    return day


def _business_day(calendar: WorkCalendar, day: date, days: int) -> date:
    """The `days`-th day after `day` on which the calendar opens (for 0: `day`, or the next such day)."""
    if not days:
        return day if calendar.day_windows(day) else _business_day(calendar, day, 1)
    for _ in range(LONGEST_WAIT):
        day += timedelta(days=1)
        days -= bool(calendar.day_windows(day))
        if not days:
            return day
    raise NoWorkingTimeError("the calendar has too few working days for this term")


def day_seconds(
    terms: CalendarTerms, start: int, days: int, mode: str, statutory: frozenset[date]
) -> tuple[int, CalendarTerms]:
    """A term in days from `start` as working seconds, and the hours that count for it: pauses give those back."""
    counted = counted_hours(terms, mode)
    end = day_term(work_calendar(terms), start, days, mode, statutory).deadline
    return work_calendar(counted).between(start, end), counted


@lru_cache(maxsize=512)
def counted_hours(terms: CalendarTerms, mode: str) -> CalendarTerms:
    """The hours that count in a term: the calendar's own (no mode, or to its close), its whole days, or all hours."""
    if mode == DayReading.CALENDAR_DAYS:
        return CalendarTerms(terms.zone, (ALL_DAY,) * 7)
    if mode == DayReading.END_OF_DAY:
        special = tuple((day, ALL_DAY if windows else ()) for day, windows in terms.special_days)
        weekly = tuple(ALL_DAY if windows else () for windows in terms.weekly)
        return replace(terms, weekly=weekly, special_days=special)
    return terms
