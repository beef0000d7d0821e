"""Every verb: what it changes, what it refuses, that repeating it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from incidents import lifecycle
from incidents.choices import Status
from incidents.models import Incident, JournalEntry, Pause
from incidents.projection import proof
from messaging.models import Notification
from tests import build
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db


def minutes(count: int) -> datetime:
    return build.MONDAY + timedelta(minutes=count)


@pytest.fixture
def world() -> build.World:
    return build.world(third_party_pause=False)


@pytest.fixture
def incident(world: build.World) -> Incident:
    made = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    return made


def backed_up(incident: Incident, world: build.World) -> Incident:
    return lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(1), text="Tylko odczyt.")


def kinds(incident: Incident) -> list[str]:
    return list(incident.journal.order_by("seq").values_list("kind", flat=True))


def told() -> list[str]:
    return sorted(Notification.objects.values_list("address", flat=True))


def refuses(act: Callable[[], object], field: str) -> str:
    """The sentence of a refusal, after which nothing has changed and nothing was sent."""
    before = (
        list(Incident.objects.order_by("pk").values()),
        JournalEntry.objects.count(), Pause.objects.count(), Notification.objects.count(),
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        act()
    after = (
        list(Incident.objects.order_by("pk").values()),
        JournalEntry.objects.count(), Pause.objects.count(), Notification.objects.count(),
    )  # fmt: skip
    assert after == before
    assert refused.value.field == field
    return plain(str(refused.value))


def test_reacting_sends_the_sentence_takes_the_incident_and_stops_the_reaction(
    world: build.World, incident: Incident
) -> None:
    changed = lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(5))
    assert (changed.status, changed.assignee, changed.first_contact_at) == (Status.OPEN, world.agent, minutes(5))
    assert changed.next_update_at == minutes(65)
    entry = changed.journal.get(kind="contact")
    assert (entry.text, entry.public) == ("Tu Anna Lis. Pracuję nad tym zgłoszeniem.", True)
    clock = changed.clocks.get(target="reaction")
    assert (clock.state, clock.stopped_at) == ("met", minutes(5))
    assert told() == [world.reporter.email]


def test_reacting_twice_changes_nothing(world: build.World, incident: Incident) -> None:
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(5))
    again = lifecycle.acknowledge(incident=incident, by=world.manager, at=minutes(6), text="Ja też.")
    assert (again.assignee, again.first_contact_at) == (world.agent, minutes(5))
    assert kinds(incident) == ["received", "contact"]
    assert Notification.objects.count() == 1


def test_a_message_is_the_reaction_and_promises_the_next(world: build.World, incident: Incident) -> None:
    changed = lifecycle.say(
        incident=incident, by=world.agent, at=minutes(3), text="Sprawdzamy operatora.", next_update_at=minutes(20)
    )
    assert (changed.first_contact_at, changed.next_update_at) == (minutes(3), minutes(20))
    assert changed.clocks.get(target="reaction").state == "met"


def test_an_internal_note_reaches_no_client_and_moves_no_clock(world: build.World, incident: Incident) -> None:
    lifecycle.note(incident=incident, by=world.agent, at=minutes(3), text="Klient nie zapłacił faktury.")
    entry = incident.journal.get(kind="internal_note")
    assert entry not in JournalEntry.objects.visible_to(world.reporter)
    assert entry in JournalEntry.objects.visible_to(world.agent)
    assert incident.clocks.get(target="reaction").state == "running"
    assert not Notification.objects.exists()


def test_handing_over_tells_the_new_assignee_once(world: build.World, incident: Incident) -> None:
    for _ in range(2):
        lifecycle.assign(incident=incident, by=world.agent, at=minutes(3), to=world.manager)
    assert told() == [world.manager.email]
    sentence = refuses(
        lambda: lifecycle.assign(incident=incident, by=world.agent, at=minutes(4), to=world.reporter), "to"
    )
    assert sentence == "Zgłoszenie może przejąć tylko czynny pracownik."


def test_a_pause_with_a_question_is_the_reaction_and_an_answer_ends_it(world: build.World, incident: Incident) -> None:
    changed = lifecycle.pause(
        incident=incident, by=world.agent, at=minutes(10), reason="client_answer", text="Od kiedy?"
    )
    assert (changed.first_contact_at, changed.clocks.get(target="restore").state) == (minutes(10), "paused")
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(11), reason="client_wait", text="Na prośbę.")
    build.clear_outbox()
    lifecycle.answer(incident=incident, by=world.reporter, at=minutes(40), text="Od rana.")
    assert told() == [world.agent.email]
    assert list(Pause.objects.order_by("reason").values_list("reason", "ended_at")) == [
        ("client_answer", minutes(40)), ("client_wait", None),
    ]  # fmt: skip
    assert incident.clocks.get(target="restore").state == "paused"
    changed = lifecycle.resume(incident=incident, by=world.agent, at=minutes(50), reason="client_wait")
    assert changed.clocks.get(target="restore").deadline == minutes(280)
    lifecycle.resume(incident=incident, by=world.agent, at=minutes(51), reason="client_wait")
    assert kinds(incident) == ["received", "paused", "paused", "client_message", "resumed", "resumed"]


def test_what_a_pause_refuses(world: build.World, incident: Incident) -> None:
    def pause(reason: str, text: str = "Od kiedy?", of: Incident = incident) -> Callable[[], object]:
        return lambda: lifecycle.pause(incident=of, by=world.agent, at=minutes(5), reason=reason, text=text)

    refuses(pause("client_answer", " "), "text")
    refuses(pause("lunch"), "reason")
    assert refuses(pause("third_party"), "reason") == "Ta umowa nie wstrzymuje czasu z powodu podmiotu trzeciego."
    pause("client_answer")()
    refuses(pause("client_answer"), "reason")
    question = build.incident(world.shop, by=world.reporter, what="question")
    refuses(pause("client_answer", of=question), "")


def test_a_third_party_stops_the_clock_where_the_contract_says_so() -> None:
    world = build.world(third_party_pause=True)
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(5), reason="third_party", text="Operator ma awarię.")
    assert incident.clocks.get(target="restore").state == "paused"


def test_an_urgent_repair_needs_a_backup_or_a_reason_first(world: build.World, incident: Incident) -> None:
    def resolve() -> Incident:
        return lifecycle.resolve(incident=incident, by=world.agent, at=minutes(9), text="Naprawione.")

    assert refuses(resolve, "where") == "Najpierw kopia bezpieczeństwa: napisz, gdzie jest, albo dlaczego jej nie ma."
    refuses(lambda: lifecycle.work_around(incident=incident, by=world.agent, at=minutes(9), text="Przelew."), "where")
    refuses(lambda: lifecycle.back_up(incident=incident, by=world.agent, at=minutes(9), where=" "), "where")
    refuses(lambda: lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(9), text=""), "text")
    changed = lifecycle.back_up(
        incident=incident, by=world.agent, at=minutes(10), where="s3://kopie/mak", size="2,1 GB", checksum="9f2c"
    )
    assert changed.backup_at == minutes(10)
    entry = changed.journal.get(kind="backup")
    assert (entry.facts, entry.personal) == ({}, {"where": "s3://kopie/mak", "size": "2,1 GB", "checksum": "9f2c"})
    assert resolve().status == Status.RESOLVED


def test_an_ordinary_fault_needs_no_backup(world: build.World) -> None:
    typo = build.incident(world.shop, by=world.reporter, what="typo")
    assert lifecycle.resolve(incident=typo, by=world.agent, at=minutes(9), text="Poprawione.").status == Status.RESOLVED


def test_a_workaround_meets_the_repair_and_starts_the_final_fix(world: build.World, incident: Incident) -> None:
    backed_up(incident, world)
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(10), reason="client_wait", text="Na prośbę.")
    changed = lifecycle.work_around(incident=incident, by=world.agent, at=minutes(30), text="Płatność przelewem.")
    assert changed.status == Status.WORKAROUND
    assert changed.clocks.get(target="restore").stopped_at == minutes(30)
    final = changed.clocks.get(target="final_fix")
    assert (final.state, final.started_at, final.deadline) == ("running", minutes(30), build.at("2026-03-09 10:30"))
    assert Pause.objects.get().ended_at == minutes(30)
    lifecycle.work_around(incident=incident, by=world.agent, at=minutes(40), text="Też BLIK.")
    assert kinds(incident)[-2:] == ["workaround", "contact"]
    assert incident.clocks.get(target="final_fix").started_at == minutes(30)


def test_a_repair_waits_for_the_client_who_accepts(world: build.World, incident: Incident) -> None:
    backed_up(incident, world)
    changed = lifecycle.resolve(incident=incident, by=world.agent, at=minutes(60), text="Operator działa.")
    assert (changed.status, changed.next_update_at) == (Status.RESOLVED, None)
    assert changed.silence_at == build.at("2026-03-06 00:00")
    again = lifecycle.resolve(incident=incident, by=world.agent, at=minutes(61), text="Drugi raz.")
    assert (again.status, kinds(incident).count("resolved")) == (Status.RESOLVED, 1)
    build.clear_outbox()
    closed = lifecycle.accept(incident=incident, by=world.reporter, at=minutes(70))
    assert (closed.status, closed.phone, closed.wake_at, closed.due_at) == (Status.CLOSED, "", None, None)
    assert told() == [world.agent.email]
    lifecycle.accept(incident=incident, by=world.reporter, at=minutes(71))
    assert kinds(incident).count("accepted") == 1


def test_a_rejected_repair_goes_on_with_the_time_left(world: build.World, incident: Incident) -> None:
    backed_up(incident, world)
    lifecycle.resolve(incident=incident, by=world.agent, at=minutes(60), text="Operator działa.")
    refuses(lambda: lifecycle.reject(incident=incident, by=world.reporter, at=minutes(90), text=""), "text")
    changed = lifecycle.reject(incident=incident, by=world.reporter, at=minutes(90), text="Karty nadal nie.")
    assert (changed.status, changed.silence_at) == (Status.OPEN, None)
    assert changed.clocks.get(target="restore").deadline == minutes(270)


def test_a_rejected_repair_falls_back_to_a_workaround_that_stands(world: build.World, incident: Incident) -> None:
    backed_up(incident, world)
    lifecycle.work_around(incident=incident, by=world.agent, at=minutes(30), text="Przelew.")
    lifecycle.resolve(incident=incident, by=world.agent, at=minutes(60), text="Naprawione.")
    changed = lifecycle.reject(incident=incident, by=world.reporter, at=minutes(70), text="Karty nie.")
    assert changed.status == Status.WORKAROUND
    assert changed.clocks.get(target="final_fix").state == "running"
    changed = lifecycle.reject(incident=incident, by=world.reporter, at=minutes(75), text="Przelew też nie.")
    assert changed.status == Status.OPEN
    assert changed.clocks.get(target="final_fix").state == "not_running"
    assert changed.clocks.get(target="restore").state == "running"


def test_a_workaround_that_was_rejected_does_not_stand_after_the_next_repair(
    world: build.World, incident: Incident
) -> None:
    backed_up(incident, world)
    lifecycle.work_around(incident=incident, by=world.agent, at=minutes(30), text="Przelew.")
    lifecycle.reject(incident=incident, by=world.reporter, at=minutes(40), text="Nie działa.")
    lifecycle.resolve(incident=incident, by=world.agent, at=minutes(60), text="Naprawione.")
    changed = lifecycle.reject(incident=incident, by=world.reporter, at=minutes(70), text="Karty nie.")
    assert changed.status == Status.OPEN


def test_nothing_to_accept_or_reject_before_a_delivery(world: build.World, incident: Incident) -> None:
    refuses(lambda: lifecycle.accept(incident=incident, by=world.reporter, at=minutes(5)), "")
    refuses(lambda: lifecycle.reject(incident=incident, by=world.reporter, at=minutes(5), text="Nie."), "")


def test_an_accepted_workaround_leaves_the_incident_open(world: build.World, incident: Incident) -> None:
    backed_up(incident, world)
    lifecycle.work_around(incident=incident, by=world.agent, at=minutes(30), text="Przelew.")
    changed = lifecycle.accept(incident=incident, by=world.reporter, at=minutes(40))
    assert changed.status == Status.WORKAROUND
    assert changed.clocks.get(target="final_fix").state == "running"


def test_an_accepted_workaround_closes_where_the_category_has_no_final_fix(world: build.World) -> None:
    typo = build.incident(world.shop, by=world.reporter, what="typo")
    lifecycle.work_around(incident=typo, by=world.agent, at=minutes(30), text="Ukryte.")
    closed = lifecycle.accept(incident=typo, by=world.reporter, at=minutes(40))
    assert (closed.status, closed.wake_at, closed.journal.get(kind="accepted").facts["closes"]) == (
        Status.CLOSED, None, True,
    )  # fmt: skip
    assert list(proof.differences(at=minutes(50))) == []


def test_getting_worse_takes_the_earlier_deadline_and_milder_needs_the_client(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter, what="some_payments")
    build.clear_outbox()

    def change(to: str, kind: str = "worse", text: str = "Już nikt nie płaci.") -> Callable[[], Incident]:
        return lambda: lifecycle.change_severity(
            incident=incident, by=world.agent, at=minutes(60), to=to, change=kind, text=text
        )

    refuses(change("P1", text=""), "text")
    refuses(change("P9"), "to")
    refuses(change("P3"), "to")
    refuses(change("P1", "downgrade"), "to")
    changed = change("P1")()
    assert (changed.severity, changed.clocks.get(target="restore").deadline) == ("P1", minutes(300))
    assert told() == [world.reporter.email]
    assert changed.journal.get(kind="severity").facts["old"] == "P2"
    change("P1")()
    assert kinds(incident).count("severity") == 1
    refuses(
        lambda: lifecycle.agree_milder(incident=incident, by=world.reporter, at=minutes(70), to="P1", text=""), "to"
    )
    milder = lifecycle.agree_milder(incident=incident, by=world.reporter, at=minutes(70), to="P2", text="Zgoda.")
    assert milder.severity == "P2"
    # The office day ends at 16:00 with 6 h of the 8 h used
    assert milder.clocks.get(target="restore").deadline == build.at("2026-03-03 10:00")


def test_a_contested_category_runs_by_the_stricter_clock(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter, what="some_payments")
    build.clear_outbox()
    changed = lifecycle.contest(incident=incident, by=world.reporter, at=minutes(5), text="To cała sprzedaż.")
    assert (changed.contested, changed.severity) == (True, "P1")
    assert changed.journal.get(kind="severity").reason == "contested"
    assert told() == [world.agent.email]
    lifecycle.contest(incident=incident, by=world.reporter, at=minutes(6), text="Jeszcze raz.")
    assert kinds(incident).count("severity") == 1
    urgent = build.incident(world.shop, by=world.reporter)
    refuses(lambda: lifecycle.contest(incident=urgent, by=world.reporter, at=minutes(7), text="Pilne!"), "")


def test_asking_for_a_manager_tells_managers_once_an_hour(world: build.World, incident: Incident) -> None:
    for minute in (5, 30, 64):
        lifecycle.ask_for_manager(incident=incident, by=world.reporter, at=minutes(minute))
    assert told() == [world.manager.email]
    lifecycle.ask_for_manager(incident=incident, by=world.reporter, at=minutes(66))
    assert len(told()) == 2


def test_a_withdrawn_report_ends_and_a_breach_stays(world: build.World, incident: Incident) -> None:
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(40), reason="client_wait", text="Na prośbę.")
    refuses(lambda: lifecycle.cancel(incident=incident, by=world.reporter, at=minutes(50), text=" "), "text")
    ended = lifecycle.cancel(incident=incident, by=world.reporter, at=minutes(50), text="To była nasza wtyczka.")
    assert (ended.status, ended.wake_at, ended.due_at, ended.next_update_at) == (Status.CANCELLED, None, None, None)
    assert ended.breaches.get().target == "reaction"
    assert Pause.objects.get().ended_at == minutes(50)
    lifecycle.cancel(incident=incident, by=world.reporter, at=minutes(51), text="Drugi raz.")
    assert kinds(incident).count("cancelled") == 1


def test_an_ended_incident_takes_no_verb(world: build.World, incident: Incident) -> None:
    lifecycle.cancel(incident=incident, by=world.reporter, at=minutes(2), text="Pomyłka.")
    agent, reporter, at = world.agent, world.reporter, minutes(5)
    acts: list[Callable[[], object]] = [
        lambda: lifecycle.acknowledge(incident=incident, by=agent, at=at),
        lambda: lifecycle.say(incident=incident, by=agent, at=at, text="a"),
        lambda: lifecycle.assign(incident=incident, by=agent, at=at, to=world.manager),
        lambda: lifecycle.pause(incident=incident, by=agent, at=at, reason="client_answer", text="a"),
        lambda: lifecycle.resume(incident=incident, by=agent, at=at, reason="client_answer"),
        lambda: lifecycle.answer(incident=incident, by=reporter, at=at, text="a"),
        lambda: lifecycle.ask_for_manager(incident=incident, by=reporter, at=at),
        lambda: lifecycle.back_up(incident=incident, by=agent, at=at, where="a"),
        lambda: lifecycle.skip_backup(incident=incident, by=agent, at=at, text="a"),
        lambda: lifecycle.work_around(incident=incident, by=agent, at=at, text="a"),
        lambda: lifecycle.resolve(incident=incident, by=agent, at=at, text="a"),
        lambda: lifecycle.accept(incident=incident, by=reporter, at=at),
        lambda: lifecycle.reject(incident=incident, by=reporter, at=at, text="a"),
        lambda: lifecycle.change_severity(incident=incident, by=agent, at=at, to="P1", change="worse", text="a"),
        lambda: lifecycle.agree_milder(incident=incident, by=reporter, at=at, to="P2", text="a"),
        lambda: lifecycle.contest(incident=incident, by=reporter, at=at, text="a"),
    ]
    for act in acts:
        refuses(act, "")


def test_a_person_without_notices_still_gets_the_receipt(world: build.World) -> None:
    world.reporter.notices = False
    world.reporter.save()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(5))
    assert Notification.objects.filter(recipient=world.reporter).count() == 1
