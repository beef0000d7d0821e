"""How much of a list the API gives at once: what is asked is read strictly, and never more than MOST rows go out."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from incidents.models import JournalEntry, JournalQuerySet

DEFAULT, MOST = 100, 200
LARGEST = 2**31 - 1  # of a PostgreSQL integer: beyond it nothing stands
LIMIT = OpenApiParameter("limit", int, description=f"rows of one answer, {DEFAULT} by default, {MOST} at most")
OFFSET = OpenApiParameter("offset", int, description="rows to pass over")
AFTER = OpenApiParameter("after", int, description="the `seq` of the last entry that you have")


def number(request: Request, name: str, *, least: int, default: int) -> int:
    """The query's whole number; ValidationError with the parameter's sentence for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= LARGEST):
        sentence = _("Write a whole number, %(least)s or more.") % {"least": least}
        raise ValidationError({name: [sentence]})
    return int(text)


def limit_of(request: Request) -> int:
    """Rows of one answer; a larger wish gets MOST."""
    return min(number(request, "limit", least=1, default=DEFAULT), MOST)


class Pages(LimitOffsetPagination):
    """By limit and offset, with the count of all."""

    def get_limit(self, request: Request) -> int:
        return limit_of(request)

    def get_offset(self, request: Request) -> int:
        return number(request, "offset", least=0, default=0)


def journal_page(request: Request, entries: JournalQuerySet) -> tuple[list[JournalEntry], str | None]:
    """The entries after `?after=`, oldest first, and the address of the next ones; None where these are the last.

    By the last number and not by an offset: the ten-thousandth page costs what the first does.
    """
    limit = limit_of(request)
    newer = entries.filter(seq__gt=number(request, "after", least=0, default=0)).order_by("seq")
    rows = list(newer.select_related("by")[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], str(replace_query_param(request.build_absolute_uri(), "after", rows[limit - 1].seq))
