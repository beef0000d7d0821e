"""The staff's incident page: an action opens in place, says what it would do, and loses nothing that was typed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from incidents import lifecycle, reporting
from incidents.choices import Status
from incidents.models import Incident, JournalEntry
from incidents.projection.proof import differences
from messaging.models import Notification
from tests import build
from tests.owner import as_owner
from tests.pages import counted, markup, stop_clock, text_of, title_of, visitor

pytestmark = pytest.mark.django_db
NOON = build.at("2026-03-02 12:00")
PATH = "/incidents/MAK-0001/"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, NOON)
    return build.world(third_party_pause=True)


@pytest.fixture
def page(world: build.World) -> Client:
    return visitor(world.agent)


def reported(world: build.World, what: str = "no_payment", minutes: int = 10) -> Incident:
    return build.incident(world.shop, by=world.reporter, what=what, at=NOON - timedelta(minutes=minutes))


def buttons(response: Any) -> list[str]:
    """The addresses of the actions that the page offers."""
    row = re.search(r'<div class="flow field">(.*?)</div>', response.content.decode(), re.DOTALL)
    return re.findall(rf'(?:href|action)="{PATH}([a-z-]+)/"', row[1]) if row else []


def fields(response: Any) -> list[str]:
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    found = re.findall(r'<(?:input|textarea|select)[^>]*? name="(\w+)"', main)
    return [name for name in dict.fromkeys(found) if name not in {"csrfmiddlewaretoken", "seen"}]


def error_beside(response: Any, words: str) -> bool:
    """Said in the summary and beside the field."""
    return response.status_code == 422 and text_of(response).count(words) == 2


def unchanged(incident: Incident, head: str) -> bool:
    incident.refresh_from_db()
    return incident.journal_head == head


# What is offered


def test_a_new_incident_offers_the_reaction_first(page: Client, world: build.World) -> None:
    reported(world, "some_payments")
    assert buttons(page.get(PATH)) == [
        "react",
        "react",
        "workaround",
        "resolve",
        "pause",
        "severity",
        "assign",
        "backup",
    ]


def test_the_most_urgent_category_can_not_get_worse(page: Client, world: build.World) -> None:
    reported(world, "no_payment")
    assert "severity" not in buttons(page.get(PATH))


def test_a_paused_one_offers_to_let_the_clock_run(page: Client, world: build.World) -> None:
    incident = reported(world, "slower")
    lifecycle.pause(incident=incident, by=world.agent, at=NOON, reason="client_answer", text="Który produkt?")
    assert buttons(page.get(PATH))[0] == "resume"


def test_a_question_offers_no_clock_s_actions(page: Client, world: build.World) -> None:
    reported(world, "question")
    assert buttons(page.get(PATH)) == ["react", "react", "resolve", "severity", "assign"]


def test_a_fixed_one_offers_only_to_be_handed_over_and_a_closed_one_nothing(page: Client, world: build.World) -> None:
    incident = reported(world, "typo")
    lifecycle.resolve(incident=incident, by=world.agent, at=NOON, text="Poprawione.")
    assert buttons(page.get(PATH)) == ["assign"]
    lifecycle.accept(incident=incident, by=world.reporter, at=NOON)
    closed = page.get(PATH)
    assert buttons(closed) == []
    assert 'id="reply"' not in closed.content.decode()


def test_the_reply_box_and_the_note_differ_in_border_and_word(page: Client, world: build.World) -> None:
    reported(world)
    reply, note = page.get(PATH).content.decode(), page.get(f"{PATH}note/").content.decode()
    assert 'class="compose"' in reply
    assert "Wyślij do klienta" in reply
    assert 'class="compose compose-note"' in note
    assert "Zapisz notatkę" in note
    assert "Wyślij do klienta" not in note


@pytest.mark.parametrize(
    ("verb", "asks"),
    [
        ("pause", ["reason", "text"]),
        ("resume", ["reason"]),
        ("backup", ["backup", "where", "size", "checksum", "skip"]),
        ("workaround", ["backup", "where", "size", "checksum", "skip", "text"]),
        ("severity", ["to", "change", "text"]),
        ("assign", ["to"]),
        ("react", ["text"]),
        ("call", ["text", "next_update"]),
        ("note", ["text"]),
    ],
)
def test_each_action_has_an_address_where_its_form_stands_open_alone(
    page: Client, world: build.World, verb: str, asks: list[str]
) -> None:
    incident = reported(world, "some_payments")
    if verb == "resume":
        lifecycle.pause(incident=incident, by=world.agent, at=NOON, reason="client_answer", text="Który produkt?")
    assert fields(page.get(f"{PATH}{verb}/")) == asks


# Reaction, message, note


def test_one_click_reacts_with_the_sentence_in_the_client_s_language(page: Client, world: build.World) -> None:
    User.objects.filter(pk=world.reporter.pk).update(language="en")
    reported(world)
    answer = page.post(f"{PATH}react/", {"seen": "1"})
    assert answer.headers["Location"] == PATH
    assert JournalEntry.objects.get(kind="contact").text == "This is Anna Lis. I am working on this incident."


def test_a_reaction_in_own_words_sends_those(page: Client, world: build.World) -> None:
    reported(world)
    page.post(f"{PATH}react/", {"text": "Widzę błąd operatora, dzwonię do niego."})
    assert JournalEntry.objects.get(kind="contact").text == "Widzę błąd operatora, dzwonię do niego."


def test_own_words_start_from_the_sentence_that_one_click_sends(page: Client, world: build.World) -> None:
    User.objects.filter(pk=world.reporter.pk).update(language="en")
    reported(world)
    assert "This is Anna Lis. I am working on this incident.</textarea>" in page.get(f"{PATH}react/").content.decode()


def test_a_call_is_the_reaction_at_its_entry_and_the_client_reads_what_was_said(
    page: Client, world: build.World
) -> None:
    incident = reported(world)
    build.clear_outbox()
    page.post(f"{PATH}call/", {"text": "Cofamy wtyczkę, oddzwonię o 12:30.", "next_update": "30"})
    incident.refresh_from_db()
    assert (incident.first_contact_at, incident.next_update_at) == (NOON, NOON + timedelta(minutes=30))
    entry = JournalEntry.objects.get(kind="contact")
    assert (entry.channel, entry.public, entry.by) == ("phone", True, world.agent)
    letter = Notification.objects.get(recipient=world.reporter)
    assert letter.subject == "MAK-0001: rozmowa telefoniczna, Anna Lis"
    assert "Cofamy wtyczkę, oddzwonię o 12:30." in letter.body
    assert "Anna Lis telefonicznie, do klienta, reakcja" in text_of(page.get(PATH))
    assert "Anna Lis telefonicznie" in text_of(visitor(world.reporter).get(PATH))
    assert not list(differences(at=NOON))


def test_whoever_reported_stands_first_with_words_and_number(page: Client, world: build.World) -> None:
    reported(world)
    User.objects.filter(pk=world.reporter.pk).update(phone="600 100 200")
    Incident.objects.update(sentence="Płatność się kręci.")
    assert "Ola Mak zgłasza, portal, 600 100 200 Płatność się kręci. Reakcja do dziś 12:20" in text_of(page.get(PATH))


def test_a_message_promises_the_next_update_that_was_chosen(page: Client, world: build.World) -> None:
    incident = reported(world)
    page.post(f"{PATH}say/", {"text": "Cofamy wtyczkę.", "next_update": "30"})
    incident.refresh_from_db()
    assert incident.next_update_at == NOON + timedelta(minutes=30)
    assert Notification.objects.filter(recipient=world.reporter, body__contains="Cofamy wtyczkę.").exists()


def test_a_note_is_no_reaction_and_reaches_nobody(page: Client, world: build.World) -> None:
    incident = reported(world)
    build.clear_outbox()
    page.post(f"{PATH}note/", {"text": "Wtyczka weszła z automatu o 3:00."})
    incident.refresh_from_db()
    assert (incident.first_contact_at, incident.status) == (None, Status.NEW)
    assert not Notification.objects.exists()
    assert "Wtyczka weszła z automatu o 3:00." in text_of(page.get(PATH))
    assert "Wtyczka" not in text_of(visitor(world.reporter).get(PATH))
    assert "Wtyczka" not in text_of(visitor(world.reporter).get(f"{PATH}journal/"))


def test_an_empty_message_is_refused_beside_the_box(page: Client, world: build.World) -> None:
    incident = reported(world)
    answer = page.post(f"{PATH}say/", {"text": " "})
    assert answer.status_code == 422
    assert title_of(answer).startswith("Błąd: ")
    assert unchanged(incident, incident.journal_head)


# Pause with a question


def test_a_pause_is_a_reason_and_a_question_in_one_send_and_the_reaction_too(page: Client, world: build.World) -> None:
    incident = reported(world)
    build.clear_outbox()
    page.post(f"{PATH}pause/", {"reason": "client_answer", "text": "Kto ma dostęp FTP?"})
    incident.refresh_from_db()
    assert incident.first_contact_at == NOON
    assert [(pause.reason, pause.started_at) for pause in incident.pauses.all()] == [("client_answer", NOON)]
    assert "Kto ma dostęp FTP?" in Notification.objects.get(recipient=world.reporter).body
    response = text_of(page.get(PATH))
    assert "Czeka na klienta od dziś 12:00" in response


def test_a_pause_without_a_question_stops_no_clock(page: Client, world: build.World) -> None:
    incident = reported(world)
    head = incident.journal_head
    answer = page.post(f"{PATH}pause/", {"reason": "third_party", "text": ""})
    assert answer.status_code == 422
    assert re.search(r'value="third_party"[^>]* checked', answer.content.decode())
    assert unchanged(incident, head)
    assert not incident.pauses.exists()


def test_a_reason_that_stands_already_or_is_not_in_the_contract_is_not_offered(
    page: Client, world: build.World
) -> None:
    incident = reported(world)
    lifecycle.pause(incident=incident, by=world.agent, at=NOON, reason="client_answer", text="Kto ma dostęp?")
    offered = re.findall(r'name="reason" value="(\w+)"', page.get(f"{PATH}pause/").content.decode())
    assert offered == ["third_party", "client_wait", "force_majeure", "maintenance_window"]
    world.version.third_party_pause = False
    with as_owner():
        world.version.save()
    offered = re.findall(r'name="reason" value="(\w+)"', page.get(f"{PATH}pause/").content.decode())
    assert offered == ["client_wait", "force_majeure", "maintenance_window"]


# Backup before the repair


@pytest.mark.parametrize(("what", "asked"), [("no_payment", True), ("some_payments", True), ("slower", False)])
@pytest.mark.parametrize("verb", ["workaround", "resolve"])
def test_a_missing_backup_is_asked_in_place_on_p1_and_p2(
    page: Client, world: build.World, what: str, asked: bool, verb: str
) -> None:
    reported(world, what)
    assert ("where" in fields(page.get(f"{PATH}{verb}/"))) is asked


def test_a_repair_carries_its_backup_in_one_send(page: Client, world: build.World) -> None:
    incident = reported(world)
    page.post(f"{PATH}resolve/", {"text": "Wtyczka cofnięta.", "where": "S3 Frankfurt", "size": "4,2 GB"})
    incident.refresh_from_db()
    assert (incident.status, incident.backup_at) == (Status.RESOLVED, NOON)
    assert [entry.kind for entry in incident.journal.all()] == ["received", "backup", "resolved"]


def test_a_repair_without_a_backup_needs_the_reason(page: Client, world: build.World) -> None:
    incident = reported(world)
    head = incident.journal_head
    answer = page.post(f"{PATH}resolve/", {"text": "Wtyczka cofnięta."})
    assert error_beside(answer, "Zaznacz, czy jest kopia.")
    assert error_beside(page.post(f"{PATH}resolve/", {"backup": "is"}), "Napisz, gdzie jest kopia.")
    assert error_beside(page.post(f"{PATH}resolve/", {"backup": "is_not"}), "Napisz, dlaczego nie ma kopii.")
    assert "Wtyczka cofnięta." in answer.content.decode()
    assert unchanged(incident, head)
    backup = {"backup": "is_not", "where": "S3 Frankfurt", "skip": "Zmiana tylko u operatora."}
    page.post(f"{PATH}resolve/", {"text": "Wtyczka cofnięta.", **backup})
    assert [entry.kind for entry in incident.journal.all()] == ["received", "backup_skipped", "resolved"]


def test_a_repair_without_its_words_keeps_the_backup_that_was_typed(page: Client, world: build.World) -> None:
    incident = reported(world)
    head = incident.journal_head
    answer = page.post(f"{PATH}resolve/", {"text": "", "where": "S3 Frankfurt"})
    assert answer.status_code == 422
    assert 'value="S3 Frankfurt"' in answer.content.decode()
    assert unchanged(incident, head)


# Category


def test_a_category_s_change_is_shown_with_its_deadlines_before_it_is_made(page: Client, world: build.World) -> None:
    reported(world, "slower", minutes=60)
    body = markup(page.get(f"{PATH}severity/"))
    rows = re.findall(r'<tr role="row"><th[^>]*>.*?>(P\d).*?</th>(.*?)</tr>', body, re.DOTALL)
    found = [(severity, *re.findall(r"<td[^>]*>(.*?)</td>", cells, re.DOTALL)) for severity, cells in rows]
    tidy = [tuple(" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in row) for row in found]
    assert tidy == [
        ("P1", "reakcja", "jutro 11:00", "dziś 12:30", "dziś 11:30 już po terminie: naruszenie"),
        ("P1", "naprawa", "czw. 5 mar, 11:00", "dziś 16:00", "dziś 15:00"),
        ("P2", "reakcja", "jutro 11:00", "dziś 14:00", "dziś 13:00"),
        ("P2", "naprawa", "czw. 5 mar, 11:00", "jutro 12:00", "jutro 11:00"),
    ]


def test_the_new_category_has_the_previewed_deadline(page: Client, world: build.World) -> None:
    incident = reported(world, "slower", minutes=60)
    page.post(f"{PATH}severity/", {"to": "P2", "change": "worse", "text": "Koszyk też czeka."})
    incident.refresh_from_db()
    assert incident.severity == "P2"
    deadlines = dict(incident.clocks.values_list("target", "deadline"))
    assert deadlines["reaction"] == build.at("2026-03-02 14:00")
    assert deadlines["restore"] == build.at("2026-03-03 12:00")


def test_a_milder_category_is_not_offered(page: Client, world: build.World) -> None:
    reported(world, "some_payments")
    body = page.get(f"{PATH}severity/").content.decode()
    assert re.findall(r'name="to" value="(P\d)"', body) == ["P1"]
    assert page.post(f"{PATH}severity/", {"to": "P3", "change": "worse", "text": "Mniej pilne."}).status_code == 422
    assert Incident.objects.get().severity == "P2"


# Hand over


def test_a_hand_over_tells_the_person_and_no_client(page: Client, world: build.World) -> None:
    incident = reported(world)
    build.clear_outbox()
    page.post(f"{PATH}assign/", {"to": str(world.manager.pk)})
    incident.refresh_from_db()
    assert incident.assignee == world.manager
    assert {notice.recipient for notice in Notification.objects.all()} == {world.manager}


def test_only_those_who_work_incidents_are_offered(page: Client, world: build.World) -> None:
    build.staff("Krzysztof Bak", role="admin")
    build.staff("Zofia Dawna").is_active = False
    User.objects.filter(name="Zofia Dawna").update(is_active=False)
    reported(world)
    chosen = re.search(r'<select name="to".*?</select>', page.get(f"{PATH}assign/").content.decode(), re.DOTALL)
    assert chosen
    assert re.findall(r">([^<>\n]+)</option>", chosen[0]) == ["Anna Lis", "Marek Dyr"]


# Somebody was faster


def test_what_somebody_did_meanwhile_is_shown_before_anything_is_sent(page: Client, world: build.World) -> None:
    incident = reported(world)
    lifecycle.say(incident=incident, by=world.manager, at=NOON, text="Operator potwierdził awarię.")
    build.clear_outbox()
    answer = page.post(f"{PATH}say/", {"text": "Sprawdzamy u operatora.", "seen": "1"})
    said = text_of(answer)
    assert answer.status_code == 422
    assert "Operator potwierdził awarię." in said
    assert "Marek Dyr" in said
    assert "Sprawdzamy u operatora.</textarea>" in answer.content.decode()
    assert not Notification.objects.exists()
    seen = re.search(r'name="seen" value="(\d+)"', answer.content.decode())
    assert seen
    assert page.post(f"{PATH}say/", {"text": "Sprawdzamy u operatora.", "seen": seen[1]}).status_code == 302
    assert incident.journal.filter(kind="contact").count() == 2


def test_own_acts_notes_and_machines_are_no_reason_to_ask(page: Client, world: build.World) -> None:
    incident = reported(world)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=NOON)
    lifecycle.note(incident=incident, by=world.manager, at=NOON, text="Sprawdzam logi.")
    reporting.note_recovery(incident=incident, restored_at=NOON, at=NOON, words="Sklep działa.")
    assert page.post(f"{PATH}say/", {"text": "Sklep wrócił.", "seen": "1"}).status_code == 302


def test_a_refusal_of_the_verb_keeps_the_text(page: Client, world: build.World) -> None:
    incident = reported(world, "typo")
    lifecycle.resolve(incident=incident, by=world.agent, at=NOON, text="Poprawione.")
    answer = page.post(f"{PATH}pause/", {"reason": "client_answer", "text": "Który produkt?"})
    assert answer.status_code == 422
    assert "Naprawione, czeka na klienta; żaden zegar nie biegnie." in text_of(answer)
    assert "Który produkt?</textarea>" in answer.content.decode()


# Live, evidence, counted


def test_nothing_new_is_204_and_a_change_brings_journal_and_clocks(page: Client, world: build.World) -> None:
    incident = reported(world)
    first = page.get(PATH)
    mark = re.search(rf"{PATH}\?mark=(\w+)", first.content.decode())
    assert mark
    live = page.get(PATH, {"mark": mark[1]}, headers={"hx-request": "true"})
    assert (live.status_code, live.content) == (204, b"")
    lifecycle.answer(incident=incident, by=world.reporter, at=NOON, text="Teraz także BLIK.")
    live = page.get(PATH, {"mark": mark[1]}, headers={"hx-request": "true"})
    assert "Teraz także BLIK." in text_of(live)
    assert 'id="reply"' not in live.content.decode()


def test_the_monitor_s_evidence_and_a_failed_letter_are_shown(page: Client, world: build.World) -> None:
    incident = reporting.open_from_monitor(
        shop=world.shop, failure="cart", what="no_orders", severity="P1", evidence={}, words="Koszyk: 500 trzy razy",
        first_failed_at=NOON - timedelta(minutes=9), at=NOON - timedelta(minutes=8),
    )  # fmt: skip
    Notification.objects.filter(notice__incident=incident).update(status="failed", error="Skrzynka nie istnieje")
    said = text_of(page.get(PATH))
    assert "Koszyk: 500 trzy razy" in said
    assert "Skrzynka nie istnieje" in said


def test_no_money_is_shown_to_an_agent(page: Client, world: build.World) -> None:
    reported(world)
    assert "zł" not in text_of(page.get(PATH)).replace("zgłosz", "")


def test_the_page_asks_the_database_as_often_with_fifty_entries(page: Client, world: build.World) -> None:
    incident = reported(world)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=NOON)
    page.get(PATH)
    with counted("staff incident"):
        page.get(PATH)
    for number in range(24):
        lifecycle.answer(incident=incident, by=world.reporter, at=NOON, text=f"Wiadomość {number}")
        lifecycle.say(incident=incident, by=world.manager, at=NOON, text=f"Odpowiedź {number}")
    with counted("staff incident"):
        assert "Odpowiedź 23" in text_of(page.get(PATH))
