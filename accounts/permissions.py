"""Who may open a page: one decorator. Invisible is 404, not allowed is 403, not signed in goes to the login."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django_htmx.middleware import HtmxDetails

from accounts.models import User

GuardedView = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]


class SignedRequest(HttpRequest):
    """A request behind `open_to`: the user is signed in."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[SignedRequest, ...], HttpResponseBase]


def open_to(*roles: str) -> Callable[[View], GuardedView]:
    """The page exists only for people who have one of these roles somewhere; for others it is a 404."""

    def decorate(view: View) -> GuardedView:
        @wraps(view)
        @login_required
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # Our own people's role stands in their row: what they are for clients needs no look
            if request.user.provider_role not in roles and not request.user.roles & set(roles):
                raise Http404
            return view(request, *args, **kwargs)

        guarded.open_to = frozenset(roles)  # type: ignore[attr-defined]
        return guarded

    return decorate


def require_role(user: User, client_id: int, *roles: str) -> None:
    """403 where a person sees this client's thing but holds none of the roles for it."""
    if user.role_for(client_id) not in roles:
        raise PermissionDenied
