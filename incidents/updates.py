"""Promised updates: when the client hears next, by the contract's rhythm for the severity, and what was missed.

A missed promise stays the promise until somebody writes; each further rhythm of silence is one more missed update.
It is silent while the clock stands for the client and after a delivery (domain.md section 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from contracts.models import UpdateRhythm
from contracts.target_times import Hours
from contracts.terms import History, calendar_history, moment, seconds, to_second
from contracts.worktime import CalendarTerms, work_calendar
from incidents import journal
from incidents.choices import PauseReason, Status
from incidents.events import Kind
from incidents.models import Incident, JournalEntry
from incidents.state import IncidentState
from wording import words
from wording.refusals import Refused

DELIVERED = frozenset({Status.WORKAROUND, Status.RESOLVED})
FOR_THE_CLIENT = frozenset({PauseReason.CLIENT_ANSWER, PauseReason.CLIENT_WAIT})
LONGEST = 4
"""Rhythms of the contract that one promise may lie ahead."""
WITHOUT_RHYTHM = timedelta(days=7)
"""The same where the contract says nothing about updates."""
AT_ONCE = 200
"""Lines that one look writes at most: a portal that was down for a month goes on with the rest at the next look."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """An update every `seconds` of the calendar's hours as they stood at its start; without a calendar of real time."""

    seconds: int
    calendar: CalendarTerms | None = None
    history: History = ()

    def after(self, at: datetime, times: int = 1) -> datetime:
        start, length = seconds(at), self.seconds * times
        if self.calendar is None:
            return moment(start + length)
        stood = Hours(self.calendar, self.history).at(start)
        return moment(work_calendar(stood).add(start, length))


def rhythm_of(row: UpdateRhythm) -> Rhythm:
    return Rhythm(row.minutes * 60, *(calendar_history(row.calendar) if row.calendar else ()))


def rhythm_for(incident: Incident) -> Rhythm | None:
    """That of the incident's version and severity; None where the contract says nothing."""
    if incident.version is None:
        return None
    row = incident.version.rhythms.filter(severity=incident.severity).select_related("calendar").first()
    return rhythm_of(row) if row else None


def check(incident: Incident, at: datetime, promised: datetime) -> None:
    """Refuses a promise in the past, and one so far away that nobody would miss it."""
    if promised <= at:
        raise Refused(_("Promise a time that is still to come."), "next_update")
    rhythm = rhythm_for(incident)
    latest = rhythm.after(at, LONGEST) if rhythm else at + WITHOUT_RHYTHM
    if promised > latest:
        facts = {"when": words.when(latest, at, incident.zone, "genitive")}
        raise Refused(_("That is too far away: promise the next message by %(when)s.") % facts, "next_update")


def longest(incident: Incident) -> timedelta:
    """How far ahead a promise may lie at least: the hours of the rhythm's calendar may allow a later one."""
    rhythm = rhythm_for(incident)
    return timedelta(seconds=rhythm.seconds * LONGEST) if rhythm else WITHOUT_RHYTHM


def plan(incident: Incident, at: datetime, state: IncidentState, by_word: datetime | None = None) -> None:
    """A word to the client: what was missed till now is on record, and the next one is due as said, else by rhythm.

    `state` is the one after the act, here and in the others: who waits then hears nothing.
    """
    for entry in missed(incident, at, rhythm_for(incident)):
        entry.save(force_insert=True)
        incident.last_entry = entry
    promised = to_second(by_word) if by_word else _by_rhythm(incident, at, state)
    incident.next_update_at, incident.update_missed_at = promised, None


def plan_sooner(incident: Incident, at: datetime, state: IncidentState) -> None:
    """A stricter severity without a word to the client: the promise comes nearer, never further away."""
    planned = _by_rhythm(incident, at, state) if state.first_contact_at else None
    if planned and (incident.next_update_at is None or planned < incident.next_update_at):
        incident.next_update_at = planned


def forget(incident: Incident, at: datetime, state: IncidentState) -> None:
    """Nothing is promised any more: delivered, ended, or we wait for the client."""
    incident.next_update_at = incident.update_missed_at = None


def _by_rhythm(incident: Incident, at: datetime, state: IncidentState) -> datetime | None:
    rhythm = rhythm_for(incident)
    return rhythm.after(at) if rhythm and not _is_silent(state) else None


def _is_silent(state: IncidentState) -> bool:
    return state.is_ended or state.status in DELIVERED or not state.open_pauses.isdisjoint(FOR_THE_CLIENT)


def next_missing(incident: Incident, rhythm: Rhythm | None) -> datetime | None:
    """The instant after which a further update is missed; None where nothing is promised or nothing repeats it."""
    if incident.next_update_at is None or incident.update_missed_at is None:
        return incident.next_update_at
    return rhythm.after(incident.update_missed_at) if rhythm else None


def missed(incident: Incident, at: datetime, rhythm: Rhythm | None) -> Iterator[JournalEntry]:
    """A line for each update that did not come by `at`, chained, not yet stored; equal is on time."""
    for _turn in range(AT_ONCE):
        due = next_missing(incident, rhythm)
        if due is None or due >= at or incident.is_ended:
            return
        incident.update_missed_at = due
        facts = {"due": due.isoformat(), "promised": (incident.next_update_at or due).isoformat()}
        yield journal.write(incident, Kind.UPDATE_MISSED, by=None, at=at, effective=due, facts=facts)
