"""What must hold for every penalty and every month, whatever the terms."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.penalty.breach import Exclusion, Lateness, breach_penalty
from contracts.penalty.month import IncidentPenalties, MonthRules, PenaltyDue, SameCause, SameEvent, month, total_of
from contracts.penalty.rules import (
    ZERO,
    Cap,
    Caps,
    FeeBase,
    Grace,
    ResultLine,
    Scheme,
    Tier,
    Unit,
    Used,
    penalty,
    rounded,
    units_penalty,
)
from contracts.vocabulary import Cumulation, GraceMode, RateType

STEADY = settings(deadline=None)  # a busy machine is no error
WIDTHS = ("minute", "10min", "30min", "hour", "4h", "day_24h")
UNITS = ["once", "minute", *(f"{how}_{width}" for how in ("started", "full", "exact") for width in WIDTHS)]
RATES = st.decimals("0", "20", places=3)
SUMS = st.decimals("0", "3000", places=2)
DELAYS = st.integers(0, 40 * 86400)
CAPS = st.none() | st.builds(Cap, st.sampled_from(RateType), st.decimals("0", "60", places=1))
GRACES = st.none() | st.builds(Grace, st.integers(0, 7200), st.sampled_from(GraceMode))


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    kind, unit, grace = draw(st.sampled_from(RateType)), Unit.named(draw(st.sampled_from(UNITS))), draw(GRACES)
    if draw(st.booleans()):
        return Scheme(kind, unit, draw(RATES), grace=grace)
    edges = [Decimal(edge) for edge in sorted(draw(st.sets(st.integers(1, 60), max_size=3)))]
    tiers = tuple(Tier(edge, draw(RATES)) for edge in (*edges, None))
    return Scheme(kind, unit, tiers=tiers, grace=grace)


BASES = st.builds(
    lambda fee, parts, days: FeeBase(fee, Fraction(1, parts), days, 30), SUMS, st.integers(1, 7), st.integers(0, 30)
)


@STEADY
@given(schemes(), DELAYS, BASES, CAPS)
def test_the_lines_of_a_penalty_add_up_to_its_amount(
    scheme: Scheme, delay: int, base: FeeBase, cap: Cap | None
) -> None:
    breakdown = penalty(scheme, delay, base, cap)
    assert total_of(breakdown.lines) == Fraction(breakdown.amount)
    assert sum(line.seconds for line in breakdown.lines) == breakdown.seconds
    assert breakdown.lines[-1] == ResultLine(breakdown.amount)


@STEADY
@given(schemes(), DELAYS, BASES, st.builds(Cap, st.sampled_from(RateType), RATES), SUMS)
def test_no_penalty_exceeds_what_is_left_of_its_cap(
    scheme: Scheme, delay: int, base: FeeBase, cap: Cap, used: Decimal
) -> None:
    breakdown = penalty(scheme, delay, base, cap, used=Used(incident=used))
    assert 0 <= breakdown.amount <= max(Decimal(0), cap.limit(base.exact) - used)


@STEADY
@given(schemes(), DELAYS, DELAYS, BASES, CAPS)
def test_a_longer_delay_never_costs_less(scheme: Scheme, one: int, more: int, base: FeeBase, cap: Cap | None) -> None:
    if one == 0 and scheme.unit.name == "once":
        one = 1
    assert penalty(scheme, one, base, cap).amount <= penalty(scheme, one + more, base, cap).amount


@STEADY
@given(schemes(), DELAYS, BASES)
def test_a_penalty_is_within_half_a_grosz_of_a_unit_by_unit_sum(scheme: Scheme, delay: int, base: FeeBase) -> None:
    breakdown = penalty(scheme, delay, base)
    exact, unit = Fraction(0), Fraction(0)
    while unit < breakdown.units and unit < 2000:
        part = min(Fraction(1), breakdown.units - unit)
        tier = next(tier for tier in scheme.steps if tier.up_to is None or unit < tier.up_to)
        exact += part * Fraction(tier.rate) * (base.exact / 100 if scheme.kind is RateType.PERCENT else 1)
        unit += part
    if unit == breakdown.units:
        assert breakdown.raw == rounded(exact)


@STEADY
@given(schemes(), DELAYS, BASES, CAPS)
def test_units_that_are_known_cost_what_the_delay_costs_that_has_so_many(
    scheme: Scheme, delay: int, base: FeeBase, cap: Cap | None
) -> None:
    counted = penalty(scheme, delay, base, cap)
    known = units_penalty(scheme, counted.units, base, Caps(incident=cap))
    assert (known.amount, known.raw) == (counted.amount, counted.raw)
    assert total_of(known.lines) == Fraction(known.amount)


SPANS = st.lists(st.tuples(st.integers(-500, 3000), st.integers(0, 2000)), max_size=6)


@STEADY
@given(st.integers(0, 2500), SPANS, SPANS, st.randoms())
def test_excluded_time_is_what_a_walk_over_the_seconds_leaves_out(
    length: int, excluded: list[tuple[int, int]], uncounted: list[tuple[int, int]], random: object
) -> None:
    gaps = tuple((start, start + size) for start, size in uncounted)
    exclusions = [Exclusion(start, start + size, "third_party") for start, size in excluded]
    walked = sum(
        not any(e.start <= s < e.end for e in exclusions) and not any(a <= s < b for a, b in gaps)
        for s in range(length)
    )
    scheme = Scheme(RateType.AMOUNT, Unit.named("exact_minute"), Decimal(1))
    breakdown = breach_penalty(scheme, Lateness(0, length, uncounted=gaps), Decimal(0), exclusions=exclusions)
    assert breakdown.seconds == walked
    turned = breach_penalty(scheme, Lateness(0, length, uncounted=gaps), Decimal(0), exclusions=exclusions[::-1])
    assert turned.amount == breakdown.amount


OWED = st.builds(
    PenaltyDue,
    st.sampled_from(["reaction", "restore", "availability"]),
    SUMS,
    st.booleans(),
    st.frozensets(st.sampled_from("abc"), max_size=2),
)
INCIDENTS = st.builds(
    IncidentPenalties,
    st.text("MAK-0123", max_size=4),
    st.lists(OWED, max_size=3).map(tuple),
    SUMS,
    st.sampled_from(["", "hosting", "payments"]),
    st.booleans(),
)
RULES = st.builds(
    MonthRules,
    st.sampled_from(Cumulation),
    st.builds(Caps, CAPS, CAPS, CAPS, CAPS),
    st.sampled_from(SameEvent),
    st.sampled_from(SameCause),
)
MONTHS = st.lists(INCIDENTS, max_size=5)


@STEADY
@given(MONTHS, RULES, SUMS, SUMS)
def test_the_lines_of_a_month_add_up_and_no_cap_is_exceeded(
    incidents: list[IncidentPenalties], rules: MonthRules, charged: Decimal, waived: Decimal
) -> None:
    fee = Decimal("2500.00")
    breakdown = month(fee, incidents, rules, charged=charged, waived=waived)
    assert total_of(breakdown.lines) == Fraction(breakdown.final)
    stages = [
        breakdown.after_contract_cap,
        breakdown.after_quarter_cap,
        breakdown.after_month_cap,
        breakdown.before_caps,
    ]
    assert [breakdown.final, *stages] == sorted([breakdown.final, *stages])
    assert breakdown.final >= 0
    caps = rules.caps
    assert caps.month is None or breakdown.after_month_cap <= caps.month.limit(fee)
    assert caps.quarter is None or breakdown.after_quarter_cap <= caps.quarter.limit(fee)
    assert caps.contract is None or breakdown.after_contract_cap <= max(ZERO, caps.contract.limit(fee) - charged)
    for incident, amount in zip(incidents, breakdown.per_incident, strict=True):
        if caps.incident is not None and incident.capped:
            assert amount <= max(ZERO, caps.incident.limit(fee) - incident.used)


@STEADY
@given(MONTHS, RULES, SUMS, SUMS, st.randoms())
def test_the_order_of_incidents_and_targets_changes_no_sum(
    incidents: list[IncidentPenalties], rules: MonthRules, charged: Decimal, waived: Decimal, random: object
) -> None:
    first = month(Decimal("2500.00"), incidents, rules, charged=charged, waived=waived)
    turned = [replace(incident, owed=incident.owed[::-1]) for incident in incidents]
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert month(Decimal("2500.00"), turned, rules, charged=charged, waived=waived).final == first.final


@STEADY
@given(MONTHS, RULES, SUMS, st.data())
def test_waiving_a_line_never_costs_the_client_more_than_the_line(
    incidents: list[IncidentPenalties], rules: MonthRules, charged: Decimal, data: st.DataObject
) -> None:
    places = [(i, j) for i, one in enumerate(incidents) for j, owed in enumerate(one.owed) if not owed.waived]
    if not places:
        return
    i, j = data.draw(st.sampled_from(places))
    owed = list(incidents[i].owed)
    owed[j] = replace(owed[j], waived=True)
    without = [*incidents[:i], replace(incidents[i], owed=tuple(owed)), *incidents[i + 1 :]]
    before = month(Decimal("2500.00"), incidents, rules, charged=charged).final
    after = month(Decimal("2500.00"), without, rules, charged=charged).final
    assert before - after <= incidents[i].owed[j].raw
