"""A report taken by phone: first the shop, then the client's own form with the caller."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.allowances import report_refused, with_wait
from accounts.models import AGENT, MANAGER, Membership
from accounts.permissions import SignedRequest, open_to
from contracts.models import Shop
from incidents import report_limits, reporting
from incidents.choices import Origin
from incidents.forms.phone import PhoneForm
from incidents.models import Incident
from incidents.text.lead import standing
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.words import local_day


@never_cache
@require_http_methods(["GET", "POST"])
@open_to(AGENT, MANAGER)
def new(request: SignedRequest) -> HttpResponse:
    """`?shop=` names the shop; without it the page asks. `?join=` names the known failure that the call is about."""
    shops = Shop.objects.visible_to(request.user).filter(is_active=True).select_related("client")
    slug = request.GET.get("shop", "")
    if not slug:
        return render(request, "incidents/phone.html", {"shops": shops.order_by("client__name", "name")})
    shop = shops.at(slug)
    if shop is None:
        raise Http404
    now = timezone.now()
    incidents = list(Incident.objects.active().filter(shop=shop).with_row().order_by("received_at"))
    join = next((incident for incident in incidents if incident.nr == request.GET.get("join")), None)
    members = Membership.objects.valid(local_day(now)).filter(client=shop.client, user__is_active=True)
    form = PhoneForm(
        request.POST or None,
        shop=shop,
        members=members.select_related("user"),
        join=join,
        now=now,
        zone=ZoneInfo(settings.DISPLAY_TIME_ZONE),
    )
    filed = _file(request, form) if request.method == "POST" and form.is_valid() else None
    if isinstance(filed, Incident):
        say_what_was_masked(request, form)
        return redirect("incident", filed.nr)
    standings = [(incident, standing(incident, now=this_second(), for_client=False).lead) for incident in incidents]
    context = {"shop": shop, "form": form, "join": join, "open_incidents": standings, "now": now}
    page = render(request, "incidents/phone.html", context, status=422 if form.errors else 200)
    return with_wait(page, filed) if filed else page


def _file(request: SignedRequest, form: PhoneForm) -> Incident | timedelta | None:
    """The incident; how long to wait where it is one too many; None where the form says why not."""
    data = form.cleaned_data
    if wait := report_limits.wait_for(request.user, form.chosen_shop, data["key"]):
        form.add_error(None, report_refused(wait))
        return wait
    claim = reporting.Claim(data["told"], data["why"], request.user) if data["told"] else None
    return form.file(
        shop=form.chosen_shop,
        by=request.user,
        at=form.now,
        sentence=data["sentence"],
        form_key=data["key"],
        origin=Origin.PHONE,
        claim=claim,
        **form.facts,
        caller=form.members[data["caller"]],
        note="" if claim else data["why"].strip(),
    )
