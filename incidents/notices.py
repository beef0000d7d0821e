"""Who is told: rows of the outbox, written in the transaction of the change, each in its reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import INCIDENT_STAFF, MANAGER, User
from contracts.models import Channel, EscalationStep, Whom
from incidents import letters
from incidents.models import ClockRow, Incident, JournalEntry, Notification


def receipt(incident: Incident, entry: JournalEntry, *, to: User, at: datetime) -> None:
    """The author's copy of the receipt: number, server time, promises. Sent whatever the person's notice setting is."""
    _write([to], incident, entry, at=at, template="receipt")


def tell_client(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    _write(_watchers(incident), incident, entry, at=at)


def tell_staff(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    """The assignee; where nobody has the incident, those on duty."""
    people = [incident.assignee] if incident.assignee else _staff().filter(on_duty=True)
    _write(people, incident, entry, at=at)


def tell_person(incident: Incident, entry: JournalEntry, *, to: User, at: datetime) -> None:
    _write([to], incident, entry, at=at)


def tell_managers(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    _write(_staff().filter(provider_role=MANAGER), incident, entry, at=at)


def tell_step(incident: Incident, step: EscalationStep, *, key: str, at: datetime, sentence: str) -> int:
    """Send one rung of the ladder to whom it names; returns how many notices were written."""
    rows = step_rows(incident, step, key=key, at=at, sentence=sentence, people=People(), clocks=_clocks(incident))
    return store(rows)


class People:
    """Who a rung names, asked once a sweep and not once a row."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int | None], list[User]] = {}

    def of(self, incident: Incident, step: EscalationStep) -> list[User]:
        """A rung for an assignee that nobody is yet goes to those on duty."""
        if step.whom == Whom.PERSON:
            return [step.person] if step.person else []
        if step.whom == Whom.ASSIGNEE and incident.assignee:
            return [incident.assignee]
        whom = Whom.DUTY if step.whom == Whom.ASSIGNEE else step.whom
        key = (whom, incident.client_id if whom == Whom.OWNER else None)
        if key not in self._known:
            self._known[key] = _owners(incident) if whom == Whom.OWNER else _role(whom)
        return self._known[key]


def _owners(incident: Incident) -> list[User]:
    members = incident.client.memberships.valid(_local_day(incident)).filter(role="owner")
    return [membership.user for membership in members.select_related("user") if membership.user.is_active]


def _role(whom: str) -> list[User]:
    return list(_staff().filter(provider_role=MANAGER) if whom == Whom.MANAGER else _staff().filter(on_duty=True))


def step_rows(
    incident: Incident,
    step: EscalationStep,
    *,
    key: str,
    at: datetime,
    sentence: str,
    people: People,
    clocks: Sequence[ClockRow],
) -> list[Notification]:
    """The notices of one rung, not yet written; `sentence` is a source string."""
    rows = []
    for person in people.of(incident, step):
        with translation.override(person.language):
            letter = letters.about_step(incident, step, person, _(sentence), at, clocks)
            rows.append(letters.row(f"{key}-{person.pk}", person, step.channel, "step", letter, at))
    return rows


def _staff() -> QuerySet[User]:
    return User.objects.filter(provider_role__in=INCIDENT_STAFF, is_active=True)


def _watchers(incident: Incident) -> list[User]:
    """The reporter and all who joined; where a monitor opened it and nobody has, the client's people."""
    people = [joined.by for joined in incident.joined.select_related("by")]
    if incident.reporter:
        people.append(incident.reporter)
    if not people:
        members = incident.client.memberships.valid(_local_day(incident)).select_related("user")
        people = [membership.user for membership in members]
    return [person for person in {person.pk: person for person in people}.values() if person.notices]


def _local_day(incident: Incident) -> date:
    return incident.changed_at.astimezone(ZoneInfo(incident.zone)).date()


def _clocks(incident: Incident) -> list[ClockRow]:
    return list(incident.clocks.all())


def _write(
    people: Iterable[User], incident: Incident, entry: JournalEntry, *, at: datetime, template: str = "notice"
) -> None:
    """One e-mail a person about one entry; nobody is told what they did themselves, but for the receipt."""
    rows, clocks = [], _clocks(incident)
    for person in people:
        if not person.is_active or (person.pk == entry.by_id and template != "receipt"):
            continue
        with translation.override(person.language):
            letter = letters.about_entry(incident, entry, person, template, at, clocks)
            rows.append(letters.row(f"entry-{entry.pk}-{person.pk}", person, Channel.EMAIL, template, letter, at))
    store(rows)


def store(rows: Iterable[Notification]) -> int:
    """Write what has an address, once per key; the sender looks every two seconds."""
    known = [row for row in rows if row.address]
    Notification.objects.bulk_create(known, ignore_conflicts=True)
    return len(known)
