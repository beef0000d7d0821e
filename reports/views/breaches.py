"""The manager's home: breaches that wait for a decision; and the review of one, with its breakdown and the decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import MANAGER, Client
from accounts.permissions import SignedRequest, open_to
from incidents.events import EVIDENCE
from incidents.models import Breach, Incident, JournalEntry
from incidents.queue import nearest, waiting
from incidents.text import journal_lines
from incidents.text.explanation import axis, explanation_rows
from reports.forms import ExclusionForm
from reports.models import BreachDecision
from reports.money import month_table, review
from reports.money.pricing import BreachPricer, PricedBreach, sums_by_currency
from reports.money.rows import money_rows
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.refusals import attempt, attempt_button
from wording.words import local_day, money

SOON = timedelta(hours=2)
DECIDED_SHOWN = 20  # under those that wait; every other stands in its incident


@require_GET
@open_to(MANAGER)
def show(request: SignedRequest) -> HttpResponse:
    now = this_second()
    contracts = month_table.running(Client.objects.visible_to(request.user), now)
    decided = list(_breaches(request).exclude(decisions=None).order_by("-decisions__at")[:DECIDED_SHOWN])
    ids = {contract.pk for contract in contracts} | {breach.version.contract_id for breach in decided}
    pricer = BreachPricer(_undecided(request), now, ids)
    cases = pricer.all_priced()
    context = {
        "now": now,
        "cases": cases,
        "totals": totals(cases),
        "soon": _soon(now),
        "months": month_table.contract_months(contracts, pricer, now),
        "month": local_day(now).replace(day=1),
        "second": _awaiting_second(request),
        "decided": [(breach, next(iter(breach.decisions.all())), pricer.counted(breach)) for breach in decided],
    }
    return render(request, "reports/breaches.html", context)


def totals(cases: Iterable[PricedBreach]) -> str:
    """`260,00 zł`, or a sum in each currency, joined by a plus."""
    return " + ".join(money(amount, currency) for currency, amount in sums_by_currency(cases).items())


def _breaches(request: SignedRequest) -> QuerySet[Breach]:
    related = ("incident__shop", "incident__client", "incident__version__contract", "version__contract")
    breaches = Breach.objects.visible_to(request.user).select_related(*related)
    return breaches.prefetch_related("decisions__by", "decisions__second_by")


def _undecided(request: SignedRequest) -> QuerySet[Breach]:
    return _breaches(request).filter(decisions=None).order_by("incident__severity", "deadline", "pk")


def _awaiting_second(request: SignedRequest) -> QuerySet[Breach]:
    """Decided by one person where more was at stake than one may decide."""
    return _breaches(request).filter(decisions__in=BreachDecision.objects.awaiting_second())


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
    request: SignedRequest, breach: Breach, *, opened: str = "", form: ExclusionForm | None = None, status: int = 200
) -> HttpResponse:
    now = this_second()
    undecided = list(_undecided(request))
    others = [breach, *(other for other in undecided if other.pk != breach.pk)]
    pricer = BreachPricer(others, now)
    cases = {priced.breach.pk: priced for priced in pricer.all_priced()}
    priced = cases[breach.pk]
    zone = breach.version.contract.zone
    decision = next(iter(breach.decisions.all()), None)
    context = {
        "now": now,
        "zone": zone,
        "case": priced,
        "breach": breach,
        "incident": breach.incident,
        "decision": decision,
        "needs_second": decision is not None and decision.awaits_second,
        "above": breach.version.second_person_above is not None and priced.own > breach.version.second_person_above,
        "liability": review.liability_words(breach.version),
        "excludes": breach.version.allowed_exclusions(),
        "limit": breach.version.second_person_above,
        "time_rows": explanation_rows(priced.clock, zone=zone, now=now),
        "axis": axis(priced.clock, zone=zone, now=now),
        "rows": money_rows(priced.breakdown, breach.version.currency) if priced.breakdown else [],
        "waiting": [cases[other.pk] for other in undecided],
        "evidence": journal_lines.lines(_evidence(breach))[::-1],
        "form": form or ExclusionForm(breach=breach),
        "opened": opened,
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
    breach = get_object_or_404(_breaches(request), pk=pk)
    if request.method == "GET":
        return _render(request, breach, opened="exclude")
    form, facts = ExclusionForm(request.POST, breach=breach), {"nr": breach.incident.nr}
    if not form.is_valid():
        return _render(request, breach, opened="exclude", form=form, status=422)
    exclusion = {"breach": breach, "by": request.user, "at": timezone.now(), **form.cleaned_data}
    decision = attempt(form, review.exclude, **exclusion)
    if decision is None and breach.decisions.exists():
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


@require_POST
@open_to(MANAGER)
def second(request: SignedRequest, pk: int) -> HttpResponse:
    breach = get_object_or_404(_breaches(request), pk=pk)
    decision = get_object_or_404(breach.decisions.all())
    agreed = attempt_button(request, review.second, decision=decision, by=request.user, at=timezone.now())
    if agreed is None:
        return redirect("breach", pk=pk)
    facts = {"nr": breach.incident.nr, "who": agreed.second_by.name if agreed.second_by else ""}
    messages.success(request, _("%(nr)s: second person %(who)s agrees, the decision counts") % facts)
    return redirect("breach", pk=pk)
