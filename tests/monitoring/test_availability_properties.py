"""What must hold for every month, whatever was seen in it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vocabulary import MaintenanceMode
from contracts.worktime import parse_calendar, work_calendar
from monitoring.availability.measure import Interval, Period, Settled, Terms, Verdict, measure
from monitoring.availability.periods import local_day, local_months, together
from monitoring.probe.specification import State

STEADY = settings(deadline=None)  # a busy machine is no error
WEIGHTS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(0)])
ZONES = ("Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def intervals(low: int, high: int, longest: int) -> st.SearchStrategy[list[Interval]]:
    one = st.builds(
        lambda start, size, state, weight: Interval(start, start + size, state, weight),
        st.integers(low, high), st.integers(0, longest), st.sampled_from(State), WEIGHTS,
    )  # fmt: skip
    return st.lists(one, max_size=12)


TERMS = st.builds(
    Terms,
    target=st.decimals("90", "100", places=2),
    minimum_outage=st.integers(0, 60),
    mode=st.sampled_from(MaintenanceMode),
    maintenance_limit=st.none() | st.integers(0, 300),
    unknown_limit=st.none() | st.integers(0, 300),
    degraded_weight=WEIGHTS,
)
OFFICE = work_calendar(
    parse_calendar({"weekly": {"mon-fri": [["08:00", "16:00"]]}}, zone="Europe/Warsaw", holidays=frozenset())
)


def even(start: int, end: int) -> int:
    """A calendar that is open in each even second."""
    return (end + 1) // 2 - (start + 1) // 2


@STEADY
@given(intervals(-200, 1100, 400), TERMS, st.booleans(), st.none() | st.sampled_from(Settled))
def test_down_up_and_unknown_are_all_that_was_measured(
    seen: list[Interval], terms: Terms, office: bool, settled: Settled | None
) -> None:
    result = measure(Period(0, 1000), seen, terms, even if office else None, settled)
    assert result.down + result.up + result.unknown == result.measured <= result.total
    assert min(result.down, result.up, Fraction(result.unknown)) >= 0
    assert sum(line.seconds for line in result.lines) == result.known_time
    assert sum((line.down for line in result.lines), Fraction(0)) == result.down


@STEADY
@given(intervals(-200, 1100, 400), TERMS)
def test_a_month_is_what_a_walk_over_its_seconds_finds(seen: list[Interval], terms: Terms) -> None:
    plain = Terms(terms.target, terms.minimum_outage, terms.mode, degraded_weight=terms.degraded_weight)
    known, unknown, down = 0, 0, Fraction(0)
    for second in range(0, 1000, 2):
        there = [one for one in seen if one.start <= second < one.end]
        states = {one.state for one in there}
        if State.MAINTENANCE in states:
            known += plain.mode is MaintenanceMode.IN_TOTAL
        elif states & {State.UNKNOWN, State.PAUSED}:
            unknown += 1
        else:
            known += 1
            down += max((_weight(one, plain) for one in there), default=Fraction(0))
    result = measure(Period(0, 1000), seen, plain, even)
    assert (result.known_time, result.unknown, result.down) == (known, unknown, down)


def _weight(one: Interval, terms: Terms) -> Fraction:
    if one.end - one.start <= terms.minimum_outage or one.state not in (State.DOWN, State.DEGRADED):
        return Fraction(0)
    return one.weight if one.state is State.DOWN else one.weight * terms.degraded_weight


@STEADY
@given(intervals(-200, 1100, 400), TERMS, st.randoms())
def test_the_order_in_which_intervals_come_changes_nothing(seen: list[Interval], terms: Terms, random: object) -> None:
    turned = list(seen)
    random.shuffle(turned)  # type: ignore[attr-defined]
    first, other = (measure(Period(0, 1000), one, terms) for one in (seen, turned))
    assert (first.known_time, first.down, first.unknown) == (other.known_time, other.down, other.unknown)


@STEADY
@given(intervals(0, 900, 200), st.decimals("0", "100", places=1))
def test_the_verdict_is_the_sign_of_the_budget_that_is_left(seen: list[Interval], target: Decimal) -> None:
    result = measure(Period(0, 1000), seen, Terms(target))
    if result.verdict is not Verdict.NO_DATA:
        assert result.met is (result.budget_left >= 0)
        assert result.low is not None
        assert result.availability is not None
        assert result.high is not None
        assert result.low <= result.availability <= result.high


@settings(STEADY, max_examples=40)
@given(st.data(), st.integers(2024, 2028), st.integers(1, 12), st.sampled_from(ZONES), st.booleans())
def test_a_month_equals_its_days(data: st.DataObject, year: int, month: int, zone: str, office: bool) -> None:
    period = local_months(year, month, 1, zone)
    seen = data.draw(intervals(period.start - 90000, period.end, 300000))
    terms = Terms(Decimal("99.5"), minimum_outage=600)
    hours = OFFICE if office else None
    whole = measure(period, seen, terms, hours)
    first = date(year, month, 1)
    count = ((first + timedelta(days=31)).replace(day=1) - first).days
    days = [measure(local_day(first + timedelta(days=n), zone), seen, terms, hours) for n in range(count)]
    summed = together(days, terms)
    assert (summed.known_time, summed.down, summed.unknown) == (whole.known_time, whole.down, whole.unknown)
    assert (summed.period, summed.availability, summed.verdict) == (whole.period, whole.availability, whole.verdict)
