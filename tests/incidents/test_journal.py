"""The journal can be added to and not changed, and a change made past the database is found."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from incidents import forgetting, journal, lifecycle
from incidents.events import Kind
from incidents.models import Incident, JournalEntry
from incidents.text import journal_lines
from tests import build
from tests.owner import as_owner, owner_cursor

pytestmark = pytest.mark.django_db


def an_incident() -> Incident:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY + timedelta(minutes=5))
    return lifecycle.say(
        incident=incident, by=world.agent, at=build.MONDAY + timedelta(minutes=9), text="Operator nie odpowiada."
    )


def check(incident: Incident, head: str = "") -> journal.ChainCheck:
    return journal.check_chain(incident.journal.order_by("seq"), head)


def past_the_trigger(statement: str, *values: str | int) -> None:
    """As somebody would who owns the database server."""
    with owner_cursor(triggers=False) as cursor:
        cursor.execute(statement, values)


def test_each_line_is_chained_to_the_one_before_and_the_incident_holds_the_head() -> None:
    incident = an_incident()
    first, second, third = incident.journal.order_by("seq")
    assert (first.seq, first.previous) == (1, "")
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert (incident.journal_length, incident.journal_head, incident.last_entry) == (3, third.hash, third)
    assert check(incident) == journal.ChainCheck(3, third.hash, 0, knows_head=True)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "auto_reply"), ("at", build.MONDAY), ("recorded_at", build.MONDAY), ("by", None), ("actor", "system"),
        ("public", False), ("severity", "P4"), ("facts", {"a": 1}), ("text", "Co innego."), ("salt", "0"),
        ("hash", "0"),
    ],
)  # fmt: skip
def test_the_database_refuses_to_change_a_line(column: str, value: object) -> None:
    incident = an_incident()
    before = incident.journal.get(seq=3)
    for person, refusal in ((nullcontext, "permission denied"), (as_owner, "append-only")):
        with person(), pytest.raises(DatabaseError, match=refusal), transaction.atomic():
            JournalEntry.objects.filter(pk=before.pk).update(**{column: value})
    after = incident.journal.get(seq=3)
    assert (getattr(after, column), after.hash) == (getattr(before, column), before.hash)


def test_the_database_refuses_to_delete_a_line() -> None:
    incident = an_incident()
    for person, refusal in ((nullcontext, "permission denied"), (as_owner, "append-only")):
        with person(), pytest.raises(DatabaseError, match=refusal), transaction.atomic():
            incident.journal.filter(seq=3)._raw_delete("default")
    assert incident.journal.count() == 3


def test_the_words_of_an_anonymised_person_may_go_and_the_chain_still_holds() -> None:
    incident = an_incident()
    by = incident.journal.get(seq=2).by
    for _again in range(2):
        incident = forgetting.forget(incident=incident, entries=[2, 3], by=by, at=build.MONDAY + timedelta(days=1))
    lines = incident.journal.order_by("seq")
    assert [(entry.text, entry.salt, entry.personal) for entry in lines[1:3]] == [("", "", {}), ("", "", {})]
    assert (lines[3].kind, lines[3].facts["forgotten"], len(lines)) == ("forgotten", [2, 3], 4)
    assert check(incident) == journal.ChainCheck(4, lines[3].hash, 0, knows_head=True)


@pytest.mark.parametrize("text", ["", "Nic nie obiecywaliśmy."])
def test_words_whose_salt_went_without_an_act_are_a_change(text: str) -> None:
    incident = an_incident()
    with owner_cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE incidents_journalentry DROP CONSTRAINT an_entry_without_salt_has_no_words")
    statement = "UPDATE incidents_journalentry SET text = %s, salt = '' WHERE incident_id = %s AND seq = 2"
    past_the_trigger(statement, text, incident.pk)
    assert check(incident).broken_at == 2


def test_an_entry_without_salt_has_no_words_in_the_database_either() -> None:
    incident = an_incident()
    statement = "UPDATE incidents_journalentry SET text = 'Nic.', salt = '' WHERE incident_id = %s AND seq = 2"
    with pytest.raises(DatabaseError, match="an_entry_without_salt_has_no_words"), transaction.atomic():
        past_the_trigger(statement, incident.pk)


def test_what_a_person_typed_into_fields_stands_outside_the_hash_and_can_be_forgotten_with_its_salt() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    incident = lifecycle.back_up(
        incident=incident, by=world.agent, at=build.MONDAY + timedelta(minutes=1), where="dysk Anny Lis", size="2 GB"
    )
    entry = incident.journal.get(kind="backup")
    assert (entry.facts, entry.personal["where"]) == ({}, "dysk Anny Lis")
    with as_owner(), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        incident.journal.filter(pk=entry.pk).update(personal={"where": "nigdzie"})
    past_the_trigger("UPDATE incidents_journalentry SET personal = '{\"where\": 1}' WHERE id = %s", entry.pk)
    assert check(incident).broken_at == entry.seq
    forgetting.forget(incident=incident, entries=[entry.seq], by=None, at=build.MONDAY + timedelta(days=1))
    assert check(incident).broken_at == 0


def test_a_person_that_a_fact_names_is_shown_by_the_name_of_today() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.assign(incident=incident, by=world.agent, at=build.MONDAY, to=world.manager)
    entry = incident.journal.get(kind="assigned")
    world.manager.name = "Marek Nowy"
    world.manager.save()
    assert entry.facts == {"to": world.manager.pk, "row": {"assignee_id": world.manager.pk}}
    assert journal_lines.lines([entry])[0].note == "Przekazane: Marek Nowy"


def test_words_that_went_without_their_salt_are_a_change() -> None:
    incident = an_incident()
    with as_owner():
        incident.journal.filter(seq=2).update(text="")
    assert check(incident).broken_at == 2


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_changed_words_are_found_also_in_the_last_line(seq: int) -> None:
    incident = an_incident()
    statement = "UPDATE incidents_journalentry SET text = 'Nic nie obiecywaliśmy.' WHERE incident_id = %s AND seq = %s"
    past_the_trigger(statement, incident.pk, seq)
    assert check(incident).broken_at == seq


@pytest.mark.parametrize(
    "change",
    [
        "at = at - interval '1 hour'", "recorded_at = recorded_at + interval '1 second'", "kind = 'auto_reply'",
        "by_id = NULL", "public = NOT public", "reason = 'client_answer'", "facts = '{\"to\": 1}'", "channel = 'phone'",
    ],
)  # fmt: skip
def test_a_changed_fact_is_found(change: str) -> None:
    incident = an_incident()
    past_the_trigger(f"UPDATE incidents_journalentry SET {change} WHERE incident_id = %s AND seq = 2", incident.pk)
    assert check(incident).broken_at == 2


def test_a_missing_line_is_found() -> None:
    incident = an_incident()
    Incident.objects.filter(pk=incident.pk).update(last_entry=None)
    build.clear_outbox()
    past_the_trigger("DELETE FROM incidents_journalentry WHERE incident_id = %s AND seq = 2", incident.pk)
    assert check(incident).broken_at == 2


def test_a_chain_that_was_computed_anew_does_not_know_the_head_of_an_old_mail() -> None:
    incident = an_incident()
    head = incident.journal_head[:32]
    assert check(incident, head).knows_head
    last = incident.journal.get(seq=3)
    last.text = "Naprawione o 9:00."
    last.commitment = journal.commitment(last.salt, last.text)
    forged = journal.digest(last)
    past_the_trigger(
        "UPDATE incidents_journalentry SET text = %s, commitment = %s, hash = %s WHERE id = %s",
        last.text, last.commitment, forged, last.pk,
    )  # fmt: skip
    assert check(incident).broken_at == 0
    assert not check(incident, head).knows_head


def test_a_head_of_another_incident_is_not_known() -> None:
    assert not check(an_incident(), "f" * 32).knows_head


def test_a_line_that_is_about_another_time_keeps_both() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    before = build.MONDAY - timedelta(minutes=5)
    entry = journal.append(
        incident, Kind.DETAILS, by=world.reporter, at=build.MONDAY, effective=before, text="Od 9:55."
    )
    assert (entry.at, entry.recorded_at) == (before, build.MONDAY)
    assert check(incident).broken_at == 0
