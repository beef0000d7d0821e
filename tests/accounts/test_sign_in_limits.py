"""Nobody guesses passwords for long, and nobody keeps anybody else out by trying."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client as Browser
from django.utils import timezone
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import invitations, letters, people
from accounts.models import Letter, User
from messaging.models import Notification
from tests import build

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db
ATTACKER, OFFICE, PHONE = "203.0.113.66", "198.51.100.7", "192.0.2.8"
SIGN_IN_LINK = re.compile(rf"{django_settings.BASE_URL}(/login/letter/\S+)")


@pytest.fixture
def ola() -> User:
    return build.contact(build.client(), "Ola Mak")


def try_in(browser: Browser, email: str, password: str, *, source: str = OFFICE) -> Answer:
    return browser.post("/login/", {"username": email, "password": password}, REMOTE_ADDR=source)


def attack(email: str, *, tries: int, source: str = ATTACKER) -> list[int]:
    return [try_in(Browser(), email, "x", source=source).status_code for _ in range(tries)]


def distributed_attack(email: str) -> None:
    """From so many sources that the person's own count is used up."""
    for number in range(6):
        attack(email, tries=10, source=f"203.0.113.{number}")
    assert try_in(Browser(), email, build.PASSWORD).status_code == 429


def token_for(email: str, password: str) -> Answer:
    data = {"email": email, "password": password}
    return Browser().post("/api/tokens/", data, content_type="application/json", REMOTE_ADDR=ATTACKER)


def signed_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


def asked_link(browser: Browser, email: str) -> str:
    browser.post("/login/letter/", {"email": email}, REMOTE_ADDR=PHONE)
    build.send_letters()
    return str(SIGN_IN_LINK.findall(str(mail.outbox[-1].body))[0])


def test_wrong_passwords_from_one_place_don_t_stop_the_person_elsewhere(ola: User) -> None:
    assert attack(ola.email, tries=12) == [200] * 10 + [429] * 2
    assert try_in(Browser(), ola.email, build.PASSWORD).status_code == 302


def test_unknown_names_are_limited_as_known_ones_with_the_same_page(ola: User) -> None:
    assert attack("nikt@mak.example", tries=11) == [200] * 10 + [429]
    pages = [try_in(Browser(), email, "x", source=ATTACKER) for email in (ola.email, "nikt@mak.example")]
    assert [page.status_code for page in pages] == [200, 429]
    attack(ola.email, tries=9)
    known, unknown = (
        plain_page(try_in(Browser(), email, "x", source=ATTACKER)) for email in (ola.email, "nikt@mak.example")
    )
    assert known == unknown


def plain_page(answer: Answer) -> str:
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    return re.sub(r"\S+@mak\.example", "", text)


def test_one_source_has_thirty_tries_for_all_names_together(ola: User) -> None:
    for number in range(3):
        attack(f"nikt{number}@mak.example", tries=10)
    assert attack(ola.email, tries=1) == [429]
    assert try_in(Browser(), ola.email, build.PASSWORD).status_code == 302


def test_a_limited_try_hashes_no_password_and_prolongs_nothing(ola: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(build.MONDAY, tick=False) as clock:
        attack(ola.email, tries=10)
        hashed: list[object] = []

        def encode(self: object, *given: object) -> str:
            hashed.append(given)
            return ""

        monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
        assert set(attack(ola.email, tries=20)) == {429}
        assert hashed == []
        monkeypatch.undo()
        clock.shift(timedelta(minutes=3))
        assert try_in(Browser(), ola.email, build.PASSWORD, source=ATTACKER).status_code == 302


def test_right_passwords_count_for_nothing(ola: User) -> None:
    assert {try_in(Browser(), ola.email, build.PASSWORD).status_code for _ in range(70)} == {302}


def test_a_device_that_has_signed_in_before_keeps_its_own_allowance(ola: User) -> None:
    device = Browser()
    answer = try_in(device, ola.email, build.PASSWORD)
    cookie = answer.cookies["device"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 365 * 24 * 3600)
    assert ola.email not in cookie.value
    device.post("/logout/")
    distributed_attack(ola.email)
    assert try_in(device, ola.email, build.PASSWORD).status_code == 302
    device.post("/logout/")
    assert [try_in(device, ola.email, "x").status_code for _ in range(11)] == [200] * 10 + [429]


def test_another_s_or_a_forged_device_helps_nobody(ola: User) -> None:
    device = Browser()
    jan = build.contact(ola.memberships.get().client, "Jan Mak")
    try_in(device, jan.email, build.PASSWORD)
    device.post("/logout/")
    distributed_attack(ola.email)
    assert try_in(device, ola.email, build.PASSWORD).status_code == 429
    device.cookies["device"] = device.cookies["device"].value[:-3] + "abc"
    assert try_in(device, ola.email, build.PASSWORD).status_code == 429


def test_a_person_under_attack_comes_in_by_a_letter_whose_link_works_once(ola: User) -> None:
    distributed_attack(ola.email)
    phone = Browser()
    locked = try_in(phone, ola.email, build.PASSWORD).content.decode()
    assert 'action="/login/letter/"' in locked
    assert f'name="email" value="{ola.email}"' in locked
    link = asked_link(phone, ola.email)
    assert phone.get(link).status_code == 200
    assert not signed_in(phone)
    assert phone.post(link)["Location"] == "/"
    assert signed_in(phone)
    assert Browser().post(link).status_code == 404
    phone.post("/logout/")
    assert try_in(phone, ola.email, build.PASSWORD).status_code == 302


def test_a_sign_in_link_dies_with_a_newer_one_and_after_half_an_hour(ola: User) -> None:
    with time_machine.travel(build.MONDAY, tick=False) as clock:
        older, newer = (asked_link(Browser(), ola.email) for _ in range(2))
        clock.shift(timedelta(minutes=30))
        assert [Browser().get(link).status_code for link in (older, newer)] == [404, 200]
        clock.shift(timedelta(seconds=1))
        assert Browser().get(newer).status_code == 404


def test_whoever_asks_in_her_name_she_always_has_a_link_that_works(ola: User) -> None:
    with time_machine.travel(build.MONDAY, tick=False) as clock:
        for _minute in range(90):
            Browser().post("/login/letter/", {"email": ola.email}, REMOTE_ADDR=f"203.0.113.{_minute}")
            build.send_letters()
            assert Browser().get(SIGN_IN_LINK.findall(str(mail.outbox[-1].body))[0]).status_code == 200
            clock.shift(timedelta(minutes=1))
    assert len(mail.outbox) == 7


@pytest.mark.parametrize("path", ["/password/", "/login/letter/"])
def test_letters_are_limited_per_address_and_per_source(ola: User, path: str) -> None:
    asked = [Browser().post(path, {"email": ola.email}) for _ in range(4)]
    assert [answer.status_code for answer in asked] == [302, 302, 302, 429]
    assert 1190 <= int(asked[-1].headers["Retry-After"]) <= 1200
    assert "Zbyt wiele wiadomości" in asked[-1].content.decode()
    others = [Browser().post(path, {"email": f"nikt{number}@mak.example"}).status_code for number in range(18)]
    assert others == [302] * 17 + [429]


def test_asking_looks_nobody_up_and_a_letter_that_can_t_leave_is_tried_again(
    ola: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for email in (ola.email, "nikt@mak.example"):
        with django_assert_num_queries(3):
            Browser().post("/password/", {"email": email})
    assert mail.outbox == []
    at = timezone.now()
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        assert build.send_letters(at) == 0
    row = Letter.objects.get().notification
    assert row is not None
    assert (row.error, row.sent_at, row.recipient) == ("ConnectionRefusedError: no server", None, ola)
    assert build.send_letters(at + timedelta(seconds=59)) == 0
    assert build.send_letters(at + timedelta(seconds=60)) == 1
    assert [message.to for message in mail.outbox] == [[ola.email]]


def test_a_letter_that_never_leaves_is_given_up_and_the_administrator_sees_it(
    ola: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    Browser().post("/login/letter/", {"email": ola.email})
    at = timezone.now()
    for minute in (0, 1, 6, 21, 81, 261, 999):
        build.send_letters(at + timedelta(minutes=minute))
    row = Letter.objects.get().notification
    assert row is not None
    assert (row.status, row.next_attempt_at, row.attempts) == ("failed", None, 6)
    browser = Browser()
    browser.force_login(build.staff("Ada Min", role="admin"))
    for path in ("/settings/users/", "/settings/health/"):
        page = browser.get(path).content.decode()
        assert "ConnectionRefusedError: no server" in page
        assert ola.email in page
    monkeypatch.undo()
    browser.post("/settings/health/again/", {"notice": row.pk})
    assert build.send_letters() == 1
    assert Browser().get(SIGN_IN_LINK.findall(str(mail.outbox[-1].body))[0]).status_code == 200


def test_no_link_of_a_letter_is_stored_before_it_leaves_or_after(ola: User) -> None:
    """Who reads the database, or an old copy of it, gets in by none."""
    eva = User.objects.create_user("ewa@mak.example", name="Ewa")
    Browser().post("/login/letter/", {"email": ola.email})
    Browser().post("/password/", {"email": ola.email})
    letters.invite(eva, at=timezone.now())
    letters.hand_over(at=timezone.now())
    for sent in (0, 3):
        assert len(mail.outbox) == sent
        bodies = Notification.objects.values_list("body", flat=True)
        assert [body.count("…") for body in bodies] == [1, 1, 1]
        assert not any("http" in body for body in bodies)
        build.send_letters()
    assert all(f"{django_settings.BASE_URL}/" in str(letter.body) for letter in mail.outbox)


def test_one_letter_that_cannot_be_written_stops_no_other(ola: User, monkeypatch: pytest.MonkeyPatch) -> None:
    at = timezone.now()
    letters.ask(ola.email, "password", at=at)
    monkeypatch.setitem(letters.TEMPLATES, Letter.Kind.PASSWORD, "gone")
    letters.ask(ola.email, "sign_in", at=at)
    assert build.send_letters(at) == 1
    monkeypatch.undo()
    assert build.send_letters(at + timedelta(seconds=299)) == 0
    assert build.send_letters(at + timedelta(seconds=300)) == 1


def test_a_letter_that_waits_when_its_person_is_switched_off_or_asks_anew_is_withheld(ola: User) -> None:
    admin, at = build.staff("Ada Min", role="admin"), timezone.now()
    for _ in range(2):
        letters.ask(ola.email, "sign_in", at=at)
        letters.hand_over(at=at)
    assert build.send_letters(at) == 1
    letters.ask(ola.email, "password", at=at)
    letters.hand_over(at=at)
    people.switch_off(person=ola, by=admin, at=at)
    assert build.send_letters(at) == 0
    assert list(Notification.objects.order_by("pk").values_list("status", flat=True)) == [
        "withheld",
        "sent",
        "withheld",
    ]


def refuse(self: object, messages: object) -> int:
    raise ConnectionRefusedError("no server")


def test_a_link_never_begins_with_the_host_of_who_asked(ola: User, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for path in ("/password/", "/login/letter/"):
        Browser().post(path, {"email": ola.email}, headers={"host": "evil.example"})
    build.send_letters()
    assert len(mail.outbox) == 2
    assert all("evil" not in str(m.body) and settings.BASE_URL in str(m.body) for m in mail.outbox)


def test_an_older_invitation_dies_with_the_newer_one() -> None:
    eva = User.objects.create_user("ewa@mak.example", name="Ewa")
    older, newer = invitations.invitation_path(eva), invitations.invitation_path(eva)
    assert [Browser().get(path).status_code for path in (older, newer)] == [404, 200]


def test_an_older_password_link_dies_with_the_newer_one(ola: User) -> None:
    for _ in range(2):
        Browser().post("/password/", {"email": ola.email})
        build.send_letters()
    paths = [re.findall(r"(/password/\S+)", str(message.body))[0] for message in mail.outbox]
    pages = [Browser().get(path, follow=True).content.decode() for path in paths]
    assert ["Ten link już nie działa" in page for page in pages] == [True, False]


def test_tries_for_tokens_are_limited_apart_from_the_page(ola: User) -> None:
    tries = [token_for(ola.email, "x").status_code for _ in range(11)]
    assert tries == [400] * 10 + [429]
    assert try_in(Browser(), ola.email, build.PASSWORD, source=ATTACKER).status_code == 302
    assert not AuthToken.objects.exists()


# What ends every session and token


def new_password(browser: Browser, ola: User) -> None:
    new = {"new_password1": "trzy-inne-slowa", "new_password2": "trzy-inne-slowa"}
    browser.post("/account/password/", {"old_password": build.PASSWORD, **new})


def by_letter(browser: Browser, ola: User) -> None:
    Browser().post("/password/", {"email": ola.email})
    build.send_letters()
    stranger = Browser()
    form = stranger.get(re.findall(r"(/password/\S+)", str(mail.outbox[0].body))[0], follow=True)
    new = {"new_password1": "trzy-inne-slowa", "new_password2": "trzy-inne-slowa"}
    stranger.post(form.redirect_chain[-1][0], new)


def rights_end(browser: Browser, ola: User) -> None:
    _rights(ola, "reporter", build.MONDAY.date() - timedelta(days=1))


def fewer_rights(browser: Browser, ola: User) -> None:
    _rights(ola, "owner", None)


def _rights(ola: User, role: str, until: object) -> None:
    client = ola.memberships.get().client
    by = build.staff("Ada Min", role="admin")
    people.give_rights(person=ola, client=client, role=role, by=by, at=build.MONDAY, valid_until=until)  # type: ignore[arg-type]


def switched_off(browser: Browser, ola: User) -> None:
    people.switch_off(person=ola, by=build.staff("Ada Min", role="admin"), at=build.MONDAY)


@pytest.mark.parametrize(
    ("act", "own_stays"),
    [(new_password, True), (by_letter, False), (rights_end, False), (fewer_rights, False), (switched_off, False)],
)
def test_an_ended_right_ends_every_session_and_token(
    ola: User, act: Callable[[Browser, User], None], own_stays: bool
) -> None:
    own, other = Browser(), Browser()
    for browser in (own, other):
        try_in(browser, ola.email, build.PASSWORD)
        assert signed_in(browser)
    AuthToken.objects.create(user=ola)
    act(own, ola)
    assert (signed_in(own), signed_in(other), AuthToken.objects.count()) == (own_stays, False, 0)


def test_a_lost_role_ends_them_and_a_new_phone_number_does_not() -> None:
    ada, anna = build.staff("Ada Min", role="admin"), build.staff("Anna Lis", role="manager")
    browser = Browser()
    try_in(browser, anna.email, build.PASSWORD)
    AuthToken.objects.create(user=anna)
    for role, stays in (("manager", True), ("agent", False)):
        people.change(person=anna, name="Anna", phone="600100200", role=role, on_call=True, by=ada, at=build.MONDAY)
        assert (signed_in(browser), AuthToken.objects.exists()) == (stays, stays)


def test_signing_in_takes_a_new_session_key(ola: User) -> None:
    browser = Browser()
    session = browser.session
    session["planted"] = "x"
    session.save()
    before = session.session_key
    browser.cookies[django_settings.SESSION_COOKIE_NAME] = str(before)
    try_in(browser, ola.email, build.PASSWORD)
    assert browser.session.session_key != before


def test_what_a_signed_in_person_saw_is_kept_nowhere(ola: User) -> None:
    browser = Browser()
    assert "private" not in browser.get("/accessibility/").headers.get("Cache-Control", "")
    browser.force_login(ola)
    paths = ("/", "/account/", "/report/", "/incidents/", "/nothing-here/", "/api/incidents/")
    assert {browser.get(path).headers["Cache-Control"] for path in paths} == {"private, no-store"}
    assert token_for(ola.email, build.PASSWORD).headers["Cache-Control"] == "private, no-store"


def test_signing_out_takes_the_drafts_along_and_a_session_that_ran_out_leaves_them(ola: User) -> None:
    browser = Browser()
    browser.force_login(ola)
    assert browser.post("/logout/").headers["Clear-Site-Data"] == '"storage"'
    assert "Clear-Site-Data" not in browser.get("/report/").headers
