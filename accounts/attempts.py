"""How often somebody may try to sign in: per source and per person apart, and nobody can lock anybody else out.

axes asks before a password is hashed and turns a refusal into an answer; the counting is `accounts.limits`. The
choice is explained in docs/decisions/sign-in-limits.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from axes.handlers.base import AxesHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext

from accounts import limits
from accounts.addresses import source
from accounts.devices import device_of

TAKEN, WAIT = "_sign_in_taken", "_sign_in_wait"  # attributes of the request


@dataclass(frozen=True)
class Bucket:
    key: str
    allowed: int
    per: timedelta

    def take(self, at: datetime) -> timedelta | None:
        return limits.take(self.key, allowed=self.allowed, per=self.per, at=at)

    def give_back(self) -> None:
        limits.give_back(self.key, allowed=self.allowed, per=self.per)


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def buckets(request: HttpRequest, email: str) -> list[Bucket]:
    """What one try counts in. A known device has its own bucket; pages and the API share none."""
    way = "token" if request.path.startswith("/api/") else "page"
    device = device_of(request, email)
    if device:
        return [Bucket(f"{way} device {device}", 10, 15 * MINUTE)]
    # One source alone can't empty the person's bucket: 20 an hour of 60
    return [
        Bucket(f"{way} {email} from {source(request)}", 10, 30 * MINUTE),
        Bucket(f"{way} from {source(request)}", 30, 15 * MINUTE),
        Bucket(f"{way} {email}", 60, HOUR),
    ]


def take_all(buckets: list[Bucket], at: datetime) -> timedelta | None:
    """One act in each bucket, or in none and the time to wait."""
    for done, bucket in enumerate(buckets):
        wait = bucket.take(at)
        if wait:
            for earlier in buckets[:done]:
                earlier.give_back()
            return wait
    return None


def succeeded(request: HttpRequest) -> None:
    """The password was right: a mistyped one before it is forgiven, the source's and person's counts are as before."""
    for number, bucket in enumerate(getattr(request, TAKEN, [])):
        if number == 0:
            limits.forget(bucket.key)
        else:
            bucket.give_back()
    setattr(request, TAKEN, [])


class Attempts(AxesHandler):  # type: ignore[misc] # axes has no types
    """axes' hook `is_allowed` comes before any password is hashed; its tables of attempts aren't written."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        email = str((credentials or {}).get("username") or "").strip().lower()
        counted = buckets(request, email)
        wait = take_all(counted, timezone.now())
        setattr(request, WAIT, wait)
        setattr(request, TAKEN, [] if wait else counted)
        request.axes_locked_out = wait is not None  # type: ignore[attr-defined]
        return wait is None

    def post_save_access_attempt(self, instance: object, **kwargs: object) -> None: ...

    def post_delete_access_attempt(self, instance: object, **kwargs: object) -> None: ...


def locked_out(request: HttpRequest, response: HttpResponse, credentials: object = None) -> HttpResponse:
    """AXES_LOCKOUT_CALLABLE."""
    return too_many(request, getattr(request, WAIT, None) or MINUTE, email=request.POST.get("username", ""))


def too_many(request: HttpRequest, wait: timedelta, *, letters: bool = False, email: str = "") -> HttpResponse:
    """429 with `Retry-After` in seconds; a page with the ways in that are left, for a program a sentence."""
    seconds = ceil(wait.total_seconds())
    minutes = ceil(seconds / 60)
    when = ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes) % {"count": minutes}
    answer: HttpResponse
    if request.path.startswith("/api/"):
        answer = JsonResponse({"detail": when}, status=429)
    else:
        facts = {"when": when, "letters": letters, "email": email[:254]}
        answer = render(request, "429.html", facts, status=429)
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "private, no-store"
    return answer
