"""One calendar: its week, the days ahead that have other hours, and the history of their entries."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import ADMIN, MANAGER, User
from accounts.permissions import SignedRequest, open_to
from contracts import agreements, calendar_text
from contracts.forms.calendar import DayForm
from contracts.models import Calendar, CalendarDay, Contract, ContractVersion
from contracts.terms import calendar_terms
from incidents import days_off
from wording.instants import this_second
from wording.refusals import attempt, attempt_button
from wording.words import full_date


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def show(request: SignedRequest, pk: int) -> HttpResponse:
    """One calendar; a POST enters a day ahead."""
    calendar = get_object_or_404(_calendars(request), pk=pk)
    form = DayForm(request.POST) if request.method == "POST" else DayForm()
    facts = {"form": form, "calendar": calendar, "by": request.user}
    day = attempt(form, _enter, form.HOMES, **facts) if form.is_bound and form.is_valid() else None
    if day:
        messages.success(request, _("%(day)s is entered") % {"day": full_date(day.date)})
        return redirect("calendar", pk=pk)
    return _page(request, calendar, form)


@require_POST
@open_to(MANAGER, ADMIN)
def remove(request: SignedRequest, pk: int, day: int) -> HttpResponse:
    """A day ahead has its usual hours again; too near, the sentence says which day could be."""
    calendar = get_object_or_404(_calendars(request), pk=pk)
    entry = get_object_or_404(calendar.days, pk=day)
    facts = {"day": full_date(entry.date)}
    removed = attempt_button(request, _remove, day=entry, calendar=calendar, by=request.user)
    if removed is not None:
        sentence = _("%(day)s is removed") if removed else _("%(day)s was removed before")
        messages.success(request, sentence % facts)
    return redirect("calendar", pk=pk)


@transaction.atomic
def _enter(form: DayForm, calendar: Calendar, by: User) -> CalendarDay:
    """The clock is read when no count by this calendar is under way any more."""
    agreements.hold(calendar)
    data, now = form.cleaned_data, timezone.now()
    return days_off.enter(calendar=calendar, on=data["date"], windows=data["windows"], by=by, at=now)


@transaction.atomic
def _remove(day: CalendarDay, calendar: Calendar, by: User) -> bool:
    agreements.hold(calendar)
    return days_off.remove(day=day, by=by, at=timezone.now())


def _page(request: SignedRequest, calendar: Calendar, form: DayForm) -> HttpResponse:
    now = this_second()
    context = {
        "now": now,
        "zone": calendar.zone,
        "calendar": calendar,
        "hours": calendar_text.ahead(calendar, now),
        "week": calendar_text.week_rows(calendar_terms(calendar)),
        "contracts": _using(request, calendar),
        "holidays": calendar_text.holidays_around(now) if calendar.statutory_holidays else [],
        "first_day": agreements.first_day(calendar, now),
        "notice": agreements.notice_of(calendar, now),
        "history": calendar_text.history(calendar),
        "form": form,
    }
    return render(request, "contracts/calendar.html", context, status=422 if form.errors else 200)


def _calendars(request: SignedRequest) -> QuerySet[Calendar]:
    calendars = Calendar.objects.visible_to(request.user)
    return calendars.prefetch_related("days__entered_by", "days__removed_by")


def _using(request: SignedRequest, calendar: Calendar) -> QuerySet[Contract]:
    """Contracts that count by it, of those that the person may see."""
    contracts = Contract.objects.visible_to(request.user).filter(
        versions__in=ContractVersion.objects.counting_by(calendar)
    )
    return contracts.select_related("client").distinct()
