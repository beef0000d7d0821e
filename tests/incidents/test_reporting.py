"""How an incident comes to be, and how two reports of one failure become one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.severities import USUAL_SEVERITY, What
from incidents import lifecycle, reporting
from incidents.choices import Status
from incidents.models import Incident, JoinedReport, JournalEntry
from messaging.models import Notification
from tests import build
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db


def minutes(count: int) -> datetime:
    return build.MONDAY + timedelta(minutes=count)


def alarm(world: build.World, *, at: datetime, failure: str = "unreachable:home", severity: str = "P1") -> Incident:
    return reporting.open_from_monitor(
        shop=world.shop, failure=failure, what="closed", severity=severity, first_failed_at=at - timedelta(minutes=2),
        at=at, evidence={"status": 502}, words="Strona główna odpowiada 502.",
    )  # fmt: skip


def addresses() -> list[str]:
    return sorted(Notification.objects.values_list("address", flat=True))


def test_a_report_is_received_to_the_second_numbered_per_client_and_told_to_duty() -> None:
    world, other = build.world(), build.world("LIS")
    at = minutes(0) + timedelta(microseconds=999_999)
    incident = reporting.report(
        shop=world.shop, what="no_payment", by=world.reporter, at=at, sentence="Nie da się zapłacić.", phone="600100200"
    )
    assert (incident.nr, incident.received_at, incident.reported_at) == ("MAK-0001", minutes(0), minutes(0))
    assert (incident.severity, incident.status, incident.version) == ("P1", Status.NEW, world.version)
    assert (incident.reporter, incident.phone, incident.assignee) == (world.reporter, "600100200", None)
    assert build.incident(other.shop, by=other.reporter).nr == "LIS-0001"
    assert build.incident(world.shop, by=world.reporter).nr == "MAK-0002"
    entry = incident.journal.get()
    assert (entry.kind, entry.severity, entry.actor, entry.public) == ("received", "P1", "client", True)
    told = {name: value for name, value in entry.facts.items() if name not in {"row", "calendars"}}
    assert set(entry.facts["row"]) == set(reporting.ROW)
    assert told == {"what": "no_payment", "reported_at": minutes(0).isoformat(), "origin": "portal"}
    mine = Notification.objects.filter(notice__incident=incident).values_list("address", flat=True)
    assert sorted(mine) == sorted([world.agent.email, world.reporter.email])


@pytest.mark.parametrize("what", What.values)
def test_every_sentence_has_its_category(what: str) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, what=what)
    assert incident.severity == USUAL_SEVERITY[what]
    assert incident.is_request is (what == "question")
    assert incident.possible_leak is (what == "break_in")
    assert incident.clocks.count() == (0 if what == "question" else 3)


def test_the_same_form_files_once_even_a_minute_later() -> None:
    world = build.world()
    key = build.form_key()
    first = build.incident(world.shop, by=world.reporter, form_key=key)
    again = build.incident(world.shop, by=world.reporter, form_key=key, at=minutes(1))
    assert again == first
    assert (Incident.objects.count(), JournalEntry.objects.count(), Notification.objects.count()) == (1, 1, 2)


def test_the_same_form_joins_once() -> None:
    world = build.world()
    incident = alarm(world, at=minutes(0))
    key = build.form_key()
    for _ in range(2):
        assert build.incident(world.shop, by=world.reporter, what="closed", form_key=key, at=minutes(1)) == incident
    assert JoinedReport.objects.count() == 1
    assert incident.journal.filter(kind="joined").count() == 1


def test_a_shop_that_nobody_looks_after_takes_no_report() -> None:
    world = build.world()
    world.shop.is_active = False
    world.shop.save()
    with pytest.raises(Refused) as refused:
        build.incident(world.shop, by=world.reporter)
    assert refused.value.field == "shop"
    assert (Incident.objects.count(), Notification.objects.count()) == (0, 0)
    world.client.refresh_from_db()
    assert world.client.last_number == 0


@pytest.mark.parametrize("what", ["closed", "no_orders", "no_payment"])
def test_a_report_that_nothing_sells_joins_the_monitors_incident(what: str) -> None:
    world = build.world()
    incident = alarm(world, at=minutes(0))
    build.clear_outbox()
    joined = build.incident(world.shop, by=world.reporter, what=what, at=minutes(3))
    assert (joined, joined.reporter, joined.received_at) == (incident, world.reporter, minutes(0))
    assert world.reporter.email in addresses()
    assert joined.clocks.get(target="reaction").started_at == minutes(0)
    assert Incident.objects.count() == 1


@pytest.mark.parametrize("what", ["break_in", "some_payments", "too_slow", "question"])
def test_another_sentence_is_an_incident_of_its_own(what: str) -> None:
    world = build.world()
    incident = alarm(world, at=minutes(0))
    assert build.incident(world.shop, by=world.reporter, what=what, at=minutes(3)) != incident


def test_a_person_may_join_an_incident_and_the_stricter_category_wins() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, what="some_payments")
    joined = reporting.report(
        shop=world.shop, what="no_payment", by=world.owner, at=minutes(10), sentence="Nikt nie płaci.", join=incident
    )
    assert (joined.pk, joined.severity) == (incident.pk, "P1")
    assert joined.clocks.get(target="restore").deadline == minutes(250)
    kinds = list(joined.journal.values_list("kind", "change", "severity"))
    assert kinds == [("received", "", "P2"), ("joined", "", "P2"), ("severity", "worse", "P1")]


def test_an_ended_incident_cannot_be_joined_nor_one_of_another_shop() -> None:
    world, other = build.world(), build.world("LIS")
    ended = build.incident(world.shop, by=world.reporter)
    lifecycle.cancel(incident=ended, by=world.reporter, at=minutes(1), text="Pomyłka.")
    strange = build.incident(other.shop, by=other.reporter)
    for wanted in (ended, strange):
        with pytest.raises(Refused) as refused:
            reporting.report(shop=world.shop, what="closed", by=world.reporter, at=minutes(2), join=wanted)
        assert refused.value.field == "join"
    assert not JoinedReport.objects.exists()


def test_a_confirmed_outage_starts_the_clock_at_its_confirmation_and_says_when_it_began() -> None:
    world = build.world()
    incident = alarm(world, at=minutes(0))
    assert (incident.origin, incident.failure, incident.reporter) == ("monitor", "unreachable:home", None)
    assert (incident.received_at, incident.occurred_at) == (minutes(0), minutes(-2))
    entry = incident.journal.get()
    assert (entry.kind, entry.actor, entry.by, entry.text) == (
        "received", "monitor", None, "Strona główna odpowiada 502.",
    )  # fmt: skip
    assert {name: value for name, value in entry.facts.items() if name not in {"row", "calendars"}} == {
        "status": 502, "first_failed_at": minutes(-2).isoformat(), "failure": "unreachable:home",
    }  # fmt: skip
    assert incident.clocks.get(target="reaction").deadline == minutes(30)
    assert addresses() == sorted([world.agent.email, world.owner.email, world.reporter.email])
    assert set(Notification.objects.values_list("subject", flat=True)) == {"MAK-0001: nasz monitor widzi awarię"}


def test_the_same_outage_confirmed_again_adds_evidence_only() -> None:
    world = build.world()
    incident = alarm(world, at=minutes(0))
    build.clear_outbox()
    assert alarm(world, at=minutes(5)) == incident
    assert list(incident.journal.values_list("kind", flat=True)) == ["received", "monitor_failed"]
    assert not Notification.objects.exists()


def test_the_monitor_joins_what_the_client_reported_first() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, what="closed")
    assert alarm(world, at=minutes(2)) == incident
    incident.refresh_from_db()
    assert (incident.failure, incident.received_at, incident.origin) == ("unreachable:home", minutes(0), "portal")


def test_another_failure_of_the_shop_is_another_incident() -> None:
    world = build.world()
    first, second = alarm(world, at=minutes(0)), alarm(world, at=minutes(1), failure="payment_fails")
    assert first != second


def test_where_the_contract_says_so_an_alarm_starts_no_clock_until_a_person_reports() -> None:
    world = build.world(monitoring_starts_clock=False)
    incident = alarm(world, at=minutes(0))
    assert (incident.due_at, incident.wake_at) == (None, None)
    assert not incident.clocks.exists()
    joined = build.incident(world.shop, by=world.reporter, what="closed", at=minutes(7))
    assert joined == incident
    assert joined.clocks.get(target="reaction").deadline == minutes(37)


def test_a_recovery_proposes_the_repair_time_and_lets_the_clock_stand_there() -> None:
    world = build.world()
    incident = alarm(world, at=minutes(0))
    reporting.note_recovery(incident=incident, restored_at=minutes(9), at=minutes(10), words="200, 0,4 s")
    incident.refresh_from_db()
    assert (incident.restored_at, incident.status) == (minutes(9), Status.NEW)
    row = incident.clocks.get(target="restore")
    assert (row.state, row.seen_at, row.stopped_at) == ("seen_working", minutes(9), None)


def test_details_fill_the_report_and_move_no_clock() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    details = reporting.Details(occurred_at=minutes(-30), affected="wszyscy", order_number="7712")
    changed = reporting.add_details(incident=incident, by=world.reporter, at=minutes(2), details=details)
    assert (changed.occurred_at, changed.affected, changed.order_number) == (minutes(-30), "wszyscy", "7712")
    assert changed.clocks.get(target="restore").deadline == minutes(240)
    reporting.add_details(incident=incident, by=world.reporter, at=minutes(3), details=details)
    assert incident.journal.filter(kind="details").count() == 1


def test_a_shop_without_a_contract_has_an_incident_without_clocks() -> None:
    world = build.world()
    alone = build.shop(world.client, "nowy.example")
    incident = build.incident(alone, by=world.reporter)
    assert (incident.version, incident.due_at) == (None, None)
    said = plain(Notification.objects.get(recipient=world.reporter).body)
    assert "Tego sklepu nie obejmuje umowa: żaden zegar nie biegnie" in said


def test_a_failure_after_a_repair_that_waits_for_the_client_is_an_incident_with_a_clock_of_its_own() -> None:
    world = build.world()
    first = alarm(world, at=minutes(0))
    lifecycle.skip_backup(incident=first, by=world.agent, at=minutes(5), text="Sklep u dostawcy.")
    lifecycle.resolve(incident=first, by=world.agent, at=minutes(10), text="Wraca.")
    again = alarm(world, at=minutes(30))
    reported = build.incident(world.shop, by=world.reporter, at=minutes(31), what="closed")
    assert again.pk != first.pk
    assert reported.pk == again.pk
    assert again.clocks.get(target="restore").state == "running"
