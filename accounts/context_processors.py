"""What every page's frame needs. Lazy: a fragment that shows no header asks for nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.active import active_client, my_clients
from accounts.models import Theme, User
from accounts.navigation import menu


def chosen_theme(request: HttpRequest) -> str:
    """The person's own setting, else the cookie, else as the system."""
    if isinstance(request.user, User):
        return request.user.theme
    cookie = request.COOKIES.get("theme", "")
    return cookie if cookie in Theme.values else Theme.SYSTEM


def _menu(request: HttpRequest) -> list[dict[str, object]]:
    if not isinstance(request.user, User):
        return []
    client = active_client(request)
    role = request.user.role_for(client.pk) if client else request.user.provider_role
    return menu(role, request.path)


def _others(request: HttpRequest) -> list[Any]:
    if not isinstance(request.user, User):
        return []
    active = active_client(request)
    return [client for client in my_clients(request.user) if client != active]


def portal(request: HttpRequest) -> dict[str, Any]:
    """`now` and `zone` are what `{% when %}` counts from; a page of a contract puts the contract's own zone."""
    return {
        "now": timezone.now().replace(microsecond=0),
        "zone": settings.DISPLAY_TIME_ZONE,
        "theme": chosen_theme(request),
        "menu": SimpleLazyObject(lambda: _menu(request)),
        "active_client": SimpleLazyObject(lambda: active_client(request)),
        "other_clients": SimpleLazyObject(lambda: _others(request)),
    }
