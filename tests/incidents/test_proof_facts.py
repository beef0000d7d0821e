"""What money rests on beside the clocks is proven. Each column alone: `reports/test_everything_is_proven.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from contracts import seal
from contracts.models import Calendar, Target
from incidents import forgetting, journal, lifecycle, reporting, sweeps
from incidents.anchors import Tally
from incidents.models import Breach, Firing, Incident, JoinedReport, JournalEntry, Pause
from incidents.notices import alarms, sending
from incidents.projection import proof, proof_beside
from messaging.models import Notification
from tests import build, tamper

pytestmark = pytest.mark.django_db
MONDAY = build.MONDAY
COUNT = "the database's own count"
END = MONDAY + timedelta(hours=8)


@pytest.fixture
def world() -> build.World:
    """One incident with everything: two authors, a message, a pause, rungs that were told, a breach, a workaround."""
    world = build.world()
    seal.calendar(build.round_the_clock(), at=MONDAY)
    seal.version(world.version, at=MONDAY)
    monitor = reporting.open_from_monitor(
        shop=world.shop, failure="down:home", what="closed", severity="P2", first_failed_at=MONDAY,
        at=MONDAY, evidence={"status": 502}, words="502",
    )  # fmt: skip
    for person in (world.reporter, world.owner):
        build.incident(world.shop, by=person, at=MONDAY + timedelta(minutes=1), what="closed")
    sweeps.sweep_clocks(at=MONDAY + timedelta(minutes=40))
    sending.mark_sent(at=MONDAY + timedelta(minutes=41))
    act: dict[str, Any] = {"incident": monitor, "by": world.agent, "at": MONDAY + timedelta(minutes=50)}
    lifecycle.say(text="Sprawdzamy.", **act)
    lifecycle.pause(reason="client_wait", text="Na prośbę.", **act)
    lifecycle.resume(reason="client_wait", **act)
    assert Breach.objects.count() == Breach.objects.filter(target="reaction").count() == 1
    assert (JoinedReport.objects.count(), Pause.objects.count()) == (2, 1)
    assert Firing.objects.exclude(entry=None).count() == Firing.objects.count() == 2
    return world


def seen(at: Any = None) -> list[str]:
    found = [*proof.differences(at=at or MONDAY + timedelta(minutes=51)), *proof_beside.totals()]
    return [str(difference) for difference in found]


def unseen(change: Callable[[], object]) -> bool:
    """Whether nobody sees the change, which is undone."""
    with transaction.atomic():
        change()
        found = seen()
        transaction.set_rollback(True)
    return not found


def test_a_tail_cut_with_length_and_head_set_back_is_seen(world: build.World) -> None:
    incident = Incident.objects.get()
    lifecycle.note(incident=incident, by=world.agent, at=MONDAY + timedelta(minutes=51), text="Cicho.")
    last, before = incident.journal.order_by("-seq")[:2]
    tamper.delete(last)
    tamper.change(incident, journal_length=before.seq, journal_head=before.hash, last_entry_id=before.pk)
    assert seen() == [
        f"MAK-0001 journal: stored {before.seq} {before.hash[:8]}, follows from {COUNT} {last.seq} {last.hash[:8]}"
    ]


def test_a_journal_computed_anew_does_not_know_the_heads_of_its_letters(world: build.World) -> None:
    incident = Incident.objects.get()
    entries = list(incident.journal.order_by("seq"))
    previous = ""
    for entry in entries:
        if entry.seq == 1:
            entry.facts["what"] = "typo"
        entry.previous = previous
        entry.hash = previous = journal.digest(entry)
        tamper.change(entry, previous=entry.previous, hash=entry.hash, facts=entry.facts)
    tamper.change(incident, journal_head=previous)
    tamper.change(Tally.objects.get(), head=previous)
    assert {line.split(":")[0].split(" ", 1)[1].split(" ")[0] for line in seen()} == {"head"}


def test_a_removed_incident_and_an_emptied_journal_are_seen(world: build.World) -> None:
    tables = ("journalentry", "clockrow", "pause", "firing", "breach", "joinedreport", "notice", "unheardalarm")
    for table in (*tables, "incident"):
        tamper.as_superuser(f"DELETE FROM incidents_{table}")
    counted = Tally.objects.get()
    assert seen() == [
        "MAK-0001 incident: stored gone, follows from the client's counter numbers up to 1",
        f"incident 1 of client {world.client.pk} incident: stored gone, follows from {COUNT} {counted.entries} entries",
    ]
    tamper.change(world.client, last_number=0)
    assert len(seen()) == 1


def test_terms_and_calendars_are_those_that_the_journal_names(world: build.World) -> None:
    target = Target.objects.get(version=world.version, severity="P2", kind="final_fix")
    assert not unseen(lambda: tamper.change(target.penalty if hasattr(target, "penalty") else target, minutes=1))
    calendar = Calendar.objects.get(name="24/7")
    with transaction.atomic():
        tamper.change(calendar, statutory_holidays=True)
        assert {line.split(":")[0].rsplit(" ", 1)[0] for line in seen()} >= {
            "MAK-0001 terms of entry", "MAK-0001 calendars of entry",
        }  # fmt: skip
        transaction.set_rollback(True)


def test_old_words_of_letters_go_and_the_rows_still_count(world: build.World) -> None:
    Notification.objects.update(subject="", body="", html="", address="")
    assert seen() == []
    letter = Notification.objects.exclude(notice__entry=None)[0]
    tamper.change(letter, body="Nic nie obiecywaliśmy.")
    assert seen() == [f"MAK-0001 notice {letter.key}: stored changed, follows from its hash as it was written"]


def test_what_was_forgotten_is_no_difference(world: build.World) -> None:
    incident = Incident.objects.get()
    forgetting.forget(incident=incident, entries=[1, 2, 3], by=world.manager, at=MONDAY + timedelta(minutes=51))
    assert seen() == []


def test_a_journal_of_before_is_compared_only_where_it_speaks() -> None:
    """Lines without the row's facts, as journals of before have them, say nothing of it."""
    facts = proof_beside.RowFacts()
    facts.apply(JournalEntry(kind="received", facts={"what": "closed"}))
    incident = Incident(nr="MAK-0001", failure="x", next_update_at=MONDAY)
    assert list(facts.differences(incident)) == []
    facts.apply(JournalEntry(kind="vouched", facts={"row": {"nr": "MAK-0001", "failure": ""}}))
    assert [difference.fact for difference in facts.differences(incident)] == ["failure", "next_update_at"]


def test_the_database_counts_by_itself(world: build.World) -> None:
    tally, incident = Tally.objects.get(), Incident.objects.get()
    assert (tally.entries, tally.head) == (incident.journal_length, incident.journal_head)
    assert tally.notices == Notification.objects.count() > 0
    assert alarms.settle_due(at=END) >= 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM incidents_notice WHERE hash = '' OR head = ''")
        assert cursor.fetchone() == (0,)
