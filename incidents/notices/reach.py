"""Who may be told of an incident, and at which address. No database: people come in as they are today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.models import ADMIN, INCIDENT_STAFF
from messaging.models import Channel

PATIENCE = timedelta(seconds=60)  # a way that says nothing for so long is unreachable for a rung


class Audience(TextChoices):
    """As what a person is written to: it decides who may read the letter."""

    STAFF = "staff", _("our people")
    ADMIN = "admin", _("administrator")
    CLIENT = "client", _("the client's people")


class Bar(TextChoices):
    """Why a person is not told, or not by this channel."""

    OFF = "off", _("account switched off")
    NO_ROLE = "no_role", _("no longer one of our people")
    NO_RIGHTS = "no_rights", _("no longer speaks for this client")
    NO_ADDRESS = "no_address", _("no address for this channel")
    MUTED = "muted", _("turned notices off")
    REFUSED = "refused", _("refused by the mail server or gateway")
    SILENT = "silent", _("no answer of the mail server or gateway for 60 seconds")


READERS: dict[str, frozenset[str]] = {Audience.STAFF: INCIDENT_STAFF, Audience.ADMIN: frozenset({ADMIN})}
PERSONAL = frozenset({Bar.OFF, Bar.NO_ROLE, Bar.NO_RIGHTS})  # of the person, whatever the channel


@dataclass(frozen=True, slots=True)
class Person:
    """A person as of today; `speaks`: has a membership of the incident's client that is valid on the local day."""

    pk: int
    is_active: bool = True
    role: str = ""
    speaks: bool = False
    email: str = ""
    phone: str = ""
    notices: bool = True


@dataclass(frozen=True, slots=True)
class Level:
    """People who are told together, by their place in the chain, and as what they are written to."""

    name: str
    audience: str
    people: tuple[Person, ...]


class State(Enum):
    """What became of a notice; a `Bar` where it did not reach its person."""

    TOLD = "told"
    WAITS = "waits"
    KNOWS = "knows"  # the author, or somebody who turned such notices off: nothing to send and nothing to mend


Way = tuple[int, str, str]
"""(person, audience, channel): one notice of a topic."""


@dataclass(slots=True)
class Plan:
    """What to write next so that somebody is told: `write` with the address, `barred` with the reason why not."""

    write: list[tuple[Person, str, str, str]] = field(default_factory=list)
    barred: list[tuple[Person, str, str, Bar]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    states: set[State] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether something is on its way to somebody."""
        return State.WAITS in self.states

    @property
    def reaches_nobody(self) -> bool:
        return not self.states


def address(person: Person, audience: str, channel: str, *, mutable: bool = False) -> str | Bar:
    """Where the person may be told now, or why not. `mutable`: a notice that the person's setting may silence."""
    if not person.is_active:
        return Bar.OFF
    if audience == Audience.CLIENT and not person.speaks:
        return Bar.NO_RIGHTS
    if audience != Audience.CLIENT and person.role not in READERS[audience]:
        return Bar.NO_ROLE
    if mutable and not person.notices:
        return Bar.MUTED
    return (person.email if channel == Channel.EMAIL else person.phone) or Bar.NO_ADDRESS


def outcome(
    status: str, bar: str, error: str, created_at: datetime, now: datetime, *, refusal: bool, silence: bool
) -> State | Bar:
    """What became of a notice by now; `refusal`, `silence`: whether a first one counts as unreachable already."""
    if status == "sent":
        return State.TOLD
    if status == "withheld":
        return State.KNOWS if bar == Bar.MUTED else Bar(bar)
    if status == "failed" or (refusal and error):
        return Bar.REFUSED
    return Bar.SILENT if silence and now - created_at >= PATIENCE else State.WAITS


def plan(levels: Sequence[Level], tried: Mapping[Way, State | Bar], *, channel: str, mutable: bool = False) -> Plan:
    """Walk the chain until a level where somebody is told or may still be; each person by the next way that is left.

    Somebody without a number gets an e-mail and stops nothing: the next level is told at once as well.
    """
    made, outcomes = Plan(), dict(tried)
    for level in levels:
        if not level.people:
            made.empty.append(level.name)
        reached = [_reach(made, outcomes, level.audience, person, channel, mutable) for person in level.people]
        if any(reached):
            break
    return made


def _reach(
    made: Plan, outcomes: dict[Way, State | Bar], audience: str, person: Person, channel: str, mutable: bool
) -> bool:
    """True where this person, by the channel that was meant or after a refusal by another one, is or may be told."""
    stands_in = False
    for way in dict.fromkeys((channel, Channel.EMAIL.value)):
        key = (person.pk, audience, way)
        if key not in outcomes:
            outcomes[key] = _open(made, audience, person, way, mutable)
        state = outcomes[key]
        if isinstance(state, State):
            made.states.add(state)
            return not stands_in
        if state in PERSONAL:
            return False
        stands_in = stands_in or state == Bar.NO_ADDRESS
    return False


def _open(made: Plan, audience: str, person: Person, channel: str, mutable: bool) -> State | Bar:
    answer = address(person, audience, channel, mutable=mutable)
    if not isinstance(answer, Bar):
        made.write.append((person, audience, channel, answer))
        return State.WAITS
    made.barred.append((person, audience, channel, answer))
    return State.KNOWS if answer == Bar.MUTED else answer
