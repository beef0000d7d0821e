"""A report taken by phone: the shop first, then the client's own form with the caller and a claimed time."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from incidents.models import Incident, JournalEntry
from messaging.models import Notification
from tests import build
from tests.pages import counted, stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
FORM = "/incidents/new/?shop=mak-example"
KEY = "6f1c2a44-0000-4000-8000-000000000004"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


@pytest.fixture
def page(world: build.World) -> Client:
    return visitor(world.agent)


def answers(world: build.World, **changed: str) -> dict[str, str]:
    known = {"caller": str(world.reporter.pk), "what": "no_orders", "sentence": "Kręci się kółko.", "key": KEY}
    return known | changed


def test_the_shops_of_all_clients_are_offered_but_those_that_left(page: Client, world: build.World) -> None:
    other = build.world("TUR")
    build.shop(other.client, "stary.example", is_active=False)
    body = page.get("/incidents/new/").content.decode()
    assert re.findall(r'href="/incidents/new/\?shop=([\w-]+)"', body) == ["mak-example", "tur-example"]
    assert page.get("/incidents/new/?shop=stary-example").status_code == 404


def test_the_callers_are_the_shop_s_own_people_of_today(page: Client, world: build.World) -> None:
    build.world("TUR")
    build.contact(world.client, "Jan Dawny", valid_until=build.MONDAY.date().replace(day=1))
    chosen = re.search(r'<fieldset[^>]*id="id_caller".*?</fieldset>', page.get(FORM).content.decode(), re.DOTALL)
    assert chosen
    names = {name.strip() for name in re.findall(r">([^<>]+)</label>", chosen[0])}
    assert names == {"Ola Mak", "Ewa Mak"}
    assert "checked" not in chosen[0]


def test_it_is_filed_for_the_caller_who_gets_the_receipt(page: Client, world: build.World) -> None:
    answer = page.post(FORM, answers(world))
    assert answer.headers["Location"] == "/incidents/MAK-0001/"
    incident = Incident.objects.get()
    assert (incident.reporter, incident.origin, incident.received_at) == (world.reporter, "phone", build.MONDAY)
    entry = JournalEntry.objects.get(kind="received")
    assert (entry.by, entry.channel) == (world.agent, "phone")
    assert Notification.objects.filter(recipient=world.reporter).count() == 1


def test_a_claimed_time_stands_beside_the_receipt_and_moves_no_clock(page: Client, world: build.World) -> None:
    page.post(FORM, answers(world, told="9:10", why="Telefon odebrała recepcja."))
    incident = Incident.objects.get()
    assert incident.reported_at == build.at("2026-03-02 09:10")
    assert incident.received_at == build.MONDAY
    assert incident.clocks.get(target="reaction").deadline == build.at("2026-03-02 10:30")
    claim = JournalEntry.objects.get(kind="reported_claim")
    assert (claim.text, claim.public) == ("Telefon odebrała recepcja.", True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"told": "9:10"}, "Podaj, dlaczego wpisujesz to później."),
        ({"told": "rano", "why": "x"}, "Wpisz godzinę, na przykład 8:10"),
        ({"caller": ""}, "Wybierz, kto dzwoni"),
        ({"what": ""}, "Wybierz, co się dzieje"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_is_filed(
    page: Client, world: build.World, changed: dict[str, str], said: str
) -> None:
    answer = page.post(FORM, answers(world, **changed))
    assert answer.status_code == 422
    assert text_of(answer).count(said) == 2
    assert "Kręci się kółko.</textarea>" in answer.content.decode()
    assert not Incident.objects.exists()


def test_the_shop_s_open_incidents_stand_before_the_form_and_the_caller_joins_one(
    page: Client, world: build.World
) -> None:
    incident = build.incident(world.shop, by=world.owner, what="no_orders", at=build.MONDAY)
    build.clear_outbox()
    asked = page.get(FORM).content.decode()
    assert asked.index("Otwarte w") < asked.index("<form class=")
    assert f"{FORM}&amp;join=MAK-0001" in asked
    joining = page.get(f"{FORM}&join=MAK-0001").content.decode()
    fields = re.findall(r'<(?:input|textarea)[^>]*? name="(\w+)"', joining.partition("<form class=")[2])
    assert list(dict.fromkeys(fields))[2:6] == ["caller", "sentence", "told", "why"]
    answer = page.post(f"{FORM}&join=MAK-0001", answers(world))
    assert answer.headers["Location"] == "/incidents/MAK-0001/"
    assert Incident.objects.count() == 1
    joined = incident.journal.get(kind="joined")
    assert (joined.by, joined.text) == (world.reporter, "Kręci się kółko.")
    assert Notification.objects.filter(recipient=world.reporter).count() == 1


def test_a_phone_s_menu_leads_to_the_form(page: Client, world: build.World) -> None:
    menu = page.get("/queue/").content.decode().partition("<summary>Menu</summary>")[2].partition("</header>")[0]
    assert 'href="/incidents/new/"' in menu
    client = visitor(world.owner).get("/").content.decode()
    assert 'href="/incidents/new/"' not in client


def test_an_hour_still_to_come_was_yesterday_s(page: Client, world: build.World) -> None:
    page.post(FORM, answers(world, told="17:30", why="Wiadomość na sekretarce."))
    assert Incident.objects.get().reported_at == build.at("2026-03-01 17:30")


def test_another_client_s_person_can_not_be_the_caller(page: Client, world: build.World) -> None:
    other = build.world("TUR")
    assert page.post(FORM, answers(world, caller=str(other.owner.pk))).status_code == 422
    assert not Incident.objects.exists()


def test_a_double_click_files_once(page: Client, world: build.World) -> None:
    first, second = page.post(FORM, answers(world)), page.post(FORM, answers(world))
    assert first.headers["Location"] == second.headers["Location"]
    assert Incident.objects.count() == 1


def test_the_page_asks_the_database_as_often_with_fifty_shops(page: Client, world: build.World) -> None:
    page.get("/incidents/new/")
    with counted("phone, shops"):
        page.get("/incidents/new/")
    for number in range(49):
        build.shop(world.client, f"sklep{number}.example")
    with counted("phone, shops"):
        assert page.get("/incidents/new/").content.count(b"?shop=") == 50
