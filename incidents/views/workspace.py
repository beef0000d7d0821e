"""The staff's incident page: journal and reply left, clocks, steps and context right; every action opens in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import AGENT, MANAGER, User
from accounts.permissions import SignedRequest, open_to
from contracts.models import Severity
from contracts.terms import moment, seconds
from incidents import lifecycle
from incidents.both_sides import is_seen
from incidents.choices import Status
from incidents.clock import clocks as clock
from incidents.events import OVERTAKING, Kind
from incidents.forms.staff import FORMS, VerbForm
from incidents.models import Incident, JournalEntry, Notification
from incidents.notices.undelivered import undelivered
from incidents.projection import rows as projection
from incidents.reading import Reading, read
from incidents.state import IncidentState
from incidents.steps import repair_steps
from incidents.text import journal_lines
from incidents.text.clock_sentences import incident_sentences
from wording.etag import etag_of, not_modified
from wording.fields import say_what_was_masked
from wording.refusals import attempt
from wording.texts import number_in

SHOWN = 10  # of what may be many: the newest notices that failed, failures that the monitor saw, acts of others


@require_http_methods(["GET", "POST"])
@open_to(AGENT, MANAGER)
def act(request: SignedRequest, nr: str, verb: str) -> HttpResponse:
    """One address an action: GET opens its form in place, POST sends it."""
    incident = get_object_or_404(_visible(request), nr=nr)
    if request.method == "GET":
        return show(request, incident, opened=verb, form=FORMS[verb](incident=incident))
    faster = _faster(request, incident)
    data = request.POST.copy()
    if faster:
        data["seen"] = str(incident.journal_length)
    form = FORMS[verb](data, incident=incident)
    if faster or not form.is_valid():
        return show(request, incident, opened=verb, form=form, faster=faster)
    if attempt(form, form.send, by=request.user, at=timezone.now()) is None:
        return show(request, incident, opened=verb, form=form)
    messages.success(request, f"{incident.nr}: {form.button}")
    say_what_was_masked(request, form)
    return redirect("queue") if request.POST.get("back") == "queue" else redirect("incident", nr=nr)


def _visible(request: SignedRequest) -> Any:
    found = Incident.objects.visible_to(request.user).with_row()
    return found.select_related("version__contract", "reporter", "client", "shop", "assignee")


def _faster(request: SignedRequest, incident: Incident) -> list[JournalEntry]:
    """What others did since the page was made; shown once, then the person decides."""
    seen = number_in(request.POST.get("seen", ""))
    if seen is None or seen >= incident.journal_length:
        return []
    since = incident.journal.filter(seq__gt=seen, kind__in=OVERTAKING).exclude(by=request.user)
    return list(since.select_related("by").order_by("-seq")[:SHOWN])[::-1]


def show(
    request: SignedRequest,
    incident: Incident,
    *,
    opened: str = "",
    form: VerbForm | None = None,
    faster: list[JournalEntry] | None = None,
) -> HttpResponse:
    """The page; `opened` names the action whose form stands open."""
    now = timezone.now().replace(microsecond=0)
    journal = read(incident, JournalEntry.objects.visible_to(request.user))
    silent = undelivered(incident, journal.entries)
    etag = etag_of(incident.journal_length, incident.status, sorted(silent), request.LANGUAGE_CODE)
    if request.htmx and opened == "":
        if answer := not_modified(request, etag):
            return answer
        return render(
            request, "incidents/_workspace_live.html", _context(journal, now, silent, request.user) | {"mark": etag}
        )
    refused = bool(form and form.errors) or bool(faster)
    context = _context(journal, now, silent, request.user) | {
        "mark": etag,
        "opened": opened,
        "form": form,
        "faster": faster,
    }
    if opened not in {"say", "note"} or form is None:
        context["reply"] = FORMS["say"](incident=incident)
    return render(request, "incidents/workspace.html", context, status=422 if refused else 200)


def _context(journal: Reading, now: datetime, silent: set[int], reader: User) -> dict[str, Any]:
    incident, state = journal.incident, journal.state
    clocks = incident_sentences(incident, now=now, for_client=False)
    return {
        "incident": incident,
        "now": now,
        "zone": incident.zone,
        "lead": clocks[0] if clocks else None,
        "clocks": clocks[1:],
        "lines": journal_lines.lines(journal.entries, contact_at=incident.first_contact_at, money=reader.sees_money),
        "undelivered": silent,
        "older": journal.older,
        "chain": journal.check,
        "steps": repair_steps(incident, state),
        "claims": journal_lines.claims(journal.marks),
        "verbs": [*available(incident), *agreement(incident, state)],
        "starts_work": starts_work(incident, state),
        "evidence": [(entry, journal_lines.said(entry)) for entry in journal.marks if is_seen(entry)][-SHOWN:],
        "failed_notices": Notification.objects.given_up().filter(incident=incident).select_related("recipient")[:SHOWN],
        "open_incidents": _others(incident),
        "targets": _promises(incident),
        "previews": previews(incident, journal.events, now),
    }


def _others(incident: Incident) -> list[Incident]:
    others = Incident.objects.active().filter(client=incident.client).exclude(pk=incident.pk)
    return list(others.select_related("shop").order_by("due_at")[:5])


def _promises(incident: Incident) -> list[Any]:
    if incident.version is None or not incident.severity:
        return []
    targets = incident.version.targets.filter(severity=incident.severity).select_related("calendar")
    return sorted(targets, key=lambda target: clock.TARGETS.index(target.kind))


def available(incident: Incident) -> list[str]:
    """The actions that make sense now, in the order of the buttons."""
    if incident.is_ended:
        return []
    verbs = ["resume"] if any(pause.ended_at is None for pause in incident.pauses.all()) else []
    if incident.status == Status.RESOLVED:
        return ["resolve", "assign"] if incident.client_wrote_at else ["assign"]
    if incident.is_request:
        return ["resolve", "severity", "assign"]
    if incident.status != Status.WORKAROUND:
        verbs.append("workaround")
    stricter = incident.severity > "P1"
    return [*verbs, "resolve", "pause", *(["severity"] if stricter else []), "assign", "backup"]


def agreement(incident: Incident, state: IncidentState) -> list[str]:
    """What the client may withdraw only with us can be agreed to."""
    return ["agree-withdrawal"] if not incident.is_ended and state.needs_both else []


def starts_work(incident: Incident, state: IncidentState) -> bool:
    """Whether the start of work is still to be said, where the contract counts the repair from it."""
    if incident.is_ended or not lifecycle.counts_from_work(incident):
        return False
    return state.work_started_at is None and not state.delivery


@dataclass(frozen=True, slots=True)
class Preview:
    """What a stricter category would do to a deadline."""

    severity: str
    target: str
    before: datetime | None
    after: datetime | None


def previews(incident: Incident, events: Sequence[clock.Event], now: datetime) -> list[Preview]:
    """Each open deadline under each stricter category, were it to get worse now."""
    if incident.version is None or not events or incident.is_ended:
        return []
    terms = projection.version_terms(incident.version).terms
    before = clock.clocks(terms, events, seconds(now))
    found = []
    for severity in Severity.values:
        if severity >= incident.severity:
            continue
        worse = (*events, clock.Event(seconds(now), Kind.SEVERITY, severity, "worse"))
        after = clock.clocks(terms, worse, seconds(now))
        found += [
            Preview(severity, name, _moment(before[name].deadline), _moment(after[name].deadline))
            for name in clock.TARGETS
            if after[name].stopped_at is None and after[name].deadline is not None
        ]
    return found


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else moment(instant)
