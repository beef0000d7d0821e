"""The client's word: it ends the silence under a repair; a time that it claims is shown and moves no clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser

from incidents import lifecycle, queue, reporting
from incidents.choices import Origin, Status
from incidents.models import Incident
from incidents.projection import proof
from incidents.sweeps import sweep_clocks
from messaging.models import Notification
from tests import build
from tests.incidents.test_lifecycle import backed_up, kinds, minutes, refuses
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
PATH = "/incidents/MAK-0001/"
LATER = build.MONDAY + timedelta(days=30)


@pytest.fixture
def world() -> build.World:
    return build.world()


def repaired(world: build.World) -> Incident:
    incident = backed_up(build.incident(world.shop, by=world.reporter, what="some_payments"), world)
    incident = lifecycle.resolve(incident=incident, by=world.agent, at=minutes(30), text="Karty wróciły.")
    build.clear_outbox()
    return incident


def answered(incident: Incident, world: build.World) -> None:
    lifecycle.answer(incident=incident, by=world.reporter, at=minutes(40), text="Nadal nie działa.")


def detailed(incident: Incident, world: build.World) -> None:
    reporting.add_details(
        incident=incident, by=world.reporter, at=minutes(40), details=reporting.Details(affected="wszyscy")
    )


def contested(incident: Incident, world: build.World) -> None:
    lifecycle.contest(incident=incident, by=world.reporter, at=minutes(40), text="Stoi sprzedaż.")


def escalated(incident: Incident, world: build.World) -> None:
    lifecycle.ask_for_manager(incident=incident, by=world.reporter, at=minutes(40))


def joined(incident: Incident, world: build.World) -> None:
    reporting.report(
        shop=world.shop, what="some_payments", by=world.reporter, at=minutes(40), sentence="Znowu.", join=incident
    )


@pytest.mark.parametrize("wrote", [answered, detailed, contested, escalated, joined])
def test_any_message_under_a_repair_ends_the_silence(
    world: build.World, wrote: Callable[[Incident, build.World], None]
) -> None:
    incident = repaired(world)
    assert incident.silence_at is not None
    wrote(incident, world)
    sweep_clocks(at=LATER)
    incident = Incident.objects.get()
    assert (incident.status, incident.silence_at, incident.client_wrote_at) == (Status.RESOLVED, None, minutes(40))
    letters = Notification.objects.filter(recipient=world.reporter).values_list("subject", flat=True)
    assert "MAK-0001: czy działa? Czekamy na tak albo nie" in letters
    assert not any("nikt nie zgłosił uwag" in subject for subject in letters)
    assert Notification.objects.filter(recipient=world.agent).exclude(subject__contains="czy działa").exists()
    assert [(group.key, group.count) for group in queue.look(queue.Selection(world.agent.pk), LATER).groups] == [
        ("now", 1)
    ]
    assert list(proof.differences(at=LATER)) == []


def test_both_pages_say_whose_word_is_missing_until_it_comes(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = repaired(world)
    answered(incident, world)
    stop_clock(monkeypatch, minutes(50))
    agent, reporter = visitor(world.agent), visitor(world.reporter)
    asks = "Po naprawie przyszła od Ciebie wiadomość, więc milczenie już jej nie przyjmie."
    page = text_of(reporter.get(PATH))
    assert page.index(asks) < page.index("Naprawione dziś 10:30, czeka na potwierdzenie")
    assert "Bez Twojej odpowiedzi" not in page
    assert "klient napisał po naprawie" in text_of(agent.get("/queue/"))
    assert "klient napisał po naprawie" in text_of(agent.get("/incidents/"))
    assert "Milczenie już jej nie przyjmie" in text_of(agent.get(PATH))
    lifecycle.answer(incident=incident, by=world.reporter, at=minutes(51), text="I jeszcze BLIK.")
    assert kinds(incident)[-3:] == ["client_message", "verdict_asked", "client_message"]
    lifecycle.reject(incident=incident, by=world.reporter, at=minutes(52), text="Nie działa.")
    assert asks not in text_of(reporter.get(PATH))
    assert list(proof.differences(at=minutes(52))) == []


def test_a_new_delivery_may_be_accepted_by_silence_again(world: build.World) -> None:
    incident = repaired(world)
    answered(incident, world)
    incident = lifecycle.resolve(incident=incident, by=world.agent, at=minutes(90), text="Teraz też BLIK.")
    assert (incident.client_wrote_at, incident.silence_at) == (None, build.at("2026-03-06 00:00"))
    assert incident.clocks.get(target="restore").stopped_at == minutes(30)
    sweep_clocks(at=LATER)
    incident.refresh_from_db()
    assert incident.status == Status.CLOSED
    assert list(proof.differences(at=LATER)) == []


def test_a_message_from_before_this_rule_is_found_when_the_silence_ends(world: build.World) -> None:
    incident = repaired(world)
    term = incident.silence_at
    answered(incident, world)
    Incident.objects.update(silence_at=term, client_wrote_at=None, wake_at=term)
    sweep_clocks(at=LATER)
    incident.refresh_from_db()
    assert (incident.status, incident.silence_at) == (Status.RESOLVED, None)


# A claimed time


def phoned(world: build.World, told: datetime, join: Incident | None = None) -> Incident:
    return reporting.report(
        shop=world.shop, what="no_payment", by=world.agent, at=build.MONDAY, sentence="Nie można zapłacić.",
        origin=Origin.PHONE, caller=world.reporter, join=join,
        claim=reporting.Claim(told, "Linia była zajęta.", world.agent),
    )  # fmt: skip


def test_a_claimed_time_stands_with_its_reason_for_both_sides_and_moves_no_clock(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch, build.MONDAY)
    told = build.at("2026-03-02 08:10")
    staff = visitor(world.agent)
    asked = {"caller": world.reporter.pk, "what": "no_payment", "sentence": "Nie można zapłacić.", "told": "8:10",
             "why": "Linia była zajęta.", "key": build.form_key()}  # fmt: skip
    assert staff.post(f"/incidents/new/?shop={world.shop.slug}", asked).status_code == 302
    incident = Incident.objects.get()
    assert (incident.claimed_at, incident.clocks.get(target="restore").started_at) == (told, build.MONDAY)
    reporter = visitor(world.reporter)
    shown: tuple[tuple[Browser, str], ...] = (
        (reporter, ""), (reporter, "receipt/"), (reporter, "journal/"), (reporter, "why/restore/"),
        (staff, ""), (staff, "journal/"), (staff, "why/restore/"),
    )  # fmt: skip
    for browser, part in shown:
        said = text_of(browser.get(PATH + part))
        assert (part, "niezatwierdzone" in said, "8:10" in said) == (part, True, True)
        assert (part, "Linia była zajęta." in said) == (part, True)
    assert kinds(incident) == ["received", "reported_claim"]
    assert list(proof.differences(at=build.MONDAY)) == []


def test_a_claim_about_a_failure_that_is_known_is_kept_too_and_one_from_the_future_refused(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.owner)
    phoned(world, build.at("2026-03-02 08:10"), join=incident)
    assert kinds(incident) == ["received", "joined", "reported_claim"]
    assert refuses(lambda: phoned(world, minutes(1)), "told") == "Nie mogli zgłosić później niż teraz."
