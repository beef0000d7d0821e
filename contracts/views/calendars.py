"""Working hours: the list, a new calendar, and one calendar with the days ahead that have other hours."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import ADMIN, MANAGER
from accounts.permissions import SignedRequest, open_to
from accounts.words import full_date
from contracts import hours
from contracts.calendar_forms import CalendarForm, DayForm
from contracts.models import Calendar, Contract
from contracts.terms import calendar_terms


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def listing(request: SignedRequest) -> HttpResponse:
    """The calendars; a POST enters a new one."""
    form = CalendarForm(request.POST) if request.method == "POST" else CalendarForm()
    if request.method == "POST" and form.is_valid() and (calendar := form.save()):
        messages.success(request, _("%(name)s is entered") % {"name": calendar.name})
        return redirect("calendar", pk=calendar.pk)
    opened = request.method == "POST" or request.GET.get("open") == "new"
    return _listing(request, form, opened=opened)


def _listing(request: SignedRequest, form: CalendarForm, *, opened: bool) -> HttpResponse:
    now = timezone.now().replace(microsecond=0)
    context = {
        "now": now,
        "calendars": [hours.ahead(calendar, now) for calendar in _calendars(request)],
        "form": form,
        "opened": opened,
        "holidays": _holidays(now),
    }
    return render(request, "contracts/calendars.html", context, status=422 if form.errors else 200)


def _holidays(now: datetime) -> list[tuple[int, list[str]]]:
    """This year's and the next year's, as the law of each has them."""
    return [(year, hours.holidays_of(year)) for year in (now.year, now.year + 1)]


def _calendars(request: SignedRequest) -> QuerySet[Calendar]:
    return Calendar.objects.visible_to(request.user).prefetch_related("days")


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def show(request: SignedRequest, pk: int) -> HttpResponse:
    """One calendar; a POST enters a day ahead."""
    calendar = get_object_or_404(_calendars(request).prefetch_related("days__entered_by"), pk=pk)
    form = DayForm(request.POST) if request.method == "POST" else DayForm()
    day = (
        form.save(calendar=calendar, by=request.user, at=timezone.now()) if form.is_bound and form.is_valid() else None
    )
    if day:
        messages.success(request, _("%(day)s is entered") % {"day": full_date(day.date)})
        return redirect("calendar", pk=pk)
    now = timezone.now().replace(microsecond=0)
    context = {
        "now": now,
        "zone": calendar.zone,
        "calendar": calendar,
        "hours": hours.ahead(calendar, now),
        "week": hours.week_rows(calendar_terms(calendar)),
        "contracts": _using(request, calendar),
        "holidays": _holidays(now) if calendar.statutory_holidays else [],
        "form": form,
    }
    return render(request, "contracts/calendar.html", context, status=422 if form.errors else 200)


def _using(request: SignedRequest, calendar: Calendar) -> QuerySet[Contract]:
    """Contracts that count by it, of those that the person may see."""
    found = Contract.objects.visible_to(request.user).filter(versions__targets__calendar=calendar)
    return found.select_related("client").distinct()
