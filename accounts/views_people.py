"""The administrator's pages of people: who has which role and rights, invite, switch on again.

One person's page and the acts after which somebody may leave incidents behind stand in `incidents.views.people`.
"""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import letters, people
from accounts.models import ADMIN, Client, Membership, User
from accounts.people_forms import InviteStaffForm
from accounts.permissions import SignedRequest, open_to
from wording.instants import this_second
from wording.refusals import attempt
from wording.words import local_day


def people_of(request: SignedRequest) -> QuerySet[User]:
    rights = Membership.objects.visible_to(request.user).select_related("client").order_by("client__name")
    return User.objects.prefetch_related(Prefetch("memberships", rights)).order_by("-is_active", "name", "pk")


def tell_of_letter(request: HttpRequest, person: User, *, client: Client | None = None) -> None:
    """The invitation leaves by a task; what failed stands on the pages of users and of the client."""
    letters.invite(person, client=client, at=timezone.now())
    messages.success(request, _("A letter goes to %(email)s") % {"email": person.email})


@require_http_methods(["GET", "POST"])
@open_to(ADMIN)
def listing(request: SignedRequest) -> HttpResponse:
    """Everybody; a POST invites one of our own people."""
    form = InviteStaffForm(request.POST) if request.method == "POST" else InviteStaffForm()
    if form.is_bound and form.is_valid() and (person := _invited(request, form)):
        tell_of_letter(request, person)
        return redirect("user", pk=person.pk)
    everybody = list(people_of(request))
    context = {
        "staff": [person for person in everybody if person.is_provider],
        "contacts": [row for person in everybody if not person.is_provider for row in _rows(person)],
        "form": form,
        "opened": form.is_bound or request.GET.get("open") == "new",
        "unsent": letters.unsent()[:20],
        "today": local_day(timezone.now()),
    }
    return render(request, "accounts/users.html", context, status=422 if form.errors else 200)


def _rows(person: User) -> list[tuple[User, Membership | None]]:
    """A row for each client that the person speaks for, one where there is none."""
    return [(person, membership) for membership in person.memberships.all()] or [(person, None)]


def _invited(request: SignedRequest, form: InviteStaffForm) -> User | None:
    now = this_second()
    return attempt(form, people.invite_staff, **form.cleaned_data, by=request.user, at=now)


@require_POST
@open_to(ADMIN)
def on(request: SignedRequest, pk: int) -> HttpResponse:
    """The account works again; a new password is chosen by an invitation."""
    person = people.switch_on(person=get_object_or_404(people_of(request), pk=pk), by=request.user, at=timezone.now())
    tell_of_letter(request, person)
    return redirect("user", pk=pk)


@require_POST
@open_to(ADMIN)
def letter(request: SignedRequest, pk: int) -> HttpResponse:
    """The invitation again, to somebody who has no password yet."""
    person = get_object_or_404(people_of(request), pk=pk, is_active=True)
    if not person.has_usable_password():
        tell_of_letter(request, person)
    return redirect("user", pk=pk)
