"""The filters of the list of incidents: read from an address, laid on the rows, shown as links that take one away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import INCIDENT_STAFF, Client, User
from contracts.models import Severity, Shop
from contracts.severities import What
from incidents.choices import Status
from incidents.models import Breach, IncidentQuerySet
from incidents.state import ENDED
from wording.texts import number_in

Choice = tuple[str, str | Promise]
MINE, NOBODY, QUESTION, MISSED = "mine", "nobody", "question", "missed"
WIDE: dict[str, tuple[str | Promise, Callable[[IncidentQuerySet], IncidentQuerySet]]] = {
    "open": (pgettext_lazy("incidents", "Open"), lambda rows: rows.active()),
    "client": (pgettext_lazy("incidents", "Waiting for the client"), lambda rows: rows.waiting_for_client()),
    "ended": (pgettext_lazy("incidents", "Ended"), lambda rows: rows.filter(status__in=ENDED)),
}
"""States wider than one status, which people ask for first."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One filter of the form; `value` is "" while it is off, `everything` what it says then."""

    key: str
    name: str | Promise
    everything: str | Promise
    choices: list[Choice]
    value: str

    @property
    def words(self) -> str | Promise:
        return dict(self.choices)[self.value]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on: what it says, and the address's query without it."""

    name: str | Promise
    words: str | Promise
    without: str


class Filters:
    """Of one reader's list, from an address; what that names and isn't there is left out.

    `client`: of whom the reader sees incidents; None for our own people, who see everybody's.
    """

    def __init__(self, parameters: QueryDict, user: User, client: Client | None) -> None:
        self.parameters, self.user, self.query = parameters, user, parameters.get("q", "").strip()
        offered = [self._narrowing(*facts) for facts in self._offered(client)]
        self.narrowings = [row for row in offered if row.value or len(row.choices) > 1 or row.key == "deadlines"]

    def _offered(self, client: Client | None) -> Iterable[tuple[str, str | Promise, str | Promise, list[Choice]]]:
        staff = self.user.works_incidents
        rows = self._rows(client)
        yield "show", _("State"), pgettext_lazy("incidents", "All"), _states(staff)
        if staff:
            yield "client", _("Client"), _("every client"), rows["client"]
        yield "shop", _("Shop"), _("every shop"), rows["shop"]
        yield "category", _("Severity"), _("every severity"), _severities()
        if staff:
            people = [(MINE, _("mine")), (NOBODY, _("nobody's")), *rows["person"]]
            yield "assignee", _("Assignee"), _("everybody's"), people
        yield "deadlines", _("Deadlines"), _("kept and missed"), [(MISSED, _("missed"))]

    def _rows(self, client: Client | None) -> dict[str, list[Choice]]:
        """Clients, shops of the one client in question, our people: one query."""
        shops = Shop.objects.visible_to(self.user)
        shops = shops.filter(client=client) if client else shops.filter(client__code=self.parameters.get("client", ""))
        parts: list[QuerySet[Any, tuple[str, str, str]]] = [shops.order_by().values_list(Value("shop"), "slug", "name")]
        if self.user.works_incidents:
            staff = User.objects.filter(provider_role__in=INCIDENT_STAFF, is_active=True).order_by()
            parts.append(Client.objects.visible_to(self.user).order_by().values_list(Value("client"), "code", "name"))
            parts.append(staff.values_list(Value("person"), Cast("pk", CharField()), "name"))
        rows: dict[str, list[Choice]] = {"shop": [], "client": [], "person": []}
        for kind, value, name in sorted(parts[0].union(*parts[1:], all=True), key=lambda row: row[2].casefold()):
            rows[kind].append((value, name))
        return rows

    def _narrowing(self, key: str, name: str | Promise, everything: str | Promise, choices: list[Choice]) -> Narrowing:
        value = self.parameters.get(key, "")
        return Narrowing(key, name, everything, choices, value if value in dict(choices) else "")

    def on(self, rows: IncidentQuerySet) -> IncidentQuerySet:
        """The rows that pass every filter that is on."""
        for narrowing in self.narrowings:
            if narrowing.value:
                rows = RULES[narrowing.key](rows, narrowing.value, self.user)
        return search(rows, self.query)

    @property
    def chips(self) -> list[Chip]:
        rows = [row for row in self.narrowings if row.value]
        chips = [Chip(row.name, row.words, self.without(row.key)) for row in rows]
        return [*chips, Chip(_("Words"), self.query, self.without("q"))] if self.query else chips

    def without(self, key: str) -> str:
        """The address's query with one filter less; the shop goes with its client."""
        rest = self.parameters.copy()
        for name in (key, "page", "format", *(["shop"] if key == "client" else [])):
            rest.pop(name, None)
        return rest.urlencode()


def _states(staff: bool) -> list[Choice]:
    names: dict[str, str | Promise] = {key: name for key, (name, _rows) in WIDE.items()}
    return [*(names if staff else names | {"client": _("Waiting for you")}).items(), *Status.choices]


def _severities() -> list[Choice]:
    return [*((value, f"{value} {label}") for value, label in Severity.choices), (QUESTION, _("question or change"))]


def _state(rows: IncidentQuerySet, value: str, _user: User) -> IncidentQuerySet:
    return WIDE[value][1](rows) if value in WIDE else rows.filter(status=value)


def _assignee(rows: IncidentQuerySet, value: str, user: User) -> IncidentQuerySet:
    return rows.filter(assignee={MINE: user.pk, NOBODY: None}.get(value, number_in(value)))


RULES: dict[str, Callable[[IncidentQuerySet, str, User], IncidentQuerySet]] = {
    "show": _state,
    "client": lambda rows, value, _user: rows.filter(client__code=value),
    "shop": lambda rows, value, _user: rows.filter(shop__slug=value),
    "category": lambda rows, value, _user: rows.filter(severity="" if value == QUESTION else value),
    "assignee": _assignee,
    "deadlines": lambda rows, _value, _user: rows.filter(pk__in=Breach.objects.values("incident")),
}


def search(rows: IncidentQuerySet, query: str) -> IncidentQuerySet:
    """By number, sentence, shop, or the words of the report form in the reader's language."""
    if not query:
        return rows
    named = [symptom.value for symptom in What if query.casefold() in str(symptom.label).casefold()]
    return rows.filter(
        Q(nr__icontains=query) | Q(sentence__icontains=query) | Q(shop__name__icontains=query) | Q(what__in=named)
    )
