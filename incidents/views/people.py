"""One person's page, and the acts after which somebody may leave incidents behind: another role, rights, off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import ADMIN, Client, Membership, User
from accounts.people_forms import RightsForm
from accounts.permissions import SignedRequest, open_to
from accounts.views_people import people_of
from incidents import handover
from incidents.forms.people import ChangeForm, SwitchOffForm
from wording.refusals import attempt
from wording.words import local_day

OFF_IDS = "id_off_%s"


@require_http_methods(["GET", "POST"])
@open_to(ADMIN)
def show(request: SignedRequest, pk: int) -> HttpResponse:
    """One person; a POST changes name, phone, role and duty."""
    person = get_object_or_404(people_of(request), pk=pk)
    if request.method == "GET":
        return _page(request, person, opened=request.GET.get("open", ""))
    form = ChangeForm(person, _open_count(person), handover.colleagues(person), request.POST)
    if form.is_valid():
        attempt(form, handover.change, person=person, **form.cleaned_data, by=request.user, at=timezone.now())
    if form.errors:
        return _page(request, person, form=form)
    messages.success(request, _("Saved."))
    return redirect("user", pk=pk)


def _open_count(person: User) -> int:
    return handover.open_incidents(person).count() if person.is_provider else 0


def _page(
    request: SignedRequest,
    person: User,
    *,
    form: ChangeForm | None = None,
    off: SwitchOffForm | None = None,
    rights: RightsForm | None = None,
    opened: str = "",
) -> HttpResponse:
    """`form`, `off` or `rights` is the one that was typed and refused."""
    numbers = list(handover.open_incidents(person).values_list("nr", flat=True)) if person.is_provider else []
    takers = list(handover.colleagues(person)) if numbers else []
    wrong: Form | None = form or off or rights
    context: dict[str, Any] = {
        "person": person,
        "numbers": numbers,
        "form": form or ChangeForm(person, len(numbers), takers),
        "off": off or SwitchOffForm(len(numbers), takers, auto_id=OFF_IDS),
        "rights": [] if person.is_provider else _rights_forms(person, rights),
        "wrong": rights,
        "opened": "off" if off else opened,
        "has_errors": bool(wrong),
        "waits": person.is_active and not person.has_usable_password(),
        "today": local_day(timezone.now()),
    }
    return render(request, "accounts/user.html", context, status=422 if wrong else 200)


def _rights_forms(person: User, typed: RightsForm | None) -> list[tuple[Membership | None, RightsForm]]:
    """A form for each membership and one for another client; the one that was typed keeps its words."""
    mine = list(person.memberships.all())
    forms: list[tuple[Membership | None, RightsForm]] = [(row, _rights_form(row)) for row in mine]
    forms.append((None, RightsForm(_others(person), auto_id=_ids("new"))))
    if typed is None:
        return forms
    return [(row, typed if form.auto_id == typed.auto_id else form) for row, form in forms]


def _rights_form(membership: Membership, data: QueryDict | None = None) -> RightsForm:
    facts = {"role": membership.role, "valid_until": membership.valid_until}
    return RightsForm([membership.client], data, initial=facts, fixed=True, auto_id=_ids(membership.client.code))


def _others(person: User) -> QuerySet[Client]:
    return Client.objects.exclude(pk__in=[membership.client_id for membership in person.memberships.all()])


def _ids(code: str) -> str:
    return f"id_{code.lower()}_%s"


@require_POST
@open_to(ADMIN)
def rights(request: SignedRequest, pk: int) -> HttpResponse:
    """What the person may do for one client, known or new."""
    person = get_object_or_404(people_of(request), pk=pk, provider_role="")
    code = request.POST.get("client", "")
    membership = next((row for row in person.memberships.all() if row.client.code == code), None)
    new = RightsForm(_others(person), request.POST, auto_id=_ids("new"))
    form = _rights_form(membership, request.POST) if membership else new
    if form.is_valid():
        attempt(form, handover.give_rights, person=person, **form.cleaned_data, by=request.user, at=timezone.now())
    if form.errors:
        return _page(request, person, rights=form)
    messages.success(request, _("Saved."))
    return redirect("user", pk=pk)


@require_http_methods(["GET", "POST"])
@open_to(ADMIN)
def off(request: SignedRequest, pk: int) -> HttpResponse:
    """Switches the person off; sent again, it hands over what somebody who is off still has."""
    person = get_object_or_404(people_of(request), pk=pk)
    if request.method == "GET":
        return _page(request, person, opened="off")
    form = SwitchOffForm(_open_count(person), handover.colleagues(person), request.POST, auto_id=OFF_IDS)
    if form.is_valid():
        attempt(form, handover.switch_off, person=person, **form.cleaned_data, by=request.user, at=timezone.now())
    if form.errors:
        return _page(request, person, off=form)
    messages.success(request, _("%(name)s is switched off") % {"name": person.name})
    return redirect("user", pk=pk)
