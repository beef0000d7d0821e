"""For which client a person of two companies is working now; the header always shows it."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import Client, User

SESSION_KEY = "active_client"


def person_of(request: HttpRequest) -> User | None:
    """Who is signed in; None too where a request is refused before the middleware has asked (an unknown Host)."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def my_clients(user: User) -> list[Client]:
    """The companies that the person speaks for today, by name; staff speak for none."""
    return [] if user.is_provider else list(Client.objects.visible_to(user))


def chosen_client(request: HttpRequest, clients: list[Client]) -> Client | None:
    """Of the person's own companies the one picked in the header, else the first."""
    picked = [client for client in clients if client.pk == request.session.get(SESSION_KEY)]
    return next(iter(picked or clients), None)


def active_client(request: HttpRequest) -> Client | None:
    """None for staff and for people without a valid membership."""
    return chosen_client(request, my_clients(request.user)) if isinstance(request.user, User) else None


def show_client(request: HttpRequest, client_id: int) -> bool:
    """Makes this client the active one if the person speaks for it: a link to the other's thing switches visibly."""
    if not isinstance(request.user, User) or client_id not in request.user.memberships_now or request.user.is_provider:
        return False
    if request.session.get(SESSION_KEY) != client_id:
        request.session[SESSION_KEY] = client_id
    return True
