"""The staff's queue: which incident is next, in groups by the instant of its nearest deadline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Prefetch, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from contracts.models import Calendar
from contracts.terms import calendar_terms, moment, seconds
from contracts.worktime import work_calendar
from incidents.choices import ClockState, Status
from incidents.clock.facts import PauseReason
from incidents.events import DECISIONS, FORGETTING, Kind
from incidents.models import ClockRow, Incident, JournalEntry
from incidents.projection.rows import hours_of
from incidents.text import journal_lines
from incidents.text.clock_sentences import WARN_SHARE, ClockSentence, Reading
from incidents.text.lead import standing_of
from messaging import heartbeat
from wording.etag import etag_of
from wording.texts import number_in

ROWS = 50  # of a page: what one person can look over, and 40 ms of rendering
LEAST = 5  # rows that each group keeps however many are late
MOST_PAGES = 10_000  # of one group; a number beyond it is no address that we gave
AFTER_OPENING = 3600  # seconds of work: what falls due within them is not begun in the morning any more
NOW = timedelta(hours=1)  # the nearest deadlines, whatever the hour
WITHOUT_OFFICE = timedelta(hours=12)  # how far "before you leave" reaches where no calendar is the office's
SECOND = timedelta(seconds=1)

NAMES: dict[str, str | Promise] = {
    "overdue": _("Overdue"),
    "now": _("Now"),
    "leave": _("Before you leave"),
    "later": _("Later"),
    "client": _("Waiting for the client"),
    "paused": _("Paused"),
    "fixed": _("Fixed, waiting for the client's yes"),
}
"""The groups in their order; `fixed` ones need nothing of ours and are only in the filter of the client's turn."""
OURS = tuple(key for key in NAMES if key != "fixed")


class Filter(NamedTuple):
    """A link above the queue: its words, the groups that it shows, the column of STATE that says which rows."""

    name: str | Promise
    groups: tuple[str, ...]
    column: str


FILTERS: dict[str, Filter] = {
    "": Filter(_("All"), OURS, "every"),
    "mine": Filter(_("Mine"), OURS, "mine"),
    "nobody": Filter(_("Nobody's"), OURS, "nobody"),
    "p1": Filter("P1", OURS, "p1"),
    "client": Filter(_("Waiting for the client"), tuple(NAMES), "client"),
}
NO_ACTS = sorted(DECISIONS | FORGETTING)
"""What a person does about an incident and not in it."""
FIRST_LINES = [Kind.RECEIVED, Kind.ALARM]
STATE = """
WITH asked AS (
    SELECT incident_id FROM incidents_pause WHERE ended_at IS NULL AND reason = %(for_client)s
), alive AS MATERIALIZED (
    SELECT id, due_at, true AS every, coalesce(assignee_id = %(user)s, false) AS mine, assignee_id IS NULL AS nobody,
        severity = 'P1' AS p1, turn.client,
        CASE
            WHEN status = %(fixed)s AND client_wrote_at IS NULL THEN 'fixed'
            WHEN due_at < %(now)s THEN 'overdue'
            -- A click of ours is missing: the client wrote under a repair, or the monitor sees it work
            WHEN due_at < %(soon)s OR status = %(fixed)s OR ask_at IS NOT NULL THEN 'now'
            WHEN due_at < %(reaches)s THEN 'leave'
            WHEN due_at IS NOT NULL THEN 'later'
            WHEN turn.client THEN 'client'
            WHEN id IN (SELECT incident_id FROM incidents_pause WHERE ended_at IS NULL) THEN 'paused'
            ELSE 'later'
        END AS part
    FROM incidents_incident incident
    -- As `waiting_for_client` of the model says it
    CROSS JOIN LATERAL (SELECT status = %(fixed)s OR id IN (SELECT incident_id FROM asked)
        OR (status = %(workaround)s AND accepted_at IS NULL AND rejected_at IS NULL) AS client) AS turn
    WHERE NOT status IN ('closed', 'cancelled', 'merged')
), placed AS (
    SELECT id, part, row_number() OVER (PARTITION BY part ORDER BY due_at, id) AS place
    FROM alive WHERE part = ANY(%(groups)s::text[]) AND CASE %(column)s::text
        WHEN 'mine' THEN mine WHEN 'nobody' THEN nobody WHEN 'p1' THEN p1 WHEN 'client' THEN client ELSE true END
), shown AS (
    SELECT * FROM placed ORDER BY place > %(least)s, array_position(%(groups)s::text[], part), place
    LIMIT %(rows)s OFFSET %(skipped)s
)
SELECT
    (SELECT coalesce(json_agg(json_build_array(part, every, mine, nobody, p1, client) ORDER BY part), '[]') FROM (
        SELECT part, count(*) AS every, count(*) FILTER (WHERE mine) AS mine,
            count(*) FILTER (WHERE nobody) AS nobody, count(*) FILTER (WHERE p1) AS p1,
            count(*) FILTER (WHERE client) AS client
        FROM alive GROUP BY part
    ) AS size),
    (SELECT coalesce(json_agg(json_build_array(
        shown.part, incident.id, act.id, incident.journal_length, incident.changed_at, incident.due_at,
        incident.next_update_at, incident.status, incident.severity, assignee.id, assignee.name, shop.name, client.name,
        person.name
    ) ORDER BY array_position(%(groups)s::text[], shown.part), shown.place), '[]')
    FROM shown
    JOIN incidents_incident incident ON incident.id = shown.id
    JOIN contracts_shop shop ON shop.id = incident.shop_id
    JOIN accounts_client client ON client.id = incident.client_id
    LEFT JOIN accounts_user assignee ON assignee.id = incident.assignee_id
    LEFT JOIN LATERAL (
        SELECT entry.id, entry.by_id FROM incidents_journalentry entry
        WHERE entry.incident_id = shown.id AND (actor = ANY(%(people)s) OR kind = ANY(%(first_lines)s))
            AND NOT kind = ANY(%(no_acts)s)
        ORDER BY seq DESC LIMIT 1
    ) AS act ON true
    LEFT JOIN accounts_user person ON person.id = act.by_id),
    (SELECT concat_ws(' ', id, zone, weekly, statutory_holidays, (
        SELECT concat_ws(' ', count(*), count(removed_at), max(id))
        FROM contracts_calendarday WHERE calendar_id = office.id
    )) FROM contracts_calendar office WHERE is_office),
    (SELECT at FROM messaging_heartbeat WHERE name = 'clocks')
"""
"""One look at the queue: how many rows each group has by each filter, the rows of the page in their order, each with
the newest line that a person wrote (else the one that began it), the office's calendar, and when the sweep last ran.
"""
COLUMNS = ("every", "mine", "nobody", "p1", "client")
ACT = ("kind", "actor", "recorded_at", "reason", "severity", "channel", "facts", "personal", "old_facts", "text")
INCIDENT = [*(field.attname for field in Incident._meta.concrete_fields), "version__contract__zone"]
"""The columns that a row's sentences read; making objects of the versions' too took a tenth of the page's time."""


class Shown(NamedTuple):
    """A row as STATE has it. `act`: the newest line of a person; `by`: who wrote it."""

    group: str
    incident: int
    act: int | None
    journal_length: int
    changed_at: str
    due_at: str | None
    next_update_at: str | None
    status: str
    severity: str
    assignee_id: int | None
    assignee: str | None
    shop: str
    client: str
    by: str | None

    @property
    def owner(self) -> str:
        """First name of whoever has it, "" for nobody."""
        return (self.assignee or "").split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the queue a page shows: a filter's key, one of its groups ("": all of them) and which fifty of it."""

    user: int
    chosen: str = ""
    group: str = ""
    page: int = 1
    language: str = "pl"

    @property
    def filter(self) -> Filter:
        return FILTERS[self.chosen]

    @property
    def groups(self) -> list[str]:
        return [self.group] if self.group else list(self.filter.groups)


@dataclass(frozen=True, slots=True)
class Boundary:
    """Until when "before you leave" reaches: the office's close, and an hour of work after the next opening.

    It stays so until `changes`, when the office opens or closes; without an office it moves with each second.
    """

    closes: datetime | None
    reaches: datetime | None
    changes: datetime | None = None

    def reach(self, now: datetime) -> datetime:
        return self.reaches or now + WITHOUT_OFFICE


@dataclass(frozen=True, slots=True)
class State:
    """What the database says of a queue; `etag` changes with everything that its page shows but the time."""

    sizes: dict[str, dict[str, int]]
    rows: list[Shown]
    stalled: heartbeat.Stalled | None
    etag: str

    def count(self, chosen: Filter) -> int:
        return sum(self.size(group, chosen) for group in chosen.groups)

    def size(self, group: str, chosen: Filter) -> int:
        return self.sizes.get(group, {}).get(chosen.column, 0)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a shown page sends with each look: its state, until when time alone changes nothing of it, the boundary."""

    etag: str
    until: int
    reaches: int

    def __str__(self) -> str:
        return f"{self.etag}-{self.until}-{self.reaches}"

    @classmethod
    def parsed(cls, text: str) -> Self | None:
        """None for anything but a mark; who invents one is only shown less often what is new."""
        etag, *numbers = text.split("-")
        until, reaches = (number_in(number) for number in numbers) if len(numbers) == 2 else (None, None)
        return None if until is None or reaches is None else cls(etag, until, reaches)


@dataclass(frozen=True, slots=True)
class Row:
    """`act` is the newest line of a person with its words, `total` the seconds of the clock's whole time."""

    incident: Incident
    facts: Shown
    clock: ClockSentence
    act: JournalEntry | None
    words: str
    total: int


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    name: str | Promise
    count: int
    rows: list[Row]

    @property
    def is_whole(self) -> bool:
        return len(self.rows) == self.count


@dataclass(frozen=True, slots=True)
class Look:
    """What the queue shows at an instant."""

    selection: Selection
    now: datetime
    boundary: Boundary
    state: State
    groups: list[Group]

    @property
    def rows(self) -> list[Row]:
        return [row for group in self.groups for row in group.rows]

    @property
    def mark(self) -> Mark:
        reaches = self.boundary.reaches
        return Mark(self.state.etag, seconds(min(self._changes())), seconds(reaches) if reaches else 0)

    def _changes(self) -> Iterator[datetime]:
        yield from (instant for row in self.rows for instant in changes(row, self.now))
        zones = {settings.DISPLAY_TIME_ZONE, *(row.incident.zone for row in self.rows)}
        yield from (_midnight(self.now, zone) for zone in zones)
        if self.boundary.changes:
            yield self.boundary.changes

    @property
    def next_page(self) -> int:
        """0 where all rows of the one group stand on this page and those before it."""
        reached = self.selection.page * ROWS
        goes_on = bool(self.selection.group) and any(group.count > reached for group in self.groups)
        return self.selection.page + 1 if goes_on else 0


def boundary(now: datetime) -> Boundary:
    """From the office's own calendar; where none is marked, the next twelve hours."""
    office = Calendar.objects.filter(is_office=True).prefetch_related("days").first()
    if office is None:
        return Boundary(None, None)
    calendar, at = work_calendar(calendar_terms(office)), seconds(now)
    change = calendar.next_change(at)
    closes = change if calendar.is_open(at) else None
    opens = calendar.opening(closes if closes is not None else at)
    changes = None if change is None else moment(change)
    return Boundary(changes if closes is not None else None, moment(calendar.add(opens, AFTER_OPENING)), changes)


def waiting() -> QuerySet[Incident]:
    """What waits for the provider: everything alive but what is fixed and waits for a client who is silent."""
    return Incident.objects.active().exclude(status=Status.RESOLVED, client_wrote_at=None)


def look(selection: Selection, now: datetime) -> Look:
    office = boundary(now)
    state = state_of(selection, now, office.reach(now))
    return Look(selection, now, office, state, groups(state, selection, now))


def state_of(selection: Selection, now: datetime, reach: datetime) -> State:
    """One query."""
    facts: dict[str, Any] = {
        "user": selection.user,
        "now": now,
        "soon": now + NOW,
        "reaches": reach,
        "fixed": Status.RESOLVED.value,
        "workaround": Status.WORKAROUND.value,
        "for_client": PauseReason.CLIENT_ANSWER.value,
        "groups": selection.groups,
        "column": selection.filter.column,
        "least": LEAST,
        "rows": ROWS,
        "skipped": (selection.page - 1) * ROWS,
        "people": ["client", "staff"],
        "first_lines": [kind.value for kind in FIRST_LINES],
        "no_acts": [kind.value for kind in NO_ACTS],
    }
    with connection.cursor() as cursor:
        cursor.execute(STATE, facts)
        sizes, rows, office, swept_at = cursor.fetchone()
    stalled = heartbeat.silent(swept_at, at=now)
    etag = etag_of(sizes, rows, office, stalled, selection)
    by_group = {part: dict(zip(COLUMNS, numbers, strict=True)) for part, *numbers in sizes}
    return State(by_group, [Shown(*row) for row in rows], stalled, etag)


def groups(state: State, selection: Selection, now: datetime) -> list[Group]:
    """The groups that have rows, each with those that the page shows in the order of their deadlines."""
    rows = rows_of(state, now)
    shown: dict[str, list[Row]] = {}
    for row in state.rows:
        if row.incident in rows:  # else it went between the two looks
            shown.setdefault(row.group, []).append(rows[row.incident])
    sizes = {key: state.size(key, selection.filter) for key in selection.groups}
    return [Group(key, NAMES[key], size, shown.get(key, [])) for key, size in sizes.items() if size]


def rows_of(state: State, now: datetime) -> dict[int, Row]:
    facts = {row.incident: row for row in state.rows}
    if not facts:
        return {}
    entries = JournalEntry.objects.select_related("by").only(*ACT, "by__name")
    acts = entries.in_bulk([row.act for row in facts.values() if row.act])
    clocks = Prefetch("clocks", ClockRow.objects.exclude(state=ClockState.NOT_RUNNING))
    incidents = Incident.objects.filter(pk__in=facts).select_related("version__contract").only(*INCIDENT)
    listed = incidents.prefetch_related(clocks, "clocks__calendar__days", "pauses")
    names = {row.assignee_id: row.assignee for row in state.rows if row.assignee_id and row.assignee}
    return {incident.pk: _row(incident, facts[incident.pk], acts, names, now) for incident in listed}


def _row(
    incident: Incident, facts: Shown, acts: dict[int, JournalEntry], names: journal_lines.Names, now: datetime
) -> Row:
    act = acts.get(facts.act) if facts.act else None
    clock, total = _nearest(incident, now)
    return Row(incident, facts, clock, act, journal_lines.brief(act, names) if act else "", total)


def nearest(incident: Incident, now: datetime) -> ClockSentence:
    """How the incident stands: mostly the clock that decides the row."""
    return _nearest(incident, now)[0]


def _nearest(incident: Incident, now: datetime) -> tuple[ClockSentence, int]:
    """That sentence and the seconds of its clock's whole time. If one runs or waits, no other is worded."""
    rows = [row for row in incident.clocks.all() if row.state != ClockState.NOT_RUNNING]
    runs = [row for row in rows if row.stopped_at is None]
    if runs and incident.status != Status.RESOLVED:
        rows = [min(runs, key=lambda row: (row.deadline is None, row.deadline or now))]
    sentence = standing_of(incident, rows, Reading(now, incident.zone, for_client=False)).lead
    return sentence, next((row.total for row in rows if row.target == sentence.target), 0)


def changes(row: Row, now: datetime) -> Iterator[datetime]:
    """When time alone changes words or looks of a row: late, a warning, a promise missed, hours that open or close."""
    promised, clock = row.incident.next_update_at, row.clock
    if promised and promised >= now:
        yield promised + SECOND
    if clock.left is None:
        return
    if clock.due and clock.due >= now:
        yield clock.due + SECOND
    until_warning = clock.left - (row.total - -(-row.total * WARN_SHARE // 100))
    if clock.style == "run" and until_warning > 0:
        yield now + timedelta(seconds=until_warning)
    if clock.until and clock.until > now:
        yield clock.until
    elif clock.until and clock.style in {"off", "late"}:
        hours = next((hours_of(stored) for stored in row.incident.clocks.all() if stored.target == clock.target), None)
        change = hours.next_change(seconds(now)) if hours else None
        if change is not None:
            yield moment(change)


def _midnight(now: datetime, zone: str) -> datetime:
    local = now.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date() + timedelta(days=1), time.min, ZoneInfo(zone))


def next_deadline(now: datetime) -> Incident | None:
    """What an empty queue says: the nearest deadline of all."""
    return waiting().filter(due_at__gte=now).order_by("due_at").first()


def selected(user: User, chosen: str, group: str, page: int | None, language: str) -> Selection:
    """From an address: what it names and isn't there is left out."""
    chosen = chosen if chosen in FILTERS else ""
    group = group if group in FILTERS[chosen].groups else ""
    return Selection(user.pk, chosen, group, page if group and page and page < MOST_PAGES else 1, language)
