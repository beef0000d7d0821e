"""Devices that somebody has signed in with before: OWASP's device cookies, bound to the person, for a year.

A known device has an allowance of its own, so wrong passwords from elsewhere never stop the person who uses it.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

COOKIE = "device"
SALT = "accounts.devices"
YEAR = 365 * 24 * 3600
PEOPLE = 5  # who share one browser


def device_of(request: HttpRequest, email: str) -> str:
    """The device's random name where this person has signed in with it before, else ""."""
    return _devices(request).get(_tag(email), "")


def remember_device(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """After the person has proved who it is, by password or by a letter."""
    devices = _devices(request)
    name = devices.pop(_tag(email), "") or secrets.token_hex(16)
    kept = [*devices.items(), (_tag(email), name)][-PEOPLE:]
    response.set_signed_cookie(
        COOKIE,
        "~".join(".".join(pair) for pair in kept),
        salt=SALT,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _devices(request: HttpRequest) -> dict[str, str]:
    value = request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=YEAR) or ""
    return {tag: name for tag, _dot, name in (pair.partition(".") for pair in value.split("~")) if name}


def _tag(email: str) -> str:
    """Of the e-mail and not of the account: known without asking the database, the same for unknown names."""
    return salted_hmac(SALT, email.lower(), algorithm="sha256").hexdigest()[:20]
