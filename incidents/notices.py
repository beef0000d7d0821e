"""What people are told: rows of the outbox, written in the transaction of the change, each in its reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import INCIDENT_STAFF, MANAGER, User
from contracts.models import Channel, EscalationStep, Whom
from incidents.models import Incident, JournalEntry, Notification

SUBJECTS = {
    "received": gettext_noop("%(nr)s: we received your report"),
    "alarm": gettext_noop("%(nr)s: our monitor sees a failure"),
    "joined": gettext_noop("%(nr)s: your report joined this incident"),
    "contact": gettext_noop("%(nr)s: message from %(by)s"),
    "paused": gettext_noop("%(nr)s: we need your answer"),
    "workaround": gettext_noop("%(nr)s: the shop sells again, by a workaround"),
    "resolved": gettext_noop("%(nr)s: fixed, please check"),
    "severity": gettext_noop("%(nr)s: category %(severity)s"),
    "client_message": gettext_noop("%(nr)s: the client answered"),
    "rejected": gettext_noop("%(nr)s: the client says it is still broken"),
    "accepted": gettext_noop("%(nr)s: the client confirmed"),
    "cancelled": gettext_noop("%(nr)s: the client withdrew the report"),
    "assigned": gettext_noop("%(nr)s is yours now"),
    "escalation_asked": gettext_noop("%(nr)s: the client asks for a manager"),
}


def receipt(incident: Incident, entry: JournalEntry, *, to: User, at: datetime) -> None:
    """The author's copy of the receipt: number, server time, promises. Sent whatever the person's notice setting is."""
    _write([to], incident, entry, at=at, template="receipt")


def tell_client(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    _write(_watchers(incident), incident, entry, at=at)


def tell_staff(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    """The assignee; where nobody has the incident, those on duty."""
    if incident.assignee:
        people: Iterable[User] = [incident.assignee]
    else:
        people = _staff().filter(on_duty=True)
    _write(people, incident, entry, at=at)


def tell_person(incident: Incident, entry: JournalEntry, *, to: User, at: datetime) -> None:
    _write([to], incident, entry, at=at)


def tell_managers(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    _write(_staff().filter(provider_role=MANAGER), incident, entry, at=at)


def tell_step(incident: Incident, step: EscalationStep, *, key: str, at: datetime, sentence: str) -> int:
    """Send one rung of the ladder to whom it names; returns how many notices were written."""
    rows = []
    for person in _whom(incident, step):
        with translation.override(person.language):
            context = _context(incident, person, at) | {"sentence": _(sentence), "step": step}
            subject = _("%(nr)s: %(share)s %% of the %(target)s time used") % {
                "nr": incident.nr, "share": step.share, "target": step.get_target_display(),
            }  # fmt: skip
            rows.append(_row(f"{key}-{person.pk}", incident, person, step.channel, subject, "step", context, at))
    return _store(rows)


def _whom(incident: Incident, step: EscalationStep) -> list[User]:
    """The people a rung names; a rung for an assignee that nobody is yet goes to those on duty."""
    if step.whom == Whom.PERSON:
        return [step.person] if step.person else []
    if step.whom == Whom.ASSIGNEE and incident.assignee:
        return [incident.assignee]
    if step.whom == Whom.OWNER:
        members = incident.client.memberships.valid(_local_day(incident)).filter(role="owner")
        return [membership.user for membership in members.select_related("user") if membership.user.is_active]
    role = _staff().filter(provider_role=MANAGER) if step.whom == Whom.MANAGER else _staff().filter(on_duty=True)
    return list(role)


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


def _write(
    people: Iterable[User], incident: Incident, entry: JournalEntry, *, at: datetime, template: str = "notice"
) -> None:
    """One e-mail a person about one entry; nobody is told what they did themselves, but for the receipt."""
    rows = []
    for person in people:
        if not person.is_active or (person.pk == entry.by_id and template != "receipt"):
            continue
        with translation.override(person.language):
            subject = _(SUBJECTS[entry.kind]) % {
                "nr": incident.nr,
                "by": entry.by or _("the monitor"),
                "severity": incident.severity,
            }
            context = _context(incident, person, at) | {"entry": entry}
            key = f"entry-{entry.pk}-{person.pk}"
            rows.append(_row(key, incident, person, Channel.EMAIL, subject, template, context, at))
    _store(rows)


def _context(incident: Incident, person: User, at: datetime) -> dict[str, Any]:
    clocks = {row.target: row for row in incident.clocks.select_related("calendar")}
    return {
        "incident": incident,
        "person": person,
        "clocks": clocks,
        "now": at,
        "zone": incident.zone,
        "duty_phone": settings.DUTY_PHONE,
        "provider": settings.PROVIDER_NAME,
        "link": f"{settings.BASE_URL}/incidents/{incident.nr}/",
        "head": incident.journal_head,
    }


def _row(
    key: str,
    incident: Incident,
    person: User,
    channel: str,
    subject: str,
    template: str,
    context: dict[str, Any],
    at: datetime,
) -> Notification:
    """A row of the outbox. Messages to a phone carry no names and no details: only the subject and the link."""
    phone = channel != Channel.EMAIL
    text = f"{subject}. {context['link']}" if phone else render_to_string(f"incidents/mail/{template}.txt", context)
    html = "" if phone else render_to_string(f"incidents/mail/{template}.html", context)
    return Notification(
        key=f"{key}-{channel}", incident=incident, recipient=person, channel=channel, subject=subject, body=text,
        address=person.phone if phone else person.email, html=html, created_at=at, next_attempt_at=at,
    )  # fmt: skip


def _store(rows: list[Notification]) -> int:
    """Write what has an address, once per key, and wake the sender after the commit."""
    known = [row for row in rows if row.address]
    Notification.objects.bulk_create(known, ignore_conflicts=True)
    return len(known)
