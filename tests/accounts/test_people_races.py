"""Two administrators who take each other's role away at once, with real commits: one of them stays."""

from __future__ import annotations

import pytest
from django.db.models import QuerySet

from accounts import people
from accounts.models import User
from tests import build
from tests.incidents.test_races import at_once, meet_after
from wording.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)


def take_from(person: User, by: User) -> object:
    try:
        return people.change(person=person, name=person.name, phone="", role="agent", by=by, at=build.MONDAY)
    except Refused as error:
        return error


def each_other() -> list[object]:
    ada, ewa = (build.staff(name, role="admin", on_call=False) for name in ("Ada Min", "Ewa Min"))
    return at_once(lambda: take_from(ada, ewa), lambda: take_from(ewa, ada))


def administrators() -> int:
    return User.objects.filter(provider_role="admin", is_active=True).count()


def test_one_administrator_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = meet_after(monkeypatch, people, "_administrators")
    found = each_other()
    assert not meeting.took_place
    assert [type(one) for one in found].count(Refused) == 1
    assert administrators() == 1


def test_without_the_lock_nobody_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    meeting = meet_after(monkeypatch, people, "_administrators")
    assert [type(one) for one in each_other()] == [User, User]
    assert meeting.took_place
    assert administrators() == 0
