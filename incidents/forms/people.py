"""The forms of an act after which a person works on no incidents: they ask who gets the open ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import INCIDENT_STAFF, User
from accounts.people_forms import PersonForm

ON_CALL = "duty"


def _taker(colleagues: Iterable[User], *, required: bool) -> forms.TypedChoiceField:
    """A colleague, or None for the people on call."""
    by_key = {str(person.pk): person for person in colleagues}
    return forms.TypedChoiceField(
        label=_("Who gets the open incidents"),
        required=required,
        choices=[
            ("", _("choose")),
            (ON_CALL, _("nobody yet: the people on call")),
            *((key, person.name) for key, person in by_key.items()),
        ],
        coerce=by_key.get,
        empty_value=None,
        error_messages={"required": _("Choose who gets the open incidents.")},
    )


class SwitchOffForm(forms.Form):
    """Asks nothing where the person has no open incident."""

    def __init__(self, open_count: int, colleagues: Iterable[User], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if open_count:
            self.fields["to"] = _taker(colleagues, required=True)


class ChangeForm(PersonForm):
    """The person's facts; where a role is chosen that works on no incidents, also who gets the open ones."""

    def __init__(self, person: User, open_count: int, colleagues: Iterable[User], *args: Any, **options: Any) -> None:
        super().__init__(person, *args, **options)
        if open_count and "role" in self.fields:
            self.fields["to"] = _taker(colleagues, required=False)
            self.fields["to"].help_text = _("Only needed with a role that works on no incidents.")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        leaves = data.get("role", "agent") not in INCIDENT_STAFF
        if "to" in self.fields and leaves and not self["to"].value() and "to" not in self.errors:
            self.add_error("to", self.fields["to"].error_messages["required"])
        return data
