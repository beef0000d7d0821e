"""The names of a contract's targets."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise

from contracts import severities
from contracts.calendar_text import week_words
from contracts.models import Calendar, ContractVersion, Target, TargetKind
from contracts.terms import calendar_week
from contracts.time_text import target_words

register = template.Library()


@register.filter
def target(kind: str) -> str | Promise:
    """`repair` for "restore", in the page's language; `|capfirst` where a heading or a cell begins with it."""
    return TargetKind(kind).label


@register.filter
def severity_words(version: ContractVersion | None, severity: str) -> str:
    """What the version calls the severity, else the usual words."""
    return severities.severity_words(version, severity)


@register.filter
def times(target: Target) -> str:
    """All times of a target with their hours."""
    return target_words(target)


@register.filter
def hours(calendar: Calendar) -> str:
    """`całą dobę`, `pon.–pt. 8–16`: the week as it stands in a sentence, where a calendar's name would stand raw."""
    return week_words(calendar_week(calendar))
