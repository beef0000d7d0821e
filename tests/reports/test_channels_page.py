"""The administrator's page of the ways out: what left last, what failed last, and a trial that takes the same way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client as Browser

from messaging.models import Delivery, Notification
from tests import build
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
PAGE = "/settings/channels/"
NOW = build.MONDAY + timedelta(minutes=10)


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Browser:
    stop_clock(monkeypatch, NOW)
    return visitor(build.staff("Ada Min", role="admin", on_call=False))


def attempt(browser: Browser, channel: str) -> str:
    return text_of(browser.post(f"{PAGE}{channel}/trial/", follow=True))


def test_a_trial_leaves_by_the_outbox_and_the_page_then_says_that_the_way_works(admin: Browser) -> None:
    page = admin.get(PAGE)
    assert "E-mail 127.0.0.1:" in text_of(page)
    assert '<a href="/settings/health/">Stan systemu</a>' in page.content.decode()
    assert "Wiadomość próbna wychodzi na ada.min@" in attempt(admin, "email")
    assert "wyszła przed chwilą" in attempt(admin, "email")
    row = Notification.objects.get()
    assert (row.recipient.name if row.recipient else "", row.channel) == ("Ada Min", "email")
    assert build.send_letters(NOW) == 1
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [([row.address], "Wiadomość próbna")]
    assert "dziś 10:10:00 brak 0 Wyślij próbną" in text_of(admin.get(PAGE))


def test_an_error_of_a_channel_is_said_until_a_message_leaves_again(admin: Browser) -> None:
    attempt(admin, "email")
    Notification.objects.update(error="SMTPConnectError: 421 busy")
    said = text_of(admin.get(PAGE))
    assert "E-mail nie działa 127.0.0.1:" in said
    assert "brak dziś 10:10:00 SMTPConnectError: 421 busy 1 Wyślij próbną" in said
    Notification.objects.update(error="", status=Delivery.SENT, sent_at=NOW)
    assert "nie działa" not in text_of(admin.get(PAGE))


def test_who_has_no_phone_is_told_so_and_nothing_is_sent(admin: Browser) -> None:
    assert "Podaj swój telefon" in text_of(admin.get(PAGE))
    assert "Na Twoim koncie nie ma telefonu" in attempt(admin, "sms")
    assert admin.post(f"{PAGE}gołąb/trial/").status_code == 404
    assert admin.post(f"{PAGE}pigeon/trial/").status_code == 404
    assert not Notification.objects.exists()
