"""The sweep over what fell due: breaches, steps of the ladder, missed updates, acceptance by silence.

Due incidents are claimed in chunks with SKIP LOCKED, so any number of workers may sweep at once. A chunk is worked
on set by set; where it fails, its rows are repeated one by one, and one that fails again leaves a trace.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import QuerySet

from contracts.models import EscalationStep
from contracts.terms import moment, to_second
from incidents import journal, lifecycle, recovery, updates
from incidents.choices import Status
from incidents.clock import clocks as clock
from incidents.clock.escalation import Fired
from incidents.events import MOVING, Kind
from incidents.models import Breach, ClockRow, Firing, Incident, JournalEntry, Notice, UnheardAlarm
from incidents.notices import alarms
from incidents.notices import write as notices
from incidents.projection import columns
from incidents.projection import rows as projection
from incidents.silence import end_silence, has_written
from messaging import heartbeat

logger = logging.getLogger(__name__)

CHUNK = 250  # incidents that one transaction holds; a person's verb on one of them waits so long
AHEAD = timedelta(minutes=5)  # when a row that failed is tried again


class SweepCache:
    """What one sweep asks once: the terms of each version, and the people that rungs name."""

    def __init__(self, at: datetime) -> None:
        self.people = notices.People(at)
        self._terms: dict[int, projection.VersionTerms] = {}

    def terms(self, incident: Incident) -> projection.VersionTerms | None:
        version = incident.version
        if version is None:
            return None
        if version.pk not in self._terms:
            self._terms[version.pk] = projection.version_terms(version)
        return self._terms[version.pk]


def sweep_clocks(*, at: datetime) -> int:
    """Work on everything that is due by `at`; how many incidents were looked at."""
    looked, cache = 0, SweepCache(at)
    while count := sweep_chunk(at=at, cache=cache):
        looked += count
    return looked


def sweep_now(now: Callable[[], datetime]) -> int:
    """The same until nothing is due, each chunk with its own time; for the task, which reads the clock."""
    started, at, looked = time.monotonic(), now(), 0
    cache = SweepCache(at)
    while count := sweep_chunk(at=to_second(now()), cache=cache):
        looked += count
    alarms.settle_due(at=to_second(now()))
    heartbeat.beat("clocks", at=at, took_ms=int((time.monotonic() - started) * 1000))
    return looked


@transaction.atomic
def sweep_chunk(*, at: datetime, cache: SweepCache | None = None) -> int:
    """One chunk of what is due by `at`; 0 when nothing is left that nobody else holds."""
    cache = cache or SweepCache(at)
    rows = list(_claimable().filter(wake_at__lte=at).order_by("wake_at", "pk")[:CHUNK])
    if not rows:
        return 0
    try:
        with transaction.atomic():
            advance(rows, at=at, cache=cache)
    except Exception:
        logger.exception("a chunk of %d incidents failed, each is tried alone", len(rows))
        for row in rows:
            _alone(row.pk, at, cache)
    return len(rows)


def _claimable() -> QuerySet[Incident]:
    rows = Incident.objects.select_for_update(of=("self",), skip_locked=True)
    rows = rows.select_related("client", "shop", "version__contract", "assignee")
    return rows.prefetch_related("version__severity_names")  # a letter says what the contract calls the severity


def _alone(pk: int, at: datetime, cache: SweepCache) -> None:
    try:
        with transaction.atomic():
            advance([_claimable().get(pk=pk)], at=at, cache=cache)
    except Exception as error:
        logger.exception("incident %d cannot be counted", pk)
        _leave_trace(_claimable().get(pk=pk), at, f"{type(error).__name__}: {error}")


def _leave_trace(incident: Incident, at: datetime, error: str) -> None:
    """One line until somebody acts, seen by staff; the sweep tries again later."""
    incident.wake_at = at + AHEAD
    if incident.last_entry is None or incident.last_entry.kind != Kind.SWEEP_FAILED:
        journal.append(incident, Kind.SWEEP_FAILED, by=None, at=at, text=error)
    incident.save()


def advance(incidents: Sequence[Incident], *, at: datetime, cache: SweepCache) -> None:
    """Bring locked incidents up to `at`, set by set."""
    silent = [row for row in incidents if _accepted_by_silence(row, at)]
    for row in silent:
        _take_silence(row, at)
    rest = [row for row in incidents if row not in silent]
    Batch(rest, at, cache).run()


def _take_silence(incident: Incident, at: datetime) -> None:
    """Silence accepts; where the client has written after all, the client is asked instead."""
    if not has_written(incident):
        lifecycle.accept(incident=incident, by=None, at=at)
        return
    question = end_silence(incident, at=at)
    projection.project(incident, at=at)
    notices.ask_for_verdict(incident, question, at=at)


def _accepted_by_silence(incident: Incident, at: datetime) -> bool:
    return incident.status == Status.RESOLVED and incident.silence_at is not None and incident.silence_at <= at


class Batch:
    """The rows to write for some incidents, gathered first and written by one statement a table."""

    def __init__(self, incidents: Sequence[Incident], at: datetime, cache: SweepCache) -> None:
        self.incidents, self.at, self.cache = incidents, at, cache
        self.events = _events(incidents)
        rows = ClockRow.objects.filter(incident__in=incidents).select_related("calendar")
        rows = rows.prefetch_related("calendar__days")  # a letter about a step says the hours that are left
        self.clocks = {(row.incident_id, row.target): row for row in rows}
        self.recorded = {projection.breach_key(row): row for row in Breach.objects.filter(incident__in=incidents)}
        self.fired = {_firing_key(row) for row in Firing.objects.filter(incident__in=incidents)}
        self.changed_clocks: list[ClockRow] = []
        self.new_breaches: list[Breach] = []
        self.changed_breaches: list[Breach] = []
        self.firings: list[Firing] = []
        self.entries: list[JournalEntry] = []
        self.notices: list[Notice] = []
        self.unheard: list[UnheardAlarm] = []
        self.missed: list[tuple[Incident, JournalEntry]] = []

    def run(self) -> None:
        for incident in self.incidents:
            self._look(incident)
        self._write()

    def _look(self, incident: Incident) -> None:
        events, terms = self.events[incident.pk], self.cache.terms(incident)
        timeline = terms.timeline(events, self.at) if terms and events else None
        if terms and timeline:
            self._project(incident, timeline.clocks, terms)
            self._escalate(incident, timeline, terms)
        self._miss_updates(incident, terms)
        self._ask_again(incident, terms)
        incident.due_at = projection.due_at(timeline.clocks.values() if timeline else ())
        planned = projection.wake_at(incident, timeline, terms if timeline else None)
        incident.wake_at = planned and max(planned, self.at + projection.SECOND)

    def _project(self, incident: Incident, clocks: dict[str, clock.Clock], terms: projection.VersionTerms) -> None:
        for target, clock_now in clocks.items():
            row = self.clocks.get((incident.pk, target)) or ClockRow(incident=incident, target=target)
            values = projection.row_of(clock_now, terms)
            if row.pk is None or any(getattr(row, name) != value for name, value in values.items()):
                for name, value in values.items():
                    setattr(row, name, value)
                row.computed_at = self.at
                self.clocks[incident.pk, target] = row
                self.changed_clocks.append(row)
        for breach in projection.breaches_of(incident, clocks.values(), self.at):
            old = self.recorded.get(projection.breach_key(breach))
            if old is None:
                self.new_breaches.append(breach)
                self.entries.append(projection.note_breach(incident, breach, self.at))
            elif projection.update_breach(old, breach):
                self.changed_breaches.append(old)

    def _escalate(self, incident: Incident, timeline: clock.Timeline, terms: projection.VersionTerms) -> None:
        """Every rung that is due and has not gone out, in order of time."""
        if incident.is_ended or not terms.steps:
            return
        for fired in timeline.fired:
            mark = projection.mark_of(fired)
            rungs = [step for step in terms.steps if (step.target, step.mark) == (fired.target, mark)]
            new = [firing for step in rungs if (firing := self._firing(incident, step, fired))]
            if new:
                self._send(incident, new)

    def _firing(self, incident: Incident, step: EscalationStep, fired: Fired) -> Firing | None:
        firing = Firing(
            incident=incident,
            step=step,
            target=fired.target,
            lap=fired.lap,
            round=fired.round,
            run=fired.run,
            due_at=moment(fired.at),
            fired_at=max(self.at, moment(fired.at)),
        )
        key = _firing_key(firing)
        if key in self.fired:
            return None
        self.fired.add(key)
        self.firings.append(firing)
        return firing

    def _send(self, incident: Incident, firings: Sequence[Firing]) -> None:
        """The first notices of the rungs of one moment; the journal says who was told when that is known."""
        for topic in notices.of_firings(incident, firings):
            rows, alarm = notices.begin(topic, self.cache.people, self._rows_of(incident), at=self.at)
            self.notices += rows
            self.unheard += alarm

    def _rows_of(self, incident: Incident) -> list[ClockRow]:
        rows = (self.clocks.get((incident.pk, target)) for target in clock.TARGETS)
        return [row for row in rows if row]

    def _miss_updates(self, incident: Incident, terms: projection.VersionTerms | None) -> None:
        """Every line is kept, the newest is told."""
        rhythm = terms.rhythms.get(incident.severity) if terms else None
        entries = list(updates.missed(incident, self.at, rhythm))
        self.entries += entries
        self.missed += [(incident, entry) for entry in entries[-1:]]

    def _ask_again(self, incident: Incident, terms: projection.VersionTerms | None) -> None:
        """Whether to take what the monitor saw, once a rhythm while nobody says."""
        entry = recovery.ask_again(incident, self.at, terms.rhythms.get(incident.severity) if terms else None)
        if entry is not None:
            self.entries.append(entry)
            self.missed.append((incident, entry))

    def _write(self) -> None:
        projection.write_clocks(self.changed_clocks)
        Breach.objects.bulk_create(self.new_breaches)
        Breach.objects.bulk_update(self.changed_breaches, projection.BREACH_END)
        Firing.objects.bulk_create(self.firings)
        JournalEntry.objects.bulk_create(self.entries)
        for entry in self.entries:
            entry.incident.last_entry_id = entry.pk
        columns.write(self.incidents, columns.PLANNED)
        notices.store(self.notices)
        UnheardAlarm.objects.bulk_create(self.unheard, ignore_conflicts=True)
        for incident, entry in self.missed:
            notices.tell_staff(incident, entry, at=self.at)


def _events(incidents: Sequence[Incident]) -> dict[int, tuple[clock.Event, ...]]:
    lines = JournalEntry.objects.filter(incident__in=incidents, kind__in=MOVING).order_by("incident_id", "seq")
    events: dict[int, tuple[clock.Event, ...]] = defaultdict(tuple)
    facts = lines.only("incident_id", "seq", "at", "recorded_at", "kind", "severity", "change", "reason")
    for pk, entries in groupby(facts, key=lambda entry: entry.incident_id):
        events[pk] = projection.events_of(entries)
    return events


def _firing_key(firing: Firing) -> tuple[int, str, int, int, int, int]:
    return firing.incident_id, firing.target, firing.run, firing.lap, firing.round, firing.step_id
