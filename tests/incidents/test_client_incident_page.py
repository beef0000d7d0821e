"""The client's incident: own duty first, clocks in sentences, each act in place with its own address."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from incidents import lifecycle
from incidents.choices import Status
from incidents.models import Incident, JournalEntry
from messaging.models import Notification
from tests import build
from tests.pages import counted, markup, stop_clock, text_of, title_of, visitor

pytestmark = pytest.mark.django_db

NOON = build.at("2026-03-02 12:00:00")
ACTS = ("answer", "accept", "reject", "contest", "manager", "details", "cancel")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, NOON)
    return build.world()


@pytest.fixture
def page(world: build.World) -> Client:
    return visitor(world.reporter)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def worked(world: build.World) -> Incident:
    """Reported at 10:00, taken at 10:08."""
    incident = build.incident(world.shop, by=world.reporter)
    return lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY + minutes(8))


def asked(world: build.World) -> Incident:
    incident = worked(world)
    half_past = build.MONDAY + minutes(30)
    return lifecycle.pause(
        incident=incident, by=world.agent, at=half_past, reason="client_answer", text="Kto zmienił hasło?"
    )


def fixed(world: build.World) -> Incident:
    incident = worked(world)
    lifecycle.skip_backup(incident=incident, by=world.agent, at=build.MONDAY + minutes(20), text="Tylko ustawienie.")
    return lifecycle.resolve(incident=incident, by=world.agent, at=build.MONDAY + minutes(60), text="Wtyczka cofnięta.")


def test_the_clocks_say_until_when_and_what_was_met(page: Client, world: build.World) -> None:
    worked(world)
    said = text_of(page.get("/incidents/MAK-0001/"))
    assert "MAK-0001, mak.example. P1 Awaria krytyczna" in said
    assert "Naprawa do dziś 14:00 zostało 2 h" in said
    assert "Reakcja dziś 10:08, w czasie, 22 min przed terminem" in said


def test_a_deadline_noticed_late_stands_where_it_was(page: Client, world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY + minutes(60))
    journal = text_of(page.get("/incidents/MAK-0001/?part=live"))
    assert journal.index("11:00 Anna Lis") < journal.index("10:30 Minął termin") < journal.index("10:00:00 Zgłoszenie")


def test_internal_words_never_reach_the_client(page: Client, world: build.World) -> None:
    incident = worked(world)
    lifecycle.note(incident=incident, by=world.agent, at=NOON, text="Klient znów zepsuł wtyczkę.")
    lifecycle.assign(incident=incident, by=world.manager, at=NOON, to=world.manager)
    for path in ("", "journal/", "?part=live", "why/restore/"):
        body = page.get(f"/incidents/MAK-0001/{path}").content.decode()
        assert "zepsuł" not in body
    assert "Handed" not in text_of(page.get("/incidents/MAK-0001/"))
    assert "Przekazan" not in text_of(page.get("/incidents/MAK-0001/"))


def test_a_question_stands_first_with_its_answer_box_open(page: Client, world: build.World) -> None:
    asked(world)
    response = page.get("/incidents/MAK-0001/")
    assert title_of(response).startswith("MAK-0001 Czekamy na Twoją odpowiedź")
    said = text_of(response)
    assert "Wstrzymane: czekamy na Twoją odpowiedź zostało 3 h 30 min" in said
    assert said.index("Anna Lis pyta, 10:30") < said.index("Twoja odpowiedź") < said.index("Przebieg")
    assert '<details class="field" id="answer"' not in markup(response)


def test_an_answer_runs_the_clock_again(page: Client, world: build.World) -> None:
    asked(world)
    response = page.post("/incidents/MAK-0001/answer/", {"text": "Nikt."}, follow=True)
    assert response.redirect_chain == [("/incidents/MAK-0001/", 302)]
    assert "Naprawa do dziś 15:30 zostało 3 h 30 min" in text_of(response)
    assert [entry.kind for entry in JournalEntry.objects.order_by("seq")][-2:] == ["client_message", "resumed"]
    assert 'data-draft-done="answer-MAK-0001"' in response.content.decode()


def test_a_repair_asks_whether_it_works(page: Client, world: build.World) -> None:
    fixed(world)
    response = page.get("/incidents/MAK-0001/")
    assert title_of(response).startswith("MAK-0001 Czy już działa?")
    said = text_of(response)
    assert "Naprawione dziś 11:00, czeka na potwierdzenie w czasie, 3 h przed terminem" in said
    assert "Anna Lis: Wtyczka cofnięta. Działa" in said
    assert "Odesłanie uruchomi zegar z pozostałym czasem: 3 h." in said
    assert "Bez odpowiedzi do końca czwartku 5 mar zamkniemy zgłoszenie." in said


def test_the_steps_say_whose_turn_it_is(page: Client, world: build.World) -> None:
    fixed(world)
    said = text_of(page.get("/incidents/MAK-0001/"))
    steps = said[said.index("Kroki naprawy") : said.index("Twoje zgłoszenie")]
    assert steps == (
        "Kroki naprawy Reakcja 10:08 Kopia bezpieczeństwa pominięta, z powodem "
        "Diagnoza 11:00 Naprawa 11:00 Sprawdzenie Twoja kolej "
    )


def test_nobody_has_reacted_before_a_person_has(page: Client, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    assert "Kroki naprawy Reakcja czeka Kopia bezpieczeństwa Diagnoza" in text_of(page.get("/incidents/MAK-0001/"))


def test_it_works_closes_the_incident(page: Client, world: build.World) -> None:
    fixed(world)
    response = page.post("/incidents/MAK-0001/accept/", follow=True)
    assert Incident.objects.get().status == Status.CLOSED
    said = text_of(response)
    assert "Dziękujemy, zapisaliśmy, że działa." in said
    assert "Poproś o przełożonego" not in said


def test_still_broken_needs_a_reason_and_sends_the_clock_on(page: Client, world: build.World) -> None:
    fixed(world)
    refused = page.post("/incidents/MAK-0001/reject/", {"text": " "})
    assert refused.status_code == 422
    assert '<details class="field" id="reject" open>' in markup(refused)
    assert text_of(refused).count("Napisz, co nadal nie działa.") == 2
    assert Incident.objects.get().status == Status.RESOLVED
    said = text_of(page.post("/incidents/MAK-0001/reject/", {"text": "BLIK nadal nie."}, follow=True))
    assert "Odrzucone, wraca do naprawy: do dziś 15:00 zostało 3 h" in said
    assert "Wysłane. Odrzucone, wraca do naprawy: do dziś 15:00." in said


def test_a_workaround_asks_too_until_it_is_accepted(page: Client, world: build.World) -> None:
    incident = worked(world)
    lifecycle.back_up(incident=incident, by=world.agent, at=NOON - minutes(60), where="kopia 11:00", size="4,2 GB")
    lifecycle.work_around(incident=incident, by=world.agent, at=NOON - minutes(30), text="Płatność przelewem działa.")
    assert "Czy obejście działa?" in text_of(page.get("/incidents/MAK-0001/"))
    said = text_of(page.post("/incidents/MAK-0001/accept/", follow=True))
    assert "Czy obejście działa?" not in said
    assert Incident.objects.get().status == Status.WORKAROUND


def test_more_urgent_runs_the_stricter_clock(page: Client, world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, what="typo")
    said = text_of(page.post("/incidents/MAK-0001/contest/", {"text": "Zły numer konta!"}, follow=True))
    assert Incident.objects.get().severity == "P3"
    assert "zakwestionowane przez Ciebie, jeszcze nieustalone" in said
    assert "To pilniejsze" not in said


def test_a_manager_is_asked_once_an_hour(page: Client, world: build.World) -> None:
    worked(world)
    build.clear_outbox()
    first = text_of(page.post("/incidents/MAK-0001/manager/", {"text": ""}, follow=True))
    second = text_of(page.post("/incidents/MAK-0001/manager/", {"text": "Halo?"}, follow=True))
    assert "Przełożeni już wiedzą." in first
    assert "To już było zrobione, nic się nie zmieniło." in second
    assert Notification.objects.count() == 1


def test_details_are_added_later(page: Client, world: build.World) -> None:
    worked(world)
    page.post("/incidents/MAK-0001/details/", {"since": "9:40", "affected": "klienci z BLIK-iem"})
    incident = Incident.objects.get()
    assert incident.occurred_at == build.at("2026-03-02 09:40")
    assert incident.affected == "klienci z BLIK-iem"
    refused = page.post("/incidents/MAK-0001/details/", {"since": "kiedyś", "page": "/koszyk"})
    assert 'value="kiedyś"' in refused.content.decode()
    assert '<details class="field" id="details" open>' in markup(refused)


def test_a_withdrawn_report_ends_its_clocks(page: Client, world: build.World) -> None:
    worked(world)
    said = text_of(page.post("/incidents/MAK-0001/cancel/", {"text": "Pomyłka"}, follow=True))
    assert Incident.objects.get().status == Status.CANCELLED
    assert "Wycofane" in said
    assert 'href="/report/mak-example/"' in page.get("/incidents/MAK-0001/").content.decode()


def test_a_refusal_keeps_the_text_and_changes_nothing(page: Client, world: build.World) -> None:
    lifecycle.accept(incident=fixed(world), by=world.owner, at=NOON)
    build.clear_outbox()
    length = Incident.objects.get().journal_length
    response = page.post("/incidents/MAK-0001/cancel/", {"text": "Jednak pomyłka"})
    assert response.status_code == 422
    assert title_of(response).startswith("Błąd: ")
    assert "MAK-0001" in text_of(response)
    assert Incident.objects.get().journal_length == length
    assert not Notification.objects.exists()


@pytest.mark.parametrize("verb", ["answer", "contest", "manager", "details", "cancel"])
def test_the_address_of_an_act_shows_its_form_open(page: Client, world: build.World, verb: str) -> None:
    build.incident(world.shop, by=world.reporter, what="slower")
    body = markup(page.get(f"/incidents/MAK-0001/{verb}/"))
    assert re.findall(r'<details class="field" id="(\w+)" open>', body) == [verb]


@pytest.mark.parametrize("verb", ACTS)
def test_a_stranger_s_act_finds_nothing_and_changes_nothing(world: build.World, verb: str) -> None:
    fixed(world)
    other = build.world("TUR")
    before = (JournalEntry.objects.count(), Notification.objects.count())
    for person in (other.reporter, other.owner, world.agent, world.manager):
        assert visitor(person).post(f"/incidents/MAK-0001/{verb}/", {"text": "x"}).status_code == 404
    assert (JournalEntry.objects.count(), Notification.objects.count()) == before


def test_money_is_seen_by_no_reporter(page: Client, world: build.World) -> None:
    fixed(world)
    assert not re.search(r"\d\s*zł", text_of(page.get("/incidents/MAK-0001/")))
    assert "/contracts/" not in page.get("/incidents/MAK-0001/").content.decode()


def test_an_unchanged_page_is_answered_with_204(page: Client, world: build.World) -> None:
    incident = worked(world)
    body = page.get("/incidents/MAK-0001/").content.decode()
    mark = re.search(r'id="mark" value="(\w+)"', body)
    assert mark
    assert page.get(f"/incidents/MAK-0001/?part=live&action=&mark={mark[1]}").status_code == 204
    lifecycle.say(incident=incident, by=world.agent, at=NOON, text="Cofamy wtyczkę.")
    changed = page.get(f"/incidents/MAK-0001/?part=live&action=&mark={mark[1]}")
    assert changed.status_code == 200
    assert "Cofamy wtyczkę." in changed.content.decode()
    assert "<form" not in changed.content.decode()


def test_a_clock_that_turns_late_is_news(page: Client, world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    worked(world)
    mark = re.search(r'id="mark" value="(\w+)"', page.get("/incidents/MAK-0001/").content.decode())
    assert mark
    stop_clock(monkeypatch, build.at("2026-03-02 14:00:01"))
    late = page.get(f"/incidents/MAK-0001/?part=live&action=&mark={mark[1]}")
    assert "po terminie o 1 s" in text_of(late)


def test_a_new_action_of_the_client_is_announced_without_touching_a_form(page: Client, world: build.World) -> None:
    asked(world)
    live = page.get("/incidents/MAK-0001/?part=live&action=&mark=old")
    assert "Pokaż, co możesz teraz zrobić" in text_of(live)
    same = page.get("/incidents/MAK-0001/?part=live&action=answer&mark=old")
    assert "Pokaż, co możesz teraz zrobić" not in text_of(same)


def test_a_long_journal_costs_no_more_queries(page: Client, world: build.World) -> None:
    incident = worked(world)
    page.get("/incidents/MAK-0001/")  # the session learns the active client
    with counted("client incident"):
        page.get("/incidents/MAK-0001/")
    for number in range(49):
        lifecycle.say(incident=incident, by=world.agent, at=NOON, text=f"Wiadomość {number}.")
    with counted("client incident"):
        page.get("/incidents/MAK-0001/")
