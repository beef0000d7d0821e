"""The red bar alone, asked by a live page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import ADMIN, AGENT, MANAGER
from accounts.permissions import SignedRequest, open_to
from incidents.notices import unheard
from wording.etag import not_modified


@require_GET
@open_to(AGENT, MANAGER, ADMIN)
def bar(request: SignedRequest) -> HttpResponse:
    """204 while it stays as it is, so a screen reader says each alarm once."""
    red_bar = unheard.red_bar(request.user, timezone.now())
    return not_modified(request, red_bar.mark) or render(request, "incidents/_red_bar.html", {"red_bar": red_bar})
