"""Silence accepts a repair until the client writes: from then only the client's own yes or no does."""

from __future__ import annotations

from datetime import datetime

from incidents.choices import Actor, Status
from incidents.events import Kind
from incidents.models import Incident, JournalEntry
from incidents.projection.record import record


def end_silence(incident: Incident, *, at: datetime) -> JournalEntry | None:
    """The client wrote under a delivered repair: no silence closes the locked incident, the client is asked.

    The line that asks, once a delivery; None where nothing waits for the client's word. The caller saves and tells.
    """
    if incident.status != Status.RESOLVED or incident.client_wrote_at is not None:
        return None
    return record(incident, Kind.VERDICT_ASKED, by=None, at=at)


def has_written(incident: Incident) -> bool:
    """Whether anybody of the client has written since the last delivery, whatever kind of message it was."""
    last = incident.journal.filter(kind=Kind.RESOLVED).order_by("-seq").values_list("seq", flat=True).first()
    return last is not None and incident.journal.filter(seq__gt=last, actor=Actor.CLIENT).exists()
