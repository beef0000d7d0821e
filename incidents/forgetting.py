"""Words of people go for good, with their salts. That is an act of the journal like any other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.models import User
from contracts.terms import to_second
from incidents import journal
from incidents.events import Kind
from incidents.models import Incident
from incidents.reporting import lock


@transaction.atomic
def forget(*, incident: Incident, entries: Collection[int], by: User | None, at: datetime) -> Incident:
    """Remove the words of these lines (by seq) with their salts; a further line names them. Repeated, changes nothing.

    What was hashed stays: who, when, what kind of act. Without the line a salt that is gone reads as a forgery.
    """
    incident = lock(incident)
    lines = incident.journal.filter(seq__in=entries).exclude(salt="").order_by("seq")
    forgotten = list(lines.values_list("seq", flat=True))
    if not forgotten:
        return incident
    facts = {"forgotten": forgotten}
    journal.append(incident, Kind.FORGOTTEN, by=by, at=to_second(at), facts=facts)
    journal.forget_words(incident, forgotten)
    incident.save()
    return incident
