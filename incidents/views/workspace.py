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
from contracts.promises import promised
from contracts.terms import moment_or_none, seconds
from incidents.both_sides import is_seen
from incidents.clock import clocks as clock
from incidents.events import OVERTAKING, Kind
from incidents.forms.verb import VerbForm
from incidents.models import Incident, JournalEntry
from incidents.notices.undelivered import undelivered
from incidents.projection import rows as projection
from incidents.reading import Reading, read
from incidents.steps import repair_steps
from incidents.text import journal_lines
from incidents.text.lead import standing
from incidents.verbs import VERBS, Verb, offered, row
from messaging.models import Notification
from wording.etag import etag_of, not_modified
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.refusals import attempt
from wording.texts import number_in

SHOWN = 10  # of what may be many: the newest notices that failed, failures that the monitor saw, acts of others


@require_http_methods(["GET", "POST"])
@open_to(AGENT, MANAGER)
def act(request: SignedRequest, nr: str, verb: Verb) -> HttpResponse:
    """One address an action: GET opens its form in place, POST sends it."""
    incident = get_object_or_404(_visible(request), nr=nr)
    if request.method == "GET":
        return show(request, incident, opened=verb, form=verb.form(incident=incident, now=timezone.now()))
    newer_entries = _newer_entries(request, incident)
    data = request.POST.copy()
    if newer_entries:
        data["seen"] = str(incident.journal_length)
    now = timezone.now()
    form = verb.form(data, incident=incident, now=now)
    if newer_entries or not form.is_valid():
        return show(request, incident, opened=verb, form=form, newer_entries=newer_entries)
    facts = {"incident": incident, "by": request.user, "at": now, **form.facts(now)}
    if attempt(form, verb.on_page, form.HOMES, **facts) is None:
        return show(request, incident, opened=verb, form=form)
    messages.success(request, f"{incident.nr}: {verb.sentence}")
    say_what_was_masked(request, form)
    return redirect("queue") if request.POST.get("back") == "queue" else redirect("incident", nr=nr)


def _visible(request: SignedRequest) -> Any:
    incidents = Incident.objects.visible_to(request.user).with_row()
    return incidents.select_related("version__contract", "reporter", "client", "shop", "assignee")


def _newer_entries(request: SignedRequest, incident: Incident) -> list[JournalEntry]:
    """What others did since the page was made; shown once, then the person decides."""
    last_seen = number_in(request.POST.get("seen", ""))
    if last_seen is None or last_seen >= incident.journal_length:
        return []
    since = incident.journal.filter(seq__gt=last_seen, kind__in=OVERTAKING).exclude(by=request.user)
    return list(since.select_related("by").order_by("-seq")[:SHOWN])[::-1]


def show(
    request: SignedRequest,
    incident: Incident,
    *,
    opened: Verb | None = None,
    form: VerbForm | None = None,
    newer_entries: list[JournalEntry] | None = None,
) -> HttpResponse:
    """The page; `opened` is the action whose form stands open."""
    now = this_second()
    journal = read(incident, JournalEntry.objects.visible_to(request.user))
    silent = undelivered(incident, journal.entries)
    etag = etag_of(incident.journal_length, incident.status, sorted(silent), request.LANGUAGE_CODE)
    if request.htmx and opened is None:
        if answer := not_modified(request, etag):
            return answer
        return render(
            request, "incidents/_workspace_live.html", _context(journal, now, silent, request.user) | {"mark": etag}
        )
    refused = bool(form and form.errors) or bool(newer_entries)
    context = _context(journal, now, silent, request.user) | {
        "mark": etag,
        "opened": opened.name if opened else "",
        "verb": opened,
        "form": form,
        "newer_entries": newer_entries,
    }
    if form is None or context["opened"] not in {"say", "note"}:
        context["reply"] = VERBS["say"].form(incident=incident, now=now)
    return render(request, "incidents/workspace.html", context, status=422 if refused else 200)


def _context(journal: Reading, now: datetime, silent: set[int], reader: User) -> dict[str, Any]:
    incident, state = journal.incident, journal.state
    stands = standing(incident, now=now, for_client=False)
    return {
        "incident": incident,
        "now": now,
        "zone": incident.zone,
        "lead": stands.lead,
        "clocks": stands.clocks,
        "lines": journal_lines.lines(journal.entries, contact_at=incident.first_contact_at, money=reader.sees_money),
        "undelivered": silent,
        "older": journal.older,
        "chain": journal.check,
        "steps": repair_steps(incident, state),
        "claims": journal_lines.claims(journal.marks),
        "verbs": row(incident, state),
        "offered": offered(incident, state),
        "evidence": [(entry, journal_lines.said(entry)) for entry in journal.marks if is_seen(entry)][-SHOWN:],
        "failed_notices": Notification.objects.given_up()
        .filter(notice__incident=incident)
        .select_related("recipient")[:SHOWN],
        "open_incidents": _others(incident),
        "targets": promised(incident.version, incident.severity),
        "previews": previews(incident, journal.events, now),
    }


def _others(incident: Incident) -> list[Incident]:
    others = Incident.objects.active().filter(client=incident.client).exclude(pk=incident.pk)
    return list(others.select_related("shop").order_by("due_at")[:5])


@dataclass(frozen=True, slots=True)
class Preview:
    """What a stricter severity would do to a deadline."""

    severity: str
    target: str
    before: datetime | None
    after: datetime | None


def previews(incident: Incident, events: Sequence[clock.Event], now: datetime) -> list[Preview]:
    """Each open deadline under each stricter severity, were it to get worse now."""
    if incident.version is None or not events or incident.is_ended:
        return []
    terms = projection.version_terms(incident.version).terms
    before = clock.clocks(terms, events, seconds(now))
    rows = []
    for severity in Severity.values:
        if severity >= incident.severity:
            continue
        worse = (*events, clock.Event(seconds(now), Kind.SEVERITY, severity, "worse"))
        after = clock.clocks(terms, worse, seconds(now))
        rows += [
            Preview(severity, name, moment_or_none(before[name].deadline), moment_or_none(after[name].deadline))
            for name in clock.TARGETS
            if after[name].stopped_at is None and after[name].deadline is not None
        ]
    return rows
