"""Which words to the client arrived at nobody: the portal holds them, no letter about them was taken."""

from __future__ import annotations

from collections.abc import Iterable

from incidents.choices import Actor
from incidents.models import Incident, JournalEntry
from incidents.notices.reach import Audience, Bar
from messaging.models import Delivery

UNDERWAY = frozenset({Delivery.QUEUED, Delivery.SENT})


def undelivered(incident: Incident, entries: Iterable[JournalEntry]) -> set[int]:
    """Keys of those of the entries of which every letter to the client's people was given up or refused.

    A letter that its reader does not want (notices turned off) is no failure, nor is a receipt of the client's words.
    """
    keys = [entry.pk for entry in entries]
    letters = incident.notices.filter(audience=Audience.CLIENT, entry__in=keys)
    letters = letters.exclude(bar=Bar.MUTED).exclude(entry__actor=Actor.CLIENT)
    failed, arrived = set[int](), set[int]()
    for entry, status in letters.values_list("entry_id", "notification__status"):
        (arrived if status in UNDERWAY else failed).add(entry)
    unheard = incident.unheard.filter(audience=Audience.CLIENT, mended_at=None, entry__in=keys)
    return (failed | {entry for entry in unheard.values_list("entry_id", flat=True) if entry}) - arrived
