"""Signing in and out, passwords, invitations, and a person's own settings."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import expired, tokens
from accounts.active import my_clients, show_client
from accounts.attempts import succeeded
from accounts.devices import remember_device
from accounts.forms import AccountForm, InvitationForm, SignInForm
from accounts.invitations import invited
from accounts.models import Language, Theme, User

CLIENT_SESSION = timedelta(days=30)  # a failure is reported from a phone that is signed in, or late
STAFF_SESSION = timedelta(hours=12)  # a shift
BACKEND = "django.contrib.auth.backends.ModelBackend"


def came_from(request: HttpRequest) -> str:
    """Where to go next: the page that asked, if it is ours, else the person's home; a path, never a view's name."""
    address = request.POST.get("next") or request.GET.get("next", "")
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
    return address if ours else "/"


def enter(request: HttpRequest, user: User) -> None:
    """Signs the person in: staff for a shift, clients for a month on their own phone."""
    login(request, user, backend=BACKEND)
    length = STAFF_SESSION if user.is_provider else CLIENT_SESSION
    request.session.set_expiry(int(length.total_seconds()))


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    kept = expired.kept_in(request)
    if request.user.is_authenticated:
        return _onward(request, kept)
    form = SignInForm(request, request.POST or None)
    if form.is_valid():
        succeeded(request)
        enter(request, form.get_user())
        return _known(request, _onward(request, kept), form.get_user().email)
    facts = {"form": form, "next": came_from(request), "kept": kept.signed() if kept else ""}
    return render(request, "accounts/login.html", facts)


def _onward(request: HttpRequest, kept: expired.Kept | None) -> HttpResponse:
    """To the form that was not sent because the session had ended, else where the person wanted to go."""
    return (kept and expired.come_back(request, kept)) or redirect(came_from(request))


def _known(request: HttpRequest, response: HttpResponse, email: str) -> HttpResponse:
    remember_device(request, response, email)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Drafts leave the browser with the person. A session that only ran out leaves them: somebody is typing."""
    logout(request)
    response = redirect("login")
    response["Clear-Site-Data"] = '"storage"'  # over https; without it forms.js forgets the drafts
    return response


@never_cache
@sensitive_post_parameters("new_password1", "new_password2")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The first password. A dead link says so, with the phone to call."""
    user = invited(token)
    if user is None:
        return render(request, "accounts/invitation_dead.html", status=404)
    form = InvitationForm(user, request.POST or None, initial={"name": user.name, "phone": user.phone})
    if form.is_valid():
        enter(request, form.save())
        return _known(request, redirect("home"), user.email)
    return render(request, "accounts/invitation.html", {"form": form, "invited": user})


@login_required
def account(request: HttpRequest) -> HttpResponse:
    # A fresh copy: the header must not show a name that the form refused
    form = AccountForm(request.POST or None, instance=User.objects.get(email=request.user.get_username()))
    if form.is_valid():
        user = form.save()
        with translation.override(user.language):
            messages.success(request, _("Saved."))
        return remember(redirect("account"), user.language, user.theme)
    facts = {"form": form, "tokens": tokens.tokens_of(form.instance, at=timezone.now())}
    return render(request, "accounts/account.html", facts)


@require_POST
@login_required
def end_token(request: HttpRequest, key: str) -> HttpResponse:
    """The program that has it is refused from now on."""
    if not isinstance(request.user, User) or not tokens.end(request.user, key):
        raise Http404
    messages.success(request, _("The token is ended."))
    return redirect("account")


def remember(response: HttpResponse, language: str | None = None, theme: str | None = None) -> HttpResponse:
    """Puts the choices into cookies too, so that the login page keeps them after signing out."""
    for name, value in ((settings.LANGUAGE_COOKIE_NAME, language), ("theme", theme)):
        if value is not None:
            response.set_cookie(
                name,
                value,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
    return response


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    if language not in Language.values:
        raise Http404
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return remember(redirect(came_from(request)), language=language)


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme", "")
    if theme not in Theme.values:
        raise Http404
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(theme=theme)
    return remember(redirect(came_from(request)), theme=theme)


@require_POST
@login_required
def choose_client(request: HttpRequest) -> HttpResponse:
    """Always to the home page: the page that was open belongs to the other client."""
    mine = my_clients(request.user) if isinstance(request.user, User) else []
    chosen = next((client for client in mine if client.code == request.POST.get("client")), None)
    if chosen is None:
        raise Http404
    show_client(request, chosen.pk)
    return redirect("home")


def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "sla_portal/accessibility.html")


def manifest(request: HttpRequest) -> HttpResponse:
    """For the home screen of a phone: one tap to the report form."""
    icons = [
        {"src": static(f"sla_portal/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    data = {
        "name": settings.PROVIDER_NAME,
        "short_name": settings.PROVIDER_NAME,
        "lang": translation.get_language(),
        "start_url": "/",
        "display": "minimal-ui",
        "background_color": "#ffffff",
        "theme_color": "#0a58a6",
        "icons": icons,
        "shortcuts": [{"name": _("Report a failure"), "url": reverse("report"), "icons": icons[:1]}],
    }
    return JsonResponse(data, content_type="application/manifest+json")
