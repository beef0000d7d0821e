"""Two at once, with real commits: each rule holds, and each is shown to break where its lock or constraint is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from contracts.models import ShopQuerySet
from incidents import lifecycle, repeats, reporting, sweeps
from incidents.keys import RepeatKey
from incidents.models import Breach, Firing, Incident, IncidentQuerySet, JoinedReport, JournalEntry, Pause
from incidents.notices import write as notices
from messaging import outbox
from messaging.models import Notification
from tests import build
from tests.owner import owner_cursor
from tests.races import Meeting, waiting
from wording.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)


def meet_after(monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> Meeting:
    """Both acts have come out of the function before either goes on."""
    meeting, real = Meeting(), getattr(where, name)

    def met(*args: object, **named: object) -> object:
        result = real(*args, **named)
        meeting.reached()
        return result

    monkeypatch.setattr(where, name, met)
    return meeting


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each act returned or raised; each in a thread with a connection of its own."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [running.result() for running in [pool.submit(_apart, act) for act in acts]]


def _apart(act: Callable[[], object]) -> object:
    try:
        return act()
    except (DatabaseError, Refused) as error:
        return error
    finally:
        connection.close()


def without_locks(monkeypatch: pytest.MonkeyPatch, *querysets: type) -> None:
    for queryset in querysets:
        monkeypatch.setattr(queryset, "select_for_update", lambda self, **_: self)


@contextmanager
def without_rule(table: str, *names: str) -> Iterator[None]:
    """The table without these unique constraints or indexes, which come back at the end, when the table is empty."""
    with owner_cursor() as cursor:
        made = []
        for name in names:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
            made.append(cursor.fetchone()[0])
            cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
            drop = f"ALTER TABLE {table} DROP CONSTRAINT {name}" if cursor.fetchone() else f"DROP INDEX {name}"
            cursor.execute(drop)
    yield
    with owner_cursor(triggers=False) as cursor:
        cursor.execute("TRUNCATE incidents_incident CASCADE")
        for name, statement in zip(names, made, strict=True):
            cursor.execute(statement)
            if "WHERE" not in statement:
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def minutes(count: int, seconds: int = 0) -> datetime:
    return build.MONDAY + timedelta(minutes=count, seconds=seconds)


def broken_rules(found: list[object]) -> list[str]:
    errors = [error for error in found if isinstance(error, IntegrityError)]
    return [error.__cause__.diag.constraint_name for error in errors]  # type: ignore[union-attr]


def two_reactions(world: build.World, incident: Incident) -> list[object]:
    return at_once(
        lambda: lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(5)),
        lambda: lifecycle.acknowledge(incident=incident, by=world.manager, at=minutes(5)),
    )


def test_two_people_react_at_once_and_one_contact_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    meeting = meet_after(monkeypatch, lifecycle, "lock")
    first, second = two_reactions(world, incident)
    assert isinstance(first, Incident)
    assert isinstance(second, Incident)
    assert not meeting.took_place
    assert first.assignee == second.assignee
    assert incident.journal.filter(kind="contact").count() == 1
    assert Notification.objects.count() == 1


def test_without_the_lock_two_reactions_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    without_locks(monkeypatch, IncidentQuerySet)
    meeting = meet_after(monkeypatch, lifecycle, "lock")
    assert broken_rules(two_reactions(world, incident)) == ["one_entry_per_incident_and_seq"]
    assert meeting.took_place


def two_forms(world: build.World, *sentences: str, what: str = "no_payment") -> list[object]:
    """The same person's key at once, with these sentences."""
    key = build.form_key()
    return at_once(
        *[
            partial(build.incident, world.shop, by=world.reporter, what=what, form_key=key, sentence=sentence)
            for sentence in sentences
        ]
    )


@pytest.mark.parametrize("what", ["no_payment", "closed"])
def test_a_double_tap_files_or_joins_once(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    world = build.world()
    if what == "closed":
        confirm(world)
    meeting = meet_after(monkeypatch, repeats, "claim")
    first, second = two_forms(world, "Nie działa.", "Nie działa.", what=what)
    assert first == second == Incident.objects.get()
    assert not meeting.took_place
    joined = int(what == "closed")
    assert (JoinedReport.objects.count(), RepeatKey.objects.count()) == (joined, 1)
    assert (JournalEntry.objects.count(), Notification.objects.filter(key__contains="receipt").count()) == (
        1 + joined,
        1,
    )


def test_of_two_bodies_with_one_key_one_is_filed_and_the_other_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    meet_after(monkeypatch, repeats, "claim")
    both = two_forms(world, "Nie działa.", "Nie działa też hurtownia.")
    assert sorted(type(answer).__name__ for answer in both) == ["AlreadyFiled", "Incident"]
    assert (Incident.objects.count(), JournalEntry.objects.count(), RepeatKey.objects.count()) == (1, 1, 1)


def test_a_key_whose_first_request_failed_is_free_for_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    meet_after(monkeypatch, repeats, "claim")
    real, calls = notices.tell_of_report, iter([DatabaseError("the first one fails at its end")])

    def once(*args: object, **named: object) -> None:
        for error in calls:
            raise error
        real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(notices, "tell_of_report", once)
    both = two_forms(world, "Nie działa.", "Nie działa.")
    assert sorted(type(answer).__name__ for answer in both) == ["DatabaseError", "Incident"]
    assert (Incident.objects.get().nr, RepeatKey.objects.get().incident) == ("MAK-0001", Incident.objects.get())


def test_without_the_constraint_a_double_tap_files_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    meeting = meet_after(monkeypatch, repeats, "claim")
    with without_rule("incidents_repeatkey", "one_report_per_person_client_and_key"):
        two_forms(world, "Nie działa.", "Nie działa.")
        assert meeting.took_place
        assert Incident.objects.count() == 2


def confirm(world: build.World) -> Incident:
    return reporting.open_from_monitor(
        shop=world.shop, failure="unreachable:home", what="closed", severity="P1", first_failed_at=minutes(-2),
        at=minutes(0), evidence={"status": 502}, words="502",
    )  # fmt: skip


def test_two_confirmations_of_one_outage_open_one_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    meeting = meet_after(monkeypatch, reporting, "_known_failure")
    first, second = at_once(lambda: confirm(world), lambda: confirm(world))
    assert first == second == Incident.objects.get()
    assert not meeting.took_place
    assert sorted(JournalEntry.objects.values_list("kind", flat=True)) == ["monitor_failed", "received"]


def test_without_the_lock_two_confirmations_are_caught_by_the_constraint(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    without_locks(monkeypatch, ShopQuerySet)
    meet_after(monkeypatch, reporting, "_known_failure")
    found = at_once(lambda: confirm(world), lambda: confirm(world))
    assert broken_rules(found) == ["one_open_incident_per_shop_failure"]
    assert Incident.objects.count() == 1


def test_without_lock_and_constraint_two_confirmations_open_two(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    without_locks(monkeypatch, ShopQuerySet)
    meet_after(monkeypatch, reporting, "_known_failure")
    with without_rule("incidents_incident", "one_open_incident_per_shop_failure"):
        at_once(lambda: confirm(world), lambda: confirm(world))
        assert Incident.objects.count() == 2


def client_and_monitor(world: build.World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Both have looked for an open incident of the other before either writes one."""
    meeting = meet_after(monkeypatch, reporting, "_known_failure")
    real = reporting._to_join

    def met(*args: object) -> object:
        found = real(*args)  # type: ignore[arg-type]
        meeting.reached()
        return found

    monkeypatch.setattr(reporting, "_to_join", met)
    return at_once(lambda: confirm(world), lambda: build.incident(world.shop, by=world.reporter, what="closed"))


def test_client_and_monitor_at_once_are_one_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    first, second = client_and_monitor(world, monkeypatch)
    incident = Incident.objects.get()
    assert first == second == incident
    assert (incident.failure, incident.reporter) == ("unreachable:home", world.reporter)


def test_without_the_lock_client_and_monitor_open_two(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    without_locks(monkeypatch, ShopQuerySet)
    client_and_monitor(world, monkeypatch)
    assert Incident.objects.count() == 2


def two_pauses(world: build.World, incident: Incident) -> list[object]:
    return at_once(
        *[
            lambda: lifecycle.pause(
                incident=incident, by=world.agent, at=minutes(5), reason="client_answer", text="Od kiedy?"
            )
        ]
        * 2
    )


def test_two_pauses_for_one_reason_at_once_are_one_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    meet_after(monkeypatch, lifecycle, "lock")
    found = two_pauses(world, incident)
    assert sorted(type(one).__name__ for one in found) == ["Incident", "Refused"]
    assert (Pause.objects.count(), incident.journal.filter(kind="paused").count()) == (1, 1)


def test_without_the_lock_a_second_pause_is_caught_by_the_constraint(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    without_locks(monkeypatch, IncidentQuerySet)
    meet_after(monkeypatch, lifecycle, "lock")
    assert broken_rules(two_pauses(world, incident)) == ["one_open_pause_per_reason"]
    assert Pause.objects.count() == 1


def two_sweeps() -> list[object]:
    at = minutes(30, 1)
    return at_once(lambda: sweeps.sweep_clocks(at=at), lambda: sweeps.sweep_clocks(at=at))


def test_two_sweeps_of_one_due_clock_send_and_record_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    meeting = meet_after(monkeypatch, sweeps, "_events")
    assert sorted(str(one) for one in two_sweeps()) == ["0", "1"]
    assert not meeting.took_place
    assert (Firing.objects.count(), Breach.objects.count(), Notification.objects.count()) == (2, 1, 2)


def test_without_the_lock_the_second_sweep_is_caught_by_the_constraints(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    without_locks(monkeypatch, IncidentQuerySet)
    meet_after(monkeypatch, sweeps, "_events")
    two_sweeps()
    assert "a chunk of 1 incidents failed" in caplog.text
    assert (Firing.objects.count(), Breach.objects.count(), Notification.objects.count()) == (2, 1, 2)


def test_without_lock_and_constraints_two_sweeps_record_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    without_locks(monkeypatch, IncidentQuerySet)
    meet_after(monkeypatch, sweeps, "_events")
    with (
        without_rule("incidents_breach", "one_breach_per_clock_and_lap"),
        without_rule("incidents_firing", "one_firing_per_clock_lap_round_and_step"),
        without_rule("incidents_journalentry", "one_entry_per_incident_and_seq"),
    ):
        two_sweeps()
        assert (Firing.objects.count(), Breach.objects.count()) == (4, 2)


def claimed_while_another_holds_it() -> list[object]:
    """What a second sender claims while the first has claimed the only row and not yet committed."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = outbox.claim(at=minutes(0))
            running = pool.submit(_apart, lambda: outbox.claim(at=minutes(0)))
            wait_until_it_waits_or_ends(running.done)
        return [first, running.result()]


def wait_until_it_waits_or_ends(is_done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_done() and not waiting():
        assert time.monotonic() < end


def one_notice() -> Notification:
    return Notification.objects.create(
        key="k",
        channel="sms",
        address="+48600",
        subject="s",
        body="b",
        created_at=minutes(0),
        next_attempt_at=minutes(0),
    )


def test_two_senders_never_claim_one_notice() -> None:
    notice = one_notice()
    assert claimed_while_another_holds_it() == [notice, None]
    notice.refresh_from_db()
    assert notice.attempts == 1


def test_without_skip_locked_two_senders_claim_one_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    notice = one_notice()
    monkeypatch.setattr(outbox, "CLAIM", outbox.CLAIM.replace("FOR UPDATE SKIP LOCKED", ""))
    assert claimed_while_another_holds_it() == [notice, notice]
    notice.refresh_from_db()
    assert notice.attempts == 2
