"""The staff's queue: which incident is next, in groups by the instant of its nearest deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from contracts.models import Calendar
from contracts.terms import calendar_terms, moment, seconds
from contracts.worktime import work_calendar
from incidents.choices import Status
from incidents.models import Incident, Pause
from incidents.text import journal_lines
from incidents.text.clock_sentences import ClockSentence
from incidents.text.lead import standing

ROWS_A_GROUP = 100  # the group says how many more there are; a page of all would grow without end
AFTER_OPENING = 3600  # seconds of work: what falls due within them is not begun in the morning any more
NOW = timedelta(hours=1)  # the nearest deadlines, whatever the hour


@dataclass(frozen=True, slots=True)
class Boundary:
    """Until when "before you leave" reaches: the office's close, and an hour of work after the next opening."""

    closes: datetime | None
    reaches: datetime


class Row(TypedDict):
    incident: Incident
    clock: ClockSentence
    last: str


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    name: str | Promise
    count: int
    rows: list[Row]

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


NAMES: dict[str, str | Promise] = {
    "overdue": _("Overdue"),
    "now": _("Now"),
    "leave": _("Before you leave"),
    "later": _("Later"),
    "paused": _("Paused"),
}
FILTERS: dict[str, tuple[str | Promise, Callable[[User], Q]]] = {
    "": (_("All"), lambda _user: Q()),
    "mine": (_("Mine"), lambda user: Q(assignee=user)),
    "nobody": (_("Nobody's"), lambda _user: Q(assignee=None)),
    "p1": ("P1", lambda _user: Q(severity="P1")),
}


def boundary(now: datetime) -> Boundary:
    """From the office's own calendar; where none is marked, the next twelve hours."""
    office = Calendar.objects.filter(is_office=True).prefetch_related("days").first()
    if office is None:
        return Boundary(None, now + timedelta(hours=12))
    calendar, at = work_calendar(calendar_terms(office)), seconds(now)
    closes = calendar.next_change(at) if calendar.is_open(at) else None
    opens = calendar.opening(closes if closes is not None else at)
    return Boundary(moment(closes) if closes is not None else None, moment(calendar.add(opens, AFTER_OPENING)))


def waiting() -> QuerySet[Incident]:
    """What waits for the provider: everything alive but what is fixed and waits for a client who is silent."""
    return Incident.objects.active().exclude(status=Status.RESOLVED, client_wrote_at=None)


def parts(now: datetime, reach: datetime) -> dict[str, Q]:
    """Each group as a condition; together they cover `waiting()` and none overlaps another."""
    # A click of ours is missing: the client wrote under a repair (see `waiting`), or the monitor sees it work
    asks = Q(status=Status.RESOLVED) | Q(ask_at__isnull=False)
    far = Q(due_at=None) | Q(due_at__gte=now + NOW)
    stands = Q(Exists(Pause.objects.filter(incident=OuterRef("pk"), ended_at=None)))
    soon = max(reach, now + NOW)
    return {
        "overdue": Q(due_at__lt=now),
        "now": Q(due_at__gte=now, due_at__lt=now + NOW) | (far & asks),
        "leave": Q(due_at__gte=now + NOW, due_at__lt=soon) & ~asks,
        "later": (Q(due_at__gte=soon) | (Q(due_at=None) & ~stands)) & ~asks,
        "paused": Q(due_at=None) & stands & ~asks,
    }


def counts(user: User) -> dict[str, int]:
    """How many wait, by the filters' keys."""
    filters = {f"n_{key}": Count("pk", filter=of(user)) for key, (_name, of) in FILTERS.items() if key}
    numbers = waiting().aggregate(n_=Count("pk"), **filters)
    return {key.removeprefix("n_"): value for key, value in numbers.items()}


def groups(user: User, chosen: str, now: datetime) -> list[Group]:
    """The groups that have rows, each with its first hundred in the order of their deadlines."""
    conditions = parts(now, boundary(now).reaches)
    waiting_rows = waiting().filter(FILTERS[chosen][1](user))
    numbers = waiting_rows.aggregate(**{key: Count("pk", filter=condition) for key, condition in conditions.items()})
    firsts = [
        waiting_rows.filter(condition)
        .order_by("due_at", "pk")
        .annotate(part=Value(key))
        .values_list("pk", "part")[:ROWS_A_GROUP]
        for key, condition in conditions.items()
        if numbers[key]
    ]
    if not firsts:
        return []
    ids = dict(firsts[0].union(*firsts[1:], all=True))
    rows: dict[str, list[Row]] = {key: [] for key in conditions}
    incidents = list(Incident.objects.filter(pk__in=ids).with_row().order_by("due_at", "pk"))
    names = journal_lines.names_of(incident.last_entry for incident in incidents if incident.last_entry)
    for incident in incidents:
        last = journal_lines.brief(incident.last_entry, names) if incident.last_entry else ""
        rows[ids[incident.pk]].append({"incident": incident, "clock": nearest(incident, now), "last": last})
    return [Group(key, NAMES[key], numbers[key], rows[key]) for key in conditions if numbers[key]]


def nearest(incident: Incident, now: datetime) -> ClockSentence:
    """How the incident stands: mostly the clock that decides the row."""
    return standing(incident, now=now, for_client=False).lead


def next_deadline(now: datetime) -> Incident | None:
    """What an empty queue says: the nearest deadline of all."""
    return waiting().filter(due_at__gte=now).order_by("due_at").first()
