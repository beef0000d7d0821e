"""Working time of a calendar, in whole seconds.

Instants are int seconds since the epoch (UTC), spans int seconds. Windows are local wall time and half-open;
what counts is the real time that passes inside them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.spans import OpenSpan, Span, clip, total, union, union_open

Window = tuple[int, int]
"""Opening and closing in local minutes from the midnight of the day it belongs to; the closing may exceed 1440."""
Pause = OpenSpan

DAY = 86400
SECOND = timedelta(seconds=1)
EPOCH = date(1970, 1, 1).toordinal()
FIRST_YEAR, LAST_YEAR = 1900, 2300
# A window may run into the next day, so the first two days of a table may lack a tail from before it.
TAIL = 2 * DAY + 3 * 3600
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class NoWorkingTimeError(ValueError):
    """The calendar never opens again, so nothing can fall due by it."""


@dataclass(frozen=True, slots=True)
class CalendarTerms:
    """What a contract says about working time. `weekly` has seven entries, Monday first."""

    zone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()
    days_off: frozenset[date] = frozenset()
    special_days: tuple[tuple[date, tuple[Window, ...]], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        key = (self.zone, self.weekly, self.holidays, self.days_off, self.special_days)
        object.__setattr__(self, "_hash", hash(key))

    def __hash__(self) -> int:
        return self._hash


def parse_calendar(data: Mapping[str, object], *, zone: str, holidays: frozenset[date]) -> CalendarTerms:
    """Read the JSON form; `timezone` in it goes before `zone`, `holidays` count where it says so.

    ValueError says in a sentence what is wrong.
    """
    named = str(data.get("timezone") or zone)
    try:
        ZoneInfo(named)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(f"unknown time zone: {named}") from unknown
    special = [(_date(day), _windows(day, value)) for day, value in _mapping(data, "special_days").items()]
    return CalendarTerms(
        zone=named,
        weekly=_weekly(_mapping(data, "weekly")),
        holidays=holidays if data.get("statutory_holidays_closed") else frozenset(),
        days_off=frozenset(_date(day) for day in _list("days_off", data.get("days_off") or [])),
        special_days=tuple(sorted(special)),
    )


def _weekly(data: Mapping[str, object]) -> tuple[tuple[Window, ...], ...]:
    days: list[list[Window]] = [[] for _ in WEEK]
    for key, value in data.items():
        for day in _days(key):
            days[day].extend(_windows(key, value))
    return tuple(tuple(sorted(windows)) for windows in days)


def _days(key: str) -> list[int]:
    """`mon`, or `mon-fri` (which may go over Sunday)."""
    first, _, last = key.partition("-")
    if first not in WEEK or (last or first) not in WEEK:
        raise ValueError(f"unknown day of the week: {key}")
    start, end = WEEK.index(first), WEEK.index(last or first)
    return [day % 7 for day in range(start, (end if end >= start else end + 7) + 1)]


def _windows(day: str, value: object) -> tuple[Window, ...]:
    return tuple(sorted(_window(day, _list(day, pair)) for pair in _list(day, value)))


def _window(day: str, pair: list[object]) -> Window:
    if len(pair) != 2:
        raise ValueError(f"{day}: a window has an opening and a closing, not {pair}")
    opened, closed = (_minutes(day, text) for text in pair)
    if not 0 <= opened < closed <= 2 * 1440 or opened >= 1440:
        raise ValueError(f"{day}: {pair[0]}–{pair[1]} is no window; one over midnight closes after 24:00, e.g. 30:00")
    return opened, closed


def _minutes(day: str, text: object) -> int:
    match = re.fullmatch(r"(\d{1,2}):([0-5]\d)", str(text))
    if not match:
        raise ValueError(f"{day}: not a time of day: {text}")
    return int(match[1]) * 60 + int(match[2])


def _date(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as wrong:
        raise ValueError(f"not a date: {text}") from wrong


def _mapping(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = data.get(key) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{key}: expected names and values, found {value!r}")
    return value


def _list(name: str, value: object) -> list[object]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name}: expected a list, found {value!r}")
    return list(value)


class _Table(NamedTuple):
    """Windows of whole years; exact for instants in [first, last]. sums[i] = seconds open before window i."""

    first: int
    last: int
    opens: list[int]
    closes: list[int]
    sums: list[int]

    def worked(self, at: int) -> int:
        i = bisect_right(self.closes, at)
        if i == len(self.opens) or at <= self.opens[i]:
            return self.sums[i]
        return self.sums[i] + at - self.opens[i]


_NOTHING = _Table(0, -1, [], [], [0])


class WorkCalendar:
    """Working time by one calendar; get it from `work_calendar`, which keeps it warm."""

    def __init__(self, terms: CalendarTerms) -> None:
        self.terms = terms
        self.zone = ZoneInfo(terms.zone)
        self._special = dict(terms.special_days)
        self._years: dict[int, list[Span]] = {}
        # Read once into a local and replaced as a whole: two threads may extend it at once.
        self._table = _NOTHING

    def add(self, start: int, seconds: int) -> int:
        """The earliest instant at which `seconds` of working time have passed since `start` (0: the opening).

        Raises NoWorkingTimeError when the calendar never opens for so long.
        """
        table = self._table
        if not table.first <= start <= table.last:
            table = self._cover(start, start)
        while True:
            _, last, opens, closes, sums = table
            i = bisect_right(closes, start)
            if i < len(opens):
                begin = max(start, opens[i])
                goal = sums[i] + begin - opens[i] + seconds
                j = bisect_left(sums, goal, i + 1) - 1 if seconds else i
                if j < len(opens):
                    due = opens[j] + goal - sums[j]
                    if due <= last:
                        return due
            table = self._extend(table)

    def between(self, start: int, end: int) -> int:
        """Working seconds in [start, end); 0 when end is not after start."""
        if end <= start:
            return 0
        table = self._table
        if not (table.first <= start and end <= table.last):
            table = self._cover(start, end)
        return table.worked(end) - table.worked(start)

    def opening(self, at: int) -> int:
        """`at` when open then, else the next opening. Raises NoWorkingTimeError when there is none."""
        return self.add(at, 0)

    def is_open(self, at: int) -> bool:
        table = self._cover(at, at)
        i = bisect_right(table.closes, at)
        return i < len(table.opens) and table.opens[i] <= at

    def next_change(self, at: int) -> int | None:
        """The next opening or closing after `at`; None when nothing changes for two years."""
        table = self._cover(at, max(at + 2 * 366 * DAY, self._last_special()))
        i = bisect_right(table.closes, at)
        if i == len(table.opens):
            return None
        change = table.opens[i] if table.opens[i] > at else table.closes[i]
        return change if change < table.last else None

    def windows(self, start: int, end: int) -> list[Span]:
        """Open spans inside [start, end), clipped to it."""
        table = self._cover(start, max(start, end))
        places = range(bisect_right(table.closes, start), bisect_left(table.opens, end))
        return [(max(start, table.opens[i]), min(end, table.closes[i])) for i in places]

    def day_windows(self, day: date) -> tuple[Window, ...]:
        """The windows that open on a day: special day, else day off, else statutory holiday, else the week."""
        special = self._special.get(day)
        if special is not None:
            return special
        if day in self.terms.days_off or day in self.terms.holidays:
            return ()
        return self.terms.weekly[day.weekday()]

    def local_date(self, at: int) -> date:
        return datetime.fromtimestamp(at, self.zone).date()

    def edge(self, day: date, minutes: int, *, closing: bool) -> int:
        """The instant of a wall time. A skipped one is the jump; of a doubled one opening takes the first."""
        wall = datetime.combine(day, time.min, self.zone) + timedelta(minutes=minutes)
        midnight = (day.toordinal() - EPOCH) * DAY + minutes * 60
        early, late = (midnight - _offset(wall.replace(fold=fold)) for fold in (0, 1))
        if early > late:
            return self._jump(late, early)
        return late if closing else early

    def _jump(self, before: int, after: int) -> int:
        """The instant in (before, after] at which the zone's offset changes."""
        old = _offset(datetime.fromtimestamp(before, self.zone))
        while after - before > 1:
            middle = (before + after) // 2
            if _offset(datetime.fromtimestamp(middle, self.zone)) == old:
                before = middle
            else:
                after = middle
        return after

    def _cover(self, start: int, end: int) -> _Table:
        table = self._table
        if table.first <= start and end <= table.last:
            return table
        low, high = self._year(start - TAIL), self._year(end + TAIL)
        if self._years:
            low, high = min(low, *self._years), max(high, *self._years)
        return self._build(low, high)

    def _extend(self, table: _Table) -> _Table:
        """Some years more than `table` has, twice as many each time."""
        high = self._year(table.last)
        if not any(self.terms.weekly) and table.last > self._last_special():
            raise NoWorkingTimeError(
                "the calendar has no working hours after this moment, so nothing can fall due by it"
            )
        if high >= LAST_YEAR:
            raise NoWorkingTimeError(f"the deadline lies after the year {LAST_YEAR}")
        low = min(self._years)
        return self._build(low, min(LAST_YEAR, high + 1 + (high - low) // 2))

    def _build(self, low: int, high: int) -> _Table:
        low, high = max(low, FIRST_YEAR), min(high, LAST_YEAR)
        for year in range(low, high + 1):
            if year not in self._years:
                self._years[year] = self._spans(year)
        merged = union(span for year in range(low, high + 1) for span in self._years[year])
        table = _Table(
            self.edge(date(low, 1, 1), 0, closing=False) + TAIL,
            self.edge(date(high + 1, 1, 1), 0, closing=False),
            [opened for opened, _ in merged],
            [closed for _, closed in merged],
            [0, *accumulate(closed - opened for opened, closed in merged)],
        )
        self._table = table
        return table

    def _spans(self, year: int) -> list[Span]:
        days = (date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
        return [
            (self.edge(day, opened, closing=False), self.edge(day, closed, closing=True))
            for day in days
            for opened, closed in self.day_windows(day)
        ]

    def _year(self, at: int) -> int:
        ordinal = at // DAY + EPOCH
        if not date(FIRST_YEAR, 1, 1).toordinal() <= ordinal <= date(LAST_YEAR, 12, 31).toordinal():
            raise NoWorkingTimeError(f"an instant outside the years {FIRST_YEAR}–{LAST_YEAR}")
        return date.fromordinal(ordinal).year

    def _last_special(self) -> int:
        opened = [day for day, windows in self._special.items() if windows]
        return self.edge(max(opened), 2 * 1440, closing=True) if opened else -(10**12)


def _offset(wall: datetime) -> int:
    return (wall.utcoffset() or timedelta()) // SECOND


@lru_cache(maxsize=512)
def work_calendar(terms: CalendarTerms) -> WorkCalendar:
    return WorkCalendar(terms)


def deadline(calendar: WorkCalendar, start: int, seconds: int, pauses: Iterable[Pause] = ()) -> int | None:
    """When `seconds` of working time outside the union of pauses have passed; None while an open pause holds it.

    A pause that begins at the deadline or later moves nothing.
    """
    if not pauses:
        return calendar.add(start, seconds)
    cursor, left = calendar.opening(start), seconds
    for begin, end in union_open(pauses):
        if end is not None and end <= cursor:
            continue
        if max(begin, cursor) >= calendar.add(cursor, left):
            break
        if end is None:
            return None
        left -= calendar.between(cursor, begin)
        cursor = calendar.opening(end)
    return calendar.add(cursor, left)


def elapsed(calendar: WorkCalendar, start: int, end: int, pauses: Iterable[Pause] = ()) -> int:
    """Working seconds in [start, end) outside the union of pauses."""
    held = (clip((begin, end if until is None else until), (start, end)) for begin, until in union_open(pauses))
    return calendar.between(start, end) - total(held, calendar.between)
