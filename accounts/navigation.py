"""The main menu of each role. A page enters it together with its address; the names are those of `urls.py`."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import ADMIN, AGENT, MANAGER, OWNER, REPORTER


@dataclass(frozen=True)
class Entry:
    label: str | Promise
    page: str
    """The name of its address."""
    counts: str = ""

    @property
    def path(self) -> str:
        return reverse(self.page)

    def current(self, path: str) -> str:
        """The value of aria-current: this very page, a page below it, or nothing."""
        if path == self.path:
            return "page"
        return "true" if self.path != "/" and path.startswith(self.path) else ""


_INCIDENTS = Entry(_("Incidents"), "incidents")
_SHOPS = Entry(_("Availability"), "shops")
_QUEUE = Entry(_("Queue"), "queue", "queue")
_CONTRACTS = Entry(_("Contracts"), "contracts")
_CLIENTS = Entry(_("Clients"), "settings-clients")
_CALENDARS = Entry(_("Hours of work"), "calendars")
_CLIENT = (Entry(_("Home"), "home"), _INCIDENTS, _SHOPS)
MENUS: dict[str, tuple[Entry, ...]] = {
    REPORTER: _CLIENT,
    OWNER: (*_CLIENT, Entry(_("Contract"), "contracts")),
    AGENT: (_QUEUE, _INCIDENTS, _SHOPS),
    MANAGER: (
        Entry(_("Breaches"), "breaches", "breaches"),
        _QUEUE,
        _INCIDENTS,
        _CONTRACTS,
        Entry(_("Availability"), "availability"),
        _CLIENTS,
        _CALENDARS,
    ),
    ADMIN: (
        Entry(_("Health"), "settings-health"),
        Entry(_("Channels"), "settings-channels"),
        Entry(_("Users"), "users"),
        _CLIENTS,
        _CALENDARS,
    ),
}


def menu(role: str, path: str) -> list[dict[str, object]]:
    """The role's entries for the header, the one of this page marked."""
    return [
        {"label": entry.label, "path": entry.path, "counts": entry.counts, "current": entry.current(path)}
        for entry in MENUS.get(role, ())
    ]
