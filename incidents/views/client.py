"""The client's half of an incident: own duty first, then the clocks, the journal and what else one may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.active import show_client
from accounts.models import OWNER, REPORTER, User
from accounts.permissions import SignedRequest, open_to
from contracts.models import Severity, Target
from contracts.terms import seconds
from incidents import both_sides, lifecycle, reporting
from incidents.choices import ClockState, PauseReason, Status
from incidents.events import DELIVERIES, Kind
from incidents.forms.client import DetailsForm, WordsForm
from incidents.models import ClockRow, Incident, JournalEntry
from incidents.notices.undelivered import undelivered
from incidents.projection import rows as projection
from incidents.reading import read
from incidents.state import IncidentState
from incidents.steps import repair_steps
from incidents.text import journal_lines
from incidents.text.clock_sentences import incident_sentences
from incidents.views.why import contract_path
from wording import words
from wording.etag import etag_of, not_modified
from wording.fields import say_what_was_masked
from wording.refusals import attempt
from wording.words import local_day

Verb = Callable[..., Incident]


@dataclass(frozen=True, slots=True)
class Act:
    """What a client may do: the verb, the label and hint of its one box, and what the page says once it is done."""

    verb: Verb
    label: str | Promise
    done: str | Promise
    hint: str | Promise = ""


ACTS: dict[str, Act | None] = {
    "answer": Act(
        lifecycle.answer, gettext_lazy("Your answer"), gettext_lazy("Sent."),
        gettext_lazy("No passwords or card numbers."),
    ),
    "accept": Act(
        lifecycle.accept, gettext_lazy("Anything to add?"), gettext_lazy("Thank you, noted that it works."),
    ),
    "reject": Act(
        lifecycle.reject, gettext_lazy("What do you see?"), gettext_lazy("Sent back for repair. The clock runs again."),
    ),
    "contest": Act(
        lifecycle.contest, gettext_lazy("Why is it more urgent?"),
        gettext_lazy("Noted. The stricter deadlines run until we agree."),
        gettext_lazy("The stricter category's deadlines run until we have settled it together."),
    ),
    "manager": Act(
        lifecycle.ask_for_manager, gettext_lazy("What should the manager know?"),
        gettext_lazy("The managers have been told."),
    ),
    "cancel": Act(
        lifecycle.cancel, gettext_lazy("Why do you withdraw the report?"), gettext_lazy("The report is withdrawn."),
        gettext_lazy("The clocks end. What was late already stays recorded."),
    ),
    "details": None,
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@open_to(REPORTER, OWNER)
def act(request: SignedRequest, nr: str, verb: str) -> HttpResponse:
    """One address an action: GET shows the page with its form open, POST sends it."""
    incident = get_object_or_404(Incident.objects.visible_to(request.user).with_row(), nr=nr)
    now = timezone.now()
    if request.method != "POST":
        return show(request, incident, opened=verb)
    form = make_form(verb, incident, now, request.POST)
    done = _do(verb, form, incident, request.user, now)
    if not done:
        return show(request, incident, opened=verb, form=form)
    messages.success(request, done, extra_tags=f"{verb}-{nr}")
    say_what_was_masked(request, form)
    return redirect("incident", nr)


def make_form(verb: str, incident: Incident, now: datetime, data: Any = None) -> forms.Form:
    known = ACTS[verb]
    if known is None:
        return DetailsForm(data, now=now, zone=ZoneInfo(incident.zone), auto_id="details-%s", initial=_told(incident))
    return WordsForm(data, label=str(known.label), hint=str(known.hint), auto_id=f"{verb}-%s")


def _told(incident: Incident) -> dict[str, str]:
    return {name: getattr(incident, name) for name in ("affected", "page", "order_number")}


def _do(verb: str, form: forms.Form, incident: Incident, by: User, now: datetime) -> str:
    """What the page says when it is done; "" where it was not, the form then says why."""
    if not form.is_valid():
        return ""
    known = ACTS[verb]
    before = incident.journal_length
    facts = {"incident": incident, "by": by, "at": now}
    if known is None:
        assert isinstance(form, DetailsForm)
        changed = attempt(form, reporting.add_details, **facts, details=form.details)
    else:
        changed = attempt(form, known.verb, {"": "text"}, **facts, text=form.cleaned_data["text"])
    if changed is None:
        return ""
    if changed.journal_length == before:
        return _("This was done already; nothing has changed.")
    return str(known.done) if known else _("Thank you, the details are added.")


def show(
    request: SignedRequest, incident: Incident, *, opened: str = "", form: forms.Form | None = None
) -> HttpResponse:
    """The page, with the form of the act `opened` open; or, asked by the page itself, what has changed on it."""
    show_client(request, incident.client_id)
    now = timezone.now().replace(microsecond=0)
    context = page(request.user, incident, now)
    facts = [(one.target, one.style, str(one.lead), one.tail) for one in context["clocks"]]
    state = (incident.journal_length, incident.status, sorted(context["undelivered"]))
    etag = etag_of(state, facts, local_day(now, incident.zone), request.LANGUAGE_CODE)
    if request.GET.get("part") == "live":
        context |= {"mark": etag, "stale": request.GET.get("duty") != context["duty"]}
        return not_modified(request, etag) or render(request, "incidents/_client_live.html", context)
    shown = {verb: make_form(verb, incident, now) for verb in ACTS}
    if form:
        shown[opened] = form
    context |= {"forms": shown, "opened": opened, "form": form, "mark": etag}
    refused = form is not None and bool(form.errors)
    return render(request, "incidents/incident_client.html", context, status=422 if refused else 200)


def page(user: User, incident: Incident, now: datetime) -> dict[str, Any]:
    """Everything that the page and its live part show."""
    journal = read(incident, JournalEntry.objects.visible_to(user))
    state = journal.state
    clocks = incident_sentences(incident, now=now, for_client=True)
    if not any(one.is_open for one in clocks):
        clocks.reverse()  # what was delivered last is the news
    return {
        "incident": incident,
        "now": now,
        "zone": incident.zone,
        "clocks": clocks,
        "duty": client_action(incident, state),
        "question": _question(incident, journal.marks),
        "delivery": next((entry for entry in reversed(journal.marks) if entry.kind in DELIVERIES), None),
        "resend": _resend(incident),
        "claims": journal_lines.claims(journal.marks),
        "lines": _dated(journal_lines.lines(journal.entries, for_client=True), incident.zone, now),
        "older": journal.older,
        "undelivered": undelivered(incident, journal.entries),
        "steps": repair_steps(incident, state),
        "promises": _promises(incident),
        "contract_path": contract_path(user, incident),
        "silence": _silence(incident, now),
        "your_time": _your_time(incident, now),
        "both_sides": both_sides.why() if state.needs_both else "",
        "can_contest": not incident.contested and not incident.is_ended and incident.severity != Severity.P1,
    }


def _dated(lines: list[journal_lines.Line], zone: str, now: datetime) -> list[tuple[date | None, journal_lines.Line]]:
    """Each line with the day that begins above it, None where it is the same one or today."""
    day, found = now.astimezone(ZoneInfo(zone)).date(), []
    # A breach that was recorded late stands where its deadline was
    for line in sorted(lines, key=lambda one: (one.at, one.entry.seq), reverse=True):
        its = line.at.astimezone(ZoneInfo(zone)).date()
        found.append((its if its != day else None, line))
        day = its
    return found


def client_action(incident: Incident, state: IncidentState) -> str:
    """What the client must do now: "answer" a question, "check" a repair or a workaround; "" nothing, "over" never."""
    if incident.is_ended:
        return "over"
    if any(one.reason == PauseReason.CLIENT_ANSWER and one.ended_at is None for one in incident.pauses.all()):
        return "answer"
    if incident.status == Status.RESOLVED:
        return "check"
    is_new = state.delivery == Kind.WORKAROUND and not state.accepted
    return "check" if incident.status == Status.WORKAROUND and is_new else ""


def _question(incident: Incident, entries: Sequence[JournalEntry]) -> JournalEntry | None:
    asked = (one for one in reversed(entries) if one.kind == Kind.PAUSED and one.reason == PauseReason.CLIENT_ANSWER)
    return next(asked, None)


@dataclass(frozen=True, slots=True)
class Resend:
    """What sending a delivery back does to its clock: seconds left of it, or that it is late already."""

    left: int
    late: bool
    anew: bool


def _resend(incident: Incident) -> Resend | None:
    stopped = [row for row in incident.clocks.all() if row.stopped_at and row.target != "reaction"]
    row = max(stopped, key=lambda one: one.target == "final_fix", default=None)
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
    waits = [one for one in incident.pauses.all() if one.reason == PauseReason.CLIENT_ANSWER]
    return sum(work.between(seconds(one.started_at), seconds(one.ended_at or now)) for one in waits)


def _promises(incident: Incident) -> list[tuple[Target, int]]:
    """Each target of the category with its seconds."""
    if incident.version is None or not incident.severity:
        return []
    found = incident.version.targets.filter(severity=incident.severity).select_related("calendar")
    order = ("reaction", "restore", "final_fix")
    return [(target, target.minutes * 60) for target in sorted(found, key=lambda one: order.index(one.kind))]


def _silence(incident: Incident, now: datetime) -> str:
    """The last day on which a repair may still be sent back; the term ends with it, at 24:00."""
    if incident.silence_at is None:
        return ""
    zone = ZoneInfo(incident.zone)
    last = (incident.silence_at - timedelta(seconds=1)).astimezone(zone).date()
    return words.day(last, now.astimezone(zone).date(), "genitive")
