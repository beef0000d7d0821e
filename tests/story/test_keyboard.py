"""The same pages by the keyboard alone, without JavaScript, and on the narrowest phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from incidents import lifecycle
from incidents.choices import PauseReason
from incidents.models import Incident
from tests import build
from tests.story.conftest import DESK, PHONE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
FARTHEST = 60
"""Presses of Tab after which nobody looks any further."""

Visit = Callable[..., Page]


@pytest.fixture
def visit(contexts: Callable[..., BrowserContext], live_server: Any) -> Visit:
    """A page of a person who is signed in already: `visit(user, **PHONE)`."""

    def open_page(user: User, **options: Any) -> Page:
        client = Client()
        client.force_login(user)
        context = contexts(base_url=live_server.url, **options)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        return context.new_page()

    return open_page


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until what has the focus bears this name: its label, else its words."""
    for _ in range(FARTHEST):
        page.keyboard.press("Tab")
        if name in page.evaluate(NAME_IN_FOCUS):
            assert page.evaluate(FOCUS_IS_SEEN), f"nothing shows that {name} has the focus"
            return
    raise AssertionError(f"{name} is not reached by {FARTHEST} presses of Tab")


NAME_IN_FOCUS = """() => {
  const el = document.activeElement;
  const label = el.labels && el.labels[0];
  return (label || el).innerText.replaceAll("\\u00a0", " ");
}"""
FOCUS_IS_SEEN = """() => {
  const el = document.activeElement.closest(".choice") || document.activeElement;
  const style = getComputedStyle(el), box = el.getBoundingClientRect();
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return ring && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
}"""


def test_a_failure_is_reported_by_the_keyboard_alone(visit: Visit) -> None:
    world = build.world()
    page = visit(world.reporter, **DESK)
    page.goto("/")
    tab_to(page, "Zgłoś awarię")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/")
    tab_to(page, "Sklep się nie otwiera")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Żadna płatność nie przechodzi")).to_be_checked()
    tab_to(page, "Jednym zdaniem")
    page.keyboard.type("Karta i BLIK nie działają.")
    tab_to(page, "Wyślij zgłoszenie")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Przyjęliśmy zgłoszenie MAK-0001")
    incident = Incident.objects.get()
    assert (incident.what, incident.sentence) == ("no_payment", "Karta i BLIK nie działają.")


def test_what_is_missing_takes_the_focus_and_leads_to_the_field(visit: Visit) -> None:
    world = build.world()
    page = visit(world.reporter, **DESK)
    page.goto("/report/")
    tab_to(page, "Jednym zdaniem")
    page.keyboard.type("Nie da się zapłacić.")
    tab_to(page, "Wyślij zgłoszenie")
    page.keyboard.press("Enter")
    expect(page.locator(".errors")).to_be_focused()
    assert page.title().startswith("Błąd:")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to(page, "Sklep się nie otwiera")
    page.keyboard.press("Space")
    expect(page.get_by_label("Jednym zdaniem")).to_have_value("Nie da się zapłacić.")
    tab_to(page, "Wyślij zgłoszenie")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Przyjęliśmy zgłoszenie MAK-0001")


@pytest.mark.full
def test_staff_react_by_the_tab_key(visit: Visit) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter, at=timezone.now())
    page = visit(world.agent, **DESK)
    page.goto("/queue/")
    tab_to(page, "Reaguję")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="MAK-0001")).to_be_visible()
    assert Incident.objects.get().assignee == world.agent


def test_staff_react_by_three_letters(visit: Visit) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter, at=timezone.now())
    page = visit(world.agent, **DESK)
    page.goto("/queue/")
    page.keyboard.press("j")
    expect(page.locator("tr.q.here")).to_contain_text("MAK")
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Reaguję")).to_be_focused()
    assert Incident.objects.get().first_contact_at is None
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="MAK-0001")).to_be_visible()
    assert Incident.objects.get().assignee == world.agent


def test_the_client_s_whole_way_works_without_javascript(visit: Visit) -> None:
    world = build.world()
    page = visit(world.reporter, java_script_enabled=False, **PHONE)
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Zgłoś awarię", exact=True).click()
    page.get_by_text("Sklep się nie otwiera").click()
    page.get_by_label("Jednym zdaniem").fill("Biała strona.")
    page.get_by_role("button", name="Wyślij zgłoszenie").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Przyjęliśmy zgłoszenie MAK-0001")
    incident = Incident.objects.get()
    lifecycle.pause(
        incident=incident, by=world.agent, at=timezone.now(), reason=PauseReason.CLIENT_ANSWER, text="Od kiedy?"
    )
    page.get_by_role("link", name="Pokaż zgłoszenie").click()
    page.get_by_label("Twoja odpowiedź").fill("Od ósmej.")
    page.get_by_role("button", name="Odpowiedz").click()
    expect(page.get_by_text("Od ósmej.")).to_be_visible()
    assert not incident.pauses.filter(ended_at=None).exists()
    lifecycle.skip_backup(incident=incident, by=world.agent, at=timezone.now(), text="Sklep stoi.")
    lifecycle.resolve(incident=incident, by=world.agent, at=timezone.now(), text="Serwer wstał.")
    page.goto(f"/incidents/{incident.nr}/")
    page.get_by_role("button", name="Działa", exact=True).click()
    incident.refresh_from_db()
    assert incident.status == "closed"


def test_staff_work_without_javascript(visit: Visit) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, at=timezone.now())
    page = visit(world.agent, java_script_enabled=False, **DESK)
    page.goto("/queue/")
    page.get_by_role("button", name="Reaguję MAK-0001").click()
    page.get_by_role("link", name="MAK-0001", exact=True).click()
    page.get_by_role("link", name="Naprawione").click()
    page.get_by_label("Do klienta").last.fill("Serwer wstał.")
    page.get_by_label("Nie ma", exact=True).check()
    page.get_by_label("Dlaczego jej nie ma").fill("Sklep stał, nie było czego kopiować.")
    page.get_by_role("button", name="Naprawione").click()
    expect(page.get_by_text("Wysłano do klienta. Dostanie: Ola Mak.")).to_be_visible()
    incident.refresh_from_db()
    assert incident.status == "resolved"


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.full)])
def test_pages_reflow_on_a_screen_of_320_pixels(visit: Visit, theme: str) -> None:
    """Nothing scrolls sideways; WCAG 1.4.10."""
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, at=timezone.now())
    narrow = {**PHONE, "viewport": {"width": 320, "height": 640}, "color_scheme": theme}
    client, staff = visit(world.reporter, **narrow), visit(world.agent, **narrow)
    for page, path in (
        (client, "/"), (client, "/report/"), (client, f"/incidents/{incident.nr}/receipt/"),
        (client, f"/incidents/{incident.nr}/"), (client, f"/incidents/{incident.nr}/why/restore/"),
        (staff, "/queue/"), (staff, f"/incidents/{incident.nr}/"), (staff, f"/incidents/{incident.nr}/pause/"),
    ):  # fmt: skip
        page.goto(path)
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= 320, f"{path} is {width} px wide"
