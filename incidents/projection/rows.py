"""From the journal to rows: what the pure clocks say, written where lists and sweeps can find it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import prefetch_related_objects

from contracts.day_terms import counted_hours, day_term
from contracts.models import Calendar, ContractVersion, EscalationStep, Severity, Target
from contracts.seal import stood_digest
from contracts.target_times import TargetTerms
from contracts.terms import (
    calendar_terms,
    hours_ever,
    moment,
    moment_or_none,
    seconds,
    target_terms,
    working_days,
)
from contracts.vocabulary import DayReading, Mark
from contracts.worktime import WorkCalendar, work_calendar
from incidents import journal, updates
from incidents.clock import clocks as clock
from incidents.clock.escalation import Fired, Step
from incidents.events import COUNTED, DATED_BACK, MOVING, Kind
from incidents.models import Breach, ClockRow, Incident, JournalEntry
from incidents.projection.record import history, write_state

ASK_EVERY = 3600
"""Seconds between two questions whether to take what the monitor saw, where the contract has no rhythm of updates."""
SECOND = timedelta(seconds=1)
HOLD = """
    WITH mine AS (SELECT id, calendar_id FROM contracts_target WHERE version_id = %s),
    other AS (SELECT outside_id, calendar_id FROM contracts_targetalternative WHERE target_id IN (SELECT id FROM mine))
    SELECT 1 FROM contracts_calendar WHERE id IN (
        SELECT calendar_id FROM mine UNION SELECT calendar_id FROM other UNION SELECT outside_id FROM other
    )
    ORDER BY id FOR KEY SHARE
"""
TIMES = (
    "calendar__days",
    "alternatives__calendar__days",
    "alternatives__outside__days",
)
CLOCK_COLUMNS = [
    "state",
    "severity",
    "calendar",
    "calendar_at",
    "reading",
    "started_at",
    "deadline",
    "stopped_at",
    "seen_at",
    "lap",
    "round",
    "run",
    "total",
    "left",
    "late",
    "computed_at",
]


@dataclass(frozen=True, slots=True)
class VersionTerms:
    """A version as the pure clocks read it, with the calendar row behind each time, all its calendars and the ladder.

    `counted_in`: by (severity, target, which of its times).
    """

    terms: clock.Terms
    counted_in: dict[tuple[str, str, int], Calendar]
    calendars: tuple[Calendar, ...]
    steps: tuple[EscalationStep, ...]
    rhythms: dict[str, updates.Rhythm]

    def stood(self, at: datetime) -> str:
        """The digest of the calendars, each as it stood at an instant."""
        return stood_digest(self.calendars, at)

    @property
    def ladder(self) -> list[Step]:
        return [step_of(step) for step in self.steps]

    def timeline(self, events: Sequence[clock.Event], at: datetime) -> clock.Timeline:
        """The events played up to an instant by these terms: the clocks and the steps of the ladder at it."""
        return clock.Timeline(self.terms, events, seconds(at), self.ladder)


def step_of(rung: EscalationStep) -> Step:
    return Step(rung.target, rung.share, None if rung.offset_minutes is None else rung.offset_minutes * 60)


def mark_of(fired: Fired) -> Mark:
    """Of the rung that has fired."""
    return Mark(fired.share, None if fired.offset is None else fired.offset // 60)


def version_terms(version: ContractVersion) -> VersionTerms:
    """Versions never change; days of a calendar may be entered or removed ahead, so its history is read afresh."""
    targets = list(version.targets.select_related("calendar").prefetch_related(*TIMES))
    rhythms = version.rhythms.select_related("calendar").prefetch_related("calendar__days")
    return VersionTerms(
        _clock_terms(version, targets),
        _counted_in(targets),
        tuple(_calendars(targets).values()),
        tuple(version.steps.select_related("person")),
        {row.severity: updates.rhythm_of(row) for row in rhythms},
    )


def _counted_in(targets: Iterable[Target]) -> dict[tuple[str, str, int], Calendar]:
    """The calendar of each time of each target."""
    counted: dict[tuple[str, str, int], Calendar] = {}
    for target in targets:
        calendars = [target.calendar, *(time.calendar for time in target.otherwise)]
        counted |= {(target.severity, target.kind, place): calendar for place, calendar in enumerate(calendars)}
    return counted


def clock_terms(versions: Iterable[ContractVersion]) -> dict[int, clock.Terms]:
    """By what the clocks of each version count, by its key; in a number of queries that doesn't depend on how many."""
    rows = list(versions)
    prefetch_related_objects(rows, *(f"targets__{name}" for name in TIMES))
    return {version.pk: _clock_terms(version, list(version.targets.all())) for version in rows}


def _clock_terms(version: ContractVersion, targets: Sequence[Target]) -> clock.Terms:
    hours = {key: hours_ever(calendar) for key, calendar in _calendars(targets).items()}
    by_severity: dict[str, list[tuple[str, TargetTerms]]] = {}
    for target in targets:
        terms = target_terms(target, target.otherwise, lambda calendar: hours[calendar.pk])
        by_severity.setdefault(target.severity, []).append((target.kind, terms))
    severities = tuple((name, tuple(by_severity.get(name, ()))) for name in Severity.values)
    return clock.Terms(repair_starts=version.repair_starts, reopen=version.reopen, severities=severities)


def _calendars(targets: Iterable[Target]) -> dict[int, Calendar]:
    """Every calendar by which the targets are counted, or one of their times is chosen, by its key."""
    by_key: dict[int, Calendar] = {}
    for target in targets:
        by_key[target.calendar_id] = target.calendar
        for time in target.otherwise:
            by_key |= {calendar.pk: calendar for calendar in (time.calendar, time.outside)}
    return by_key


def events_of(entries: Iterable[JournalEntry]) -> tuple[clock.Event, ...]:
    """The clock's events among a journal's entries, in its order.

    A question has no severity and no clock; when it turns out to be a failure, its clocks start at that moment.
    """
    events = [
        clock.Event(seconds(entry.at), entry.kind, entry.severity, entry.change, entry.reason, _told_at(entry))
        for entry in entries
        if entry.kind in COUNTED and not _is_evidence_only(entry)
    ]
    while events and events[0].kind == Kind.RECEIVED and not events[0].severity:
        later = [index for index, event in enumerate(events) if event.kind == Kind.SEVERITY]
        events = [replace(events[later[0]], kind=Kind.RECEIVED, change=""), *events[later[0] + 1 :]] if later else []
    return tuple(events)


def _told_at(entry: JournalEntry) -> int | None:
    """When a back-dated delivery was said, or a recovery confirmed; None for what counts from its own time."""
    return seconds(entry.recorded_at) if entry.kind in DATED_BACK and entry.recorded_at > entry.at else None


def _is_evidence_only(entry: JournalEntry) -> bool:
    """A recovery of the first landing moved no clock: it stands at the check that confirmed it, not at the first."""
    return entry.kind == Kind.MONITOR_RECOVERED and entry.recorded_at == entry.at


def events_for(incident: Incident) -> tuple[clock.Event, ...]:
    """Read without the words: they move no clock, and there may be fifty thousand of them."""
    return events_of(incident.journal.filter(kind__in=MOVING).order_by("seq"))


def clocks_of(incident: Incident, at: datetime) -> dict[str, clock.Clock]:
    """Every clock of the incident at an instant, from its journal; {} where no SLA covers it."""
    events = events_for(incident)
    if incident.version is None or not events:
        return {}
    return clock.clocks(version_terms(incident.version).terms, events, seconds(at))


def project(incident: Incident, *, at: datetime) -> dict[str, clock.Clock]:
    """Recompute a locked incident's rows from its journal, record a breach it shows, plan the next wake-up, save."""
    journal_so_far = history(incident)
    write_state(incident, journal_so_far.state)
    events = events_of(journal_so_far.lines)
    terms = held(incident) if events else None
    incident.held_terms = incident.held_history = None
    timeline = terms.timeline(events, at) if terms else None
    clocks = timeline.clocks if timeline else {}
    if terms:
        write_clocks(
            ClockRow(incident=incident, target=target, computed_at=at, **row_of(clock_now, terms))
            for target, clock_now in clocks.items()
        )
        _void_breaches(incident, clocks.values(), events, at)
        _record_breaches(incident, clocks.values(), at)
    incident.due_at = due_at(clocks.values())
    incident.wake_at = _unswept(incident, timeline, at) or wake_at(incident, timeline, terms)
    incident.save()
    return clocks


def held(incident: Incident) -> VersionTerms | None:
    """The terms, with their calendars held till the end of the transaction: a day entered meanwhile comes after it.

    Read once an act: kept on the locked incident until its rows are projected.
    """
    if incident.version is None:
        return None
    if incident.held_terms is None:
        with connection.cursor() as cursor:
            cursor.execute(HOLD, [incident.version.pk])
        incident.held_terms = version_terms(incident.version)
    terms: VersionTerms = incident.held_terms
    return terms


def stood(incident: Incident, at: datetime) -> dict[str, str]:
    """For the line of an act at which a base may start: the digest of the version's calendars as they stand at `at`."""
    terms = held(incident)
    return {"calendars": terms.stood(at)} if terms and terms.calendars else {}


def _unswept(incident: Incident, timeline: clock.Timeline | None, at: datetime) -> datetime | None:
    """What fell due before this act while no worker ran, or falls due by it, is still for the sweep to send."""
    if incident.is_ended:
        return None
    if incident.wake_at and incident.wake_at <= at:
        return incident.wake_at
    return at if timeline and any(step.at == timeline.now for step in timeline.fired) else None


def write_clocks(rows: Iterable[ClockRow]) -> None:
    """Store clocks' rows, new or changed, by one statement."""
    ClockRow.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["incident", "target"], update_fields=CLOCK_COLUMNS
    )


def row_of(clock_now: clock.Clock, terms: VersionTerms) -> dict[str, object]:
    """The columns of a clock's row; `left` only while the clock stands, `late` only once it has stopped or stands."""
    stands = clock_now.state in {clock.ClockState.PAUSED, clock.ClockState.SEEN_WORKING}
    return {
        "state": clock_now.state,
        "severity": clock_now.severity,
        "calendar": terms.counted_in.get((clock_now.severity, clock_now.target, clock_now.choice.place)),
        "calendar_at": moment_or_none(clock_now.calendar_at),
        "reading": clock_now.choice.days.reading if clock_now.choice.days else "",
        "started_at": moment_or_none(clock_now.started_at),
        "deadline": moment_or_none(clock_now.deadline),
        "stopped_at": moment_or_none(clock_now.stopped_at),
        "seen_at": moment_or_none(clock_now.seen_at),
        "lap": clock_now.lap,
        "round": clock_now.round,
        "run": clock_now.run,
        "total": clock_now.total,
        "left": clock_now.left if stands else None,
        "late": clock_now.late if clock_now.stopped_at is not None or clock_now.seen_at is not None else None,
    }


def hours_of(row: ClockRow) -> WorkCalendar | None:
    """The hours by which a stored clock counts: its calendar as it stood for the base that sets its deadline.

    That instant is `calendar_at`; a row counted before calendars had a history has none and is read as of its count.
    """
    if row.calendar is None:
        return None
    terms = calendar_terms(row.calendar, as_of=row.calendar_at or row.computed_at)
    return work_calendar(counted_hours(terms, row.reading))


def breaches_of(incident: Incident, clocks: Iterable[clock.Clock], at: datetime) -> list[Breach]:
    """The breaches that the clocks show, not yet stored: one a run and lap, each with its deadline as its time."""
    version = incident.version
    if version is None:
        return []
    return [
        Breach(
            incident=incident,
            version=version,
            target=lap.target,
            severity=lap.severity,
            run=lap.run,
            lap=lap.lap,
            deadline=moment(lap.deadline),
            noticed_at=max(at, moment(lap.deadline)),
            stopped_at=moment_or_none(lap.stopped_at),
            delay=lap.late if lap.stopped_at is not None else None,
        )
        for newest in clocks
        for lap in (*newest.earlier, newest)
        if lap.state is clock.ClockState.BREACHED and lap.deadline is not None
    ]


BREACH_FACTS = ("severity", "deadline", "stopped_at", "delay")
BREACH_END = ("stopped_at", "delay")
"""What is completed later: nothing else of a breach may be changed."""


def breach_key(breach: Breach) -> tuple[int, str, int, int]:
    return breach.incident_id, breach.target, breach.run, breach.lap


def update_breach(old: Breach, new: Breach) -> bool:
    """Take over its end since a breach was recorded; True where something changed."""
    changed = [name for name in BREACH_END if getattr(old, name) != getattr(new, name)]
    for name in changed:
        setattr(old, name, getattr(new, name))
    return bool(changed)


def note_breach(incident: Incident, breach: Breach, at: datetime) -> JournalEntry:
    """The line that tells of a new breach: at its deadline, recorded when it was noticed; not yet stored."""
    facts = {"target": breach.target, "severity": breach.severity, "run": breach.run, "lap": breach.lap}
    return journal.write(incident, Kind.BREACH, by=None, at=at, effective=breach.deadline, facts=facts)


def _void_breaches(
    incident: Incident, clocks: Iterable[clock.Clock], events: Sequence[clock.Event], at: datetime
) -> None:
    """Checks that become known after a deadline may show that it was kept: a correcting line, the old one stays.

    A breach that somebody has decided about is left to people: the proof names the difference.
    """
    if not any(event.told_at is not None for event in events):
        return
    happened = {breach_key(breach) for breach in breaches_of(incident, clocks, at)}
    for breach in incident.breaches.all():
        if breach_key(breach) not in happened:
            _void(incident, breach, at)


def _void(incident: Incident, breach: Breach, at: datetime) -> bool:
    """Mark a breach that was none, with its line; False where somebody has decided about it (a trigger refuses)."""
    try:
        with transaction.atomic():
            Breach.objects.filter(pk=breach.pk).update(voided_at=at)
    except IntegrityError:
        return False
    facts = {"target": breach.target, "run": breach.run, "lap": breach.lap, "deadline": breach.deadline.isoformat()}
    incident.last_entry = journal.append(incident, Kind.BREACH_VOID, by=None, at=at, facts=facts)
    return True


def _record_breaches(incident: Incident, clocks: Iterable[clock.Clock], at: datetime) -> None:
    recorded = {breach_key(breach): breach for breach in incident.breaches.all()}
    for breach in breaches_of(incident, clocks, at):
        old = recorded.get(breach_key(breach))
        if old and (old.severity, old.deadline) != (breach.severity, breach.deadline) and _void(incident, old, at):
            old = None  # another deadline is another breach
        if old is None:
            breach.save(force_insert=True)
            entry = note_breach(incident, breach, at)
            entry.save(force_insert=True)
            incident.last_entry = entry
        elif update_breach(old, breach):
            old.save(update_fields=BREACH_END)


def due_at(clocks: Iterable[clock.Clock]) -> datetime | None:
    """The nearest deadline that still waits for an act of ours; None while nothing runs."""
    runs = [row for row in clocks if row.stopped_at is None and row.seen_at is None]
    open_deadlines = [row.deadline for row in runs if row.deadline is not None]
    return moment(min(open_deadlines)) if open_deadlines else None


def wake_at(incident: Incident, timeline: clock.Timeline | None, terms: VersionTerms | None) -> datetime | None:
    """When the sweep must look at the incident next: a missed deadline, a step, an update, a silence."""
    if incident.is_ended:
        return None
    planned = [moment(instant) for instant in _instants_ahead(timeline)] if timeline else []
    planned += [instant for instant in (incident.silence_at, incident.ask_at) if instant]
    missing = updates.next_missing(incident, terms.rhythms.get(incident.severity) if terms else None)
    planned += [missing + SECOND] if missing else []
    return min(planned, default=None)


def _instants_ahead(timeline: clock.Timeline) -> list[int]:
    """Where a running clock is missed (equal is on time, so from the next second on), and the next step."""
    running = [row for row in timeline.clocks.values() if row.state is clock.ClockState.RUNNING]
    missed = [row.deadline + 1 for row in running if row.deadline is not None]
    return missed + ([timeline.next_step.at] if timeline.next_step else [])


def ask_after(rhythm: updates.Rhythm | None, at: datetime) -> datetime:
    """When staff are asked next whether to take what the monitor saw: once a rhythm of updates, else hourly."""
    return (rhythm or updates.Rhythm(ASK_EVERY)).after(at)


def silence_term(incident: Incident, at: datetime) -> datetime | None:
    """When silence accepts a repair: the end of the version's last working day of silence for the severity."""
    if incident.version is None:
        return None
    days = incident.version.silence_days(incident.severity)
    terms = working_days(incident.zone)
    term = day_term(work_calendar(terms), seconds(at), days, DayReading.END_OF_DAY, terms.holidays)
    return moment(term.deadline)
