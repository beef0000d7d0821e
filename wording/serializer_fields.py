"""Text fields of the API, under the same rules as those of the forms. An optional text may be empty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty

from wording.fields import CARD_IS_MASKED, hides_card
from wording.lines import NOT_A_LINE
from wording.texts import clean_text, is_blank, is_one_line, masked, masked_phone

FIRST_YEAR, END_YEAR = 2000, 2200


class TypedText(serializers.CharField):
    """What every text field does: what can't be seen is empty, and `hide` says what is masked of the rest."""

    def __init__(self, *, hide: Callable[[str], str] | None = None, **options: Any) -> None:
        if not options.get("required", True):
            options = {"default": "", "allow_blank": True} | options
        super().__init__(**options)
        self.hide = hide

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation("" if isinstance(data, str) and is_blank(data) else data)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        return self.hide(text) if self.hide else text


class Words(TypedText):
    """A few sentences: nothing of them is a reason to refuse."""

    def __init__(self, **options: Any) -> None:
        super().__init__(hide=clean_text, **options)


class Line(TypedText):
    """One line. `hides_cards`: people write what they like into it."""

    default_error_messages = {"one_line": NOT_A_LINE}

    def __init__(self, *, hides_cards: bool = False, **options: Any) -> None:
        if hides_cards:
            options["hide"] = masked
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not is_one_line(text):
            self.fail("one_line")
        return text


class Phone(Line):
    """A phone, as one writes it. No card number stays in it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 32)
        super().__init__(hide=masked_phone, **options)


class Mail(serializers.EmailField, Line):
    """An e-mail address; Django lets control characters through inside quotes."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 254)
        super().__init__(**options)


class Moment(serializers.DateTimeField):
    """A time of this century or the next: beyond the calendar's ends no day can be added and no zone computed."""

    default_error_messages = {"not_our_time": _("Enter a time between the years 2000 and 2199.")}

    def to_internal_value(self, value: Any) -> datetime:
        try:
            at: datetime = super().to_internal_value(value)
        except OverflowError:
            self.fail("not_our_time")
        if not FIRST_YEAR <= at.year < END_YEAR:
            self.fail("not_our_time")
        return at


def masked_in(serializer: serializers.Serializer[Any]) -> list[str]:
    """The fields in whose words a card number was masked."""
    sent = serializer.initial_data
    return [name for name, field in serializer.fields.items() if hides_card(sent.get(name) or "", field)]


def notice_of(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """What an answer says about the words that came: `masked`, the fields, and `notice`, the sentence, "" for none."""
    names = masked_in(serializer)
    return {"masked": names, "notice": str(CARD_IS_MASKED) if names else ""}
