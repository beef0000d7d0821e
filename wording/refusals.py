"""The sentence with which a verb refuses, shown to the person who asked."""

from __future__ import annotations

from django.utils.functional import Promise


class Refused(Exception):  # noqa: N818 it is no error: a verb's answer
    """A verb did nothing. `message` is a translated sentence, `field` the form's field it is about, "" for none."""

    def __init__(self, message: str | Promise, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)
