"""The API's answer where a verb refuses: 409 with the sentence and the field that it is about."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from wording.refusals import Refused


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler of what a view raises; None: nobody expected it, a 500."""
    if isinstance(error, Refused):
        return Response({"detail": str(error), "field": error.field}, status=status.HTTP_409_CONFLICT)
    return exception_handler(error, context)
