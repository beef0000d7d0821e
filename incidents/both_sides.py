"""What our monitor saw is withdrawn by both sides: we say first that it may be, then the client withdraws it."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext as _

from incidents.events import FAILURES, Kind
from incidents.models import Incident, JournalEntry
from wording.refusals import Refused


def takes_both(entries: Iterable[JournalEntry]) -> bool:
    """Of entries, oldest first: whether the monitor saw the failure and nobody of ours has agreed since."""
    acts = [entry.kind for entry in entries if entry.kind == Kind.WITHDRAWAL_AGREED or is_seen(entry)]
    return bool(acts) and acts[-1] != Kind.WITHDRAWAL_AGREED


def is_seen(entry: JournalEntry) -> bool:
    """Whether it says that the monitor saw the failure."""
    return entry.kind in FAILURES and entry.channel == "monitor"


def why() -> str:
    """For the client: why it can't withdraw alone, and whom to call."""
    return _(
        "Our monitor saw this failure, so only both of us together can withdraw it. Call us: %(phone)s. "
        "Once we have agreed, you can withdraw it here."
    ) % {"phone": settings.DUTY_PHONE}


def needs_both(incident: Incident) -> bool:
    """The same of the locked row's journal."""
    return takes_both(incident.journal.filter(kind__in=[*FAILURES, Kind.WITHDRAWAL_AGREED]).order_by("seq"))


def refuse_alone(incident: Incident) -> None:
    if needs_both(incident):
        raise Refused(why())
