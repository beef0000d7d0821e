"""Handing over: who is switched off or loses the role leaves no open incident behind, and no client unread letters.

The acts are those of `accounts.people`; here they take the person's open incidents along, in one transaction. The
database refuses them without it (`nobody_leaves_open_incidents`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import people
from accounts.models import INCIDENT_STAFF, Client, Membership, User
from contracts.terms import to_second
from incidents import journal, lifecycle
from incidents.events import Kind
from incidents.models import Incident, JournalEntry
from incidents.notices import reach
from incidents.notices import write as notices
from incidents.notices.reach import Bar
from wording.refusals import Refused

Done = TypeVar("Done")
LEFT = "left"
TRIES = 3  # how often somebody may assign an incident to the person between the reading and the lock


class _OvertakenError(Exception):
    """Somebody assigned an incident to the person meanwhile; nothing was done."""


def open_incidents(person: User) -> QuerySet[Incident]:
    return Incident.objects.active().filter(assignee=person).order_by("pk")


def colleagues(person: User) -> QuerySet[User]:
    """Who can take over from the person."""
    staff = User.objects.filter(provider_role__in=INCIDENT_STAFF, is_active=True)
    return staff.exclude(pk=person.pk).order_by("name", "pk")


def switch_off(*, person: User, by: User, at: datetime, to: User | None = None) -> User:
    """`people.switch_off`; the open incidents go to `to`, None: to those on call. Repeated, it hands over the rest."""

    def act() -> User:
        return people.switch_off(person=person, by=by, at=at)

    if person.is_provider:
        return _leave(act, person=person, to=to, by=by, at=at)
    theirs = Incident.objects.active().filter(client__memberships__user=person)
    return _pass_letters_on(act, theirs, person=person, by=by, at=at)


def give_rights(
    *, person: User, client: Client, role: str, by: User, at: datetime, valid_until: date | None = None
) -> Membership:
    """`people.give_rights`; where they end by it, the incidents whose letters went to the person say who reads now."""

    def act() -> Membership:
        return people.give_rights(person=person, client=client, role=role, by=by, at=at, valid_until=valid_until)

    return _pass_letters_on(act, Incident.objects.active().filter(client=client), person=person, by=by, at=at)


def readers(incident: Incident, at: datetime) -> list[int]:
    """Keys of the client's people to whom a letter would go now, by the one rule of who may be told."""
    for level in notices.People(at).watchers(incident):
        keys = [
            person.pk for person in level.people if not isinstance(reach.address(person, level.audience, "email"), Bar)
        ]
        if keys:
            return keys
    return []


@transaction.atomic
def _pass_letters_on(
    act: Callable[[], Done], incidents: QuerySet[Incident], *, person: User, by: User, at: datetime
) -> Done:
    """Do the act, and journal each incident whose letters the person does not get any more."""
    rows = list(incidents.order_by("pk").select_for_update(of=("self",)))
    read = [incident for incident in rows if person.pk in readers(incident, at)]
    done = act()
    for incident in read:
        others = readers(incident, at)
        if person.pk not in others:
            facts = {"from": person.pk, "people": others}
            journal.append(incident, Kind.READER_LEFT, by=by, at=to_second(at), facts=facts)
            incident.save()
    return done


def change(
    *,
    person: User,
    name: str,
    phone: str,
    by: User,
    at: datetime,
    role: str = "",
    on_call: bool = False,
    to: User | None = None,
) -> User:
    """`people.change`; with a role that works on no incidents the open ones go to `to`, None: to those on call."""

    def act() -> User:
        return people.change(person=person, name=name, phone=phone, role=role, on_call=on_call, by=by, at=at)

    return act() if role in INCIDENT_STAFF else _leave(act, person=person, to=to, by=by, at=at)


def _leave(act: Callable[[], User], *, person: User, to: User | None, by: User, at: datetime) -> User:
    for _attempt in range(TRIES):
        try:
            return _hand_over(act, person=person, to=to, by=by, at=at)
        except _OvertakenError:
            continue
    sentence = _("%(name)s is getting incidents at this very moment. Try again.") % {"name": person.name}
    raise Refused(sentence)


@transaction.atomic
def _hand_over(act: Callable[[], User], *, person: User, to: User | None, by: User, at: datetime) -> User:
    """Incidents are locked before people, as every verb of an incident does."""
    incidents = list(open_incidents(person).select_for_update(of=("self",)))
    people.hold(person, *([to] if to else []))
    if list(open_incidents(person)) != incidents:
        raise _OvertakenError
    given_back = []
    for incident in incidents:
        if to:
            lifecycle.assign(incident=incident, by=by, at=at, to=to, reason=LEFT)
        else:
            given_back.append((incident, _give_back(incident, by=by, at=at)))
    changed = act()
    # Only now: whoever leaves may have been on call
    for incident, entry in given_back:
        notices.tell_staff(incident, entry, at=at)
    return changed


def _give_back(incident: Incident, *, by: User, at: datetime) -> JournalEntry:
    """Nobody has the locked incident any more: it is the business of those on call."""
    facts = {"from": incident.assignee_id}
    incident.assignee = None
    entry = journal.append(
        incident, Kind.UNASSIGNED, by=by, at=to_second(at), reason=LEFT, facts=facts, row=["assignee_id"]
    )
    incident.save()
    return entry
