"""Terms of penalties on their whole way: typed in the editor, told on the contract, counted, decided, in the month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.models import Contract, ContractVersion
from incidents.models import Breach
from reports.money import month_table, review
from reports.money.pricing import BreachPricer
from tests import build
from tests.contracts.test_contract_pages import errors_of, typed_in
from tests.pages import stop_clock, text_of, visitor
from tests.reports.missed import DEADLINE, late_repair

pytestmark = pytest.mark.django_db
NOW = build.at("2026-03-02 20:00")
FROM_TODAY = {"valid_from": "2026-03-02", "signed_on": "2026-02-20"}


@dataclass(frozen=True)
class Desk:
    """A manager who types contracts of one client, whose shop's younger contract rules what is reported."""

    world: build.World
    monkeypatch: pytest.MonkeyPatch

    def enter(self, **typed: Any) -> ContractVersion:
        browser = visitor(self.world.manager)
        data = typed_in(browser) | FROM_TODAY | typed
        response = browser.post("/contracts/new/?client=MAK", data)
        assert response.status_code == 302, errors_of(response)
        stop_clock(self.monkeypatch, NOW)
        return Contract.objects.get(number="7/2026").versions.get()

    def refusals(self, **typed: Any) -> dict[str, list[str]]:
        browser = visitor(self.world.manager)
        return errors_of(browser.post("/contracts/new/?client=MAK", typed_in(browser) | FROM_TODAY | typed))

    def preview(self, **typed: Any) -> str:
        browser = visitor(self.world.manager)
        return text_of(browser.post("/contracts/preview/", typed_in(browser) | FROM_TODAY | {"client": "MAK"} | typed))

    def contract_page(self, version: ContractVersion) -> str:
        return text_of(visitor(self.world.owner).get(f"/contracts/{version.contract.address}/"))

    def account(self, breach: Breach) -> str:
        return text_of(visitor(self.world.manager).get(f"/breaches/{breach.pk}/"))

    def month(self, version: ContractVersion) -> Decimal:
        """What the contract's row in the table of months says."""
        pricer = BreachPricer((), NOW, [version.contract_id])
        (row,) = month_table.contract_months([version.contract], pricer, NOW)
        assert f"{row.penalty:.2f}".replace(".", ",") in text_of(visitor(self.world.manager).get("/breaches/"))
        return row.penalty


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """In the morning: what is entered then rules what is reported at ten, and the rest is read in the evening."""
    stop_clock(monkeypatch, build.MONDAY - timedelta(hours=1))
    return Desk(build.world(), monkeypatch)


def test_steps_of_a_penalty_from_the_form_to_the_month(desk: Desk) -> None:
    typed = {"P1_restore_rate": "1 % do 2 h, potem 2 % opłaty", "P1_restore_unit": "started_30min"}
    shown = "Naprawa P1 1 % opłaty miesięcznej do 4; 2 % opłaty miesięcznej powyżej za każde rozpoczęte 30 min"
    example = (
        "Spóźnienie 3 h 20 min w kategorii P1: 4 rozpoczęte okresy po 30 min × 1 % z 4 000,00 zł + "
        "3 rozpoczęte okresy po 30 min × 2 % z 4 000,00 zł = 400,00 zł"
    )
    said = desk.preview(**typed)
    assert shown in said
    assert example in said
    version = desk.enter(**typed)
    said = desk.contract_page(version)
    assert shown in said
    assert example in said
    breach = late_repair(desk.world, timedelta(hours=2, minutes=40))
    said = desk.account(breach)
    assert "4 rozpoczęte okresy po 30 min × 1 % z 4 000,00 zł 160,00 zł" in said
    assert "Powyżej 4: 2 rozpoczęte okresy po 30 min × 2 % z 4 000,00 zł 160,00 zł" in said
    review.confirm(breach=breach, by=desk.world.manager, at=DEADLINE + timedelta(hours=5))
    assert desk.month(version) == Decimal("320.00")
    annex = visitor(desk.world.manager).get(f"/contracts/{version.contract.address}/edit/").context["form"]
    assert {row.row_name: row["rate"].value() for row in annex.penalties}["P1_restore"] == "1 % do 4, potem 2 %"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"P1_restore_rate": "1 % do 4, 2 % do 2, potem 3 %"}, "Progi muszą rosnąć: 1 % do 4, potem 2 %."),
        ({"P1_restore_rate": "1 % do 4, potem 2 %", "P1_restore_unit": "once"},
         "Kara raz za naruszenie ma jedną stawkę."),
        ({"P1_restore_rate": "1 % do 50 min, potem 2 %", "P1_restore_unit": "started_hour"},
         "Wpisz progi w całych jednostkach wiersza, na przykład 1 % do 4, potem 2 %."),
    ],
)  # fmt: skip
def test_steps_that_cannot_be_counted_are_said_at_the_rate(desk: Desk, typed: dict[str, str], sentence: str) -> None:
    assert desk.refusals(**typed) == {"P1_restore_rate": [sentence]}


def test_limits_from_the_form_to_the_month(desk: Desk) -> None:
    """Ten months of 4 000 zł are 40 000 zł; a repair of 5 h too late costs 400 zł before any limit."""
    typed = {
        "ends_on": "2026-12-31", "contract_cap": "20 %", "quarter_cap": "250 zł", "restore_cap": "7,5 % opłaty",
        "month_cap": "3 × opłata",
    }  # fmt: skip
    sentences = [
        "Najwyżej 300,00 zł (7,5 % opłaty miesięcznej) w miesiącu za spóźnione naprawy.",
        "Najwyżej 12 000,00 zł (3 × opłata miesięczna) w miesiącu.",
        "Najwyżej 250,00 zł w kwartale.",
        "Razem nie więcej niż 8 000,00 zł (20 % wartości umowy, czyli 40 000,00 zł) z całej umowy.",
    ]
    assert [sentence for sentence in sentences if sentence not in desk.preview(**typed)] == []
    version = desk.enter(**typed)
    said = desk.contract_page(version)
    assert [sentence for sentence in sentences if sentence not in said] == []
    assert "za spóźnione reakcje" not in said
    breach = late_repair(desk.world, timedelta(hours=5))
    said = desk.account(breach)
    assert "Kara 250,00 zł." in said
    assert "Limit tego rodzaju kary w miesiącu 300,00 zł (naprawa): z 400,00 zł zostaje 300,00 zł 300,00 zł" in said
    assert "Limit kwartału 250,00 zł: z 300,00 zł zostaje 250,00 zł 250,00 zł" in said
    review.confirm(breach=breach, by=desk.world.manager, at=DEADLINE + timedelta(hours=6))
    assert desk.month(version) == Decimal(250)
    (row,) = month_table.contract_months([version.contract], BreachPricer((), NOW, [version.contract_id]), NOW)
    assert row.cap_used == 3  # 250 of 8 000 zł


def test_a_share_of_a_contract_without_an_end_needs_its_value(desk: Desk) -> None:
    assert desk.refusals(contract_cap="20 %") == {
        "contract_value": ["Umowa bez końca nie ma własnej wartości: wpisz wartość, której częścią jest limit."]
    }
    version = desk.enter(contract_cap="20 %", contract_value="100 000 zł")
    said = desk.contract_page(version)
    assert "Razem nie więcej niż 20 000,00 zł (20 % wartości umowy, czyli 100 000,00 zł) z całej umowy." in said
    annex = visitor(desk.world.manager).get(f"/contracts/{version.contract.address}/edit/").context["form"]
    assert annex["contract_cap"].value() == "20 % umowy"


def test_the_fee_of_a_percentage_from_the_form_to_the_month(desk: Desk) -> None:
    """A contract of two shops from 2 March: its first month has 30 of 31 days, and no month before it."""
    other = build.shop(desk.world.client, "drugi.example")
    typed = {
        f"part_{desk.world.shop.pk}": "60 %", f"part_{other.pk}": "1 600 zł", "penalty_base": "month_before",
        "part_months": "on",
    }  # fmt: skip
    sentences = [
        "Procent liczymy od części opłaty za sklep: drugi.example 1 600,00 zł, mak.example 2 400,00 zł.",
        "Procent liczymy od opłaty poprzedniego miesiąca, a w pierwszym miesiącu od jego własnej.",
        "W niepełnym miesiącu liczymy go od opłaty za jego dni: za 30 z 31 dni od 2 322,58 zł.",
    ]
    said = desk.preview(**typed)
    assert [sentence for sentence in sentences if sentence not in said] == []
    version = desk.enter(**typed)
    said = desk.contract_page(version)
    assert [sentence for sentence in sentences if sentence not in said] == []
    breach = late_repair(desk.world, timedelta(hours=5))
    said = desk.account(breach)
    assert "Opłata (marzec 2026, umowa 7/2026, wersja 1): 4 000,00 zł × udział sklepu 60 % × 30 z 31 dni" in said
    review.confirm(breach=breach, by=desk.world.manager, at=DEADLINE + timedelta(hours=6))
    assert desk.month(version) == Decimal("232.26")  # 5 × 2 % of 2 322.5806… zł, rounded once
    april = late_repair(desk.world, timedelta(hours=1), at=build.at("2026-04-01 10:00"))
    assert BreachPricer([april], build.at("2026-04-02 10:00")).priced(april).own == Decimal("46.45")


def test_a_fee_is_split_whole_or_not_at_all(desk: Desk) -> None:
    other = build.shop(desk.world.client, "drugi.example")
    mine, its = f"part_{desk.world.shop.pk}", f"part_{other.pk}"
    assert desk.refusals(**{mine: "60 %", its: "30 %"}) == {
        "monthly_fee": ["Części sklepów dają razem 3 600,00 zł, a opłata to 4 000,00 zł."]
    }
    assert desk.refusals(**{mine: "60 %"}) == {
        "monthly_fee": ["Opłata podzielona na sklepy ma część dla każdego sklepu umowy."]
    }
    assert desk.refusals(**{mine: "60 %", its: "połowa"}) == {its: ["Wpisz część opłaty tak: 2 000,00 zł albo 40 %."]}
