"""Coming in by a letter: a new password, or a link that signs in once."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib.auth import views as django_views
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from accounts import letters
from accounts.addresses import source
from accounts.attempts import HOUR, Bucket, take_all, too_many
from accounts.devices import device_of, remember_device
from accounts.forms import NewPasswordForm, SetPassword
from accounts.models import Letter, User
from accounts.views import enter
from wording.fields import MailField


class LetterForm(forms.Form):
    email = MailField(label=_("E-mail"), widget=forms.EmailInput({"autocomplete": "username"}))


def _wait(request: HttpRequest, email: str, kind: str) -> timedelta | None:
    """A letter each twenty minutes while a link lives for thirty: whoever asks in somebody's name, that person always
    has a link that works. A device of the person is not counted by its source."""
    buckets = [Bucket(f"letter {kind} {email}", 3, HOUR)]
    if not device_of(request, email):
        buckets.append(Bucket(f"letter from {source(request)}", 20, HOUR))
    return take_all(buckets, timezone.now())


def _ask(request: HttpRequest, kind: str, template: str) -> HttpResponse:
    form = LetterForm(request.POST or None)
    if not form.is_valid():
        return render(request, template, {"form": form})
    email = form.cleaned_data["email"].lower()
    wait = _wait(request, email, kind)
    if wait:
        return too_many(request, wait, letters=True)
    letters.ask(email, kind, at=timezone.now())
    return redirect("password_reset_done")


@never_cache
def forgotten(request: HttpRequest) -> HttpResponse:
    """A letter with a link to a new password."""
    return _ask(request, Letter.Kind.PASSWORD, "accounts/password_ask.html")


@never_cache
def sign_in_letter(request: HttpRequest) -> HttpResponse:
    """A letter with a link that signs in once: for whom others' wrong passwords stop."""
    return _ask(request, Letter.Kind.SIGN_IN, "accounts/sign_in_ask.html")


@never_cache
@transaction.atomic
def sign_in_by_letter(request: HttpRequest, token: str) -> HttpResponse:
    """A button, since mail scanners open every link; the press signs in and makes this a known device."""
    person = letters.person_of(token)
    if person is None:
        return render(request, "accounts/sign_in_dead.html", status=404)
    if request.method != "POST":
        return render(request, "accounts/sign_in_by_letter.html", {"person": person})
    enter(request, person)
    response = redirect("home")
    remember_device(request, response, person.email)
    return response


class NewPassword(django_views.PasswordResetConfirmView):
    """Who set a password by a letter owns the mailbox: the device is known from now on, so nobody can lock it out."""

    template_name = "accounts/password_set.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("login", query={"new_password": 1})
    token_generator = letters.PASSWORD

    def get_user(self, uidb64: str) -> User | None:
        return letters.named(uidb64).first()

    def form_valid(self, form: SetPassword) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
        remember_device(self.request, response, form.user.email)
        return response
