"""Days off on the whole way: entered on a page, read by the clocks that begin later, told to the clients concerned."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts import agreements
from contracts.models import Calendar, CalendarDay, ContractVersion
from contracts.target_times import Hours, TargetTerms
from contracts.terms import calendar_terms, moment_or_none, seconds
from incidents import days_off, lifecycle
from incidents.clock import clocks as clock
from incidents.models import ClockRow, Incident
from incidents.notices import sending
from incidents.projection import proof
from incidents.projection import rows as projection
from incidents.text.clock_sentences import incident_sentences
from incidents.views.why import title
from messaging.models import Notification
from tests import build
from tests.owner import as_owner
from tests.pages import stop_clock, text_of, visitor
from wording.refusals import Refused
from wording.words import plain

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
WEDNESDAY, FRIDAY = date(2026, 3, 4), date(2026, 3, 6)


@pytest.fixture
def world() -> build.World:
    """A P3 repair has 24 office hours: reported on Monday at 10:00 it is due on Thursday the 5th at 10:00."""
    return build.world(days_off_notice=0)


def due(incident: Incident) -> dict[str, datetime | None]:
    return {row.target: row.deadline for row in incident.clocks.order_by("target")}


def differences(at: datetime) -> list[str]:
    return [str(found) for found in proof.differences(at=at)]


def test_a_day_off_moves_no_deadline_that_runs(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the calendar's page to the client's page, its account, the proof, the API and the next message."""
    running = build.incident(world.shop, by=world.reporter, what="slower")
    promised, manager = due(running), visitor(world.manager)
    assert promised["restore"] == build.at("2026-03-05 10:00")
    stop_clock(monkeypatch, build.MONDAY + HOUR)
    office = build.office_hours()
    manager.post(f"/settings/calendars/{office.pk}/", {"date": "2026-03-04", "windows": ""})
    assert office.days.get().date == WEDNESDAY
    stop_clock(monkeypatch, build.MONDAY + 2 * HOUR)
    client = visitor(world.reporter)
    assert "Naprawa do czwartku 5 mar, 10:00" in text_of(client.get(f"/incidents/{running.nr}/"))
    account = text_of(client.get(f"/incidents/{running.nr}/why/restore/"))
    assert "Dlaczego naprawa do 5 marca 2026, 10:00?" in account
    assert client.get(f"/api/incidents/{running.nr}/").json()["clocks"][1]["left"] == 22 * 3600
    assert differences(build.MONDAY + 2 * HOUR) == []
    length = running.journal.count()
    lifecycle.say(incident=running, by=world.agent, at=build.MONDAY + 2 * HOUR, text="Sprawdzamy.")
    assert (due(running)["restore"], running.journal.count()) == (promised["restore"], length + 1)
    assert differences(build.MONDAY + 3 * HOUR) == []
    # What begins later is counted with the day
    stop_clock(monkeypatch, build.MONDAY + 3 * HOUR)
    later = build.incident(world.shop, by=world.reporter, what="slower", at=build.MONDAY + 3 * HOUR)
    assert due(later)["restore"] == build.at("2026-03-06 13:00")
    assert "Dlaczego naprawa do 6 marca 2026, 13:00?" in text_of(client.get(f"/incidents/{later.nr}/why/restore/"))
    # A day that is removed gives nothing back to what runs
    day = office.days.get()
    manager.post(f"/settings/calendars/{office.pk}/days/{day.pk}/remove/")
    assert due(later)["restore"] == build.at("2026-03-06 13:00")
    after = build.incident(world.shop, by=world.reporter, what="slower", at=build.MONDAY + 4 * HOUR)
    assert due(after)["restore"] == build.at("2026-03-05 14:00")
    assert differences(build.MONDAY + 5 * HOUR) == []


def test_pages_count_what_is_left_by_the_hours_of_the_clock(world: build.World) -> None:
    """Left, late, early, what a rejection gives back: each by the calendar of the clock, not of today."""
    running = build.incident(world.shop, by=world.reporter, what="slower")
    days_off.enter(calendar=build.office_hours(), on=WEDNESDAY, windows=[], by=world.manager, at=build.MONDAY + HOUR)
    wednesday = build.at("2026-03-04 10:00")
    row = running.clocks.select_related("calendar").get(target="restore")
    assert (row.calendar_at, projection.hours_of(row).is_open(seconds(wednesday))) == (build.MONDAY, True)  # type: ignore[union-attr]
    shown = {one.target: one for one in incident_sentences(running, now=wednesday, for_client=True)}
    assert (shown["restore"].style, shown["restore"].left) == ("run", 8 * 3600)
    lifecycle.resolve(incident=running, by=world.agent, at=wednesday, text="Naprawione.")
    stopped = {
        one.target: one.plain for one in incident_sentences(Incident.objects.get(), now=wednesday, for_client=True)
    }
    assert plain(stopped["restore"]) == "Naprawa dziś 10:00, w czasie, 8 h pracy przed terminem"


@pytest.mark.parametrize(
    ("notices", "first"),
    [((5,), "2026-03-10"), ((0,), "2026-03-03"), ((1,), "2026-03-04"), ((5, 10), "2026-03-17"), ((), "2026-03-03")],
)
def test_the_notice_is_the_longest_of_the_contracts(notices: tuple[int, ...], first: str) -> None:
    """The day of the entry doesn't count; a calendar that no contract uses may change tomorrow."""
    for number, notice in enumerate(notices):
        build.world(("MAK", "TUR")[number], days_off_notice=notice)
    office = build.office_hours()
    manager = build.staff("Halina Dyr", role="manager")
    last_too_near = date.fromisoformat(first) - timedelta(days=1)
    assert agreements.first_day(office, build.MONDAY) == date.fromisoformat(first)
    with pytest.raises(Refused) as refused:
        days_off.enter(calendar=office, on=last_too_near, windows=[], by=manager, at=build.MONDAY)
    assert "najbliższy możliwy dzień to" in str(refused.value)
    assert (CalendarDay.objects.count(), Notification.objects.count()) == (0, 0)
    day = days_off.enter(calendar=office, on=date.fromisoformat(first), windows=[], by=manager, at=build.MONDAY)
    # Removable the same way: the next day it is too near, unless nobody wants notice
    with pytest.raises(Refused):
        days_off.remove(day=day, by=manager, at=build.MONDAY + timedelta(days=1))
    day.refresh_from_db()
    assert day.removed_at is None


def test_public_holidays_are_no_working_days_of_the_notice() -> None:
    build.world(days_off_notice=3)
    # Good Friday is worked, Easter Monday (6 April 2026) is not
    assert agreements.first_day(build.office_hours(), build.at("2026-04-02 10:00")) == date(2026, 4, 9)


def test_a_version_that_has_ended_asks_for_no_notice(world: build.World) -> None:
    with as_owner():
        ContractVersion.objects.update(days_off_notice=30, valid_to=date(2026, 3, 2))
    assert agreements.notice_of(build.office_hours(), build.MONDAY) == 0


def test_clients_concerned_are_told_in_their_language_and_nobody_else(world: build.World) -> None:
    stranger = build.client("TUR")
    build.contact(stranger, "Ewa Tur", role="owner")
    muted = build.contact(world.client, "Jan Cichy")
    build.contact(world.client, "Ala Dawna", role="owner", valid_until=date(2026, 3, 1))
    muted.notices = world.owner.notices = False
    world.owner.language = "en"
    for person in (muted, world.owner):
        person.save()
    office = build.office_hours()
    day = days_off.enter(calendar=office, on=FRIDAY, windows=[["08:00", "12:00"]], by=world.manager, at=build.MONDAY)
    letters = {row.address: row for row in Notification.objects.all()}
    assert set(letters) == {world.reporter.email, world.owner.email}
    polish, english = letters[world.reporter.email], letters[world.owner.email]
    assert plain(polish.subject) == "6 marca 2026: inne godziny pracy"
    assert "6 marca 2026 pracujemy w godzinach 8–12 (zamiast: pon.–pt. 8–16)." in plain(polish.body)
    assert "Terminy, które już biegną, zachowują swoje godziny" in plain(polish.html)
    assert plain(english.subject) == "6 March 2026: other hours"
    assert "Marek Dyr" in english.body
    assert sending.send_due(at=build.MONDAY) == 2
    assert "None" not in english.body + english.html + polish.body + polish.html
    build.clear_outbox()
    assert days_off.remove(day=day, by=world.manager, at=build.MONDAY + HOUR) is True
    assert {plain(row.subject) for row in Notification.objects.all()} == {
        "6 marca 2026: jednak zwykłe godziny pracy", "6 March 2026: hours as usual after all",
    }  # fmt: skip
    build.clear_outbox()
    assert days_off.remove(day=day, by=world.manager, at=build.MONDAY + 2 * HOUR) is False
    day.refresh_from_db()
    assert (day.removed_at, Notification.objects.count()) == (build.MONDAY + HOUR, 0)


def test_the_page_shows_what_was_entered_and_removed_and_by_whom(
    world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, manager = build.office_hours(), visitor(world.manager)
    address = f"/settings/calendars/{office.pk}/"
    stop_clock(monkeypatch, build.MONDAY)
    manager.post(address, {"date": "2026-03-06", "windows": ""})
    day = office.days.get()
    with as_owner():
        ContractVersion.objects.update(days_off_notice=5)
    refused = text_of(manager.post(f"{address}days/{day.pk}/remove/", follow=True))
    assert "najbliższy możliwy dzień to 10 marca 2026" in refused
    assert "za blisko, żeby usunąć" in refused
    assert "Umowy wymagają wyprzedzenia o 5 dni roboczych." in refused
    with as_owner():
        ContractVersion.objects.update(days_off_notice=0)
    removed = text_of(manager.post(f"{address}days/{day.pk}/remove/", follow=True))
    assert "Usunięto dzień 6 marca 2026" in removed
    assert "6 marca 2026, dzień wolny: wpisuje Marek Dyr, dziś 10:00 ; usuwa Marek Dyr, dziś 10:00" in removed
    again = text_of(manager.post(f"{address}days/{day.pk}/remove/", follow=True))
    assert "Dzień 6 marca 2026 usunięto już wcześniej" in again
    # The day may be entered anew, and stands once
    manager.post(address, {"date": "2026-03-06", "windows": "8-12"})
    assert office.days.filter(removed_at=None).get().windows == [["08:00", "12:00"]]


def test_what_a_day_off_had_moved_before_calendars_had_a_history_stays_as_it_was_told(world: build.World) -> None:
    running = build.incident(world.shop, by=world.reporter, what="slower")
    office, counted_at = build.office_hours(), build.MONDAY + 2 * HOUR
    CalendarDay.objects.create(
        calendar=office, date=WEDNESDAY, entered_by=world.manager, entered_at=build.MONDAY + HOUR
    )
    untouched = build.incident(world.shop, by=world.reporter, what="typo", at=build.MONDAY + 3 * HOUR)
    # As the first landing counted: every day that is there, whenever it was entered
    target = world.version.targets.get(severity="P3", kind="restore")
    terms = clock.Terms("report", "continue", (("P3", (
        ("restore", TargetTerms(target.minutes * 60, Hours(calendar_terms(office)))),
        ("reaction", TargetTerms(8 * 3600, Hours(calendar_terms(office)))),
    )),))  # fmt: skip
    old = clock.clocks(terms, projection.events_for(running), seconds(counted_at))
    for name in ("restore", "reaction"):
        deadline = moment_or_none(old[name].deadline)
        ClockRow.objects.filter(incident=running, target=name).update(deadline=deadline)
    ClockRow.objects.filter(incident=running).update(computed_at=counted_at, calendar_at=None)
    Incident.objects.filter(pk=running.pk).update(due_at=moment_or_none(old["reaction"].deadline))
    assert due(running)["restore"] == build.at("2026-03-06 10:00")
    assert "RESTORE" in " ".join(differences(build.MONDAY + 4 * HOUR)).upper()
    importlib.import_module("incidents.migrations.0009_clocks_know_their_calendar").keep_calendars(apps, None)
    assert differences(build.MONDAY + 4 * HOUR) == []
    assert list(running.journal.filter(kind="calendar_kept").values_list("at", "facts")) == [
        (counted_at, {"dates": ["2026-03-04"]})
    ]
    assert not untouched.journal.filter(kind="calendar_kept").exists()
    running.refresh_from_db()
    lifecycle.say(incident=running, by=world.agent, at=build.MONDAY + 5 * HOUR, text="Sprawdzamy.")
    assert due(running)["restore"] == build.at("2026-03-06 10:00")
    assert differences(build.MONDAY + 5 * HOUR) == []
    said = text_of(visitor(world.agent).get(f"/incidents/{running.nr}/journal/"))
    assert "Terminy zachowują dni, według których je policzono: 4 marca 2026" in said


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
ACTS = ("enter", "remove", "say", "pause", "answer", "severity", "resolve", "reject", "report")
QUIET = {"enter", "remove", "say", "report"}
"""Acts after which no deadline that stood may be another."""


@settings(
    max_examples=10, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 9 * 3600), st.integers(0, 6)), min_size=4, max_size=9))
def test_no_stored_deadline_moves_without_a_line_in_the_journal(
    world: build.World, acts: list[tuple[str, int, int]]
) -> None:
    with transaction.atomic():
        _live_through(world, acts)
        transaction.set_rollback(True)


def _live_through(world: build.World, acts: list[tuple[str, int, int]]) -> None:
    office, at = build.office_hours(), build.at("2026-03-26 12:00")
    first = build.incident(world.shop, by=world.reporter, what="slower", at=at)
    for act, later, number in acts:
        at += timedelta(seconds=later)
        before = {row.pk: (row.deadline, row.incident.journal_length) for row in _rows()}
        with suppress(Refused), transaction.atomic():
            _do(act, number, world, first, office, at)
        for row in _rows():
            deadline, length = before.get(row.pk, (row.deadline, 0))
            assert row.deadline == deadline or (act not in QUIET and row.incident.journal_length > length)
        assert differences(at) == []
    _check_pages(at)


def _check_pages(at: datetime) -> None:
    """Each sentence says what the account says."""
    for incident in Incident.objects.all():
        clocks = projection.clocks_of(incident, at)
        for said in incident_sentences(incident, now=at, for_client=False):
            if said.due is not None:
                assert said.due == moment_or_none(clocks[said.target].deadline)
            if said.style in {"run", "warn", "off"}:
                assert said.left == clocks[said.target].left
                assert title(clocks[said.target], incident.zone)


def _rows() -> list[ClockRow]:
    return list(ClockRow.objects.select_related("incident"))


def _do(act: str, number: int, world: build.World, first: Incident, office: Calendar, at: datetime) -> None:
    incident = Incident.objects.get(pk=first.pk)
    staff: dict[str, Any] = {"incident": incident, "by": world.agent, "at": at, "text": "Sprawdzamy."}
    change = ("worse", "correction")[number % 2]
    day = office.days.filter(removed_at=None).last()
    ahead: dict[str, Any] = {"on": (at + timedelta(days=number)).date(), "windows": [["08:00", "11:00"]] * (number % 2)}
    verbs: dict[str, Callable[[], object]] = {
        "enter": lambda: days_off.enter(calendar=office, **ahead, by=world.manager, at=at),
        "remove": lambda: day and days_off.remove(day=day, by=world.manager, at=at),
        "say": lambda: lifecycle.say(**staff),
        "pause": lambda: lifecycle.pause(**staff, reason="client_answer"),
        "answer": lambda: lifecycle.answer(**staff | {"by": world.reporter}),
        "severity": lambda: lifecycle.change_severity(**staff, to="P2", change=change),
        "resolve": lambda: lifecycle.resolve(**staff),
        "reject": lambda: lifecycle.reject(**staff | {"by": world.reporter}),
        "report": lambda: build.incident(world.shop, by=world.reporter, what="some_payments", at=at),
    }
    verbs[act]()
