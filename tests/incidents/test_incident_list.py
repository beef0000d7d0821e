"""The list of incidents: own for clients, all for staff; search, filters, pages and the table."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from incidents import lifecycle
from incidents.sweeps import sweep_clocks
from tests import build
from tests.pages import MANY, counted, markup, stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.at("2026-03-02 12:00"))
    return build.world()


def numbers(response: Any) -> list[str]:
    return re.findall(r'scope="row">.*?href="/incidents/([A-Z]+-\d+)/"', markup(response))


def table(response: Any) -> list[list[str]]:
    body = b"".join(response.streaming_content).decode()
    assert body.startswith("\ufeff")
    return list(csv.reader(io.StringIO(body[1:]), delimiter=";"))


def test_clients_see_their_own_and_staff_see_all(world: build.World) -> None:
    other = build.world("TUR")
    build.incident(world.shop, by=world.reporter)
    build.incident(other.shop, by=other.reporter, at=build.MONDAY + timedelta(minutes=1))
    assert numbers(visitor(world.reporter).get("/incidents/")) == ["MAK-0001"]
    assert numbers(visitor(other.owner).get("/incidents/")) == ["TUR-0001"]
    for person in (world.agent, world.manager):
        assert numbers(visitor(person).get("/incidents/")) == ["TUR-0001", "MAK-0001"]


def test_a_row_says_the_nearest_deadline_as_one_sentence(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, at=build.at("2026-03-02 11:50"), sentence="BLIK nie działa.")
    said = text_of(visitor(world.reporter).get("/incidents/"))
    assert "Żadna płatność nie przechodzi BLIK nie działa." in said
    assert "Reakcja do dziś 12:20 zostało 20 min" in said


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("mak-0002", ["MAK-0002"]),
        ("blik", ["MAK-0002"]),
        ("hurt", ["MAK-0003"]),
        ("literówka", ["MAK-0001"]),
        ("nic takiego", []),
    ],
)
def test_search_reads_number_sentence_shop_and_the_form_s_words(
    world: build.World, query: str, found: list[str]
) -> None:
    build.incident(world.shop, by=world.reporter, what="typo")
    build.incident(world.shop, by=world.reporter, sentence="BLIK odrzuca")
    build.incident(build.shop(world.client, "hurt.example"), by=world.reporter)
    assert numbers(visitor(world.reporter).get("/incidents/", {"q": query})) == found


def test_search_finds_nothing_of_another_client(world: build.World) -> None:
    other = build.world("TUR")
    build.incident(other.shop, by=other.reporter, sentence="Tajemnica handlowa")
    page = visitor(world.reporter).get("/incidents/", {"q": "Tajemnica"})
    assert numbers(page) == []
    assert "Nic nie pasuje do wszystkiego naraz." in text_of(page)


def test_open_and_ended_are_told_apart(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    ended = build.incident(world.shop, by=world.reporter, what="typo")
    lifecycle.cancel(incident=ended, by=world.reporter, at=build.MONDAY, text="Pomyłka")
    page = visitor(world.reporter)
    assert numbers(page.get("/incidents/?show=open")) == ["MAK-0001"]
    assert numbers(page.get("/incidents/?show=ended")) == ["MAK-0002"]


@pytest.fixture
def mixed(world: build.World) -> build.World:
    """Of Mak a P1 that ran out, a paused P3 of Anna's and a withdrawn P4 of another shop; of Tur a question."""
    other = build.world("TUR")
    build.incident(world.shop, by=world.reporter, at=build.at("2026-03-02 11:00"))
    sweep_clocks(at=build.at("2026-03-02 11:31"))
    stands = build.incident(world.shop, by=world.reporter, what="slower", at=build.at("2026-03-02 11:35"))
    lifecycle.acknowledge(incident=stands, by=world.agent, at=build.at("2026-03-02 11:40"))
    lifecycle.pause(
        incident=stands, by=world.agent, at=build.at("2026-03-02 11:41"), reason="client_answer", text="Który produkt?"
    )
    gone = build.incident(build.shop(world.client, "hurt.example"), by=world.reporter, what="typo")
    lifecycle.cancel(incident=gone, by=world.reporter, at=build.MONDAY, text="Pomyłka")
    build.incident(other.shop, by=other.reporter, what="question")
    return world


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("client=MAK", {"MAK-0001", "MAK-0002", "MAK-0003"}),
        ("shop=hurt-example", {"MAK-0001", "MAK-0002", "MAK-0003", "TUR-0001"}),  # staff choose its client first
        ("client=MAK&shop=hurt-example", {"MAK-0003"}),
        ("category=P3", {"MAK-0002"}),
        ("category=question", {"TUR-0001"}),
        ("assignee=mine", {"MAK-0002"}),
        ("assignee=nobody&show=open", {"MAK-0001", "TUR-0001"}),
        ("show=client", {"MAK-0002"}),
        ("show=cancelled", {"MAK-0003"}),
        ("deadlines=missed", {"MAK-0001"}),
        ("deadlines=missed&category=P3", set()),
        ("category=P9&client=NIE&assignee=x&show=?", {"MAK-0001", "MAK-0002", "MAK-0003", "TUR-0001"}),
    ],
)
def test_filters_narrow_the_list_and_its_table_together(mixed: build.World, query: str, found: set[str]) -> None:
    page = visitor(mixed.agent)
    assert set(numbers(page.get(f"/incidents/?{query}"))) == found
    assert {row[0] for row in table(page.get(f"/incidents/?{query}&format=csv"))[1:]} == found


def test_a_filter_that_is_on_is_a_link_that_takes_it_away(mixed: build.World) -> None:
    page = visitor(mixed.agent).get("/incidents/?client=MAK&shop=hurt-example&category=P1&q=mak&page=2")
    chips = re.search(r'<ul class="chips".*?</ul>', page.content.decode(), re.DOTALL)
    assert chips
    assert re.findall(r'href="([^"]+)"', chips[0]) == [
        "/incidents/?category=P1&amp;q=mak",  # the shop goes with its client
        "/incidents/?client=MAK&amp;category=P1&amp;q=mak",
        "/incidents/?client=MAK&amp;shop=hurt-example&amp;q=mak",
        "/incidents/?client=MAK&amp;shop=hurt-example&amp;category=P1",
        "/incidents/",
    ]
    said = text_of(page)
    assert "Klient: Mak sp. z o.o." in said
    assert "Nic nie pasuje do wszystkiego naraz. Zdejmij jeden filtr: bez „Klient: Mak sp. z o.o.”" in said


def test_clients_have_only_the_filters_that_concern_them(mixed: build.World) -> None:
    page = visitor(mixed.reporter).get("/incidents/?client=TUR&assignee=nobody")
    assert re.findall(r'<select[^>]*name="(\w+)"', markup(page)) == ["show", "shop", "category", "deadlines"]
    assert set(numbers(page)) == {"MAK-0001", "MAK-0002", "MAK-0003"}
    assert set(numbers(visitor(mixed.reporter).get("/incidents/?shop=hurt-example"))) == {"MAK-0003"}
    assert "tur.example" not in text_of(page)


def test_the_list_has_pages_of_fifty_that_keep_the_search(world: build.World) -> None:
    for number in range(51):
        build.incident(world.shop, by=world.reporter, at=build.MONDAY + timedelta(minutes=number), what="typo")
    page = visitor(world.reporter)
    first = page.get("/incidents/?q=mak")
    assert numbers(first)[0] == "MAK-0051"
    assert len(numbers(first)) == 50
    assert "1–50 z 51" in text_of(first)
    assert 'href="?q=mak&amp;page=2"' in first.content.decode()
    assert numbers(page.get("/incidents/?q=mak&page=2")) == ["MAK-0001"]


def test_a_page_that_is_no_number_is_the_first(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    assert numbers(visitor(world.reporter).get("/incidents/?page=x")) == ["MAK-0001"]


def test_the_table_has_each_clock_s_deadline_and_stop(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter, sentence="BLIK; i karty")
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY + timedelta(minutes=8))
    head, row = table(visitor(world.reporter).get("/incidents/?format=csv"))
    said = dict(zip(head, row, strict=True))
    assert said["Numer"] == "MAK-0001"
    assert said["Jednym zdaniem"] == "BLIK; i karty"
    assert said["Przyjęte"] == "2026-03-02 10:00:00"
    assert (said["Kontakt do"], said["Kontakt"]) == ("2026-03-02 10:30:00", "2026-03-02 10:08:00")
    assert (said["Naprawa do"], said["Naprawa"]) == ("2026-03-02 14:00:00", "")
    assert "Klient" not in said


def test_staff_s_table_names_the_client(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    head, row = table(visitor(world.agent).get("/incidents/?format=csv"))
    assert dict(zip(head, row, strict=True))["Klient"] == "Mak sp. z o.o."


def test_a_cell_never_becomes_a_formula(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, sentence='=HYPERLINK("http://zly.example")')
    row = table(visitor(world.agent).get("/incidents/?format=csv"))[1]
    assert row[5] == '\'=HYPERLINK("http://zly.example")'


def test_administrators_have_no_list(world: build.World) -> None:
    assert visitor(build.staff("Ada Min", role="admin")).get("/incidents/").status_code == 404


def fill(world: build.World, number: int) -> None:
    for _each in range(number):
        incident = build.incident(world.shop, by=world.reporter, what="some_payments")
        lifecycle.pause(incident=incident, by=world.agent, at=build.MONDAY, reason="client_answer", text="Która karta?")


@pytest.mark.parametrize(
    ("name", "who", "path"),
    [
        ("incident list", "reporter", "/incidents/"),
        ("incident list, staff", "agent", "/incidents/"),
        ("incident table", "reporter", "/incidents/?format=csv"),
    ],
)
def test_many_rows_cost_as_many_queries_as_one(world: build.World, name: str, who: str, path: str) -> None:
    page = visitor(getattr(world, who))
    fill(world, 1)
    with counted(name):
        b"".join(page.get(path))
    fill(world, MANY)
    with counted(name):
        b"".join(page.get(path))
