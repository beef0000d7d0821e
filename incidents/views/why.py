"""Why this deadline: the explanation of a clock, line by line, from the calculation's own trace."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET

from accounts.active import show_client
from accounts.models import AGENT, MANAGER, OWNER, REPORTER, User
from accounts.permissions import SignedRequest, open_to
from contracts.calendar_text import week_words
from contracts.models import TargetKind
from contracts.terms import moment
from contracts.time_text import days_words
from incidents.clock.clocks import Clock
from incidents.events import Kind
from incidents.models import Incident
from incidents.projection import rows as projection
from incidents.text import journal_lines
from incidents.text.explanation import axis, explanation_rows, hms
from wording import words
from wording.instants import this_second

BY = {
    "reaction": gettext_noop("Why contact by %(time)s?"),
    "restore": gettext_noop("Why repair by %(time)s?"),
    "final_fix": gettext_noop("Why the final fix by %(time)s?"),
}
STANDS = {
    "reaction": gettext_noop("Why does the reaction have no deadline?"),
    "restore": gettext_noop("Why does the repair have no deadline now?"),
    "final_fix": gettext_noop("Why does the final fix have no deadline now?"),
}


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
def why(request: SignedRequest, nr: str, target: str) -> HttpResponse:
    incident = get_object_or_404(Incident.objects.visible_to(request.user).with_row(), nr=nr)
    if target not in TargetKind.values:
        raise Http404
    show_client(request, incident.client_id)
    now = this_second()
    clock = projection.clocks_of(incident, now).get(target)
    if clock is None or (not clock.trace and not clock.earlier):
        raise Http404
    return render(request, "incidents/why.html", _context(request.user, incident, clock, now))


def _context(user: User, incident: Incident, clock: Clock, now: datetime) -> dict[str, Any]:
    zone = incident.zone
    return {
        "incident": incident,
        "now": now,
        "zone": zone,
        "clock": clock,
        "title": title(clock, zone),
        "lead": lead(clock, zone),
        "axis": axis(clock, zone=zone, now=now, day=_first_day(clock, zone)),
        "claims": journal_lines.claims(incident.journal.filter(kind=Kind.REPORTED_CLAIM)),
        "rows": explanation_rows(clock, zone=zone),
        "earlier": [(lap, explanation_rows(lap, zone=zone)) for lap in reversed(clock.earlier)],
        "hours": week_words(clock.calendar) if clock.calendar else "",
        "contract_path": contract_path(user, incident),
    }


def _first_day(clock: Clock, zone: str) -> date | None:
    """The day that the sentence above the axis names."""
    return None if clock.started_at is None else words.local_day(moment(clock.started_at), zone)


def title(clock: Clock, zone: str) -> str:
    if clock.deadline is None:
        return _(STANDS[clock.target])
    return _(BY[clock.target]) % {"time": words.full_time(moment(clock.deadline), zone, seconds=False)}


def lead(clock: Clock, zone: str) -> str:
    """One sentence before the explanation: where it began, how much it had, and what has come of it."""
    if clock.cancelled_at is not None:
        sentence = _("This clock does not run: it was cancelled %(since)s. Below is how far it had come.")
        return sentence % {"since": words.full_time(moment(clock.cancelled_at), zone)}
    if clock.started_at is None:
        return _("This clock does not run; below is how its earlier run was judged.")
    days = clock.choice.days
    facts = {
        "start": words.full_time(moment(clock.started_at), zone),
        "span": days_words(days.days, days.reading) if days else words.span(clock.total),
        "severity": clock.severity,
        "left": hms(clock.left),
        "late": hms(clock.late),
        "seen": words.full_time(moment(clock.seen_at), zone) if clock.seen_at else "",
    }
    return " ".join(
        (
            _("The clock started %(start)s; the contract gives %(span)s for %(severity)s.") % facts,
            _(COMES_TO[clock.state]) % facts,
        )
    )


COMES_TO = {
    "running": gettext_noop("Of that %(left)s is left."),
    "paused": gettext_noop("It is paused: %(left)s is left, and the deadline comes back when it runs again."),
    "seen_working": gettext_noop(
        "It stands with %(left)s left: our monitor sees it work since %(seen)s. It stops there if we confirm it, "
        "and goes on if it fails again or does not work."
    ),
    "met": gettext_noop("It was met with %(left)s to spare."),
    "breached": gettext_noop("It was missed by %(late)s."),
}


def contract_path(user: User, incident: Incident) -> str:
    """Where the contract is read, for those who may: it holds money."""
    if incident.version is None or user.role_for(incident.client_id) not in {OWNER, MANAGER}:
        return ""
    return reverse("contract", args=[incident.version.contract.address])
