"""How pages write times, spans, money, marks and icons; `now` and `zone` come from the page's context."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from django import forms, template
from django.conf import settings
from django.forms import BoundField
from django.template import Context
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from wording import words

register = template.Library()

# 16 x 16; a line icon is drawn by its stroke.
ICONS = {
    "run": (False, "M4 2.2v11.6L13.4 8z"),
    "warn": (False, "M6.7 1.5h2.6v8H6.7zM6.7 11.7h2.6v2.8H6.7z"),
    "hold": (False, "M3.6 2.5h3.2v11H3.6zM9.2 2.5h3.2v11H9.2z"),
    "off": (True, "M5 3.4v9.2L12 8z"),
    "met": (True, "M2.6 8.6l3.6 3.6L13.4 4"),
    "late": (True, "M3.4 3.4l9.2 9.2M12.6 3.4l-9.2 9.2"),
    "todo": (True, "M8 3.2a4.8 4.8 0 1 0 .01 0z"),
}
_NUMBER = re.compile(r"\b[A-Z]{3,4}-\d{2,}\b")
# A line break of the template before a mark that stands close; what a person wrote has no break in it there
_GAP = re.compile(r"[ \t]*\n[ \t\n]*(?=(?:</\w+>\s*)*[,.;:])")


@register.simple_block_tag
def inline(content: str) -> SafeString:
    """`{% inline %}…{% endinline %}`: text whose template has a line for each part, no space before a comma."""
    return mark_safe(_GAP.sub("", content.strip()))  # noqa: S308 what stands in the block is escaped already


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "run" %}`; raises KeyError for a name that isn't drawn."""
    line, path = ICONS[name]
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>',
        "ico ico-line" if line else "ico",
        path,
    )


@register.simple_tag
def severity(code: str, *, long: bool = False, name: str = "") -> SafeString:
    """`{% severity "P1" %}`: the mark, its words for screen readers; `long=True` shows the words beside it.

    `name`: what a contract calls it, in place of the usual words.
    """
    words_of = name or str(words.SEVERITIES[code])
    if long:
        words_of = words_of[:1].upper() + words_of[1:]
        return format_html('<span class="sev sev-{}">{}</span> {}', code[1:], code, words_of)
    return format_html(
        '<span class="sev sev-{}">{}<span class="visually-hidden"> {}</span></span>', code[1:], code, words_of
    )


def _zone(context: Context, zone: tzinfo | str | None) -> tzinfo | str:
    return zone or context["zone"]


@register.simple_tag(takes_context=True)
def when(
    context: Context,
    instant: datetime,
    case: words.Case = "nominative",
    *,
    seconds: bool = False,
    today: bool = True,
    dated: bool = False,
    zone: tzinfo | str | None = None,
) -> str:
    """`{% when dt case="genitive" %}`: text only; `moment` is the same inside a time element.

    `dated=True`: with its whole date, as evidence is read years later.
    """
    if dated:
        return words.full_time(instant, _zone(context, zone), seconds=seconds)
    return words.when(instant, context["now"], _zone(context, zone), case, seconds=seconds, today=today)


@register.simple_tag(takes_context=True)
def moment(
    context: Context,
    instant: datetime,
    case: words.Case = "nominative",
    *,
    seconds: bool = False,
    today: bool = True,
    dated: bool = False,
    zone: tzinfo | str | None = None,
) -> SafeString:
    """`<time>` in UTC, seconds in its title."""
    text = when(context, instant, case, seconds=seconds, today=today, dated=dated, zone=zone)
    return time_element(instant, text, _zone(context, zone))


@register.simple_tag(takes_context=True)
def hour(context: Context, instant: datetime, *, seconds: bool = False, zone: tzinfo | str | None = None) -> SafeString:
    """`<time>` that shows only `8:40` or `8:12:05`."""
    where = _zone(context, zone)
    return time_element(instant, words.clock_time(instant, where, seconds=seconds), where)


def time_element(instant: datetime, text: str, zone: tzinfo | str) -> SafeString:
    """`<time>` in UTC with its own words; the title has the seconds."""
    utc = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}" title="{}">{}</time>', utc, words.full_time(instant, zone), text)


@register.simple_tag(takes_context=True)
def countdown(
    context: Context, left: int, until: datetime | None = None, *, working: bool = False, total: int = 0
) -> SafeString:
    """Seconds left (negative: late by), counted on by live.js while the clock runs, which is until `until`.

    `total`: the seconds of the whole time, where the row has a bar of what is used to be moved on too.
    """
    facts = {"until": until and int(until.timestamp()), "total": total}
    runs = format_html_join("", ' data-{}="{}"', ((name, fact) for name, fact in facts.items() if fact))
    text = format_html(
        '<span data-left="{}" data-now="{}"{}>{}</span>',
        left,
        int(context["now"].timestamp()),
        runs,
        words.bare_span(abs(left)),
    )
    return format_html("{}{}{}", text, words.NBSP, _of_work()) if working else text


def _of_work() -> str:
    return words.language_forms().of_work.replace(" ", words.NBSP)


@register.simple_tag
def used(share: int) -> SafeString:
    """The bar of time used in per cent, track and notch at 75 by the stylesheet; the number stands beside it."""
    return format_html(
        '<svg class="used" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="8"/></svg>',
        min(max(share, 0), 100),
    )


@register.filter
def money(amount: Decimal | int, currency: str = "PLN") -> str:
    return words.money(amount, currency)


@register.filter
def percent(value: Decimal | int, places: int = 0) -> str:
    return words.percent(value, places)


@register.filter
def span(seconds: int) -> str:
    return words.span(seconds)


@register.filter
def work_span(seconds: int) -> str:
    """The same, counted in hours of work: `3 h 32 min pracy`."""
    return words.span(seconds, working=True)


@register.filter
def exact_span(seconds: int) -> str:
    """With its seconds, as an account of a figure shows it."""
    return words.span(seconds, seconds_shown=True)


@register.filter
def full_date(value: date) -> str:
    return words.full_date(value)


@register.filter
def month(value: date, case: words.MonthCase = "nominative") -> str:
    return words.month(value, case)


@register.filter(is_safe=True)
def nbsp(text: str) -> SafeString:
    """People's text: escaped, no lone letters at line ends, incident numbers in one piece."""
    safe = words.typographic(conditional_escape(text))
    return mark_safe(_NUMBER.sub(r'<span class="nowrap">\g<0></span>', safe))  # noqa: S308 escaped a line above


@register.filter
def nr(number: str) -> SafeString:
    """An incident number, which never breaks."""
    return format_html('<span class="nowrap">{}</span>', number)


@register.filter
def tel(phone: str) -> str:
    """The address of a phone number; without a country it is a Polish one."""
    digits = re.sub(r"[^\d+]", "", phone)
    return digits if digits.startswith("+") else f"+48{digits}"


@register.simple_tag
def provider_name() -> str:
    """For pages that have no context processors, such as the page of an error."""
    return str(settings.PROVIDER_NAME)


@register.simple_tag
def duty_phone() -> SafeString:
    """The on-call phone as a link; every error page has it."""
    return format_html('<a class="phone" href="tel:{}">{}</a>', tel(settings.DUTY_PHONE), settings.DUTY_PHONE)


@register.simple_tag(takes_context=True)
def zone_name(context: Context) -> str:
    """`Europe/Warsaw (CET)`: the zone that the page's times are in."""
    local = context["now"].astimezone(words.as_zone(context["zone"]))
    return f"{context['zone']} ({local.tzname()})"


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """The field's own input with the look of the theme; checkboxes and radios keep theirs."""
    if isinstance(field.field.widget, forms.CheckboxInput):
        return field.as_widget()
    return field.as_widget(attrs={"class": f"form-control {field.field.widget.attrs.get('class', '')}".strip()})


@register.simple_tag
def said_of(field: BoundField, error: str) -> SafeString:
    """An error in the summary, which names its field: `E-mail: wpisz adres`; not twice, and not after a question."""
    label = str(field.label).partition(_(", for example"))[0]
    is_named = not label or label.endswith("?") or label.casefold() in error.casefold()
    return nbsp(error if is_named else f"{label}: {error}")


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_choices(field: BoundField) -> bool:
    """Radios or several checkboxes: a fieldset with a legend."""
    return isinstance(field.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple)
