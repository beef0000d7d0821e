"""The numbers in the staff's menu."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from incidents.models import Breach
from tests import build

pytestmark = pytest.mark.django_db


def menu(user: User) -> str:
    """The header's text of a page that shows nothing else of the kind."""
    browser = Browser()
    browser.force_login(user)
    page = browser.get("/account/").content.decode()
    nav = page[page.index("<nav") : page.index("</nav>")]
    return " ".join(re.sub(r"<[^>]*>", " ", nav).split())


def breach(world: build.World) -> Breach:
    late = build.incident(world.shop, by=world.reporter)
    facts = {"target": "reaction", "severity": "P1", "deadline": build.at("2026-03-02 10:30")}
    return Breach.objects.create(incident=late, version=world.version, noticed_at=build.at("2026-03-02 10:30"), **facts)


def test_an_agent_sees_how_many_incidents_wait() -> None:
    world = build.world()
    for _ in range(2):
        build.incident(world.shop, by=world.reporter, form_key=build.form_key())
    assert "Kolejka 2" in menu(world.agent)


def test_an_empty_queue_shows_no_number() -> None:
    assert "Kolejka 0" not in menu(build.world().agent)


def test_only_a_manager_sees_how_many_breaches_wait() -> None:
    world = build.world()
    breach(world)
    assert "Naruszenia 1" in menu(world.manager)
    assert "Naruszenia" not in menu(world.agent)


def test_a_client_s_menu_has_no_numbers() -> None:
    world = build.world()
    breach(world)
    assert re.findall(r"\d", menu(world.owner)) == []


def test_the_frame_of_a_page_asks_the_same_few_questions_however_much_waits() -> None:
    world = build.world()
    asked = []
    for _ in range(2):
        for _ in range(5):
            build.incident(world.shop, by=world.reporter, form_key=build.form_key())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            menu(world.agent)
        asked.append(len([query for query in queries if "incidents_" in query["sql"]]))
    # the queue's number and the red bar
    assert asked == [2, 2]
