"""From the journal to rows: what the pure clocks say, written where lists and sweeps can find it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.models import Calendar, ContractVersion, EscalationStep
from contracts.terms import calendar_terms, moment, seconds
from contracts.worktime import day_term, work_calendar
from incidents import clock, ladder
from incidents.models import Breach, ClockRow, ClockState, Incident, JournalEntry

SILENCE_DAYS = {"P1": 3, "P2": 3}
OTHER_SILENCE_DAYS = 5


@dataclass(frozen=True, slots=True)
class VersionTerms:
    """A version as the pure clocks read it, with the calendar row behind each (severity, target) and the ladder."""

    terms: clock.Terms
    calendars: dict[tuple[str, str], Calendar]
    steps: tuple[EscalationStep, ...]

    @property
    def ladder(self) -> list[ladder.Step]:
        return [ladder.Step(target=step.target, share=step.share) for step in self.steps]


def version_terms(version: ContractVersion) -> VersionTerms:
    """Versions never change; calendar days may be added ahead, so they are read afresh."""
    targets = list(version.targets.select_related("calendar").prefetch_related("calendar__days"))
    by_severity: dict[str, list[tuple[str, clock.TargetTerms]]] = {}
    for target in targets:
        terms = clock.TargetTerms(seconds=target.minutes * 60, calendar=calendar_terms(target.calendar))
        by_severity.setdefault(target.severity, []).append((target.kind, terms))
    severities = tuple((name, tuple(by_severity[name])) for name in sorted(by_severity))
    return VersionTerms(
        clock.Terms(repair_starts=version.repair_starts, reopen=version.reopen, severities=severities),
        {(target.severity, target.kind): target.calendar for target in targets},
        tuple(version.steps.all()),
    )


def events_of(entries: Iterable[JournalEntry]) -> tuple[clock.Event, ...]:
    """The clock's events among a journal's entries, in its order.

    A question has no severity and no clock; when it turns out to be a failure, its clocks start at that moment.
    """
    events = [
        clock.Event(seconds(entry.at), entry.kind, entry.severity, entry.change, entry.reason)
        for entry in entries
        if entry.kind in clock.KINDS
    ]
    while events and events[0].kind == "received" and not events[0].severity:
        later = [index for index, event in enumerate(events) if event.kind == "severity"]
        events = [replace(events[later[0]], kind="received", change=""), *events[later[0] + 1 :]] if later else []
    return tuple(events)


def events_for(incident: Incident) -> tuple[clock.Event, ...]:
    return events_of(incident.journal.order_by("seq"))


def clocks_of(incident: Incident, at: datetime) -> dict[str, clock.Clock]:
    """Every clock of the incident at an instant, from its journal; {} where no SLA covers it."""
    events = events_for(incident)
    if incident.version is None or not events:
        return {}
    return clock.clocks(version_terms(incident.version).terms, events, seconds(at))


def project(incident: Incident, *, at: datetime) -> dict[str, clock.Clock]:
    """Recompute the rows of a locked incident from its journal, record a breach it shows, plan the next wake-up, save."""
    clocks: dict[str, clock.Clock] = {}
    events = events_for(incident)
    incident.due_at = incident.wake_at = None
    if incident.version and events:
        known = version_terms(incident.version)
        clocks = clock.clocks(known.terms, events, seconds(at))
        for found in clocks.values():
            _write_clock(incident, found, known, at)
            _record_breaches(incident, found, at)
        incident.due_at = due_at(clocks.values())
    incident.wake_at = wake_at(incident, clocks.values(), events, at)
    incident.save()
    return clocks


def _write_clock(incident: Incident, found: clock.Clock, known: VersionTerms, at: datetime) -> None:
    ClockRow.objects.update_or_create(
        incident=incident, target=found.target, defaults=row_of(found, known) | {"computed_at": at}
    )


def row_of(found: clock.Clock, known: VersionTerms) -> dict[str, object]:
    """The columns of a clock's row; `left` only while the clock stands, `late` only once it has stopped."""
    paused = found.state == ClockState.PAUSED
    return {
        "state": found.state,
        "severity": found.severity,
        "calendar": known.calendars.get((found.severity, found.target)),
        "started_at": _moment(found.started_at),
        "deadline": _moment(found.deadline),
        "stopped_at": _moment(found.stopped_at),
        "lap": found.lap,
        "round": found.round,
        "run": found.run,
        "total": found.total,
        "left": found.left if paused else None,
        "late": found.late if found.stopped_at is not None else None,
    }


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else moment(instant)


def _record_breaches(incident: Incident, found: clock.Clock, at: datetime) -> None:
    """A breach is recorded once per run and lap, carries its deadline, and learns its stop and delay later."""
    for lap in (*found.earlier, found):
        if lap.state != ClockState.BREACHED or lap.deadline is None:
            continue
        stop = {"stopped_at": _moment(lap.stopped_at), "delay": lap.late if lap.stopped_at is not None else None}
        breach, is_new = Breach.objects.get_or_create(
            incident=incident, target=lap.target, run=lap.run, lap=lap.lap,
            defaults=stop | {
                "version_id": incident.version_id, "severity": lap.severity, "deadline": moment(lap.deadline),
                "noticed_at": max(at, moment(lap.deadline)),
            },
        )  # fmt: skip
        if not is_new and (breach.stopped_at, breach.delay) != (stop["stopped_at"], stop["delay"]):
            Breach.objects.filter(pk=breach.pk).update(**stop)


def due_at(clocks: Iterable[clock.Clock]) -> datetime | None:
    """The nearest deadline that still waits for an act of ours; None while nothing runs."""
    open_deadlines = [found.deadline for found in clocks if found.stopped_at is None and found.deadline is not None]
    return moment(min(open_deadlines)) if open_deadlines else None


def wake_at(
    incident: Incident, clocks: Iterable[clock.Clock], events: Sequence[clock.Event], at: datetime
) -> datetime | None:
    """When the sweep must look at the incident next: a deadline, a step of the ladder, an update, a silence."""
    if incident.is_ended:
        return None
    instants = [found.deadline for found in clocks if found.state == ClockState.RUNNING]
    if incident.version and events:
        known = version_terms(incident.version)
        fired = ladder.next_fire(known.terms, events, seconds(at), known.ladder)
        instants.append(fired.at if fired else None)
    planned = [moment(instant) for instant in instants if instant is not None]
    planned += [row for row in (incident.next_update_at, incident.silence_at) if row is not None]
    return min(planned, default=None)


def silence_term(incident: Incident, at: datetime) -> datetime | None:
    """When silence accepts a repair: the end of the 3rd (P1, P2) or 5th working day after it."""
    if incident.version is None:
        return None
    known = version_terms(incident.version)
    calendar = next((row for (_, kind), row in known.calendars.items() if kind == "restore"), None)
    if calendar is None:
        return None
    days = SILENCE_DAYS.get(incident.severity, OTHER_SILENCE_DAYS)
    terms = calendar_terms(calendar)
    term = day_term(work_calendar(terms), seconds(at), days, "business_days_end_of_day", terms.holidays)
    return moment(term.deadline)
