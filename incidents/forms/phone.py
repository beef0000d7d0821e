"""A report that staff take by phone: who called, what they say, and when they say they told us."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from contracts.models import Shop
from incidents.forms.client import ReportForm
from incidents.forms.spoken_time import read_time
from incidents.models import Incident
from wording.fields import LineField

ASKED_ANEW = ("what", "phone", "since", "affected", "page", "order_number")
"""What a known failure's incident holds already."""


class PhoneForm(ReportForm):
    """The client's form for one shop, with the caller; a claimed time stands beside the receipt, with a reason.

    Of a failure that is known already (`join`) only the caller and what they see are asked.
    """

    caller = forms.ChoiceField(
        label=_("Who is calling"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose who is calling")},
    )
    told = LineField(
        label=_("They say they told us at"), required=False, max_length=60, help_text=_("Only if it differs from now.")
    )
    why = LineField(label=_("Why is it entered later"), required=False, max_length=200, hides_cards=True)
    field_order = [
        "caller",
        "what",
        "sentence",
        "phone",
        "told",
        "why",
        "since",
        "affected",
        "page",
        "order_number",
        "key",
    ]

    def __init__(
        self, *args: Any, shop: Shop, members: Iterable[Membership], join: Incident | None, **options: Any
    ) -> None:
        super().__init__(*args, shops=[shop], shop=shop, **options)
        self.join = join
        for name in ASKED_ANEW if join else ():
            del self.fields[name]
        self.members = {str(member.user_id): member.user for member in members}
        self.fields["caller"].choices = [(key, user.name) for key, user in self.members.items()]  # type: ignore[attr-defined]

    @property
    def facts(self) -> dict[str, Any]:
        """What is reported: a failure of its own, or more of one that is known."""
        if self.join:
            return {"what": self.join.what, "join": self.join}
        data = self.cleaned_data
        return {"what": data["what"], "phone": data["phone"], "details": self.details}

    def clean_told(self) -> datetime | None:
        text = self.cleaned_data["told"]
        try:
            return read_time(text, self.now, self.zone) if text else None
        except ValueError as error:
            raise ValidationError(_("Write the hour like 8:10, or the day too: yesterday 17:30.")) from error

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("told") and not data.get("why", "").strip():
            self.add_error("why", _("Say why it is entered later."))
        return data
