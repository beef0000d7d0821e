"""Form fields of a contract: text that people type, read at once, and shown again as it was typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contracts.forms import parse as typed
from wording.fields import LineField

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ZONES = (
    "Europe/Warsaw",
    "Europe/Amsterdam",
    "Europe/Athens",
    "Europe/Berlin",
    "Europe/Bratislava",
    "Europe/Brussels",
    "Europe/Bucharest",
    "Europe/Budapest",
    "Europe/Copenhagen",
    "Europe/Dublin",
    "Europe/Helsinki",
    "Europe/Kyiv",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Oslo",
    "Europe/Paris",
    "Europe/Prague",
    "Europe/Riga",
    "Europe/Rome",
    "Europe/Sofia",
    "Europe/Stockholm",
    "Europe/Tallinn",
    "Europe/Vienna",
    "Europe/Vilnius",
    "Europe/Zurich",
    "UTC",
)
CURRENCIES = ("PLN", "EUR", "CZK", "GBP", "USD")


class ReadField(LineField):
    """A line of text that `read` turns into a value; left empty it is None. `show` writes a stored value back.

    `wrong`: the sentence with this field's own example, for a text that isn't of its kind at all.
    """

    def __init__(
        self,
        read: Callable[[str], Any],
        *,
        show: Callable[[Any], str] = str,
        css: str = "short",
        wrong: _StrPromise | None = None,
        **options: Any,
    ) -> None:
        attrs = {"class": css, "autocomplete": "off", **options.pop("attrs", {})}
        super().__init__(max_length=200, widget=forms.TextInput(attrs=attrs), **options)
        self.read, self.show, self.wrong = read, show, wrong

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else self.show(value)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return self.read(text) if text else None
        except ValidationError as error:
            if self.wrong and getattr(error, "code", "") == typed.UNREADABLE:
                raise ValidationError(self.wrong, code=typed.UNREADABLE) from error
            raise


class WindowsField(ReadField):
    """Hours of a day; a dash or an empty field is a closed day, told apart by `closed_when_empty`."""

    def __init__(self, *, closed_when_empty: bool = True, **options: Any) -> None:
        super().__init__(typed.read_windows, css="", required=False, **options)
        self.closed_when_empty = closed_when_empty

    def clean(self, value: Any) -> Any:
        windows = super().clean(value)
        return [] if windows is None and self.closed_when_empty else windows


class OneOf(forms.ChoiceField):
    """One of some objects that are read once for the whole form, and offered to it; or None."""

    def __init__(self, *, empty: str | Promise = "", **options: Any) -> None:
        super().__init__(required=False, widget=forms.Select, **options)
        self.empty = empty
        self.offer([])

    def offer(self, objects: Iterable[models.Model]) -> None:
        self.by_key = {str(row.pk): row for row in objects}
        self.choices = [("", self.empty), *((key, str(row)) for key, row in self.by_key.items())]

    def clean(self, value: Any) -> Any:
        return self.by_key.get(super().clean(value))

    def prepare_value(self, value: Any) -> Any:
        return str(value.pk) if isinstance(value, models.Model) else value


class DayField(forms.DateField):
    """A day as people write it."""

    def to_python(self, value: Any) -> Any:
        return typed.read_day(value) if isinstance(value, str) and value.strip() else super().to_python(value)


def date_field(label: _StrPromise, **options: Any) -> forms.DateField:
    """A day typed as text: a native field would show it in the browser's language, not in the page's."""
    return DayField(
        label=label,
        widget=forms.DateInput(
            format="%Y-%m-%d", attrs={"class": "short", "placeholder": "2027-01-31", "autocomplete": "off"}
        ),
        **options,
    )


def choice_field(label: _StrPromise | str, choices: Iterable[Any], **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, widget=forms.Select(attrs={"class": options.pop("css", "")}), **options
    )


def name_the_missing(form: forms.Form) -> None:
    """An empty field says which one it is, so that the summary of errors doesn't say one sentence six times."""
    for field in form.fields.values():
        field.error_messages["required"] = _("Fill in: %(label)s.") % {"label": field.label}
