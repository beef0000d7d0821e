"""However many answers an incident has: its pages ask as often, show as many rows, and lose none of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents import lifecycle, reading
from incidents.models import Incident, JournalEntry
from incidents.projection import proof
from tests import build, tamper
from tests.bench.rows import talk
from tests.owner import owner_cursor
from tests.pages import markup, stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
PATH = "/incidents/MAK-0001/"
JOURNAL = f"{PATH}journal/"
LATER = build.MONDAY + timedelta(minutes=30)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, LATER)
    monkeypatch.setattr(reading, "PAGE", 5)
    monkeypatch.setattr(reading, "WHOLE", 10)
    return build.world()


@pytest.fixture
def incident(world: build.World) -> Incident:
    """With a delivery, its question and an internal note, before any flood."""
    made = build.incident(world.shop, by=world.reporter)
    lifecycle.pause(incident=made, by=world.agent, at=LATER, reason="client_answer", text="Od kiedy?")
    lifecycle.note(incident=made, by=world.agent, at=LATER, text="Tylko dla nas.")
    return lifecycle.back_up(incident=made, by=world.agent, at=LATER, where="S3")


def browsers(world: build.World) -> list[tuple[str, Client]]:
    return [("client", visitor(world.reporter)), ("staff", visitor(world.agent))]


def flood(incident: Incident, world: build.World, count: int) -> Incident:
    talk(world, Incident.objects.get(pk=incident.pk), count)
    return Incident.objects.get(pk=incident.pk)


def asked(act: Callable[[], Any]) -> tuple[int, Any]:
    with CaptureQueriesContext(connection) as queries:
        answer = act()
    return len(queries), answer


def test_every_page_asks_as_often_and_stays_as_long_with_ten_times_the_answers(
    world: build.World, incident: Incident
) -> None:
    incident = flood(incident, world, 20)
    paths = (PATH, f"{PATH}?part=live", JOURNAL, f"{PATH}why/restore/", f"/api{JOURNAL}?limit=5")
    sizes: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for count in (0, 200):
        incident = flood(incident, world, count)
        for name, browser in browsers(world):
            for path in paths:
                browser.get(path)
                queries, answer = asked(partial(browser.get, path))
                assert answer.status_code == 200
                lines = len(re.findall(r"Odpowiedź \d+", answer.content.decode()))
                sizes.setdefault((name, path), set()).add((queries, lines))
    assert {key: len(found) for key, found in sizes.items()} == dict.fromkeys(sizes, 1)


def test_what_counts_is_found_behind_the_flood(world: build.World, incident: Incident) -> None:
    flood(incident, world, 30)
    client, staff = (text_of(browser.get(PATH)) for _name, browser in browsers(world))
    assert "Anna Lis pyta" in client
    assert "Od kiedy?" in client
    assert "Starsze wpisy" in client
    assert "Starsze wpisy" in staff
    assert "Tylko dla nas." not in client


def test_the_links_walk_the_whole_journal_without_a_gap(world: build.World, incident: Incident) -> None:
    incident = flood(incident, world, 23)
    for browser, seen in ((visitor(world.reporter), {"public": True}), (visitor(world.agent), {})):
        path, numbers = JOURNAL, []
        while path:
            body = markup(browser.get(path))
            numbers += [int(found) for found in re.findall(r'scope="row">(\d+)<', body)]
            following = re.search(r'rel="next" href="([^"]+)"', body)
            path = following[1] if following else ""
        mine = incident.journal.filter(**seen).order_by("-seq").values_list("seq", flat=True)
        assert numbers == list(mine)
    assert "Starsze wpisy" not in text_of(visitor(world.agent).get(f"{JOURNAL}?before=2"))


def test_a_page_of_a_long_journal_says_which_entries_and_how_many_are_internal(
    world: build.World, incident: Incident
) -> None:
    flood(incident, world, 6)
    oldest = text_of(visitor(world.reporter).get(f"{JOURNAL}?before=5"))
    assert "Wpisy od 1 do 4 z 10." not in oldest  # ten are short enough to be shown whole
    flood(incident, world, 4)
    oldest = text_of(visitor(world.reporter).get(f"{JOURNAL}?before=5"))
    assert "Wpisy od 1 do 4 z 14." in oldest
    assert "Wpis 3 to nasz zapis wewnętrzny, tu niewidoczny." in oldest


def test_a_long_chain_is_checked_when_somebody_asks_or_pastes_a_head(world: build.World, incident: Incident) -> None:
    incident = flood(incident, world, 20)
    page = visitor(world.reporter)
    first = incident.journal.get(seq=1).hash
    assert "Łańcuch" not in text_of(page.get(JOURNAL))
    assert "Łańcuch 24 wpisów" in text_of(page.get(f"{JOURNAL}?check=1"))
    assert "Ten skrót jest w łańcuchu." in text_of(page.get(JOURNAL, {"head": first}))
    assert "Ten skrót jest w łańcuchu." not in text_of(page.get(JOURNAL, {"head": "0" * 64}))
    assert incident.journal_head in text_of(page.get(JOURNAL))


def test_a_chain_is_checked_in_parts_that_hold_one_after_the_other(
    world: build.World, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHECKED", 10)
    incident = flood(incident, world, 20)
    page, path, shown = visitor(world.reporter), f"{JOURNAL}?check=1", []
    while path:
        body = page.get(path)
        shown += re.findall(r"Wpisy od (\d+) do (\d+) z 24 pasują do siebie\.( Pasują też)?", text_of(body))
        following = re.search(r'href="([^"]+)">Sprawdź dalej', plain(markup(body)))
        path = following[1] if following else ""
    assert shown == [("1", "10", ""), ("11", "20", " Pasują też"), ("21", "24", " Pasują też")]
    for odd in ("x", "25", "0"):
        assert "Wpisy od 1 do 10 z 24 pasują" in text_of(page.get(f"{JOURNAL}?check={odd}"))
    heads = dict(incident.journal.values_list("seq", "hash"))
    assert "Wszystko do niej jest takie, jak" in text_of(page.get(JOURNAL, {"head": heads[7]}))
    assert "Wpisy od 12 do 21, aż do niego, są takie, jak" in text_of(page.get(JOURNAL, {"head": heads[21]}))
    assert "Tego skrótu nie ma w łańcuchu." in text_of(page.get(JOURNAL, {"head": "0" * 64}))


@pytest.mark.parametrize(("turned", "seen_from"), [(3, 1), (10, 1), (11, 11), (24, 21)])
def test_each_part_sees_what_was_turned_in_it(
    world: build.World, incident: Incident, monkeypatch: pytest.MonkeyPatch, turned: int, seen_from: int
) -> None:
    monkeypatch.setattr(reading, "CHECKED", 10)
    incident = flood(incident, world, 20)
    tamper.change(incident.journal.get(seq=turned), actor="system")
    parts = [reading.check(incident, first) for first in (1, 11, 21)]
    assert [part.first for part in parts if part.check.broken_at] == [seen_from]
    assert [part.check.broken_at for part in parts if part.check.broken_at] == [turned]


@pytest.mark.parametrize("before", ["0", "1", "-3", "²", "x", "9" * 30, "999"])
def test_an_odd_place_shows_the_newest_page(world: build.World, incident: Incident, before: str) -> None:
    flood(incident, world, 20)
    answer = visitor(world.agent).get(JOURNAL, {"before": before})
    assert (answer.status_code, "Wpisy od 20 do 24 z 24." in text_of(answer)) == (200, True)


def test_a_verb_reads_no_answer_and_every_clock_still_follows(world: build.World, incident: Incident) -> None:
    incident = flood(incident, world, 20)
    few, _ = asked(lambda: lifecycle.answer(incident=incident, by=world.reporter, at=LATER, text="Od rana."))
    assert list(proof.differences(at=LATER)) == []
    other = flood(lifecycle.pause(
        incident=incident, by=world.agent, at=LATER, reason="client_answer", text="A teraz?"
    ), world, 200)  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        lifecycle.answer(incident=other, by=world.reporter, at=LATER, text="Też.")
    assert len(queries) == few
    read = [query["sql"] for query in queries if 'FROM "incidents_journalentry"' in query["sql"]]
    assert [sql for sql in read if "LIMIT" not in sql and '"kind"' not in sql.partition("WHERE")[2]] == []
    assert list(proof.differences(at=LATER)) == []


@pytest.mark.full
def test_with_fifty_thousand_answers_pages_and_verbs_stay_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, LATER)
    world = build.world()
    quiet, loud = (build.incident(world.shop, by=world.reporter, what=what) for what in ("closed", "no_orders"))
    talk(world, loud, 50_000)
    with owner_cursor() as cursor:  # the product's role would be passed over in silence
        cursor.execute("ANALYZE")
    assert JournalEntry.objects.filter(incident=loud).count() == 50_001
    for _name, browser in browsers(world):
        for path in ("", "journal/", "why/restore/"):
            few, many = (best(partial(browser.get, f"/incidents/{one.nr}/{path}")) for one in (quiet, loud))
            assert (path, many < few + 0.15) == (path, True)
    answer = partial(lifecycle.answer, by=world.reporter, at=LATER, text="Nie.")
    few, many = (best(partial(answer, incident=one)) for one in (quiet, loud))
    assert many < few + 0.1


def best(act: Callable[[], object]) -> float:
    """Seconds, the best of four."""
    times = []
    for _ in range(4):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return min(times)
