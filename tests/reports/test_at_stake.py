"""Whether a second person is needed is asked of what was at stake, not of what a decision leaves. No database."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from contracts.models import ContractVersion
from incidents.models import Breach
from reports.models import BreachDecision


def decision(before: str, after: str, limit: str | None, second: User | None = None) -> BreachDecision:
    version = ContractVersion(second_person_above=limit and Decimal(limit))
    return BreachDecision(
        breach=Breach(version=version), amount_before=Decimal(before), amount_after=Decimal(after), second_by=second
    )


@pytest.mark.parametrize(
    ("before", "after", "limit", "waits"),
    [
        ("1000", "0", "100", True),
        ("1000", "1000", "100", True),
        ("1000", "99", "999.99", True),
        ("1000", "0", "1000", False),
        ("1000", "0", None, False),
    ],
)
def test_an_exclusion_to_zero_waits_as_a_confirmation_does(
    before: str, after: str, limit: str | None, waits: bool
) -> None:
    made = decision(before, after, limit)
    assert (made.awaits_second, made.standing) == (waits, Decimal(before if waits else after))


def test_once_another_has_agreed_it_counts() -> None:
    made = decision("1000", "0", "100", User(pk=2))
    assert (made.awaits_second, made.standing) == (False, Decimal(0))
