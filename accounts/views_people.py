"""The administrator's pages of people: who has which role and rights, invite, change, switch off and on."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import people
from accounts.invitations import send_letter
from accounts.models import ADMIN, Client, Membership, User
from accounts.people_forms import InviteStaffForm, PersonForm, RightsForm, refused
from accounts.permissions import SignedRequest, open_to


def _people(request: SignedRequest) -> QuerySet[User]:
    rights = Membership.objects.visible_to(request.user).select_related("client").order_by("client__name")
    return User.objects.prefetch_related(Prefetch("memberships", rights)).order_by("-is_active", "name", "pk")


def tell_of_letter(request: HttpRequest, person: User, *, client: Client | None = None) -> None:
    """Sends the invitation and says whether it left; what failed is shown with its error."""
    error = send_letter(person, client=client)
    if error:
        said = _("%(name)s is entered, but the letter did not leave: %(error)s. Send it again later.")
        messages.error(request, said % {"name": person.name, "error": error})
    else:
        messages.success(request, _("A letter went to %(email)s") % {"email": person.email})


@require_http_methods(["GET", "POST"])
@open_to(ADMIN)
def listing(request: SignedRequest) -> HttpResponse:
    """Everybody; a POST invites one of our own people."""
    form = InviteStaffForm(request.POST) if request.method == "POST" else InviteStaffForm()
    if form.is_bound and form.is_valid() and (person := _invited(request, form)):
        tell_of_letter(request, person)
        return redirect("user", pk=person.pk)
    everybody = list(_people(request))
    context = {
        "staff": [person for person in everybody if person.is_provider],
        "contacts": [row for person in everybody if not person.is_provider for row in _rows(person)],
        "form": form,
        "opened": form.is_bound or request.GET.get("open") == "new",
        "today": timezone.localdate(),
    }
    return render(request, "accounts/users.html", context, status=422 if form.errors else 200)


def _rows(person: User) -> list[tuple[User, Membership | None]]:
    """A row for each client that the person speaks for, one where there is none."""
    return [(person, membership) for membership in person.memberships.all()] or [(person, None)]


def _invited(request: SignedRequest, form: InviteStaffForm) -> User | None:
    try:
        return people.invite_staff(**form.cleaned_data, by=request.user, at=timezone.now().replace(microsecond=0))
    except ValidationError as error:
        refused(form, error)
        return None


@require_http_methods(["GET", "POST"])
@open_to(ADMIN)
def show(request: SignedRequest, pk: int) -> HttpResponse:
    """One person; a POST changes name, phone, role and duty."""
    person = get_object_or_404(_people(request), pk=pk)
    if request.method == "GET":
        return _page(request, person, opened=request.GET.get("open", ""))
    form = PersonForm(person, request.POST)
    if form.is_valid():
        try:
            people.change(person=person, **form.cleaned_data, by=request.user, at=timezone.now())
        except ValidationError as error:
            refused(form, error)
    if form.errors:
        return _page(request, person, form=form)
    messages.success(request, _("Saved."))
    return redirect("user", pk=pk)


def _page(
    request: SignedRequest,
    person: User,
    *,
    form: PersonForm | None = None,
    rights: RightsForm | None = None,
    opened: str = "",
    refusal: str = "",
) -> HttpResponse:
    wrong: Form | None = form or rights
    context: dict[str, Any] = {
        "person": person,
        "form": form or PersonForm(person),
        "rights": [] if person.is_provider else _rights_forms(person, rights),
        "wrong": rights,
        "opened": opened,
        "refusal": refusal,
        "has_errors": bool(wrong or refusal),
        "waits": person.is_active and not person.has_usable_password(),
        "today": timezone.localdate(),
    }
    return render(request, "accounts/user.html", context, status=422 if context["has_errors"] else 200)


def _rights_forms(person: User, typed: RightsForm | None) -> list[tuple[Membership | None, RightsForm]]:
    """A form for each membership and one for another client; the one that was typed keeps its words."""
    mine = list(person.memberships.all())
    found: list[tuple[Membership | None, RightsForm]] = [(one, _known_rights(one)) for one in mine]
    found.append((None, RightsForm(_others(person), auto_id=_ids("new"))))
    if typed is None:
        return found
    return [(one, typed if form.auto_id == typed.auto_id else form) for one, form in found]


def _known_rights(membership: Membership, data: QueryDict | None = None) -> RightsForm:
    facts = {"role": membership.role, "valid_until": membership.valid_until}
    return RightsForm(
        [membership.client], data, initial=facts, fixed=True, auto_id=_ids(membership.client.code)
    )  # fmt: skip


def _others(person: User) -> QuerySet[Client]:
    return Client.objects.exclude(pk__in=[membership.client_id for membership in person.memberships.all()])


def _ids(code: str) -> str:
    return f"id_{code.lower()}_%s"


@require_POST
@open_to(ADMIN)
def rights(request: SignedRequest, pk: int) -> HttpResponse:
    """What the person may do for one client, known or new."""
    person = get_object_or_404(_people(request), pk=pk, provider_role="")
    code = request.POST.get("client", "")
    known = next((one for one in person.memberships.all() if one.client.code == code), None)
    new = RightsForm(_others(person), request.POST, auto_id=_ids("new"))
    form = _known_rights(known, request.POST) if known else new
    if form.is_valid():
        try:
            people.give_rights(person=person, **form.cleaned_data, by=request.user, at=timezone.now())
        except ValidationError as error:
            refused(form, error)
    if form.errors:
        return _page(request, person, rights=form)
    messages.success(request, _("Saved."))
    return redirect("user", pk=pk)


@require_http_methods(["GET", "POST"])
@open_to(ADMIN)
def off(request: SignedRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(_people(request), pk=pk)
    if request.method == "GET":
        return _page(request, person, opened="off")
    try:
        people.switch_off(person=person, by=request.user, at=timezone.now())
    except ValidationError as error:
        return _page(request, person, opened="off", refusal=" ".join(error.messages))
    messages.success(request, _("%(name)s is switched off") % {"name": person.name})
    return redirect("user", pk=pk)


@require_POST
@open_to(ADMIN)
def on(request: SignedRequest, pk: int) -> HttpResponse:
    """The account works again; a new password is chosen by an invitation."""
    person = people.switch_on(
        person=get_object_or_404(_people(request), pk=pk), by=request.user, at=timezone.now()
    )  # fmt: skip
    tell_of_letter(request, person)
    return redirect("user", pk=pk)


@require_POST
@open_to(ADMIN)
def letter(request: SignedRequest, pk: int) -> HttpResponse:
    """The invitation again, to somebody who has no password yet."""
    person = get_object_or_404(_people(request), pk=pk, is_active=True)
    if not person.has_usable_password():
        tell_of_letter(request, person)
    return redirect("user", pk=pk)
