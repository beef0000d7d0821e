"""The whole journal of an incident and whether its chain holds, also against a head from a mail."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.active import show_client
from accounts.models import AGENT, MANAGER, OWNER, REPORTER
from accounts.permissions import SignedRequest, open_to
from incidents import reading
from incidents.anchors import vouched
from incidents.models import Incident, JournalEntry
from incidents.notices.undelivered import undelivered
from incidents.text import journal_lines
from wording.instants import this_second
from wording.texts import number_in

# Hexadecimal digits. One of 5,000 entries begins with a head that isn't its own in one case of 860,000 (2³² / 5,000)
SHORTEST_HEAD = 8


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
def whole(request: SignedRequest, nr: str) -> HttpResponse:
    """Every entry that the reader may see, page by page (`?before=`); the chain is checked over hidden ones too.

    A long journal's is checked where somebody asks for it (`?check=`) or pastes a head.
    """
    incident = get_object_or_404(Incident.objects.visible_to(request.user).with_row(), nr=nr)
    show_client(request, incident.client_id)
    typed = request.GET.get("head", "")
    head = "".join(typed.split()).lower()
    shown = reading.page(incident, JournalEntry.objects.visible_to(request.user), _before(request, incident))
    too_short = bool(head) and len(head) < SHORTEST_HEAD
    staff = request.user.works_incidents
    context = {
        "incident": incident,
        "now": this_second(),
        "zone": incident.zone,
        "page": shown,
        "hidden": journal_lines.hidden_words(shown.hidden_numbers),
        "older": shown.first if shown.first > 1 else None,
        "lines": journal_lines.lines(
            shown.entries,
            for_client=not staff,
            whole=True,
            contact_at=incident.first_contact_at,
            money=request.user.sees_money,
        ),
        "undelivered": undelivered(incident, shown.entries),
        "part": (part := _part(request, incident, "" if too_short else head)),
        "check": part and part.check,
        "vouched": vouched(incident),
        "typed": typed,
        "too_short": too_short,
        "has_errors": too_short,
    }
    return render(request, "incidents/journal.html", context)


def _part(request: SignedRequest, incident: Incident, head: str) -> reading.Part | None:
    """The check that was asked for, of a short journal always; None where nobody asked."""
    if incident.journal_length > reading.WHOLE and not head and "check" not in request.GET:
        return None
    first = number_in(request.GET.get("check", "")) or 1
    return reading.check(incident, first if first <= incident.journal_length else 1, head)


def _before(request: SignedRequest, incident: Incident) -> int | None:
    """The number before which to read; what is none of this journal's shows its newest page."""
    number = number_in(request.GET.get("before", "")) or 0
    return number if 1 < number <= incident.journal_length else None
