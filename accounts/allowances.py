"""How much one person, one token and one client may do: buckets so large that only a program gone wild empties them.

Reports have buckets of their own, so that nobody who wrote too much can't report a failure; pages and the API share
none, so that a person's integration never stops the person. Nothing of a monitor's is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.attempts import Bucket, take_all
from accounts.expired import is_secret
from accounts.models import Client, LimitReached, User

logger = logging.getLogger(__name__)

DAY = timedelta(days=1)
SHOWN = 20  # on the health page, those whose reports were refused first
TOKENS, CLIENT = 3, 10  # a person's tokens together, and a client's people together, have so many allowances
# Signing out ends something, and a report counts where it is filed: after its form is right and it is no repeat
NEVER = frozenset({"logout", "api-token-end"})
REPORTS = frozenset({"report", "report-shop", "incident-new"})
HEAVY = frozenset({"contract-preview", "contract-compare", "incident-anchor"})
HEAVY_PARAMETERS = frozenset({"q", "check", "head"})
NOT_SHOWN = frozenset({"csrfmiddlewaretoken"})
# A day without a refusal begins anew
NOTE = """
INSERT INTO accounts_limitreached AS kept (person_id, kind, token, first_at, last_at, times)
VALUES (%(person)s, %(kind)s, %(token)s, %(at)s, %(at)s, 1)
ON CONFLICT (person_id, kind, token) DO UPDATE SET
    times = CASE WHEN kept.last_at < %(at)s - interval '1 day' THEN 1 ELSE kept.times + 1 END,
    first_at = CASE WHEN kept.last_at < %(at)s - interval '1 day' THEN %(at)s ELSE kept.first_at END,
    last_at = %(at)s
RETURNING times
"""


class Kind(StrEnum):
    REPORTS = LimitReached.Kind.REPORTS
    ACTS = LimitReached.Kind.ACTS
    READS = LimitReached.Kind.READS


def bucket(kind: Kind, key: str, share: int = 1) -> Bucket:
    allowed, per = getattr(settings, f"LIMIT_{kind.upper()}")
    return Bucket(f"{kind} {key}", allowed * share, per)


def buckets(kind: Kind, person: User, client: int | None, token: str) -> list[Bucket]:
    """What one act counts in. `client`: whose thing it is about, for that client's own people; `token`: "" on pages."""
    way = "api" if token else "page"
    counted = [bucket(kind, f"{way} person {person.pk}", TOKENS if token else 1)]
    if token:
        counted.insert(0, bucket(kind, f"token {token} of {person.pk}"))
    if client is not None and not person.is_provider:
        counted.append(bucket(kind, f"{way} client {client}", CLIENT))
    return counted


def take(kind: Kind, person: User, *, client: int | None = None, token: str = "") -> timedelta | None:
    """None where it may be done, else how long to wait; then the administrators see who ran into which limit."""
    at = timezone.now()
    wait = take_all(buckets(kind, person, client, token), at)
    if wait is not None:
        with connection.cursor() as cursor:
            cursor.execute(NOTE, {"person": person.pk, "kind": kind, "token": token, "at": at})
            times = cursor.fetchone()[0]
        if times in {1, 10, 100} or times % 1000 == 0:
            logger.warning("limit of %s: person %s %s refused, %s times by now", kind, person.pk, token, times)
    return wait


def reached(at: datetime) -> list[LimitReached]:
    """Who was refused within the last day, those whose reports were refused first."""
    refusals = LimitReached.objects.filter(last_at__gt=at - DAY).select_related("person")
    return sorted(refusals, key=lambda row: (row.kind != Kind.REPORTS, -row.last_at.timestamp()))[:SHOWN]


def when(wait: timedelta) -> str:
    minutes = ceil(wait.total_seconds() / 60)
    return ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes) % {"count": minutes}


def report_refused(wait: timedelta) -> str:
    """Says that nobody knows of the failure yet, and whom to call."""
    sentence = _("Too many reports at once: this one was NOT received. Call %(phone)s now.")
    return f"{sentence % {'phone': settings.DUTY_PHONE}} {when(wait)}"


def act_refused(wait: timedelta) -> str:
    sentence = _("Too much at once: nothing was done. If it is urgent, call %(phone)s.")
    return f"{sentence % {'phone': settings.DUTY_PHONE}} {when(wait)}"


def with_wait(response: HttpResponse, wait: timedelta) -> HttpResponse:
    """429 with `Retry-After` in seconds."""
    response.status_code = 429
    response["Retry-After"] = str(ceil(wait.total_seconds()))
    return response


# Pages


class AllowanceMiddleware:
    """Counts what a signed-in person sends, and the reads that cost much; the API is counted once its token is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, str]) -> object:
        if request.path_info.startswith("/api/"):
            return None
        kind = kind_of(request)
        if kind is None or not isinstance(request.user, User):
            return None
        wait = take(kind, request.user, client=client_of(request.user, kwargs.get("nr", "")))
        return wait and too_much(request, wait)


def kind_of(request: HttpRequest) -> Kind | None:
    name = request.resolver_match.url_name if request.resolver_match else ""
    if name in HEAVY:
        return Kind.READS
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        heavy = any(request.GET.get(part) for part in HEAVY_PARAMETERS) or request.GET.get("format") == "csv"
        return Kind.READS if heavy else None
    return None if name in NEVER | REPORTS else Kind.ACTS


def client_of(person: User, nr: str) -> int | None:
    """The client whose incident it is, if it is one of the person's: nobody uses up a stranger's allowance."""
    if not nr or person.is_provider:
        return None
    mine = Client.objects.visible_to(person)
    return mine.filter(code=nr.partition("-")[0]).values_list("pk", flat=True).first()


def too_much(request: HttpRequest, wait: timedelta) -> HttpResponse:
    """A page that holds everything that was typed and sends it to the same address again."""
    typed = [
        (name, value, "\n" in value or len(value) > 40)
        for name, values in request.POST.lists()
        for value in values
        if name not in NOT_SHOWN
    ]
    secret = any(is_secret(name) for name, _value, _long in typed)
    facts = {"when": when(wait), "typed": typed, "sends": bool(typed) and not secret, "path": request.get_full_path()}
    return with_wait(render(request, "accounts/too_much.html", facts), wait)
