"""A line of the journal and what it makes of its incident: the reducer says it, columns and pauses follow at once.

The verbs' one way to change how an incident stands; clocks, due times and the row itself are written by
`projection.rows.project` at the end of the act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from accounts.models import User
from incidents import journal
from incidents.events import MOVING, Kind
from incidents.models import Incident, JournalEntry, Pause
from incidents.state import COLUMNS, STATE, IncidentState, apply, state_of

Promise = Callable[[Incident, datetime, IncidentState], None]
"""What the act does to the next update that the client is promised, by the state after it (`incidents.updates`)."""


@dataclass(slots=True)
class History:
    """What an act has read of its incident's journal: the lines that move a clock or change the state."""

    lines: list[JournalEntry]
    state: IncidentState


def history(incident: Incident) -> History:
    """Read once an act, without the words, of which there may be fifty thousand; kept until the rows are projected."""
    if incident.held_history is None:
        lines = list(incident.journal.filter(kind__in=STATE | MOVING).order_by("seq"))
        incident.held_history = History(lines, state_of(lines))
    held: History = incident.held_history
    return held


def record(
    incident: Incident,
    kind: Kind,
    *,
    by: User | None,
    at: datetime,
    effective: datetime | None = None,
    severity: str = "",
    reason: str = "",
    channel: str = "portal",
    facts: Mapping[str, Any] | None = None,
    promise: Promise | None = None,
    **words: Any,
) -> JournalEntry:
    """`journal.append` for a kind that moves a clock or changes the state, with what follows from it in the row.

    The columns are set before the line is written, for it names some of them; what was promised till now is missed or
    renewed by `promise` in between.
    """
    held = history(incident)
    draft = JournalEntry(
        kind=kind.value,
        at=effective or at,
        recorded_at=at,
        severity=severity,
        reason=reason,
        channel=channel,
        facts=dict(facts or {}),
    )
    before, held.state = held.state, apply(held.state, draft)
    write_state(incident, held.state)
    _write_pauses(incident, before, held.state)
    if promise is not None:
        promise(incident, at, held.state)
    entry = journal.append(
        incident,
        kind,
        by=by,
        at=at,
        effective=effective,
        severity=severity,
        reason=reason,
        channel=channel,
        facts=facts,
        **words,
    )
    held.lines.append(entry)
    return entry


def write_state(incident: Incident, state: IncidentState) -> None:
    """Into the incident's columns; the term of a silence stays as it is where the journal doesn't say it."""
    for name in COLUMNS:
        setattr(incident, name, getattr(state, name))
    if state.silence_is_known:
        incident.silence_at = state.silence_at
    incident.contested = incident.contested or state.contested


def pause_rows(incident: Incident, state: IncidentState) -> list[Pause]:
    """The pauses of the state as rows, not yet stored."""
    return [
        Pause(incident=incident, reason=pause.reason, started_at=pause.started_at, ended_at=pause.ended_at)
        for pause in state.pauses
    ]


def _write_pauses(incident: Incident, before: IncidentState, after: IncidentState) -> None:
    """Begin and end the rows of the pauses that one line begins and ends; a line only adds spans and ends them."""
    for old, new in zip_longest(before.pauses, after.pauses):
        if old is None:
            Pause.objects.create(incident=incident, reason=new.reason, started_at=new.started_at)
        elif old != new:
            incident.pauses.filter(reason=new.reason, ended_at=None).update(ended_at=new.ended_at)
