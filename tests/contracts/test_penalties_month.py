"""A month: cumulation, caps in their order, waived lines and sums, one event and one cause."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from contracts.penalty.credit import Band, BandLine, MeasuredLine, band_percent, credit
from contracts.penalty.month import (
    DroppedLine,
    DropReason,
    IncidentPenalties,
    MonthRules,
    PenaltyDue,
    SameCause,
    SameEvent,
    WaivedLine,
    month,
    total_of,
)
from contracts.penalty.rules import ZERO, Cap, Caps, Line, PenaltyError, ResultLine
from contracts.vocabulary import Cumulation, RateType

FEE = Decimal("5000.00")
TWENTY = Caps(month=Cap(RateType.PERCENT, Decimal(20)))


def incident(name: str, *amounts: str, cause: str = "", used: Decimal = ZERO) -> IncidentPenalties:
    return IncidentPenalties(
        name, tuple(PenaltyDue("restore", Decimal(amount)) for amount in amounts), cause=cause, used=used
    )


def dropped(lines: tuple[Line, ...]) -> list[tuple[str, DropReason]]:
    return [(line.subject, line.reason) for line in lines if isinstance(line, DroppedLine)]


@pytest.mark.parametrize(("rule", "amount"), [(Cumulation.CUMULATIVE, "250.00"), (Cumulation.HIGHEST, "200.00")])
def test_several_targets_of_an_incident_add_up_or_the_highest_counts(rule: Cumulation, amount: str) -> None:
    breakdown = month(FEE, [incident("1", "50.00", "200.00")], MonthRules(rule))
    assert breakdown.per_incident == (Decimal(amount),)
    assert breakdown.final == Decimal(amount)


def test_the_incident_cap_comes_before_the_months() -> None:
    caps = Caps(Cap(RateType.PERCENT, Decimal(10)), Cap(RateType.PERCENT, Decimal(20)))
    breakdown = month(FEE, [incident("1", "900.00"), incident("2", "350"), incident("3", "400")], MonthRules(caps=caps))
    assert breakdown.per_incident == (Decimal("500.00"), Decimal(350), Decimal(400))
    assert (breakdown.before_caps, breakdown.final) == (Decimal("1250.00"), Decimal("1000.00"))


def test_an_incidents_cap_follows_it_into_the_next_month() -> None:
    caps = Caps(incident=Cap(RateType.AMOUNT, Decimal("500.00")))
    breakdown = month(FEE, [incident("1", "300.00", used=Decimal("450.00"))], MonthRules(caps=caps))
    assert breakdown.final == Decimal("50.00")


@pytest.mark.parametrize(
    ("charged", "final"), [("17000", "900.00"), ("17400", "600.00"), ("18000", "0.00"), ("19000", "0.00")]
)
def test_the_contract_gives_what_is_left_of_its_cap(charged: str, final: str) -> None:
    caps = Caps(contract=Cap(RateType.AMOUNT, Decimal("18000.00")))
    breakdown = month(FEE, [incident("1", "900.00")], MonthRules(caps=caps), charged=Decimal(charged))
    assert breakdown.after_contract_cap == Decimal(final)


def test_a_waived_sum_is_taken_after_the_caps() -> None:
    breakdown = month(FEE, [incident("1", "600"), incident("2", "700")], MonthRules(caps=TWENTY), waived=Decimal(100))
    assert (breakdown.after_month_cap, breakdown.final) == (Decimal("1000.00"), Decimal("900.00"))


def test_a_waived_line_leaves_before_the_caps() -> None:
    waived = IncidentPenalties("2", (PenaltyDue("restore", Decimal("700.00"), waived=True),))
    breakdown = month(FEE, [incident("1", "600.00"), waived], MonthRules(caps=TWENTY))
    assert (breakdown.before_caps, breakdown.final) == (Decimal("600.00"), Decimal("600.00"))
    assert dropped(breakdown.lines) == [("2", DropReason.WAIVED)]


def test_no_more_is_waived_than_there_is() -> None:
    breakdown = month(FEE, [incident("1", "60.00")], waived=Decimal("100.00"))
    assert breakdown.final == Decimal("0.00")
    assert WaivedLine(Decimal("100.00"), Decimal("60.00")) in breakdown.lines


def test_a_month_without_incidents_owes_nothing() -> None:
    breakdown = month(FEE, [], MonthRules(caps=TWENTY))
    assert (breakdown.per_incident, breakdown.final) == ((), Decimal("0.00"))
    assert breakdown.lines[-1] == ResultLine(Decimal("0.00"))


def with_credit(credited: str, *delays: str) -> list[IncidentPenalties]:
    events = frozenset({"outage-1"})
    late = IncidentPenalties("MAK-1", tuple(PenaltyDue("restore", Decimal(delay), events=events) for delay in delays))
    other = IncidentPenalties("MAK-2", (PenaltyDue("restore", Decimal("10.00"), events=frozenset({"outage-2"})),))
    return [
        IncidentPenalties("", (PenaltyDue("availability", Decimal(credited), events=events),), capped=False),
        late,
        other,
    ]


@pytest.mark.parametrize(
    ("credited", "rule", "final", "out"),
    [
        ("100.00", SameEvent.BOTH, "190.00", []),
        ("100.00", SameEvent.GREATER, "110.00", ["MAK-1", "MAK-1"]),
        ("80.00", SameEvent.GREATER, "90.00", ["MAK-1", "MAK-1"]),
        ("79.99", SameEvent.GREATER, "90.00", [""]),
    ],
)
def test_one_event_is_paid_as_credit_or_as_penalty(credited: str, rule: SameEvent, final: str, out: list[str]) -> None:
    breakdown = month(FEE, with_credit(credited, "30.00", "50.00"), MonthRules(same_event=rule))
    assert breakdown.final == Decimal(final)
    assert dropped(breakdown.lines) == [(name, DropReason.SAME_EVENT) for name in out]


def test_a_credit_meets_no_incident_cap() -> None:
    caps = Caps(incident=Cap(RateType.AMOUNT, Decimal("40.00")))
    breakdown = month(FEE, with_credit("100.00", "50.00"), MonthRules(caps=caps))
    assert breakdown.per_incident == (Decimal("100.00"), Decimal("40.00"), Decimal("10.00"))


@pytest.mark.parametrize(("rule", "final"), [(SameCause.EACH, "470.00"), (SameCause.ONE, "320.00")])
def test_one_cause_at_several_shops_is_several_penalties_or_the_greatest(rule: SameCause, final: str) -> None:
    hosting = [incident("1", "150.00", cause="hosting"), incident("2", "200.00", cause="hosting")]
    breakdown = month(FEE, [*hosting, incident("3", "120.00")], MonthRules(same_cause=rule))
    assert breakdown.final == Decimal(final)
    assert total_of(breakdown.lines) == Fraction(final)


@pytest.mark.parametrize(("charged", "waived"), [("-1", "0"), ("0", "-1")])
def test_negative_sums_are_refused(charged: str, waived: str) -> None:
    with pytest.raises(PenaltyError, match="-1"):
        month(FEE, [], charged=Decimal(charged), waived=Decimal(waived))


BANDS = (
    Band(Decimal("99.5"), Decimal("99.0"), Decimal(5)),
    Band(Decimal("99.0"), Decimal("95.0"), Decimal(20)),
    Band(Decimal("95.0"), None, Decimal(50)),
)


@pytest.mark.parametrize(
    ("availability", "percent", "amount"),
    [
        (Fraction(1), "0", "0.00"),
        (Fraction(995, 1000), "0", "0.00"),
        (Fraction(9949999999, 10000000000), "5", "200.00"),
        (Fraction(99, 100), "5", "200.00"),
        (Fraction(98, 100), "20", "800.00"),
        (Fraction(0), "50", "2000.00"),
    ],
)
def test_exactly_the_commitment_is_compliant(availability: Fraction, percent: str, amount: str) -> None:
    breakdown = credit(BANDS, Decimal("99.5"), availability, Decimal("4000.00"))
    assert (band_percent(breakdown), breakdown.amount) == (Decimal(percent), Decimal(amount))
    assert breakdown.lines[0] == MeasuredLine(availability, Decimal("99.5"), met=percent == "0")
    assert breakdown.lines[-1] == ResultLine(Decimal(amount))


def test_a_credit_names_its_band() -> None:
    breakdown = credit(BANDS, Decimal("99.5"), Fraction(94, 100), Decimal("333.33"))
    assert BandLine(Decimal("95.0"), None, Decimal(50)) in breakdown.lines
    assert breakdown.amount == Decimal("166.67")


def test_bands_that_overlap_are_refused() -> None:
    with pytest.raises(PenaltyError, match="overlap"):
        credit([*BANDS, Band(Decimal(96), None, Decimal(1))], Decimal("99.5"), Fraction(1), FEE)
