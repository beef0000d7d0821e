"""Which version rules: by the contract's own day, of those entered by then; a version never begins in the past."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts import agreements
from contracts.agreements import TargetSpec, VersionSpec
from contracts.models import Contract, ContractVersion
from tests import build
from tests.contracts.test_contract_pages import sent_of
from tests.pages import stop_clock, text_of, visitor
from wording.refusals import Refused

pytestmark = pytest.mark.django_db
APRIL = date(2026, 4, 1)


def spec(begins: date, fee: str = "20000") -> VersionSpec:
    return VersionSpec(begins, Decimal(fee), [TargetSpec("P1", "restore", 60, build.round_the_clock())], steps=())


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "Europe/Lisbon", "America/New_York", "Pacific/Auckland"])
def test_a_report_half_an_hour_before_and_after_midnight_falls_under_its_own_version(zone: str) -> None:
    """In Warsaw and Auckland 0:30 of the first is still the last of March in UTC; in New York 23:30 is the first."""
    world = build.world()
    Contract.objects.update(zone=zone)
    world.version.contract.refresh_from_db()
    annex = agreements.add_version(
        contract=world.version.contract, version=spec(APRIL), by=world.manager, at=build.MONDAY
    )
    for text, expected in (("2026-03-31 23:30", world.version), ("2026-04-01 00:30", annex)):
        assert build.incident(world.shop, by=world.reporter, at=local(text, zone), what="typo").version == expected


def test_of_two_contracts_each_is_asked_by_its_own_day() -> None:
    """At 23:30 of 31 March in Lisbon it is 1 April in Warsaw, where the second contract begins."""
    world = build.world()
    Contract.objects.update(zone="Europe/Lisbon")
    second = build.contract(world.client, [world.shop], by=world.manager, number="SLA/2", starts_on=APRIL)
    for text, expected in (("2026-03-31 22:59", world.version), ("2026-03-31 23:01", second)):
        assert ContractVersion.objects.in_force(world.shop, local(text, "Europe/Lisbon")) == expected


@pytest.mark.parametrize(
    ("begins", "entered", "refused"),
    [
        (date(2026, 3, 1), "2026-03-02 00:30", "2 marca 2026"),
        (date(2026, 3, 1), "2026-03-01 23:59", ""),
        (date(2026, 3, 2), "2026-03-02 23:59", ""),
        (date(2025, 3, 2), "2026-03-02 10:00", "2 marca 2026"),
    ],
)
def test_a_later_version_begins_on_the_day_of_its_entry_or_after(begins: date, entered: str, refused: str) -> None:
    world = build.world()
    facts: dict[str, Any] = {"contract": world.version.contract, "version": spec(begins), "by": world.manager}
    if not refused:
        assert agreements.add_version(**facts, at=build.at(entered)).valid_from == begins
        return
    with pytest.raises(Refused) as caught:
        agreements.add_version(**facts, at=build.at(entered))
    assert caught.value.field == "valid_from"
    assert refused in str(caught.value).replace("\xa0", " ")
    world.version.refresh_from_db()
    assert (ContractVersion.objects.count(), world.version.valid_to) == (1, None)


def test_the_entry_s_day_is_the_contract_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 0:30 of 2 March in Warsaw it is still the 1st in Lisbon."""
    world = build.world()
    Contract.objects.update(zone="Europe/Lisbon")
    contract = Contract.objects.get()
    annex = agreements.add_version(
        contract=contract, version=spec(date(2026, 3, 1)), by=world.manager, at=build.at("2026-03-02 00:30")
    )
    assert annex.valid_from == date(2026, 3, 1)


def test_a_first_version_dated_back_rules_what_is_received_from_its_entry_on() -> None:
    world = build.world()
    shop = build.shop(world.client, "nowy.example")
    agreements.create_contract(
        client=world.client, number="SLA/2", shops=[shop], version=spec(date(2026, 1, 1)), by=world.manager,
        at=build.MONDAY,
    )  # fmt: skip
    before, after = (
        build.incident(shop, by=world.reporter, at=build.MONDAY + timedelta(seconds=step)) for step in (-1, 0)
    )
    assert (before.version, after.version and after.version.contract.number) == (None, "SLA/2")


def test_a_version_entered_today_ends_nothing_that_was_received_this_morning() -> None:
    world = build.world()
    agreements.add_version(
        contract=world.version.contract, version=spec(date(2026, 3, 2)), by=world.manager, at=build.MONDAY
    )
    early, late = build.at("2026-03-02 09:59"), build.at("2026-03-02 10:00")
    found = [ContractVersion.objects.in_force(world.shop, at) for at in (early, late)]
    assert [version and version.number for version in found] == [1, 2]


def test_after_the_last_day_of_a_contract_nothing_is_in_force() -> None:
    world = build.world(ends_on=date(2026, 3, 1))
    ends = [ContractVersion.objects.in_force(world.shop, build.at(text)) for text in ("2026-03-01 23:59", "2026-03-02")]
    assert ends == [world.version, None]


def test_the_editor_says_it_while_it_is_typed_and_when_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, build.MONDAY)
    world = build.world()
    page, edit = visitor(world.manager), f"/contracts/{world.version.contract.address}/edit/"
    data = sent_of(page.get(edit).context["form"]) | {
        "valid_from": "2026-03-01",
        "signed_on": "2026-02-20",
        "signatories": "Ewa Mak",
    }
    sentence = "Późniejsza wersja zaczyna się w dniu wpisania (2 marca 2026) albo po nim."
    assert sentence in text_of(page.post("/contracts/preview/", data | {"before": world.version.pk}))
    assert "obowiązuje dla zgłoszeń przyjętych od jej wpisania" in text_of(page.post("/contracts/preview/", data))
    answer = page.post(edit, data)
    assert (answer.status_code, ContractVersion.objects.count()) == (422, 1)
    assert text_of(answer).count(sentence) >= 2
    assert page.post(edit, data | {"valid_from": "2026-03-02"}).status_code == 302
