"""Clients with their people and shops: the list, a new client, and one client's page with what is added to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import letters, people
from accounts.models import ADMIN, MANAGER, Client, Membership
from accounts.people_forms import ClientChangeForm, ClientForm, InviteContactForm
from accounts.permissions import SignedRequest, open_to
from accounts.views_people import tell_of_letter
from contracts import shops
from contracts.forms.shop import ShopForm
from contracts.models import Contract, Shop
from contracts.moved import at_shop
from wording.instants import this_second
from wording.refusals import attempt
from wording.words import local_day

# Three forms stand on one page
CONTACT_IDS, SHOP_IDS, CHANGE_IDS = "id_contact_%s", "id_shop_%s", "id_change_%s"


def _clients(request: SignedRequest) -> QuerySet[Client]:
    return Client.objects.visible_to(request.user)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def listing(request: SignedRequest) -> HttpResponse:
    """Every client; a POST enters a new one."""
    form = ClientForm(request.POST) if request.method == "POST" else ClientForm()
    if form.is_bound and form.is_valid():
        now = this_second()
        client = attempt(form, people.create_client, **form.cleaned_data, by=request.user, at=now)
        if client:
            messages.success(request, _("%(name)s is entered. Next: a shop and the people.") % {"name": client.name})
            return redirect("settings-client", code=client.code)
    now_valid = Q(memberships__valid_until=None) | Q(memberships__valid_until__gte=local_day(timezone.now()))
    context = {
        "clients": _clients(request)
        .order_by("name")
        .annotate(
            people=Count("memberships", filter=now_valid & Q(memberships__user__is_active=True), distinct=True),
            open_shops=Count("shops", filter=Q(shops__is_active=True), distinct=True),
        ),
        "form": form,
        "opened": form.is_bound or request.GET.get("open") == "new",
    }
    return render(request, "contracts/clients.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def show(request: SignedRequest, code: str) -> HttpResponse:
    """One client; a POST changes its name and addresses."""
    client = get_object_or_404(_clients(request), code=code)
    if request.method == "GET":
        return _page(request, client)
    form = ClientChangeForm(client, request.POST, auto_id=CHANGE_IDS)
    if form.is_valid():
        facts = {"client": client, **form.cleaned_data, "by": request.user, "at": timezone.now()}
        if attempt(form, people.change_client, **facts):
            messages.success(request, _("Saved."))
            return redirect("settings-client", code=code)
    return _page(request, client, opened="change", form=form)


def _page(request: SignedRequest, client: Client, *, opened: str = "", form: Form | None = None) -> HttpResponse:
    """`form` is the one that was sent and refused, `opened` the name of its place on the page."""
    forms: dict[str, Form] = {
        "contact": InviteContactForm(auto_id=CONTACT_IDS),
        "shop": ShopForm(auto_id=SHOP_IDS),
        "change": ClientChangeForm(client, auto_id=CHANGE_IDS),
    }
    if form is not None:
        forms[opened] = form
    members = Membership.objects.visible_to(request.user).filter(client=client).select_related("user")
    context: dict[str, Any] = {
        "client": client,
        "contact_form": forms["contact"],
        "shop_form": forms["shop"],
        "change_form": forms["change"],
        "opened": opened,
        "has_errors": bool(form and form.errors),
        "members": members.order_by("-user__is_active", "user__name"),
        "unsent": letters.unsent().filter(client=client)[:20],
        "shops": Shop.objects.visible_to(request.user).filter(client=client).order_by("-is_active", "name"),
        "contracts": Contract.objects.visible_to(request.user).filter(client=client),
        "today": local_day(timezone.now()),
    }
    return render(request, "contracts/client.html", context, status=422 if context["has_errors"] else 200)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def contact(request: SignedRequest, code: str) -> HttpResponse:
    """Invites a person of the client."""
    client = get_object_or_404(_clients(request), code=code)
    if request.method == "GET":
        return _page(request, client, opened="contact")
    form = InviteContactForm(request.POST, auto_id=CONTACT_IDS)
    if form.is_valid():
        now = this_second()
        person = attempt(form, people.invite_contact, client=client, **form.cleaned_data, by=request.user, at=now)
        if person:
            tell_of_letter(request, person, client=client)
            return redirect("settings-client", code=code)
    return _page(request, client, opened="contact", form=form)


@require_http_methods(["GET", "POST"])
@open_to(MANAGER, ADMIN)
def shop(request: SignedRequest, code: str) -> HttpResponse:
    """Adds a shop."""
    client = get_object_or_404(_clients(request), code=code)
    if request.method == "GET":
        return _page(request, client, opened="shop")
    form = ShopForm(request.POST, auto_id=SHOP_IDS)
    if form.is_valid():
        facts = {"client": client, **form.cleaned_data, "by": request.user, "at": timezone.now()}
        shop = attempt(form, shops.add_shop, **facts)
        if shop:
            messages.success(request, _("%(shop)s is added") % {"shop": shop.name})
            return redirect("settings-client", code=code)
    return _page(request, client, opened="shop", form=form)


@require_POST
@open_to(MANAGER, ADMIN)
@at_shop
def close(request: SignedRequest, shop: Shop) -> HttpResponse:
    shops.close_shop(shop=shop, by=request.user, at=timezone.now())
    messages.success(request, _("%(shop)s is closed") % {"shop": shop.name})
    return redirect("settings-client", code=shop.client.code)


@require_POST
@open_to(MANAGER, ADMIN)
@at_shop
def reopen(request: SignedRequest, shop: Shop) -> HttpResponse:
    shops.reopen_shop(shop=shop, by=request.user, at=timezone.now())
    messages.success(request, _("%(shop)s is open again") % {"shop": shop.name})
    return redirect("settings-client", code=shop.client.code)
