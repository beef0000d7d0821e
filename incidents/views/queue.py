"""The queue: the page, and the fragment that changes its cells in place."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import AGENT, MANAGER
from accounts.permissions import SignedRequest, open_to
from contracts.terms import moment, seconds
from incidents import queue
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
    if answer := _unchanged(request):
        return answer
    context = _context(request)
    pks = [pk for row in request.GET.get("rows", "").split(",") if (pk := number_in(row)) is not None]
    places = [row.incident.pk for group in context["groups"] for row in group.rows]
    context["changed"] = len(set(pks) ^ set(places)) + _moved(pks, places)
    context["shown"] = set(pks) & set(places)
    context["headed"] = set(request.GET.get("groups", "").split(","))
    response = render(request, "incidents/_queue_live.html", context)
    response["ETag"] = f'"{context["mark"]}"'
    return response


def _unchanged(request: SignedRequest) -> HttpResponse | None:
    """The 204 that leaves the page as it is (htmx swaps nothing): its state is that of now, by one query."""
    text = request.GET.get("mark") or request.headers.get("If-None-Match", "").strip('W/"')
    mark, now = queue.Mark.parsed(text), this_second()
    if mark is None or seconds(now) >= mark.until:
        return None
    reach = queue.Boundary(None, moment(mark.reaches) if mark.reaches else None).reach(now)
    if queue.state_of(_selection(request), now, reach).etag != mark.etag:
        return None
    return HttpResponse(status=204, headers={"ETag": f'"{mark}"'})


def _moved(shown: list[int], places: list[int]) -> int:
    """How many of the rows in both stand in another order."""
    here = [row for row in shown if row in set(places)]
    there = [row for row in places if row in set(shown)]
    return sum(1 for old, new in zip(here, there, strict=True) if old != new)


def _selection(request: SignedRequest) -> queue.Selection:
    parts = request.GET
    page = number_in(parts.get("page", "1"))
    return queue.selected(request.user, parts.get("show", ""), parts.get("group", ""), page, request.LANGUAGE_CODE)


def _context(request: SignedRequest) -> dict[str, Any]:
    now, selection = this_second(), _selection(request)
    look = queue.look(selection, now)
    tabs = [{"key": key, "name": tab.name, "count": look.state.count(tab)} for key, tab in queue.FILTERS.items()]
    return {
        "groups": look.groups,
        "tabs": tabs,
        "chosen": selection.chosen,
        "only": selection.group,
        "before": selection.page - 1,
        "after": look.next_page,
        "address": urlencode({name: value for name, value in _address(selection).items() if value}),
        "fixed": 0 if selection.chosen or selection.group else look.state.size("fixed", selection.filter),
        "now": now,
        "boundary": look.boundary,
        "rows": ",".join(str(row.incident.pk) for row in look.rows),
        "stalled": look.state.stalled,
        "mark": look.mark,
        "next_due": None if look.groups else queue.next_deadline(now),
        "queue_count": look.state.count(queue.FILTERS[""]),
    }


def _address(selection: queue.Selection) -> dict[str, Any]:
    page = selection.page if selection.page > 1 else 0
    return {"show": selection.chosen, "group": selection.group, "page": page}
