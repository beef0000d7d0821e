"""The report form and its receipt: three answers start the clock, the receipt asks for the rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.active import active_client, show_client
from accounts.allowances import report_refused, with_wait
from accounts.models import OWNER, REPORTER, Client, User
from accounts.permissions import SignedRequest, open_to
from contracts.models import ContractVersion, Shop
from contracts.moved import at_shop
from incidents import report_limits, reporting
from incidents.choices import JOINS_MONITOR, Status
from incidents.events import Kind
from incidents.forms.client import DetailsForm, JoinForm, ReportForm, already_filed
from incidents.models import Incident, IncidentQuerySet, JoinedReport
from incidents.repeats import AlreadyFiled
from incidents.text import journal_lines
from incidents.text.clock_sentences import (
    ClockSentence,
    Reading,
    clock_sentences,
    promise_of_contact,
    repair_to_come,
)
from incidents.text.ongoing_work import ongoing_work
from messaging.models import Delivery, Notification
from wording.fields import say_what_was_masked
from wording.instants import this_second
from wording.refusals import Refused

ZONE = ZoneInfo(settings.DISPLAY_TIME_ZONE)
OFFERED = 5  # known failures on the form; whoever sees another one reports it


# Never from the browser's store: a form that comes back by "Back" would carry a key that is used up
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@open_to(REPORTER, OWNER)
def report(request: SignedRequest) -> HttpResponse:
    """File a failure of a shop; the form's key makes a double tap one report."""
    shops = _shops(request, active_client(request))
    return _report(request, shops, shops[0] if len(shops) == 1 else None)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@open_to(REPORTER, OWNER)
@at_shop
def report_shop(request: SignedRequest, shop: Shop) -> HttpResponse:
    """The same for the shop that the address names."""
    show_client(request, shop.client_id)
    return _report(request, _shops(request, shop.client), shop)


def _shops(request: SignedRequest, client: Client | None) -> list[Shop]:
    """The client's shops to choose from."""
    mine = Shop.objects.visible_to(request.user).select_related("client")
    return list(mine.filter(client=client, is_active=True))


def _report(request: SignedRequest, shops: list[Shop], shop: Shop | None) -> HttpResponse:
    """The form; `shop` is the one that isn't asked for."""
    now, data = timezone.now(), request.POST or None
    is_join = "join" in request.POST or "joining" in request.POST
    joining = JoinForm(data if is_join else None, auto_id="join-%s")
    # A join that is refused shows both forms, with the sentence that came with it
    typed = {"phone": request.user.phone, "sentence": request.POST.get("sentence", "")}
    form = ReportForm(None if is_join else data, shops=shops, shop=shop, now=now, zone=ZONE, initial=typed)
    places = [shop] if shop else shops
    filed = _join(request, joining, places, now) if is_join else _file(request.user, form, now)
    if isinstance(filed, Incident):
        say_what_was_masked(request, joining if is_join else form)
        return redirect("incident-receipt", filed.nr)
    covered = shop is None or ContractVersion.objects.in_force(shop, now) is not None
    context = {
        "form": form,
        "joining": joining,
        "shop": shop,
        "many": len(shops) > 1,
        "offers": _offers(request.user, places),
        "empty": not shops,
        "covered": covered,
    }
    page = render(request, "incidents/report.html", context, status=422 if form.errors or is_join else 200)
    return with_wait(page, filed) if filed else page


def _joinable(user: User, shops: list[Shop]) -> IncidentQuerySet:
    """Open failures of the shops that a report could be about."""
    same = ~Q(failure="") | Q(what__in=JOINS_MONITOR)
    failures = Incident.objects.visible_to(user).active().filter(same, shop__in=shops).exclude(severity="")
    return failures.exclude(status=Status.RESOLVED).select_related("shop")


def _offers(user: User, shops: list[Shop]) -> list[Incident]:
    """The newest of them that the person hasn't reported: nobody tells us what we know, nor hears it as news."""
    joined = JoinedReport.objects.filter(incident=OuterRef("pk"), by=user)
    others = _joinable(user, shops).exclude(reporter=user).exclude(Exists(joined))
    return list(others.order_by("-received_at")[:OFFERED])


def _file(user: User, form: ReportForm, now: datetime) -> Incident | timedelta | None:
    """The incident; how long to wait where it is one too many; None where the form says why not."""
    if not form.is_valid():
        return None
    data = form.cleaned_data
    if wait := report_limits.wait_for(user, form.chosen_shop, data["key"]):
        form.add_error(None, report_refused(wait))
        return wait
    facts = {
        "shop": form.chosen_shop,
        "what": data["what"],
        "by": user,
        "at": now,
        "sentence": data["sentence"],
        "phone": data["phone"],
        "form_key": data["key"],
        "details": form.details,
    }
    return form.file(**facts)


def _join(request: SignedRequest, joining: JoinForm, shops: list[Shop], now: datetime) -> Incident | timedelta | None:
    """The incident joined; else a sentence: where it ended a moment ago, the form is used up, or, with the time to
    wait, where it is one too many."""
    if not joining.is_valid():
        return None
    data = joining.cleaned_data
    incident = _joinable(request.user, shops).filter(nr=data["join"]).first()
    try:
        if incident is None:
            raise Refused(_("That incident has ended; file a new report."), "join")
        if wait := report_limits.wait_for(request.user, incident.shop, data["key"]):
            messages.warning(request, report_refused(wait))
            return wait
        return reporting.report(
            shop=incident.shop,
            what=incident.what,
            by=request.user,
            at=now,
            sentence=data["sentence"],
            form_key=data["key"],
            join=incident,
        )
    except AlreadyFiled as refusal:
        messages.warning(request, already_filed(refusal.incident))
    except Refused as refusal:
        messages.warning(request, str(refusal))
    return None


@require_GET
@open_to(REPORTER, OWNER)
def receipt(request: SignedRequest, nr: str) -> HttpResponse:
    """What was received and promised. It says that somebody works on it only when a person has said so."""
    incident = get_object_or_404(receipts(request.user), nr=nr)
    show_client(request, incident.client_id)
    now = this_second()
    return render(request, "incidents/receipt.html", _receipt(request, incident, now))


def receipts(user: User) -> IncidentQuerySet:
    return Incident.objects.visible_to(user).with_row()


def _receipt(request: SignedRequest, incident: Incident, now: datetime) -> dict[str, Any]:
    copy = Notification.objects.visible_to(request.user).filter(notice__incident=incident, recipient=request.user)
    joined = incident.joined.filter(by=request.user).order_by("-at").first()
    form = DetailsForm(now=now, zone=ZONE)
    for name in ("occurred_at", "affected", "page", "order_number"):
        if getattr(incident, name):
            del form.fields["since" if name == "occurred_at" else name]
    return {
        "incident": incident,
        "promises": promises(incident, now),
        "repair_to_come": repair_to_come(incident, incident.clocks.all()),
        "claims": journal_lines.claims(incident.journal.filter(kind=Kind.REPORTED_CLAIM)),
        "ongoing_work": ongoing_work(incident, now),
        "joined_at": joined.at if joined else None,
        "copy": copy.exclude(status=Delivery.FAILED).order_by("created_at").first(),
        "details": form,
        "now": now,
        "zone": incident.zone,
        "contact_row": next((row for row in incident.clocks.all() if row.target == "reaction"), None),
    }


def promises(incident: Incident, now: datetime) -> list[ClockSentence]:
    """Contact and repair with their times; the contact is promised in a person's words."""
    reading = Reading(now, incident.zone, for_client=True, dated=True)
    sentences = clock_sentences(incident, incident.clocks.all(), reading)
    rows = {row.target: row for row in incident.clocks.all()}
    return [
        promise_of_contact(sentence, rows["reaction"], reading) if sentence.target == "reaction" else sentence
        for sentence in sorted(sentences, key=lambda sentence: sentence.target != "reaction")
        if sentence.target in {"reaction", "restore"}
    ]
