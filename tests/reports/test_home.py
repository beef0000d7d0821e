"""The first page of each role; for a client: is anything wrong, who is on it, and what waits for me."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from contracts.models import Shop
from contracts.planned import MaintenanceWindow
from incidents import lifecycle, reporting, sweeps, withdrawal
from incidents.models import Incident
from monitoring.models import Monitor
from reports import waiting
from reports.money import review
from tests import build
from tests.pages import MANY, counted, stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db

NOW = build.at("2026-03-02 10:40:00")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, NOW)
    return build.world()


def monitor(shop: Shop, state: str, name: str = "Koszyk i płatność", *, since: datetime = build.MONDAY) -> Monitor:
    return Monitor.objects.create(
        shop=shop, name=name, url=shop.url, state=state, state_since=since, checked_at=NOW - timedelta(minutes=1)
    )


def heading(response: Any) -> str:
    found = re.search(r"<h1>(.*?)</h1>", response.content.decode())
    return found[1].replace("\u00a0", " ") if found else ""


@pytest.mark.parametrize(("who", "path"), [("agent", "/queue/"), ("manager", "/breaches/")])
def test_staff_are_led_to_their_work(world: build.World, who: str, path: str) -> None:
    response = visitor(getattr(world, who)).get("/")
    assert (response.status_code, response["Location"]) == (302, path)


def test_an_administrator_lands_on_a_page_that_exists(world: build.World) -> None:
    page = visitor(build.staff("Ada Min", role="admin"))
    response = page.get("/")
    assert response.status_code == 302
    assert page.get(response["Location"]).status_code == 200


def test_a_visitor_signs_in_first() -> None:
    assert Client().get("/")["Location"] == "/login/?next=/"


def test_nothing_is_wrong(world: build.World) -> None:
    monitor(world.shop, "up")
    response = visitor(world.reporter).get("/")
    assert heading(response) == "Wszystko działa"
    said = text_of(response)
    assert "Sprawdzono 10:39." in said
    assert "mak.example Działa, sprawdzono 10:39" in said
    assert "Otwarte zgłoszenia" not in said


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("unknown", "Nie wiemy, czy mak.example działa"),
        ("degraded", "Nie ma otwartej awarii"),
        (None, "Nie ma otwartej awarii"),
    ],
)
def test_it_never_says_that_all_works_when_nobody_knows(world: build.World, state: str | None, title: str) -> None:
    if state:
        monitor(world.shop, state)
    assert heading(visitor(world.reporter).get("/")) == title


def test_with_dead_workers_home_list_and_shop_say_the_same(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One good check at 10:39, then five hours of nothing: nobody marks what is missed either."""
    monitor(world.shop, "up")
    stop_clock(monkeypatch, NOW + timedelta(hours=5))
    home = visitor(world.reporter).get("/")
    assert heading(home) == "Nie wiemy, czy mak.example działa"
    assert "Nie wiemy: sprawdzenie nie dało wyniku od 10:40" in text_of(home)
    for who in (world.reporter, world.agent):
        lines = text_of(visitor(who).get("/shops/"))
        assert "Nie wiemy: sprawdzenie nie dało wyniku" in lines
        assert "Działa" not in lines
        shop = text_of(visitor(who).get("/shops/mak-example/"))
        assert "mak.example: nie wiemy od 10:40, sprawdzenie nie dało wyniku" in shop
        assert "Sprawdzono" not in shop


def test_a_failure_seen_before_the_workers_died_is_not_said_to_last(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor(world.shop, "down")
    stop_clock(monkeypatch, NOW + timedelta(hours=5))
    assert "nie działa" not in text_of(visitor(world.reporter).get("/"))
    assert "nie działa" not in text_of(visitor(world.agent).get("/shops/mak-example/"))


def test_a_failure_is_the_headline_with_the_person_who_is_on_it(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter, what="no_orders")
    assert "Klienci nie mogą zamówić. Wiemy od 10:00." in text_of(visitor(world.reporter).get("/"))
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.at("2026-03-02 10:20"))
    response = visitor(world.reporter).get("/")
    assert heading(response) == "Trwa awaria mak.example"
    said = text_of(response)
    assert "Od 10:20 pracuje nad tym Anna Lis." in said
    assert "Naprawa do dziś 14:00 zostało 3 h 20 min" in said
    assert "Następna wiadomość do 11:20, Anna Lis" in said


def test_what_the_monitor_sees_is_said_before_anybody_reports(world: build.World) -> None:
    monitor(world.shop, "up", "Strona")
    monitor(world.shop, "down")
    response = visitor(world.owner).get("/")
    assert heading(response) == "mak.example nie działa"
    assert "Koszyk i płatność: nie działa od 10:00" in text_of(response)


def test_what_waits_for_the_client_is_said_even_beside_a_failure(world: build.World) -> None:
    asked = build.incident(world.shop, by=world.reporter, what="orders_lost")
    lifecycle.pause(incident=asked, by=world.agent, at=build.MONDAY, reason="client_answer", text="Kto?")
    assert heading(visitor(world.reporter).get("/")) == "Czekamy na Ciebie"
    build.incident(world.shop, by=world.reporter, what="closed")
    response = visitor(world.reporter).get("/")
    assert heading(response) == "Trwa awaria mak.example"
    said = text_of(response)
    assert "Czekamy na Ciebie Zamówienia nie trafiają dalej Wstrzymane: czekamy na Twoją odpowiedź" in said
    assert "Anna Lis: Kto?" in said
    assert said.index("Czekamy na Ciebie") < said.index("Otwarte zgłoszenia")


def given_workaround(world: build.World) -> Incident:
    """A P1 of 10:00 with a workaround of 10:20."""
    incident = build.incident(world.shop, by=world.reporter, what="no_orders")
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.at("2026-03-02 10:10"))
    lifecycle.skip_backup(incident=incident, by=world.agent, at=build.at("2026-03-02 10:15"), text="Nic do zapisania.")
    text = "Zamówienia przyjmuje formularz."
    return lifecycle.work_around(incident=incident, by=world.agent, at=build.at("2026-03-02 10:20"), text=text)


def test_a_workaround_waits_with_its_two_buttons_until_it_is_accepted(world: build.World) -> None:
    incident = given_workaround(world)
    page = visitor(world.reporter)
    response = page.get("/")
    assert heading(response) == "Czekamy na Ciebie"
    said = text_of(response)
    assert "Czy obejście działa? Anna Lis: Zamówienia przyjmuje formularz." in said
    assert "mak.example Klienci nie mogą zamówić, ale jest obejście Zgłoś" in said
    assert 'href="/incidents/MAK-0001/reject/"' in response.content.decode()
    page.post("/incidents/MAK-0001/accept/")
    incident.refresh_from_db()
    assert incident.status == "workaround"
    assert heading(page.get("/")) == "Pracujemy nad tym"


def test_a_withdrawal_that_we_agreed_to_waits_for_the_client(world: build.World) -> None:
    incident = reporting.open_from_monitor(
        shop=world.shop, failure="cart", what="no_orders", severity="P1", evidence={}, words="Koszyk: 500",
        at=build.MONDAY, first_failed_at=build.MONDAY,
    )  # fmt: skip
    assert incident
    assert heading(visitor(world.reporter).get("/")) == "Trwa awaria mak.example"
    withdrawal.agree(incident=incident, by=world.agent, at=build.at("2026-03-02 10:10"), text="To był nasz test.")
    response = visitor(world.reporter).get("/")
    assert "Zgadzamy się na wycofanie tego zgłoszenia" in text_of(response)
    assert 'href="/incidents/MAK-0001/cancel/"' in response.content.decode()


def test_a_shop_is_never_said_to_work_under_its_failure(world: build.World) -> None:
    """Whatever our monitor sees; home, the list and the shop's page say the same to everybody."""
    monitor(world.shop, "up")
    build.incident(world.shop, by=world.reporter, what="no_orders", at=build.at("2026-03-02 10:05"))
    said = text_of(visitor(world.reporter).get("/"))
    assert "Trwa awaria mak.example" in said
    assert "Klienci nie mogą zamówić od 10:05" in said
    assert "Zgłoszone. Nasze sprawdzenie o 10:39 tego nie wykryło." in said
    assert "Działa" not in said
    for who in (world.reporter, world.agent):
        lines = text_of(visitor(who).get("/shops/"))
        assert "Klienci nie mogą zamówić" in lines
        assert "Działa" not in lines
        shop = text_of(visitor(who).get("/shops/mak-example/"))
        assert "Trwa awaria mak.example od 10:05" in shop
        assert "Klienci nie mogą zamówić ( MAK-0001 ). Zgłoszone, niepotwierdzone pomiarem." in shop


def test_a_repaired_failure_and_a_small_one_leave_the_shop_working(world: build.World) -> None:
    monitor(world.shop, "up")
    build.incident(world.shop, by=world.reporter, what="typo")
    assert "mak.example Działa, sprawdzono 10:39" in text_of(visitor(world.reporter).get("/"))
    repaired = given_workaround(world)
    lifecycle.resolve(incident=repaired, by=world.agent, at=build.at("2026-03-02 10:30"), text="Naprawione.")
    said = text_of(visitor(world.reporter).get("/"))
    assert "mak.example Działa, sprawdzono 10:39" in said
    assert "Czy już działa? Anna Lis: Naprawione." in said


def test_the_owner_sees_what_a_late_repair_costs_so_far_and_the_month(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1 of 10:00, four hours to repair: at 16:40 the third hour of the delay has begun, 1 % of 10 000 zł each."""
    incident = build.incident(world.shop, by=world.reporter, what="no_orders")
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.at("2026-03-02 10:20"))
    late = build.at("2026-03-02 16:40")
    sweeps.sweep_clocks(at=late)
    stop_clock(monkeypatch, late)
    said = text_of(visitor(world.owner).get("/"))
    assert "wstępnie 300,00 zł, spóźnienie rośnie" in said
    assert "Dotrzymane terminy: 1 z 2 Kary wstępnie: 300,00 zł" in said
    assert "zł" not in text_of(visitor(world.reporter).get("/"))
    lifecycle.skip_backup(incident=incident, by=world.agent, at=late, text="Nic do zapisania.")
    lifecycle.resolve(incident=incident, by=world.agent, at=late, text="Naprawione.")
    assert "wstępnie 300,00 zł, czeka na decyzję" in text_of(visitor(world.owner).get("/"))
    review.confirm(breach=incident.breaches.get(), by=world.manager, at=late)
    said = text_of(visitor(world.owner).get("/"))
    assert "300,00 zł, potwierdzone" in said
    assert "wstępnie 300,00 zł, " not in said


def test_what_does_not_fit_on_the_page_is_counted(world: build.World) -> None:
    for _ in range(waiting.SHOWN + 2):
        build.incident(world.shop, by=world.reporter, what="typo")
    assert "Jeszcze 2 otwarte zgłoszenia" in text_of(visitor(world.reporter).get("/"))


def test_every_shop_has_its_own_report_button(world: build.World) -> None:
    build.shop(world.client, "hurt.example")
    body = visitor(world.reporter).get("/").content.decode()
    assert re.findall(r'href="(/report/[\w-]+/)"', body) == ["/report/hurt-example/", "/report/mak-example/"]


def test_planned_work_is_told(world: build.World) -> None:
    for day in (1, 5):
        MaintenanceWindow.objects.create(
            shop=world.shop, starts_at=build.at(f"2026-03-0{day} 02:00"), ends_at=build.at(f"2026-03-0{day} 03:00"),
            announced_at=build.MONDAY, note=f"Praca {day}", entered_by=world.manager,
        )  # fmt: skip
    said = text_of(visitor(world.reporter).get("/"))
    assert "Praca 5" in said
    assert "Praca 1" not in said


def test_nothing_of_another_client_is_shown(world: build.World) -> None:
    other = build.world("TUR")
    build.incident(other.shop, by=other.reporter)
    monitor(other.shop, "down")
    said = text_of(visitor(world.owner).get("/"))
    assert "TUR" not in said
    assert "tur.example" not in said


def test_somebody_whose_right_has_ended_is_told_so(world: build.World) -> None:
    gone = build.contact(world.client, "Jan Były", valid_until=build.at("2020-01-01 00:00").date())
    assert heading(visitor(gone).get("/")) == "Nie reprezentujesz dziś żadnego klienta"


def test_an_unchanged_home_is_answered_with_204(world: build.World) -> None:
    monitor(world.shop, "up")
    page = visitor(world.reporter)
    mark = re.search(r'id="mark" value="(\w+)"', page.get("/").content.decode())
    assert mark
    assert page.get(f"/?part=live&mark={mark[1]}").status_code == 204
    build.incident(world.shop, by=world.owner)
    assert "Trwa awaria mak.example" in text_of(page.get(f"/?part=live&mark={mark[1]}"))


def test_many_incidents_and_shops_cost_as_many_queries_as_one(world: build.World) -> None:
    page, owner = visitor(world.reporter), visitor(world.owner)
    monitor(world.shop, "up")
    build.incident(world.shop, by=world.reporter)
    given_workaround(world)
    sweeps.sweep_clocks(at=NOW)
    with counted("client home"):
        page.get("/")
    with counted("client home, owner"):
        owner.get("/")
    for number in range(MANY):
        shop = build.shop(world.client, f"sklep{number}.example")
        monitor(shop, "up")
        build.incident(shop, by=world.reporter)
    sweeps.sweep_clocks(at=NOW)
    with counted("client home"):
        page.get("/")
    with counted("client home, owner"):
        owner.get("/")
