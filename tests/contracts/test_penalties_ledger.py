"""The ledger of a contract: whoever decides first, a month's sum is the same; each row's lines lead to its share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.penalty.ledger import HighestLine, Limits, MissedTarget, NotHighestLine, quarter_of, settle
from contracts.penalty.month import EarlierLine, IncidentPenalties, MonthRules, PenaltyDue, month, total_of
from contracts.penalty.rules import NO_CAPS, ZERO, Cap, CapLevel, CapLine, Caps
from contracts.vocabulary import Cumulation, RateType

STEADY = settings(deadline=None)
FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
FEE = Decimal("2500.00")
SUMS = st.decimals("0", "900", places=2)
CAP = st.none() | st.builds(Cap, st.sampled_from(RateType), st.decimals("0", "60", places=1))
KINDS = st.lists(
    st.tuples(st.sampled_from(["reaction", "restore"]), CAP.filter(bool)), max_size=2, unique_by=lambda kind: kind[0]
).map(tuple)
CAPS = st.builds(Caps, CAP, CAP, CAP, CAP, KINDS)
HIGHEST = Cumulation.HIGHEST


def row(
    key: int, amount: str | Decimal, *, incident: str = "MAK-0001", first: date = MARCH, stop: int | None = None,
    caps: Caps = NO_CAPS, cumulation: Cumulation = HIGHEST, version: int = 1, target: str = "restore",
) -> MissedTarget:  # fmt: skip
    stop = key if stop is None else stop
    return MissedTarget(key, incident, target, stop, first, Decimal(amount), Limits(version, FEE, caps), cumulation)


def counted(*rows: MissedTarget) -> list[Decimal]:
    shares = settle(rows).shares
    return [shares[one.key].amount for one in rows]


def test_the_lower_one_does_not_count_and_both_say_why() -> None:
    ledger = settle([row(1, "60", target="reaction"), row(2, "100")])
    lower, higher = ledger.shares[1], ledger.shares[2]
    assert (lower.amount, lower.lines) == (ZERO, (NotHighestLine("reaction", Decimal(60), "restore", Decimal(100)),))
    assert (higher.amount, higher.lines) == (
        Decimal(100), (HighestLine("restore", Decimal(100), (("reaction", Decimal(60)),)),)
    )  # fmt: skip
    assert (ledger.months, ledger.total) == ({MARCH: Decimal(100)}, Decimal(100))


def test_of_equal_ones_the_first_counts() -> None:
    assert counted(row(1, "60"), row(2, "60")) == [Decimal(60), ZERO]


def test_what_an_earlier_month_charged_is_taken_off_the_higher_one_of_a_later() -> None:
    ledger = settle([row(1, "60"), row(2, "100", first=APRIL)])
    assert ledger.months == {MARCH: Decimal(60), APRIL: Decimal(40)}
    assert ledger.shares[2].lines == (EarlierLine("MAK-0001", Decimal(60), Decimal(60)),)
    assert settle([row(1, "100"), row(2, "60", first=APRIL)]).months == {MARCH: Decimal(100), APRIL: ZERO}


def test_each_incident_cumulates_by_its_own_version() -> None:
    both = [row(1, "60", incident="A"), row(2, "100", incident="A")]
    other = [row(3, "60", incident="B", cumulation=Cumulation.CUMULATIVE),
             row(4, "100", incident="B", cumulation=Cumulation.CUMULATIVE)]  # fmt: skip
    assert settle([*both, *other]).total == Decimal(260)


def test_a_month_settled_by_two_versions_has_one_limit_after_the_other() -> None:
    """10 % of 2 500 zł, then 20 %: the second part has what the first left."""
    ten, twenty = (Caps(month=Cap(RateType.PERCENT, Decimal(percent))) for percent in (10, 20))
    assert counted(
        row(1, "300", incident="A", caps=ten), row(2, "300", incident="B", caps=twenty, version=2),
        row(3, "300", incident="C", caps=twenty, version=2, first=APRIL),
    ) == [Decimal(250), Decimal(250), Decimal(300)]  # fmt: skip


def amount(value: str) -> Cap:
    return Cap(RateType.AMOUNT, Decimal(value))


def test_a_quarter_s_limit_spans_its_months_and_no_other() -> None:
    caps = Caps(quarter=amount("250"))
    assert counted(
        row(1, "100", incident="A", first=FEBRUARY, caps=caps), row(2, "200", incident="B", caps=caps),
        row(3, "90", incident="C", caps=caps), row(4, "90", incident="D", first=APRIL, caps=caps),
    ) == [Decimal(100), Decimal(150), ZERO, Decimal(90)]  # fmt: skip


def test_a_kind_of_penalty_has_its_own_limit_in_a_month_before_the_incident_s() -> None:
    caps = Caps(incident=amount("100"), kinds=(("reaction", amount("70")),))
    rows = [
        row(1, "60", incident="A", target="reaction", caps=caps, cumulation=Cumulation.CUMULATIVE),
        row(2, "90", incident="A", caps=caps, cumulation=Cumulation.CUMULATIVE),
        row(3, "60", incident="B", target="reaction", caps=caps),
        row(4, "60", incident="C", target="reaction", caps=caps, first=APRIL),
    ]
    assert counted(*rows) == [Decimal(60), Decimal(40), Decimal(10), Decimal(60)]
    assert settle(rows).shares[3].lines[0] == CapLine(
        CapLevel.KIND, Decimal(70), Decimal(60), Decimal(60), Decimal(10), "reaction"
    )


@st.composite
def ledgers(draw: st.DrawFn) -> list[MissedTarget]:
    """Rows over three months of two quarters, settled by one version up to some stop and by another after it."""
    caps = [draw(CAPS), draw(CAPS)]
    change = draw(st.integers(0, 20))
    cumulations = {name: draw(st.sampled_from(Cumulation)) for name in "ABC"}
    rows = []
    for key in range(draw(st.integers(0, 9))):
        stop, name = draw(st.integers(0, 20)), draw(st.sampled_from("ABC"))
        version = int(stop >= change)
        first = [FEBRUARY, MARCH, APRIL][stop // 7]
        rows.append(
            row(key, draw(SUMS), incident=name, stop=stop, first=first, caps=caps[version], version=version,
                target=draw(st.sampled_from(["reaction", "restore"])), cumulation=cumulations[name])
        )  # fmt: skip
    return rows


@STEADY
@given(ledgers(), st.randoms())
def test_no_order_of_decisions_changes_a_sum_and_every_line_adds_up(rows: list[MissedTarget], random: Random) -> None:
    ledger = settle(rows)
    turned = list(rows)
    random.shuffle(turned)
    assert settle(turned) == ledger
    for first, owed in ledger.months.items():
        assert owed == sum((ledger.shares[one.key].amount for one in rows if one.month == first), ZERO)
    for one in rows:
        share = ledger.shares[one.key]
        assert 0 <= share.amount <= one.amount
        assert Fraction(one.amount) + total_of(share.lines) == share.amount


@STEADY
@given(st.lists(st.tuples(st.sampled_from("ABC"), SUMS), max_size=8), CAPS, st.sampled_from(Cumulation))
def test_a_month_of_the_ledger_is_that_of_penalty_month(
    owed: list[tuple[str, Decimal]], caps: Caps, cumulation: Cumulation
) -> None:
    caps = replace(caps, kinds=())  # taken off before, in the order of the stops
    rows = [
        row(key, amount, incident=name, caps=caps, cumulation=cumulation) for key, (name, amount) in enumerate(owed)
    ]
    names = list(dict.fromkeys(name for name, _amount in owed))
    incidents = [
        IncidentPenalties(name, tuple(PenaltyDue("restore", raw) for of, raw in owed if of == name)) for name in names
    ]
    assert settle(rows).total == month(FEE, incidents, MonthRules(cumulation, caps)).final


@STEADY
@given(ledgers())
def test_without_limits_an_incident_owes_its_highest_or_its_sum(rows: list[MissedTarget]) -> None:
    bare = [row(one.key, one.amount, incident=one.incident, stop=one.stop, first=one.month, cumulation=one.cumulation)
            for one in rows]  # fmt: skip
    shares = settle(bare).shares
    for name in {one.incident for one in bare}:
        amounts = [one.amount for one in bare if one.incident == name]
        rule = next(one.cumulation for one in bare if one.incident == name)
        owes = sum((shares[one.key].amount for one in bare if one.incident == name), ZERO)
        assert owes == (max(amounts) if rule is HIGHEST else sum(amounts, ZERO))


@STEADY
@given(ledgers(), CAPS)
def test_no_kind_and_no_quarter_costs_more_than_its_limit(rows: list[MissedTarget], caps: Caps) -> None:
    rows = [replace(one, limits=Limits(1, FEE, caps)) for one in rows]
    shares = settle(rows).shares
    for first in (FEBRUARY, MARCH, APRIL):
        for kind, cap in caps.kinds:
            owed = sum((shares[one.key].amount for one in rows if (one.month, one.target) == (first, kind)), ZERO)
            assert owed <= cap.limit(FEE)
        if caps.quarter:
            quarter = quarter_of(first)
            owed = sum((shares[one.key].amount for one in rows if quarter_of(one.month) == quarter), ZERO)
            assert owed <= caps.quarter.limit(FEE)


@STEADY
@given(ledgers(), CAPS, SUMS)
def test_a_row_that_costs_more_never_counts_less(rows: list[MissedTarget], caps: Caps, more: Decimal) -> None:
    if not rows:
        return
    rows = [replace(one, limits=Limits(1, FEE, caps), cumulation=Cumulation.CUMULATIVE) for one in rows]
    worse = [replace(rows[0], amount=rows[0].amount + more), *rows[1:]]
    assert settle(worse).shares[rows[0].key].amount >= settle(rows).shares[rows[0].key].amount
