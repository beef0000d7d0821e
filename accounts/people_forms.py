"""Forms about people and clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import PHONE
from accounts.models import Client, ClientRole, Language, ProviderRole, User
from wording.fields import LineField, MailField, PhoneField

STAFF_ROLES = [choice for choice in ProviderRole.choices if choice[0]]
RIGHTS = [(ClientRole.REPORTER, _("reporter: reports and answers")), (ClientRole.OWNER, _("owner: sees money too"))]


def name_field() -> LineField:
    return LineField(label=_("Name and surname"), max_length=120, widget=forms.TextInput({"autocomplete": "off"}))


def phone_field() -> PhoneField:
    widget = forms.TextInput({"type": "tel", "autocomplete": "off"})
    return PhoneField(label=_("Phone"), required=False, validators=[PHONE], widget=widget)


def email_field() -> MailField:
    return MailField(label=_("E-mail"), widget=forms.EmailInput({"autocomplete": "off"}))


def language_field() -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Language of the letters"), choices=Language.choices, initial=Language.POLISH)


def until_field() -> forms.DateField:
    """Typed as text: a native field would show it in the browser's language, not in the page's."""
    return forms.DateField(
        label=_("Valid until"),
        required=False,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        help_text=_("The last day. Empty: without an end."),
        error_messages={"invalid": _("Write the day like 2027-01-31.")},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"class": "short", "autocomplete": "off"}),
    )


class InviteStaffForm(forms.Form):
    name = name_field()
    email = email_field()
    phone = phone_field()
    role = forms.ChoiceField(label=_("Role"), choices=STAFF_ROLES)
    language = language_field()
    on_call = forms.BooleanField(label=_("On call"), required=False)


class InviteContactForm(forms.Form):
    name = name_field()
    email = email_field()
    phone = phone_field()
    role = forms.ChoiceField(label=_("Rights"), choices=RIGHTS)
    valid_until = until_field()
    language = language_field()


class PersonForm(forms.Form):
    """Role and duty are asked of our own people only."""

    name = name_field()
    phone = phone_field()
    role = forms.ChoiceField(label=_("Role"), choices=STAFF_ROLES)
    on_call = forms.BooleanField(
        label=_("On call"), required=False, help_text=_("Urgent text messages go to the person on call.")
    )

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        facts = {"name": person.name, "phone": person.phone, "role": person.provider_role, "on_call": person.on_call}
        super().__init__(*args, **{"initial": facts} | kwargs)
        if not person.is_provider:
            del self.fields["role"], self.fields["on_call"]


class RightsForm(forms.Form):
    """For one of `clients`; `fixed` where there is one and it is not asked about."""

    client = forms.TypedChoiceField(label=_("Client"))
    role = forms.ChoiceField(label=_("Rights"), choices=RIGHTS)
    valid_until = until_field()

    def __init__(self, clients: Iterable[Client], *args: Any, fixed: bool = False, **kwargs: Any) -> None:
        by_code = {client.code: client for client in clients}
        super().__init__(*args, **kwargs)
        field = self.fields["client"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(code, client.name) for code, client in by_code.items()]
        field.coerce = lambda code: by_code[code]
        if fixed:
            field.widget, field.initial = forms.HiddenInput(), next(iter(by_code))


class ClientForm(forms.Form):
    name = LineField(label=_("Name of the company"), max_length=120)
    code = LineField(
        label=_("Code"),
        max_length=4,
        help_text=_("3 or 4 letters; the numbers of incidents begin with it. It never changes."),
        widget=forms.TextInput({"class": "tiny", "autocomplete": "off"}),
    )
    tax_id = LineField(label=_("Tax number"), max_length=20, required=False)
    address = LineField(label=_("Address"), max_length=200, required=False)


class ClientChangeForm(ClientForm):
    """All but the code."""

    def __init__(self, client: Client, *args: Any, **kwargs: Any) -> None:
        facts = {"name": client.name, "tax_id": client.tax_id, "address": client.address}
        super().__init__(*args, **{"initial": facts} | kwargs)
        del self.fields["code"]
