"""The whole journal of an incident and whether its chain holds, also against a head from a mail."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.active import show_client
from accounts.models import AGENT, MANAGER, OWNER, REPORTER
from accounts.permissions import SignedRequest, open_to
from incidents import journal_words
from incidents.anchors import vouched
from incidents.journal import check_chain
from incidents.models import Incident
from incidents.undelivered import undelivered

SHORTEST_HEAD = 8


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
def whole(request: SignedRequest, nr: str) -> HttpResponse:
    """Every entry that the reader may see; the chain is checked over all of them, so hidden ones count too."""
    incident = get_object_or_404(Incident.objects.visible_to(request.user).with_row(), nr=nr)
    show_client(request, incident.client_id)
    typed = request.GET.get("head", "")
    head = "".join(typed.split()).lower()
    entries = list(incident.journal.select_related("by").order_by("seq"))
    seen = [entry for entry in entries if entry.public or request.user.works_incidents]
    context = {
        "incident": incident,
        "now": timezone.now().replace(microsecond=0),
        "zone": incident.zone,
        "lines": journal_words.lines(seen, for_client=not request.user.works_incidents, whole=True),
        "undelivered": undelivered(incident, seen),
        "check": check_chain(entries, head),
        "vouched": vouched(incident),
        "hidden": len(entries) - len(seen),
        "typed": typed,
        "too_short": bool(head) and len(head) < SHORTEST_HEAD,
        "has_errors": bool(head) and len(head) < SHORTEST_HEAD,
    }
    return render(request, "incidents/journal.html", context)
