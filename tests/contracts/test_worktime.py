"""Working time: exact instants, the edges of daylight saving time, precedence of days, and what can't fall due."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from contracts.day_terms import DayTerm, day_term
from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.spans import union_open
from contracts.worktime import (
    CalendarTerms,
    NoWorkingTimeError,
    WorkCalendar,
    deadline,
    elapsed,
    parse_calendar,
    work_calendar,
)

OFFICE = {"mon-fri": [["08:00", "16:00"]]}
ALWAYS = {"mon-sun": [["00:00", "24:00"]]}
HOUR = 3600


def calendar(weekly: object, zone: str = "Europe/Warsaw", **more: object) -> WorkCalendar:
    data = {"weekly": weekly, "statutory_holidays_closed": True, **more}
    return work_calendar(parse_calendar(data, zone=zone, holidays=POLISH_HOLIDAYS))


def at(text: str, zone: str = "Europe/Warsaw", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


def test_a_target_that_runs_out_at_the_close_is_due_at_the_close() -> None:
    assert calendar(OFFICE).add(at("2026-03-10T15:00"), HOUR) == at("2026-03-10T16:00")


def test_a_report_exactly_at_the_close_starts_at_the_next_opening() -> None:
    assert calendar(OFFICE).opening(at("2026-03-13T16:00")) == at("2026-03-16T08:00")


def test_a_zero_target_is_due_at_once_or_at_the_next_opening() -> None:
    office = calendar(OFFICE)
    assert office.add(at("2026-03-10T10:00"), 0) == at("2026-03-10T10:00")
    assert office.add(at("2026-03-10T20:00"), 0) == at("2026-03-11T08:00")


def test_a_calendar_without_windows_says_that_nothing_falls_due() -> None:
    never = calendar({})
    with pytest.raises(NoWorkingTimeError, match="no working hours"):
        never.add(at("2026-03-10T10:00"), 1)
    assert never.next_change(at("2026-03-10T10:00")) is None
    assert never.between(at("2026-03-10T10:00"), at("2027-03-10T10:00")) == 0
    assert not never.is_open(at("2026-03-10T10:00"))


def test_a_calendar_of_one_special_day_ends_after_it() -> None:
    once = calendar({}, special_days={"2031-05-05": [["08:00", "10:00"]]})
    assert once.add(at("2026-03-10T10:00"), 2 * HOUR) == at("2031-05-05T10:00")
    assert once.next_change(at("2026-03-10T10:00")) == at("2031-05-05T08:00")
    with pytest.raises(NoWorkingTimeError):
        once.add(at("2026-03-10T10:00"), 2 * HOUR + 1)


def test_a_deadline_beyond_the_last_year_is_refused() -> None:
    with pytest.raises(NoWorkingTimeError, match="2300"):
        calendar(OFFICE).add(at("2026-03-10T10:00"), 10**11)
    with pytest.raises(NoWorkingTimeError, match="1900"):
        calendar(OFFICE).opening(-(10**12))


def test_round_the_clock_never_changes() -> None:
    always = calendar(ALWAYS, statutory_holidays_closed=False)
    assert always.next_change(at("2026-03-10T10:00")) is None
    assert always.is_open(at("2026-03-29T02:59", fold=1))
    assert always.windows(10**9, 10**9 + 5) == [(10**9, 10**9 + 5)]


def test_openings_and_closings_follow_each_other() -> None:
    office = calendar(OFFICE)
    assert office.next_change(at("2026-03-13T07:00")) == at("2026-03-13T08:00")
    assert office.next_change(at("2026-03-13T08:00")) == at("2026-03-13T16:00")
    assert office.next_change(at("2026-03-13T16:00")) == at("2026-03-16T08:00")


def test_windows_are_clipped_to_what_was_asked() -> None:
    found = calendar(OFFICE).windows(at("2026-03-13T15:00"), at("2026-03-16T09:00"))
    assert found == [
        (at("2026-03-13T15:00"), at("2026-03-13T16:00")),
        (at("2026-03-16T08:00"), at("2026-03-16T09:00")),
    ]


def test_a_special_day_goes_before_a_day_off_and_a_day_off_before_the_week() -> None:
    special = calendar(
        OFFICE,
        days_off=["2026-03-10", "2026-03-11"],
        special_days={"2026-03-11": [["10:00", "11:00"]], "2026-11-11": [["08:00", "09:00"]], "2026-03-12": []},
    )
    assert special.day_windows(date(2026, 3, 10)) == ()
    assert special.day_windows(date(2026, 3, 11)) == ((600, 660),)
    assert special.day_windows(date(2026, 11, 11)) == ((480, 540),)
    assert special.day_windows(date(2026, 3, 12)) == ()
    assert special.day_windows(date(2026, 5, 1)) == ()


def test_christmas_eve_is_a_holiday_from_2025() -> None:
    assert date(2024, 12, 24) not in POLISH_HOLIDAYS
    assert date(2025, 12, 24) in POLISH_HOLIDAYS
    assert {day.year for day in POLISH_HOLIDAYS} == set(range(2015, 2061))


def test_the_tail_of_a_night_window_runs_into_a_holiday() -> None:
    night = calendar({"mon-fri": [["22:00", "30:00"]]})
    assert night.between(at("2026-06-03T12:00"), at("2026-06-05T00:00")) == 2 * HOUR + 6 * HOUR
    assert night.is_open(at("2026-06-04T05:59"))
    assert not night.is_open(at("2026-06-04T23:00"))


def test_new_years_eve_runs_over_into_a_table_that_begins_there() -> None:
    night = WorkCalendar(calendar({"mon-sun": [["22:00", "30:00"]]}, statutory_holidays_closed=False).terms)
    assert night.between(at("2026-01-01T00:00"), at("2026-01-01T12:00")) == 6 * HOUR
    assert WorkCalendar(night.terms).opening(at("2026-01-01T05:00")) == at("2026-01-01T05:00")


@pytest.mark.parametrize(
    ("zone", "window", "day", "seconds"),
    [
        ("Europe/Warsaw", ["02:30", "06:00"], "2026-03-29", 3 * HOUR),
        ("Europe/Warsaw", ["01:00", "02:30"], "2026-03-29", HOUR),
        ("Europe/Warsaw", ["02:10", "02:50"], "2026-03-29", 0),
        ("Europe/Warsaw", ["02:30", "06:00"], "2026-10-25", 4 * HOUR + HOUR // 2),
        ("Europe/Warsaw", ["01:00", "02:30"], "2026-10-25", 2 * HOUR + HOUR // 2),
        ("America/New_York", ["01:30", "05:00"], "2026-11-01", 4 * HOUR + HOUR // 2),
        ("America/New_York", ["02:30", "05:00"], "2026-03-08", 2 * HOUR),
        ("Australia/Lord_Howe", ["01:45", "03:00"], "2026-04-05", HOUR + HOUR // 4 + HOUR // 2),
        ("Australia/Lord_Howe", ["02:15", "03:00"], "2026-10-04", HOUR // 2),
        ("Asia/Kathmandu", ["02:30", "06:00"], "2026-03-29", 3 * HOUR + HOUR // 2),
        ("America/Havana", ["00:00", "01:00"], "2026-03-08", 0),
    ],
)
def test_edges_in_a_skipped_or_doubled_hour(zone: str, window: list[str], day: str, seconds: int) -> None:
    work = calendar({"mon-sun": [window]}, zone, statutory_holidays_closed=False)
    noon = at(f"{day}T12:00", zone)
    assert work.between(noon - 12 * HOUR - HOUR // 2, noon) == seconds


def test_a_doubled_opening_takes_the_first_and_a_doubled_closing_the_second() -> None:
    work = calendar({"mon-sun": [["02:30", "06:00"]]})
    day = date(2026, 10, 25)
    assert work.edge(day, 150, closing=False) == at("2026-10-25T02:30", fold=0)
    assert work.edge(day, 150, closing=True) == at("2026-10-25T02:30", fold=1)


def test_a_pause_that_begins_at_the_deadline_moves_nothing() -> None:
    office = calendar(OFFICE)
    due = at("2026-03-10T10:00")
    assert deadline(office, at("2026-03-10T09:00"), HOUR, [(due, due + HOUR)]) == due
    assert deadline(office, at("2026-03-10T09:00"), HOUR, [(due, None)]) == due
    assert deadline(office, at("2026-03-10T09:00"), HOUR, [(due - 1, None)]) is None


def test_a_pause_over_the_close_gives_back_its_working_time_only() -> None:
    pause = (at("2026-03-10T15:00"), at("2026-03-11T09:00"))
    due = deadline(calendar(OFFICE), at("2026-03-10T14:00"), 2 * HOUR, [pause])
    assert due == at("2026-03-11T10:00")


def test_a_pause_that_ended_before_the_opening_gives_back_nothing() -> None:
    pause = (at("2026-03-10T17:00"), at("2026-03-11T07:00"))
    assert deadline(calendar(OFFICE), at("2026-03-10T16:30"), HOUR, [pause]) == at("2026-03-11T09:00")


def test_a_pause_from_before_the_start_counts_from_the_start() -> None:
    pause = (at("2026-03-09T08:00"), at("2026-03-10T09:00"))
    assert deadline(calendar(OFFICE), at("2026-03-10T08:00"), HOUR, [pause]) == at("2026-03-10T10:00")


def test_pauses_are_a_union() -> None:
    assert union_open([(5, 9), (1, 3), (2, 4), (7, 7), (8, None), (20, 30)]) == [(1, 4), (5, None)]
    pauses = [(at("2026-03-10T09:00"), at("2026-03-10T11:00")), (at("2026-03-10T10:00"), None)]
    assert elapsed(calendar(OFFICE), at("2026-03-10T08:00"), at("2026-03-11T09:00"), pauses) == HOUR


@pytest.mark.parametrize(
    ("mode", "start", "days", "last", "due"),
    [
        ("business_days_close", "2026-03-13T10:00", 1, "2026-03-16", "2026-03-16T16:00"),
        ("business_days_close", "2026-03-14T10:00", 1, "2026-03-16", "2026-03-16T16:00"),
        ("business_days_close", "2026-03-14T10:00", 0, "2026-03-16", "2026-03-16T16:00"),
        ("business_days_end_of_day", "2026-03-27T23:59", 1, "2026-03-30", "2026-03-31T00:00"),
        ("calendar_days_kc", "2026-04-20T12:00", 11, "2026-05-04", "2026-05-05T00:00"),
        ("calendar_days_kc", "2026-03-10T12:00", 2, "2026-03-12", "2026-03-13T00:00"),
    ],
)
def test_terms_in_days_leave_out_the_day_of_the_event(mode: str, start: str, days: int, last: str, due: str) -> None:
    term = day_term(calendar(OFFICE), at(start), days, mode, POLISH_HOLIDAYS)
    assert term == DayTerm(date.fromisoformat(last), at(due))


def test_an_unknown_mode_of_a_day_term_is_named() -> None:
    with pytest.raises(ValueError, match="lunar_days"):
        day_term(calendar(OFFICE), 0, 1, "lunar_days")
    with pytest.raises(ValueError, match="-1 days"):
        day_term(calendar(OFFICE), 0, -1, "calendar_days_kc")
    with pytest.raises(NoWorkingTimeError, match="too few working days"):
        day_term(calendar({}), 0, 1, "business_days_close")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"weekly": {"mo": []}}, "unknown day of the week: mo"),
        ({"weekly": {"mon-fry": []}}, "mon-fry"),
        ({"weekly": {"mon": [["08:00"]]}}, "mon: a window has an opening and a closing"),
        ({"weekly": {"mon": [["16:00", "08:00"]]}}, "mon: 16:00–08:00 is no window"),
        ({"weekly": {"mon": [["08:00", "49:00"]]}}, "no window"),
        ({"weekly": {"mon": [["8", "16:00"]]}}, "not a time of day: 8"),
        ({"weekly": {"mon": "08:00-16:00"}}, "expected a list"),
        ({"weekly": []}, None),
        ({"weekly": [1]}, "weekly: expected names and values"),
        ({"timezone": "Europe/Radom"}, "unknown time zone: Europe/Radom"),
        ({"days_off": ["2026-02-30"]}, "not a date: 2026-02-30"),
        ({"special_days": {"Monday": []}}, "not a date: Monday"),
    ],
)
def test_a_wrong_calendar_says_what_is_wrong(data: dict[str, object], named: str | None) -> None:
    if named is None:
        assert parse_calendar(data, zone="UTC", holidays=frozenset()) == CalendarTerms("UTC", ((),) * 7)
        return
    with pytest.raises(ValueError, match=named):
        parse_calendar(data, zone="Europe/Warsaw", holidays=frozenset())


def test_days_of_the_week_add_up_and_go_over_sunday() -> None:
    data = {"weekly": {"sat-mon": [["09:00", "10:00"]], "mon": [["07:00", "08:00"]]}}
    terms = parse_calendar(data, zone="UTC", holidays=frozenset())
    assert terms.weekly == (((420, 480), (540, 600)), (), (), (), (), ((540, 600),), ((540, 600),))


def test_equal_terms_share_one_warm_calendar() -> None:
    data = {"weekly": OFFICE}
    one, two = (parse_calendar(data, zone="UTC", holidays=POLISH_HOLIDAYS) for _ in range(2))
    assert one is not two
    assert work_calendar(one) is work_calendar(two)
