"""The proof that every stored clock follows from the journal, and the rebuilding of what is stored from it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from django.db import transaction

from contracts.proof import Difference
from incidents import journal
from incidents.choices import ClockState
from incidents.clock import clocks as clock
from incidents.models import Breach, ClockRow, Incident, JournalEntry, Pause
from incidents.projection import columns, proof_beside
from incidents.projection import rows as projection
from incidents.projection.record import pause_rows, write_state
from incidents.state import COLUMNS, IncidentState, state_of

T = TypeVar("T", ClockRow, Breach, Pause)
logger = logging.getLogger(__name__)
CHUNK = 500  # incidents whose whole journals are in memory at once


class Terms(dict[int, projection.VersionTerms]):
    """The terms of each version, read once a proof."""

    def of(self, incident: Incident) -> projection.VersionTerms | None:
        version = incident.version
        if version is None:
            return None
        if version.pk not in self:
            self[version.pk] = projection.version_terms(version)
        return self[version.pk]


def differences(*, at: datetime, incidents: Iterable[int] | None = None) -> Iterator[Difference]:
    """Every column that does not follow from its journal, at the time it was computed and at `at`, and every chain."""
    terms, digests = Terms(), proof_beside.Digests()
    for rows, journals in _chunks(incidents):
        beside = proof_beside.Beside.load([row.pk for row in rows])
        clocks = _by_incident(ClockRow.objects.filter(incident__in=rows).select_related("calendar"))
        breaches = _by_incident(Breach.objects.filter(incident__in=rows))
        pauses = _by_incident(Pause.objects.filter(incident__in=rows))
        for row in rows:
            entries = journals.get(row.pk, [])
            yield from _chain(row, entries)
            yield from beside.differences(row, entries)
            yield from _whatever_is_stored(
                row,
                _follows(
                    row,
                    entries,
                    terms,
                    digests,
                    clocks.get(row.pk, []),
                    breaches.get(row.pk, []),
                    pauses.get(row.pk, []),
                    at,
                ),
            )


def _whatever_is_stored(incident: Incident, differences: Iterator[Difference]) -> Iterator[Difference]:
    """What nobody but a forger writes may be unreadable: that is a difference and stops no other incident's proof."""
    try:
        yield from differences
    except Exception as error:
        logger.exception("%s cannot be proven", incident.nr)
        yield Difference(incident.nr, "journal", f"{type(error).__name__}: {error}", "facts that can be read")


def _follows(
    row: Incident,
    entries: Sequence[JournalEntry],
    terms: Terms,
    digests: proof_beside.Digests,
    clocks: Sequence[ClockRow],
    breaches: Sequence[Breach],
    pauses: Sequence[Pause],
    at: datetime,
) -> Iterator[Difference]:
    terms_held, state = terms.of(row), state_of(entries)
    yield from _columns(row, state, pauses)
    yield from proof_beside.row(row, entries, proof_beside.RowFacts.of(entries, ended=state.is_ended))
    yield from proof_beside.terms(row, entries, terms_held, digests)
    yield from proof_beside.breaches(row, entries, breaches)
    if terms_held:
        recomputed = Recomputed(row, terms_held, projection.events_of(entries))
        yield from recomputed.rows(clocks, at)
        yield from recomputed.breaches(breaches, at)


def _chunks(keys_given: Iterable[int] | None) -> Iterator[tuple[list[Incident], dict[int, list[JournalEntry]]]]:
    rows_found = (
        Incident.objects.order_by("pk")
        if keys_given is None
        else Incident.objects.filter(pk__in=keys_given).order_by("pk")
    )
    keys = list(rows_found.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        rows_found = Incident.objects.filter(pk__in=part).select_related("version__contract").order_by("pk")
        rows = list(rows_found.prefetch_related("breaches", "firings__step"))
        entries = JournalEntry.objects.filter(incident__in=part).order_by("incident_id", "seq")
        yield rows, {pk: list(lines) for pk, lines in groupby(entries, key=lambda entry: entry.incident_id)}


def _by_incident(rows: Iterable[T]) -> dict[int, list[T]]:
    grouped: dict[int, list[T]] = {}
    for row in rows:
        grouped.setdefault(row.incident_id, []).append(row)
    return grouped


def _chain(incident: Incident, entries: Sequence[JournalEntry]) -> Iterator[Difference]:
    check = journal.check_chain(entries)
    if check.broken_at:
        yield Difference(incident.nr, f"journal, entry {check.broken_at}", "changed", "a whole chain")
    if (incident.journal_length, incident.journal_head) != (check.length, check.head):
        yield Difference(
            incident.nr,
            "journal head",
            f"{incident.journal_length} {incident.journal_head[:8]}",
            f"{check.length} {check.head[:8]}",
        )


def _columns(incident: Incident, state: IncidentState, pauses: Sequence[Pause]) -> Iterator[Difference]:
    """What verbs write by the reducer, beside what the same reducer says of the whole journal."""
    for name in COLUMNS:
        if getattr(incident, name) != getattr(state, name):
            yield Difference(incident.nr, name, getattr(incident, name), getattr(state, name))
    if state.silence_is_known and incident.silence_at != state.silence_at:
        yield Difference(incident.nr, "silence_at", incident.silence_at, state.silence_at)
    stored = sorted(((row.reason, row.started_at, row.ended_at) for row in pauses), key=str)
    follows = sorted(((pause.reason, pause.started_at, pause.ended_at) for pause in state.pauses), key=str)
    if stored != follows:
        yield Difference(incident.nr, "pauses", stored, follows)


def waits(incident: Incident, at: datetime) -> bool:
    """Whether the sweep has not been here yet, so that rows may still say what was true before."""
    return incident.wake_at is not None and incident.wake_at <= at


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One incident's journal and terms, and what its clocks say at any instant."""

    incident: Incident
    terms: projection.VersionTerms
    events: tuple[clock.Event, ...]
    _timelines: dict[datetime, clock.Timeline] = field(default_factory=dict)

    def timeline(self, at: datetime) -> clock.Timeline:
        if at not in self._timelines:
            self._timelines[at] = self.terms.timeline(self.events, at)
        return self._timelines[at]

    def clocks(self, at: datetime) -> dict[str, clock.Clock]:
        return self.timeline(at).clocks if self.events else {}

    def rows(self, stored: Sequence[ClockRow], at: datetime) -> Iterator[Difference]:
        for moment in {row.computed_at for row in stored}:
            clocks = self.clocks(moment)
            yield from self._compare([row for row in stored if row.computed_at == moment], clocks, "when computed")
        clocks = self.clocks(at)
        if {row.target for row in stored} != set(clocks):
            yield Difference(self.incident.nr, "clocks", {row.target for row in stored}, set(clocks))
        if not waits(self.incident, at):
            # While a clock stands, what is left of it may pass from one severity's base to another
            yield from self._compare([row for row in stored if row.state != ClockState.PAUSED], clocks, "now")
            if self.incident.due_at != projection.due_at(clocks.values()):
                yield Difference(self.incident.nr, "due_at", self.incident.due_at, projection.due_at(clocks.values()))

    def _compare(self, stored: Sequence[ClockRow], clocks: dict[str, clock.Clock], when: str) -> Iterator[Difference]:
        for row in stored:
            if row.target not in clocks:
                continue
            for name, value in projection.row_of(clocks[row.target], self.terms).items():
                if name == "calendar_at" and row.calendar_at is None:
                    continue  # counted before calendars had a history: read as of when it was computed
                if getattr(row, name) != value:
                    yield Difference(self.incident.nr, f"{row.target}.{name} {when}", getattr(row, name), value)

    def breaches(self, stored: Sequence[Breach], at: datetime) -> Iterator[Difference]:
        recorded = {projection.breach_key(row): row for row in stored}
        follow = {
            projection.breach_key(row): row
            for row in projection.breaches_of(self.incident, self.clocks(at).values(), at)
        }
        for key in recorded.keys() - follow.keys():
            yield Difference(self.incident.nr, f"breach {key[1:]}", recorded[key].deadline, None)
        for key in follow.keys() - recorded.keys() if not waits(self.incident, at) else ():
            yield Difference(self.incident.nr, f"breach {key[1:]}", None, follow[key].deadline)
        for key in recorded.keys() & follow.keys():
            for name in projection.BREACH_FACTS:
                old, new = getattr(recorded[key], name), getattr(follow[key], name)
                if old != new:
                    yield Difference(self.incident.nr, f"breach {key[1:]} {name}", old, new)

    def is_behind(self, at: datetime) -> bool:
        """Whether a breach or a step is due that no sweep has written down."""
        shown = {
            projection.breach_key(row) for row in projection.breaches_of(self.incident, self.clocks(at).values(), at)
        }
        if shown - {projection.breach_key(row) for row in self.incident.breaches.all()}:
            return True
        fired = {(row.target, row.step.mark, row.run, row.lap, row.round) for row in self.incident.firings.all()}
        steps = self.timeline(at).fired if self.events else []
        return any(
            (fired_step.target, projection.mark_of(fired_step), fired_step.run, fired_step.lap, fired_step.round)
            not in fired
            for fired_step in steps
        )


def rebuild(*, at: datetime) -> int:
    """Empty clocks and pauses and make them, and the columns of the incidents, from the journals; how many incidents.

    Breaches, firings and notices are records and stay. What is due and was not swept stays due.
    """
    terms, count = Terms(), 0
    for rows, _ in _chunks(None):
        count += _rebuild([row.pk for row in rows], terms, at)
    return count


@transaction.atomic
def _rebuild(keys: Sequence[int], terms: Terms, at: datetime) -> int:
    """One chunk, locked first: its journals are read again under the lock."""
    list(Incident.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))
    ClockRow.objects.filter(incident__in=keys).delete()
    Pause.objects.filter(incident__in=keys).delete()
    clocks: list[ClockRow] = []
    pauses: list[Pause] = []
    for rows, journals in _chunks(keys):
        for row in rows:
            entries = journals.get(row.pk, [])
            state = state_of(entries)
            pauses += pause_rows(row, state)
            clocks += _renew(row, state, projection.events_of(entries), terms.of(row), at)
        columns.write(rows, columns.REBUILT)
    ClockRow.objects.bulk_create(clocks)
    Pause.objects.bulk_create(pauses)
    return len(keys)


def _renew(
    incident: Incident,
    state: IncidentState,
    events: tuple[clock.Event, ...],
    held: projection.VersionTerms | None,
    at: datetime,
) -> list[ClockRow]:
    write_state(incident, state)
    recomputed = Recomputed(incident, held, events) if held and events else None
    clocks = recomputed.clocks(at) if recomputed else {}
    incident.due_at = projection.due_at(clocks.values())
    planned = projection.wake_at(
        incident, recomputed.timeline(at) if recomputed else None, held if recomputed else None
    )
    behind = recomputed is not None and not incident.is_ended and recomputed.is_behind(at)
    incident.wake_at = at if behind else planned
    if held is None:
        return []
    return [
        ClockRow(incident=incident, target=target, computed_at=at, **projection.row_of(row, held))
        for target, row in clocks.items()
    ]
