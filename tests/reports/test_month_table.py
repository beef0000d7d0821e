"""The manager's month so far: what was due, what was missed, what it costs, how much of the contract's cap is gone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import Client
from incidents.models import Breach
from reports import review
from reports.month_table import ClientMonth, client_months
from reports.pricing import Book
from tests import build
from tests.reports.missed import DEADLINE, late_repair

pytestmark = pytest.mark.django_db
NOW = build.at("2026-03-20 12:00")
LATE = timedelta(hours=1, minutes=8)


def row() -> ClientMonth:
    open_breaches = Breach.objects.filter(decisions=None).select_related("incident", "version__contract")
    found = client_months(list(Client.objects.all()), Book(open_breaches, NOW).cases(), NOW)
    assert len(found) == 1
    return found[0]


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
    assert client_months(list(Client.objects.all()), [], NOW) == []
