"""Availability over local time: hours, maintenance, minimum outage, unknown time, budget; with exact figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from contracts.holidays_pl import POLISH_HOLIDAYS
from contracts.penalty.rules import floored
from contracts.vocabulary import MaintenanceMode
from contracts.worktime import parse_calendar, work_calendar
from monitoring.availability.measure import (
    AvailabilityError,
    AvailabilityLine,
    Interval,
    Measured,
    OutageLine,
    Period,
    Reason,
    Settled,
    Terms,
    Verdict,
    measure,
)
from monitoring.availability.periods import local_day, local_months, pace, together
from monitoring.probe.specification import State

HOUR = 3600
MONTH = Period(0, 720 * HOUR)
WARSAW = "Europe/Warsaw"


def down(start: float, end: float, weight: str = "1") -> Interval:
    return Interval(int(start * HOUR), int(end * HOUR), State.DOWN, Fraction(weight))


def seen(state: State, start: float, end: float, announced: float | None = None) -> Interval:
    told = None if announced is None else int(announced * HOUR)
    return Interval(int(start * HOUR), int(end * HOUR), state, announced=told)


def measured(*intervals: Interval, settled: Settled | None = None, **terms: object) -> Measured:
    return measure(MONTH, intervals, Terms(**terms), settled=settled)  # type: ignore[arg-type]


def reasons(result: Measured) -> list[Reason]:
    return [line.reason for line in result.lines if isinstance(line, OutageLine)]


@pytest.mark.parametrize(
    ("year", "month", "zone", "minutes"),
    [
        (2026, 3, WARSAW, 44580),
        (2026, 10, WARSAW, 44700),
        (2026, 2, WARSAW, 40320),
        (2028, 2, WARSAW, 41760),
        (2026, 12, WARSAW, 44640),
        (2026, 3, "America/New_York", 44580),
        (2026, 11, "America/New_York", 43260),
        (2026, 10, "Asia/Kathmandu", 44640),
        (2026, 4, "Australia/Lord_Howe", 43230),
    ],
)
def test_a_month_is_as_long_as_the_clocks_of_its_zone_make_it(year: int, month: int, zone: str, minutes: int) -> None:
    period = local_months(year, month, 1, zone)
    assert (period.end - period.start) == minutes * 60


def test_a_day_begins_at_the_jump_where_midnight_is_skipped() -> None:
    period = local_day(date(2026, 4, 24), "Africa/Cairo")
    assert (period.end - period.start) == 23 * HOUR


def test_quarters_and_years_are_made_of_whole_months() -> None:
    assert local_months(2026, 10, 3, WARSAW).end == local_months(2027, 1, 12, WARSAW).start
    assert local_months(2028, 1, 12, WARSAW).end - local_months(2028, 1, 12, WARSAW).start == 366 * 24 * HOUR


def test_exactly_the_target_is_kept_and_one_second_more_is_not() -> None:
    limit = 720 * HOUR // 1000
    kept = measured(Interval(0, limit, State.DOWN), target=Decimal("99.9"))
    over = measured(Interval(0, limit + 1, State.DOWN), target=Decimal("99.9"))
    assert (kept.met, kept.budget_left, kept.availability) == (True, Fraction(0), Fraction(999, 1000))
    assert (over.met, over.budget_left) == (False, Fraction(-1))


def test_what_is_shown_is_floored() -> None:
    assert floored(Fraction(998981, 1000000), 2) == Decimal("99.89")
    assert floored(Fraction(9999999, 10000000)) == Decimal("99.9999")
    assert floored(Fraction(1)) == Decimal("100.0000")


def test_at_each_moment_the_heaviest_outage_counts_once() -> None:
    result = measured(down(10, 12, "0.5"), down(11, 12), down(11.5, 13, "0.25"))
    assert result.down == Fraction(9, 4) * HOUR - HOUR // 2
    assert [line.counted for line in result.lines if isinstance(line, OutageLine)] == [HOUR, HOUR, HOUR]


@pytest.mark.parametrize(("minutes", "counted"), [(15, 0), (16, 16)])
def test_an_outage_counts_whole_if_it_is_longer_than_the_minimum(minutes: int, counted: int) -> None:
    result = measured(Interval(0, minutes * 60, State.DOWN), minimum_outage=900)
    assert result.down == counted * 60
    assert reasons(result) == [Reason.COUNTS if counted else Reason.TOO_SHORT]


def test_the_minimum_is_judged_before_the_outage_is_cut_at_the_months_end() -> None:
    edge = Interval(MONTH.end - 600, MONTH.end + 600, State.DOWN)
    assert measured(edge, minimum_outage=900).down == 600
    following = Period(MONTH.end, 2 * MONTH.end)
    assert measure(following, [edge], Terms(minimum_outage=900)).down == 600


@pytest.mark.parametrize(
    ("mode", "known", "availability"),
    [
        (MaintenanceMode.OUT_OF_TOTAL, 718, Fraction(717, 718)),
        (MaintenanceMode.IN_TOTAL, 720, Fraction(719, 720)),
    ],
)
def test_maintenance_leaves_the_denominator_or_counts_as_up(
    mode: MaintenanceMode, known: int, availability: Fraction
) -> None:
    result = measured(seen(State.MAINTENANCE, 2, 4), down(3.5, 5), mode=mode)
    assert (result.known_time, result.down) == (known * HOUR, Fraction(HOUR))
    assert result.availability == availability


@pytest.mark.parametrize(("announced", "down_hours"), [(-24, 0), (-23, 2)])
def test_maintenance_announced_too_late_is_ordinary_time(announced: float, down_hours: int) -> None:
    result = measured(seen(State.MAINTENANCE, 2, 4, announced + 2), down(2, 4), notice=24 * HOUR)
    assert result.down == down_hours * HOUR


def test_only_the_agreed_hours_of_maintenance_count_as_such() -> None:
    windows = [seen(State.MAINTENANCE, 10, 13), seen(State.MAINTENANCE, 12, 15), seen(State.MAINTENANCE, 20, 21)]
    result = measured(*windows, down(10, 21), maintenance_limit=4 * HOUR)
    assert (result.known_time, result.down) == (716 * HOUR, Fraction(7 * HOUR))


def test_time_without_data_is_neither_up_nor_down_and_makes_a_range() -> None:
    result = measured(down(1, 4), seen(State.UNKNOWN, 3, 5), seen(State.PAUSED, 4, 7), target=Decimal("99.5"))
    assert (result.measured, result.unknown, result.known_time, result.down) == (
        720 * HOUR, 4 * HOUR, 716 * HOUR, Fraction(2 * HOUR),
    )  # fmt: skip
    assert (result.low, result.availability, result.high) == (
        Fraction(714, 720), Fraction(714, 716), Fraction(718, 720),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "settled", "verdict", "down_hours"),
    [
        (4, None, Verdict.KEPT, 1),
        (3, None, Verdict.UNDECIDED, 1),
        (3, Settled.LEFT_OUT, Verdict.KEPT, 1),
        (3, Settled.UP, Verdict.KEPT, 1),
        (3, Settled.DOWN, Verdict.BELOW, 5),
        (None, None, Verdict.KEPT, 1),
    ],
)
def test_above_the_limit_of_unknown_time_both_sides_decide(
    limit: int | None, settled: Settled | None, verdict: Verdict, down_hours: int
) -> None:
    seconds = None if limit is None else limit * HOUR
    result = measured(
        down(1, 2), seen(State.UNKNOWN, 3, 7), settled=settled, target=Decimal("99.5"), unknown_limit=seconds
    )
    assert (result.verdict, result.down) == (verdict, Fraction(down_hours * HOUR))
    assert result.down + result.up + result.unknown == result.measured


def test_maintenance_goes_before_unknown_time() -> None:
    result = measured(seen(State.MAINTENANCE, 2, 4), seen(State.UNKNOWN, 3, 5))
    assert (result.measured, result.unknown) == (718 * HOUR, HOUR)


def test_a_degraded_shop_is_down_only_as_far_as_the_contract_says() -> None:
    assert measured(seen(State.DEGRADED, 2, 4)).down == 0
    assert measured(seen(State.DEGRADED, 2, 4), degraded_weight=Fraction(1, 4)).down == HOUR // 2


def test_service_hours_bound_the_denominator_and_the_downtime() -> None:
    weekly = {"weekly": {"mon-fri": [["08:00", "16:00"]]}, "statutory_holidays_closed": True}
    hours = work_calendar(parse_calendar(weekly, zone=WARSAW, holidays=POLISH_HOLIDAYS))
    april = local_months(2026, 4, 1, WARSAW)
    easter = Interval(april.start + (2 * 24 + 15) * HOUR, april.start + (6 * 24 + 9) * HOUR, State.DOWN)
    night = Interval(april.start + 20 * HOUR, april.start + 30 * HOUR, State.DOWN)
    for calendar in (hours, hours.between):
        result = measure(april, [easter, night], Terms(target=Decimal(99)), calendar)
        assert (result.total, result.measured, result.down) == (43200 * 60, 10080 * 60, Fraction(2 * HOUR))
        assert reasons(result) == [Reason.NOT_COUNTED_TIME, Reason.COUNTS]
        assert result.met is False


def test_a_month_without_data_has_no_figure() -> None:
    result = measured(seen(State.UNKNOWN, 0, 720), target=Decimal("99.5"))
    assert (result.availability, result.met, result.verdict) == (None, None, Verdict.NO_DATA)
    assert (result.low, result.high) == (Fraction(0), Fraction(1))


def test_a_month_without_a_target_has_a_figure_and_no_budget() -> None:
    result = measured(down(0, 36))
    assert (result.availability, result.verdict, result.met) == (Fraction(684, 720), Verdict.NO_TARGET, None)
    with pytest.raises(AvailabilityError, match="without a target"):
        _ = result.budget_left


def test_the_last_line_is_the_result() -> None:
    result = measured(down(0, 36), target=Decimal(95))
    assert result.lines[-1] == AvailabilityLine(
        720 * HOUR, Fraction(36 * HOUR), Fraction(19, 20), Decimal(95), Verdict.KEPT
    )


def test_a_quarter_is_its_time_added_up_and_no_mean_of_months() -> None:
    terms = Terms(target=Decimal("99.9"))
    months = [local_months(2026, month, 1, WARSAW) for month in (1, 2, 3)]
    outage = Interval(months[1].start, months[1].start + 130 * 60, State.DOWN)
    parts = [measure(month, [outage], terms) for month in months]
    quarter = together(parts, terms)
    assert floored(quarter.availability or Fraction(0)) == Decimal("99.8996")
    assert (quarter.period, quarter.known_time) == (local_months(2026, 1, 3, WARSAW), 129540 * 60)
    assert (quarter.met, parts[0].met, parts[1].met) == (False, True, False)


def test_a_quarter_needs_a_month() -> None:
    with pytest.raises(AvailabilityError, match="no months"):
        together([], Terms())


def test_the_burn_rate_says_how_fast_the_budget_goes() -> None:
    first_days = measure(Period(0, 4320 * 60), [Interval(0, 1200, State.DOWN)], Terms(target=Decimal("99.9")))
    found = pace(first_days, 43200 * 60)
    assert (found.budget, found.used, found.burn_rate) == (Fraction(2592), Fraction(1200, 2592), Fraction(12000, 2592))
    assert found.lasts == Fraction(1392 * 4320 * 60, 1200)
    assert found.projected == 1 - Fraction(1200, 4320 * 60)


def test_without_downtime_the_budget_lasts() -> None:
    quiet = measure(Period(0, 4320 * 60), [], Terms(target=Decimal("99.9")))
    assert (pace(quiet, 43200 * 60).burn_rate, pace(quiet, 43200 * 60).lasts) == (Fraction(0), None)


@pytest.mark.parametrize(
    ("start", "end", "weight", "named"), [(5, 4, "1", "5, 4"), (0, 1, "1.5", "3/2"), (0, 1, "-1", "-1")]
)
def test_an_interval_that_cannot_be_is_named(start: int, end: int, weight: str, named: str) -> None:
    with pytest.raises(AvailabilityError, match=named):
        Interval(start, end, State.DOWN, Fraction(weight))
