"""Who is told: rows of the outbox, written in the transaction of the change, each in its reader's language.

A topic is one thing that one side (ours, the client's) is told: a line of the journal, or the rungs of the ladder at
one share. It has a chain of people; `incidents.notices.alarms` walks on along it where nobody was reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import ADMIN, INCIDENT_STAFF, MANAGER, OWNER, Membership, User
from contracts.models import EscalationStep, Whom
from incidents.anchors import Anchor, newest
from incidents.choices import PauseReason
from incidents.events import ASKING_CLIENT, INFORMING, Kind
from incidents.models import ClockRow, Firing, Incident, JournalEntry, Notice, UnheardAlarm
from incidents.notices.reach import PATIENCE, Audience, Bar, Level, Person, Plan, State, Way, plan
from incidents.text import letters
from messaging import outbox
from messaging.models import Channel, Delivery, Notification

RUNS_OUT = gettext_noop("The time runs out. Please look at the incident now.")
PASSED = gettext_noop("The deadline has passed and nothing has been delivered.")
ADMINISTRATORS = "admin"
CHAINS: dict[str, tuple[str, ...]] = {
    Whom.PERSON: (Whom.PERSON, Whom.ASSIGNEE, Whom.ON_CALL, Whom.MANAGER, ADMINISTRATORS),
    Whom.ASSIGNEE: (Whom.ASSIGNEE, Whom.ON_CALL, Whom.MANAGER, ADMINISTRATORS),
    Whom.ON_CALL: (Whom.ON_CALL, Whom.MANAGER, ADMINISTRATORS),
    Whom.MANAGER: (Whom.MANAGER, ADMINISTRATORS),
}


class People:
    """Our people and the client's as they are at `at`, asked once a sweep and not once a row."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._staff: list[User] | None = None
        self._members: dict[tuple[int, date], list[Membership]] = {}
        self.users: dict[int, User] = {}

    @cached_property
    def anchor(self) -> Anchor | None:
        """What every letter of the sweep carries."""
        return newest()

    def staff(self) -> list[User]:
        """Everybody of ours whose account is on, administrators too."""
        if self._staff is None:
            self._staff = list(User.objects.exclude(provider_role="").filter(is_active=True).order_by("pk"))
        return self._staff

    def members(self, incident: Incident) -> list[Membership]:
        """Whoever speaks for the client on the local day, owners first."""
        key = (incident.client_id, self.at.astimezone(ZoneInfo(incident.zone)).date())
        if key not in self._members:
            valid = Membership.objects.valid(key[1]).filter(client=incident.client_id, user__is_active=True)
            rows = valid.select_related("user").order_by("user")
            self._members[key] = sorted(rows, key=lambda row: row.role != OWNER)
        return self._members[key]

    def person(self, user: User, incident: Incident) -> Person:
        """The person as the rule reads it."""
        self.users[user.pk] = user
        speaks = not user.provider_role and any(row.user_id == user.pk for row in self.members(incident))
        return Person(
            user.pk,
            is_active=user.is_active,
            role=user.provider_role,
            speaks=speaks,
            email=user.email,
            phone=user.phone,
            notices=user.notices,
        )

    def chain(self, incident: Incident, whom: str, named: User | None = None) -> list[Level]:
        """The levels of our side from `whom` on: named person, assignee, duty, managers, administrators."""
        people = {
            Whom.PERSON.value: [named] if named else [],
            Whom.ASSIGNEE.value: [incident.assignee] if incident.assignee else [],
            Whom.ON_CALL.value: [user for user in self._incident_staff() if user.on_call],
            Whom.MANAGER.value: [user for user in self._incident_staff() if user.provider_role == MANAGER],
            ADMINISTRATORS: [user for user in self.staff() if user.provider_role == ADMIN],
        }
        names = [str(name) for name in CHAINS[whom]]
        return [self._level(incident, name, people[name], _audience(name)) for name in names]

    def owners(self, incident: Incident) -> list[Level]:
        """The client's owners, then its other people."""
        members = self.members(incident)
        own = [row.user for row in members if row.role == OWNER]
        others = [row.user for row in members if row.role != OWNER]
        return [
            self._level(incident, "owner", own, Audience.CLIENT),
            self._level(incident, "others", others, Audience.CLIENT),
        ]

    def watchers(self, incident: Incident) -> list[Level]:
        """The reporter and all who joined; where none of them can be told, all of the client's, owners first."""
        joined = [row.by for row in incident.joined.select_related("by")]
        watching = [*joined, *([incident.reporter] if incident.reporter else [])]
        return [
            self._level(incident, "reporter", watching, Audience.CLIENT),
            self._level(incident, "others", [row.user for row in self.members(incident)], Audience.CLIENT),
        ]

    def _incident_staff(self) -> list[User]:
        return [user for user in self.staff() if user.provider_role in INCIDENT_STAFF]

    def _level(self, incident: Incident, name: str, users: Iterable[User], audience: str) -> Level:
        once = {user.pk: self.person(user, incident) for user in users}
        return Level(name, audience, tuple(once.values()))


def _audience(level: str) -> str:
    return Audience.ADMIN if level == ADMINISTRATORS else Audience.STAFF


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that one side is told: about `entry`, or about `firings` of one share (never both)."""

    incident: Incident
    side: str
    entry: JournalEntry | None = None
    firings: tuple[Firing, ...] = ()

    @property
    def name(self) -> str:
        """The same at every look; rows of one topic bear it."""
        if self.entry:
            return f"entry-{self.entry.pk}-{self.side}"
        first = self.firings[0]
        parts = (first.incident_id, first.target, first.run, first.lap, first.round, _mark_of(first.step), self.side)
        return "step-" + "-".join(str(part) for part in parts)

    @property
    def needs_act(self) -> bool:
        """Whether somebody has to do something, so that it may not end unheard."""
        if self.entry is None:
            return True
        if self.side == Audience.CLIENT:
            question = self.entry.kind == Kind.PAUSED and self.entry.reason == PauseReason.CLIENT_ANSWER
            return question or self.entry.kind in ASKING_CLIENT
        return self.entry.kind not in INFORMING

    @property
    def counts_silence(self) -> bool:
        """A rung, and what staff must act on, waits a minute for the mail server; the client's letters wait longer."""
        return self.needs_act and (self.entry is None or self.side == Audience.STAFF)

    def plans(self, people: People, tried: Mapping[Way, State | Bar]) -> list[Plan]:
        """One plan for each rung (or the entry), in order; a person whom one of them tells is told once."""
        states, made = dict(tried), []
        if self.entry and self.entry.by_id:
            states |= {(self.entry.by_id, side, Channel.EMAIL.value): State.KNOWS for side in Audience.values}
        for levels, channel in self._chains(people):
            planned = plan(levels, states, channel=channel, mutable=not self.needs_act)
            states |= {(person.pk, audience, way): State.WAITS for person, audience, way, _address in planned.write}
            states |= {
                (person.pk, audience, way): State.KNOWS if bar == Bar.MUTED else bar
                for person, audience, way, bar in planned.barred
            }
            made.append(planned)
        return made

    def _chains(self, people: People) -> list[tuple[list[Level], str]]:
        if self.entry is None:
            return [(self._rung(people, firing.step), firing.step.channel) for firing in self.firings]
        if self.side == Audience.CLIENT:
            return [(people.watchers(self.incident), Channel.EMAIL)]
        whom, named = _whom(self.entry)
        return [(people.chain(self.incident, whom, named), Channel.EMAIL)]

    def _rung(self, people: People, step: EscalationStep) -> list[Level]:
        if step.whom == Whom.OWNER:
            return people.owners(self.incident)
        return people.chain(self.incident, step.whom, step.person)


def _whom(entry: JournalEntry) -> tuple[str, User | None]:
    """Where the chain of our people begins for a line of the journal."""
    if entry.kind == Kind.ESCALATION_ASKED:
        return Whom.MANAGER, None
    if entry.kind == Kind.ASSIGNED:
        return Whom.PERSON, User.objects.get(pk=entry.facts["to"])
    return Whom.ASSIGNEE, None


def _mark_of(step: EscalationStep) -> str:
    """`75`, `-30min`: in a topic's name."""
    return str(step.share) if step.share is not None else f"{step.offset_minutes}min"


def of_firings(incident: Incident, firings: Sequence[Firing]) -> list[Topic]:
    """The rungs of one share as topics: ours, and the client's."""
    clients = tuple(firing for firing in firings if firing.step.whom == Whom.OWNER)
    ours = tuple(firing for firing in firings if firing.step.whom != Whom.OWNER)
    sides = ((Audience.STAFF, ours), (Audience.CLIENT, clients))
    return [Topic(incident, side, firings=rungs) for side, rungs in sides if rungs]


def begin(
    topic: Topic, people: People, clocks: Sequence[ClockRow], *, at: datetime
) -> tuple[list[Notice], list[UnheardAlarm]]:
    """The first notices of a topic, not yet written, and the alarm where they reach nobody."""
    plans = topic.plans(people, {})
    return rows(topic, plans, people, clocks, at=at), [unheard(topic, at=at)] if is_unheard(topic, plans) else []


def is_unheard(topic: Topic, plans: Iterable[Plan]) -> bool:
    return topic.needs_act and any(planned.reaches_nobody for planned in plans)


def unheard(topic: Topic, *, at: datetime) -> UnheardAlarm:
    """Not yet written; looked at again by the next sweep, which writes the journal's line."""
    return UnheardAlarm(
        incident=topic.incident,
        topic=topic.name,
        entry=topic.entry,
        audience=topic.side,
        opened_at=at,
        look_at=at,
        firing=topic.firings[0] if topic.firings else None,
    )


def rows(
    topic: Topic, plans: Iterable[Plan], people: People, clocks: Sequence[ClockRow], *, at: datetime
) -> list[Notice]:
    """What the plans write: notices to send, and withheld ones that say why a person is not told."""
    made = []
    for planned in plans:
        for person, audience, channel, address in planned.write:
            notice = _letter(topic, people, person, audience, channel, clocks, at)
            notice.notification.address, notice.settle_at = address, at + PATIENCE
            made.append(notice)
        for person, audience, channel, bar in planned.barred:
            if bar == Bar.MUTED:  # a wish, and no failure to keep
                continue
            notice = _notice(topic, people.users[person.pk], audience, channel, at)
            notice.notification.status, notice.notification.next_attempt_at = Delivery.WITHHELD, None
            notice.bar, notice.settle_at = bar, at
            made.append(notice)
    return made


def _letter(
    topic: Topic, people: People, person: Person, audience: str, channel: str, clocks: Sequence[ClockRow], at: datetime
) -> Notice:
    user = people.users[person.pk]
    notice = _notice(topic, user, audience, channel, at)
    with translation.override(user.language):
        if audience == Audience.ADMIN:
            since = topic.entry.at if topic.entry else topic.firings[0].due_at
            letter = letters.to_administrator(topic.incident, user, since, people.staff(), at)
            template = "administrator"
        elif topic.entry:
            template = "notice"
            letter = letters.about_entry(topic.incident, topic.entry, user, template, at, clocks)
        else:
            template, step = "step", topic.firings[0].step
            sentence = _(PASSED if step.mark.is_over else RUNS_OUT)
            letter = letters.about_step(topic.incident, step, user, sentence, at, clocks)
        letters.fill(notice.notification, template, letter, people.anchor)
    return notice


def _notice(topic: Topic, user: User, audience: str, channel: str, at: datetime) -> Notice:
    role = "admin-" if audience == Audience.ADMIN else ""
    row = Notification(
        key=f"{topic.name}-{role}{user.pk}-{channel}",
        thread=thread_of(topic.incident),
        recipient=user,
        channel=channel,
        created_at=at,
        next_attempt_at=at,
    )
    return Notice(
        notification=row,
        topic=topic.name,
        incident=topic.incident,
        entry=topic.entry,
        firing=topic.firings[0] if topic.firings else None,
        audience=audience,
    )


def thread_of(incident: Incident) -> str:
    """All letters of one incident are one conversation in a mailbox."""
    return f"incident-{incident.pk}"


def tell_of_report(incident: Incident, entry: JournalEntry, *, to: User, at: datetime) -> None:
    """The author's copy of the receipt, and the report to our people, written together."""
    people, clocks = People(at), _clocks(incident)
    notices, alarms = begin(Topic(incident, Audience.STAFF, entry), people, clocks, at=at)
    store([_receipt(incident, entry, to, people.anchor, clocks, at), *notices])
    UnheardAlarm.objects.bulk_create(alarms, ignore_conflicts=True)


def _receipt(
    incident: Incident, entry: JournalEntry, to: User, anchor: Anchor | None, clocks: Sequence[ClockRow], at: datetime
) -> Notice:
    """Number, server time, promises. Sent whatever the person's notice setting is."""
    row = Notification(
        key=f"entry-{entry.pk}-receipt-{to.pk}-email",
        thread=thread_of(incident),
        recipient=to,
        channel=Channel.EMAIL,
        address=to.email,
        created_at=at,
        next_attempt_at=at,
    )
    with translation.override(to.language):
        letter = letters.about_entry(incident, entry, to, "receipt", at, clocks)
        letters.fill(row, "receipt", letter, anchor)
    audience = Audience.STAFF if to.is_provider else Audience.CLIENT
    return Notice(notification=row, incident=incident, entry=entry, audience=audience)


def tell_client(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    """The reporter and who joined; else the client's other people."""
    _tell(Topic(incident, Audience.CLIENT, entry), at)


def tell_staff(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    """The assignee; else those on call, managers, administrators."""
    _tell(Topic(incident, Audience.STAFF, entry), at)


def ask_for_verdict(incident: Incident, entry: JournalEntry | None, *, at: datetime) -> None:
    """The client wrote under a delivered repair (`entry` asks, None where it was asked before): does it work or not?"""
    if entry is not None:
        tell_client(incident, entry, at=at)


def tell_person(incident: Incident, entry: JournalEntry, *, to: User, at: datetime) -> None:
    """The person whom the entry names (`assigned`); one who has left meanwhile is followed by the chain."""
    _tell(Topic(incident, Audience.STAFF, entry), at)


def tell_managers(incident: Incident, entry: JournalEntry, *, at: datetime) -> None:
    _tell(Topic(incident, Audience.STAFF, entry), at)


def _tell(topic: Topic, at: datetime) -> None:
    notices, alarms = begin(topic, People(at), _clocks(topic.incident), at=at)
    store(notices)
    UnheardAlarm.objects.bulk_create(alarms, ignore_conflicts=True)


def _clocks(incident: Incident) -> list[ClockRow]:
    return list(incident.clocks.select_related("calendar").prefetch_related("calendar__days"))


def store(notices: Iterable[Notice]) -> None:
    """Write each with its row of the outbox, once per key; the sender looks every two seconds."""
    made = list(notices)
    if not made:
        return
    numbers = outbox.put([notice.notification for notice in made])
    for notice in made:
        row = notice.notification
        row.pk = numbers[row.key]
        notice.notification = row  # takes the row's number over
    Notice.objects.bulk_create(made, ignore_conflicts=True)
