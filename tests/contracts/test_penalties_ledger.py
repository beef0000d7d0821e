"""The ledger of a contract: whoever decides first, a month's sum is the same; each row's lines lead to its share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.penalty.ledger import HighestLine, Limits, MissedTarget, NotHighestLine, settle
from contracts.penalty.month import EarlierLine, IncidentPenalties, MonthRules, PenaltyDue, month, total_of
from contracts.penalty.rules import NO_CAPS, ZERO, Cap, Caps
from contracts.vocabulary import Cumulation, RateType

STEADY = settings(deadline=None)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
FEE = Decimal("2500.00")
SUMS = st.decimals("0", "900", places=2)
CAP = st.none() | st.builds(Cap, st.sampled_from(RateType), st.decimals("0", "60", places=1))
CAPS = st.builds(Caps, CAP, CAP, CAP)
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


@st.composite
def ledgers(draw: st.DrawFn) -> list[MissedTarget]:
    """Rows of a contract over two months, settled by one version up to some stop and by another after it."""
    caps = [draw(CAPS), draw(CAPS)]
    change = draw(st.integers(0, 20))
    cumulations = {name: draw(st.sampled_from(Cumulation)) for name in "ABC"}
    rows = []
    for key in range(draw(st.integers(0, 9))):
        stop, name = draw(st.integers(0, 20)), draw(st.sampled_from("ABC"))
        version = int(stop >= change)
        rows.append(
            row(key, draw(SUMS), incident=name, stop=stop, first=MARCH if stop < 10 else APRIL, caps=caps[version],
                version=version, cumulation=cumulations[name])
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
