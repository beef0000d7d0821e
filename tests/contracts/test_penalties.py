"""Every scheme, unit, grace, base and cap of a single penalty, with exact amounts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from contracts.penalty.rules import (
    BaseLine,
    Cap,
    CapLine,
    ChargeLine,
    ExplainedAmount,
    FeeBase,
    Grace,
    LateLine,
    PenaltyError,
    ResultLine,
    RoundLine,
    Scheme,
    Tier,
    Unit,
    UnitsLine,
    Used,
    penalty,
    rounded,
)
from contracts.vocabulary import GraceMode, RateType

FEE = Decimal("5000.00")


def percent(rate: str, unit: str, grace: Grace | None = None) -> Scheme:
    return Scheme(RateType.PERCENT, Unit.named(unit), Decimal(rate), grace=grace)


def total(breakdown: ExplainedAmount) -> Fraction:
    return sum((line.change for line in breakdown.lines), Fraction(0))


@pytest.mark.parametrize(
    ("unit", "seconds", "units"),
    [
        ("started_hour", 1, 1),
        ("started_hour", 3600, 1),
        ("started_hour", 3601, 2),
        ("full_hour", 3599, 0),
        ("full_hour", 7200, 2),
        ("exact_hour", 5400, Fraction(3, 2)),
        ("minute", 61, 2),
        ("started_minute", 60, 1),
        ("full_minute", 119, 1),
        ("started_10min", 601, 2),
        ("full_30min", 6000, 3),
        ("started_4h", 14401, 2),
        ("full_4h", 14400, 1),
        ("started_day_24h", 86401, 2),
        ("full_day", 172799, 1),
        ("exact_day_24h", 43200, Fraction(1, 2)),
        ("once", 86400, 1),
    ],
)
def test_a_delay_counts_in_started_full_or_exact_units(unit: str, seconds: int, units: Fraction | int) -> None:
    assert penalty(percent("1", unit), seconds, FEE).units == units


@pytest.mark.parametrize("name", ["started_week", "hour", "halves", "", "full_0min", "started", "full_once"])
def test_a_unit_that_nobody_agreed_is_named(name: str) -> None:
    with pytest.raises(PenaltyError, match=f"unknown unit: '{name}'"):
        Unit.named(name)


def test_three_hours_twenty_at_one_percent_is_two_hundred_zlotys_line_by_line() -> None:
    breakdown = penalty(percent("1", "started_hour"), 12000, FEE)
    assert breakdown.lines == (
        LateLine(12000),
        UnitsLine(12000, "started_hour", Fraction(4)),
        ChargeLine(
            RateType.PERCENT, Decimal(1), Fraction(4), "started_hour", Fraction(5000), Fraction(0), Fraction(200)
        ),
        ResultLine(Decimal("200.00")),
    )
    assert (breakdown.amount, breakdown.raw) == (Decimal("200.00"), Decimal("200.00"))


def test_tiers_charge_each_unit_at_the_rate_of_its_own_tier() -> None:
    tiers = (Tier(Decimal(4), Decimal(1)), Tier(Decimal(8), Decimal("1.5")), Tier(None, Decimal(2)))
    breakdown = penalty(
        Scheme(RateType.PERCENT, Unit.named("started_hour"), tiers=tiers), 10 * 3600, Decimal("6000.00")
    )
    charges = [(int(line.units), int(line.amount)) for line in breakdown.lines if isinstance(line, ChargeLine)]
    assert charges == [(4, 240), (4, 360), (2, 240)]
    assert breakdown.amount == Decimal("840.00")


def test_tiers_of_amounts_add_up_too() -> None:
    tiers = (Tier(Decimal(1), Decimal(100)), Tier(None, Decimal(250)))
    breakdown = penalty(Scheme(RateType.AMOUNT, Unit.named("started_day_24h"), tiers=tiers), 86401, Decimal(0))
    assert breakdown.amount == Decimal("350.00")


@pytest.mark.parametrize(
    "tiers",
    [
        (Tier(None, Decimal(1)), Tier(Decimal(4), Decimal(2))),
        (Tier(Decimal(4), Decimal(1)), Tier(Decimal(4), Decimal(2))),
        (Tier(Decimal(0), Decimal(1)),),
    ],
)
def test_tiers_that_do_not_rise_are_refused(tiers: tuple[Tier, ...]) -> None:
    with pytest.raises(PenaltyError, match="tiers must rise"):
        Scheme(RateType.PERCENT, Unit.named("started_hour"), tiers=tiers)


def test_a_rule_has_a_rate_or_tiers_and_neither_is_negative() -> None:
    with pytest.raises(PenaltyError, match="either a rate or tiers"):
        Scheme(RateType.PERCENT, Unit.named("once"))
    with pytest.raises(PenaltyError, match="can't be negative"):
        percent("-1", "once")


@pytest.mark.parametrize(
    ("mode", "delay", "units"),
    [
        (GraceMode.DEDUCTIBLE, 900, 0),
        (GraceMode.DEDUCTIBLE, 4500, 1),
        (GraceMode.DEDUCTIBLE, 4501, 2),
        (GraceMode.THRESHOLD, 900, 0),
        (GraceMode.THRESHOLD, 901, 1),
        (GraceMode.THRESHOLD, 4500, 2),
    ],
)
def test_grace_takes_the_first_minutes_or_nothing_at_all(mode: GraceMode, delay: int, units: int) -> None:
    breakdown = penalty(percent("1", "started_hour", grace=Grace(900, mode)), delay, FEE)
    assert breakdown.units == units
    assert sum(line.seconds for line in breakdown.lines) == breakdown.seconds


def test_once_per_breach_is_due_at_delay_zero_but_not_without_a_breach() -> None:
    flat = Scheme(RateType.AMOUNT, Unit.named("once"), Decimal("500.00"))
    assert penalty(flat, 0, Decimal(0)).amount == Decimal("500.00")
    assert penalty(flat, 0, Decimal(0), late=False).amount == Decimal("0.00")


def test_once_per_breach_is_not_due_for_a_delay_that_grace_forgives() -> None:
    flat = Scheme(RateType.AMOUNT, Unit.named("once"), Decimal("500.00"), grace=Grace(900, GraceMode.THRESHOLD))
    assert penalty(flat, 900, Decimal(0)).amount == Decimal("0.00")
    assert penalty(flat, 901, Decimal(0)).amount == Decimal("500.00")


def test_a_penalty_is_rounded_once_and_half_up() -> None:
    breakdown = penalty(percent("0.125", "started_hour"), 60, Decimal("860.00"))
    assert breakdown.amount == Decimal("1.08")
    assert RoundLine(Fraction("1.075"), Decimal("1.08")) in breakdown.lines


def test_units_are_not_rounded_one_by_one() -> None:
    assert penalty(percent("0.125", "started_hour"), 3 * 3600, Decimal("860.00")).amount == Decimal("3.23")


@pytest.mark.parametrize(
    ("exact", "money"),
    [
        ("0.005", "0.01"),
        ("0.00499999", "0.00"),
        ("2.675", "2.68"),
        ("12345678901234567890.125", "12345678901234567890.13"),
    ],
)
def test_half_a_grosz_goes_up_at_any_size(exact: str, money: str) -> None:
    assert rounded(Fraction(exact)) == Decimal(money)


def test_the_base_is_the_shops_share_pro_rata_and_its_snapshot_is_a_line() -> None:
    base = FeeBase(Decimal("9000.00"), Fraction(1, 3), days=10, of_days=30, month="2026-11", version="2")
    breakdown = penalty(percent("2", "started_hour"), 7200, base)
    assert breakdown.amount == Decimal("40.00")
    assert BaseLine(Decimal("9000.00"), Fraction(1, 3), 10, 30, "2026-11", "2", Fraction(1000)) in breakdown.lines


def test_an_inexact_base_is_not_rounded_before_the_penalty_is() -> None:
    base = FeeBase(Decimal("100.00"), Fraction(1, 3))
    assert penalty(percent("10", "started_hour"), 9 * 3600, base).amount == Decimal("30.00")


@pytest.mark.parametrize("wrong", [{"days": 31, "of_days": 30}, {"days": 3}, {"share": Fraction(-1)}])
def test_a_base_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(PenaltyError):
        FeeBase(Decimal("100.00"), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cap", "amount"),
    [
        (None, "2400.00"),
        (Cap(RateType.PERCENT, Decimal(20)), "1000.00"),
        (Cap(RateType.AMOUNT, Decimal("750.00")), "750.00"),
        (Cap(RateType.PERCENT, Decimal(48)), "2400.00"),
        (Cap(RateType.AMOUNT, Decimal(0)), "0.00"),
    ],
)
def test_an_incident_cap_is_a_share_of_the_fee_an_amount_or_absent(cap: Cap | None, amount: str) -> None:
    breakdown = penalty(percent("1", "started_hour"), 172800, FEE, cap)
    assert (breakdown.raw, breakdown.amount) == (Decimal("2400.00"), Decimal(amount))
    assert total(breakdown) == Fraction(breakdown.amount)


def test_a_later_month_gets_what_is_left_of_the_incidents_cap() -> None:
    cap = Cap(RateType.AMOUNT, Decimal("500.00"))
    breakdown = penalty(percent("1", "started_hour"), 36000, FEE, cap, used=Used(incident=Decimal("460.00")))
    assert breakdown.amount == Decimal("40.00")
    left = [line for line in breakdown.lines if isinstance(line, CapLine)]
    assert [(line.used, line.before, line.after) for line in left] == [
        (Decimal("460.00"), Decimal("500.00"), Decimal("40.00"))
    ]


def test_a_negative_delay_is_an_error_not_a_present() -> None:
    with pytest.raises(PenaltyError, match="-1 s"):
        penalty(percent("1", "started_hour"), -1, FEE)
