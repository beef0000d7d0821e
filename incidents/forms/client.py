"""What a client types: the report, its details, an answer, a reason. Nothing typed is lost, nothing is asked twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from contracts.models import Shop
from contracts.severities import What
from incidents import reporting
from incidents.forms.spoken_time import read_time
from incidents.forms.verb import VerbForm
from incidents.models import Incident
from incidents.repeats import AlreadyFiled
from incidents.reporting import Details
from wording.fields import LineField, PhoneField, WordsField
from wording.refusals import Refused, put_beside


class DetailsForm(forms.Form):
    """What may wait until the clock runs."""

    since = LineField(
        label=_("Since when, for example 8:10 or yesterday 17:30"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    affected = LineField(label=_("Who is affected"), required=False, max_length=200, hides_cards=True)
    page = LineField(
        label=_("Address of the page"),
        required=False,
        max_length=500,
        hides_cards=True,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocapitalize": "none"}),
    )
    order_number = LineField(label=_("Order number"), required=False, max_length=80, hides_cards=True)

    def __init__(self, *args: Any, now: datetime, zone: tzinfo, **options: Any) -> None:
        super().__init__(*args, **options)
        self.now, self.zone = now, zone

    def clean_since(self) -> datetime | None:
        text = self.cleaned_data["since"]
        try:
            return read_time(text, self.now, self.zone) if text else None
        except ValueError as error:
            raise ValidationError(_("Write the hour like 8:10, or the day too: yesterday 17:30.")) from error

    @property
    def details(self) -> Details:
        data = self.cleaned_data
        return Details(
            occurred_at=data["since"],
            affected=data["affected"],
            page=data["page"],
            order_number=data["order_number"],
        )


class ReportForm(DetailsForm):
    """Three answers start the clock: what, one sentence, a phone. The shop is asked where it isn't known."""

    shop = forms.ChoiceField(
        label=_("Which shop?"), widget=forms.RadioSelect, error_messages={"required": _("Choose the shop")}
    )
    what = forms.ChoiceField(
        label=_("What is happening?"),
        choices=What.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is happening"), "invalid_choice": _("Choose what is happening")},
    )
    sentence = WordsField(
        label=_("In one sentence"),
        rows=2,
        max_length=500,
        help_text=_("No passwords or card numbers."),
        error_messages={"required": _("Write one sentence about what you see")},
    )
    phone = PhoneField(
        label=_("Phone for the next hour"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ["shop", "what", "sentence", "phone", "since", "affected", "page", "order_number", "key"]

    def __init__(self, *args: Any, shops: Iterable[Shop], shop: Shop | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.shops = {shop.slug: shop for shop in shops}
        self.fields["key"].initial = uuid.uuid4
        if shop:
            del self.fields["shop"]
        else:
            self.fields["shop"].choices = [(shop.slug, shop.name) for shop in self.shops.values()]  # type: ignore[attr-defined]
        self.fixed_shop = shop
        self.filed: Incident | None = None

    @property
    def chosen_shop(self) -> Shop:
        return self.fixed_shop or self.shops[self.cleaned_data["shop"]]

    def file(self, **facts: Any) -> Incident | None:
        """What `report` files; None where it refuses, and the form then says why and keeps what was typed."""
        try:
            return reporting.report(**facts)
        except AlreadyFiled as refusal:
            self.ask_again(refusal.incident)
        except Refused as refusal:
            put_beside(self, refusal)
        return None

    def ask_again(self, filed: Incident) -> None:
        """As it was typed, with a key of its own: its first key has made `filed` from other words."""
        self.filed = filed
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        data["key"] = str(uuid.uuid4())
        self.data = data
        self.add_error(None, already_filed(filed))

    @property
    def fold_is_open(self) -> bool:
        """Whether the optional part holds an error or a word."""
        optional = ("since", "affected", "page", "order_number")
        return any(name in self.errors or self.data.get(name) for name in optional)


def already_filed(incident: Incident) -> str:
    """What a person reads whose form was received before and says something else now."""
    sentence = _(
        "The first report was received as %(nr)s. What the form says now is different and was not received yet: "
        "send it once more and it becomes a report of its own."
    )
    return str(sentence % {"nr": incident.nr})


class JoinForm(forms.Form):
    """The same failure as an incident that is open: which one, and what its author sees, in one sentence."""

    join = LineField(
        label=_("Which failure?"), max_length=16, error_messages={"required": _("Choose the failure that you see")}
    )
    sentence = WordsField(
        label=_("What do you see?"),
        rows=2,
        max_length=500,
        error_messages={"required": _("Write one sentence about what you see")},
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class AddDetailsForm(VerbForm, DetailsForm):
    """The details of an incident, as far as they are there."""

    def __init__(self, *args: Any, incident: Incident, now: datetime, **options: Any) -> None:
        written = {name: getattr(incident, name) for name in ("affected", "page", "order_number")}
        self.incident = incident
        DetailsForm.__init__(self, *args, now=now, zone=ZoneInfo(incident.zone), initial=written, **options)

    def facts(self, at: datetime) -> dict[str, Any]:
        return {"details": self.details}


class WordsForm(VerbForm):
    """One box of text. Whether it may be empty is the verb's to say, in its own sentence."""

    HOMES: ClassVar = {"": "text"}
    text = WordsField(required=False)


class AnswerForm(WordsForm):
    text = WordsField(label=_("Your answer"), help_text=_("No passwords or card numbers."), required=False)


class AcceptForm(WordsForm):
    text = WordsField(label=_("Anything to add?"), required=False)


class RejectForm(WordsForm):
    text = WordsField(label=_("What do you see?"), required=False)


class ContestForm(WordsForm):
    text = WordsField(
        label=_("Why is it more urgent?"),
        help_text=_("The stricter severity's deadlines run until we have settled it together."),
        required=False,
    )


class ManagerForm(WordsForm):
    text = WordsField(label=_("What should the manager know?"), required=False)


class CancelForm(WordsForm):
    text = WordsField(
        label=_("Why do you withdraw the report?"),
        help_text=_("The clocks end. What was late already stays recorded."),
        required=False,
    )
