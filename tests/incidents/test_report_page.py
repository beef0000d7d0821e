"""The report form: three answers start the clock, a double tap files once, nothing typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from contracts.severities import What
from incidents import lifecycle, reporting
from incidents.models import Incident, JoinedReport, JournalEntry
from messaging.models import Notification
from tests import build
from tests.pages import counted, stop_clock, text_of, title_of, visitor

pytestmark = pytest.mark.django_db

KEY = "6f1c2a44-0000-4000-8000-000000000001"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


@pytest.fixture
def page(world: build.World) -> Client:
    return visitor(world.reporter)


def answers(**changed: str) -> dict[str, str]:
    return {"what": "no_orders", "sentence": "Kręci się kółko.", "phone": "600 100 200", "key": KEY} | changed


def radios(response: Any) -> list[str]:
    return re.findall(r'<input type="radio" name="what" value="(\w+)"', response.content.decode())


def test_the_sentences_stand_in_the_order_of_urgency_and_none_is_chosen(page: Client) -> None:
    response = page.get("/report/")
    assert radios(response) == list(What.values)
    assert "checked" not in response.content.decode()


def test_no_category_is_shown_before_a_report_is_filed(page: Client) -> None:
    assert not re.search(r"\bP[1-4]\b", text_of(page.get("/report/")))


def test_the_only_shop_is_not_asked_for(page: Client, world: build.World) -> None:
    response = page.get("/report/")
    assert 'name="shop"' not in response.content.decode()
    assert world.shop.name in text_of(response)


def test_one_of_two_shops_is_asked_for(page: Client, world: build.World) -> None:
    build.shop(world.client, "hurt.example")
    response = page.get("/report/")
    assert re.findall(r'name="shop" value="([\w-]+)"', response.content.decode()) == ["hurt-example", "mak-example"]
    assert page.post("/report/", answers()).status_code == 422
    assert page.post("/report/", answers(shop="hurt-example")).status_code == 302
    assert Incident.objects.get().shop.name == "hurt.example"


def test_a_shop_that_no_contract_covers_today_is_promised_no_deadline(page: Client, world: build.World) -> None:
    build.shop(world.client, "bez.example")
    runs, none_runs = "Od tej sekundy biegną terminy z umowy.", "Dziś żadna umowa nie obejmuje tego sklepu"
    said = [text_of(page.get(f"/report/{slug}/")) for slug in ("mak-example", "bez-example")]
    assert [(runs in page, none_runs in page) for page in said] == [(True, False), (False, True)]


def test_the_phone_comes_from_the_profile(page: Client, world: build.World) -> None:
    world.reporter.phone = "601 202 303"
    world.reporter.save()
    assert 'value="601 202 303"' in page.get("/report/").content.decode()


def test_a_report_is_filed_and_leads_to_its_receipt(page: Client, world: build.World) -> None:
    response = page.post("/report/", answers())
    assert (response.status_code, response["Location"]) == (302, "/incidents/MAK-0001/receipt/")
    incident = Incident.objects.get()
    assert (incident.severity, incident.sentence, incident.phone) == ("P1", "Kręci się kółko.", "600 100 200")
    assert incident.received_at == build.MONDAY
    assert incident.reporter == world.reporter


def test_a_double_tap_files_once(page: Client) -> None:
    first, second = page.post("/report/", answers()), page.post("/report/", answers())
    assert first["Location"] == second["Location"]
    assert Incident.objects.count() == 1
    assert JournalEntry.objects.filter(kind="received").count() == 1


def test_what_is_missing_is_said_beside_it_and_the_text_stays(page: Client) -> None:
    response = page.post("/report/", answers(what=""))
    assert response.status_code == 422
    assert title_of(response).startswith("Błąd: ")
    assert text_of(response).count("Wybierz, co się dzieje") == 2
    assert "Kręci się kółko.</textarea>" in response.content.decode()
    assert KEY in response.content.decode()
    assert not Incident.objects.exists()
    assert not Notification.objects.exists()


def test_several_faults_are_counted(page: Client) -> None:
    assert "Popraw 2 pola" in text_of(page.post("/report/", answers(what="", sentence=" ")))


def test_details_of_the_fold_are_kept(page: Client) -> None:
    page.post("/report/", answers(since="8:10", affected="wszyscy", page="mak.example/koszyk", order_number="77"))
    incident = Incident.objects.get()
    assert incident.occurred_at == build.at("2026-03-02 08:10")
    assert (incident.affected, incident.page, incident.order_number) == ("wszyscy", "mak.example/koszyk", "77")


def test_an_hour_that_cannot_be_read_opens_the_fold(page: Client) -> None:
    response = page.post("/report/", answers(since="rano"))
    assert '<details class="fold" open>' in response.content.decode()
    assert text_of(response).count("Wpisz godzinę, na przykład 8:10") == 2
    assert 'value="rano"' in response.content.decode()


@pytest.mark.parametrize("number", ["4111 1111 1111 1112", "5901234123457", "61109010140000071219812874"])
def test_other_long_numbers_are_no_card_numbers(page: Client, number: str) -> None:
    assert page.post("/report/", answers(sentence=f"Zamówienie {number}")).status_code == 302


def test_a_known_failure_is_offered_and_joined_with_a_sentence(page: Client, world: build.World) -> None:
    build.incident(world.shop, by=world.owner, at=build.at("2026-03-02 08:10"), what="no_orders")
    offered = text_of(page.get("/report/mak-example/"))
    assert "Wiemy od 8:10 ( MAK-0001 ) Dołącz mak.example, Klienci nie mogą zamówić." in offered
    refused = page.post("/report/mak-example/", {"join": "MAK-0001", "key": KEY, "sentence": " "})
    assert (refused.status_code, JoinedReport.objects.count()) == (422, 0)
    assert "Napisz jednym zdaniem, co widzisz" in text_of(refused)
    assert '<details class="notice" open>' in refused.content.decode()
    again = {"join": "MAK-0001", "key": KEY, "sentence": "U nas też."}
    for _ in range(2):  # a double tap
        response = page.post("/report/mak-example/", again)
        assert response["Location"] == "/incidents/MAK-0001/receipt/"
    assert Incident.objects.get().joined.get().by == world.reporter


def test_what_the_person_reported_or_joined_is_no_news_to_them(page: Client, world: build.World) -> None:
    mine = build.incident(world.shop, by=world.reporter, what="no_orders")
    build.incident(world.shop, by=world.owner, what="question")
    assert "Wiemy" not in text_of(page.get("/report/"))
    owner = visitor(world.owner)
    assert f"Wiemy od 10:00 ( {mine.nr} )" in text_of(owner.get("/report/"))
    owner.post("/report/", {"join": mine.nr, "key": KEY, "sentence": "U nas też."})
    assert "Wiemy" not in text_of(owner.get("/report/"))


def test_of_several_known_failures_one_is_chosen_and_few_are_shown(page: Client, world: build.World) -> None:
    for number in range(7):
        build.incident(world.shop, by=world.owner, what="closed", at=build.MONDAY - timedelta(minutes=number))
    response = page.get("/report/")
    assert "Wiemy o 5 awariach Dołącz" in text_of(response)
    assert response.content.decode().count('name="join"') == 5
    refused = page.post("/report/", {"joining": "yes", "key": KEY, "sentence": "U nas też."})
    assert "Wybierz awarię, którą widzisz" in text_of(refused)
    assert not JoinedReport.objects.exists()


def test_joining_what_has_ended_shows_the_form_again(page: Client, world: build.World) -> None:
    ended = build.incident(world.shop, by=world.owner, at=build.at("2026-03-02 08:10"))
    lifecycle.cancel(incident=ended, by=world.owner, at=build.MONDAY, text="Pomyłka")
    response = page.post("/report/mak-example/", {"join": "MAK-0001", "key": KEY, "sentence": "U nas też."})
    assert "Tamto zgłoszenie jest zamknięte; wyślij nowe." in text_of(response)
    assert not ended.joined.exists()


def test_a_stranger_s_incident_cannot_be_joined(page: Client) -> None:
    other = build.world("TUR")
    foreign = build.incident(other.shop, by=other.reporter)
    page.post("/report/", {"join": foreign.nr, "key": KEY, "sentence": "U nas też."})
    assert not foreign.joined.exists()


def test_a_monitor_s_incident_takes_the_report_of_the_same_failure(page: Client, world: build.World) -> None:
    monitors = reporting.open_from_monitor(
        shop=world.shop, failure="cart", what="no_orders", severity="P1", evidence={}, words="Koszyk: 500",
        first_failed_at=build.MONDAY - timedelta(minutes=9), at=build.MONDAY - timedelta(minutes=8),
    )  # fmt: skip
    response = page.post("/report/", answers(what="closed"))
    assert response["Location"] == f"/incidents/{monitors.nr}/receipt/"
    assert Incident.objects.count() == 1


def test_another_client_s_shop_does_not_exist(page: Client) -> None:
    build.world("TUR")
    assert page.get("/report/tur-example/").status_code == 404
    assert page.post("/report/tur-example/", answers()).status_code == 404
    assert not Incident.objects.exists()


def test_a_shop_that_left_is_refused_with_a_sentence(page: Client, world: build.World) -> None:
    build.shop(world.client, "stary.example", is_active=False)
    response = page.post("/report/stary-example/", answers())
    assert "Nie opiekujemy się już tym sklepem. Zadzwoń do nas." in text_of(response)


def test_staff_have_no_report_form(world: build.World) -> None:
    assert visitor(world.agent).get("/report/").status_code == 404


def test_the_form_is_never_kept_by_the_browser(page: Client) -> None:
    assert "no-store" in page.get("/report/")["Cache-Control"]


def test_the_form_asks_the_database_as_often_with_fifty_shops(world: build.World, page: Client) -> None:
    build.incident(build.shop(world.client, "drugi.example"), by=world.owner)
    with counted("report form"):
        page.get("/report/")
    for number in range(48):
        build.incident(build.shop(world.client, f"sklep{number}.example"), by=world.owner)
    with counted("report form"):
        page.get("/report/")
