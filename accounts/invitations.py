"""The link by which an invited person sets the first password: signed, for one use, three days; and its letter."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlsafe_base64_decode

from accounts.letters import Links, person_key
from accounts.models import Client, Letter, User

logger = logging.getLogger(__name__)


tokens = Links(Letter.Kind.INVITATION, "accounts.invitations")


def invitation_path(user: User) -> str:
    """A new link; the ones before it are dead from now on."""
    now = timezone.now()
    Letter.objects.create(kind=Letter.Kind.INVITATION, email=user.email, person=user, asked_at=now, sent_at=now)
    return reverse("invitation", args=[f"{person_key(user)}.{tokens.make_token(user)}"])


def invited(token: str) -> User | None:
    """The person whom the link invites, or None for a link that is wrong, used or too old."""
    key, _, signature = token.partition(".")
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(key)), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return user if user and tokens.check_token(user, signature) else None


def invitation_link(user: User) -> str:
    return f"{settings.BASE_URL}{invitation_path(user)}"


def send_letter(user: User, *, client: Client | None = None) -> str:
    """Invites by e-mail, in the person's language; who has a password already is told of the client only.

    "" when it left, else the error, for the person who invites: the letter can be sent again.
    """
    link = "" if user.has_usable_password() else invitation_link(user)
    facts = {"person": user, "client": client, "link": link or settings.BASE_URL, "new": bool(link)}
    with translation.override(user.language):
        subject = render_to_string("accounts/invitation_mail_subject.txt", facts)
        body = render_to_string("accounts/invitation_mail.txt", facts)
    try:
        send_mail(" ".join(subject.split()), body, None, [user.email])
    except OSError as error:  # every SMTP error is one
        logger.warning("the invitation of %s was not sent: %s", user.pk, error)
        return f"{type(error).__name__}: {error}"
    return ""
