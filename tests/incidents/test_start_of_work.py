"""A repair counted from the start of work: the act, and what every reader is told before and after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from knox.models import AuthToken

from incidents import lifecycle
from incidents.models import Breach, JournalEntry
from incidents.projection import proof
from incidents.sweeps import sweep_clocks
from messaging.models import Notification
from tests import build
from tests.incidents.test_lifecycle import kinds, minutes, refuses
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
PATH = "/incidents/MAK-0001/"


@pytest.fixture
def world() -> build.World:
    return build.world(repair_starts="work_started")


def test_the_act_moves_the_start_for_every_reader(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    stop_clock(monkeypatch, minutes(20))
    agent, reporter = visitor(world.agent), visitor(world.reporter)
    promise = "Naprawa w ciągu 4 h od rozpoczęcia prac, a dopóki ich nie zaczniemy, od pierwszego kontaktu"
    assert promise in text_of(reporter.get(f"{PATH}receipt/"))
    assert promise in " ".join(Notification.objects.get(recipient=world.reporter).body.split())

    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(10))
    assert incident.clocks.get(target="restore").deadline == minutes(250)
    assert (
        "od pierwszego kontaktu, dopóki nikt nie zacznie prac" in text_of(reporter.get(f"{PATH}why/restore/")).lower()
    )
    assert "Zaczynam prace" in text_of(agent.get(PATH))

    build.clear_outbox()
    stop_clock(monkeypatch, minutes(60))
    assert agent.post(f"{PATH}start-work/", {"text": "Zaczynam od bramki."}).status_code == 302
    row = incident.clocks.get(target="restore")
    assert (row.started_at, row.deadline, row.round) == (minutes(60), minutes(300), 2)
    letter = Notification.objects.get(recipient=world.reporter)
    assert letter.subject == "MAK-0001: prace się zaczęły"
    assert "Naprawa do 15:00" in letter.body.replace("\xa0", " ")
    assert "start-work/" not in agent.get(PATH).content.decode()
    account = text_of(reporter.get(f"{PATH}why/restore/"))
    assert "Od pierwszego kontaktu do rozpoczęcia prac: nie liczy się" in account
    assert "Anna Lis: początek prac" in text_of(reporter.get(PATH))
    _row, secret = AuthToken.objects.create(user=world.agent)
    again = Client(headers={"authorization": f"Token {secret}"}).post(
        f"/api{PATH}start-work/", {}, content_type="application/json"
    )
    assert (again.status_code, again.json()["clocks"][0]["deadline"]) == (200, "2026-03-02T15:00:00+01:00")
    assert kinds(incident) == ["received", "contact", "work_started"]
    assert list(proof.differences(at=minutes(60))) == []


def test_a_breach_that_happened_while_nobody_had_started_stays(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(10))
    sweep_clocks(at=minutes(251))
    lifecycle.start_work(incident=incident, by=world.agent, at=minutes(300))
    lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(300), text="Tylko odczyt.")
    lifecycle.resolve(incident=incident, by=world.agent, at=build.MONDAY + timedelta(days=91), text="Naprawione.")
    breach = Breach.objects.get()
    assert (breach.deadline, breach.delay) == (minutes(250), 91 * 86400 - 250 * 60)
    assert list(proof.differences(at=build.MONDAY + timedelta(days=91))) == []


def test_started_before_any_word_it_is_the_contact_too(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    incident = lifecycle.start_work(incident=incident, by=world.agent, at=minutes(5))
    assert (incident.first_contact_at, incident.assignee) == (minutes(5), world.agent)
    assert kinds(incident) == ["received", "contact", "work_started"]
    assert incident.clocks.get(target="restore").deadline == minutes(245)
    assert Notification.objects.count() == 1
    assert list(proof.differences(at=minutes(5))) == []


def test_where_it_moves_nothing_it_is_refused(world: build.World) -> None:
    other = build.world("TUR")
    plain = build.incident(other.shop, by=other.reporter)
    assert refuses(lambda: lifecycle.start_work(incident=plain, by=world.agent, at=minutes(5)), "") == (
        "W tej umowie naprawa nie liczy się od rozpoczęcia prac."
    )
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(1), text="Tylko odczyt.")
    lifecycle.work_around(incident=incident, by=world.agent, at=minutes(5), text="BLIK działa.")
    assert refuses(lambda: lifecycle.start_work(incident=incident, by=world.agent, at=minutes(6)), "") == (
        "Coś już oddano, więc prace się zaczęły."
    )
    assert JournalEntry.objects.filter(kind="work_started").count() == 0
