"""Handing over against somebody else at the same moment, with real commits."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db.models import QuerySet

from accounts import people
from accounts.models import User
from incidents import handover, lifecycle
from incidents.models import Incident, JournalEntry
from tests import build
from tests.incidents.test_races import at_once
from tests.owner import owner_cursor
from wording.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)
AT = build.MONDAY
RULES = (
    ("accounts_user", "nobody_leaves_open_incidents"),
    ("incidents_incident", "only_active_staff_has_incidents"),
)


@pytest.fixture
def world() -> build.World:
    """Two incidents: the first is Anna's, nobody has the second."""
    world = build.world()
    incidents = [build.incident(world.shop, by=world.reporter) for _ in range(2)]
    lifecycle.acknowledge(incident=incidents[0], by=world.agent, at=AT)
    build.staff("Ada Min", role="admin", on_call=False)
    build.staff("Ewa Adm", role="admin", on_call=False)
    build.staff("Jan Nowy", on_call=False)
    return world


@pytest.fixture
def without_rules() -> Iterator[None]:
    """No lock and no trigger holds anybody."""
    with owner_cursor() as cursor:
        for table, rule in RULES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {rule}")
    yield
    with owner_cursor() as cursor:
        for table, rule in RULES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {rule}")


def assigned_while_switched_off(world: build.World, patch: pytest.MonkeyPatch, *, until_done: bool) -> None:
    """Assigning has found Anna active, switching off has read what she has: only then do both go on.

    With `until_done` the assignment is written after the other act is committed, as no lock allows.
    """
    met, done = threading.Barrier(2, timeout=10), threading.Event()
    works_incidents, hold = lifecycle.works_incidents, people.hold

    def checked(person: User) -> bool:
        found = works_incidents(person)
        if threading.current_thread() is not threading.main_thread() and person == world.agent and not met.broken:
            met.wait()
            patch.setattr(lifecycle, "works_incidents", works_incidents)
            if until_done:
                done.wait(10)
        return found

    def held(*persons: User) -> None:
        patch.setattr(people, "hold", hold)
        met.wait()
        hold(*persons)

    patch.setattr(lifecycle, "works_incidents", checked)
    patch.setattr(people, "hold", held)
    admin, second = User.objects.get(name="Ada Min"), Incident.objects.latest("pk")

    def switch_off() -> User:
        try:
            return handover.switch_off(person=world.agent, by=admin, at=AT, to=world.manager)
        finally:
            done.set()

    results = at_once(
        lambda: lifecycle.assign(incident=second, by=world.manager, at=AT, to=world.agent),
        switch_off,
    )
    assert [type(result) for result in results] == [Incident, User]


def test_what_is_assigned_at_that_moment_is_handed_over_too(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned_while_switched_off(world, monkeypatch, until_done=False)
    assert not User.objects.get(pk=world.agent.pk).is_active
    assert set(Incident.objects.values_list("assignee__name", flat=True)) == {"Marek Dyr"}
    assert JournalEntry.objects.filter(reason="left").count() == 2


def test_without_lock_and_rule_an_incident_is_left_with_somebody_who_is_gone(
    world: build.World, monkeypatch: pytest.MonkeyPatch, without_rules: None
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    assigned_while_switched_off(world, monkeypatch, until_done=True)
    assert not User.objects.get(pk=world.agent.pk).is_active
    assert Incident.objects.latest("pk").assignee == world.agent


def test_two_administrators_switch_off_at_once_and_one_colleague_gets_all(world: build.World) -> None:
    jan = User.objects.get(name="Jan Nowy")
    admins = User.objects.filter(provider_role="admin").order_by("pk")
    acts = [
        lambda by=by, to=to: handover.switch_off(person=world.agent, by=by, at=AT, to=to)
        for by, to in zip(admins, (world.manager, jan), strict=True)
    ]
    first, second = at_once(*acts)
    assert isinstance(first, User)
    assert isinstance(second, User)
    assert Incident.objects.earliest("pk").assignee in {world.manager, jan}
    assert JournalEntry.objects.filter(reason="left").count() == 1


def test_two_who_hand_over_to_each_other_do_it_one_after_the_other(world: build.World) -> None:
    """Neither waits for the other for ever, and nothing stays with somebody who is gone."""
    lifecycle.acknowledge(incident=Incident.objects.latest("pk"), by=world.manager, at=AT)
    admins = list(User.objects.filter(provider_role="admin").order_by("pk"))
    results = at_once(
        lambda: _tried(world.agent, admins[0], world.manager), lambda: _tried(world.manager, admins[1], world.agent)
    )
    assert [type(result) for result in results].count(User) == 1
    assert not Incident.objects.filter(assignee__is_active=False).exists()


def _tried(person: User, by: User, to: User) -> object:
    try:
        return handover.switch_off(person=person, by=by, at=AT, to=to)
    except Refused as refusal:
        return refusal
