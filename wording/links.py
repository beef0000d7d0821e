"""Addresses for letters and messages, which are read where no page is open."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def page_link(page: str, **where: object) -> str:
    """The whole address of the page with this name, `https://portal.example/incidents/MAK-0142/`."""
    return f"{settings.BASE_URL}{reverse(page, kwargs=where)}"
