"""A form whose page or session was too old comes back filled, to the browser that sent it, and never sends itself."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import expired
from incidents.models import Incident
from tests import build
from tests.pages import text_of

pytestmark = pytest.mark.django_db
KEY = "6f1c2a44-0000-4000-8000-000000000003"
WORDS = "Kręci się kółko & <b>nic</b>."
REPORT = {"what": "no_orders", "sentence": WORDS, "phone": "600 700 800", "affected": "wszyscy", "key": KEY}
OURS = "http://testserver"


@pytest.fixture
def world() -> build.World:
    return build.world()


def signed_in(person: Any) -> Client:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    browser.get("/report/")
    return browser


def form_of(response: Any, action: str) -> dict[str, str]:
    """What the browser would send of the form, without its buttons."""
    page = response.content.decode()
    found = re.search(rf'<form[^>]*action="{action}"[^>]*>.*?</form>', page, re.DOTALL)
    assert found, page
    inputs = re.findall(r"<input[^>]*>", found[0])
    sent = {}
    for tag in inputs:
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or " checked" in tag):
            sent[name[1]] = html.unescape(value[1]) if value else ""
    for name, value in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', found[0], re.DOTALL):
        sent[name] = html.unescape(value)
    return sent


def test_a_stale_page_comes_back_filled_with_a_fresh_token_and_files_once_sent(world: build.World) -> None:
    browser = signed_in(world.reporter)
    response = browser.post("/report/", REPORT | {"csrfmiddlewaretoken": "x" * 64}, HTTP_ORIGIN=OURS)
    assert response.status_code == 403
    assert "Nie wysłano: strona była otwarta zbyt długo" in text_of(response)
    assert "no-store" in response["Cache-Control"]
    assert not Incident.objects.exists()
    again = form_of(response, "/report/")
    assert {name: again[name] for name in REPORT} == REPORT
    assert browser.post("/report/", again, HTTP_ORIGIN=OURS).status_code == 302
    assert Incident.objects.get().sentence == WORDS


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_what_another_page_sent_is_never_shown_as_a_form(world: build.World, origin: str) -> None:
    browser = signed_in(world.reporter)
    response = browser.post("/report/", REPORT, headers={"origin": origin} if origin else {})
    assert response.status_code == 403
    assert "kółko" not in response.content.decode()
    assert KEY not in response.content.decode()
    assert "22 100 20 30" in text_of(response)


def ended_session(world: build.World) -> tuple[Client, Any]:
    """A browser whose session has ended while a report was typed, and what it gets for sending it."""
    browser = signed_in(world.reporter)
    token = browser.cookies["csrftoken"].value
    del browser.cookies["sessionid"]
    return browser, browser.post("/report/", REPORT | {"csrfmiddlewaretoken": token}, HTTP_ORIGIN=OURS)


def test_an_ended_session_asks_to_sign_in_and_the_form_comes_back(world: build.World) -> None:
    browser, login = ended_session(world)
    assert login.status_code == 403
    assert "Jeszcze nie wysłano: sesja wygasła." in text_of(login)
    assert "kółko" not in text_of(login)
    wrong = browser.post("/login/", form_of(login, "/login/") | {"username": world.reporter.email, "password": "x"})
    form = form_of(wrong, "/login/") | {"username": world.reporter.email, "password": build.PASSWORD}
    back = browser.post("/login/", form)
    assert "Jeszcze nie wysłano: trzeba było się zalogować" in text_of(back)
    assert "no-store" in back["Cache-Control"]
    assert not Incident.objects.exists()
    again = form_of(back, "/report/")
    assert {name: again[name] for name in REPORT} == REPORT
    assert browser.post("/report/", again, HTTP_ORIGIN=OURS).status_code == 302
    assert Incident.objects.get().sentence == WORDS


def test_who_has_no_such_page_sees_nothing_of_it(world: build.World) -> None:
    browser, login = ended_session(world)
    form = form_of(login, "/login/") | {"username": world.agent.email, "password": build.PASSWORD}
    assert browser.post("/login/", form)["Location"] == "/report/"


def test_a_kept_form_that_we_did_not_sign_is_none(world: build.World) -> None:
    kept = {"path": "/report/", "page": "/report/", "fields": {"sentence": ["x"]}, "secrets": False, "files": False}
    form = {"username": world.reporter.email, "password": build.PASSWORD, "kept": str(kept)}
    assert Client().post("/login/", form)["Location"] == "/"


def test_passwords_are_not_kept(world: build.World) -> None:
    browser = signed_in(world.reporter)
    form = {"old_password": "stare-tajne", "new_password1": "nowe-tajne", "new_password2": "nowe-tajne"}
    response = browser.post(reverse("password_change"), form, HTTP_ORIGIN=OURS)
    assert "tajne" not in response.content.decode()
    assert "Hasła wpisz ponownie: nie przechowujemy ich." in text_of(response)


def test_a_form_without_a_page_of_its_own_comes_back_on_the_page_where_it_stood(world: build.World) -> None:
    browser = signed_in(world.manager)
    page = "/settings/clients/MAK/"
    sent = {"name": "nowy.example", "url": "https://nowy.example/"}
    response = browser.post(f"{page}shops/", sent, HTTP_ORIGIN=OURS, HTTP_REFERER=f"{OURS}{page}?x=1")
    again = form_of(response, f"{page}shops/")
    assert {name: again[name] for name in sent} == sent


def test_words_whose_form_is_gone_are_shown_all_the_same(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    browser = signed_in(world.reporter)
    path = f"/incidents/{incident.nr}/reject/"
    response = browser.post(path, {"text": f"Nadal\n{WORDS}"}, HTTP_ORIGIN=OURS)
    assert response.status_code == 403
    assert form_of(response, path)["text"] == f"Nadal\n{WORDS}"


def test_what_is_too_long_to_be_carried_along_is_said(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expired, "MOST", 50)
    _browser, login = ended_session(world)
    assert "Twój tekst jest za długi, żeby go tu zachować" in text_of(login)
