"""What every page's frame needs. Lazy: a fragment that shows no header asks for nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.active import chosen_client, my_clients, person_of
from accounts.models import Client, Theme
from accounts.navigation import menu
from wording.instants import this_second


def chosen_theme(request: HttpRequest) -> str:
    """The person's own setting, else the cookie, else as the system."""
    if person := person_of(request):
        return person.theme
    cookie = request.COOKIES.get("theme", "")
    return cookie if cookie in Theme.values else Theme.SYSTEM


class PageHeader:
    """The header's facts about the person, each asked for once."""

    def __init__(self, request: HttpRequest) -> None:
        self.request, self.person = request, person_of(request)

    @cached_property
    def clients(self) -> list[Client]:
        return my_clients(self.person) if self.person else []

    @cached_property
    def client(self) -> Client | None:
        return chosen_client(self.request, self.clients)

    @cached_property
    def others(self) -> list[Client]:
        return [client for client in self.clients if client != self.client]

    @cached_property
    def menu(self) -> list[dict[str, object]]:
        user = self.person
        if user is None:
            return []
        return menu(user.role_for(self.client.pk) if self.client else user.provider_role, self.request.path)


def portal(request: HttpRequest) -> dict[str, Any]:
    """`now` and `zone` are what `{% when %}` counts from; a page of a contract puts the contract's own zone."""
    return {
        "now": this_second(),
        "zone": settings.DISPLAY_TIME_ZONE,
        "theme": chosen_theme(request),
        "header": PageHeader(request),
    }
