"""What our monitor saw is withdrawn by both sides: we say first that it may be, then the client withdraws it."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from incidents.events import FAILURES
from incidents.models import Incident, JournalEntry
from incidents.projection.record import history
from wording.refusals import Refused


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
    """Of the locked row's journal: whether the monitor saw the failure and nobody of ours has agreed since."""
    return history(incident).state.needs_both


def refuse_alone(incident: Incident) -> None:
    if needs_both(incident):
        raise Refused(why())
