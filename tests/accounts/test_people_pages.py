"""The administrator's pages of people: the list, the invitation and its letter, one person's page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client as Browser

from accounts import letters, people
from accounts.models import Client, Membership, User
from tests import build
from tests.pages import counted, stop_clock, text_of, title_of, visitor
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db
NEW = {"name": "Nowy Opiekun", "email": "nowy@korba.example", "phone": "", "role": "agent", "language": "pl"}


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> User:
    stop_clock(monkeypatch, build.MONDAY)
    return build.staff("Ada Min", role="admin", on_call=False)


@pytest.fixture
def page(admin: User) -> Browser:
    return visitor(admin)


def test_the_list_tells_role_client_rights_validity_and_last_login(page: Browser) -> None:
    mak = build.client("MAK")
    anna = build.staff("Anna Lis")
    User.objects.filter(pk=anna.pk).update(last_login=build.at("2026-03-02 08:15"))
    build.contact(mak, "Ola Mak", role="owner", valid_until=build.MONDAY.date())
    build.contact(mak, "Jan Dawny", valid_until=build.MONDAY.date() - timedelta(days=1))
    said = text_of(page.get("/settings/users/"))
    assert "Anna Lis opiekun na dyżurze anna.lis@korba.example dziś 8:15" in said
    assert "Ola Mak Mak sp. z o.o. właściciel 2 marca 2026 ola.mak@mak.example nigdy" in said
    assert "Jan Dawny Mak sp. z o.o. zgłaszający wygasło 1 marca 2026 jan.dawny@mak.example nigdy" in said


def test_the_list_asks_the_database_as_often_with_fifty_people(page: Browser) -> None:
    clients = [build.client(code) for code in ("MAK", "TUR")]
    build.contact(clients[0], "Ola Mak")
    page.get("/settings/users/")
    with counted("users"):
        page.get("/settings/users/")
    for number in range(50):
        build.contact(clients[number % 2], f"Osoba {number}")
        build.staff(f"Opiekun {number}")
    with counted("users"):
        assert page.get("/settings/users/").content.count(b'role="rowheader"') == 102


def test_an_invitation_goes_by_a_letter_in_the_person_s_language(page: Browser) -> None:
    answer = page.post("/settings/users/", NEW | {"language": "en"})
    person = User.objects.get(email=NEW["email"])
    assert answer["Location"] == f"/settings/users/{person.pk}/"
    assert mail.outbox == []
    send_letters()
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["nowy@korba.example"], "Invitation, Studio Północ")
    assert "Hello Nowy Opiekun," in letter.body
    link = re.search(r"http\S+(/invitation/\S+)", str(letter.body))
    assert link is not None
    assert Browser().get(link[1]).status_code == 200
    said = text_of(page.get(answer["Location"]))
    assert "Wiadomość idzie na adres nowy@korba.example" in said
    assert "Zaproszenie czeka: hasło nie jest jeszcze ustawione." in said


def send_letters(after: timedelta = timedelta()) -> int:
    return build.send_letters(build.MONDAY + after)


def test_a_dead_mail_server_breaks_no_page_and_the_letter_is_tried_until_it_leaves(
    page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        answer = page.post("/settings/users/", NEW)
        assert answer.status_code == 302
        assert send_letters() == 0
        said = text_of(page.get("/settings/users/"))
        assert "zaproszenie, nowy@korba.example: ConnectionRefusedError: nobody listens (próbujemy dalej)" in said
    assert mail.outbox == []
    assert send_letters(timedelta(minutes=1)) == 1
    assert [letter.to for letter in mail.outbox] == [["nowy@korba.example"]]
    assert "ConnectionRefusedError" not in text_of(page.get("/settings/users/"))


def test_an_invitation_that_is_asked_for_again_leaves_once_with_the_link_that_works(page: Browser) -> None:
    answer = page.post("/settings/users/", NEW)
    page.post(f"{answer['Location']}letter/")
    assert send_letters() == 1
    link = re.search(r"(/invitation/\S+)", str(mail.outbox[0].body))
    assert link is not None
    assert Browser().get(link[1]).status_code == 200


def test_who_has_a_password_is_told_of_each_client_by_a_letter_of_its_own() -> None:
    mak, tur = build.client("MAK"), build.client("TUR")
    ola = build.contact(mak, "Ola Mak")
    for client in (mak, tur, tur):
        letters.invite(ola, client=client, at=build.MONDAY)
    assert send_letters() == 2
    assert [letter.subject.split(",")[0] for letter in mail.outbox] == ["Mak sp. z o.o.", "Tur sp. z o.o."]
    assert not any("/invitation/" in str(letter.body) for letter in mail.outbox)


def refuse(self: EmailBackend, messages: object) -> int:
    raise ConnectionRefusedError("nobody listens")


def test_nobody_with_a_password_gets_another_invitation(page: Browser) -> None:
    anna = build.staff("Anna Lis")
    assert page.post(f"/settings/users/{anna.pk}/letter/").status_code == 302
    assert (send_letters(), mail.outbox) == (0, [])


def test_a_wrong_form_keeps_what_was_typed(page: Browser) -> None:
    answer = page.post("/settings/users/", NEW | {"email": "ada.min@korba.example"})
    assert answer.status_code == 422
    assert title_of(answer).startswith("Błąd:")
    body = plain(answer.content.decode())
    assert "Ten e-mail ma już inna osoba." in body
    assert 'value="Nowy Opiekun"' in body
    assert (User.objects.count(), mail.outbox) == (1, [])


def test_a_name_with_a_line_break_is_refused_at_its_field_and_by_the_verb(page: Browser, admin: User) -> None:
    answer = page.post("/settings/users/", NEW | {"name": "Nowy\r\nBcc: kto@inny.example"})
    assert answer.status_code == 422
    assert text_of(answer).count("Wpisz to w jednej linii, bez tabulatorów i znaków sterujących.") == 2
    assert "Nowy\r\nBcc: kto@inny.example" in answer.content.decode()
    assert page.post("/settings/users/", NEW | {"name": "\u3164\u200b"}).status_code == 422
    facts = {"email": "x@korba.example", "role": "agent", "by": None, "at": build.MONDAY}
    for name in ("a\nb", "\u200b"):
        with pytest.raises(Refused) as caught:
            people.invite_staff(name=name, **facts)  # type: ignore[arg-type]
        assert caught.value.field == "name"
        with pytest.raises(Refused):
            people.create_client(code="TUR", name=name, by=admin, at=build.MONDAY)
    assert (User.objects.count(), Client.objects.count(), mail.outbox) == (1, 0, [])


def test_the_subject_of_an_invitation_is_one_line_whatever_the_provider_is_called(page: Browser, settings: Any) -> None:
    settings.PROVIDER_NAME = "Studio\nBcc: kto@inny.example"
    page.post("/settings/users/", NEW)
    assert send_letters() == 1
    assert [(letter.to, letter.bcc) for letter in mail.outbox] == [(["nowy@korba.example"], [])]
    assert mail.outbox[0].subject == "Zaproszenie, Studio Bcc: kto@inny.example"


def test_an_administrator_changes_role_and_duty(page: Browser) -> None:
    anna = build.staff("Anna Lis", on_call=False)
    path = f"/settings/users/{anna.pk}/"
    page.post(path, {"name": "Anna Lis", "phone": "600 100 200", "role": "manager", "on_call": "on"})
    anna.refresh_from_db()
    assert (anna.provider_role, anna.on_call, anna.phone) == ("manager", True, "600 100 200")


def test_the_own_role_stays_and_the_page_says_why(page: Browser, admin: User) -> None:
    path = f"/settings/users/{admin.pk}/"
    answer = page.post(path, {"name": "Ada Min", "phone": "", "role": "agent"})
    assert answer.status_code == 422
    assert "Nie możesz odebrać sobie roli administratora." in text_of(answer)
    answer = page.post(f"{path}off/")
    assert answer.status_code == 422
    assert "Nie możesz wyłączyć własnego konta." in text_of(answer)
    admin.refresh_from_db()
    assert (admin.provider_role, admin.is_active) == ("admin", True)
    assert f"{path}off/" not in page.get(path).content.decode()


def test_rights_change_for_a_known_client_and_are_given_for_another(page: Browser) -> None:
    mak = build.client("MAK")
    build.client("TUR")
    ola = build.contact(mak, "Ola Mak")
    path = f"/settings/users/{ola.pk}/rights/"
    page.post(path, {"client": "MAK", "role": "owner", "valid_until": "31.12.2026"})
    page.post(path, {"client": "TUR", "role": "reporter", "valid_until": ""})
    found = Membership.objects.order_by("client__code").values_list("client__code", "role", "valid_until")
    assert [(code, role, str(until)) for code, role, until in found] == [
        ("MAK", "owner", "2026-12-31"), ("TUR", "reporter", "None"),
    ]  # fmt: skip


def test_wrong_rights_are_shown_where_they_were_typed(page: Browser) -> None:
    mak = build.client("MAK")
    ola = build.contact(mak, "Ola Mak")
    answer = page.post(f"/settings/users/{ola.pk}/rights/", {"client": "MAK", "role": "owner", "valid_until": "jutro"})
    assert answer.status_code == 422
    assert 'value="jutro"' in answer.content.decode()
    assert "Wpisz datę tak: 2027-01-31." in text_of(answer)
    answer = page.post(f"/settings/users/{ola.pk}/rights/", {"client": "XXX", "role": "owner", "valid_until": ""})
    assert answer.status_code == 422
    assert list(Membership.objects.values_list("role", "valid_until")) == [("reporter", None)]


def test_a_person_is_switched_off_and_on_by_the_page(page: Browser) -> None:
    anna = build.staff("Anna Lis")
    path = f"/settings/users/{anna.pk}/"
    assert "<details open>" in page.get(f"{path}off/").content.decode()
    page.post(f"{path}off/")
    assert "To konto jest wyłączone" in text_of(page.get(path))
    assert text_of(page.get("/settings/users/")).count("wyłączone") == 1
    page.post(f"{path}on/")
    anna.refresh_from_db()
    assert anna.is_active
    assert send_letters() == 1
    assert [letter.to for letter in mail.outbox] == [[anna.email]]
