"""Which language and time zone a page is shown in, and what every page says about the provider."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation


def chosen_language(request: HttpRequest) -> str:
    """The person's own setting, else the cookie, else Polish; the browser's wish is not asked."""
    if request.user.is_authenticated:
        return request.user.language
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return cookie if cookie in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


class LanguageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.LANGUAGE_CODE = chosen_language(request)
        with translation.override(request.LANGUAGE_CODE), timezone.override(ZoneInfo(settings.DISPLAY_TIME_ZONE)):
            response = self.get_response(request)
        response["Content-Language"] = request.LANGUAGE_CODE
        return response


def provider(request: HttpRequest) -> dict[str, str]:
    """Template context: who answers, and on which phone."""
    return {"PROVIDER_NAME": settings.PROVIDER_NAME, "DUTY_PHONE": settings.DUTY_PHONE}
