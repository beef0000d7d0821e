"""What the monitor saw heal: taken by one click as the end of the repair, or denied; staff are asked once a rhythm."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Language, User
from contracts.terms import to_second
from incidents import journal, lifecycle, updates
from incidents.events import Kind
from incidents.models import Incident, JournalEntry
from incidents.notices import write as notices
from incidents.projection import rows as projection
from incidents.projection.record import record
from incidents.reporting import lock
from wording import words
from wording.refusals import Refused
from wording.texts import clean_text


def sentence_for_client(incident: Incident, at: datetime) -> str:
    """What a click says to the client where the person adds nothing, in the client's language."""
    if incident.restored_at is None:
        return ""
    with translation.override(incident.reporter.language if incident.reporter else Language.POLISH):
        since = words.when(incident.restored_at, at, incident.zone, "genitive", today=False)
        return _("Our monitor has seen it work since %(since)s. Please check that it works for you too.") % {
            "since": since
        }


@transaction.atomic
def take_recovery(*, incident: Incident, by: User, at: datetime, text: str = "") -> Incident:
    """The repair ended at the first good check: a delivery with a message to the client. Repeated, changes nothing."""
    incident, at = lock(incident), to_second(at)
    sentence = clean_text(text) or sentence_for_client(incident, at) or "-"
    return lifecycle.resolve(incident=incident, by=by, at=at, text=sentence, restored_at=incident.restored_at or at)


@transaction.atomic
def deny_recovery(*, incident: Incident, by: User, at: datetime, text: str = "") -> Incident:
    """It doesn't work, whatever the monitor sees: the clock goes on as if it had never stood."""
    incident, at = lock(incident), to_second(at)
    if incident.ask_at is None:
        raise Refused(_("The monitor does not see it work now; the clock runs."))
    entry = record(
        incident, Kind.RECOVERY_DENIED, by=by, at=at, text=text.strip(), facts=projection.stood(incident, at)
    )
    projection.project(incident, at=at)
    notices.tell_client(incident, entry, at=at)
    return incident


def ask_again(incident: Incident, at: datetime, rhythm: updates.Rhythm | None) -> JournalEntry | None:
    """The line that asks staff once more, chained, not yet stored; None where it isn't time.

    The sweep writes many rows at once and reads no journal: it sets the column that the line names by itself.
    """
    if incident.ask_at is None or incident.ask_at > at or incident.is_ended:
        return None
    incident.ask_at = projection.ask_after(rhythm, at)
    facts = {"ask_at": incident.ask_at.isoformat()}
    return journal.write(incident, Kind.RECOVERY_ASKED, by=None, at=at, facts=facts)
