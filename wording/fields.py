"""Text fields of forms: one line, a phone, an e-mail, an address, or some sentences.

Every text that a form takes goes through one of them (`tests/sla_portal/test_fields.py` looks).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wording.lines import NOT_A_LINE
from wording.refusals import Refused
from wording.texts import HIDDEN, clean_text, is_blank, is_one_line, masked, masked_phone

CARD_IS_MASKED = gettext_lazy("We masked a card number: only its last four digits are saved. We never need more.")
LONGEST_PASSWORD = 1024  # letters; a sentence fits, and a megabyte is never hashed
LONGEST_WORDS = 4000  # letters, on a page as over the API: some two pages of A4; a longer text is a file


def one_line(text: str) -> None:
    """A validator: no control characters, none that turn the direction of what follows."""
    if not is_one_line(text):
        raise ValidationError(NOT_A_LINE, code="one_line")


def lines(**texts: str) -> None:
    """For verbs: refuses, by field, a text that is no line, and a `name` of which nothing can be seen."""
    for field, text in texts.items():
        if not is_one_line(text):
            raise Refused(str(NOT_A_LINE), field)
        if field == "name" and is_blank(text):
            raise Refused(_("Write a name."), field)


class TypedText(forms.CharField):
    """What every text field does: of what can't be seen nothing is left, and `hide` says what is masked of the rest."""

    def __init__(self, *, hide: Callable[[str], str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.hide = hide

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text or is_blank(text):
            return self.empty_value
        return self.hide(text) if self.hide else text


class LineField(TypedText):
    """One line. `hides_cards`: people write what they like into it."""

    def __init__(self, *, hides_cards: bool = False, **options: Any) -> None:
        if hides_cards:
            options["hide"] = masked
        super().__init__(**options)

    def validate(self, value: Any) -> None:
        super().validate(value)
        one_line(value)


class PhoneField(LineField):
    """A phone, as one writes it. No card number stays in it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 32)
        super().__init__(hide=masked_phone, **options)


class MailField(forms.EmailField, LineField):
    """An e-mail address; Django lets control characters through inside quotes."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 254)
        super().__init__(**options)


class AddressField(forms.URLField, LineField):
    """A web address."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 200)
        super().__init__(assume_scheme="https", **options)


class WordsField(TypedText):
    """A few sentences: invisible controls go, card numbers are masked, nothing of it is a reason to refuse."""

    def __init__(self, *, rows: int = 3, max_length: int = LONGEST_WORDS, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows})
        super().__init__(max_length=max_length, widget=widget, hide=clean_text, **options)


def hides_card(typed: object, field: object) -> bool:
    """Whether a card number was typed into a field of ours, of a form or of the API, and is masked there."""
    hide = getattr(field, "hide", None)
    return hide is not None and hide(str(typed)).count(HIDDEN) > str(typed).count(HIDDEN)


def has_masked(form: forms.BaseForm) -> bool:
    return any(hides_card(form[name].data or "", field) for name, field in form.fields.items())


def say_what_was_masked(request: HttpRequest, form: forms.BaseForm) -> None:
    """On the next page, beside what was saved."""
    if has_masked(form):
        messages.warning(request, CARD_IS_MASKED)
