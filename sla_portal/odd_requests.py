"""Requests that no browser and no program of ours sends are refused at the door, before anything reads them."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from email.message import Message
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from wording.texts import number_in

CHARSETS = frozenset({"utf-8", "ascii"})
FOREIGN = "sla_portal.foreign_charset"


def without_charset(request: dict[str, Any]) -> dict[str, Any]:
    """The WSGI environment without a charset other than UTF-8; FOREIGN then says that there was one.

    Django decodes the query by the charset that the request names, while it builds the request, before any middleware:
    `punycode` takes minutes of CPU for a megabyte, `undefined` and `base64` raise.
    """
    content = Message()
    content["Content-Type"] = request.get("CONTENT_TYPE", "").replace("\r", " ").replace("\n", " ")
    charset = content.get_param("charset")
    if charset is None or _is_utf8(charset):
        return request
    return {**request, "CONTENT_TYPE": content.get_content_type(), FOREIGN: True}


def _is_utf8(charset: object) -> bool:
    try:
        return codecs.lookup(str(charset)).name in CHARSETS
    except (LookupError, ValueError):
        return False


class SizeMiddleware:
    """413 before anything is read of a body that is too large: Django's own limit leaves out the files in a form, which
    would fill the disk. A body without a length is read as empty."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        size = number_in(length) if length.isascii() and length.isdigit() else 0
        if size is not None and size <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.get_response(request)
        if request.path_info.startswith("/api/"):
            return JsonResponse({"detail": _("The body is too large.")}, status=413)
        return render(request, "413.html", status=413)


class OddRequestMiddleware:
    """400 for text that is not UTF-8 and for a zero byte in the address, with which PostgreSQL compares nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        has_zero = "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", "")
        if not has_zero and FOREIGN not in request.META:
            return self.get_response(request)
        if request.path_info.startswith("/api/"):
            return JsonResponse({"detail": _("Send text as UTF-8 and without zero bytes.")}, status=400)
        raise BadRequest("not UTF-8, or a zero byte in the address")
