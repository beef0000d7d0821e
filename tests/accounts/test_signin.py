"""Signing in and out, passwords, invitations, language, theme and the active client."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client as Browser
from django.urls import reverse

from accounts.invitations import invitation_path
from accounts.models import Client, Letter, Membership, User
from tests import build, languages
from wording.words import plain

pytestmark = pytest.mark.django_db
PASSWORD = "korba-motyl-grusza-71"


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def marta() -> User:
    user = User.objects.create_user("marta@mak.example", PASSWORD, name="Marta Zielińska")
    Membership.objects.create(user=user, client=Client.objects.create(code="MAK", name="Makowy Dom"), role="owner")
    return user


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@studio.example", PASSWORD, name="Anna Kowalska", provider_role="agent")


def sign_in(browser: Browser, email: str, password: str = PASSWORD, to: str = "") -> str:
    """The address after signing in, or the page's text."""
    answer = browser.post("/login/", {"username": email, "password": password, "next": to})
    return answer.headers.get("Location", answer.content.decode())


def session_days(browser: Browser) -> float:
    return browser.session.get_expiry_age() / 86400


def test_a_client_stays_signed_in_for_thirty_days(browser: Browser, marta: User) -> None:
    assert sign_in(browser, "marta@mak.example") == "/"
    assert round(session_days(browser), 3) == 30


def test_staff_stay_signed_in_for_a_shift(browser: Browser, anna: User) -> None:
    assert sign_in(browser, "anna@studio.example") == "/"
    assert round(session_days(browser), 3) == 0.5


def test_capital_letters_in_the_e_mail_don_t_matter(browser: Browser, marta: User) -> None:
    assert sign_in(browser, "Marta@MAK.example") == "/"


def test_a_wrong_password_and_an_unknown_e_mail_get_the_same_words(browser: Browser, marta: User) -> None:
    wrong, unknown = sign_in(browser, "marta@mak.example", "x"), sign_in(browser, "nobody@mak.example", "x")
    said = "E-mail albo hasło się nie zgadza."
    assert said in wrong
    assert said in unknown
    assert "<title> Błąd: Zaloguj się" in " ".join(wrong.split())
    assert 'value="marta@mak.example"' in wrong


def test_a_person_who_is_switched_off_stays_out(browser: Browser, marta: User) -> None:
    User.objects.update(is_active=False)
    assert "E-mail albo hasło" in sign_in(browser, "marta@mak.example")
    assert "_auth_user_id" not in browser.session


def test_the_tenth_wrong_password_locks_even_the_right_one(browser: Browser, marta: User) -> None:
    for _ in range(9):
        assert "E-mail albo hasło" in sign_in(browser, "marta@mak.example", "x")
    sign_in(browser, "MARTA@mak.example", "x")
    locked = browser.post("/login/", {"username": "marta@mak.example", "password": PASSWORD})
    assert locked.status_code == 429
    assert "Zbyt wiele prób logowania" in locked.content.decode()
    assert settings.DUTY_PHONE in locked.content.decode()
    assert 170 <= int(locked.headers["Retry-After"]) <= 180


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [("/incidents/?q=x", "/incidents/?q=x"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("", "/")],
)
def test_after_signing_in_one_lands_only_on_our_own_pages(
    browser: Browser, marta: User, wanted: str, lands: str
) -> None:
    assert sign_in(browser, "marta@mak.example", to=wanted) == lands


def test_signing_out_is_a_post_and_ends_the_session(browser: Browser, marta: User) -> None:
    browser.force_login(marta)
    assert browser.get("/logout/").status_code == 405
    assert browser.post("/logout/").headers["Location"] == "/login/"
    assert browser.get("/account/").headers["Location"] == "/login/?next=/account/"


def test_the_login_page_has_the_duty_phone_as_a_link(browser: Browser) -> None:
    page = browser.get("/login/").content.decode()
    assert f'<a class="phone" href="tel:+48221002030">{settings.DUTY_PHONE}</a>' in page


def test_the_login_is_polish_whatever_the_browser_asks(browser: Browser) -> None:
    page = browser.get("/login/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="pl">' in page
    assert "Zaloguj się" in page


def test_a_stranger_s_language_is_kept_in_a_cookie(browser: Browser) -> None:
    answer = browser.post("/language/", {"language": "en", "next": "/accessibility/"})
    assert answer.headers["Location"] == "/accessibility/"
    page = browser.get("/login/").content.decode()
    assert '<html lang="en">' in page
    assert "<h1>Sign in</h1>" in page


def test_a_person_s_own_language_beats_the_cookie(browser: Browser, marta: User) -> None:
    browser.force_login(marta)
    browser.cookies["language"] = "en"
    assert '<html lang="pl">' in browser.get("/account/").content.decode()
    browser.post("/language/", {"language": "en"})
    marta.refresh_from_db()
    assert marta.language == "en"
    assert '<html lang="en">' in browser.get("/account/").content.decode()


@pytest.mark.parametrize(("path", "field"), [("/language/", "language"), ("/theme/", "theme")])
def test_an_unknown_choice_changes_nothing(browser: Browser, path: str, field: str) -> None:
    answer = browser.post(path, {field: "xx"})
    assert answer.status_code == 404
    assert list(answer.cookies) == []


def test_the_theme_is_a_cookie_and_a_setting(browser: Browser, marta: User) -> None:
    assert "data-theme" not in browser.get("/login/").content.decode()
    browser.post("/theme/", {"theme": "dark"})
    assert 'data-theme="dark"' in browser.get("/login/").content.decode()
    browser.force_login(marta)
    assert "data-theme" not in browser.get("/account/").content.decode()
    browser.post("/theme/", {"theme": "light"})
    marta.refresh_from_db()
    assert marta.theme == "light"


def test_switches_are_posts(browser: Browser, marta: User) -> None:
    browser.force_login(marta)
    assert [browser.get(path).status_code for path in ("/language/", "/theme/", "/client/")] == [405, 405, 405]


def test_the_account_saves_and_says_so_in_the_new_language(browser: Browser, marta: User) -> None:
    browser.force_login(marta)
    data = {"name": "Marta Z.", "phone": "600 100 200", "language": "en", "theme": "dark", "notices": "on"}
    page = browser.post("/account/", data, follow=True).content.decode()
    assert "Saved." in page
    assert 'data-theme="dark"' in page
    marta.refresh_from_db()
    assert (marta.name, marta.phone, marta.language, marta.notices) == ("Marta Z.", "600 100 200", "en", True)


def test_a_bad_phone_is_explained_and_stays_typed(browser: Browser, marta: User) -> None:
    browser.force_login(marta)
    answer = browser.post("/account/", {"name": "Ktoś", "phone": "zadzwoń", "language": "pl", "theme": ""})
    page = answer.content.decode()
    assert "Popraw 1 pole" in page.replace("\u00a0", " ")
    assert 'value="zadzwoń"' in page
    assert 'aria-describedby="id_phone_helptext id_phone_error"' in page
    assert ">Marta Zielińska</a>" in page
    marta.refresh_from_db()
    assert marta.phone == ""


def test_only_staff_are_asked_about_letter_keys(browser: Browser, marta: User, anna: User) -> None:
    browser.force_login(marta)
    assert 'name="shortcuts"' not in browser.get("/account/").content.decode()
    browser.force_login(anna)
    page = browser.get("/account/").content.decode()
    assert 'name="shortcuts"' in page
    assert 'data-shortcuts="on"' in page
    User.objects.update(shortcuts=False)
    assert 'data-shortcuts="off"' in browser.get("/account/").content.decode()


def test_a_person_of_two_clients_sees_and_switches_the_active_one(browser: Browser, marta: User) -> None:
    other = Client.objects.create(code="TUR", name="Turnia Sport")
    Membership.objects.create(user=marta, client=other, role="reporter")
    browser.force_login(marta)
    assert "<span>Makowy Dom</span>" in browser.get("/account/").content.decode()
    assert browser.post("/client/", {"client": other.code}).headers["Location"] == "/"
    page = browser.get("/account/").content.decode()
    assert "<span>Turnia Sport</span>" in page
    assert "Przełącz na: Makowy Dom" in page


@pytest.mark.parametrize("wanted", ["999999", "TUR", "x", ""])
def test_nobody_switches_to_a_stranger_s_client(browser: Browser, marta: User, wanted: str) -> None:
    Client.objects.create(pk=999999, code="TUR", name="Turnia Sport")
    browser.force_login(marta)
    assert browser.post("/client/", {"client": wanted}).status_code == 404
    assert "Turnia" not in browser.get("/account/").content.decode()


def test_a_forgotten_password_is_set_by_a_link_that_works_once(browser: Browser, marta: User) -> None:
    assert browser.post("/password/", {"email": "marta@mak.example"}).headers["Location"] == "/password/sent/"
    build.send_letters()
    link = re.findall(rf"{settings.BASE_URL}(/password/\S+)", str(mail.outbox[0].body))[0]
    form = browser.get(link, follow=True)
    new = {"new_password1": "trzy-inne-slowa", "new_password2": "trzy-inne-slowa"}
    assert browser.post(form.redirect_chain[-1][0], new).headers["Location"] == "/login/?new_password=1"
    assert sign_in(browser, "marta@mak.example", "trzy-inne-slowa") == "/"
    assert "Ten link już nie działa" in Browser().get(link, follow=True).content.decode()


def test_the_letter_speaks_its_reader_s_language(browser: Browser, marta: User) -> None:
    User.objects.update(language="en")
    browser.post("/password/", {"email": "marta@mak.example"})
    build.send_letters()
    assert mail.outbox[0].subject == f"New password, {settings.PROVIDER_NAME}"
    assert "Hello Marta Zielińska," in str(mail.outbox[0].body)
    html, kind = mail.outbox[0].alternatives[0]  # type: ignore[attr-defined]
    link = re.findall(r"https?://\S+/password/\S+", str(mail.outbox[0].body))[0]
    assert kind == "text/html"
    assert f'<a class="act" href="{link}">Set a new password</a>' in re.sub(r">\s+|\s+<", lambda m: m[0].strip(), html)


def test_asking_for_an_unknown_e_mail_looks_the_same_and_sends_nothing(browser: Browser, marta: User) -> None:
    assert browser.post("/password/", {"email": "nobody@mak.example"}).headers["Location"] == "/password/sent/"
    assert build.send_letters() == 0
    assert mail.outbox == []
    assert not Letter.objects.exists()


def test_an_invited_person_sets_a_password_and_is_in(browser: Browser) -> None:
    user = User.objects.create_user("ola@fil.example", name="ola@fil.example")
    path = invitation_path(user)
    data = {"name": "Ola Fil", "phone": "", "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert browser.post(path, data).headers["Location"] == "/"
    user.refresh_from_db()
    assert (user.name, user.check_password(PASSWORD)) == ("Ola Fil", True)
    assert browser.session["_auth_user_id"] == str(user.pk)
    assert Browser().get(path).status_code == 404


@pytest.mark.parametrize("token", ["x", "MQ.x", "!!.y", "OTk5OTk5.a-b"])
def test_a_wrong_invitation_is_a_404_with_the_duty_phone(browser: Browser, token: str) -> None:
    answer = browser.get(f"/invitation/{token}/")
    assert answer.status_code == 404
    assert settings.DUTY_PHONE in answer.content.decode()


def test_two_different_new_passwords_are_refused_beside_the_field(browser: Browser) -> None:
    user = User.objects.create_user("ola@fil.example", name="Ola")
    data = {"name": "Ola Fil", "phone": "", "new_password1": PASSWORD, "new_password2": "co innego calkiem"}
    page = browser.post(invitation_path(user), data).content.decode()
    assert 'id="id_new_password2_error"' in page
    user.refresh_from_db()
    assert user.has_usable_password() is False


def test_changing_the_password_needs_the_old_one(browser: Browser, marta: User) -> None:
    browser.force_login(marta)
    new = {"new_password1": "trzy-inne-slowa", "new_password2": "trzy-inne-slowa"}
    assert browser.post("/account/password/", {"old_password": "x", **new}).status_code == 200
    assert browser.post("/account/password/", {"old_password": PASSWORD, **new}).status_code == 302
    marta.refresh_from_db()
    assert marta.check_password("trzy-inne-slowa")


def test_an_unknown_address_is_a_plain_page_with_the_duty_phone(browser: Browser) -> None:
    answer = browser.get("/nothing-here/")
    assert answer.status_code == 404
    assert "Nie ma takiej strony" in answer.content.decode()
    assert settings.DUTY_PHONE in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("400.html", "Nie zrozumieliśmy tego żądania"),
        ("403.html", "Możesz to zobaczyć, ale nie zmienić"),
        ("404.html", "Nie ma takiej strony"),
        ("500.html", "Coś się u nas zepsuło"),
    ],
)
def test_an_error_page_needs_nothing_from_the_request_to_say_what_and_whom_to_call(name: str, said: str) -> None:
    page = plain(render_to_string(name))
    assert f"<h1>{said}</h1>" in page
    assert settings.DUTY_PHONE in page
    assert '<html lang="pl">' in page


def test_a_form_without_its_token_is_explained(marta: User) -> None:
    answer = Browser(enforce_csrf_checks=True).post("/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "strona była otwarta zbyt długo" in answer.content.decode().replace("\u00a0", " ")


def test_the_home_screen_has_a_shortcut_to_the_report(browser: Browser) -> None:
    answer = browser.get(reverse("manifest"))
    assert answer.headers["Content-Type"] == "application/manifest+json"
    assert answer.json()["shortcuts"][0]["url"] == "/report/"
    assert answer.json()["lang"] == "pl"


@pytest.mark.parametrize("path", ["/login/", "/login/letter/", "/password/", "/password/sent/", "/accessibility/"])
@pytest.mark.parametrize("language", ["pl", "en"])
def test_a_public_page_has_one_heading_and_a_way_past_the_header(browser: Browser, path: str, language: str) -> None:
    browser.cookies["language"] = language
    page = browser.get(path).content.decode()
    assert page.count("<h1") == 1
    assert '<a class="skip" href="#main">' in page
    assert f'<html lang="{language}">' in page
    assert languages.shows_through(page, language) == []


@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("role", ["", "agent", "manager", "admin"])
def test_the_account_page_is_wholly_in_its_language(browser: Browser, marta: User, role: str, language: str) -> None:
    User.objects.update(provider_role=role, language=language, on_call=True)
    browser.force_login(marta)
    for path in ("/account/", "/account/password/"):
        assert languages.shows_through(browser.get(path).content.decode(), language) == []
