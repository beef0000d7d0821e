"""The API's lists by pages: what is asked is read strictly, and never more than 200 rows go out."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import lifecycle
from incidents.api import pages as api_pages
from incidents.models import JournalEntry
from tests import build
from tests.incidents.test_api import Caller, described
from tests.pages import stop_clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


@pytest.fixture
def reporter(world: build.World) -> Caller:
    build.incident(world.shop, by=world.reporter)
    return Caller(world.reporter)


ODD = ["", "0", "-1", "1.5", "²", "١", "dużo", "1e3", "99999999999999999999", "9" * 5000]


@pytest.mark.parametrize("path", ["incidents/", "incidents/MAK-0001/journal/"])
def test_a_limit_that_is_no_number_of_rows_is_refused_with_a_sentence(reporter: Caller, path: str) -> None:
    for value in ODD:
        answer = reporter.get(path, limit=value)
        assert (value, answer.status_code, answer.json()) == (
            value,
            400,
            {"limit": ["Podaj liczbę całkowitą, co najmniej 1."]},
        )


@pytest.mark.parametrize(("path", "name"), [("incidents/", "offset"), ("incidents/MAK-0001/journal/", "after")])
def test_a_place_that_is_no_number_is_refused_too_and_one_behind_the_end_is_empty(
    reporter: Caller, path: str, name: str
) -> None:
    for value in (odd for odd in ODD if odd != "0"):
        answer = reporter.get(path, **{name: value})
        assert (value, answer.status_code, list(answer.json())) == (value, 400, [name])
    for value in ("2147483647", "1000"):
        assert reporter.get(path, **{name: value}).json()["results"] == []


def test_a_state_and_a_category_that_do_not_exist_are_refused(reporter: Caller) -> None:
    for name in ("status", "severity"):
        answer = reporter.get("incidents/", **{name: "burza"})
        assert (answer.status_code, list(answer.json())) == (400, [name])


def test_no_list_gives_more_than_two_hundred_rows(
    reporter: Caller, world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (api_pages.DEFAULT, api_pages.MOST) == (100, 200)
    monkeypatch.setattr(api_pages, "MOST", 2)
    for _ in range(3):
        lifecycle.note(
            incident=build.incident(world.shop, by=world.reporter), by=world.agent, at=build.MONDAY, text="x"
        )
    assert [len(reporter.get("incidents/", **asked).json()["results"]) for asked in ({}, {"limit": "999"})] == [2, 2]
    lists = [path for path, verbs in described()["paths"].items() if "limit" in names(verbs.get("get", {}))]
    assert lists == ["/api/incidents/", "/api/incidents/{nr}/journal/"]


def names(described_verb: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in described_verb.get("parameters", ())}


def test_a_journal_is_read_page_by_page_without_a_gap_and_without_what_is_internal(
    reporter: Caller, world: build.World
) -> None:
    incident = JournalEntry.objects.get().incident
    for number in range(5):
        lifecycle.answer(incident=incident, by=world.reporter, at=build.MONDAY, text=f"Odpowiedź {number}.")
        lifecycle.note(incident=incident, by=world.agent, at=build.MONDAY, text="Wewnętrznie.")
    for caller, expected in ((reporter, [1, 2, 4, 6, 8, 10]), (Caller(world.agent), list(range(1, 12)))):
        page, read, counts = caller.get("incidents/MAK-0001/journal/", limit="2").json(), [], set()
        while True:
            read += [entry["seq"] for entry in page["results"]]
            if not page["next"]:
                break
            with CaptureQueriesContext(connection) as queries:
                page = caller.client.get(page["next"]).json()
            counts.add(len(queries))
        assert (read, len(counts)) == (expected, 1)


def test_the_description_says_how_a_list_is_paged_and_when_a_call_is_refused() -> None:
    schema = described()
    journal = schema["paths"]["/api/incidents/{nr}/journal/"]["get"]
    assert {"limit", "after"} <= names(journal)
    answers = schema["paths"]["/api/incidents/"]["post"]["responses"]
    assert {"201", "400", "409"} <= set(answers)
    for path, verbs in schema["paths"].items():
        for verb, about in verbs.items():
            if path.startswith("/api/incidents/"):
                assert (path, verb, verb == "get" or "409" in about["responses"]) == (path, verb, True)
