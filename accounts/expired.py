"""A form that came too late, its token or session had ended: it comes back filled, and only its person sends it again.

What was typed is shown again only where the browser itself vouches that a page of ours sent it: the token was right, or
`Origin` is ours. So nobody else's page can put a form of ours, filled by them, before somebody who is signed in. While
the person signs in, it travels in the login's own form, signed; nothing is stored. Passwords and files are never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.datastructures import MultiValueDict
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.forms import SignInForm
from accounts.models import User
from wording.filled_form import filled

SALT = "accounts.expired"
FIELD = "kept"
MOST = 200_000  # characters of a kept form in the login's; the longest form of ours has 60 kB
LIFE = 24 * 3600
NOT_KEPT = frozenset({"csrfmiddlewaretoken", FIELD})


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as it was sent: to `path`, from `page` (addresses of ours with their queries)."""

    path: str
    page: str
    fields: dict[str, list[str]]
    secrets: bool
    files: bool

    def signed(self) -> str:
        """For a hidden field; "" where it is too much to carry along."""
        value = signing.dumps(asdict(self), salt=SALT, compress=True)
        return value if len(value) <= MOST else ""


def is_secret(name: str) -> bool:
    return "password" in name


def kept_of(request: HttpRequest) -> Kept:
    fields = {name: values for name, values in request.POST.lists() if name not in NOT_KEPT}
    sender = request.META.get("HTTP_REFERER", "")
    ours = url_has_allowed_host_and_scheme(sender, {request.get_host()}, require_https=request.is_secure())
    parts = urlsplit(sender) if ours else None
    return Kept(
        path=request.get_full_path(),
        page=(parts._replace(scheme="", netloc="", fragment="").geturl() if parts else "") or request.get_full_path(),
        fields={name: values for name, values in fields.items() if not is_secret(name)},
        secrets=any(is_secret(name) for name in fields),
        files=bool(request.FILES),
    )


def kept_in(request: HttpRequest) -> Kept | None:
    """What the login's form carries along; None where it carries nothing that we signed within a day."""
    value = request.POST.get(FIELD, "")
    try:
        return Kept(**signing.loads(value, salt=SALT, max_age=LIFE)) if 0 < len(value) <= MOST else None
    except signing.BadSignature:
        return None


class ExpiredMiddleware:
    """Who sent a form without being signed in any more gets the login with the form kept in it, in place of a redirect
    that would lose it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        sent = request.method == "POST" and not request.user.is_authenticated
        return login_with(request, kept_of(request)) if sent and _to_login(request, response) else response


def _to_login(request: HttpRequest, response: Any) -> bool:
    """Whether the page was for people who are signed in."""
    parts = urlsplit(response.headers.get("Location", ""))
    comes_back = QueryDict(parts.query).get("next") == request.get_full_path()
    return bool(response.status_code == 302 and parts.path == resolve_url(settings.LOGIN_URL) and comes_back)


def login_with(request: HttpRequest, kept: Kept) -> HttpResponse:
    """The login, with the form in a hidden field."""
    facts = {"form": SignInForm(request), "next": kept.page, FIELD: kept.signed(), "expired": True}
    response = render(request, "accounts/login.html", facts, status=403)
    add_never_cache_headers(response)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403, with the form filled and a fresh token where a page of ours sent it."""
    if not _is_ours(request):
        return render(request, "403_csrf.html", status=403)
    kept = kept_in(request) or kept_of(request)
    shown = _shown(request, kept.path)
    if shown is not None and not request.user.is_authenticated and _to_login(request, shown):
        return login_with(request, kept)
    response = come_back(request, kept) or _only_what_was_typed(request, kept)
    response.status_code = 403
    add_never_cache_headers(response)
    return response


def _is_ours(request: HttpRequest) -> bool:
    """Whether the browser says that the form stood on a page of ours; one that says nothing is not believed."""
    own = f"{request.scheme}://{request.get_host()}"
    return request.META.get("HTTP_ORIGIN") in {own, *settings.CSRF_TRUSTED_ORIGINS}


def come_back(request: HttpRequest, kept: Kept) -> HttpResponse | None:
    """The page with its form filled; None where this person has no such page. Nothing is done by it."""
    get_token(request)
    language = request.user.language if isinstance(request.user, User) else translation.get_language()
    with translation.override(language):
        pages = [(address, _shown(request, address)) for address in dict.fromkeys((kept.path, kept.page))]
        filled_pages = (_filled(request, address, page, kept) for address, page in pages)
        response = next((page for page in filled_pages if page), None)
        there = any(page is not None for _address, page in pages)
        return response or (_only_what_was_typed(request, kept) if there else None)


def _filled(request: HttpRequest, address: str, page: Any, kept: Kept) -> HttpResponse | None:
    """The page with what was typed in its form; None where it has no such form."""
    if page is None or page.status_code != 200 or page.streaming:
        return None
    facts = {"kept": kept, "signed_in": request.path == resolve_url(settings.LOGIN_URL) != kept.path}
    notice = render_to_string("_expired.html", facts)
    path, action = urlsplit(address).path, urlsplit(kept.path).path
    html = filled(page.content.decode(), path, action, kept.fields, notice)
    return HttpResponse(html) if html is not None else None


def _only_what_was_typed(request: HttpRequest, kept: Kept) -> HttpResponse:
    """Where its form stands on no page any more."""
    typed = [(name, value, "\n" in value or len(value) > 40) for name in kept.fields for value in kept.fields[name]]
    facts = {"typed": typed, "path": kept.path, "sends": not kept.secrets and not kept.files, "kept": kept}
    return render(request, "403_csrf.html", facts)


def _shown(request: HttpRequest, address: str) -> Any:
    """What a GET of the address answers this person; None where nothing is there for them."""
    parts = urlsplit(address)
    page = copy(request)
    page.method, page.path, page.path_info = "GET", parts.path, parts.path
    page.GET, page.POST, page._files = QueryDict(parts.query), QueryDict(), MultiValueDict()  # type: ignore[attr-defined]
    page.META = {**request.META, "REQUEST_METHOD": "GET", "PATH_INFO": parts.path, "QUERY_STRING": parts.query}
    try:
        page.resolver_match = match = resolve(parts.path)
        response: Any = match.func(page, *match.args, **match.kwargs)
        return response.render() if hasattr(response, "render") else response
    except (Http404, PermissionDenied):
        return None
