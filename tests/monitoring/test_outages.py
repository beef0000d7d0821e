"""What incidents hear of outages: the same verb, evidence, joins, and a proposed time of repair."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from incidents import lifecycle, reporting, withdrawal
from incidents.choices import Origin, Status
from incidents.models import Incident, JournalEntry
from incidents.text import journal_lines
from messaging.models import Notification
from monitoring import watch
from monitoring.models import Monitor, Outage
from tests import build
from tests.build import World
from tests.monitoring.played import BROKEN, DOWN, UP, after, monitor, play, result

pytestmark = pytest.mark.django_db
RECOVERY = ((120, UP), (180, UP), (240, UP))


@pytest.fixture
def world() -> World:
    return build.world()


@pytest.fixture
def home(world: World) -> Monitor:
    return monitor(world.shop)


@pytest.fixture
def checkout(world: World) -> Monitor:
    return monitor(world.shop, "Koszyk", url=f"{world.shop.url}koszyk", what="no_orders")


def kinds(incident: Incident) -> list[str]:
    return list(incident.journal.order_by("seq").values_list("kind", flat=True))


def test_a_confirmed_outage_opens_an_incident_by_the_same_verb(world: World, home: Monitor) -> None:
    play(home, (0, UP), (60, DOWN), (67, DOWN))
    incident = Incident.objects.get()
    assert (incident.nr, incident.what, incident.severity, incident.origin) == ("MAK-0001", "closed", "P1", "monitor")
    assert (incident.occurred_at, incident.received_at) == (after(60), after(67))
    assert Outage.objects.get().incident == incident
    assert kinds(incident) == ["received"]


def test_its_clocks_run_from_the_confirmation(world: World, home: Monitor) -> None:
    play(home, (0, UP), (60, DOWN), (67, DOWN))
    clocks = {clock.target: clock for clock in Incident.objects.get().clocks.all()}
    assert clocks["reaction"].deadline == after(67 + 30 * 60)
    assert clocks["restore"].deadline == after(67 + 4 * 3600)


def test_the_contract_may_let_an_alarm_start_no_clock(world: World) -> None:
    other = build.world("SOW", monitoring_starts_clock=False)
    play(monitor(other.shop), (0, DOWN), (7, DOWN))
    incident = Incident.objects.get()
    assert (kinds(incident), incident.clocks.count()) == (["alarm"], 0)


def test_people_of_the_client_and_those_on_duty_are_told(world: World, home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN))
    told = set(Notification.objects.values_list("recipient__name", flat=True))
    assert told == {world.reporter.name, world.owner.name, world.agent.name}


def test_the_evidence_says_what_was_seen_in_both_languages(home: Monitor) -> None:
    play(home, (0, UP), (60, BROKEN), (67, BROKEN))
    facts = JournalEntry.objects.get().facts
    assert (facts["reason"], facts["status"], facts["total_ms"], facts["place"]) == ("content", 200, 140, "pl")
    assert facts["first_failed_at"] == after(60).isoformat()
    assert set(facts["sentence"]) == {"pl", "en"}
    assert facts["sentence"]["pl"] != facts["sentence"]["en"]


def test_neither_the_body_of_an_answer_nor_the_query_of_an_address_leaves_for_the_journal(world: World) -> None:
    secret = monitor(world.shop, url="https://ja:haslo@mak.example/koszyk?token=tajny")
    for second in (0, 7):
        seen = result(secret, after(second), BROKEN, excerpt="<b>tajna strona</b>")
        watch.record(secret, seen, at=after(second))
    entry, outage = JournalEntry.objects.get(), Outage.objects.get()
    written = json.dumps([entry.facts, entry.text, outage.evidence], ensure_ascii=False)
    assert entry.facts["url"] == "https://mak.example/koszyk"
    assert not [word for word in ("tajny", "haslo", "tajna") if word in written]
    assert {check.evidence["excerpt"] for check in secret.checks.all()} == {"<b>tajna strona</b>"}


def test_the_journal_speaks_the_readers_language_of_failure_and_recovery(home: Monitor) -> None:
    play(home, (0, UP), (60, DOWN), (67, DOWN), (180, UP), (190, UP), (200, UP))
    entries = JournalEntry.objects.filter(actor="monitor").order_by("seq")
    said = {}
    for language in ("pl", "en"):
        with translation.override(language):
            said[language] = [journal_lines.said(entry) for entry in entries]
    assert said["en"] == ["Strona główna: No answer within 0.1 s.", "Strona główna works again."]
    assert said["pl"] == [entry.text for entry in entries]
    assert said["pl"][1] == "Strona główna znowu działa."


def test_a_report_of_the_client_joins_the_incident_of_the_monitor(world: World, home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN))
    joined = build.incident(world.shop, by=world.reporter, at=after(90), what="no_payment")
    assert (joined, Incident.objects.count()) == (Incident.objects.get(), 1)
    assert (joined.reporter, joined.received_at) == (world.reporter, after(7))
    assert kinds(joined) == ["received", "joined"]


def test_an_outage_joins_the_report_of_the_client_that_came_first(world: World, home: Monitor) -> None:
    reported = build.incident(world.shop, by=world.reporter, at=after(0), what="closed")
    play(home, (60, DOWN), (67, DOWN))
    assert Incident.objects.get() == reported
    assert kinds(reported) == ["received", "monitor_failed"]
    assert Outage.objects.get().incident == reported
    reported.refresh_from_db()
    assert (reported.received_at, reported.failure) == (after(0), "down")


def test_two_addresses_of_one_shop_that_fail_are_one_incident(home: Monitor, checkout: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN))
    play(checkout, (10, DOWN), (17, DOWN))
    assert (Outage.objects.count(), Incident.objects.count()) == (2, 1)
    assert kinds(Incident.objects.get()) == ["received", "monitor_failed"]


def test_an_address_that_does_not_mean_the_shop_is_down_has_an_incident_of_its_own(world: World, home: Monitor) -> None:
    blog = monitor(world.shop, "Blog", means_down=False, what="other", severity="P3")
    play(home, (0, DOWN), (7, DOWN))
    play(blog, (10, DOWN), (17, DOWN))
    assert sorted(Incident.objects.values_list("what", "severity")) == [("closed", "P1"), ("other", "P3")]


def test_shops_of_two_clients_never_share_an_incident(world: World, home: Monitor) -> None:
    other = monitor(build.world("SOW").shop)
    play(home, (0, DOWN), (7, DOWN))
    play(other, (0, DOWN), (7, DOWN))
    assert sorted(Incident.objects.values_list("nr", flat=True)) == ["MAK-0001", "SOW-0001"]


def test_recovery_proposes_the_first_good_check_as_the_time_of_repair_and_stops_no_clock(home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN), *RECOVERY)
    incident = Incident.objects.get()
    assert incident.restored_at == after(120)
    assert (incident.status, incident.clocks.get(target="restore").stopped_at) == (Status.NEW, None)
    assert kinds(incident) == ["received", "monitor_recovered"]


def test_recovery_waits_for_the_last_address_of_the_incident(home: Monitor, checkout: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN))
    play(checkout, (10, DOWN), (17, DOWN))
    play(checkout, *RECOVERY)
    assert Incident.objects.get().restored_at is None
    play(home, (130, UP), (190, UP), (250, UP))
    assert Incident.objects.get().restored_at == after(130)


def test_a_shop_that_fails_again_takes_the_proposed_time_back(home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN), *RECOVERY, (300, DOWN), (307, DOWN))
    incident = Incident.objects.get()
    assert (incident.restored_at, Outage.objects.get().ended_at) == (None, None)
    assert kinds(incident) == ["received", "monitor_recovered", "monitor_failed"]


def test_a_failure_after_the_incident_was_closed_is_a_new_incident(world: World, home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN), *RECOVERY)
    first = Incident.objects.get()
    lifecycle.skip_backup(incident=first, by=world.agent, at=after(250), text="Zmiana w konfiguracji serwera.")
    lifecycle.resolve(incident=first, by=world.agent, at=after(260), text="Serwer wrócił.")
    lifecycle.accept(incident=first, by=world.reporter, at=after(270))
    watch.extend_last_check(home, at=after(7200))
    play(home, (7260, DOWN), (7267, DOWN))
    assert Incident.objects.count() == 2
    assert Outage.objects.get(ended_at=None).incident != first


def close(world: World, incident: Incident, second: int) -> None:
    lifecycle.skip_backup(incident=incident, by=world.agent, at=after(second), text="Zmiana w konfiguracji serwera.")
    lifecycle.resolve(incident=incident, by=world.agent, at=after(second + 10), text="Serwer wrócił.")
    lifecycle.accept(incident=incident, by=world.reporter, at=after(second + 20))


def test_a_flap_after_the_incident_was_closed_leaves_each_incident_its_own_evidence(
    world: World, home: Monitor, client: Client
) -> None:
    """Down at 0 s, up at 120 s, closed at 270 s, down again at 300 s: one outage, as availability counts it."""
    play(home, (0, DOWN), (7, DOWN), *RECOVERY)
    first = Incident.objects.get()
    close(world, first, 250)
    before = kinds(first)
    play(home, (300, BROKEN), (307, BROKEN))
    second, outage = Incident.objects.exclude(pk=first.pk).get(), Outage.objects.get()
    assert (outage.started_at, outage.ended_at, outage.flapping) == (after(0), None, True)
    assert (outage.incident, outage.incidents) == (first, [first, second])
    assert (outage.reason, outage.reopenings.get().reason) == ("timeout", "content")
    assert outage.reopenings.get().evidence["subject"] == "SQLSTATE["
    assert kinds(first) == before
    # fails on: nothing new; well for a quarter of an hour: the incident that is open hears of it
    play(home, *((second_, UP) for second_ in range(400, 1400, 60)))
    outage.refresh_from_db()
    assert (outage.ended_at, outage.reopenings.count()) == (after(400), 1)
    assert (kinds(first), kinds(second)[-1]) == (before, "monitor_recovered")
    client.force_login(world.agent)
    with time_machine.travel(after(1400), tick=False):
        for path in (f"/shops/{world.shop.slug}/", f"/monitors/{home.pk}/"):
            page = client.get(path).content.decode()
            assert [f"/incidents/{one.nr}/" in page for one in (first, second)] == [True, True], path


def test_recovery_of_an_incident_that_has_ended_is_written_nowhere(world: World, home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN))
    withdrawal.agree(incident=Incident.objects.get(), by=world.agent, at=after(50), text="Planowane prace, wycofajcie.")
    lifecycle.cancel(incident=Incident.objects.get(), by=world.reporter, at=after(60), text="Planowane prace.")
    play(home, *RECOVERY)
    assert kinds(Incident.objects.get()) == ["received", "contact", "withdrawal_agreed", "cancelled"]
    assert Outage.objects.get().ended_at == after(120)


def test_nothing_of_a_confirmation_stays_when_the_incident_cannot_be_opened(
    home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> Incident:
        raise RuntimeError("journal is full")

    play(home, (0, UP), (60, DOWN))
    monkeypatch.setattr(reporting, "open_from_monitor", refuse)
    assert watch.record_all([result(home, after(67), DOWN)], at=after(68)) == 0
    home.refresh_from_db()
    assert (Outage.objects.count(), home.state, home.checks.count()) == (0, "up", 2)


def test_a_monitor_incident_says_where_it_came_from(home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN))
    entry = JournalEntry.objects.get()
    assert (entry.actor, entry.channel, entry.public) == ("monitor", "monitor", True)
    assert Incident.objects.get().origin == Origin.MONITOR
