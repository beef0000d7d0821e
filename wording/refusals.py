"""How a verb says no, and how its sentence gets beside the field that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeVar

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.functional import Promise

Done = TypeVar("Done")
NO_HOMES: Mapping[str, str] = MappingProxyType({})


class Refused(Exception):  # noqa: N818 it is no error: a verb's answer
    """A verb did nothing. `message` is a translated sentence, `field` the form's field it is about, "" for none."""

    def __init__(self, message: str | Promise, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


def attempt(
    form: BaseForm, verb: Callable[..., Done], homes: Mapping[str, str] = NO_HOMES, /, **facts: object
) -> Done | None:
    """What the verb returns; None where it refuses, and `form` then shows its sentence beside what was typed.

    `homes`: the form's field for a verb's field of another name, "" for a sentence about no field. A field that the
    form doesn't have puts the sentence above the form.
    """
    try:
        return verb(**facts)
    except Refused as refusal:
        put_beside(form, refusal, homes)
        return None


def put_beside(form: BaseForm, refusal: Refused, homes: Mapping[str, str] = NO_HOMES) -> None:
    """The sentence at its field, where the form has it."""
    field = homes.get(refusal.field, refusal.field)
    form.add_error(field if field in form.fields else None, str(refusal))


def attempt_button(request: HttpRequest, verb: Callable[..., Done], /, **facts: object) -> Done | None:
    """The same for a button, which has no field: the sentence stands on the next page."""
    try:
        return verb(**facts)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return None


@contextmanager
def as_refusal() -> Iterator[None]:
    """For verbs: what a model or its constraints have against a row is a refusal, with the first wrong field."""
    try:
        yield
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise Refused(" ".join(sentences), "" if field == NON_FIELD_ERRORS else field) from error
