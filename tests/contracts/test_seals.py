"""Contracts, versions, calendars and days are as they were entered, or the proof says what isn't."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField

from accounts.models import User
from contracts import agreements, proof, seal
from contracts.models import Calendar, Contract, ContractVersion, Shop
from contracts.seal_rows import Seal
from tests import build, tamper
from tests.owner import owner_cursor

pytestmark = pytest.mark.django_db
MONDAY = build.MONDAY
seal_later: Any = seal.later


@pytest.fixture
def manager() -> User:
    return build.staff("Marek Dyr", role="manager")


@pytest.fixture
def agreed(manager: User) -> ContractVersion:
    """By the product's verbs: a calendar with a day off and a removed one, a contract of two versions, work."""
    calendar = agreements.create_calendar(name="Biuro", weekly={"mon-fri": [["08:00", "16:00"]]}, at=MONDAY)
    for on in (date(2026, 4, 3), date(2026, 4, 4)):
        day = agreements.add_day(calendar=calendar, on=on, windows=[], by=manager, at=MONDAY)
    agreements.remove_day(day=day, by=manager, at=MONDAY + timedelta(hours=1))
    client = build.client()
    shop = build.shop(client)
    first = spec(calendar, date(2026, 1, 1))
    contract = agreements.create_contract(
        client=client, number="SLA/1", shops=[shop], version=first, by=manager, at=MONDAY, ends_on=date(2027, 1, 1)
    )
    agreements.announce_maintenance(
        shop=shop, starts_at=MONDAY + timedelta(days=1), ends_at=MONDAY + timedelta(days=2), note="Baza", by=manager,
        at=MONDAY,
    )  # fmt: skip
    return agreements.add_version(
        contract=contract, version=spec(calendar, date(2026, 6, 1)), by=manager, at=MONDAY + timedelta(days=1)
    )


def spec(calendar: Calendar, valid_from: date) -> agreements.VersionSpec:
    penalty = agreements.PenaltySpec(Decimal("1.5"))
    targets = [agreements.TargetSpec("P1", "restore", 240, calendar, penalty)]
    rhythms = [agreements.RhythmSpec("P1", 60, calendar)]
    return agreements.VersionSpec(valid_from, Decimal(10_000), targets, rhythms=rhythms)


def seen() -> list[str]:
    return [str(difference) for difference in proof.differences()]


def test_each_act_is_sealed_in_one_list_without_gaps(agreed: ContractVersion) -> None:
    seals = list(Seal.objects.values_list("seq", "kind"))
    kinds = [
        "calendar", "day", "day", "day_removed", "contract", "version", "maintenance", "version",
    ]  # fmt: skip
    assert seals == list(enumerate(kinds, 1))
    assert seen() == []
    assert seal.terms_of(agreed.pk) == seal.version_digest(agreed)


def test_a_row_that_was_added_is_seen(agreed: ContractVersion) -> None:
    unseen = []
    for row in (agreed.targets.get(), agreed.steps.all()[0], agreed.rhythms.get()):
        with transaction.atomic():
            row.pk = None
            setattr(row, "share" if hasattr(row, "share") else "severity", 66 if hasattr(row, "share") else "P2")
            row.save()
            if not seen():
                unseen.append(f"{type(row).__name__} added")
            transaction.set_rollback(True)
    assert unseen == []


def test_shops_taken_from_a_contract_or_given_to_another_client_are_seen(agreed: ContractVersion) -> None:
    shop = Shop.objects.get()
    with transaction.atomic():
        tamper.as_superuser("DELETE FROM contracts_contract_shops")
        assert seen() == ["MAK SLA/1 contract: stored changed, follows from its seal as it was sealed"]
        transaction.set_rollback(True)
    other = build.client("TUR")
    tamper.change(shop, client_id=other.pk)
    assert seen() == [
        f"MAK SLA/1 shop mak.example: stored {other.pk}, follows from its contract {agreed.contract.client_id}"
    ]


def test_seals_can_be_added_to_and_not_changed(agreed: ContractVersion) -> None:
    for statement in ("UPDATE contracts_seal SET digest = ''", "DELETE FROM contracts_seal"):
        with owner_cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    unseen = []
    for name in ("seq", "kind", "row", "digest", "at", "previous", "hash"):
        with transaction.atomic():
            tamper.change_column(Seal.objects.get(seq=8), name)
            unseen += [] if seen() else [name]
            transaction.set_rollback(True)
    with transaction.atomic():
        tamper.delete(Seal.objects.get(seq=8))
        unseen += [] if seen() else ["cut tail"]
        transaction.set_rollback(True)
    assert unseen == []


def test_a_digest_is_the_same_in_every_release() -> None:
    """Computed by hand from canonical JSON; where this fails, all that was ever sealed reads as changed."""
    calendar = Calendar(zone="Europe/Warsaw", weekly={"mon-fri": [["08:00", "16:00"]]}, statutory_holidays=True)
    assert seal.calendar_digest(calendar) == "3752cac0779f29cbbe01884826392a3d3f955b2f2c0c3ae184515d0dc05be7bb"
    week = {"b": 1, "a": "ł"}
    assert seal.digest(week) == "bcc06686c40ae40ce8f2e87204989607027fe21383df66f03fd95d19e64a745b"


def test_a_column_that_comes_later_changes_no_digest_while_it_holds_its_default(
    agreed: ContractVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[Any, tuple[str, ...]] = {
        **seal.NAMES, Contract: tuple(name for name in seal.NAMES[Contract] if name != "notice_months")
    }  # fmt: skip
    monkeypatch.setattr(seal, "NAMES", names)
    monkeypatch.setattr(seal, "later", lambda _: {})
    before = seal.contract_digest(agreed.contract)
    monkeypatch.setattr(seal, "later", seal_later.__wrapped__)
    assert seal.later(Contract) == {"notice_months": 3}
    assert seal.contract_digest(agreed.contract) == before
    agreed.contract.notice_months = 4
    assert seal.contract_digest(agreed.contract) != before


def first_default(model: type[models.Model], name: str) -> object:
    """The default that the migration gave to the rows that were there."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    added = [
        operation.field.get_default()
        for (app, _), migration in sorted(loader.disk_migrations.items())
        for operation in migration.operations
        if app == "contracts"
        and isinstance(operation, AddField)
        and (operation.model_name_lower, operation.name) == (model._meta.model_name, name)
    ]
    return added[0]


def test_the_default_of_a_column_that_came_later_is_the_one_of_its_migration() -> None:
    """Another default would leave out what rows of before don't hold: each of their seals would read as changed."""
    assert first_default(ContractVersion, "maintenance_notice_hours") == 0
    columns = [(model, name, default) for model in seal.NAMES for name, default in seal.later(model).items()]
    assert [(model, name) for model, name, default in columns if first_default(model, name) != default] == []
