"""The demo as tests walk it: played once a run at a fixed time, rolled back at a file's end; and its people's pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from pytest_django.plugin import DjangoDbBlocker

from accounts.invitations import invitation_path
from accounts.models import User
from contracts.models import Calendar, Contract
from incidents.choices import Status
from incidents.models import Breach, Incident
from monitoring.models import Monitor
from reports.models import BreachDecision
from tests import build
from tests.pages import stop_clock, visitor
from tests.sla_portal.kept_story import tell
from tests.sla_portal.permission_table import TABLE

NOW = build.at("2026-11-24 10:40")
"""A Tuesday, in the hours of the office."""
CAST = {"reporter": "marta", "owner": "ewa", "agent": "anna", "manager": "tomasz", "admin": "admin"}
ROLES = ("anonymous", *CAST)
NO_PAGES = ("health", "readyz", "manifest", "queue-live", "unheard", "api-")


@dataclass(frozen=True, slots=True)
class Visit:
    """A page of ours that this person may see."""

    who: str
    path: str

    def __str__(self) -> str:
        return f"{self.who} {self.path}"


@pytest.fixture(scope="module")
def story(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The demo at `NOW`; its broken shop is kept apart from a running one's."""
    folder, run = tmp_path_factory.mktemp("demo"), tmp_path_factory.getbasetemp()
    place = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "kept_story"
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        stop_clock(patch, NOW)
        at_home(patch, folder)
        tell(place, folder, partial(seed, folder))
        yield
        transaction.set_rollback(True)


def play(patch: pytest.MonkeyPatch, folder: Path) -> None:
    at_home(patch, folder)
    seed(folder)


def at_home(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(settings, "DATA_DIR", folder)
    patch.setattr(settings, "DEMO_LOGINS_FILE", folder / "logins.json")
    patch.setattr(settings, "PROBE_ALLOW_NETWORKS", ["127.0.0.1/32"])


def seed(folder: Path) -> None:
    call_command("demo_seed", stdout=(folder / "seed.txt").open("w"))


def person(role: str) -> User:
    return User.objects.get(email__startswith=f"{CAST[role]}@")


def browse(role: str, *, language: str = "pl", theme: str = "") -> Client:
    """The role's own browser, with the person's settings."""
    if role == "anonymous":
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        client.cookies["theme"] = theme
        return client
    user = person(role)
    User.objects.filter(pk=user.pk).update(language=language, theme=theme)
    return visitor(user)


def visits() -> list[Visit]:
    """Every address of the permission table that shows a role a page, and the states that have one of their own."""
    seen, where = [], places()
    for line in TABLE.strip().splitlines():
        name, method, *answers = line.split()
        if method != "GET" or name.startswith(NO_PAGES):
            continue
        given = answers * len(ROLES) if len(answers) == 1 else answers
        seen += [Visit(who, path(name, where)) for who, answer in zip(ROLES, given, strict=False) if answer == "200"]
    return [*seen, *states()]


def path(name: str, where: dict[str, Any]) -> str:
    """The address with what stands for its arguments: by address, by subject, or the usual one."""
    wanted = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
    subject = name.partition("-")[0]
    known = {key: next(where[at] for at in (f"{name}.{key}", f"{subject}.{key}", key) if at in where) for key in wanted}
    return reverse(name, kwargs=known)


def places() -> dict[str, Any]:
    mak = Incident.objects.filter(client__code="MAK")
    fixed = mak.get(status=Status.RESOLVED).nr
    standing = Incident.objects.get(pauses__ended_at=None, pauses__reason="client_answer")
    decision = BreachDecision.objects.filter(taken_back_at=None).latest("pk")
    return {
        "nr": mak.get(what="no_orders", status=Status.OPEN).nr,
        "incident-accept.nr": fixed, "incident-reject.nr": fixed, "incident-assign.nr": fixed,
        "incident-resume.nr": standing.nr,
        "breach.pk": Breach.objects.filter(decisions=None).exclude(stopped_at=None).latest("deadline").pk,
        "breach-take-back.pk": decision.breach_id, "breach-take-back.decision": decision.pk,
        "address": Contract.objects.get(client__code="MAK").address,
        "calendar.pk": Calendar.objects.get(is_office=True).pk,
        "monitor.pk": Monitor.objects.get(shop__slug="mak-pl", name="Strona główna").pk,
        "user.pk": person("owner").pk, "uidb64": urlsafe_base64_encode(force_bytes(person("owner").pk)),
        "slug": "mak-pl", "code": "MAK", "target": "restore", "month": f"{NOW:%Y-%m}", "token": "zly-podpis",
    }  # fmt: skip


def states() -> list[Visit]:
    """Pages that an address shows only in some state: every live incident, a link by mail, what is not found."""
    living = Incident.objects.active().select_related("client").order_by("pk")
    mine = [one for one in living if one.client.code == "MAK"]
    found = [Visit("agent", f"/incidents/{one.nr}/") for one in living]
    found += [Visit("reporter", f"/incidents/{one.nr}/") for one in mine]
    found += [Visit("manager", f"/breaches/{one.pk}/") for one in Breach.objects.order_by("pk")]
    owner, invited = person("owner"), User.objects.get(email__startswith="iza@")
    letter = {
        "uidb64": urlsafe_base64_encode(force_bytes(owner.pk)),
        "token": default_token_generator.make_token(owner),
    }
    found += [
        Visit("anonymous", reverse("password_reset_confirm", kwargs=letter)),
        Visit("anonymous", invitation_path(invited)),
        Visit("anonymous", "/invitation/zly-podpis/"),
        Visit("agent", "/queue/?show=p1"),
        Visit("manager", "/incidents/new/?shop=mak"),
        Visit("manager", "/contracts/new/?client=MAK"),
        *[Visit(who, "/nie-ma/") for who in ("anonymous", "reporter", "agent")],
    ]
    return found
