"""The link by which an invited person sets the first password: signed, for one use, three days."""

from __future__ import annotations

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import User


class InvitationTokens(PasswordResetTokenGenerator):
    """Signs the person's password and last sign-in too, so that a used link is dead."""

    key_salt = "accounts.invitations"


tokens = InvitationTokens()


def invitation_path(user: User) -> str:
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("invitation", args=[f"{key}.{tokens.make_token(user)}"])


def invited(token: str) -> User | None:
    """The person whom the link invites, or None for a link that is wrong, used or too old."""
    key, _, signature = token.partition(".")
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(key)), is_active=True).first()
    except ValueError:
        return None
    return user if user and tokens.check_token(user, signature) else None
