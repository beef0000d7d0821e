"""The verbs of a contract: all of it or nothing, days only ahead, versions one after the other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from accounts.models import User
from contracts import agreements
from contracts.agreements import PenaltySpec, StepSpec, TargetSpec, VersionSpec
from contracts.models import Calendar, CalendarDay, Contract, ContractVersion, EscalationStep, PenaltyRule, Shop, Target
from tests import build
from wording.refusals import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> User:
    return build.staff("Marek Dyr", role="manager")


@pytest.fixture
def shop() -> Shop:
    return build.shop(build.client())


def version(start: str = "2026-04-01", **changes: Any) -> VersionSpec:
    restore = TargetSpec("P1", "restore", 240, build.round_the_clock(), PenaltySpec(Decimal(2)))
    return VersionSpec(**{
        "valid_from": date.fromisoformat(start), "monthly_fee": Decimal(4000), "targets": [restore],
        "steps": [StepSpec("restore", 50, "duty")], **changes,
    })  # fmt: skip


def create(shop: Shop, manager: User, **changes: Any) -> Contract:
    facts: dict[str, Any] = {"client": shop.client, "number": "7/2026", "shops": [shop], "version": version()} | changes
    return agreements.create_contract(**facts, by=manager, at=build.MONDAY)


def refusal(error: pytest.ExceptionInfo[Refused]) -> dict[str, list[str]]:
    return {error.value.field: [str(error.value)]}


def nothing_stored() -> bool:
    tables = (Contract, ContractVersion, Target, PenaltyRule, EscalationStep)
    return not any(table.objects.exists() for table in tables)


def test_a_contract_begins_with_version_1_its_targets_penalties_and_ladder(shop: Shop, manager: User) -> None:
    contract = create(shop, manager, number=" 7/2026 ", ends_on=date(2027, 3, 31))
    first = contract.versions.get()
    target = first.targets.get()
    assert (contract.number, contract.starts_on, first.number) == ("7/2026", date(2026, 4, 1), 1)
    assert (first.valid_from, first.valid_to, first.last_day) == (date(2026, 4, 1), date(2027, 4, 1), date(2027, 3, 31))
    assert (target.minutes, target.penalty.rate, target.penalty.unit) == (240, Decimal("2.0000"), "started_hour")
    assert [(step.target, step.share, step.whom) for step in first.steps.all()] == [("restore", 50, "duty")]
    assert first.created_by == manager


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shops": []}, {"shops": ["Choose this client's shops."]}),
        ({"ends_on": date(2026, 3, 31)}, {"ends_on": ["The contract ends before it starts."]}),
        (
            {"version": VersionSpec(date(2026, 4, 1), Decimal(1), [])},
            {"": ["A contract promises at least one time, or availability."]},
        ),
    ],
)
def test_what_is_refused_leaves_nothing_behind(shop: Shop, manager: User, changes: dict[str, Any], said: Any) -> None:
    with translation.override("en"), pytest.raises(Refused) as caught:
        create(shop, manager, **changes)
    assert refusal(caught) == said
    assert nothing_stored()


def test_another_client_s_shop_is_refused(shop: Shop, manager: User) -> None:
    other = build.shop(build.client("TUR"), "tur.example")
    with translation.override("en"), pytest.raises(Refused) as caught:
        create(shop, manager, shops=[shop, other])
    assert refusal(caught) == {"shops": ["Choose this client's shops."]}
    assert nothing_stored()


def test_a_fault_in_the_last_rung_leaves_no_contract(shop: Shop, manager: User) -> None:
    for steps, said in (
        ([StepSpec("restore", 50, "person")], "A rung that tells a named person names one, no other rung does."),
        ([StepSpec("restore", 50, "duty")] * 2, "Two rungs of the ladder are the same."),
    ):
        with translation.override("en"), pytest.raises(Refused) as caught:
            create(shop, manager, version=version(steps=steps))
        assert refusal(caught) == {"steps": [said]}
    assert nothing_stored()


def test_a_negative_fee_leaves_no_contract(shop: Shop, manager: User) -> None:
    with pytest.raises(Refused) as caught:
        create(shop, manager, version=version(monthly_fee=Decimal(-1)))
    assert caught.value.field == "monthly_fee"
    assert nothing_stored()


def test_two_named_people_may_stand_on_one_rung(shop: Shop, manager: User) -> None:
    anna = build.staff("Anna Lis")
    steps = [StepSpec("restore", 50, "person", "email", person) for person in (anna, manager)]
    made = create(shop, manager, version=version(steps=steps)).versions.get()
    assert {step.person for step in made.steps.all()} == {anna, manager}


def test_a_number_is_unique_per_client(shop: Shop, manager: User) -> None:
    create(shop, manager)
    other = build.shop(build.client("TUR"), "tur.example")
    create(other, manager)
    with translation.override("en"), pytest.raises(Refused) as caught:
        create(shop, manager)
    assert refusal(caught) == {"": ["This client has a contract with this number."]}
    assert Contract.objects.count() == 2


def test_a_new_version_ends_the_one_before_and_changes_nothing_in_it(shop: Shop, manager: User) -> None:
    contract = create(shop, manager)
    annex = version("2026-07-01", monthly_fee=Decimal(4600))
    agreements.add_version(contract=contract, version=annex, by=manager, at=build.MONDAY)
    first, second = contract.versions.order_by("number")
    assert (first.valid_from, first.valid_to) == (date(2026, 4, 1), date(2026, 7, 1))
    assert (second.number, second.valid_from, second.valid_to) == (2, date(2026, 7, 1), None)
    assert (first.monthly_fee, second.monthly_fee) == (Decimal(4000), Decimal(4600))


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("2026-04-01", "A new version begins after the one before."),
        ("2027-04-01", "The contract ends before this version begins."),
    ],
)
def test_a_version_begins_within_the_contract_after_the_last(shop: Shop, manager: User, start: str, said: str) -> None:
    contract = create(shop, manager, ends_on=date(2027, 3, 31))
    with translation.override("en"), pytest.raises(Refused) as caught:
        agreements.add_version(contract=contract, version=version(start), by=manager, at=build.MONDAY)
    assert refusal(caught) == {"valid_from": [said]}
    assert contract.versions.get().valid_to == date(2027, 4, 1)


LATE_SUNDAY = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
"""Already Monday the 2nd in Warsaw."""


@pytest.mark.parametrize("day", ["2026-03-01", "2026-03-02"])
def test_a_day_is_never_entered_for_today_or_the_past(manager: User, day: str) -> None:
    calendar = build.office_hours()
    with translation.override("en"), pytest.raises(Refused) as caught:
        agreements.add_day(calendar=calendar, on=date.fromisoformat(day), windows=[], by=manager, at=LATE_SUNDAY)
    assert refusal(caught) == {
        "date": ["Days are entered and removed ahead: the first day possible is 3\xa0March\xa02026."]
    }
    assert not CalendarDay.objects.exists()


def test_tomorrow_is_the_first_day_that_may_be_entered(manager: User) -> None:
    calendar = build.office_hours()
    day = agreements.add_day(
        calendar=calendar, on=date(2026, 3, 3), windows=[["08:00", "12:00"]], by=manager,
        at=LATE_SUNDAY.replace(microsecond=9),
    )  # fmt: skip
    assert (day.windows, day.entered_by, day.entered_at) == ([["08:00", "12:00"]], manager, LATE_SUNDAY)


def test_a_day_has_its_hours_once(manager: User) -> None:
    calendar = build.office_hours()
    agreements.add_day(calendar=calendar, on=date(2026, 3, 3), windows=[], by=manager, at=LATE_SUNDAY)
    with translation.override("en"), pytest.raises(Refused) as caught:
        agreements.add_day(calendar=calendar, on=date(2026, 3, 3), windows=[], by=manager, at=LATE_SUNDAY)
    assert refusal(caught) == {"": ["This day has its hours already."]}


@pytest.mark.parametrize("text", ["7/2026\n", "7\u2028/2026", "\u202e7/2026"])
def test_what_stands_in_one_line_is_refused_with_a_break_in_it(shop: Shop, manager: User, text: str) -> None:
    signed = version(terms={"signatories": text})
    for field, changes in (("number", {"number": text}), ("signatories", {"version": signed})):
        with pytest.raises(Refused) as caught:
            create(shop, manager, **changes)
        assert list(refusal(caught)) == [field]
    with pytest.raises(Refused) as caught:
        agreements.create_calendar(name=text, weekly={"mon-fri": [["08:00", "16:00"]]}, at=LATE_SUNDAY)
    assert list(refusal(caught)) == ["name"]
    assert nothing_stored()


def test_a_calendar_s_name_and_the_office_are_unique() -> None:
    week = {"mon-fri": [["08:00", "16:00"]]}
    agreements.create_calendar(name="Biuro", weekly=week, at=LATE_SUNDAY, is_office=True)
    for name, said in (
        (" Biuro ", {"name": ["Another calendar has this name."]}),
        ("Biuro 2", {"": ["Another calendar has our office hours."]}),
    ):
        with translation.override("en"), pytest.raises(Refused) as caught:
            agreements.create_calendar(name=name, weekly=week, at=LATE_SUNDAY, is_office=True)
        assert refusal(caught) == said
    assert Calendar.objects.count() == 1
