"""The manager's breaches: the list with its sum, one case with its account to the grosz, and the decision in place."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from contracts.models import ContractVersion, PenaltyRule
from incidents import lifecycle
from incidents.models import Breach
from incidents.sweeps import sweep_clocks
from reports.models import BreachDecision
from reports.views import breaches
from tests import build
from tests.owner import as_owner
from tests.pages import MANY, counted, stop_clock, text_of, title_of, visitor
from tests.reports.missed import DEADLINE, late_repair
from wording.words import plain

pytestmark = pytest.mark.django_db
LATE = timedelta(hours=1, minutes=8, seconds=5)
GIVEN = {"reason": "third_party", "start": "14:00", "end": "14:30", "evidence": "Komunikat operatora 48213"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.at("2026-03-02 16:00"))
    return build.world(second_person_above=Decimal(500))


@pytest.fixture
def page(world: build.World) -> Client:
    return visitor(world.manager)


@pytest.fixture
def breach(world: build.World) -> Breach:
    return late_repair(world, LATE)


def path(breach: Breach, act: str = "") -> str:
    return f"/breaches/{breach.pk}/{act}"


def table(response: Any, of: str, which: int = 0) -> list[list[str]]:
    """The rows of the page's first (or other) table with this class, cell by cell."""
    found = re.findall(rf'<table[^>]* class="{of}">(.*?)</table>', response.content.decode(), re.DOTALL)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", found[which], re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def words(cell: str) -> str:
    return " ".join(plain(re.sub(r"<[^>]+>", " ", cell)).split()).replace(" ,", ",")


# The list


def test_the_list_says_what_how_late_how_much_and_since_when(page: Client, breach: Breach) -> None:
    response = page.get("/breaches/")
    assert "1 naruszenie czeka na Twoją decyzję" in text_of(response)
    assert "Razem 200,00 zł." in text_of(response)
    assert table(response, "data cards")[1] == [
        "P1 awaria krytyczna MAK-0001 mak.example", "naprawa", "1 h 08 min", "200,00 zł", "dziś 14:00",
        "Rozpatrz MAK-0001",
    ]  # fmt: skip


def test_the_worst_stand_first_and_the_sum_is_theirs(page: Client, world: build.World) -> None:
    late_repair(world, timedelta(minutes=5), at=build.MONDAY + timedelta(minutes=30))
    late_repair(world, LATE)
    rows = table(page.get("/breaches/"), "data cards")[1:-1]
    assert [row[0].split()[3] for row in rows] == ["MAK-0002", "MAK-0001"]
    assert "Razem 300,00 zł." in text_of(page.get("/breaches/"))


def test_a_clock_that_runs_says_so_and_its_amount_is_of_now(page: Client, world: build.World) -> None:
    late_repair(world, timedelta(minutes=1), stopped=False)
    row = table(page.get("/breaches/"), "data cards")[1]
    assert (row[2], row[3]) == ("2 h, trwa", "200,00 zł")


def test_what_may_be_late_within_two_hours_is_listed(page: Client, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, at=build.at("2026-03-02 15:45"))
    build.incident(world.shop, by=world.reporter, at=build.at("2026-03-02 15:45"), what="slower")
    said = text_of(page.get("/breaches/"))
    assert "MAK-0001 Reakcja do dziś 16:15" in said
    assert "MAK-0002" not in said


def test_an_empty_list_says_so(page: Client, world: build.World) -> None:
    said = text_of(page.get("/breaches/"))
    assert "Żadne naruszenie nie czeka na decyzję" in said
    assert "W ciągu dwóch godzin nie upływa żaden termin." in said


def test_the_list_asks_the_database_as_often_with_many(page: Client, world: build.World) -> None:
    late_repair(world, LATE)
    page.get("/breaches/")
    with counted("breaches"):
        page.get("/breaches/")
    for number in range(1, MANY):
        late_repair(world, LATE, at=build.MONDAY + timedelta(seconds=number))
    late_repair(build.world("ABC"), LATE)  # by another contract
    with counted("breaches"):
        assert len(table(page.get("/breaches/"), "data cards")) == MANY + 3


def test_a_page_draws_what_is_gravest_and_the_rest_is_one_link_away(
    page: Client, world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaches, "WAITING_SHOWN", 1)
    monkeypatch.setattr(breaches, "CONTRACTS_SHOWN", 1)
    build.world("ABC")  # before MAK by name, and missed nothing
    late_repair(world, timedelta(minutes=5), at=build.MONDAY + timedelta(minutes=30))
    breach = late_repair(world, LATE)
    response = page.get("/breaches/")
    said = text_of(response)
    assert "2 naruszenia czekają na Twoją decyzję" in said
    assert "1 najcięższych: razem 200,00 zł. Pokaż wszystkie" in said
    assert [row[0] for row in table(response, "data cards", 1)[1:]] == ["Mak sp. z o.o."]
    assert "Wszystkie umowy (2)" in said
    assert "Czekają na decyzję 2" in text_of(page.get(path(breach)))
    whole = page.get("/breaches/?waiting=all&months=all")
    assert "Razem 300,00 zł." in text_of(whole)
    assert len(table(whole, "data cards", 1)) == 3


# One case


def test_the_account_is_the_calculation_line_by_line(page: Client, breach: Breach) -> None:
    rows = [[words(cell) for cell in row] for row in table(page.get(path(breach)), "account")]
    assert rows[0] == ["Godzina", "Co", "Czas, kwota"]
    assert [row[0] for row in rows[1:] if "mar" in row[0]] == []  # the date stands above, once
    assert rows[-1] == ["Kara", "", "200,00 zł"]
    assert [row[2] for row in rows if "rozpoczęt" in row[2]] == ["2 rozpoczęte godziny"]
    charge = next(row for row in rows if "×" in row[1])
    assert (charge[1], charge[2]) == ("2 rozpoczęte godziny × 1 % z 10 000,00 zł", "200,00 zł")


def test_the_page_names_delay_amount_contract_and_version(page: Client, breach: Breach) -> None:
    said = text_of(page.get(path(breach)))
    assert "Naprawa po terminie o 1 h 08 min" in said
    assert "Kara 200,00 zł." in said
    assert "Umowa SLA/1, wersja 1" in said
    assert "Potwierdź 200,00 zł" in said
    assert "Do 500,00 zł wystarczy jedna osoba." in said


def test_a_breach_that_was_noticed_late_says_when(page: Client, breach: Breach) -> None:
    said = text_of(page.get(path(breach)))
    assert "Naruszenie nosi datę terminu; zauważono je dziś 15:08:05." in said


def test_a_running_one_can_not_be_decided(page: Client, world: build.World) -> None:
    breach = late_repair(world, timedelta(minutes=1), stopped=False)
    response = page.get(path(breach))
    assert "Zegar biegnie, spóźnienie rośnie. Rozstrzygnij, gdy się zatrzyma." in text_of(response)
    assert path(breach, "confirm/") not in response.content.decode()
    answer = page.post(path(breach, "confirm/"), follow=True)
    assert "Zegar biegnie, spóźnienie rośnie. Rozstrzygnij, gdy się zatrzyma." in text_of(answer)
    assert not BreachDecision.objects.exists()


def test_the_page_asks_the_database_as_often_with_many_waiting(page: Client, world: build.World) -> None:
    first = late_repair(world, LATE)
    page.get(path(first))
    with counted("breach"):
        page.get(path(first))
    for number in range(1, MANY):
        late_repair(world, LATE, at=build.MONDAY + timedelta(seconds=number))
    with counted("breach"):
        page.get(path(first))


# The decision


def test_one_click_confirms_and_the_case_leaves_the_list(page: Client, breach: Breach) -> None:
    answer = page.post(path(breach, "confirm/"), follow=True)
    assert answer.redirect_chain == [(path(breach), 302)]
    assert "MAK-0001: naruszenie potwierdzone" in text_of(answer).replace(" :", ":")
    done = BreachDecision.objects.get()
    assert (done.verdict, done.amount_after) == ("confirmed", Decimal("200.00"))
    shown = page.get("/breaches/")
    assert "Żadne naruszenie nie czeka na decyzję" in text_of(shown)
    assert table(shown, "data cards", -1)[1][:4] == [
        "P1 awaria krytyczna MAK-0001", "naprawa", "potwierdzone", "200,00 zł",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"grace_minutes": 90}, "w tolerowanych 1 h 30 min"),
        ({"rate": 0}, "stawka albo opłata wynosi 0"),
        ({"unit": "full_4h"}, "spóźnienie nie sięga pełnej jednostki"),
        (None, "umowa nie przewiduje kary"),
    ],
)
def test_nothing_owed_says_why_before_and_after_the_decision(
    page: Client, world: build.World, rule: dict[str, Any] | None, why: str
) -> None:
    of_repair = PenaltyRule.objects.filter(target__version=world.version, target__kind="restore")
    with as_owner():
        of_repair.update(**rule) if rule else of_repair.delete()
    breach = late_repair(world, LATE)
    assert table(page.get("/breaches/"), "data cards")[1][3].endswith(why)
    page.post(path(breach, "confirm/"))
    assert table(page.get("/breaches/"), "data cards", -1)[1][3] == f"0,00 zł {why}"


def test_a_limit_that_is_used_up_is_named(page: Client, world: build.World) -> None:
    with as_owner():
        ContractVersion.objects.update(contract_cap_amount=150)
    first, second = late_repair(world, LATE), late_repair(world, LATE, at=build.MONDAY + timedelta(minutes=30))
    rows = table(page.get("/breaches/"), "data cards")[1:-1]
    assert [row[3] for row in rows] == ["200,00 zł 150,00 zł", "200,00 zł 0,00 zł limit umowy wyczerpany"]
    page.post(path(first, "confirm/"))
    page.post(path(second, "confirm/"))
    assert table(page.get("/breaches/"), "data cards", -1)[1][3] == "200,00 zł liczy się 0,00 zł limit umowy wyczerpany"


def test_an_exclusion_opens_in_place_and_keeps_both_amounts(page: Client, breach: Breach) -> None:
    assert 'name="evidence"' not in page.get(path(breach)).content.decode()
    assert 'name="evidence"' in page.get(path(breach, "exclude/")).content.decode()
    said = text_of(page.post(path(breach, "exclude/"), GIVEN, follow=True))
    assert "Przed 200,00 zł Po 100,00 zł" in said
    assert "Komunikat operatora 48213" in said
    done = BreachDecision.objects.get()
    assert (done.excluded_from, done.excluded_to) == (DEADLINE, DEADLINE + timedelta(minutes=30))
    listed = text_of(page.get("/breaches/"))
    assert "200,00 zł 100,00 zł" in listed


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"start": "13:59"}, "Wyłączyć można tylko czas po terminie."),
        ({"end": "15:09"}, "Wyłączony czas kończy się po zatrzymaniu zegara."),
        ({"start": "14:20", "end": "14:10"}, "Wyłączony czas kończy się przed początkiem."),
        ({"start": "rano"}, "Wpisz godzinę jak 12:50 albo z datą jak 2026-11-24 12:50."),
    ],
)
def test_a_refusal_is_said_beside_its_field_and_the_text_stays(
    page: Client, breach: Breach, changed: dict[str, str], said: str
) -> None:
    answer = page.post(path(breach, "exclude/"), GIVEN | changed)
    assert answer.status_code == 422
    assert title_of(answer).startswith("Błąd: ")
    assert text_of(answer).count(said) == 2
    assert "Komunikat operatora 48213</textarea>" in answer.content.decode()
    assert not BreachDecision.objects.exists()


def test_hours_may_carry_a_date_where_the_delay_runs_over_midnight(page: Client, world: build.World) -> None:
    breach = late_repair(world, timedelta(hours=14))
    page.post(path(breach, "exclude/"), GIVEN | {"start": "2026-03-02 23:00", "end": "03.03.2026 01:30"})
    done = BreachDecision.objects.get()
    assert (done.excluded_from, done.excluded_to) == (build.at("2026-03-02 23:00"), build.at("2026-03-03 01:30"))
    assert (done.amount_before, done.amount_after) == (Decimal(1400), Decimal(1200))


def test_above_the_contract_s_amount_another_manager_must_agree(page: Client, world: build.World) -> None:
    breach = late_repair(world, timedelta(hours=5, minutes=10))
    page.post(path(breach, "confirm/"))
    mine = page.get(path(breach))
    assert "Powyżej 500,00 zł musi zgodzić się druga osoba." in text_of(mine)
    assert path(breach, "second/") not in mine.content.decode()
    listed = page.get("/breaches/")
    assert "Czekają na drugą osobę" in text_of(listed)
    assert listed.content.decode().count(f'href="{path(breach)}"') == 2  # its number and its button, in one block
    page.post(path(breach, "second/"))
    assert BreachDecision.objects.get().second_by is None
    other = visitor(build.staff("Halina Nowak", role="manager", on_call=False))
    assert path(breach, "second/") in other.get(path(breach)).content.decode()
    other.post(path(breach, "second/"))
    assert "Druga osoba: Halina Nowak" in text_of(page.get(path(breach)))
    assert "Czekają na drugą osobę" not in text_of(page.get("/breaches/"))


def test_the_manager_who_comes_second_is_told_who_decided(page: Client, breach: Breach) -> None:
    page.post(path(breach, "confirm/"))
    other = visitor(build.staff("Halina Nowak", role="manager", on_call=False))
    assert "Marek Dyr" in text_of(other.post(path(breach, "confirm/"), follow=True))
    answer = other.post(path(breach, "exclude/"), GIVEN, follow=True)
    assert "Już rozstrzygnięte: potwierdzone, Marek Dyr, 2 marca 2026" in text_of(answer)
    assert "czas wyłączony" not in text_of(answer)
    assert BreachDecision.objects.get().verdict == "confirmed"


def test_a_target_without_a_penalty_says_so(page: Client, world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    at = build.MONDAY + timedelta(minutes=31)
    sweep_clocks(at=at)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=at)
    response = page.get(path(Breach.objects.get(target="reaction")))
    assert "Za ten termin umowa nie przewiduje kary." in text_of(response)
