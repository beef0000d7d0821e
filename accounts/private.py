"""No browser, proxy or shared computer keeps what somebody saw who was signed in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class PrivateMiddleware:
    """`Cache-Control: private, no-store` on pages of people and on every answer of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        signed_in = request.user.is_authenticated
        response = self.get_response(request)
        if signed_in or request.user.is_authenticated or request.path.startswith("/api/"):
            response["Cache-Control"] = "private, no-store"
        return response
