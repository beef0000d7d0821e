"""Days and months as the availability pages write them."""

from __future__ import annotations

from datetime import date

from django import template
from django.template import Context

from wording import words

register = template.Library()


@register.filter
def short_day(value: date) -> str:
    """`27 sie`, under a chart and in its table."""
    return words.NBSP.join((str(value.day), words.language_forms().months["short"][value.month - 1]))


@register.simple_tag(takes_context=True)
def month_name(context: Context, first: date, case: words.MonthCase = "nominative") -> str:
    """`Listopad`, `listopadzie` after "w"; with the year where it isn't this one."""
    text = words.month(first, case, year=first.year != context["now"].year)
    return text[:1].upper() + text[1:] if case == "nominative" else text
