"""A program with a person's token: answered in that person's language, named and seen on the person's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.request import Request

from accounts.models import TokenFacts, User

# The token may end while it is used: then there is nothing to note
NOTE_USE = """
INSERT INTO accounts_tokenfacts AS kept (token_id, used_at)
SELECT digest, %(at)s FROM knox_authtoken WHERE digest = %(token)s FOR KEY SHARE
ON CONFLICT (token_id) DO UPDATE SET used_at = excluded.used_at
WHERE kept.used_at IS NULL OR kept.used_at < excluded.used_at - interval '1 minute'
"""


def make(person: User, *, name: str) -> tuple[AuthToken, str]:
    """The row and the secret, which is shown once."""
    with transaction.atomic():
        row, secret = AuthToken.objects.create(user=person)
        TokenFacts.objects.create(token=row, name=name)
    return row, secret


def note_use(token: AuthToken, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(NOTE_USE, {"token": token.pk, "at": at})


def tokens_of(person: User, *, at: datetime) -> QuerySet[AuthToken]:
    """Those that work, the newest first; one made before this list has no facts until it is used."""
    mine: QuerySet[AuthToken] = AuthToken.objects.filter(user=person).exclude(expiry__lte=at)
    return mine.select_related("facts").order_by("-created")


def end(person: User, key: str) -> bool:
    """End the person's token whose public part is `key`; False where there is none."""
    return bool(AuthToken.objects.filter(user=person, token_key=key).delete()[0])


class PersonToken(TokenAuthentication):  # type: ignore[misc] # knox has no types
    """The language middleware runs before the token is read, and puts its own language back afterwards."""

    def authenticate(self, request: Request) -> Any:
        signed = super().authenticate(request)
        if signed:
            note_use(signed[1], at=timezone.now())
            request._request.LANGUAGE_CODE = signed[0].language
            translation.activate(signed[0].language)
        return signed


class PersonTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description of the API tells of the header."""

    target_class = PersonToken
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        definition: dict[str, Any] = build_bearer_security_scheme_object("Authorization", "Token")
        return definition
