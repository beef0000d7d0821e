"""The times of a target: hours or days, and perhaps another time for what starts outside some hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from contracts.day_terms import day_seconds
from contracts.worktime import CalendarTerms, work_calendar


@dataclass(frozen=True, slots=True)
class Hours:
    """`calendar` before its first change, `history` the instants at which it changed with what it was after each."""

    calendar: CalendarTerms
    history: tuple[tuple[int, CalendarTerms], ...] = ()

    def at(self, instant: int) -> CalendarTerms:
        """The calendar as it stood at `instant`; a change counts from the second after it."""
        stood = self.calendar
        for changed_at, after in self.history:
            if changed_at >= instant:
                break
            stood = after
        return stood


@dataclass(frozen=True, slots=True)
class DayCount:
    """A time in days: how many, how they end (DayReading), and the holidays by which the Civil Code moves an end."""

    days: int
    reading: str
    statutory: frozenset[date] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """Which of a target's times a base has, the first is 0, and the hours that decided it: the last ones looked at.

    The last time of a list stands outside those, every other one within them; no hours: the target has one time.
    """

    place: int = 0
    days: DayCount | None = None
    decided_by: CalendarTerms | None = None
    within: bool = True


ONLY_TIME = TimeChoice()


@dataclass(frozen=True, slots=True)
class TargetTerms:
    """So many `seconds`, or `days` in their place, counted in `hours`.

    `reported_in`: the hours in which a base starts that has this time; a base that starts outside them has the time
    of `otherwise`.
    """

    seconds: int
    hours: Hours
    days: DayCount | None = None
    reported_in: Hours | None = None
    otherwise: TargetTerms | None = None

    def of(self, start: int, read_at: int) -> tuple[TargetTerms, TimeChoice]:
        """The time of a base that starts at `start`, calendars as they stood at `read_at`.

        ValueError: the list ends with a condition.
        """
        time, place, decided_by, within = self, 0, None, True
        while time.reported_in is not None:
            decided_by = time.reported_in.at(read_at)
            within = work_calendar(decided_by).is_open(start)
            if within:
                break
            if time.otherwise is None:
                raise ValueError("the last of several times has no condition")
            time, place = time.otherwise, place + 1
        return time, TimeChoice(place, time.days, decided_by, within)

    def counted(self, start: int, read_at: int) -> tuple[int, CalendarTerms]:
        """Its working seconds from `start`, and the hours that count."""
        calendar = self.hours.at(read_at)
        if self.days is None:
            return self.seconds, calendar
        return day_seconds(calendar, start, self.days.days, self.days.reading, self.days.statutory)
