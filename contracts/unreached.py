"""Rungs of a ladder that would reach nobody, by the people of today: who is there, and at which number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.utils.translation import gettext as _

from accounts.models import INCIDENT_STAFF, MANAGER, OWNER, Client, User
from contracts.escalation_text import TOLD, mark_words
from contracts.models import TargetKind, Whom
from contracts.vocabulary import Mark
from messaging.models import Channel


class Rung(Protocol):
    """Stored, or only typed so far."""

    @property
    def target(self) -> str: ...
    @property
    def mark(self) -> Mark: ...
    @property
    def whom(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def person(self) -> User | None: ...


@dataclass(frozen=True, slots=True)
class Unreached:
    """A rung in words, and why it would reach nobody today."""

    rung: str
    reason: str


def unreached(rungs: Iterable[Rung], client: Client | None, today: date) -> list[Unreached]:
    """Those that would reach nobody, in order; without a client the rungs to its owner are left out. Two queries."""
    steps = list(rungs)
    staff = list(User.objects.filter(provider_role__in=INCIDENT_STAFF, is_active=True))
    owners = _owners(client, today) if client else []
    reasons = [(step, _reason(step, staff, owners)) for step in steps if client or step.whom != Whom.OWNER]
    return [Unreached(_rung(step), reason) for step, reason in reasons if reason]


def _owners(client: Client, today: date) -> list[User]:
    members = client.memberships.valid(today).filter(role=OWNER, user__is_active=True)
    return [membership.user for membership in members.select_related("user")]


def _reason(step: Rung, staff: list[User], owners: list[User]) -> str:
    if step.person:
        people = [step.person] if step.person in staff else []
        if not people:
            return _("this person is switched off or works on no incidents")
    else:
        people = _people(step.whom, staff, owners)
        if not people:
            return _nobody(step.whom)
    if step.channel == Channel.EMAIL or any(person.phone for person in people):
        return ""
    return _("no phone number is known")


def _people(whom: str, staff: list[User], owners: list[User]) -> list[User]:
    """Whoever works on incidents may be the one who has it."""
    chosen: dict[str, Callable[[User], bool]] = {
        Whom.ON_CALL: lambda person: person.on_call,
        Whom.MANAGER: lambda person: person.provider_role == MANAGER,
    }
    return owners if whom == Whom.OWNER else [person for person in staff if whom not in chosen or chosen[whom](person)]


def _nobody(whom: str) -> str:
    if whom == Whom.ON_CALL:
        return _("nobody is on call")
    if whom == Whom.MANAGER:
        return _("there is no manager")
    if whom == Whom.OWNER:
        return _("the client has no owner here")
    return _("nobody works on incidents")


def _rung(step: Rung) -> str:
    """`50 % of the reaction: the person on call (text message)`."""
    return _("%(share)s, %(target)s: %(whom)s (%(channel)s)") % {
        "share": mark_words(step.mark),
        "target": TargetKind(step.target).label,
        "whom": step.person.name if step.person else TOLD[step.whom],
        "channel": Channel(step.channel).label,
    }
