"""Work that goes on at an incident's shop, in one sentence for receipt, letter and staff's page."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from contracts.planned import MaintenanceWindow
from incidents.models import Incident
from wording import words


def ongoing_work(incident: Incident, now: datetime, *, today: bool = True) -> str:
    """`Work on this shop is planned until 4:00: the database.`; "" where none goes on.

    `today`: whether the time may be called "today", which no letter may.
    """
    window = MaintenanceWindow.objects.going_on(now).filter(shop=incident.shop_id).first()
    if window is None:
        return ""
    until = words.when(window.until, now, incident.zone, today=today)
    return _("Work on this shop is planned until %(until)s: %(note)s.") % {"until": until, "note": window.note}
