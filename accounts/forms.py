"""Signing in, passwords, and what people set for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.core.validators import MaxLengthValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from wording.fields import LONGEST_PASSWORD, LineField, MailField, PhoneField

PHONE = RegexValidator(
    r"^\+?[0-9 -]{7,20}$", _("Write the phone with digits only, for example 600 100 200 or +48 600 100 200.")
)


class SignInForm(AuthenticationForm):
    """The e-mail is the login; one sentence for a wrong e-mail and a wrong password, so that neither is given away."""

    error_messages = {
        "invalid_login": _("The e-mail or the password is wrong. Check capital letters, or set a new password."),
        "inactive": _("This account is switched off. Call us."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        email = MailField(label=_("E-mail"), widget=forms.EmailInput({"autocomplete": "username"}))
        self.fields = {"username": email, "password": self.fields["password"]}
        limit_passwords(self.fields)
        self.fields["password"].label = _("Password")

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()


if TYPE_CHECKING:
    SetPassword = SetPasswordForm[User]
else:
    SetPassword = SetPasswordForm  # generic in the stubs only


def limit_passwords(fields: dict[str, forms.Field]) -> None:
    """The same limit where a password is set and where it is asked, so that nobody sets what can't be typed."""
    for field in fields.values():
        if isinstance(field.widget, forms.PasswordInput):
            assert isinstance(field, forms.CharField)
            field.max_length = LONGEST_PASSWORD
            field.validators.append(MaxLengthValidator(LONGEST_PASSWORD))
            field.widget.attrs["maxlength"] = str(LONGEST_PASSWORD)


def explain_password(fields: dict[str, forms.Field]) -> None:
    """One sentence of ours instead of Django's list of rules; the rules themselves are the settings' validators."""
    first, second = fields["new_password1"], fields["new_password2"]
    first.label, second.label = _("New password"), _("The same password again")
    first.help_text = _("At least 10 characters, not your name or e-mail. Three unrelated words are good.")
    second.help_text = ""


class NewPasswordForm(SetPassword):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        explain_password(self.fields)
        limit_passwords(self.fields)


class OwnPasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        explain_password(self.fields)
        limit_passwords(self.fields)
        self.fields["old_password"].label = _("The password until now")


class InvitationForm(NewPasswordForm):
    """The first password, together with the name and phone that incidents will show."""

    name = LineField(label=_("Name and surname"), max_length=120)
    phone = PhoneField(label=_("Phone"), required=False, validators=[PHONE])
    field_order = ["name", "phone", "new_password1", "new_password2"]

    def save(self, commit: bool = True) -> User:
        self.user.name, self.user.phone = self.cleaned_data["name"], self.cleaned_data["phone"]
        return super().save(commit)


class AccountForm(forms.ModelForm[User]):
    """Letter keys are for staff only, so clients aren't asked about them."""

    name = LineField(label=_("Name and surname"), max_length=120)
    phone = PhoneField(
        label=_("Phone"),
        required=False,
        validators=[PHONE],
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
        help_text=_("We put it into your next report, so that you don't type it again."),
    )

    class Meta:
        model = User
        fields = ["name", "phone", "language", "theme", "notices", "shortcuts"]
        labels = {
            "language": _("Language"),
            "theme": _("Theme"),
            "notices": _("Send me e-mails about incidents"),
            "shortcuts": _("Letter keys in the queue"),
        }
        widgets = {"language": forms.RadioSelect, "theme": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.is_provider:
            self.fields["phone"].help_text = _("Urgent SMS come to it when you are on call.")
        else:
            del self.fields["shortcuts"]
