"""Who gets what at every address: one table of address, method and answer, a column a person."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Limit, Membership, User
from contracts.models import CalendarDay
from contracts.planned import MaintenanceWindow
from incidents import lifecycle
from incidents.models import Breach, Incident
from incidents.sweeps import sweep_clocks
from incidents.verbs import VERBS, Verb
from messaging.models import Notification
from monitoring.models import Monitor
from reports.anchor import make as anchor
from reports.money import review
from tests import build
from tests.pages import stop_clock, visitor
from tests.sla_portal.permission_table import PEOPLE, TABLE
from wording.words import plain

ROOMS = ("messaging", "accounts", "contracts", "incidents", "monitoring", "reports", "knox")
LATE = build.MONDAY + timedelta(hours=9, minutes=30)
MONITOR = {
    "name": "Koszyk", "url": "https://mak.example/koszyk", "interval": "60", "timeout_ms": "10", "slow_ms": "3",
    "statuses": "200", "what": "no_orders", "means_down": "on",
}  # fmt: skip
TEXT = {"text": "Tylko płatność kartą."}
KEY = "6f1c2a44-0000-4000-8000-000000000003"
REPORT = {"what": "typo", "sentence": "Literówka w menu.", "phone": "", "key": KEY}
# A form that is in order: where someone may send it, the answer is not a page of errors
FORMS: dict[str, dict[str, Any]] = {
    "login": {"username": "nikt@poza.example", "password": "x"},
    "password_reset": {"email": "nikt@poza.example"},
    "sign-in-letter": {"email": "nikt@poza.example"},
    "password_change": {
        "old_password": build.PASSWORD,
        "new_password1": "wieloryb-sanki-88-tor", "new_password2": "wieloryb-sanki-88-tor",
    },
    "account": {"name": "Ktoś Inny", "phone": "", "language": "pl", "theme": ""},
    "choose_language": {"language": "en"},
    "choose_theme": {"theme": "dark"},
    "users": {"name": "Nowa Osoba", "email": "nowa@korba.example", "role": "agent", "language": "pl"},
    "user": {"name": "Ola Mak", "phone": ""},
    "user-rights": {"client": "MAK", "role": "owner", "valid_until": ""},
    "settings-clients": {"name": "Nowa sp. z o.o.", "code": "NOW"},
    "settings-client": {"name": "Mak sp. z o.o."},
    "settings-contact": {"name": "Nowa Osoba", "email": "nowa@mak.example", "role": "reporter", "language": "pl"},
    "settings-shop": {"name": "nowy.example", "url": "https://nowy.example/"},
    "settings-health-proof": {"newest": "100"},
    "settings-health-again": {"notice": "all"},
    "report": REPORT,
    "report-shop": REPORT,
    "incident-details": {"page": "mak.example/koszyk"},
    "incident-pause": TEXT | {"reason": "client_answer"},
    "incident-resume": {"reason": "client_answer"},
    "incident-backup": {"where": "S3 Frankfurt"},
    "incident-severity": TEXT | {"to": "P2", "change": "worse"},
    "breach-exclude": {
        "reason": "third_party", "evidence": "Komunikat operatora", "start": "14:30", "end": "15:00",
    },
    "breach-take-back": {"why": "Pomyliłem się."},
    "api-incidents": {"shop": "mak-example", "what": "typo", "sentence": "Literówka w menu."},
    "api-token": {"email": "nikt@poza.example", "password": "x"},
    "api-pause": TEXT | {"reason": "client_answer"},
    "api-resume": {"reason": "client_answer"},
    "api-backup": {"where": "S3 Frankfurt"},
    "api-severity": TEXT | {"to": "P2", "change": "worse"},
    "api-details": {"page": "mak.example/koszyk"},
    "api-assign": {"to": "anna.lis@korba.example"},
    "monitor-watch": {"watch": "stop"},
    "planned-work-new": {"starts_at": "2026-03-20 22:00", "ends_at": "23:30", "note": "Nowa wersja koszyka"},
    "monitor-new": MONITOR,
    "monitor-edit": MONITOR,
    "calendars": {"name": "Sklep", "mon_fri": "8:00-16:00", "zone": "Europe/Warsaw"},
    "calendar": {"date": "2026-03-13", "windows": ""},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """The cookies of the people, and what fills an address: by its name, else by the argument's."""

    cookies: dict[str, str]
    places: dict[str, dict[str, Any]]
    usual: dict[str, Any]
    before: list[tuple[Any, ...]]

    def path(self, name: str) -> str:
        if name in self.places:
            return reverse(name, kwargs=self.places[name])
        possible: Sequence[tuple[str, Sequence[str]]] = get_resolver().reverse_dict.getlist(name)[0][0]
        return reverse(name, kwargs={key: self.usual[key] for key in possible[0][1]})

    def ask(self, who: str, method: str, name: str) -> HttpResponseBase:
        """One request of a person; whatever it changes is taken back by the caller."""
        client = Client()
        if who != "anonymous":
            client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[who]
        path, form = self.path(name), FORMS.get(name, TEXT)
        if name.startswith("api-") and method != "GET":
            return client.generic(method, path, json.dumps(form), content_type="application/json")
        return client.post(path, form) if method == "POST" else client.generic(method, path)


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """Built once; every request is rolled back, and this at the end."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        stop_clock(patch, LATE)
        yield built()
        transaction.set_rollback(True)


def built() -> Stage:
    mak, tur = build.world("MAK"), build.world("TUR")
    both = build.contact(mak.client, "Iga Obie")
    Membership.objects.create(user=both, client=tur.client, role="owner")
    people = {
        "reporter": mak.reporter, "owner": mak.owner, "agent": mak.agent, "manager": mak.manager,
        "admin": build.staff("Krzysztof Bak", role="admin", on_call=False), "stranger": tur.owner, "both": both,
        "former": build.contact(mak.client, "Jan Dawny", valid_until=LATE.date() - timedelta(days=1)),
    }  # fmt: skip
    new, paused, late = (build.incident(mak.shop, by=mak.reporter, what=what) for what in ("slower", "typo", "closed"))
    lifecycle.pause(incident=paused, by=mak.agent, at=build.MONDAY, reason="client_answer", text="Który produkt?")
    sweep_clocks(at=LATE)
    lifecycle.skip_backup(incident=late, by=mak.agent, at=LATE, text="Zmiana tylko w DNS.")
    lifecycle.resolve(incident=late, by=mak.agent, at=LATE, text="Adres poprawiony.")
    reaction, restore = (Breach.objects.get(incident=late, target=target) for target in ("reaction", "restore"))
    review.confirm(breach=reaction, by=build.staff("Halina Nowak", role="manager", on_call=False), at=LATE)
    anchor.make(at=LATE)
    monitor = Monitor.objects.create(shop=mak.shop, name="Strona główna", url="https://mak.example/")
    on = {verb: {"nr": late.nr} for verb in ("incident-accept", "incident-reject", "api-accept", "api-reject")}
    on |= {verb: {"nr": paused.nr} for verb in ("incident-resume", "api-resume")}
    usual = {
        "nr": new.nr, "slug": mak.shop.slug, "target": "restore", "month": "2026-03", "token": "zly-podpis",
        "code": mak.client.code, "address": mak.version.contract.address, "key": "sla_0123456789a", "channel": "email",
        "uidb64": urlsafe_base64_encode(force_bytes(mak.reporter.pk)),
    }  # fmt: skip
    cookies = {who: visitor(user).cookies[settings.SESSION_COOKIE_NAME].value for who, user in people.items()}
    where = on | places(mak.version.contract_id, reaction, restore, monitor)
    where |= {f"user{act}": {"pk": mak.reporter.pk} for act in ("", "-rights", "-off", "-on", "-letter")}
    return Stage(cookies, where, usual, written())


def places(contract: int, reaction: Breach, restore: Breach, monitor: Monitor) -> dict[str, dict[str, Any]]:
    """What `pk` means at each address."""
    found = {f"monitor{act}": {"pk": monitor.pk} for act in ("", "-check", "-edit", "-watch")}
    found |= {f"breach{act}": {"pk": restore.pk} for act in ("", "-confirm", "-exclude")}
    found |= {name: {"pk": contract} for name in ("contract-before", "contract-version-new-before")}
    office, manager = build.office_hours(), User.objects.get(name="Marek Dyr")
    day = CalendarDay.objects.create(
        calendar=office, date=date(2026, 3, 20), entered_by=manager, entered_at=build.MONDAY
    )
    found |= {"calendar": {"pk": office.pk}, "calendar-day-remove": {"pk": office.pk, "day": day.pk}}
    decision = reaction.decisions.get().pk
    work = MaintenanceWindow.objects.create(
        shop=monitor.shop, starts_at=LATE + timedelta(days=1), ends_at=LATE + timedelta(days=1, hours=1),
        announced_at=LATE, note="Baza", entered_by=manager,
    )  # fmt: skip
    found |= {"planned-work-off": {"pk": work.pk}}
    return found | {"breach-second": {"pk": reaction.pk}, "breach-take-back": {"pk": reaction.pk, "decision": decision}}


def routes(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns)
        else:
            yield pattern


def rows() -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for line in TABLE.strip().splitlines():
        name, method, *answers = line.split()
        assert (name, method) not in found, f"two rows for {method} {name}"
        whole = answers * len(PEOPLE) if len(answers) == 1 else answers
        found[name, method] = dict(zip(PEOPLE, whole, strict=True))
    return found


ROWS = rows()


def test_every_address_has_its_rows() -> None:
    named = {str(route.name) for route in routes(get_resolver().url_patterns)}
    assert {name for name, _method in ROWS} == named
    assert {(name, method) for name in named for method in ("GET", "POST")} <= set(ROWS)


MEMBERS = {"reporter": "reporter", "both": "reporter", "owner": "owner", "agent": "agent", "manager": "manager"}
"""Who has which role for MAK's incidents; everybody else sees none of them."""


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_the_table_lets_those_act_whom_the_registry_names(verb: Verb) -> None:
    """The page of a verb does not exist for the other side; the API, which shows the incident, says 403."""
    pages = [(verb.page, method, "404", {"200", "302", "422"}) for method in ("GET", "POST") if verb.page]
    for name, method, denied, allowed in [*pages, (verb.api, "POST", "403", {"200", "409"})]:
        answers = ROWS[name, method]
        assert {answers[who] for who, role in MEMBERS.items() if role in verb.roles} <= allowed, name
        assert {answers[who] for who, role in MEMBERS.items() if role not in verb.roles} == {denied}, name
        assert {answers[who] for who in ("admin", "stranger", "former")} == {"404"}, name


DENIED = {"in", "401", "403", "404", "405"}


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "method"), ROWS, ids=[" ".join(row) for row in ROWS])
def test_each_person_gets_the_answer_of_the_table(stage: Stage, name: str, method: str) -> None:
    """What was denied, to all of them one after the other, has changed nothing."""
    wanted = ROWS[name, method]
    denied = [who for who in PEOPLE if wanted[who] in DENIED]
    with taken_back():
        answers = {who: answer(stage, who, method, name) for who in denied}
        assert not denied or written() == stage.before, f"{method} {name} of {denied} left something behind"
    for who in [who for who in PEOPLE if who not in denied]:
        with taken_back():
            answers[who] = answer(stage, who, method, name)
    assert answers == wanted


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def answer(stage: Stage, who: str, method: str, name: str) -> str:
    """As in the table; no page shows more than its reader may see."""
    response = stage.ask(who, method, name)
    body = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    path = stage.path(name)
    # Who sends a form is asked to sign in on the page that keeps it (accounts/expired.py)
    asked_there = response.status_code == 403 and f'name="next" value="{path}"'.encode() in body
    sent_to_login = asked_there or response.headers.get("Location") == f"/login/?next={path}"
    if response.status_code == 200:
        assert not leaks(who, body.decode()), f"{method} {name} shows {who} too much"
    return "in" if sent_to_login else str(response.status_code)


def written() -> list[tuple[Any, ...]]:
    """How many rows each table of ours has, and how far every incident and the outbox are.

    Not the counts of the limiter: a refused request counts too.
    """
    models = [model for room in ROOMS for model in apps.get_app_config(room).get_models() if model is not Limit]
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables))
        counts = sorted(cursor.fetchall())  # a plan that runs in parallel answers in any order
    incidents = Incident.objects.order_by("pk").values_list("pk", "status", "severity", "journal_head", "assignee")
    return [*counts, *incidents, *Notification.objects.order_by("pk").values_list("pk", "status", "attempts")]


HIDDEN = {
    "anonymous": ("MAK-", "mak.example", "TUR-", "tur.example"),
    "reporter": ("TUR-", "tur.example", "Tur sp.", " zł"),
    "owner": ("TUR-", "tur.example", "Tur sp."),
    "agent": (" zł",),
    "stranger": ("MAK-", "mak.example", "Mak sp."),
    "former": ("MAK-", "mak.example/", "Mak sp.", "TUR-", "tur.example"),
}


def leaks(who: str, body: str) -> list[str]:
    text = plain(html.unescape(body))
    return [word for word in HIDDEN.get(who, ()) if word in text]
