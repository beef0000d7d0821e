"""The fields that every text goes through, of forms and of the API alike: a line, sentences, a phone, an e-mail."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import override as reading
from rest_framework import serializers

from accounts.forms import NewPasswordForm, SignInForm
from accounts.models import User
from wording.fields import LineField, MailField, PhoneField, WordsField, has_masked
from wording.serializer_fields import Line, Mail, Phone, Words, notice_of
from wording.words import plain

CARD, SHOWN = "4111 1111 1111 1111", "•••• •••• •••• 1111"
NOT_IN_A_LINE = ["a\nb", "a\rb", "a\tb", "a\x1bb", "a\x85b", "a\u2028b", "a\u2029b", "\u202etxt.exe", "\u2066a\u2069"]
INVISIBLE = ["\u200b", "\u3164", "\u2800\u2800", "\u00ad", "\ufe0f", " \u00a0\u2003", "\u115f\uffa0"]
KEPT = ["Zażółć gęślą jaźń", "👩\u200d💻 działa", "क्षि", "می‌خواهم", "Zoë O’Neil-Łęcka"]


class Typed(forms.Form):
    name = LineField(max_length=40)
    topic = LineField(max_length=40, required=False, hides_cards=True)
    words = WordsField(max_length=40, required=False)
    phone = PhoneField(required=False)
    email = MailField(required=False)


class Sent(serializers.Serializer[Any]):
    name = Line(max_length=40)
    topic = Line(max_length=40, required=False, hides_cards=True)
    words = Words(max_length=40, required=False)
    phone = Phone(required=False)
    email = Mail(required=False)


def typed(**texts: object) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """What the form and the API make of the same texts, values and errors; both must agree."""
    form, sent = Typed(texts), Sent(data={"name": "Ola"} | texts)
    form.full_clean()
    sent.is_valid()
    errors = {name: [plain(str(error)) for error in found] for name, found in sent.errors.items()}
    if errors:
        return {}, errors
    values = dict(sent.validated_data)
    if "name" in texts:
        assert {name: form.cleaned_data[name] for name in values} == values
    return values, {}


@pytest.mark.parametrize("text", NOT_IN_A_LINE)
def test_control_characters_are_refused_at_the_field_and_what_was_typed_stays(text: str) -> None:
    sentence = "Wpisz to w jednej linii, bez tabulatorów i znaków sterujących."
    with reading("pl"):
        form = Typed({"name": text})
        assert [plain(str(error)) for error in form.errors["name"]] == [sentence]
        assert form["name"].value() == text
        assert typed(name=text) == ({}, {"name": [sentence]})


@pytest.mark.parametrize("text", INVISIBLE)
def test_a_text_of_which_nothing_can_be_seen_is_empty(text: str) -> None:
    values, _ = typed(name="Ola", topic=text, words=f"{text}\r\n{text}", phone=text, email=text)
    assert values == {"name": "Ola", "topic": "", "words": "", "phone": "", "email": ""}
    assert Typed({"name": text}).errors["name"].as_data()[0].code == "required"
    assert "name" in typed(name=text)[1]


@pytest.mark.parametrize("text", KEPT)
def test_what_people_write_stays_as_they_wrote_it(text: str) -> None:
    assert typed(name=text, words=text)[0] == {"name": text, "topic": "", "words": text, "phone": "", "email": ""}


def test_sentences_are_never_refused_for_what_stands_in_them() -> None:
    values, _ = typed(name="Ola", words=f"a\r\nb\0\u202e \x1b{CARD}")
    assert values["words"] == f"a\nb {SHOWN}"


def test_a_masked_number_is_said_and_a_text_without_one_is_not() -> None:
    form = Typed({"name": CARD, "topic": CARD, "words": f"Karta {CARD}\r\n", "phone": CARD})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["name"] == CARD  # nobody's card: a name is no free text
    assert [form.cleaned_data[name] for name in ("topic", "words", "phone")] == [SHOWN, f"Karta {SHOWN}", SHOWN]
    assert (has_masked(form), has_masked(Typed({"name": CARD, "words": "a\r\nb"}))) == (True, False)
    sent = Sent(data={"name": "Ola", "words": 4111111111111111, "phone": "+48 600 100 200"})
    assert sent.is_valid(), sent.errors
    with reading("pl"):
        notice = notice_of(sent)
        assert notice["masked"] == ["words"]
        assert plain(notice["notice"]).startswith("Zamaskowaliśmy numer karty: zapisane są tylko cztery")
    assert notice_of(Sent(data={"name": CARD})) == {"masked": [], "notice": ""}


def test_an_e_mail_is_one_line_even_inside_quotes() -> None:
    address = '"a\x01b"@mak.example'
    forms.EmailField().clean(address)  # Django's own takes it
    with pytest.raises(ValidationError):
        MailField().clean(address)
    assert "email" in typed(name="Ola", email=address)[1]


def test_a_password_has_one_limit_where_it_is_set_and_where_it_is_asked() -> None:
    longest = "x" * 1024
    form = NewPasswordForm(User(), {"new_password1": f"{longest}x", "new_password2": f"{longest}x"})
    assert form.errors["new_password1"].as_data()[0].code == "max_length"
    fields = [*form.fields.values(), SignInForm().fields["password"]]
    assert [getattr(field, "max_length", None) for field in fields] == [1024, 1024, 1024]
