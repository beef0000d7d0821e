"""Which words to the client arrived at nobody: the portal holds them, no letter about them was taken."""

from __future__ import annotations

from incidents.choices import Actor, Delivery
from incidents.models import Incident
from incidents.reach import Audience, Bar

UNDERWAY = frozenset({Delivery.QUEUED, Delivery.SENT})


def undelivered(incident: Incident) -> set[int]:
    """Keys of the journal's entries of which every letter to the client's people was given up or refused.

    A letter that its reader does not want (notices turned off) is no failure, nor is a receipt of the client's words.
    """
    letters = incident.notifications.filter(audience=Audience.CLIENT, entry__isnull=False)
    letters = letters.exclude(bar=Bar.MUTED).exclude(entry__actor=Actor.CLIENT)
    failed, arrived = set[int](), set[int]()
    for entry, status in letters.values_list("entry_id", "status"):
        (arrived if status in UNDERWAY else failed).add(entry)
    unheard = incident.unheard.filter(audience=Audience.CLIENT, mended_at=None, entry__isnull=False)
    return (failed | {entry for entry in unheard.values_list("entry_id", flat=True) if entry}) - arrived
