"""The allowances of `accounts.allowances` where a program calls: by its token, its person and that person's client."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from knox.models import AuthToken
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.addresses import source
from accounts.allowances import NEVER, Kind, act_refused, bucket, client_of, take
from accounts.models import User

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this file by the settings


class TooMany(APIException):
    """`detail` for people and `call`, the number of the on-call phone."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, sentence: str, wait: timedelta) -> None:
        super().__init__(sentence)
        self.detail = {"detail": ErrorDetail(sentence), "call": ErrorDetail(settings.DUTY_PHONE)}
        self.wait = ceil(wait.total_seconds())


class Throttle(BaseThrottle):
    """Every call of the API, before anything of its body is read; a report counts where it is filed."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        match = request.resolver_match
        name = match.url_name if match else ""
        reads = request.method in {"GET", "HEAD", "OPTIONS"}
        if name in NEVER or (name == "api-incidents" and not reads):
            return True
        kind = Kind.READS if reads else Kind.ACTS
        wait = _wait(request, kind, view.kwargs.get("nr", ""))
        if wait is not None:
            raise TooMany(act_refused(wait), wait)
        return True


def _wait(request: Request, kind: Kind, nr: str) -> timedelta | None:
    if isinstance(request.user, User):
        return take(kind, request.user, client=client_of(request.user, nr), token=token_of(request))
    # The description of the API is for everybody; who asks for a token is counted by `attempts`
    public = kind is Kind.READS
    return bucket(kind, f"from {source(request._request)}").take(timezone.now()) if public else None


def token_of(request: Request) -> str:
    """The token's public part, by which the person's page of tokens names it; "session" for a page's own call."""
    return request.auth.token_key if isinstance(request.auth, AuthToken) else "session"
