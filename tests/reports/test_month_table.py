"""The manager's month so far: what was due, what was missed, what it costs, how much of the contract's cap is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Client
from contracts.models import Contract
from incidents.models import Breach
from reports.money import review
from reports.money.month_table import ContractMonth, contract_months, running
from reports.money.pricing import BreachPricer
from tests import build
from tests.pages import stop_clock, text_of, visitor
from tests.reports.missed import DEADLINE, late_repair

pytestmark = pytest.mark.django_db
NOW = build.at("2026-03-20 12:00")
LATE = timedelta(hours=1, minutes=8)


def table(now: datetime = NOW) -> list[ContractMonth]:
    open_breaches = Breach.objects.filter(decisions=None).select_related("incident", "version__contract")
    contracts = running(Client.objects.all(), now)
    pricer = BreachPricer(open_breaches, now, [contract.pk for contract in contracts])
    return contract_months(contracts, pricer, now)


def row() -> ContractMonth:
    (only,) = table()
    return only


def test_a_month_counts_the_times_that_came_and_the_one_that_was_missed() -> None:
    world = build.world(contract_cap_amount=Decimal(2000))
    late_repair(world, LATE)
    month = row()
    assert (month.due, month.missed, month.kept) == (2, 1, 1)
    assert (month.penalty, month.cap_used) == (Decimal("200.00"), 0)


def test_a_confirmed_breach_uses_up_the_contracts_cap() -> None:
    world = build.world(contract_cap_amount=Decimal(2000))
    breach = late_repair(world, LATE)
    review.confirm(breach=breach, by=world.manager, at=DEADLINE + timedelta(days=1))
    month = row()
    assert (month.penalty, month.cap_used) == (Decimal("200.00"), 10)


def test_a_breach_of_last_month_is_not_of_this_one() -> None:
    world = build.world()
    late_repair(world, LATE, at=build.at("2026-02-10 10:00"))
    month = row()
    assert (month.due, month.missed, month.penalty, month.cap_used) == (0, 0, Decimal(0), None)


def test_a_client_without_a_contract_has_no_row() -> None:
    build.client("LIS")
    assert table() == []


def second_contract(world: build.World, **terms: Any) -> build.World:
    """The same client with another shop under another contract."""
    shop = build.shop(world.client, "drugi.example")
    version = build.contract(world.client, [shop], by=world.manager, number="SLA/2", **terms)
    return replace(world, shop=shop, version=version)


def test_a_client_with_two_contracts_has_a_row_for_each_of_its_own_cap() -> None:
    """300 of 1,000 is 30 %; the other contract's 100,000 has nothing to do with it."""
    world = build.world(contract_cap_amount=Decimal(1000))
    second_contract(world, contract_cap_amount=Decimal(100000))
    breach = late_repair(world, timedelta(hours=2, minutes=30))
    review.confirm(breach=breach, by=world.manager, at=DEADLINE + timedelta(days=1))
    rows = [(one.contract.number, one.named, one.due, one.penalty, one.cap_used) for one in table()]
    assert rows == [("SLA/1", True, 2, Decimal(300), 30), ("SLA/2", True, 0, Decimal(0), 0)]


def test_the_page_says_which_contract_a_row_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, NOW)
    world = build.world(contract_cap_amount=Decimal(1000))
    other = second_contract(world, contract_cap_amount=Decimal(3000), currency="EUR")
    for place, late in ((world, 1), (other, 3)):
        late_repair(place, timedelta(hours=late))
    said = text_of(visitor(world.manager).get("/breaches/"))
    assert "Razem 100,00 zł + 300,00 EUR." in said
    assert "Mak sp. z o.o. SLA/1 1 z 2 100,00 zł 0 % Mak sp. z o.o. SLA/2 1 z 2 300,00 EUR 0 %" in said


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Warsaw", "2026-03-31 23:30", "2026-04-01 00:30"),
        ("Europe/Lisbon", "2026-04-01 00:30", "2026-04-01 01:30"),
        ("America/New_York", "2026-04-01 05:30", "2026-04-01 06:30"),
        ("Pacific/Auckland", "2026-03-31 12:30", "2026-03-31 13:30"),
    ],
)
def test_a_month_ends_at_the_contract_s_midnight(zone: str, before: str, after: str) -> None:
    """A repair that stops half an hour before it is March's, one that stops half an hour after it is April's."""
    world = build.world()
    Contract.objects.update(zone=zone)
    for text in (before, after):
        late_repair(world, timedelta(minutes=20), at=build.at(text) - timedelta(hours=4, minutes=20))
    now = build.at("2026-04-02 12:00")
    contract = Contract.objects.get()
    months = BreachPricer(Breach.objects.all(), now, [contract.pk]).months(contract.pk)
    assert months == {date(2026, 3, 1): Decimal(100), date(2026, 4, 1): Decimal(100)}
    (line,) = table(now)
    assert (line.month, line.due, line.missed, line.penalty) == (date(2026, 4, 1), 1, 1, Decimal(100))


def test_half_an_hour_into_the_month_of_warsaw_the_head_names_it_and_a_row_elsewhere_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """0:30 of 1 April in Warsaw, 22:30 of 31 March in UTC, 23:30 in Lisbon."""
    stop_clock(monkeypatch, build.at("2026-04-01 00:30"))
    world = build.world()
    other = second_contract(world)
    Contract.objects.filter(pk=other.version.contract_id).update(zone="Europe/Lisbon")
    for place in (world, other):
        late_repair(place, timedelta(hours=1), at=build.at("2026-03-31 17:00"))
    said = text_of(visitor(world.manager).get("/breaches/"))
    assert "Klienci w kwietniu 2026" in said
    assert "SLA/1 jeszcze żadnego 0,00 zł" in said
    assert "SLA/2 marzec 2026 1 z 2 100,00 zł" in said
