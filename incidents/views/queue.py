"""The queue: the page, and the fragment that changes its cells in place."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import AGENT, MANAGER
from accounts.permissions import SignedRequest, open_to
from incidents import queue
from messaging import heartbeat
from wording.etag import etag_of, not_modified
from wording.instants import this_second
from wording.texts import number_in


@require_GET
@open_to(AGENT, MANAGER)
def show(request: SignedRequest) -> HttpResponse:
    return render(request, "incidents/queue.html", _context(request))


@require_GET
@open_to(AGENT, MANAGER)
def live(request: SignedRequest) -> HttpResponse:
    """Rows that the page shows change in place; what is new, gone or moved is counted and waits for a click."""
    context = _context(request)
    if answer := not_modified(request, context["mark"]):
        return answer
    shown = [pk for row in request.GET.get("rows", "").split(",") if (pk := number_in(row)) is not None]
    places = [row["incident"].pk for group in context["groups"] for row in group.rows]
    context["changed"] = len(set(shown) ^ set(places)) + _moved(shown, places)
    context["known"] = set(shown) & set(places)
    response = render(request, "incidents/_queue_live.html", context)
    response["ETag"] = f'"{context["mark"]}"'
    return response


def _moved(shown: list[int], places: list[int]) -> int:
    """How many of the rows in both stand in another order."""
    here = [row for row in shown if row in set(places)]
    there = [row for row in places if row in set(shown)]
    return sum(1 for old, new in zip(here, there, strict=True) if old != new)


def _context(request: SignedRequest) -> dict[str, Any]:
    now = this_second()
    chosen = request.GET.get("show", "")
    chosen = chosen if chosen in queue.FILTERS else ""
    groups = queue.groups(request.user, chosen, now)
    counts = queue.counts(request.user)
    tabs = [{"key": key, "name": name, "count": counts[key]} for key, (name, _of) in queue.FILTERS.items()]
    rows = [row for group in groups for row in group.rows]
    stalled = heartbeat.stalled("clocks", at=now)
    facts = [(row["incident"].pk, row["incident"].changed_at, row["clock"].style) for row in rows]
    return {
        "groups": groups,
        "tabs": tabs,
        "chosen": chosen,
        "now": now,
        "boundary": queue.boundary(now),
        "rows": ",".join(str(row["incident"].pk) for row in rows),
        "stalled": stalled,
        "mark": etag_of(facts, [(group.key, group.count) for group in groups], request.LANGUAGE_CODE, stalled),
        "next_due": None if groups else queue.next_deadline(now),
    }
