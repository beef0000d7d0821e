"""What falls due: breaches, steps of the ladder, missed updates, silence; each exactly once, whoever sweeps when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import lifecycle, sweeps
from incidents.choices import ClockState, Status
from incidents.models import Breach, Firing, Incident, JournalEntry
from incidents.notices import sending
from messaging.models import Notification
from tests import build

pytestmark = pytest.mark.django_db


def minutes(count: int, seconds: int = 0) -> datetime:
    return build.MONDAY + timedelta(minutes=count, seconds=seconds)


def steps_fired(incident: Incident) -> list[tuple[str, int | None, str, datetime]]:
    rows = Firing.objects.filter(incident=incident).select_related("step").order_by("due_at", "pk")
    return [(row.target, row.step.share, row.step.whom, row.due_at) for row in rows]


def test_a_step_goes_out_at_its_share_and_not_a_second_before() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    assert incident.wake_at == minutes(15)
    assert sweeps.sweep_clocks(at=minutes(14, 59)) == 0
    assert steps_fired(incident) == []

    assert sweeps.sweep_clocks(at=minutes(15)) == 1
    assert steps_fired(incident) == [("reaction", 50, "duty", minutes(15))]
    notice = Notification.objects.get()
    assert (notice.recipient, notice.channel, notice.address) == (world.agent, "email", world.agent.email)
    assert not incident.journal.filter(kind="escalated").exists()
    sending.mark_sent(at=minutes(15, 2))
    entry = incident.journal.get(kind="escalated")
    assert (entry.public, entry.by, entry.at, entry.recorded_at) == (False, None, minutes(15), minutes(15, 2))
    assert entry.facts == {
        "target": "reaction", "share": 50, "people": [world.agent.pk], "channels": ["email"], "missed": [], "empty": [],
        "rungs": 1, "run": 1, "lap": 1, "round": 1, "fired_at": "2026-03-02T09:15:00+00:00",
    }  # fmt: skip
    incident.refresh_from_db()
    assert incident.wake_at == minutes(30)


def test_a_second_sweep_of_the_same_moment_does_nothing() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    sweeps.sweep_clocks(at=minutes(15))
    Incident.objects.update(wake_at=minutes(15))
    assert sweeps.sweep_clocks(at=minutes(15)) == 1
    assert len(steps_fired(incident)) == 1
    assert Notification.objects.count() == 1
    sending.mark_sent(at=minutes(15))
    sending.mark_sent(at=minutes(16))
    assert incident.journal.filter(kind="escalated").count() == 1


def test_a_breach_is_recorded_the_second_after_its_deadline_and_once() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    sweeps.sweep_clocks(at=minutes(30))
    assert not Breach.objects.exists()
    assert incident.clocks.get(target="reaction").state == ClockState.RUNNING

    sweeps.sweep_clocks(at=minutes(30, 1))
    breach = Breach.objects.get()
    assert (breach.target, breach.severity, breach.version) == ("reaction", "P1", world.version)
    assert (breach.deadline, breach.noticed_at) == (minutes(30), minutes(30, 1))
    assert (breach.stopped_at, breach.delay, breach.noticed_late) == (None, None, False)
    clock = incident.clocks.get(target="reaction")
    assert (clock.state, clock.computed_at) == (ClockState.BREACHED, minutes(30, 1))
    entry = incident.journal.get(kind="breach")
    assert (entry.at, entry.recorded_at, entry.facts["target"]) == (minutes(30), minutes(30, 1), "reaction")

    sweeps.sweep_clocks(at=minutes(90))
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(91))
    breach = Breach.objects.get()
    assert (breach.deadline, breach.stopped_at, breach.delay) == (minutes(30), minutes(91), 61 * 60)


def test_a_breach_found_late_carries_its_deadline_and_says_when_it_was_noticed() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
    sweeps.sweep_clocks(at=minutes(300))
    breach = Breach.objects.get()
    assert (breach.target, breach.deadline, breach.noticed_at) == ("restore", minutes(240), minutes(300))
    assert breach.noticed_late
    assert steps_fired(incident) == [
        ("restore", 50, "assignee", minutes(120)),
        ("restore", 75, "manager", minutes(180)),
        ("restore", 100, "manager", minutes(240)),
        ("restore", 100, "owner", minutes(240)),
    ]


def test_what_fell_due_before_an_act_is_still_swept_after_it() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(40))
    assert Breach.objects.get().deadline == minutes(30)
    sweeps.sweep_clocks(at=minutes(41))
    assert [row[:2] for row in steps_fired(incident)] == [("reaction", 50), ("reaction", 100)]
    incident.refresh_from_db()
    # The update promised at the contact, P1 every 60 minutes
    assert incident.wake_at == minutes(100, 1)


def test_the_ladder_is_silent_while_the_clock_stands() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(10), reason="client_wait", text="Czekamy na Państwa.")
    sweeps.sweep_clocks(at=minutes(1000))
    assert steps_fired(incident) == []
    assert not Breach.objects.exists()
    lifecycle.resume(incident=incident, by=world.agent, at=minutes(1000), reason="client_wait")
    incident.refresh_from_db()
    assert (incident.next_update_at, incident.wake_at) == (minutes(1060), minutes(1060, 1))
    lifecycle.say(incident=incident, by=world.agent, at=minutes(1059), text="Wracamy do pracy.")
    incident.refresh_from_db()
    assert incident.wake_at == minutes(1110)
    sweeps.sweep_clocks(at=minutes(1110))
    assert steps_fired(incident) == [("restore", 50, "assignee", minutes(1110))]


def test_a_named_owner_makes_the_line_public_and_others_do_not() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
    build.clear_outbox()
    sweeps.sweep_clocks(at=minutes(240))
    sending.mark_sent(at=minutes(240))
    lines = incident.journal.filter(kind="escalated").order_by("seq")
    assert [(line.facts["share"], line.public) for line in lines] == [
        (50, False), (75, False), (100, False), (100, True),
    ]  # fmt: skip
    assert [line.facts["people"] for line in lines][2:] == [[world.manager.pk], [world.owner.pk]]
    told = Notification.objects.order_by("pk").values_list("recipient__name", "channel")
    assert [row for row in told if row[1] == "sms"] == [("Marek Dyr", "sms")]
    assert ("Ewa Mak", "email") in told


def test_steps_in_the_past_at_a_category_change_go_out_as_one_notice_of_the_highest() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, what="some_payments")
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
    build.clear_outbox()
    lifecycle.change_severity(
        incident=incident, by=world.manager, at=minutes(210), to="P1", change="correction", text="Nikt nie zapłaci."
    )
    sweeps.sweep_clocks(at=minutes(210))
    assert [row[:3] for row in steps_fired(incident)] == [("restore", 75, "manager")]
    assert Notification.objects.filter(key__startswith="step-").count() == 1


def test_a_missed_update_stays_the_promise_and_each_further_rhythm_of_silence_is_one_more() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
    sweeps.sweep_clocks(at=minutes(61))
    assert not incident.journal.filter(kind="update_missed").exists()
    sweeps.sweep_clocks(at=minutes(61, 1))
    sweeps.sweep_clocks(at=minutes(121))
    entry = incident.journal.get(kind="update_missed")
    assert (entry.public, entry.at, entry.facts["promised"]) == (True, minutes(61), minutes(61).isoformat())
    incident.refresh_from_db()
    assert (incident.next_update_at, incident.update_missed_at) == (minutes(61), minutes(61))
    assert Notification.objects.filter(subject__contains="MAK-0001", recipient=world.agent).exists()
    sweeps.sweep_clocks(at=minutes(121, 1))
    sweeps.sweep_clocks(at=minutes(241, 1))  # two rhythms later: nobody swept in between
    assert misses(incident) == [61, 121, 181, 241]
    lifecycle.say(incident=incident, by=world.agent, at=minutes(250), text="Przepraszamy, już piszemy.")
    sweeps.sweep_clocks(at=minutes(310))
    incident.refresh_from_db()
    assert (misses(incident), incident.next_update_at, incident.update_missed_at) == (
        [61, 121, 181, 241], minutes(310), None,
    )  # fmt: skip


def misses(incident: Incident) -> list[int]:
    """Minutes after the report of each missed update, in order."""
    lines = incident.journal.filter(kind="update_missed").order_by("seq").values_list("at", flat=True)
    return [int((at - minutes(0)).total_seconds() // 60) for at in lines]


def test_an_update_that_comes_late_is_flagged_though_no_sweep_saw_it() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(1))
    lifecycle.say(incident=incident, by=world.agent, at=minutes(70), text="Szukamy przyczyny u operatora.")
    kinds = list(incident.journal.values_list("kind", flat=True))
    assert kinds == ["received", "contact", "update_missed", "contact"]
    incident.refresh_from_db()
    assert incident.next_update_at == minutes(130)


def test_silence_accepts_a_repair_after_three_working_days() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(2), text="Tylko odczyt.")
    sweeps.sweep_clocks(at=minutes(60))
    lifecycle.resolve(incident=incident, by=world.agent, at=minutes(60), text="Operator działa.")
    incident.refresh_from_db()
    term = build.at("2026-03-06 00:00")
    assert (incident.silence_at, incident.wake_at) == (term, term)
    sweeps.sweep_clocks(at=term - timedelta(seconds=1))
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED

    build.clear_outbox()
    assert sweeps.sweep_clocks(at=term) == 1
    incident.refresh_from_db()
    assert (incident.status, incident.wake_at, incident.silence_at) == (Status.CLOSED, None, None)
    entry = incident.journal.get(kind="accepted")
    assert (entry.by, entry.actor, entry.facts) == (None, "system", {"silence": True, "of": "resolved", "closes": True})
    assert set(Notification.objects.values_list("recipient", flat=True)) == {world.agent.pk, world.reporter.pk}


def test_one_bad_row_stops_no_other_and_leaves_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    world = build.world()
    good, bad = (build.incident(world.shop, by=world.reporter) for _ in range(2))
    JournalEntry.objects.create(
        incident=bad, seq=2, kind="severity", severity="P7", change="worse", at=minutes(1), recorded_at=minutes(1),
        actor="staff", commitment="x", hash="x",
    )  # fmt: skip
    Incident.objects.filter(pk=bad.pk).update(journal_length=2)

    assert sweeps.sweep_clocks(at=minutes(15)) == 2
    assert steps_fired(good) == [("reaction", 50, "duty", minutes(15))]
    assert steps_fired(bad) == []
    bad.refresh_from_db()
    assert bad.wake_at == minutes(20)
    entry = bad.journal.get(kind="sweep_failed")
    assert (entry.public, entry.text) == (False, "ValueError: unknown severity: P7")
    assert f"incident {bad.pk} cannot be counted" in caplog.text

    sweeps.sweep_clocks(at=minutes(20))
    bad.refresh_from_db()
    assert bad.wake_at == minutes(25)
    assert bad.journal.filter(kind="sweep_failed").count() == 1


def test_an_incident_without_a_contract_and_a_question_are_never_woken() -> None:
    world = build.world()
    alone = build.shop(world.client, "nowy.example")
    assert build.incident(alone, by=world.reporter).wake_at is None
    assert build.incident(world.shop, by=world.reporter, what="question").wake_at is None


def test_a_sweep_asks_as_much_for_twenty_incidents_as_for_one() -> None:
    world = build.world()
    for number, count in enumerate((1, 20)):
        for _ in range(count):
            build.incident(world.shop, by=world.reporter, at=minutes(number))
    asked = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            sweeps.sweep_chunk(at=minutes(15 + number))
        asked.append(len(queries))
    assert Firing.objects.count() == 21
    assert asked[0] == asked[1]


def test_the_sweep_takes_any_number_of_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "CHUNK", 2)
    world = build.world()
    for _ in range(5):
        build.incident(world.shop, by=world.reporter)
    assert sweeps.sweep_clocks(at=minutes(15)) == 5
    assert Firing.objects.count() == 5
