"""What a breach costs, to the grosz, by its own version's rule, under every limit and after what others have used."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.models import ContractVersion, PenaltyRule
from contracts.penalty.breach import Exclusion
from contracts.terms import seconds
from incidents import lifecycle
from incidents.models import Breach
from incidents.sweeps import sweep_clocks
from reports.money import review
from reports.money.pricing import BreachPricer
from tests import build
from tests.owner import as_owner
from tests.pages import counted
from tests.reports.missed import DEADLINE, late_repair, reacted

pytestmark = pytest.mark.django_db
LATER = DEADLINE + timedelta(days=2)


def priced(breach: Breach, *exclusions: Exclusion) -> Decimal:
    return BreachPricer([breach], LATER).priced(breach, exclusions).amount


def rule(**changed: Any) -> None:
    with as_owner():
        PenaltyRule.objects.filter(target__severity="P1", target__kind="restore").update(**changed)


@pytest.mark.parametrize(
    ("late", "amount"),
    [
        (timedelta(seconds=1), "100.00"),
        (timedelta(hours=1), "100.00"),
        (timedelta(hours=1, seconds=1), "200.00"),
        (timedelta(hours=1, minutes=8, seconds=5), "200.00"),
        (timedelta(hours=25), "2500.00"),
    ],
)
def test_each_started_hour_costs_its_share_of_the_fee(late: timedelta, amount: str) -> None:
    assert priced(late_repair(build.world(), late)) == Decimal(amount)


@pytest.mark.parametrize(
    ("changed", "amount"),
    [
        ({"rate": Decimal("0.125")}, "37.50"),
        ({"rate": Decimal("0.3333")}, "99.99"),
        ({"rate_type": "amount", "rate": Decimal("49.99")}, "149.97"),
        ({"unit": "once"}, "100.00"),
        ({"unit": "full_hour"}, "200.00"),
        ({"grace_minutes": 15}, "300.00"),
        ({"grace_minutes": 30}, "200.00"),
        ({"grace_minutes": 30, "grace_mode": "threshold"}, "300.00"),
        ({"grace_minutes": 150, "grace_mode": "threshold"}, "0.00"),
        ({"grace_minutes": 149, "grace_mode": "threshold"}, "300.00"),
    ],
)
def test_two_and_a_half_hours_cost_what_the_rule_says(changed: dict[str, Any], amount: str) -> None:
    breach = late_repair(build.world(), timedelta(hours=2, minutes=30))
    rule(**changed)
    assert priced(breach) == Decimal(amount)


@pytest.mark.parametrize(
    ("caps", "amount"),
    [
        ({"incident_cap_amount": Decimal(150)}, "150.00"),
        ({"incident_cap_percent": Decimal("1.25")}, "125.00"),
        ({"month_cap_percent": Decimal(2)}, "200.00"),
        ({"contract_cap_amount": Decimal("99.99")}, "99.99"),
        ({"incident_cap_amount": Decimal(250), "contract_cap_amount": Decimal(120)}, "120.00"),
        ({"incident_cap_amount": Decimal(500)}, "300.00"),
    ],
)
def test_a_limit_cuts_the_amount(caps: dict[str, Any], amount: str) -> None:
    assert priced(late_repair(build.world(**caps), timedelta(hours=2, minutes=30))) == Decimal(amount)


@pytest.mark.parametrize(
    ("caps", "amount"),
    [
        ({"incident_cap_amount": Decimal(350)}, "300.00"),
        ({"month_cap_percent": Decimal(4)}, "100.00"),
        ({"contract_cap_amount": Decimal(450)}, "150.00"),
        ({"contract_cap_amount": Decimal(300)}, "0.00"),
    ],
)
def test_what_was_decided_before_has_used_a_part_of_the_limit(caps: dict[str, Any], amount: str) -> None:
    """The first incident took 300 zł; a limit of an incident is each one's own."""
    world = build.world(**caps)
    first = late_repair(world, timedelta(hours=2, minutes=30))
    review.confirm(breach=first, by=world.manager, at=LATER)
    second = late_repair(world, timedelta(hours=2, minutes=30), at=build.at("2026-03-03 10:00"))
    assert priced(second) == Decimal(amount)


def test_a_month_s_limit_is_used_only_by_that_month() -> None:
    world = build.world(month_cap_percent=Decimal(4))
    last = late_repair(world, timedelta(hours=2, minutes=30), at=build.at("2026-02-27 10:00"))
    review.confirm(breach=last, by=world.manager, at=LATER)
    assert priced(late_repair(world, timedelta(hours=2, minutes=30))) == Decimal("300.00")


def test_another_client_s_decisions_use_nothing() -> None:
    world, other = build.world(contract_cap_amount=Decimal(300)), build.world("TUR")
    review.confirm(breach=late_repair(other, timedelta(hours=9)), by=world.manager, at=LATER)
    assert priced(late_repair(world, timedelta(hours=2, minutes=30))) == Decimal("300.00")


def test_an_excluded_span_is_taken_off_the_delay() -> None:
    breach = late_repair(build.world(), timedelta(hours=2, minutes=30))
    start = seconds(DEADLINE)
    assert priced(breach, Exclusion(start, start + 1800, "third_party")) == Decimal("200.00")
    assert priced(breach, Exclusion(start, start + 1799, "third_party")) == Decimal("300.00")
    assert priced(breach, Exclusion(start, start + 9000, "third_party")) == Decimal("0.00")


def test_only_the_target_s_own_hours_count_unless_the_contract_says_real_time() -> None:
    """P2, due on Tuesday 10:00 after 8 office hours; Wednesday 9:00 is 7 h of work late, 23 h in real time."""
    for code, delay_time, amount in (("MAK", "calendar", "700.00"), ("TUR", "real", "2300.00")):
        world = build.world(code, delay_time=delay_time)
        incident = reacted(world, what="some_payments")
        end = build.at("2026-03-04 09:00")
        sweep_clocks(at=end)
        lifecycle.resolve(incident=incident, by=world.agent, at=end, text="Poprawione.")
        assert priced(Breach.objects.get(incident=incident)) == Decimal(amount)


def test_time_between_a_delivery_and_its_rejection_is_not_delay() -> None:
    """Late since 14:00; delivered 14:30, sent back 16:30, fixed 17:05: 65 minutes are late."""
    world = build.world()
    incident = reacted(world)
    for hour, verb, by in (("14:30", lifecycle.resolve, world.agent), ("16:30", lifecycle.reject, world.reporter),
                           ("17:05", lifecycle.resolve, world.agent)):  # fmt: skip
        at = build.at(f"2026-03-02 {hour}")
        sweep_clocks(at=at)
        verb(incident=incident, by=by, at=at, text="Płatności.")
    breach = Breach.objects.get(incident=incident, target="restore")
    case = BreachPricer([breach], LATER).priced(breach)
    assert (case.delay, case.amount) == (3900, Decimal("200.00"))


def test_while_the_clock_runs_the_amount_grows() -> None:
    breach = late_repair(build.world(), timedelta(minutes=1), stopped=False)
    grown = [BreachPricer([breach], DEADLINE + timedelta(minutes=late)).priced(breach).amount for late in (1, 60, 61)]
    assert grown == [Decimal("100.00"), Decimal("100.00"), Decimal("200.00")]


def test_a_target_without_a_rule_costs_nothing_and_has_no_account() -> None:
    breach = late_repair(build.world(penalty=""), timedelta(hours=2))
    case = BreachPricer([breach], LATER).priced(breach)
    assert (case.breakdown, case.amount) == (None, Decimal("0.00"))


def test_the_rate_is_the_incident_s_version_s_and_the_fee_the_month_s() -> None:
    """Reported under version 1; a new fee holds from the day of the stop, the rule of version 1 stays."""
    world = build.world()
    breach = late_repair(world, timedelta(hours=2, minutes=30))
    ContractVersion.objects.filter(pk=world.version.pk).update(valid_to=date(2026, 3, 2))
    ContractVersion.objects.create(
        contract=world.version.contract, number=2, valid_from=date(2026, 3, 2), monthly_fee=Decimal(20000),
        created_by=world.manager, created_at=build.at("2026-02-01"),
    )  # fmt: skip
    assert priced(breach) == Decimal("600.00")


@pytest.mark.full
def test_pricing_fifty_breaches_asks_the_database_as_often_as_pricing_one() -> None:
    world = build.world()
    one = list(Breach.objects.filter(pk=late_repair(world, timedelta(hours=2)).pk).select_related("version__contract"))
    with counted("pricing"):
        BreachPricer(one, LATER).all_priced()
    for number in range(1, 50):
        late_repair(world, timedelta(hours=2), at=build.MONDAY + timedelta(minutes=number))
    many = list(Breach.objects.select_related("version__contract"))
    with counted("pricing"):
        assert len({case.amount for case in BreachPricer(many, LATER).all_priced()}) == 1
