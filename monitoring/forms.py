"""The form of a monitor: typed as people write it, refused at the field, nothing lost."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from contracts.forms.fields import ReadField, choice_field
from contracts.models import Shop
from contracts.severities import FAILURES, USUAL_SEVERITY
from monitoring.models import Monitor
from wording import words
from wording.fields import LineField

SECONDS = re.compile(r"(\d{1,3})(?:[.,](\d{1,3}))?\s*s?", re.ASCII)
WHOLE_SECONDS = re.compile(r"(\d{1,5})\s*s?", re.ASCII)
STATUSES = re.compile(r"[1-5]\d\d(?:[\s,;]+[1-5]\d\d)*", re.ASCII)
# An hour between two looks is the most that still is watching
SHORTEST, LONGEST = 5, 3600
MOST_PATIENT_MS = 60_000  # as long as the probe waits at most for anybody (probe/worker.py, MOST_MS)


def read_interval(text: str) -> int:
    """Seconds: `60` or `60 s`."""
    match = WHOLE_SECONDS.fullmatch(text.strip())
    if match is None or not SHORTEST <= int(match[1]) <= LONGEST:
        raise ValidationError(_("Write whole seconds from 5 to 3600, like 60."))
    return int(match[1])


def read_limit(text: str) -> int:
    """Milliseconds of `10`, `2,5` or `2.5 s`."""
    match = SECONDS.fullmatch(text.strip())
    span = int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0")) if match else 0
    if not 100 <= span <= MOST_PATIENT_MS:
        raise ValidationError(_("Write seconds from 0.1 to 60, like 3 or 2.5."))
    return span


def read_statuses(text: str) -> list[int]:
    """`200, 301`, sorted and each once."""
    if STATUSES.fullmatch(text.strip()) is None:
        raise ValidationError(_("Write statuses like 200 or 200, 301."))
    return sorted({int(number) for number in re.findall(r"\d+", text)})


def limit_words(span: int) -> str:
    """The same back, as the field shows it: `2,5`."""
    seconds = (Decimal(span) / 1000).normalize()
    return words.number(seconds, max(0, -int(seconds.as_tuple().exponent)))


def _meanings() -> list[tuple[str, str]]:
    """The sentences of the report form with the severity that each opens; a question is no failure."""
    return [(symptom, f"{symptom.label} ({USUAL_SEVERITY[symptom]})") for symptom in FAILURES]


class MonitorForm(forms.Form):
    """One address of a shop, how it is asked, and what its failure means."""

    HOMES: ClassVar = {"": "name"}

    name = LineField(label=_("Name"), max_length=80, help_text=_("What a customer would call it: Home page, Cart"))
    url = LineField(
        label=_("Address"),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "autocapitalize": "none"}),
    )
    interval = ReadField(read_interval, label=_("Every, seconds"), css="tiny", attrs={"inputmode": "numeric"})
    timeout_ms = ReadField(read_limit, label=_("No answer counts as down after, seconds"), css="tiny")
    slow_ms = ReadField(read_limit, label=_("Slow from, seconds"), css="tiny")
    required_text = LineField(
        label=_("Text that must be on the page"), max_length=200, required=False, help_text=_("For example Checkout")
    )
    forbidden_text = LineField(
        label=_("Text that must not be on the page"),
        max_length=200,
        required=False,
        help_text=_("Known error messages are looked for anyway"),
    )
    statuses = ReadField(read_statuses, label=_("Good statuses"), help_text=_("Like 200 or 200, 301"))
    what = choice_field(_("When it fails, the incident says"), ())
    means_down = forms.BooleanField(
        label=_("Its failure means that the shop is down"),
        required=False,
        help_text=_("Counts in the availability that the contract promises"),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["what"].choices = _meanings()  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        """An address without its scheme is taken for https."""
        url: str = self.cleaned_data["url"]
        return url if ":" in url.partition("/")[0] else f"https://{url}"

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "slow_ms" in data and "timeout_ms" in data and data["slow_ms"] >= data["timeout_ms"]:
            self.add_error("slow_ms", _("Slow begins before the answer counts as missing."))
        return data

    @property
    def columns(self) -> dict[str, Any]:
        return self.cleaned_data | {"severity": USUAL_SEVERITY[self.cleaned_data["what"]]}

    def columns_kept(self, monitor: Monitor) -> dict[str, Any]:
        """A severity that differs from its sentence's stays, as long as the sentence does; no statuses means 200."""
        columns = self.columns
        if columns["statuses"] == (monitor.statuses or [200]):
            columns["statuses"] = monitor.statuses
        if columns["what"] == monitor.what:
            columns["severity"] = monitor.severity
        return columns


def usual(shop: Shop) -> dict[str, Any]:
    """What a new monitor's fields begin with."""
    return values_of(Monitor(shop=shop, url=shop.url))


def values_of(monitor: Monitor) -> dict[str, Any]:
    """A monitor as its fields show it."""
    return {
        "name": monitor.name,
        "url": monitor.url,
        "interval": str(monitor.interval),
        "timeout_ms": limit_words(monitor.timeout_ms),
        "slow_ms": limit_words(monitor.slow_ms),
        "required_text": monitor.required_text,
        "forbidden_text": monitor.forbidden_text,
        "statuses": ", ".join(map(str, monitor.statuses or [200])),
        "what": monitor.what,
        "means_down": monitor.means_down,
    }
