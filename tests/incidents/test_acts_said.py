"""What staff's page says of an act: before it is sent what it would do, after it what happened and what runs now."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from incidents import lifecycle
from incidents.models import Incident
from tests import build
from tests.pages import markup, stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
NOON = build.at("2026-03-02 12:00")
PATH = "/incidents/MAK-0001/"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, NOON)
    return build.world()


@pytest.fixture
def page(world: build.World) -> Client:
    return visitor(world.agent)


def reported(world: build.World, what: str = "no_payment", minutes: int = 10) -> Incident:
    return build.incident(world.shop, by=world.reporter, what=what, at=NOON - timedelta(minutes=minutes))


def notice(response: Any) -> str:
    """What the page says of the act, one sentence a line."""
    message = re.search(r'data-draft-done="[^"]*">(.*?)</div>', response.content.decode(), re.DOTALL)
    words = " ".join(re.sub(r"<[^>]+>", " ", message[1]).split()) if message else ""
    return words.replace(". ", ".\n")


TO_OLA = "Dostanie: Ola Mak."
REPAIR = "Naprawa do dziś 15:50."
BACKED_UP = {"text": "Już.", "where": "S3"}
QUESTION = {"reason": "client_answer", "text": "Kto ma dostęp?"}


@pytest.mark.parametrize(
    ("verb", "data", "sentences"),
    [
        ("react", {}, ["Reakcja wysłana.", TO_OLA, REPAIR, "Następna wiadomość do 13:00."]),
        (
            "say",
            {"text": "Już.", "next_update": "30"},
            ["Wysłano do klienta.", TO_OLA, REPAIR, "Następna wiadomość do 12:30."],
        ),
        ("note", {"text": "Już."}, ["Notatka zapisana, klient jej nie widzi.", "Reakcja do dziś 12:20."]),
        (
            "pause",
            QUESTION,
            ["Wysłano do klienta.", TO_OLA, "Czeka na klienta od dziś 12:00, zostało 3 h 50 min."],
        ),
        (
            "workaround",
            BACKED_UP,
            ["Wysłano do klienta.", TO_OLA, "Działa obejście, usunięcie błędu do poniedziałku 9 mar, 12:00."],
        ),
        ("resolve", BACKED_UP, ["Wysłano do klienta.", TO_OLA, "Naprawione dziś 12:00, czeka na potwierdzenie."]),
    ],
)
def test_an_act_says_what_happened_and_what_runs_now(
    page: Client, world: build.World, verb: str, data: dict[str, str], sentences: list[str]
) -> None:
    reported(world)
    assert notice(page.post(f"{PATH}{verb}/", data, follow=True)).split("\n") == sentences


def test_an_act_that_was_done_says_so_and_one_that_reaches_nobody_asks_to_call(
    page: Client, world: build.World
) -> None:
    incident = reported(world)
    lifecycle.acknowledge(incident=incident, by=world.manager, at=NOON)
    again = notice(page.post(f"{PATH}react/", {}, follow=True)).split("\n")
    assert again[:2] == ["To już było zrobione, nic się nie zmieniło.", REPAIR]
    User.objects.filter(pk__in=[world.reporter.pk, world.owner.pk]).update(is_active=False)
    sent = notice(page.post(f"{PATH}say/", {"text": "Cofamy."}, follow=True)).split("\n")
    assert sent[:2] == ["Wysłano do klienta.", "Żadna wiadomość nie dotrze do klienta: zadzwoń."]


PASSED = "Naprawa: termin minął, dziś 11:00. Wstrzymanie nie cofnie naruszenia ani nie skróci spóźnienia."


def foreseen(response: Any) -> list[str]:
    """What the open form says that it would do."""
    form = response.content.decode().partition('class="panel"')[2].partition("</form>")[0]
    items = re.findall(r"<li>(.*?)</li>", form.partition("Jeśli wyślesz teraz:")[2], re.DOTALL)
    return [" ".join(item.split()) for item in items]


@pytest.mark.parametrize(
    ("verb", "minutes", "sentences"),
    [
        ("pause", 10, ["Naprawa: zegar stanie o 12:00, zostanie 3 h 50 min.", "Pytanie będzie też reakcją."]),
        ("pause", 300, [PASSED, "Pytanie będzie też reakcją."]),
        (
            "workaround",
            10,
            [
                "Reakcja dziś 12:00, w czasie, 20 min przed terminem.",
                "Naprawa dziś 12:00, w czasie, 3 h 50 min przed terminem.",
                "Usunięcie błędu do poniedziałku 9 mar, 12:00, zostało 40 h pracy.",
            ],
        ),
        (
            "resolve",
            300,
            [
                "Reakcja dziś 12:00, po terminie o 4 h 30 min.",
                "Naprawa dziś 12:00, po terminie o 1 h.",
                "Klient sprawdza; bez odpowiedzi do końca czwartku 5 mar zgłoszenie się zamknie.",
            ],
        ),
        ("react", 10, ["Reakcja dziś 12:00, w czasie, 20 min przed terminem."]),
        ("assign", 10, ["Żaden zegar się nie zmieni."]),
    ],
)
def test_what_an_act_would_do_is_said_before_it_is_sent(
    page: Client, world: build.World, verb: str, minutes: int, sentences: list[str]
) -> None:
    reported(world, minutes=minutes)
    assert foreseen(page.get(f"{PATH}{verb}/")) == sentences


def test_a_rejection_shouts_until_the_next_delivery(page: Client, world: build.World) -> None:
    incident = reported(world, "slower")
    lifecycle.resolve(incident=incident, by=world.agent, at=NOON, text="Już.")
    assert "Sprawdzenie ruch klienta, do końca poniedziałku 9 mar" in text_of(page.get(PATH))
    lifecycle.reject(incident=incident, by=world.reporter, at=NOON, text="BLIK nadal nie działa.")
    rejected = page.get(PATH)
    assert "Ola Mak: nadal nie działa, dziś 12:00 BLIK nadal nie działa." in text_of(rejected)
    assert "Naprawa odrzucone 12:00" in text_of(rejected)
    assert '<div id="rejection"><div class="notice notice-bad">' in markup(rejected)
    lifecycle.resolve(incident=incident, by=world.agent, at=NOON, text="Teraz naprawdę.")
    assert '<div id="rejection"></div>' in markup(page.get(PATH))
