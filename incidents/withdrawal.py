"""Our half of a withdrawal: that the client may withdraw what our monitor saw."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.terms import to_second
from incidents import journal, lifecycle
from incidents.both_sides import needs_both
from incidents.events import Kind
from incidents.models import Incident
from incidents.reporting import lock
from wording.refusals import Refused


@transaction.atomic
def agree(*, incident: Incident, by: User, at: datetime, text: str) -> Incident:
    """The client may withdraw it, until the monitor sees it fail again. The words reach the client: they are a contact.

    Raises Refused where the client may do so without us.
    """
    incident = lock(incident)
    if not incident.is_ended and not needs_both(incident):
        raise Refused(_("The client can withdraw this report alone."))
    incident = lifecycle.say(incident=incident, by=by, at=at, text=text)
    journal.append(incident, Kind.WITHDRAWAL_AGREED, by=by, at=to_second(at))
    incident.save()
    return incident
