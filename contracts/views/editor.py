"""The editor: a new contract, a new version of one, and what the typed terms would do, shown while they are typed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import MANAGER, Client, User
from accounts.permissions import SignedRequest, open_to
from contracts import agreements
from contracts.forms.contract import (
    AskedForm,
    ContractForm,
    PeriodForm,
    VersionForm,
    as_typed,
    asked_values,
    spec_of,
    step_specs,
    target_specs,
    usual,
    values_of,
)
from contracts.forms.rows import FormChoices
from contracts.forms.terms import TermsForm
from contracts.models import Calendar, Contract, ContractVersion, Shop, Target
from contracts.moved import moved
from contracts.notice import Notice, notice
from contracts.preview import Preview, preview, start_words
from contracts.unreached import unreached
from wording.instants import this_second
from wording.refusals import attempt
from wording.texts import number_in

AnyForm = TypeVar("AnyForm", bound=TermsForm)


def _choices(request: SignedRequest, shops: Iterable[Shop] = ()) -> FormChoices:
    people = User.objects.filter(is_active=True).exclude(provider_role="").order_by("name")
    return FormChoices(
        list(Calendar.objects.visible_to(request.user).prefetch_related("days")), list(people), list(shops)
    )


def _today(now: datetime, zone: str = settings.DISPLAY_TIME_ZONE) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


@require_http_methods(["GET", "POST"])
@open_to(MANAGER)
def new(request: SignedRequest) -> HttpResponse:
    """First the client, then the contract; "Recalculate" shows what the terms would do and judges nothing."""
    clients = Client.objects.visible_to(request.user)
    if not (code := request.GET.get("client", "")):
        return render(request, "contracts/pick_client.html", {"clients": clients})
    client, now = get_object_or_404(clients, code=code), this_second()
    shops = list(Shop.objects.visible_to(request.user).filter(client=client))
    choices = _choices(request, shops)
    options: dict[str, Any] = {"choices": choices, "today": _today(now), "shops": shops}
    form = _form(request, ContractForm, usual(choices.calendars, _today(now)), options)
    contract = _create(form, client, request.user, now) if form.is_bound and form.is_valid() else None
    if contract:
        messages.success(request, _("Contract %(number)s is entered") % {"number": contract.number})
        return redirect("contract", contract.address)
    shown = ContractForm(_data(request, form), **options)
    return _edit(request, form, {"client": client}, now, shown, ends=PeriodForm(shown.data).notice(now))


def _create(form: ContractForm, client: Client, by: User, now: datetime) -> Contract | None:
    return attempt(form, agreements.create_contract, form.HOMES, client=client, **form.facts, by=by, at=now)


def _form(request: SignedRequest, kind: type[AnyForm], initial: dict[str, Any], options: dict[str, Any]) -> AnyForm:
    """Bound only to be saved; for a look ahead what was typed is shown again as it was."""
    if request.method != "POST":
        return kind(initial=initial, **options)
    if "preview" in request.POST:
        blank = kind(**options)
        return kind(initial=as_typed(blank, request.POST), **options)
    return kind(request.POST, **options)


def _data(request: SignedRequest, form: TermsForm) -> dict[str, Any]:
    """The values that the page shows, as if they were posted: the preview reads those."""
    return form.data if form.is_bound else {field.html_name: field.value() for field in form}  # type: ignore[return-value]


def _edit(
    request: SignedRequest,
    form: TermsForm,
    context: dict[str, Any],
    now: datetime,
    shown: TermsForm,
    before: ContractVersion | None = None,
    ends: Notice | None = None,
) -> HttpResponse:
    zone = before.contract.zone if before else settings.DISPLAY_TIME_ZONE
    moment_form = AskedForm(request.POST) if request.method == "POST" else AskedForm(initial=asked_values(zone, now))
    context |= {
        "now": now,
        "zone": zone,
        "form": form,
        "asked": moment_form,
        "before": before,
        "preview": _preview(shown, moment_form, zone, now, before, ends),
    }
    context["unreached"] = unreached(shown.steps, context["client"], _today(now, zone))
    return render(request, "contracts/editor.html", context, status=422 if form.errors else 200)


def _preview(
    form: TermsForm,
    moment_form: AskedForm,
    zone: str,
    now: datetime,
    before: ContractVersion | None,
    ends: Notice | None,
) -> Preview:
    moment, start = moment_form.moment(zone, now), start_words(form, before, _today(now, zone), now)
    contract = before.contract if before else _contract(form)
    return preview(form, moment, spec_of(before) if before else None, ends, start, contract)


def _contract(form: TermsForm) -> Contract:
    """The new contract as far as it can be read."""
    form.is_valid()
    starts_on = form.cleaned_data.get("valid_from") or form.today
    return Contract(starts_on=starts_on, ends_on=PeriodForm(form.data).last_day)


def _ends(contract: Contract, now: datetime) -> Notice:
    return notice(contract.notice_months, contract.ends_on, _today(now, contract.zone))


@require_POST
@open_to(MANAGER)
def look_ahead(request: SignedRequest) -> HttpResponse:
    """The preview alone, while the form is typed into."""
    now, base = this_second(), number_in(request.POST.get("before", ""))
    before = None if base is None else get_object_or_404(_versions(request), pk=base)
    zone = before.contract.zone if before else settings.DISPLAY_TIME_ZONE
    code, clients = request.POST.get("client"), Client.objects.visible_to(request.user)
    client = before.contract.client if before else next((row for row in clients if row.code == code), None)
    shops = before.contract.shops.all() if before else Shop.objects.visible_to(request.user).filter(client=client)
    form = TermsForm(request.POST, choices=_choices(request, shops), today=_today(now, zone))
    context = {"now": now, "zone": zone, "before": before}
    ends = _ends(before.contract, now) if before else PeriodForm(request.POST).notice(now)
    context["preview"] = _preview(form, AskedForm(request.POST), zone, now, before, ends)
    context["unreached"] = unreached(form.steps, client, _today(now, zone))
    return render(request, "contracts/_preview.html", context)


def _versions(request: SignedRequest) -> Any:
    calendars = Prefetch("calendar", Calendar.objects.prefetch_related("days"))
    others = ("alternatives__calendar__days", "alternatives__outside__days")
    targets = Prefetch("targets", Target.objects.select_related("penalty").prefetch_related(calendars, *others))
    versions = ContractVersion.objects.visible_to(request.user)
    return versions.select_related("contract__client").prefetch_related(targets)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER)
def before(request: SignedRequest, pk: int) -> HttpResponse:
    """The address of before; a form that was open at the upgrade goes on with what was typed."""
    contract = get_object_or_404(Contract.objects.visible_to(request.user), pk=pk)
    return moved(request, "contract-version-new", address=contract.address)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER)
def new_version(request: SignedRequest, address: str) -> HttpResponse:
    """The next version, begun with the terms of the last."""
    contract = get_object_or_404(Contract.objects.visible_to(request.user), address=address)
    before, now = _versions(request).filter(contract=contract).order_by("number").last(), this_second()
    steps = step_specs(before)
    choices = _choices(request, contract.shops.all())
    options: dict[str, Any] = {"choices": choices, "today": _today(now, contract.zone), "rungs": len(steps)}
    form = _form(request, VersionForm, values_of(before, target_specs(before), steps), options)
    version = _add_version(form, contract, request.user, now) if form.is_bound and form.is_valid() else None
    if version:
        messages.success(request, _("Version %(number)s is entered") % {"number": version.number})
        return redirect("contract", address)
    context = {"client": contract.client, "contract": contract, "next_number": before.number + 1}
    shown = VersionForm(_data(request, form), **options)
    return _edit(request, form, context, now, shown, before, _ends(contract, now))


def _add_version(form: VersionForm, contract: Contract, by: User, now: datetime) -> ContractVersion | None:
    facts = {"contract": contract, "version": form.spec, "by": by, "at": now}
    return attempt(form, agreements.add_version, form.HOMES, **facts)
