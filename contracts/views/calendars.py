"""Working hours: the list, and a new calendar. One calendar with its days ahead stands among the incidents."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import ADMIN, MANAGER
from accounts.permissions import SignedRequest, open_to
from contracts import agreements, calendar_text
from contracts.forms.calendar import CalendarForm
from contracts.models import Calendar
from wording.instants import this_second
from wording.refusals import attempt


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def listing(request: SignedRequest) -> HttpResponse:
    """The calendars; a POST enters a new one."""
    form = CalendarForm(request.POST) if request.method == "POST" else CalendarForm()
    calendar = _create(form) if form.is_bound and form.is_valid() else None
    if calendar:
        messages.success(request, _("%(name)s is entered") % {"name": calendar.name})
        return redirect("calendar", pk=calendar.pk)
    opened = request.method == "POST" or request.GET.get("open") == "new"
    return _listing(request, form, opened=opened)


def _create(form: CalendarForm) -> Calendar | None:
    return attempt(form, agreements.create_calendar, form.HOMES, **form.facts, at=timezone.now())


def _listing(request: SignedRequest, form: CalendarForm, *, opened: bool) -> HttpResponse:
    now = this_second()
    calendars = Calendar.objects.visible_to(request.user).prefetch_related("days")
    context = {
        "now": now,
        "calendars": [calendar_text.ahead(calendar, now) for calendar in calendars],
        "form": form,
        "opened": opened,
        "holidays": calendar_text.holidays_around(now),
    }
    return render(request, "contracts/calendars.html", context, status=422 if form.errors else 200)
