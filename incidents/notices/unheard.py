"""The red bar: alarms that reached nobody, for every signed-in member of staff until they are mended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from accounts.active import person_of
from accounts.models import User
from incidents.models import UnheardAlarm
from incidents.notices.reach import Audience
from wording.etag import etag_of

SHOWN = 5  # incidents of one bar; the rest is counted


@dataclass(frozen=True, slots=True)
class Unheard:
    """An incident of which one side could not be told, since when; `of_client`: the client's side."""

    nr: str
    since: datetime
    of_client: bool


@dataclass(frozen=True, slots=True)
class RedBar:
    """What the bar shows; `mark` changes with it, so that polling repeats nothing."""

    alarms: list[Unheard]
    more: int
    mark: str


def unheard(user: User) -> list[Unheard]:
    """Each incident once a side, the longest first; one query."""
    rows = UnheardAlarm.objects.visible_to(user).open().order_by("opened_at", "pk")
    first: dict[tuple[str, bool], datetime] = {}
    for nr, audience, opened_at in rows.values_list("incident__nr", "audience", "opened_at"):
        first.setdefault((nr, audience == Audience.CLIENT), opened_at)
    return [Unheard(nr, since, of_client) for (nr, of_client), since in first.items()]


def red_bar(user: User, now: datetime) -> RedBar:
    alarms = unheard(user)
    etag = etag_of(alarms, timezone.localdate(now), get_language())
    return RedBar(alarms[:SHOWN], max(len(alarms) - SHOWN, 0), etag)


def bar_of_page(request: HttpRequest) -> dict[str, Any]:
    """Template context, for our own people only; lazy, so a fragment without the page's frame asks for nothing."""
    user = person_of(request)
    if user is None or not user.is_provider:
        return {}
    return {"red_bar": SimpleLazyObject(lambda: red_bar(user, timezone.now()))}
