"""A breach on the time line: exclusions as a union of intervals, in the target's hours or in real time."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from contracts.penalty.breach import Exclusion, Lateness, breach_penalty, delay_lines
from contracts.penalty.rules import Cap, Caps, ExcludedLine, LateLine, Scheme, Unit, Used
from contracts.vocabulary import RateType

HOUR = 3600
DEADLINE = 1_800_000_000
HOURLY = Scheme(RateType.PERCENT, Unit.named("started_hour"), Decimal(1))


def at(hours: float) -> int:
    return DEADLINE + int(hours * HOUR)


def excluded(*spans: tuple[float, float]) -> list[Exclusion]:
    return [Exclusion(at(start), at(end), "third_party") for start, end in spans]


class OddHours:
    """A calendar that is open in every second hour from the deadline."""

    def between(self, start: int, end: int) -> int:
        return sum((second - DEADLINE) // HOUR % 2 == 0 for second in range(start, end, 60)) * 60


@pytest.mark.parametrize(
    ("spans", "counted"),
    [
        ([], 5 * HOUR),
        ([(1, 3)], 3 * HOUR),
        ([(1, 3), (2, 4)], 2 * HOUR),
        ([(1, 2), (1, 2)], 4 * HOUR),
        ([(-3, 1)], 4 * HOUR),
        ([(4, 9)], 4 * HOUR),
        ([(-1, 9)], 0),
        ([(6, 9)], 5 * HOUR),
        ([(3, 2)], 5 * HOUR),
    ],
)
def test_exclusions_are_a_union_inside_the_delay(spans: list[tuple[float, float]], counted: int) -> None:
    breakdown = breach_penalty(HOURLY, Lateness(DEADLINE, at(5)), Decimal("5000.00"), exclusions=excluded(*spans))
    assert breakdown.seconds == counted


def test_an_overlap_belongs_to_the_earlier_exclusion_and_the_lines_add_up() -> None:
    lines = delay_lines(Lateness(DEADLINE, at(5)), excluded((2, 4), (1, 3)))
    assert lines == (
        LateLine(5 * HOUR, DEADLINE, at(5), real_time=True),
        ExcludedLine(2 * HOUR, at(1), at(3), "third_party"),
        ExcludedLine(1 * HOUR, at(2), at(4), "third_party"),
    )


def test_the_rounding_up_to_hours_comes_after_the_exclusion() -> None:
    breakdown = breach_penalty(HOURLY, Lateness(DEADLINE, at(2.5)), Decimal("5000.00"), exclusions=excluded((0, 2 / 3)))
    assert (breakdown.units, breakdown.amount) == (Fraction(2), Decimal("100.00"))


@pytest.mark.parametrize("hours", [OddHours(), OddHours().between])
def test_delay_and_exclusions_count_in_the_targets_calendar(hours: OddHours) -> None:
    breakdown = breach_penalty(
        HOURLY, Lateness(DEADLINE, at(5), hours), Decimal("5000.00"), exclusions=excluded((0.5, 2.5))
    )
    assert breakdown.seconds == 2 * HOUR


def test_time_between_delivery_and_rejection_counts_neither_in_the_delay_nor_twice_as_excluded() -> None:
    handed_over = Lateness(DEADLINE, at(5), uncounted=((at(1), at(2)),))
    breakdown = breach_penalty(HOURLY, handed_over, Decimal("5000.00"), exclusions=excluded((1.5, 3)))
    assert breakdown.lines[:2] == (
        LateLine(4 * HOUR, DEADLINE, at(5), real_time=True),
        ExcludedLine(1 * HOUR, at(1.5), at(3), "third_party"),
    )
    assert breakdown.seconds == 3 * HOUR


def test_once_per_breach_is_not_due_when_the_whole_delay_is_excluded() -> None:
    flat = Scheme(RateType.AMOUNT, Unit.named("once"), Decimal("500.00"))
    whole = breach_penalty(flat, Lateness(DEADLINE, at(5)), Decimal(0), exclusions=excluded((0, 5)))
    part = breach_penalty(flat, Lateness(DEADLINE, at(5)), Decimal(0), exclusions=excluded((0, 4.9)))
    assert (whole.amount, part.amount) == (Decimal("0.00"), Decimal("500.00"))


def test_once_per_breach_is_due_for_a_stop_after_the_close_without_working_delay() -> None:
    flat = Scheme(RateType.AMOUNT, Unit.named("once"), Decimal("500.00"))
    closed = Lateness(at(1), at(1.5), OddHours())
    assert breach_penalty(flat, closed, Decimal(0)).amount == Decimal("500.00")


def test_the_caps_of_incident_month_and_contract_follow_one_another_with_what_was_used() -> None:
    caps = Caps(
        Cap(RateType.PERCENT, Decimal(10)),
        Cap(RateType.PERCENT, Decimal(20)),
        Cap(RateType.AMOUNT, Decimal("18000.00")),
    )
    used = Used(month=Decimal("600.00"), contract=Decimal("17700.00"))
    lateness = Lateness(DEADLINE, at(20))
    breakdown = breach_penalty(HOURLY, lateness, Decimal("5000.00"), caps=caps, used=used)
    assert [-line.change for line in breakdown.lines[-4:-1]] == [500, 100, 100]
    assert (breakdown.raw, breakdown.amount) == (Decimal("1000.00"), Decimal("300.00"))


def test_a_caps_percentage_is_taken_of_the_whole_fee_where_the_base_is_a_share() -> None:
    caps = Caps(incident=Cap(RateType.PERCENT, Decimal(20)))
    breakdown = breach_penalty(
        HOURLY, Lateness(DEADLINE, at(48)), Decimal("2500.00"), caps=caps, fee=Decimal("5000.00")
    )
    assert (breakdown.raw, breakdown.amount) == (Decimal("1200.00"), Decimal("1000.00"))
