"""The client's pages in a real browser: four taps and a sentence, a live page that takes nothing out of one's hands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from incidents import lifecycle
from incidents.models import Incident
from tests import build
from tests.pages import visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def world() -> build.World:
    return build.world()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    yield context
    context.close()


def sign_in(context: BrowserContext, user: User, live_server: LiveServer) -> Page:
    cookie = visitor(user).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return context.new_page()


def reported(world: build.World) -> Incident:
    return build.incident(world.shop, by=world.reporter, at=timezone.now(), sentence="Kręci się kółko.")


def test_a_report_takes_three_taps_and_a_sentence(
    world: build.World, phone: BrowserContext, live_server: LiveServer
) -> None:
    """The eight urgent sentences fill the first screen, whatever is known already."""
    build.incident(world.shop, by=world.owner, at=timezone.now() - timedelta(days=1), what="no_payment")
    page = sign_in(phone, world.reporter, live_server)
    page.goto(f"{live_server.url}/report/")
    expect(page.get_by_text("MAK-0001").first).to_be_visible()
    eighth = page.locator("#id_what .choice").nth(7)
    assert eighth.inner_text() == "Wolno, nie da się kupować"
    box = eighth.bounding_box()
    assert box
    assert box["y"] + box["height"] <= 740
    page.get_by_text("Klienci nie mogą zamówić").click()
    page.get_by_label("Jednym zdaniem").click()
    page.keyboard.type("Kręci się kółko i nic.")
    page.get_by_role("button", name="Wyślij zgłoszenie").click()
    page.wait_for_url("**/incidents/MAK-0002/receipt/")
    assert Incident.objects.get(nr="MAK-0002").sentence == "Kręci się kółko i nic."
    page.goto(f"{live_server.url}/report/")
    assert page.get_by_label("Jednym zdaniem").input_value() == ""


def test_a_draft_waits_on_the_device_without_a_card_number(
    world: build.World, phone: BrowserContext, live_server: LiveServer
) -> None:
    page = sign_in(phone, world.reporter, live_server)
    page.goto(f"{live_server.url}/report/")
    page.get_by_text("Wolniej niż zwykle").click()
    page.get_by_label("Jednym zdaniem").fill("Koszyk, karta 4111-1111-1111-1111, zamówienie 4111111111111112.")
    page.goto(f"{live_server.url}/")
    page.goto(f"{live_server.url}/report/")
    kept = "Koszyk, karta ••••-••••-••••-1111, zamówienie 4111111111111112."
    assert page.get_by_label("Jednym zdaniem").input_value() == kept
    assert page.get_by_label("Wolniej niż zwykle").is_checked()
    # Signed out elsewhere: a page that "Back" takes from the browser's memory is asked for anew
    phone.clear_cookies()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.wait_for_url("**/login/?next=/report/")


def test_news_arrives_and_half_typed_text_stays(
    world: build.World, phone: BrowserContext, live_server: LiveServer
) -> None:
    incident = reported(world)
    page = sign_in(phone, world.reporter, live_server)
    page.goto(f"{live_server.url}/incidents/MAK-0001/")
    page.locator("summary", has_text="Odpowiedz").click()
    box = page.get_by_label("Twoja odpowiedź")
    box.click()
    page.keyboard.type("Właśnie spr")
    lifecycle.pause(incident=incident, by=world.agent, at=timezone.now(), reason="client_answer", text="Jaki bank?")
    with page.expect_response("**/incidents/MAK-0001/?part=live**"):
        page.evaluate("document.body.dispatchEvent(new Event('tick'))")
    page.locator("#journal").get_by_text("Jaki bank?").wait_for()
    page.locator("#changed").get_by_text("Pokaż, co możesz teraz zrobić").wait_for()
    assert box.input_value() == "Właśnie spr"
    assert page.evaluate("document.activeElement.id") == "answer-text"
    assert page.locator("#status").inner_text() == "Zgłoszenie się zmieniło."
    with page.expect_response("**/incidents/MAK-0001/?part=live**") as again:
        page.evaluate("document.body.dispatchEvent(new Event('tick'))")
    assert again.value.status == 204


def test_focus_stays_on_a_link_whose_place_was_renewed(
    world: build.World, phone: BrowserContext, live_server: LiveServer
) -> None:
    incident = reported(world)
    page = sign_in(phone, world.reporter, live_server)
    page.goto(f"{live_server.url}/incidents/MAK-0001/")
    page.locator("#clocks .why").first.focus()
    focused = page.evaluate("document.activeElement.id")
    lifecycle.say(incident=incident, by=world.agent, at=timezone.now(), text="Cofamy wtyczkę.")
    page.evaluate("document.body.dispatchEvent(new Event('tick'))")
    page.locator("#journal").get_by_text("Cofamy wtyczkę.").wait_for()
    assert page.evaluate("document.activeElement.id") == focused != ""


def test_everything_works_without_scripts(world: build.World, browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = sign_in(context, world.reporter, live_server)
    page.goto(f"{live_server.url}/report/")
    page.get_by_text("Żadna płatność nie przechodzi").click()
    page.get_by_label("Jednym zdaniem").fill("BLIK odrzuca.")
    page.get_by_role("button", name="Wyślij zgłoszenie").click()
    page.get_by_role("link", name="Pokaż zgłoszenie").click()
    page.get_by_text("Poproś o przełożonego").click()
    page.locator("#manager").get_by_role("button").click()
    assert "Przełożeni już wiedzą." in page.content().replace("\u00a0", " ")
    context.close()


@pytest.mark.full
@pytest.mark.parametrize(
    "path",
    ["/", "/report/", "/incidents/", "/incidents/MAK-0001/", "/incidents/MAK-0001/receipt/",
     "/incidents/MAK-0001/contest/", "/incidents/MAK-0001/why/restore/", "/incidents/MAK-0001/journal/?head=x"],
)  # fmt: skip
def test_no_page_bars_anybody(world: build.World, phone: BrowserContext, live_server: LiveServer, path: str) -> None:
    build.incident(world.shop, by=world.reporter, at=timezone.now(), what="some_payments")
    page = sign_in(phone, world.owner, live_server)
    page.goto(live_server.url + path)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {rules: {'target-size': {enabled: true}}})")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
