"""The link by which an invited person sets the first password: signed, for one use, three days."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from accounts.letters import INVITATION, link_to, named
from accounts.models import Letter, User


def invitation_link(user: User) -> str:
    """A new link, given by hand; the ones before it are dead from now on."""
    now = timezone.now()
    Letter.objects.create(kind=Letter.Kind.INVITATION, email=user.email, person=user, asked_at=now)
    return link_to(user, Letter.Kind.INVITATION)


def invitation_path(user: User) -> str:
    return invitation_link(user).removeprefix(settings.BASE_URL)


def invited(token: str) -> User | None:
    """The person whom the link invites, or None for a link that is wrong, used or too old."""
    key, _, signature = token.partition(".")
    user = named(key).first()
    return user if user and INVITATION.check_token(user, signature) else None
