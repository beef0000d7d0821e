"""Working time of a calendar, in whole seconds.

Instants are int seconds since the epoch (UTC), spans int seconds. Windows are local wall time and half-open;
what counts is the real time that passes inside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

Window = tuple[int, int]
"""Opening and closing in local minutes from the midnight of the day it belongs to; the closing may exceed 1440."""
Span = tuple[int, int]
Pause = tuple[int, int | None]
"""From and to (None = still open)."""


@dataclass(frozen=True, slots=True)
class CalendarTerms:
    """What a contract says about working time. `weekly` has seven entries, Monday first."""

    zone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()
    days_off: frozenset[date] = frozenset()
    special_days: tuple[tuple[date, tuple[Window, ...]], ...] = ()


def parse_calendar(data: Mapping[str, object], *, zone: str, holidays: frozenset[date]) -> CalendarTerms:
    """Read the JSON form (`weekly`, `days_off`, `special_days`…). ValueError says what is wrong."""
    raise NotImplementedError


class WorkCalendar:
    """Working time by one calendar; get it from `work_calendar`, which keeps it warm."""

    def __init__(self, terms: CalendarTerms) -> None:
        self.terms = terms

    def add(self, start: int, seconds: int) -> int:
        """The earliest instant at which `seconds` of working time have passed since `start`."""
        raise NotImplementedError

    def between(self, start: int, end: int) -> int:
        """Working seconds in [start, end); 0 when end is not after start."""
        raise NotImplementedError

    def opening(self, at: int) -> int:
        """`at` when open then, else the next opening."""
        raise NotImplementedError

    def is_open(self, at: int) -> bool:
        raise NotImplementedError

    def next_change(self, at: int) -> int | None:
        """The next opening or closing after `at`; None when nothing ever changes."""
        raise NotImplementedError

    def windows(self, start: int, end: int) -> list[Span]:
        """Open spans inside [start, end), clipped to it."""
        raise NotImplementedError


@lru_cache(maxsize=512)
def work_calendar(terms: CalendarTerms) -> WorkCalendar:
    return WorkCalendar(terms)


def deadline(calendar: WorkCalendar, start: int, seconds: int, pauses: Iterable[Pause] = ()) -> int | None:
    """When `seconds` of working time outside the union of pauses have passed; None while an open pause holds it."""
    raise NotImplementedError


def elapsed(calendar: WorkCalendar, start: int, end: int, pauses: Iterable[Pause] = ()) -> int:
    """Working seconds in [start, end) outside the union of pauses."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class DayTerm:
    """A term in days: its last day and the instant after which it is missed."""

    last_day: date
    deadline: int


def day_term(calendar: WorkCalendar, at: int, days: int, mode: str, statutory: frozenset[date] = frozenset()) -> DayTerm:
    """`mode`: business_days_close, business_days_end_of_day or calendar_days_kc (`statutory` moves its end)."""
    raise NotImplementedError
