"""The first page of each role; for a client: is anything wrong, who is on it, and what waits for me."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from contracts.models import Shop
from contracts.planned import MaintenanceWindow
from incidents import lifecycle
from monitoring.models import Monitor
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
    assert "Czekamy na Ciebie: MAK-0001 Zamówienia nie trafiają dalej" in text_of(response)


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
    page = visitor(world.reporter)
    monitor(world.shop, "up")
    build.incident(world.shop, by=world.reporter)
    with counted("client home"):
        page.get("/")
    for number in range(MANY):
        shop = build.shop(world.client, f"sklep{number}.example")
        monitor(shop, "up")
        build.incident(shop, by=world.reporter)
    with counted("client home"):
        page.get("/")
