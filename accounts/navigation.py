"""The main menu of each role. An address that nothing answers yet is left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import ADMIN, AGENT, MANAGER, OWNER, REPORTER


@dataclass(frozen=True)
class Entry:
    label: str | Promise
    path: str
    counts: str = ""

    def current(self, path: str) -> str:
        """The value of aria-current: this very page, a page below it, or nothing."""
        if path == self.path:
            return "page"
        return "true" if self.path != "/" and path.startswith(self.path) else ""


_INCIDENTS = Entry(_("Incidents"), "/incidents/")
_SHOPS = Entry(_("Availability"), "/shops/")
_QUEUE = Entry(_("Queue"), "/queue/", "queue")
_CALENDAR = Entry(_("Calendar"), "/calendar/")
_CONTRACTS = Entry(_("Contracts"), "/contracts/")
_CLIENTS = Entry(_("Clients"), "/settings/clients/")
_CALENDARS = Entry(_("Hours of work"), "/settings/calendars/")
_CLIENT = (Entry(_("Home"), "/"), _INCIDENTS, _SHOPS)
MENUS: dict[str, tuple[Entry, ...]] = {
    REPORTER: _CLIENT,
    OWNER: (*_CLIENT, Entry(_("Contract"), "/contracts/"), Entry(_("Statements"), "/statements/")),
    AGENT: (_QUEUE, _INCIDENTS, _CALENDAR, _SHOPS),
    MANAGER: (
        Entry(_("Breaches"), "/breaches/", "breaches"),
        _QUEUE,
        _INCIDENTS,
        Entry(_("Penalties"), "/penalties/"),
        Entry(_("Months"), "/months/"),
        _CONTRACTS,
        Entry(_("Availability"), "/availability/"),
        _CALENDAR,
        _CLIENTS,
        _CALENDARS,
    ),
    ADMIN: (
        Entry(_("Health"), "/settings/health/"),
        Entry(_("Users"), "/settings/users/"),
        _CLIENTS,
        Entry(_("Channels"), "/settings/channels/"),
        Entry(_("Retention"), "/settings/retention/"),
        Entry(_("Escalation"), "/settings/escalation/"),
        _CALENDARS,
    ),
}


@cache
def answered(path: str) -> bool:
    """Whether a page stands at this address."""
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def menu(role: str, path: str) -> list[dict[str, object]]:
    """The role's entries for the header, the one of this page marked."""
    return [
        {"label": entry.label, "path": entry.path, "counts": entry.counts, "current": entry.current(path)}
        for entry in MENUS.get(role, ())
        if answered(entry.path)
    ]
