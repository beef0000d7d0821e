"""The staff's incident page: journal and reply left, clocks, steps and context right; every action opens in place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import AGENT, MANAGER, User
from accounts.permissions import SignedRequest, open_to
from contracts.promises import promised
from incidents.both_sides import is_seen
from incidents.events import OVERTAKING, Kind
from incidents.forms.verb import VerbForm
from incidents.models import Incident, JournalEntry
from incidents.notices.undelivered import undelivered
from incidents.reading import Reading, read
from incidents.steps import repair_steps
from incidents.text import journal_lines
from incidents.text.consequences import consequences, previews
from incidents.text.lead import standing
from incidents.text.ongoing_work import ongoing_work
from incidents.text.outcomes import outcome
from incidents.verbs import VERBS, Verb, offered, row
from messaging.models import Notification
from wording import words
from wording.etag import etag_of, not_modified
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.refusals import attempt
from wording.texts import number_in

COMPOSED = ("say", "call", "note")  # the verbs of the box in which words are written, by its tabs
SHOWN = 10  # of what may be many: the newest notices that failed, failures that the monitor saw, acts of others


@require_http_methods(["GET", "POST"])
@open_to(AGENT, MANAGER)
def act(request: SignedRequest, nr: str, verb: Verb) -> HttpResponse:
    """One address an action: GET opens its form in place, POST sends it."""
    incident = get_object_or_404(_visible(request), nr=nr)
    if request.method == "GET":
        return show(request, incident, opened=verb, form=_blank(verb, incident, request.user))
    newer_entries = _newer_entries(request, incident)
    data = request.POST.copy()
    if newer_entries:
        data["seen"] = str(incident.journal_length)
    now = timezone.now()
    form = verb.form(data, incident=incident, now=now)
    if newer_entries or not form.is_valid():
        return show(request, incident, opened=verb, form=form, newer_entries=newer_entries)
    facts = {"incident": incident, "by": request.user, "at": now, **form.facts(now)}
    before, to_queue = incident.journal_length, request.POST.get("back") == "queue"
    changed = attempt(form, verb.on_page, form.HOMES, **facts)
    if changed is None:
        return show(request, incident, opened=verb, form=form)
    happened = verb.sentence if changed.journal_length != before else _("This was done already; nothing has changed.")
    sentence = outcome(happened, nr, since=before, now=this_second(), for_client=False)
    messages.success(request, f"{nr}: {sentence}" if to_queue else sentence, extra_tags=f"{verb.name}-{nr}")
    say_what_was_masked(request, form)
    return redirect("queue") if to_queue else redirect("incident", nr=nr)


def _blank(verb: Verb, incident: Incident, reader: User) -> VerbForm:
    """Its form as it opens: own words start from the sentence that one click would send."""
    now = timezone.now()
    initial = {"text": verb.own_words(incident, reader, now)} if verb.own_words else {}
    return verb.form(incident=incident, now=now, initial=initial)


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
        **_opened(journal, opened, now),
    }
    if form is None:
        context |= {"compose": VERBS["say"], "form": VERBS["say"].form(incident=incident, now=now)}
    elif opened and opened.name in COMPOSED:
        context["compose"] = opened
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
        "check_by": words.last_day(incident.silence_at, now, incident.zone) if incident.silence_at else "",
        "rejection": _rejection(journal),
        "rejected": state.delivery,
        "runs": stands.lead.is_open,
        "phone": incident.phone or (incident.reporter.phone if incident.reporter else ""),
        "tabs": [VERBS[name] for name in COMPOSED],
        "claims": journal_lines.claims(journal.marks),
        "verbs": row(incident, state),
        "offered": offered(incident, state),
        "evidence": [(entry, journal_lines.said(entry)) for entry in journal.marks if is_seen(entry)][-SHOWN:],
        "failed_notices": Notification.objects.given_up()
        .filter(notice__incident=incident)
        .select_related("recipient")[:SHOWN],
        "open_incidents": _others(incident),
        "targets": promised(incident.version, incident.severity),
        "ongoing_work": ongoing_work(incident, now),
    }


def _opened(journal: Reading, verb: Verb | None, now: datetime) -> dict[str, Any]:
    """What the form that stands open would do if it were sent now."""
    if verb is None:
        return {}
    return {
        "consequences": consequences(verb.name, journal.incident, journal.events, now),
        "previews": previews(journal.incident, journal.events, now) if verb.name == "severity" else (),
    }


def _rejection(journal: Reading) -> JournalEntry | None:
    """The client's "still broken", until something is delivered again."""
    if journal.state.rejected_at is None or journal.incident.is_ended:
        return None
    return next((entry for entry in reversed(journal.marks) if entry.kind == Kind.REJECTED), None)


def _others(incident: Incident) -> list[Incident]:
    others = Incident.objects.active().filter(client=incident.client).exclude(pk=incident.pk)
    return list(others.select_related("shop").order_by("due_at")[:5])
