"""A calendar in words: its week, its public holidays, and the days ahead that have other hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.utils.translation import gettext as _

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.models import Calendar, CalendarDay
from contracts.terms import calendar_terms, seconds
from contracts.worktime import CalendarTerms, Window, parse_calendar, work_calendar
from wording import words

ALL_DAY: tuple[Window, ...] = ((0, 1440),)
SHOWN = 4  # of the days off to come: the page of a promise has one line for them


def hour(minutes: int) -> str:
    """`8`, `8:30`; what lies over midnight by the hour of the next day, the end of a day as 24."""
    hours, rest = divmod(minutes if minutes <= 1440 else minutes - 1440, 60)
    return f"{hours}:{rest:02d}" if rest else str(hours)


def windows_words(windows: Iterable[Window]) -> str:
    """`8–16, 17–20`; "all day", "closed"."""
    hours = tuple(windows)
    if hours == ALL_DAY:
        return _("all day")
    return ", ".join(f"{hour(opened)}–{hour(closed)}" for opened, closed in hours) or _("closed")


def never_closes(terms: CalendarTerms) -> bool:
    """Every hour of every week, and no public holiday closes it."""
    return all(windows == ALL_DAY for windows in terms.weekly) and not terms.holidays


def week_words(terms: CalendarTerms) -> str:
    """`pon.–pt. 8–16, sob. 9–14`; "round the clock" where the week never closes."""
    if all(windows == ALL_DAY for windows in terms.weekly):
        return _("round the clock")
    runs = [(windows, [day for day, _same in group]) for windows, group in groupby(enumerate(terms.weekly), _hours)]
    parts = [f"{_days(days)} {windows_words(windows)}" for windows, days in runs if windows]
    return "; ".join(parts).replace(" ", words.NBSP).replace(f";{words.NBSP}", "; ") or _("closed")


def _hours(entry: tuple[int, tuple[Window, ...]]) -> tuple[Window, ...]:
    return entry[1]


def _days(days: Sequence[int]) -> str:
    names = words.language_forms().weekdays["nominative"]
    return names[days[0]] if len(days) == 1 else f"{names[days[0]]}–{names[days[-1]]}"


def week_rows(terms: CalendarTerms) -> list[tuple[str, str]]:
    """Monday to Sunday, each with its hours."""
    names = words.language_forms().weekdays["long"]
    return [(names[day], windows_words(windows)) for day, windows in enumerate(terms.weekly)]


def holidays_of(year: int) -> list[str]:
    """`pt. 1 sty` and so on: the days of that year, as its law has them."""
    return [words.day(day, day) for day in sorted(POLISH_HOLIDAYS) if day.year == year]


def holidays_around(now: datetime) -> list[tuple[int, list[str]]]:
    """This year's and the next year's, as the law of each has them."""
    return [(year, holidays_of(year)) for year in (now.year, now.year + 1)]


@dataclass(frozen=True, slots=True)
class Hours:
    """What a page shows of a calendar: its week, the closed holidays and the entered days that lie ahead."""

    calendar: Calendar
    week: str
    holidays: tuple[date, ...]
    days: tuple[tuple[CalendarDay, str], ...]

    @property
    def next_holiday(self) -> date | None:
        return next(iter(self.holidays), None)


def entry_words(day: CalendarDay) -> str:
    """The hours of an entered day: `8–12`, "closed"."""
    week = parse_calendar({"weekly": {"mon": day.windows}}, zone=day.calendar.zone, holidays=frozenset()).weekly
    return windows_words(week[0])


def history(calendar: Calendar) -> list[tuple[CalendarDay, str]]:
    """Every entry with its hours, what was entered or removed last first (prefetch `days`)."""
    days = sorted(calendar.days.all(), key=lambda day: (day.removed_at or day.entered_at, day.pk), reverse=True)
    return [(day, entry_words(day)) for day in days]


def ahead(calendar: Calendar, now: datetime) -> Hours:
    """The calendar from today on; its days are read with it (prefetch `days`)."""
    terms = calendar_terms(calendar)
    hours = work_calendar(terms)
    today = hours.local_date(seconds(now))
    closed = sorted(day for day in terms.holidays if day >= today and terms.weekly[day.weekday()])
    entered = [day for day in calendar.days.all() if day.date >= today and day.removed_at is None]
    return Hours(
        calendar,
        week_words(terms),
        tuple(closed[:SHOWN]),
        tuple((day, windows_words(hours.day_windows(day.date))) for day in entered),
    )
