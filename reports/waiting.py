"""A client's open incidents as home lists them: those that wait for the client with what they wait for, then ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, Window

from accounts.models import Client, User
from incidents.choices import PauseReason
from incidents.events import DELIVERIES, MARKS, Kind
from incidents.models import Incident, JournalEntry
from incidents.state import state_of
from incidents.verbs import VERBS, Verb, waits_for

SHOWN = 20  # incidents on the page; the rest stand in the list

# What it waits for → the verbs of its buttons, and which entry of the journal asks for it
BUTTONS = {"answer": ("answer",), "check": ("accept", "reject"), "withdraw": ("cancel", "answer")}
ASKING = {"answer": frozenset({Kind.PAUSED}), "check": DELIVERIES, "withdraw": frozenset({Kind.WITHDRAWAL_AGREED})}


@dataclass(frozen=True, slots=True)
class Waiting:
    """An incident that waits for the client: `action` says what for (`verbs.waits_for`), `entry` who asked, and how."""

    incident: Incident
    action: str
    entry: JournalEntry | None

    @property
    def verbs(self) -> list[Verb]:
        return [VERBS[name] for name in BUTTONS[self.action]]


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """`total`: how many there are, of which at most SHOWN are here."""

    waiting: list[Waiting]
    others: list[Incident]
    total: int

    @property
    def hidden(self) -> int:
        return self.total - len(self.waiting) - len(self.others)


def open_incidents(user: User, client: Client) -> OpenIncidents:
    """Those that may wait for the client first, then by their deadline; the same number of queries for any number."""
    rows = Incident.objects.visible_to(user).filter(client=client).active().with_waiting().with_row()
    order = (F("may_wait").desc(), F("due_at").asc(nulls_last=True), "pk")
    incidents: list[Any] = list(rows.annotate(total=Window(Count("pk"))).order_by(*order)[:SHOWN])
    marks = _marks(user, [incident for incident in incidents if incident.may_wait])
    waiting = [_waiting(incident, marks[incident.pk]) for incident in incidents if incident.pk in marks]
    waiting = [row for row in waiting if row.action]
    keys = {row.incident.pk for row in waiting}
    others = [incident for incident in incidents if incident.pk not in keys]
    return OpenIncidents(waiting, others, incidents[0].total if incidents else 0)


def _marks(user: User, incidents: Sequence[Incident]) -> dict[int, list[JournalEntry]]:
    """Incident → the entries that say where its repair stands, oldest first."""
    marks: defaultdict[int, list[JournalEntry]] = defaultdict(list)
    entries = JournalEntry.objects.visible_to(user).filter(Q(incident__in=incidents), kind__in=MARKS)
    for entry in entries.select_related("by").order_by("incident", "seq"):
        marks[entry.incident_id].append(entry)
    return dict(marks)


def _waiting(incident: Incident, marks: Sequence[JournalEntry]) -> Waiting:
    action = waits_for(incident, state_of(marks))
    asking = (entry for entry in reversed(marks) if _asks(entry, action))
    return Waiting(incident, action, next(asking, None))


def _asks(entry: JournalEntry, action: str) -> bool:
    if entry.kind == Kind.PAUSED and entry.reason != PauseReason.CLIENT_ANSWER:
        return False
    return entry.kind in ASKING.get(action, ())
