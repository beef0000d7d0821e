"""A repeat key belongs to a person, a client and a body: nothing is filed twice, and nothing that differs is lost."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from incidents import lifecycle, reporting
from incidents.keys import RepeatKey
from incidents.models import Incident, JournalEntry
from incidents.repeats import AlreadyFiled
from messaging.models import Notification
from tests import build
from tests.incidents.test_api import Caller
from tests.pages import stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
KEY = "6f1c2a44-0000-4000-8000-000000000009"
REFUSED = (
    "Użyto już tego klucza: tamto zgłoszenie przyjęliśmy jako MAK-0001. To, co przyszło teraz, jest inne i NIE zostało "
    "przyjęte; wyślij je z nowym kluczem."
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


def counts() -> tuple[int, int, int]:
    return Incident.objects.count(), JournalEntry.objects.count(), Notification.objects.count()


def post(caller: Caller, **changed: Any) -> Any:
    body = {"shop": "mak-example", "what": "no_payment", "sentence": "Klienci nie mogą zapłacić.", "form_key": KEY}
    return caller.post("incidents/", **body | changed)


# A program


def test_the_same_key_and_body_is_the_same_incident_even_once_it_is_closed(world: build.World) -> None:
    caller = Caller(world.reporter)
    first = post(caller)
    incident = Incident.objects.get()
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY)
    lifecycle.cancel(incident=incident, by=world.reporter, at=build.MONDAY, text="Pomyłka.")
    before = counts()
    again = post(caller, phone="")  # what is left out and what is empty are the same body
    assert (first.status_code, again.status_code, again.json()["nr"]) == (201, 201, "MAK-0001")
    assert counts() == before


@pytest.mark.parametrize(
    "changed",
    [
        {"sentence": "Teraz nie otwiera się też strona."},
        {"what": "closed"},
        {"phone": "600100200"},
        {"occurred_at": "2026-03-02T08:10:00+01:00"},
        {"affected": "wszyscy"},
        {"page": "/koszyk"},
        {"order_number": "77"},
        {"shop": "hurt-example"},
    ],
)
def test_the_same_key_with_another_body_is_refused_and_nothing_is_written(
    world: build.World, changed: dict[str, str]
) -> None:
    build.shop(world.client, "hurt.example")
    caller = Caller(world.reporter)
    post(caller)
    before = counts()
    answer = post(caller, **changed)
    assert (answer.status_code, answer.json()["field"], plain(answer.json()["detail"])) == (409, "form_key", REFUSED)
    assert counts() == before
    assert post(caller, **changed, form_key=str(build.form_key())).status_code == 201


def test_the_refusal_speaks_the_caller_s_language(world: build.World) -> None:
    world.reporter.language = "en"
    world.reporter.save()
    caller = Caller(world.reporter)
    post(caller)
    assert post(caller, sentence="Other.").json()["detail"] == (
        "This key has been used: that report was received as MAK-0001. What came with it now is different and was "
        "NOT received; send it with a new key."
    )


def test_a_key_of_another_client_or_person_is_nobody_s_business(world: build.World) -> None:
    other = build.world("TUR")
    both = [
        post(Caller(world.reporter)), post(Caller(world.owner)), post(Caller(other.reporter), shop="tur-example"),
    ]  # fmt: skip
    assert [(one.status_code, one.json()["nr"]) for one in both] == [
        (201, "MAK-0001"), (201, "MAK-0002"), (201, "TUR-0001"),
    ]  # fmt: skip


def test_one_person_of_two_clients_may_use_a_key_at_each(world: build.World) -> None:
    other = build.world("TUR")
    other.client.memberships.create(user=world.reporter, role="reporter")
    caller = Caller(world.reporter)
    assert (post(caller).json()["nr"], post(caller, shop="tur-example").json()["nr"]) == ("MAK-0001", "TUR-0001")


# A join has the same rule


def test_a_join_is_repeated_and_a_changed_one_refused(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.owner, what="closed")
    report = partial(
        reporting.report, shop=world.shop, what="closed", by=world.reporter, at=build.MONDAY, form_key=build.form_key()
    )
    assert report(sentence="U nas też.", join=incident) == report(sentence="U nas też.", join=incident) == incident
    before = counts()
    for changed in (
        partial(report, sentence="A teraz też panel.", join=incident),
        partial(report, sentence="U nas też."),
    ):
        with pytest.raises(AlreadyFiled) as refused:
            changed()
        assert (refused.value.incident, refused.value.field) == (incident, "form_key")
    assert counts() == before
    assert incident.joined.count() == 1


# A page


def answers(**changed: str) -> dict[str, str]:
    return {"what": "no_orders", "sentence": "Kręci się kółko.", "phone": "600 100 200", "key": KEY} | changed


def key_in(response: Any) -> str:
    found = re.search(r'<input type="hidden" name="key" value="([0-9a-f-]{36})" id="id_key"', response.content.decode())
    assert found
    return found[1]


def test_a_form_changed_after_it_was_sent_comes_back_with_its_words_the_number_and_a_new_key(
    world: build.World,
) -> None:
    page = visitor(world.reporter)
    page.post("/report/", answers())
    before = counts()
    again = page.post("/report/", answers(sentence="Nie działa też koszyk hurtowy."))
    assert again.status_code == 422
    assert "Pierwsze zgłoszenie przyjęliśmy jako MAK-0001. To, co stoi w formularzu teraz, jest inne i nie zostało" \
        in text_of(again)  # fmt: skip
    assert "Nie działa też koszyk hurtowy.</textarea>" in again.content.decode()
    assert 'href="/incidents/MAK-0001/"' in again.content.decode()
    assert counts() == before
    key = key_in(again)
    assert key != KEY
    sent = page.post("/report/", answers(sentence="Nie działa też koszyk hurtowy.", key=key))
    assert sent["Location"] == "/incidents/MAK-0002/receipt/"


def test_a_used_key_that_joins_another_failure_keeps_the_sentence_and_gets_a_new_key(world: build.World) -> None:
    build.incident(world.shop, by=world.owner, what="closed")
    page = visitor(world.reporter)
    page.post("/report/", answers())
    before = counts()
    again = page.post("/report/", {"join": "MAK-0001", "key": KEY, "sentence": "Nie ma strony."})
    assert again.status_code == 422
    assert again.content.decode().count("Nie ma strony.</textarea>") == 2
    assert "przyjęliśmy jako MAK-0002" in text_of(again)
    assert key_in(again) != KEY
    assert counts() == before


def test_joining_what_has_ended_keeps_the_sentence(world: build.World) -> None:
    page = visitor(world.reporter)
    again = page.post("/report/", {"join": "MAK-0001", "key": KEY, "sentence": "Nie ma strony."})
    assert "Nie ma strony.</textarea>" in again.content.decode()
    assert not Incident.objects.exists()


def test_a_report_by_phone_is_filed_once_with_its_note_and_a_changed_one_comes_back(world: build.World) -> None:
    page, form = visitor(world.agent), "/incidents/new/?shop=mak-example"
    known = answers(caller=str(world.reporter.pk), why="Dzwoni z samochodu.")
    assert [page.post(form, known)["Location"] for _ in range(2)] == ["/incidents/MAK-0001/"] * 2
    assert list(JournalEntry.objects.values_list("kind", flat=True)) == ["received", "internal_note"]
    before = counts()
    again = page.post(form, known | {"caller": str(world.owner.pk)})
    assert (again.status_code, counts()) == (422, before)
    assert "przyjęliśmy jako MAK-0001" in text_of(again)
    assert page.post(form, known | {"caller": str(world.owner.pk), "key": key_in(again)}).status_code == 302
    assert Client().get("/incidents/MAK-0001/").status_code == 302


# Keys of before


def test_a_key_of_before_bodies_were_kept_goes_by_the_sentence_and_the_shop(world: build.World) -> None:
    key = build.form_key()
    incident = build.incident(world.shop, by=world.reporter, form_key=key)
    RepeatKey.objects.update(body="")
    later = build.MONDAY + timedelta(minutes=1)
    assert build.incident(world.shop, by=world.reporter, form_key=key, at=later) == incident
    with pytest.raises(AlreadyFiled):
        build.incident(world.shop, by=world.reporter, form_key=key, at=later, sentence="Coś innego.")


def test_a_key_belongs_to_whoever_used_it_and_is_seen_by_nobody_else(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, form_key=build.form_key())
    seen = [RepeatKey.objects.visible_to(user).count() for user in (world.reporter, world.owner, world.manager)]
    assert seen == [1, 0, 0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM incidents_repeatkey WHERE incident_id IS NULL")
        assert cursor.fetchone() == (0,)
