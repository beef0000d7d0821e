"""What a letter holds for whom: answers for the client, no client footer for our people, no line wider than a phone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import ViewportSize, sync_playwright

from accounts.models import User
from incidents import lifecycle
from incidents.models import JournalEntry
from incidents.sweeps import sweep_clocks
from messaging.models import Channel, Notification
from tests import build
from tests.chromium import FLAGS, installed
from tests.pages import visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
LONG = "Konstantynopolitańczykowianeczka" * 3
PHONE: ViewportSize = {"width": 320, "height": 700}
ADDRESS = "https://mak.example/produkt/" + "buty-" * 20


def resolved(text: str = "Operator naprawił.") -> build.World:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, sentence=f"Nie działa {LONG}")
    lifecycle.skip_backup(incident=incident, by=world.agent, at=build.MONDAY, text="Tylko odczyt.")
    lifecycle.resolve(incident=incident, by=world.agent, at=build.MONDAY, text=text)
    return world


def letter_to(person: User, subject: str) -> Notification:
    return Notification.objects.get(recipient=person, channel=Channel.EMAIL, subject__contains=subject)


def test_the_letter_of_a_repair_asks_yes_or_no_and_its_links_say_neither() -> None:
    world = resolved()
    letter = letter_to(world.reporter, "naprawione")
    links = dict(re.findall(r'<a class="act[^"]*"\s+href="([^"]+)">\s*(.*?)\s*</a>', letter.html))
    assert list(links.values()) == ["Działa", "Nadal nie działa"]
    assert [f"{label}: {link}" in letter.body for link, label in links.items()] == [True, True]
    before = JournalEntry.objects.count()
    for link in links:
        page = visitor(world.reporter).get(re.sub(r"^https?://[^/]+", "", link).partition("#")[0])
        assert f'id="{link.partition("#")[2]}"' in page.content.decode()
    assert JournalEntry.objects.count() == before


def test_our_own_people_get_no_footer_of_the_clients() -> None:
    world = resolved()
    mine, theirs = letter_to(world.agent, "nowe zgłoszenie"), letter_to(world.reporter, "naprawione")
    for sentence in ("nikt nie czyta", "Pilne?", "Zachowaj"):
        assert sentence in plain(theirs.html)
        assert sentence in plain(theirs.body)
        assert sentence not in plain(mine.html)
        assert sentence not in plain(mine.body)
    assert "Skrót dziennika" in plain(mine.body)


def test_a_call_reads_out_no_address_and_a_text_has_one() -> None:
    world = build.world(ladder=(("reaction", 50, "manager", "voice"), ("reaction", 75, "manager", "sms")), rhythms=())
    build.incident(world.shop, by=world.reporter)
    for minute in (15, 23):
        sweep_clocks(at=build.MONDAY + timedelta(minutes=minute))
    said = dict(Notification.objects.exclude(channel=Channel.EMAIL).values_list("channel", "body"))
    assert plain(said[Channel.VOICE]) == "MAK-0001: wykorzystano 50 % czasu (reakcja). Zajrzyj do portalu."
    assert "http" in said[Channel.SMS]


@pytest.mark.full
def test_no_letter_is_wider_than_a_small_phone() -> None:
    world = resolved(text=f"{LONG} {ADDRESS}")
    letter = letter_to(world.reporter, "naprawione")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=installed(), args=FLAGS).new_page(viewport=PHONE)
        page.set_content(letter.html)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
