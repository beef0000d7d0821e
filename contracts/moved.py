"""Addresses of before, which stand in people's letters and bookmarks: they lead to today's for good."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import reverse

from accounts.permissions import SignedRequest, View
from contracts.models import Shop


def moved(request: HttpRequest, name: str, **where: Any) -> HttpResponsePermanentRedirect:
    """301 with what was asked; 308 for a form, so that nothing typed is lost."""
    path, query = reverse(name, kwargs=where), request.META.get("QUERY_STRING", "")
    kept = request.method not in {"GET", "HEAD"}
    return HttpResponsePermanentRedirect(f"{path}?{query}" if query else path, preserve_request=kept)


def at_shop(view: View) -> View:
    """Inside `open_to`: the visible shop of the address in place of its slug; one that has moved leads on."""

    @wraps(view)
    def at_its_address(request: SignedRequest, slug: str, **where: Any) -> HttpResponseBase:
        shop = Shop.objects.visible_to(request.user).select_related("client").at(slug)
        if shop is None:
            raise Http404
        if shop.slug != slug and request.resolver_match:
            return moved(request, request.resolver_match.view_name, **where, slug=shop.slug)
        return view(request, shop, **where)

    return at_its_address
