"""A program with a person's token is answered in that person's language."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication
from rest_framework.request import Request


class PersonToken(TokenAuthentication):  # type: ignore[misc] # knox has no types
    """The language middleware runs before the token is read, and puts its own language back afterwards."""

    def authenticate(self, request: Request) -> Any:
        found = super().authenticate(request)
        if found:
            request._request.LANGUAGE_CODE = found[0].language
            translation.activate(found[0].language)
        return found


class PersonTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description of the API tells of the header."""

    target_class = PersonToken
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        found: dict[str, Any] = build_bearer_security_scheme_object("Authorization", "Token")
        return found
