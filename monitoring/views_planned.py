"""Planned work at a shop: announced with what the contract says of it, cancelled, ended early."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import AGENT, MANAGER
from accounts.permissions import SignedRequest, open_to
from contracts.models import Shop
from contracts.moved import at_shop
from contracts.planned import MaintenanceWindow
from contracts.terms import to_second
from incidents import planned_work
from monitoring.availability.maintenance import Prospect, prospect
from monitoring.planned_form import PlannedWorkForm
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.refusals import attempt, attempt_button


@require_http_methods(["GET", "POST"])
@open_to(AGENT, MANAGER)
@at_shop
def new(request: SignedRequest, shop: Shop) -> HttpResponse:
    """`preview` says what the contract makes of the time, and announces nothing."""
    now = this_second()
    zone, ahead = planned_work.zone_of(shop, now), "preview" in request.POST or "preview" in request.GET
    form = PlannedWorkForm(request.POST or None, zone=zone, ahead=ahead)
    if request.method == "POST" and form.is_valid() and not ahead:
        announced = attempt(form, planned_work.announce, shop=shop, by=request.user, at=now, **form.cleaned_data)
        if announced:
            say_what_was_masked(request, form)
            messages.success(request, _("The work is announced; the client's people get a letter."))
            return redirect("shop", shop.slug)
    context: dict[str, Any] = {"now": now, "zone": zone, "shop": shop, "form": form}
    context["prospect"] = _prospect(shop, form, now)
    if request.htmx and ahead:
        return render(request, "monitoring/_prospect.html", context)
    return render(request, "monitoring/planned_work.html", context, status=422 if form.errors else 200)


def _prospect(shop: Shop, form: PlannedWorkForm, now: datetime) -> Prospect:
    """Of the typed time; before there is one, the contract's terms for work of this moment."""
    data = form.cleaned_data if form.is_bound and form.is_valid() else {}
    start, end = data.get("starts_at") or now, data.get("ends_at") or data.get("starts_at") or now
    window = MaintenanceWindow(shop=shop, starts_at=start, ends_at=max(start, end), announced_at=to_second(now))
    return prospect(window)


@require_POST
@open_to(AGENT, MANAGER)
def call_off(request: SignedRequest, pk: int) -> HttpResponseRedirect:
    """Cancel what has not begun; end what goes on."""
    windows = MaintenanceWindow.objects.visible_to(request.user).select_related("shop__client")
    window = get_object_or_404(windows, pk=pk)
    if attempt_button(request, planned_work.call_off, window=window, by=request.user, at=this_second()):
        cancelled = _("The work is cancelled; the client's people get a letter.")
        ended = _("The work has ended, the shop is watched as usual; the client's people get a letter.")
        messages.success(request, cancelled if window.is_cancelled else ended)
    return redirect("shop", window.shop.slug)
