"""A live fragment: polled with the ETag of what the page shows, 204 when nothing has changed."""

from __future__ import annotations

from hashlib import sha256

from django.http import HttpRequest, HttpResponse


def etag_of(*facts: object) -> str:
    """A short hash of what a fragment is made from; texts that only count time stay out of it."""
    return sha256(repr(facts).encode()).hexdigest()[:16]


def not_modified(request: HttpRequest, etag: str) -> HttpResponse | None:
    """The 204 that leaves the page as it is, where it shows this already (query `mark` or If-None-Match); htmx swaps
    nothing at 204.
    """
    shown = {request.GET.get("mark", ""), request.headers.get("If-None-Match", "").strip('W/"')}
    return HttpResponse(status=204, headers={"ETag": f'"{etag}"'}) if etag in shown else None
