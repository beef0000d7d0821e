"""The client's half of an incident: first what the client must do, then clocks, journal, and what else one may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.active import show_client
from accounts.models import OWNER, REPORTER, User
from accounts.permissions import SignedRequest, open_to
from contracts.promises import promised
from contracts.terms import seconds
from incidents import both_sides
from incidents.choices import ClockState, PauseReason
from incidents.events import DELIVERIES, Kind
from incidents.forms.verb import VerbForm
from incidents.models import ClockRow, Incident, JournalEntry
from incidents.notices.undelivered import undelivered
from incidents.projection import rows as projection
from incidents.reading import read
from incidents.steps import repair_steps
from incidents.text import journal_lines
from incidents.text.lead import standing
from incidents.text.outcomes import outcome
from incidents.verbs import CLIENT_PAGES, Verb, client_action
from incidents.views.why import contract_path
from wording import words
from wording.etag import etag_of, not_modified
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.refusals import attempt
from wording.words import local_day


@require_http_methods(["GET", "HEAD", "POST"])
@open_to(REPORTER, OWNER)
def act(request: SignedRequest, nr: str, verb: Verb) -> HttpResponse:
    """One address an action: GET shows the page with its form open, POST sends it."""
    incident = get_object_or_404(Incident.objects.visible_to(request.user).with_row(), nr=nr)
    now = timezone.now()
    if request.method != "POST":
        return show(request, incident, opened=verb)
    form = make_form(verb, incident, now, request.POST)
    before = incident.journal_length
    changed = _act(verb, form, incident, request.user, now) if form.is_valid() else None
    if changed is None:
        return show(request, incident, opened=verb, form=form)
    happened = verb.sentence if changed.journal_length != before else _("This was done already; nothing has changed.")
    sentence = outcome(happened, nr, since=before, now=this_second(), for_client=True)
    messages.success(request, sentence, extra_tags=f"{verb.name}-{nr}")
    say_what_was_masked(request, form)
    return redirect("incident", nr)


def make_form(verb: Verb, incident: Incident, now: datetime, data: QueryDict | None = None) -> VerbForm:
    return verb.form(data, incident=incident, now=now, auto_id=f"{verb.name}-%s")


def _act(verb: Verb, form: VerbForm, incident: Incident, by: User, now: datetime) -> Incident | None:
    return attempt(form, verb.on_page, form.HOMES, incident=incident, by=by, at=now, **form.facts(now))


@dataclass(frozen=True, slots=True)
class Act:
    """A verb with its form, as the page shows them."""

    verb: Verb
    form: VerbForm


def show(
    request: SignedRequest, incident: Incident, *, opened: Verb | None = None, form: VerbForm | None = None
) -> HttpResponse:
    """The page, with the form of the act `opened` open; or, asked by the page itself, what has changed on it."""
    show_client(request, incident.client_id)
    now = this_second()
    context = page(request.user, incident, now)
    sentences = (context["lead"], *context["clocks"])
    facts = [(clock.target, clock.style, str(clock.lead), clock.tail) for clock in sentences]
    state = (incident.journal_length, incident.status, sorted(context["undelivered"]))
    etag = etag_of(state, facts, local_day(now, incident.zone), request.LANGUAGE_CODE)
    if request.GET.get("part") == "live":
        context |= {"mark": etag, "stale": request.GET.get("action") != context["client_action"]}
        return not_modified(request, etag) or render(request, "incidents/_client_live.html", context)
    acts = {verb.name: Act(verb, make_form(verb, incident, now)) for verb in context["verbs"]}
    if opened and form:
        acts[opened.name] = Act(opened, form)
    context |= {"acts": acts, "opened": opened.name if opened else "", "form": form, "mark": etag}
    refused = form is not None and bool(form.errors)
    return render(request, "incidents/incident_client.html", context, status=422 if refused else 200)


def page(user: User, incident: Incident, now: datetime) -> dict[str, Any]:
    """Everything that the page and its live part show."""
    journal = read(incident, JournalEntry.objects.visible_to(user))
    state = journal.state
    stands = standing(incident, now=now, for_client=True)
    return {
        "incident": incident,
        "now": now,
        "zone": incident.zone,
        "lead": stands.lead,
        "clocks": stands.clocks,
        "client_action": client_action(incident, state),
        "verbs": [verb for verb in CLIENT_PAGES if verb.available(incident, state)],
        "question": _question(incident, journal.marks),
        "delivery": next((entry for entry in reversed(journal.marks) if entry.kind in DELIVERIES), None),
        "resend": _resend(incident),
        "claims": journal_lines.claims(journal.marks),
        "lines": _dated(journal_lines.lines(journal.entries, for_client=True), incident.zone, now),
        "older": journal.older,
        "undelivered": undelivered(incident, journal.entries),
        "steps": repair_steps(incident, state),
        "promises": promised(incident.version, incident.severity),
        "contract_path": contract_path(user, incident),
        "silence": _silence(incident, now),
        "your_time": _your_time(incident, now),
        "both_sides": both_sides.why() if state.needs_both else "",
    }


def _dated(lines: list[journal_lines.Line], zone: str, now: datetime) -> list[tuple[date | None, journal_lines.Line]]:
    """Each line with the day that begins above it, None where it is the same one or today."""
    day, dated = now.astimezone(ZoneInfo(zone)).date(), []
    # A breach that was recorded late stands where its deadline was
    for line in sorted(lines, key=lambda line: (line.at, line.entry.seq), reverse=True):
        its = line.at.astimezone(ZoneInfo(zone)).date()
        dated.append((its if its != day else None, line))
        day = its
    return dated


def _question(incident: Incident, entries: Sequence[JournalEntry]) -> JournalEntry | None:
    questions = (
        entry for entry in reversed(entries) if entry.kind == Kind.PAUSED and entry.reason == PauseReason.CLIENT_ANSWER
    )
    return next(questions, None)


@dataclass(frozen=True, slots=True)
class Resend:
    """What sending a delivery back does to its clock: seconds left of it, or that it is late already."""

    left: int
    late: bool
    anew: bool


def _resend(incident: Incident) -> Resend | None:
    stopped = [row for row in incident.clocks.all() if row.stopped_at and row.target != "reaction"]
    row = max(stopped, key=lambda clock: clock.target == "final_fix", default=None)
    if row is None or row.deadline is None:
        return None
    late = row.state == ClockState.BREACHED
    anew = bool(incident.version and incident.version.reopen == "restart" and not late)
    return Resend(row.total if anew else _left(row), late, anew)


def _left(row: ClockRow) -> int:
    """Working seconds from the stop to the deadline."""
    work = projection.hours_of(row)
    if work is None or row.stopped_at is None or row.deadline is None:
        return 0
    return work.between(seconds(row.stopped_at), seconds(row.deadline))


def _your_time(incident: Incident, now: datetime) -> int:
    """Working seconds that the repair waited for the client's answers: the other side's time in this incident."""
    row = next((row for row in incident.clocks.all() if row.target == "restore"), None)
    work = projection.hours_of(row) if row else None
    if work is None:
        return 0
    waits = [pause for pause in incident.pauses.all() if pause.reason == PauseReason.CLIENT_ANSWER]
    return sum(work.between(seconds(pause.started_at), seconds(pause.ended_at or now)) for pause in waits)


def _silence(incident: Incident, now: datetime) -> str:
    """The last day on which a repair may still be sent back; the term ends with it, at 24:00."""
    return words.last_day(incident.silence_at, now, incident.zone) if incident.silence_at else ""
