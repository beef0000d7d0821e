"""A live fragment: polled with the mark of what the page shows, 204 when nothing has changed."""

from __future__ import annotations

from hashlib import sha256

from django.http import HttpRequest, HttpResponse


def mark_of(*facts: object) -> str:
    """A short mark of what a fragment is made from; texts that only count time stay out of it."""
    return sha256(repr(facts).encode()).hexdigest()[:16]


def unchanged(request: HttpRequest, mark: str) -> HttpResponse | None:
    """The 204 that leaves the page as it is, where it shows this mark already (query `mark` or If-None-Match)."""
    shown = {request.GET.get("mark", ""), request.headers.get("If-None-Match", "").strip('W/"')}
    return HttpResponse(status=204, headers={"ETag": f'"{mark}"'}) if mark in shown else None
