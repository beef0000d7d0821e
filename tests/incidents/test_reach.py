"""The rule who may be told, without a database: single answers, and random people under random ladders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import Client, Membership, User
from contracts.models import EscalationStep
from incidents.models import Firing, Incident
from incidents.notices import reach
from incidents.notices import write as notices
from incidents.notices.reach import Bar, Person, State
from tests import build

ANNA = Person(1, role="agent", email="anna@korba.example", phone="+48600")
OLA = Person(2, speaks=True, email="ola@mak.example")


@pytest.mark.parametrize(
    ("person", "audience", "channel", "answer"),
    [
        (ANNA, "staff", "email", "anna@korba.example"),
        (ANNA, "staff", "voice", "+48600"),
        (ANNA, "client", "email", Bar.NO_RIGHTS),
        (ANNA, "admin", "email", Bar.NO_ROLE),
        (Person(1, role="admin", email="a@b"), "staff", "email", Bar.NO_ROLE),
        (Person(1, role="admin", email="a@b"), "admin", "email", "a@b"),
        (Person(1, is_active=False, role="agent", email="a@b"), "staff", "email", Bar.OFF),
        (Person(1, role="", email="a@b"), "staff", "email", Bar.NO_ROLE),
        (OLA, "client", "email", "ola@mak.example"),
        (OLA, "client", "sms", Bar.NO_ADDRESS),
        (OLA, "staff", "email", Bar.NO_ROLE),
    ],
)
def test_a_person_is_told_as_what_they_are_today(person: Person, audience: str, channel: str, answer: str) -> None:
    assert reach.address(person, audience, channel) == answer


def test_only_a_notice_that_may_be_silenced_is_silenced() -> None:
    quiet = Person(2, speaks=True, email="ola@mak.example", notices=False)
    assert reach.address(quiet, "client", "email") == "ola@mak.example"
    assert reach.address(quiet, "client", "email", mutable=True) == Bar.MUTED


@pytest.mark.parametrize(
    ("status", "bar", "error", "age", "state"),
    [
        ("queued", "", "", 59, State.WAITS),
        ("queued", "", "", 60, Bar.SILENT),
        ("queued", "", "550", 1, Bar.REFUSED),
        ("failed", "", "550", 1, Bar.REFUSED),
        ("sent", "", "", 600, State.TOLD),
        ("withheld", "off", "", 1, Bar.OFF),
        ("withheld", "muted", "", 1, State.KNOWS),
    ],
)
def test_told_means_taken_by_the_server(status: str, bar: str, error: str, age: int, state: object) -> None:
    now = build.MONDAY
    begun = now - timedelta(seconds=age)
    assert reach.outcome(status, bar, error, begun, now, refusal=True, silence=True) == state
    if state in {Bar.SILENT, Bar.REFUSED} and status == "queued":
        assert reach.outcome(status, bar, error, begun, now, refusal=False, silence=False) == State.WAITS


FLAGS = st.fixed_dictionaries(
    {
        "is_active": st.booleans(),
        "provider_role": st.sampled_from(["", "agent", "manager", "admin"]),
        "on_call": st.booleans(),
        "phone": st.sampled_from(["", "+48"]),
        "notices": st.booleans(),
        "member": st.sampled_from(["", "reporter", "owner"]),
        "works": st.frozensets(st.sampled_from(["email", "sms", "voice"])),
    }
)
RUNG = st.tuples(
    st.sampled_from(["assignee", "duty", "manager", "owner", "person"]), st.sampled_from(["email", "sms", "voice"])
)


class Town:
    """People of ours and of one client, an incident, and which of their ways answer."""

    def __init__(self, flags: Sequence[dict[str, object]], assignee: int) -> None:
        client = Client(pk=1, code="MAK", name="Mak")
        self.users, self.works, members = [], set(), []
        for number, facts in enumerate(flags, 1):
            own = {name: value for name, value in facts.items() if name not in {"member", "works"}}
            user = User(pk=number, email=f"{number}@x.example", name=str(number), **own)
            self.users.append(user)
            self.works |= {(number, way) for way in facts["works"]}  # type: ignore[attr-defined]
            if facts["member"] and not user.provider_role:
                members.append(Membership(user=user, client=client, role=str(facts["member"])))
        self.incident = Incident(pk=1, client=client, assignee=self.users[assignee % len(flags)])
        self.people = notices.People(build.MONDAY)
        self.people._staff = [user for user in self.users if user.provider_role and user.is_active]
        self.people._members = {(1, date(2026, 3, 2)): [row for row in members if row.user.is_active]}
        self.speaks = {row.user.pk for row in members}

    def can_be_told(self, user: User, side: str) -> bool:
        """By any way that answers, said without the rule: a phone needs a number, an e-mail nothing."""
        side_fits = user.pk in self.speaks if side == "client" else user.provider_role in {"agent", "manager", "admin"}
        return user.is_active and side_fits and (user.pk, "email") in self.works


@hypothesis_settings(max_examples=150)
@given(
    st.lists(FLAGS, min_size=1, max_size=6),
    st.integers(0, 5),
    st.lists(RUNG, min_size=1, max_size=3),
    st.integers(0, 5),
)
def test_each_rung_reaches_somebody_who_can_be_told_or_the_alarm_stands(
    flags: list[dict[str, object]], assignee: int, rungs: list[tuple[str, str]], named: int
) -> None:
    town = Town(flags, assignee)
    person = town.users[named % len(town.users)]
    steps = [
        EscalationStep(
            target="restore", share=50, whom=whom, channel=channel, person=person if whom == "person" else None
        )
        for whom, channel in rungs
    ]
    firings = [Firing(incident_id=1, step=step, target="restore", run=1, lap=1, round=1) for step in steps]
    for topic in notices.of_firings(town.incident, firings):
        ends(town, topic)


def ends(town: Town, topic: notices.Topic) -> None:
    tried: dict[reach.Way, State | Bar] = {}
    plans = topic.plans(town.people, tried)
    for _round in range(40):
        written = [(one.pk, audience, way) for made in plans for one, audience, way, _address in made.write]
        assert len(written) == len(set(written))
        assert not set(written) & set(tried)
        barred = {(one.pk, audience, way): bar for made in plans for one, audience, way, bar in made.barred}
        tried |= barred | {way: State.TOLD if (way[0], way[2]) in town.works else Bar.REFUSED for way in written}
        plans = topic.plans(town.people, tried)
        if not any(made.write for made in plans):
            break
    assert not any(made.is_open for made in plans)
    told = {town.users[pk - 1] for (pk, _audience, _way), state in tried.items() if state == State.TOLD}
    assert all(user.is_active for user in told)
    for user in told:
        assert user.pk in town.speaks if topic.side == "client" else user.provider_role
    if not notices.is_unheard(topic, plans):
        assert told
        return
    # The alarm stands only where the last of a chain cannot be told either
    last = [user for user in town.users if topic.side == "client" or user.provider_role == "admin"]
    assert not any(town.can_be_told(user, topic.side) for user in last)
