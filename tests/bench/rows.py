"""Rows for measuring, copied in many at a time but computed by the product's own pure functions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.terms import seconds
from incidents import journal
from incidents.choices import Status
from incidents.clock import clocks as clock
from incidents.events import Kind
from incidents.models import ClockRow, Incident, JournalEntry, Notice
from incidents.projection import rows as projection
from messaging.models import Notification
from tests.build import World

BATCH = 5_000


def copy_in(
    world: World, count: int, received: Callable[[int], datetime], *, contact: bool, closed: bool = False
) -> None:
    """So many P1 incidents; with `contact` a person has answered after five minutes.

    `closed` ones are only rows that a list and its indexes have to pass over.
    """
    first = world.client.last_number
    known = projection.version_terms(world.version)
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        incidents = Incident.objects.bulk_create(
            [_incident(world, first + n + 1, received(n).replace(microsecond=0), closed=closed) for n in numbers]
        )
        entries = [entry for incident in incidents for entry in _journal(world, incident, contact=contact)]
        JournalEntry.objects.bulk_create(entries)
        rows = [row for incident in incidents for row in _clocks(incident, known, contact=contact)]
        ClockRow.objects.bulk_create(rows)
        Incident.objects.bulk_update(incidents, ["due_at", "wake_at", "journal_head", "journal_length"])
    world.client.last_number = first + count
    world.client.save(update_fields=["last_number"])


def _incident(world: World, number: int, at: datetime, *, closed: bool) -> Incident:
    status = Status.CLOSED if closed else Status.OPEN
    return Incident(
        client=world.client,
        shop=world.shop,
        version=world.version,
        number=number,
        nr=f"{world.client.code}-{number:04d}",
        what="no_payment",
        sentence="Klienci nie mogą zapłacić.",
        severity="P1",
        status=status,
        reporter=world.reporter,
        reported_at=at,
        received_at=at,
        changed_at=at,
        assignee=world.agent,
    )


def _journal(world: World, incident: Incident, *, contact: bool) -> list[JournalEntry]:
    kinds = ["received", *(["contact"] if contact else [])]
    entries = []
    for seq, kind in enumerate(kinds, 1):
        at = incident.received_at + timedelta(minutes=5 * (seq - 1))
        entry = JournalEntry(
            incident=incident, seq=seq, kind=kind, at=at, recorded_at=at, by=world.agent if seq > 1 else world.reporter,
            actor="staff" if seq > 1 else "client", severity="P1" if seq == 1 else "", text="Słowo.", salt="s",
            previous=incident.journal_head,
        )  # fmt: skip
        entry.commitment = journal.commitment(entry.salt, entry.text)
        entry.hash = journal.digest(entry)
        incident.journal_head, incident.journal_length = entry.hash, seq
        entries.append(entry)
    return entries


def _clocks(incident: Incident, known: projection.VersionTerms, *, contact: bool) -> list[ClockRow]:
    start = seconds(incident.received_at)
    events = [clock.Event(start, "received", "P1")]
    events += [clock.Event(start + 300, "contact")] if contact else []
    found = clock.clocks(known.terms, events, events[-1].at)
    incident.due_at = projection.due_at(found.values())
    incident.wake_at = incident.due_at
    at = incident.received_at
    return [
        ClockRow(incident=incident, target=one.target, computed_at=at, **projection.row_of(one, known))
        for one in found.values()
    ]


def talk(world: World, incident: Incident, count: int) -> None:
    """So many messages of the client on one incident, each with the letter to staff that it sent."""
    at, last = incident.received_at + timedelta(minutes=10), None
    for start in range(0, count, BATCH):
        entries = [
            journal.write(
                incident, Kind.CLIENT_MESSAGE, by=world.reporter, at=at, text=f"Odpowiedź {start + n}: bez zmian."
            )
            for n in range(min(BATCH, count - start))
        ]
        last = JournalEntry.objects.bulk_create(entries)[-1]
        letters = Notification.objects.bulk_create(
            Notification(
                key=f"entry-{entry.pk}-staff-{world.agent.pk}-email",
                recipient=world.agent,
                channel="email",
                subject="Odpowiedź",
                body="Odpowiedź",
                created_at=at,
                status="sent",
                sent_at=at,
            )
            for entry in entries
        )
        Notice.objects.bulk_create(
            Notice(notification=letter, topic=f"entry-{entry.pk}-staff", incident=incident, entry=entry)
            for letter, entry in zip(letters, entries, strict=True)
        )
    incident.last_entry = last
    incident.save()
