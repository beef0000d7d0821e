"""The names of a contract's targets."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise

from contracts.models import TargetKind

register = template.Library()


@register.filter
def target(kind: str) -> str | Promise:
    """`repair` for "restore", in the page's language; `|capfirst` where a heading or a cell begins with it."""
    return TargetKind(kind).label
