"""The list of incidents for all four roles: search, filters, pages, CSV. Clients see their own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.active import active_client
from accounts.models import AGENT, MANAGER, OWNER, REPORTER, Client, User
from accounts.permissions import SignedRequest, open_to
from incidents.filters import Filters
from incidents.models import ClockRow, Incident, IncidentQuerySet
from incidents.text.lead import standing
from wording import words
from wording.instants import this_second

PAGE = 50  # rows; who reads on would rather filter
# Rows in memory at a time, however long the table: a chunk is one trip to the server's cursor
CSV_CHUNK = 500


@require_GET
@open_to(REPORTER, OWNER, AGENT, MANAGER)
def incidents(request: SignedRequest) -> HttpResponse | StreamingHttpResponse:
    now, staff = this_second(), request.user.works_incidents
    client = None if staff else active_client(request)
    filters = Filters(request.GET, request.user, client)
    listed = filters.on(_mine(request.user, client)).with_row()
    if request.GET.get("format") == "csv":
        return _csv(request, listed, now)
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    rows = [
        {"incident": incident, "clock": standing(incident, now=now, for_client=not staff).lead} for incident in page
    ]
    return render(request, "incidents/list.html", {"page": page, "rows": rows, "filters": filters, "now": now})


def _mine(user: User, client: Client | None) -> IncidentQuerySet:
    """Staff see every client's; a person of two clients sees the active one's."""
    mine = Incident.objects.visible_to(user)
    return mine if user.works_incidents else mine.filter(client=client)


class _Echo:
    """A file that gives back what is written to it, so that the table is streamed."""

    def write(self, row: str) -> str:
        return row


def _csv(request: SignedRequest, listed: IncidentQuerySet, now: datetime) -> StreamingHttpResponse:
    """Semicolons where the comma is the decimal sign, so that a spreadsheet opens it by a double click."""
    writer = csv.writer(_Echo(), delimiter=";" if words.language_forms().decimal == "," else ",")
    staff = request.user.works_incidents
    lines = chain([_head(staff)], (_cells(incident, staff=staff) for incident in listed.iterator(CSV_CHUNK)))
    body: Iterator[str] = (writer.writerow([_safe(cell) for cell in line]) for line in lines)
    response = StreamingHttpResponse(_with_mark(body), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{_("incidents")}-{now:%Y-%m-%d}.csv"'
    return response


def _with_mark(body: Iterator[str]) -> Iterator[str]:
    """The byte order mark without which Excel garbles Polish letters."""
    yield "\ufeff"
    yield from body


def _safe(cell: Any) -> str:
    """A cell that a spreadsheet would take for a formula is shown as text."""
    text = str(cell)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _head(staff: bool) -> list[str]:
    client = [_("Client")] if staff else []
    return [
        _("Number"),
        *client,
        _("Shop"),
        _("Severity"),
        _("What is happening"),
        _("In one sentence"),
        _("State"),
        _("Received"),
        _("Contact by"),
        _("Contact"),
        _("Repair by"),
        _("Repair"),
        _("Final fix by"),
        _("Final fix"),
        _("Seen working since"),
        _("Delivered"),
        _("Rejected"),
        _("Ended"),
    ]


def _cells(incident: Incident, *, staff: bool) -> list[str]:
    rows = {row.target: row for row in incident.clocks.all()}
    client = [incident.client.name] if staff else []
    cells = [
        incident.nr,
        *client,
        incident.shop.name,
        incident.severity,
        incident.get_what_display(),
        incident.sentence,
        incident.get_status_display(),
        _stamp(incident.received_at, incident.zone),
    ]
    for target in ("reaction", "restore", "final_fix"):
        cells += _clock_cells(rows.get(target), incident.zone)
    repair = rows.get("restore")
    cells.append(_stamp(repair.seen_at, incident.zone) if repair else "")
    stands = (incident.delivered_at, incident.rejected_at, incident.ended_at)
    cells += [_stamp(instant, incident.zone) for instant in stands]
    return [str(cell) for cell in cells]


def _clock_cells(row: ClockRow | None, zone: str) -> list[str]:
    return [_stamp(row.deadline, zone), _stamp(row.stopped_at, zone)] if row else ["", ""]


def _stamp(instant: datetime | None, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" if instant else ""
