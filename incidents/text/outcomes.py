"""What a page says after an act: what happened, who is told, and what runs now."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.models import Incident
from incidents.notices.reach import Audience
from incidents.notices.undelivered import UNDERWAY
from incidents.text.clock_sentences import Reading
from incidents.text.lead import standing


def outcome(happened: str, nr: str, *, since: int, now: datetime, for_client: bool) -> str:
    """`happened` and what is read of the incident after the act; `since` is its journal's length before."""
    incident = Incident.objects.with_row().get(nr=nr)
    sentences = [happened, "" if for_client else _told(incident, since), *_runs(incident, now, for_client=for_client)]
    return " ".join(sentence for sentence in sentences if sentence)


def _told(incident: Incident, since: int) -> str:
    """Who of the client gets a letter about the lines that the act wrote; that nobody does, where somebody should."""
    letters = incident.notices.filter(audience=Audience.CLIENT, entry__seq__gt=since)
    rows = list(letters.values_list("notification__recipient__name", "notification__status"))
    names = list(dict.fromkeys(name for name, status in rows if status in UNDERWAY))
    if rows and not names:
        return _("No letter can reach the client: call.")
    people = ", ".join(names)
    return ngettext("%(people)s gets it.", "%(people)s get it.", len(names)) % {"people": people} if names else ""


def _runs(incident: Incident, now: datetime, *, for_client: bool) -> list[str]:
    """How it stands after the act, and the update that is promised next."""
    lead = standing(incident, now=now, for_client=for_client).lead
    sentences = [f"{lead.plain if lead.style in {'hold', 'late'} else lead.lead}."]
    if incident.next_update_at and incident.next_update_at > now and not incident.is_ended:
        reading = Reading(now, incident.zone, for_client, today=False)
        sentences.append(_("Next message by %(time)s.") % {"time": reading.when(incident.next_update_at)})
    return sentences
