"""Promised updates on the whole way: the contract's rhythm, the promise, its missing, pages, journal and API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client

from contracts.models import UpdateRhythm
from incidents import lifecycle, sweeps
from incidents.models import Incident
from tests import build
from tests.pages import text_of
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db


def minutes(count: int) -> datetime:
    return build.MONDAY + timedelta(minutes=count)


@pytest.fixture
def world() -> build.World:
    """P1 hears every 60 minutes, P2 every 120 minutes of office hours, the rest never."""
    world = build.world(rhythms=(("P1", 60),))
    UpdateRhythm.objects.create(
        version=world.version, severity="P2", minutes=120, calendar=build.office_hours()
    )  # fmt: skip
    return world


def react(world: build.World, what: str = "no_payment", at: datetime = build.MONDAY) -> Incident:
    incident = build.incident(world.shop, by=world.reporter, what=what, at=at)
    return lifecycle.acknowledge(incident=incident, by=world.agent, at=at)


@pytest.mark.parametrize(
    ("what", "at", "promised"),
    [
        ("no_payment", "2026-03-06 15:30", "2026-03-06 16:30"),
        ("some_payments", "2026-03-06 15:30", "2026-03-09 09:30"),
        ("some_payments", "2026-03-07 12:00", "2026-03-09 10:00"),
        ("slower", "2026-03-06 15:30", ""),
    ],
)
def test_the_contract_says_how_often_and_in_which_hours(world: build.World, what: str, at: str, promised: str) -> None:
    incident = react(world, what, build.at(at))
    assert incident.next_update_at == (build.at(promised) if promised else None)


Act = Callable[[build.World, Incident], Incident]
ACTS: dict[str, tuple[Act, int | None]] = {
    "a message": (lambda w, i: lifecycle.say(incident=i, by=w.agent, at=minutes(10), text="Trwa."), 70),
    "a message with a promise of its own": (
        lambda w, i: lifecycle.say(
            incident=i, by=w.agent, at=minutes(10), text="Trwa.", next_update_at=minutes(25)), 25),
    "a question": (
        lambda w, i: lifecycle.pause(incident=i, by=w.agent, at=minutes(10), reason="client_answer", text="?"), None),
    "another pause": (
        lambda w, i: lifecycle.pause(incident=i, by=w.agent, at=minutes(10), reason="force_majeure", text="!"), 70),
    "an answer to a question": (
        lambda w, i: lifecycle.answer(incident=ACTS["a question"][0](w, i), by=w.reporter, at=minutes(20), text="Ja."),
        80),
    "a workaround": (
        lambda w, i: lifecycle.work_around(incident=skip(w, i), by=w.agent, at=minutes(10), text="Przelew."), None),
    "a repair": (lambda w, i: lifecycle.resolve(incident=skip(w, i), by=w.agent, at=minutes(10), text="Już."), None),
    "a rejected repair": (
        lambda w, i: lifecycle.reject(incident=ACTS["a repair"][0](w, i), by=w.reporter, at=minutes(20), text="Nie."),
        80),
    "an internal note": (lambda w, i: lifecycle.note(incident=i, by=w.agent, at=minutes(10), text="Log."), 60),
    "the client's message": (lambda w, i: lifecycle.answer(incident=i, by=w.reporter, at=minutes(10), text="I?"), 60),
    "a withdrawal": (lambda w, i: lifecycle.cancel(incident=i, by=w.reporter, at=minutes(10), text="Już."), None),
}  # fmt: skip


def skip(world: build.World, incident: Incident) -> Incident:
    return lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(9), text="Tylko odczyt.")


@pytest.mark.parametrize("act", ACTS)
def test_what_each_act_promises_next(world: build.World, act: str) -> None:
    verb, promised = ACTS[act]
    verb(world, incident := react(world))
    incident.refresh_from_db()
    assert incident.next_update_at == (None if promised is None else minutes(promised))


def test_a_promise_in_the_past_is_refused(world: build.World) -> None:
    incident = react(world)
    with pytest.raises(Refused, match="Obiecaj") as refusal:
        lifecycle.say(incident=incident, by=world.agent, at=minutes(10), text="Trwa.", next_update_at=minutes(10))
    incident.refresh_from_db()
    assert (refusal.value.field, incident.journal_length, incident.next_update_at) == ("next_update", 2, minutes(60))


@pytest.mark.parametrize(
    ("what", "at", "latest", "said"),
    [
        ("no_payment", "2026-03-02 10:10", "2026-03-02 14:10", "dziś 14:10"),
        # Four times 120 minutes of the office's hours
        ("some_payments", "2026-03-06 15:00", "2026-03-09 15:00", "poniedziałku 9 mar, 15:00"),
        ("slower", "2026-03-02 10:10", "2026-03-09 10:10", "poniedziałku 9 mar, 10:10"),
    ],
)
def test_a_promise_so_far_away_that_nobody_would_miss_it_is_refused(
    world: build.World, client: Client, what: str, at: str, latest: str, said: str
) -> None:
    incident, last = react(world, what), build.at(latest)
    with pytest.raises(Refused, match="Za daleko") as refusal:
        lifecycle.say(
            incident=incident, by=world.agent, at=build.at(at), text="Trwa.", next_update_at=last + timedelta(seconds=1)
        )
    assert (refusal.value.field, said in plain(str(refusal.value))) == ("next_update", True)
    with time_machine.travel(build.at(at), tick=False):
        client.force_login(world.agent)
        asked = {"text": "Trwa.", "next_update_at": "2199-01-01T00:00:00Z"}
        answer = client.post(f"/api/incidents/{incident.nr}/say/", asked, "application/json")
        assert (answer.status_code, answer.json()["field"]) == (409, "next_update")
        page = text_of(client.get(f"/incidents/{incident.nr}/"))
        hours = {"no_payment": "4 h", "some_payments": "8 h", "slower": "168 h"}[what]
        assert f"Najwyżej {hours} naprzód." in page
    incident.refresh_from_db()
    assert incident.journal_length == 2
    lifecycle.say(incident=incident, by=world.agent, at=build.at(at), text="Trwa.", next_update_at=last)
    incident.refresh_from_db()
    assert incident.next_update_at == last


def test_a_stricter_category_of_the_clients_brings_the_promise_nearer_and_never_further(world: build.World) -> None:
    incident = react(world, "some_payments")
    lifecycle.contest(incident=incident, by=world.reporter, at=minutes(10), text="Nikt nie zapłaci.")
    incident.refresh_from_db()
    assert (incident.severity, incident.next_update_at) == ("P1", minutes(70))
    lifecycle.change_severity(
        incident=(other := react(world, "slower")),
        by=world.agent,
        at=minutes(50),
        to="P1",
        change="worse",
        text="Stoi.",
    )
    other.refresh_from_db()
    assert other.next_update_at == minutes(110)


def test_a_missed_promise_is_red_on_every_page_and_the_client_reads_it_in_the_journal(
    world: build.World, client: Client
) -> None:
    incident = react(world)
    sweeps.sweep_clocks(at=minutes(61))
    with time_machine.travel(minutes(95), tick=False):
        client.force_login(world.agent)
        queue = client.get("/queue/").content.decode()
        work = text_of(client.get(f"/incidents/{incident.nr}/"))
        client.force_login(world.reporter)
        home = text_of(client.get("/"))
        page = text_of(client.get(f"/incidents/{incident.nr}/"))
        answer = client.get(f"/api/incidents/{incident.nr}/").json()
        clients_own = client.get(f"/api/incidents/{incident.nr}/journal/").json()["results"]
    assert "bez terminu" not in queue
    assert '<b class="late">' in queue
    assert "Wiadomość do klienta do" in work
    assert "Spóźniamy się z wiadomością, miała być do 11:00" in home
    assert page.count("Spóźniamy się z wiadomością, miała być do 11:00") == 1
    assert "Obiecana wiadomość nie wyszła na czas" in page
    assert answer["next_update_at"] == "2026-03-02T11:00:00+01:00"
    assert [line["kind"] for line in clients_own] == ["received", "contact", "update_missed"]
