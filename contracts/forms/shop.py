"""The form of a shop that is added to a client."""

from __future__ import annotations

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from wording.fields import AddressField, LineField


class ShopForm(forms.Form):
    """The slug is made from the name."""

    name = LineField(
        label=_("Name, for example mak.pl"), max_length=80, widget=forms.TextInput({"autocomplete": "off"})
    )
    url = AddressField(
        label=_("Address of the first page"),
        validators=[URLValidator(schemes=["http", "https"])],
        error_messages={"invalid": _("Write the address like https://mak.pl/.")},
        widget=forms.TextInput({"type": "url", "autocomplete": "off"}),
    )
