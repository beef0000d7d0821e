"""Who leaves hands over: switched off, another role; the open incidents go along in the same act."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Browser

from accounts import people
from accounts.models import User
from incidents import handover, lifecycle
from incidents.models import Incident, JournalEntry
from messaging.models import Notification
from tests import build
from tests.pages import stop_clock, text_of, visitor
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db
AT = build.MONDAY


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> User:
    stop_clock(monkeypatch, AT)
    return build.staff("Ada Min", role="admin", on_call=False)


@pytest.fixture
def world(admin: User) -> build.World:
    """Anna has two open incidents; Jan and Halina are her colleagues, Halina is on call."""
    world = build.world()
    build.staff("Jan Nowy", on_call=False)
    build.staff("Halina Nocna")
    for _ in range(2):
        incident = build.incident(world.shop, by=world.reporter)
        lifecycle.acknowledge(incident=incident, by=world.agent, at=AT)
    build.clear_outbox()
    return world


def person(name: str) -> User:
    return User.objects.get(name=name)


def holders() -> list[str]:
    return [str(incident.assignee) for incident in Incident.objects.order_by("pk").select_related("assignee")]


def letters() -> list[tuple[str, str]]:
    return [(row.address, plain(row.subject)) for row in Notification.objects.order_by("pk")]


def last_lines() -> list[str]:
    return [entry.kind for entry in JournalEntry.objects.filter(reason="left").order_by("pk")]


def test_the_page_asks_who_gets_the_open_incidents_and_gives_them_to_a_colleague(
    world: build.World, admin: User
) -> None:
    page, path = visitor(admin), f"/settings/users/{world.agent.pk}/off/"
    shown = text_of(page.get(path))
    assert "2 otwarte zgłoszenia: MAK-0001, MAK-0002" in shown
    assert "Klienci nie mogą zapłacić" not in shown
    assert page.post(path, {"to": str(person("Jan Nowy").pk)}).status_code == 302
    world.agent.refresh_from_db()
    assert (world.agent.is_active, holders()) == (False, ["Jan Nowy", "Jan Nowy"])
    assert letters() == [("jan.nowy@korba.example", f"MAK-000{n} jest teraz u Ciebie") for n in (1, 2)]
    said = text_of(visitor(world.manager).get("/incidents/MAK-0001/"))
    assert "Przekazane: Jan Nowy (poprzedni opiekun nie prowadzi już zgłoszeń)" in said


def test_with_nobody_chosen_they_wait_for_the_people_on_duty_who_are_told(world: build.World, admin: User) -> None:
    visitor(admin).post(f"/settings/users/{world.agent.pk}/off/", {"to": "duty"})
    assert holders() == ["None", "None"]
    assert last_lines() == ["unassigned", "unassigned"]
    assert [address for address, _subject in letters()] == ["halina.nocna@korba.example"] * 2
    said = text_of(visitor(world.manager).get("/incidents/MAK-0002/"))
    assert "Poprzedni opiekun nie prowadzi już zgłoszeń: czeka na osoby na dyżurze" in said


@pytest.mark.parametrize("typed", ["", "999999", "own"])
def test_without_an_answer_nothing_changes(world: build.World, admin: User, typed: str) -> None:
    to = str(world.agent.pk) if typed == "own" else typed
    answer = visitor(admin).post(f"/settings/users/{world.agent.pk}/off/", {"to": to})
    assert answer.status_code == 422
    assert "<details open>" in answer.content.decode()
    world.agent.refresh_from_db()
    assert (world.agent.is_active, holders(), letters()) == (True, ["Anna Lis", "Anna Lis"], [])


def test_a_role_that_works_on_no_incidents_hands_them_over_and_keeps_what_was_typed(
    world: build.World, admin: User
) -> None:
    page, path = visitor(admin), f"/settings/users/{world.agent.pk}/"
    facts = {"name": "Anna Lis-Nowak", "phone": "600 100 200", "role": "admin"}
    answer = page.post(path, facts)
    assert answer.status_code == 422
    assert "Wybierz, kto przejmie otwarte zgłoszenia." in text_of(answer)
    assert 'value="Anna Lis-Nowak"' in answer.content.decode()
    assert (person("Anna Lis").provider_role, holders()) == ("agent", ["Anna Lis", "Anna Lis"])
    page.post(path, facts | {"to": str(world.manager.pk)})
    assert (person("Anna Lis-Nowak").provider_role, holders()) == ("admin", ["Marek Dyr", "Marek Dyr"])
    assert {address for address, _subject in letters()} == {"marek.dyr@korba.example"}


def test_another_role_that_works_on_incidents_keeps_them(world: build.World, admin: User) -> None:
    facts = {"name": "Anna Lis", "phone": "", "role": "manager", "to": ""}
    assert visitor(admin).post(f"/settings/users/{world.agent.pk}/", facts).status_code == 302
    assert (person("Anna Lis").provider_role, holders(), letters()) == ("manager", ["Anna Lis", "Anna Lis"], [])


def test_closed_incidents_stay_with_whoever_had_them(world: build.World, admin: User) -> None:
    closed = Incident.objects.earliest("pk")
    lifecycle.cancel(incident=closed, by=world.reporter, at=AT, text="To nasz błąd.")
    build.clear_outbox()
    handover.switch_off(person=world.agent, by=admin, at=AT, to=world.manager)
    assert (holders(), len(letters())) == (["Anna Lis", "Marek Dyr"], 1)


def test_the_lower_verbs_refuse_while_incidents_are_open(world: build.World, admin: User) -> None:
    said = "Anna Lis ma jeszcze otwarte zgłoszenia. Najpierw je przekaż."
    with pytest.raises(Refused) as refusal:
        people.switch_off(person=world.agent, by=admin, at=AT)
    assert (refusal.value.field, str(refusal.value)) == ("", said)
    with pytest.raises(Refused) as refusal:
        people.change(person=world.agent, name="Anna Lis", phone="", role="admin", by=admin, at=AT)
    assert (refusal.value.field, str(refusal.value)) == ("role", said)
    assert User.objects.filter(name="Anna Lis", is_active=True, provider_role="agent").exists()


def test_a_refusal_takes_the_handing_over_back(world: build.World, admin: User) -> None:
    """One act: the only administrator's own refusal comes after the incidents were passed on."""
    with pytest.raises(Refused):
        handover.switch_off(person=world.agent, by=world.agent, at=AT, to=world.manager)
    assert (holders(), letters(), last_lines()) == (["Anna Lis", "Anna Lis"], [], [])


def test_somebody_who_was_switched_off_earlier_still_hands_over(world: build.World, admin: User) -> None:
    """As databases of before hold them; the page offers it until nothing is left."""
    build.gone(world.agent)
    page, path = visitor(admin), f"/settings/users/{world.agent.pk}/"
    assert "Przekaż zgłoszenia" in text_of(page.get(path))
    page.post(f"{path}off/", {"to": str(world.manager.pk)})
    assert holders() == ["Marek Dyr", "Marek Dyr"]
    assert "Przekaż zgłoszenia" not in text_of(page.get(path))


def test_nobody_who_works_on_no_incidents_gets_one(world: build.World, admin: User) -> None:
    incident = Incident.objects.earliest("pk")
    stale = person("Jan Nowy")
    people.switch_off(person=stale, by=admin, at=AT)
    assert stale.is_active
    with pytest.raises(Refused):
        lifecycle.assign(incident=incident, by=world.manager, at=AT, to=stale)
    with pytest.raises(IntegrityError, match="works on no incidents"), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(assignee=admin)
    assert holders() == ["Anna Lis", "Anna Lis"]


def test_two_tabs_switch_off_once(world: build.World, admin: User) -> None:
    page, path = visitor(admin), f"/settings/users/{world.agent.pk}/off/"
    for colleague in ("Jan Nowy", "Halina Nocna"):
        assert page.post(path, {"to": str(person(colleague).pk)}).status_code == 302
    assert (holders(), len(letters())) == (["Jan Nowy", "Jan Nowy"], 2)


def test_who_has_nothing_open_is_switched_off_without_a_question(admin: User) -> None:
    anna, page = build.staff("Anna Lis"), Browser()
    page.force_login(admin)
    assert "Kto przejmie" not in text_of(page.get(f"/settings/users/{anna.pk}/off/"))
    assert page.post(f"/settings/users/{anna.pk}/off/").status_code == 302
    assert not person("Anna Lis").is_active


def journalled() -> list[str]:
    said = text_of(visitor(User.objects.get(name="Ewa Mak")).get("/incidents/MAK-0001/"))
    return [
        words for words in ("wiadomości dostaje teraz: Ewa Mak", "wiadomości dostaje teraz: Jan Mak") if words in said
    ]


def test_when_a_reader_s_rights_end_the_incident_says_who_reads_now_and_letters_go_there(
    world: build.World, admin: User
) -> None:
    """Until the last day nothing changes; then an owner gets what the reporter got."""
    page, path = visitor(admin), f"/settings/users/{world.reporter.pk}/rights/"
    facts = {"client": "MAK", "role": "reporter"}
    page.post(path, facts | {"valid_until": "2026-03-02"})
    assert JournalEntry.objects.filter(kind="reader_left").count() == 0
    page.post(path, facts | {"valid_until": "2026-03-01"})
    assert JournalEntry.objects.filter(kind="reader_left").count() == 2
    assert journalled() == ["wiadomości dostaje teraz: Ewa Mak"]
    incident = Incident.objects.earliest("pk")
    lifecycle.say(incident=incident, by=world.agent, at=AT, text="Szukamy.")
    letters_out = Notification.objects.filter(notice__audience="client", notice__entry__kind="contact").exclude(
        status="withheld"
    )
    assert [row.address for row in letters_out] == ["ewa.mak@mak.example"]
    page.post(path, facts | {"valid_until": "2026-03-01"})
    assert JournalEntry.objects.filter(kind="reader_left").count() == 2


def test_a_contact_who_is_switched_off_leaves_the_letters_to_the_others(world: build.World, admin: User) -> None:
    visitor(admin).post(f"/settings/users/{world.reporter.pk}/off/")
    assert not person("Ola Mak").is_active
    assert journalled() == ["wiadomości dostaje teraz: Ewa Mak"]
