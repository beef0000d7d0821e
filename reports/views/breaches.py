"""The manager's home: breaches that wait for a decision; and the review of one, with its breakdown and the decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import MANAGER, Client
from accounts.permissions import SignedRequest, open_to
from contracts.models import Contract
from incidents.events import EVIDENCE
from incidents.models import Breach, Incident, JournalEntry
from incidents.queue import nearest, waiting
from incidents.text import journal_lines
from incidents.text.explanation import axis, explanation_rows
from reports.forms import ExclusionForm, TakeBackForm
from reports.models import BreachDecision, DecisionQuerySet, undecided
from reports.money import month_table, review
from reports.money.outlook import Outlook, outlook_of
from reports.money.pricing import BreachPricer, PricedBreach, sums_by_currency
from reports.money.rows import money_rows
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.refusals import attempt, attempt_button
from wording.words import local_day, money

SOON = timedelta(hours=2)
DECIDED_SHOWN = 20  # under those that wait; every other stands in its incident
# What a page draws and prices; the rest is one link away
WAITING_SHOWN = 50
CONTRACTS_SHOWN = 20
BREACH = ("incident__shop", "incident__client", "incident__version__contract", "version__contract")


@require_GET
@open_to(MANAGER)
def show(request: SignedRequest) -> HttpResponse:
    """Each breach stands in one block: undecided, waiting for a second person, or decided."""
    now = this_second()
    contracts = month_table.running(Client.objects.visible_to(request.user), now)
    shown = _contracts_shown(request, contracts, now)
    count, waiting_breaches = _waiting(request)
    second = list(_decisions(request).awaiting_second())
    decided = list(
        _decisions(request).exclude(pk__in=[row.pk for row in second]).order_by("-at", "-pk")[:DECIDED_SHOWN]
    )
    written = [*second, *decided]
    ids = {contract.pk for contract in shown} | {row.breach.version.contract_id for row in written}
    pricer = BreachPricer([*waiting_breaches, *(row.breach for row in written if not row.standing)], now, ids)
    cases = [pricer.priced(breach) for breach in waiting_breaches]
    context = {
        "now": now,
        "cases": cases,
        "count": count,
        "totals": totals(cases),
        "soon": _soon(now),
        "months": month_table.contract_months(shown, pricer, now, among=contracts),
        "contracts": len(contracts),
        "all_shown": len(shown) == len(contracts),
        "month": local_day(now).replace(day=1),
        "second": [_written(row, pricer) for row in second],
        "decided": [_written(row, pricer) for row in decided],
    }
    return render(request, "reports/breaches.html", context)


def _waiting(request: SignedRequest) -> tuple[int, list[Breach]]:
    """How many wait, and those of them that are drawn."""
    rows = _undecided(request)
    drawn = list(rows if request.GET.get("waiting") == "all" else rows[: WAITING_SHOWN + 1])
    if len(drawn) <= WAITING_SHOWN or request.GET.get("waiting") == "all":
        return len(drawn), drawn
    return rows.count(), drawn[:WAITING_SHOWN]


def _contracts_shown(request: SignedRequest, contracts: list[Contract], now: datetime) -> list[Contract]:
    if len(contracts) <= CONTRACTS_SHOWN or request.GET.get("months") == "all":
        return contracts
    return month_table.worst_first(contracts, now)[:CONTRACTS_SHOWN]


@dataclass(frozen=True, slots=True)
class WrittenDecision:
    """A decision that stands, with what of it counts; `why_nothing` where that is nothing."""

    decision: BreachDecision
    counted: Decimal
    why_nothing: str


def _written(decision: BreachDecision, pricer: BreachPricer) -> WrittenDecision:
    breach = decision.breach
    return WrittenDecision(decision, pricer.counted(breach), pricer.why_nothing(breach))


def totals(cases: Iterable[PricedBreach]) -> str:
    """`260,00 zł`, or a sum in each currency, joined by a plus."""
    return " + ".join(money(amount, currency) for currency, amount in sums_by_currency(cases).items())


def _breaches(request: SignedRequest) -> QuerySet[Breach]:
    breaches = Breach.objects.visible_to(request.user).select_related(*BREACH)
    return breaches.prefetch_related("decisions__by", "decisions__second_by", "decisions__taken_back_by")


def _undecided(request: SignedRequest) -> QuerySet[Breach]:
    breaches = undecided(Breach.objects.visible_to(request.user)).select_related(*BREACH)
    return breaches.order_by("incident__severity", "deadline", "pk")


def _decisions(request: SignedRequest) -> DecisionQuerySet:
    """Those that stand, with their breaches."""
    related = ("by", "second_by", *(f"breach__{name}" for name in BREACH))
    return BreachDecision.objects.visible_to(request.user).standing().select_related(*related)


def _soon(now: datetime) -> list[dict[str, Any]]:
    """What may be late within two hours, the nearest first."""
    near = (
        Incident.objects.with_row()
        .filter(pk__in=waiting().filter(due_at__gte=now, due_at__lt=now + SOON))
        .order_by("due_at")[:10]
    )
    return [{"incident": incident, "clock": nearest(incident, now)} for incident in near]


@require_GET
@open_to(MANAGER)
def case(request: SignedRequest, pk: int) -> HttpResponse:
    breach = get_object_or_404(_breaches(request), pk=pk)
    return _render(request, breach, opened=request.GET.get("open", ""))


def _render(
    request: SignedRequest,
    breach: Breach,
    *,
    opened: str = "",
    form: Form | None = None,
    status: int = 200,
    prospect: Outlook | None = None,
) -> HttpResponse:
    """`opened`: the act whose form stands in the page, `form` as it was sent; `prospect`: what it would give."""
    now = this_second()
    waiting_count, waiting_breaches = _waiting(request)
    others = [breach, *(other for other in waiting_breaches if other.pk != breach.pk)]
    pricer = BreachPricer(others, now)
    cases = {priced.breach.pk: priced for priced in pricer.all_priced()}
    priced = cases[breach.pk]
    zone = breach.version.contract.zone
    day = breach.deadline.astimezone(ZoneInfo(zone)).date()
    decisions = list(breach.decisions.all())
    decision = next((row for row in decisions if row.taken_back_at is None), None)
    context = {
        "now": now,
        "zone": zone,
        "case": priced,
        "breach": breach,
        "incident": breach.incident,
        "decision": decision,
        "earlier": [row for row in decisions if row.taken_back_at],
        "needs_second": decision is not None and decision.awaits_second,
        "above": breach.version.second_person_above is not None and priced.own > breach.version.second_person_above,
        "liability": review.liability_words(breach.version),
        "excludes": breach.version.allowed_exclusions(),
        "limit": breach.version.second_person_above,
        "time_rows": explanation_rows(priced.clock, zone=zone, day=day),
        "axis": axis(priced.clock, zone=zone, now=now, day=day),
        "rows": money_rows(priced.breakdown, breach.version.currency) if priced.breakdown else [],
        "waiting_count": waiting_count,
        "waiting": [cases[other.pk] for other in waiting_breaches],
        "next": next((cases[row.pk] for row in waiting_breaches if row.pk != breach.pk and row.stopped_at), None),
        "evidence": journal_lines.lines(_evidence(breach))[::-1],
        "form": form
        or (
            TakeBackForm(initial={"decision": decision.pk})
            if decision and opened == "take-back"
            else ExclusionForm(breach=breach)
        ),
        "opened": opened,
        "outlook": prospect,
        "refusal": "",  # it stands at its field
    }
    return render(request, "reports/breach.html", context, status=status)


def _evidence(breach: Breach) -> list[JournalEntry]:
    """The entries that made the clock what it is."""
    return list(breach.incident.journal.filter(kind__in=EVIDENCE).select_related("by"))


@require_POST
@open_to(MANAGER)
def confirm(request: SignedRequest, pk: int) -> HttpResponse:
    breach = get_object_or_404(_breaches(request), pk=pk)
    facts = {"nr": breach.incident.nr}
    decision = attempt_button(request, review.confirm, breach=breach, by=request.user, at=timezone.now())
    if decision is None:
        return redirect("breach", pk=pk)
    if decision.awaits_second:
        messages.success(request, _("%(nr)s: breach confirmed; it is charged when a second person agrees") % facts)
    else:
        messages.success(request, _("%(nr)s: breach confirmed") % facts)
    return redirect("breach", pk=pk)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER)
def exclude(request: SignedRequest, pk: int) -> HttpResponse:
    """`preview` shows what the typed time would give, and decides nothing."""
    breach = get_object_or_404(_breaches(request), pk=pk)
    if request.method == "GET":
        return _render(request, breach, opened="exclude")
    if "preview" in request.POST or "preview" in request.GET:
        return _look_ahead(request, breach)
    form, facts = ExclusionForm(request.POST, breach=breach), {"nr": breach.incident.nr}
    if not form.is_valid():
        return _render(request, breach, opened="exclude", form=form, status=422)
    exclusion = {"breach": breach, "by": request.user, "at": timezone.now(), **form.cleaned_data}
    decision = attempt(form, review.exclude, **exclusion)
    if decision is None and BreachDecision.objects.standing().filter(breach=breach).exists():
        # A decided breach's page has no form in which the sentence could stand
        messages.error(request, " ".join(str(sentence) for sentences in form.errors.values() for sentence in sentences))
        return redirect("breach", pk=pk)
    if decision is None:
        return _render(request, breach, opened="exclude", form=form, status=422)
    say_what_was_masked(request, form)
    if decision.awaits_second:
        messages.success(request, _("%(nr)s: the exclusion counts when a second person agrees") % facts)
    else:
        messages.success(request, _("%(nr)s: time excluded, both amounts are kept") % facts)
    return redirect("breach", pk=pk)


def _look_ahead(request: SignedRequest, breach: Breach) -> HttpResponse:
    """The page with what would come of the exclusion; for htmx that part alone."""
    form = ExclusionForm(request.POST, breach=breach, ahead=True)
    prospect = _outlook(form) if form.is_valid() and breach.stopped_at else None
    if request.htmx:
        refusal = next((sentence for field in ("start", "end") for sentence in form.errors.get(field, ())), "")
        return render(request, "reports/_outlook.html", {"breach": breach, "outlook": prospect, "refusal": refusal})
    status = 422 if form.errors else 200
    return _render(request, breach, opened="exclude", form=form, status=status, prospect=prospect)


def _outlook(form: ExclusionForm) -> Outlook | None:
    """None where the time isn't part of the delay: the form then says so."""
    given = {name: form.cleaned_data[name] for name in ("start", "end", "reason")}
    return attempt(form, outlook_of, pricer=BreachPricer([form.breach], this_second()), breach=form.breach, **given)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER)
def take_back(request: SignedRequest, pk: int, decision: int) -> HttpResponse:
    """Of the decision that the page showed: another may stand by now."""
    breach = get_object_or_404(_breaches(request), pk=pk)
    row = get_object_or_404(breach.decisions.all(), pk=decision)
    if request.method == "GET":
        return _render(request, breach, opened="take-back")
    form = TakeBackForm(request.POST)
    if not form.is_valid():
        return _render(request, breach, opened="take-back", form=form, status=422)
    taken = {"decision": row, "by": request.user, "at": timezone.now(), "why": form.cleaned_data["why"]}
    if attempt_button(request, review.take_back, **taken):
        say_what_was_masked(request, form)
        text = _("%(nr)s: the decision is taken back, the breach waits for another one")
        messages.success(request, text % {"nr": breach.incident.nr})
    return redirect("breach", pk=pk)


@require_POST
@open_to(MANAGER)
def second(request: SignedRequest, pk: int) -> HttpResponse:
    breach = get_object_or_404(_breaches(request), pk=pk)
    decision = get_object_or_404(breach.decisions.filter(taken_back_at=None))
    agreed = attempt_button(request, review.second, decision=decision, by=request.user, at=timezone.now())
    if agreed is None:
        return redirect("breach", pk=pk)
    facts = {"nr": breach.incident.nr, "who": agreed.second_by.name if agreed.second_by else ""}
    messages.success(request, _("%(nr)s: second person %(who)s agrees, the decision counts") % facts)
    return redirect("breach", pk=pk)
