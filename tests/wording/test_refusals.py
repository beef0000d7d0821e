"""A verb's no reaches the person beside what was typed, whatever the form calls the field."""

from __future__ import annotations

import pytest
from django import forms
from django.core.exceptions import ValidationError

from wording.refusals import Refused, as_refusal, attempt


class Typed(forms.Form):
    name = forms.CharField()


def refuses(*, name: str, field: str) -> str:
    raise Refused("Nie.", field)


@pytest.mark.parametrize(
    ("field", "homes", "place"),
    [
        ("name", {}, "name"),
        ("title", {"title": "name"}, "name"),
        ("", {"": "name"}, "name"),
        ("title", {}, "__all__"),
        ("", {}, "__all__"),
    ],
)
def test_the_sentence_stands_at_its_field_or_above_the_form(field: str, homes: dict[str, str], place: str) -> None:
    form = Typed({"name": "Mak"})
    assert form.is_valid()
    assert attempt(form, refuses, homes, name="Mak", field=field) is None
    assert form.errors == {place: ["Nie."]}
    assert form["name"].value() == "Mak"


def test_a_verb_that_does_it_gives_what_it_made() -> None:
    form = Typed({"name": "Mak"})
    assert form.is_valid()
    assert attempt(form, lambda *, name: name.upper(), name="Mak") == "MAK"
    assert not form.errors


def test_what_a_model_has_against_a_row_is_a_refusal_of_its_first_field() -> None:
    sentences = ["Za krótki.", "Zajęty."]
    for place, field in (("code", "code"), ("__all__", "")):
        with pytest.raises(Refused) as caught, as_refusal():
            raise ValidationError({place: sentences})
        assert (caught.value.field, str(caught.value)) == (field, "Za krótki. Zajęty.")
