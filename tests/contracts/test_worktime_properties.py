"""Working time against a walk over every minute that knows nothing of offsets but the wall clock's own reading."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.spans import union_open
from contracts.worktime import CalendarTerms, Pause, Window, WorkCalendar, deadline, elapsed

ZONES = ("Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "UTC")
# A few days around each change of the clocks in those zones, and ordinary ones.
MIDDLES = (
    "2026-03-29",
    "2026-10-25",
    "2026-03-08",
    "2026-11-01",
    "2026-04-05",
    "2026-10-04",
    "2026-07-01",
    "2026-01-01",
)
DAYS = 8
LENGTH = DAYS * 1440


@lru_cache(maxsize=64)
def walls(zone: str, first: int) -> list[datetime]:
    """What a clock on the wall shows in each minute from `first` on."""
    place = ZoneInfo(zone)
    return [datetime.fromtimestamp(first + 60 * i, place).replace(tzinfo=None) for i in range(LENGTH)]


def open_minutes(terms: CalendarTerms, first: int) -> list[bool]:
    """A window is open from the first minute that shows its opening or later; it closes where the wall clock shows its
    closing for the last time, or after the last minute that shows less (where the closing is skipped)."""
    shown = walls(terms.zone, first)
    highest = list(accumulate(shown, max))
    lowest = list(accumulate(reversed(shown), min))[::-1]
    latest = {wall: i for i, wall in enumerate(shown)}
    special = dict(terms.special_days)
    result = [False] * LENGTH
    day = shown[0].date() - timedelta(days=2)
    while day <= shown[-1].date() + timedelta(days=1):
        for opened, closed in day_windows(terms, special, day):
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001
            begin = bisect_left(highest, midnight + timedelta(minutes=opened))
            closing = midnight + timedelta(minutes=closed)
            end = latest.get(closing, bisect_left(lowest, closing))
            for i in range(begin, end):
                result[i] = True
        day += timedelta(days=1)
    return result


def day_windows(terms: CalendarTerms, special: dict[date, tuple[Window, ...]], day: date) -> tuple[Window, ...]:
    if day in special:
        return special[day]
    return () if day in terms.days_off | terms.holidays else terms.weekly[day.weekday()]


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    found = []
    for _ in range(draw(st.integers(0, 2))):
        opened = draw(st.integers(0, 95)) * 15
        found.append((opened, draw(st.integers(opened // 15 + 1, min(192, opened // 15 + 110))) * 15))
    return tuple(found)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[CalendarTerms, int]:
    """A calendar, and the first instant of some days around a change of the clocks."""
    middle = datetime.fromisoformat(draw(st.sampled_from(MIDDLES))).replace(tzinfo=UTC)
    days = [middle.date() + timedelta(days=n) for n in range(-4, 5)]
    terms = CalendarTerms(
        zone=draw(st.sampled_from(ZONES)),
        weekly=tuple(draw(windows()) for _ in range(7)),
        holidays=draw(st.frozensets(st.sampled_from(days), max_size=1)),
        days_off=draw(st.frozensets(st.sampled_from(days), max_size=1)),
        special_days=tuple((day, draw(windows())) for day in draw(st.sets(st.sampled_from(days), max_size=2))),
    )
    return terms, int(middle.timestamp()) - 4 * 86400


minutes = st.integers(0, LENGTH - 1)


@st.composite
def pauses(draw: st.DrawFn) -> list[tuple[int, int]]:
    return [(begin, begin + draw(st.integers(0, 2000))) for begin in draw(st.lists(minutes, max_size=3))]


def walk(open_: Sequence[bool], held: Sequence[tuple[int, int]], start: int, target: int) -> int | None:
    """The minute at which `target` open minutes outside pauses have passed since `start`, by counting."""
    i = next((m for m in range(start, LENGTH) if open_[m]), None)
    while i is not None and i < LENGTH:
        if target == 0:
            return i
        if open_[i] and not any(begin <= i < end for begin, end in held):
            target -= 1
        i += 1
    return i if target == 0 else None


@settings(max_examples=60, deadline=None)
@given(worlds(), minutes, st.integers(0, 4000), pauses())
def test_a_deadline_is_where_a_walk_over_minutes_ends(
    world: tuple[CalendarTerms, int], start: int, target: int, held: list[tuple[int, int]]
) -> None:
    terms, first = world
    open_ = open_minutes(terms, first)
    expected = walk(open_, held, start, target)
    if expected is None:
        return
    spans: list[Pause] = [(first + 60 * begin, first + 60 * end) for begin, end in held]
    assert deadline(WorkCalendar(terms), first + 60 * start, target * 60, spans) == first + 60 * expected


@settings(max_examples=60, deadline=None)
@given(worlds(), minutes, minutes, pauses())
def test_working_time_is_the_number_of_open_minutes(
    world: tuple[CalendarTerms, int], one: int, other: int, held: list[tuple[int, int]]
) -> None:
    terms, first = world
    start, end = sorted((one, other))
    open_ = open_minutes(terms, first)
    count = sum(open_[i] and not any(a <= i < b for a, b in held) for i in range(start, end))
    spans: list[Pause] = [(first + 60 * a, first + 60 * b) for a, b in held]
    work = WorkCalendar(terms)
    assert elapsed(work, first + 60 * start, first + 60 * end, spans) == count * 60
    assert sum(b - a for a, b in work.windows(first + 60 * start, first + 60 * end)) == sum(open_[start:end]) * 60
    assert work.is_open(first + 60 * start) == open_[start]


@settings(max_examples=75, deadline=None)
@given(worlds(), st.integers(0, 10**6), st.integers(1, 10**7), st.integers(1, 10**6))
def test_working_time_adds_up_and_a_longer_target_is_due_later(
    world: tuple[CalendarTerms, int], offset: int, seconds: int, more: int
) -> None:
    terms, first = world
    if not any(terms.weekly):
        return
    work, start = WorkCalendar(terms), first + offset
    due = work.add(start, seconds)
    assert work.between(start, due) == seconds
    assert work.between(start, due - 1) == seconds - 1
    assert work.add(due, more) == work.add(start, seconds + more)
    assert work.add(start, seconds + more) > due
    assert work.next_change(start) is None or work.next_change(start) > start  # type: ignore[operator]


@settings(max_examples=50, deadline=None)
@given(worlds(), st.integers(0, 10**6), st.integers(1, 10**6), pauses())
def test_splitting_a_pause_in_two_or_repeating_it_changes_nothing(
    world: tuple[CalendarTerms, int], offset: int, seconds: int, held: list[tuple[int, int]]
) -> None:
    terms, first = world
    if not any(terms.weekly):
        return
    spans: list[Pause] = [(first + 60 * a, first + 60 * b) for a, b in held]
    halves: list[Pause] = []
    for a, b in held:
        halves += [(first + 60 * a, first + 30 * (a + b)), (first + 30 * (a + b), first + 60 * b)]
    work = WorkCalendar(terms)
    due = deadline(work, first + offset, seconds, spans)
    assert due == deadline(work, first + offset, seconds, halves) == deadline(work, first + offset, seconds, spans * 2)
    assert due is not None
    assert due >= work.add(first + offset, seconds)
    assert elapsed(work, first + offset, due, spans) == seconds
    assert union_open(halves) == union_open(spans)
