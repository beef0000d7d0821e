"""A day off entered while a report is being counted: real commits, with the lock and without it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from contracts import agreements
from contracts.models import Calendar, ContractVersion
from incidents.models import Incident
from incidents.projection import proof
from incidents.projection import rows as projection
from tests import build
from tests.incidents.test_races import at_once, wait_until_it_waits_or_ends
from tests.pages import visitor

pytestmark = pytest.mark.django_db(transaction=True)


def race(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The report has read the calendar, the day's entry then begins; both are committed. What the proof finds."""
    world = build.world(days_off_notice=0)
    manager, office = visitor(world.manager), build.office_hours()
    counted, ended = threading.Event(), threading.Event()
    real = projection.version_terms

    def read_and_wait(version: ContractVersion) -> projection.VersionTerms:
        terms = real(version)
        if not counted.is_set():
            counted.set()
            wait_until_it_waits_or_ends(ended.is_set)
        return terms

    def report() -> Incident:
        monkeypatch.setattr(projection, "version_terms", read_and_wait)
        # The server received it some seconds after the manager's click
        return build.incident(world.shop, by=world.reporter, what="slower", at=build.MONDAY + timedelta(seconds=30))

    def enter() -> object:
        counted.wait(10)
        monkeypatch.setattr(projection, "version_terms", real)
        monkeypatch.setattr(timezone, "now", later)
        answer = manager.post(f"/settings/calendars/{office.pk}/", {"date": "2026-03-04", "windows": ""})
        ended.set()
        return answer.status_code

    def later() -> datetime:
        """The click came before the report, the entry is committed after it: the clock is read at the entry."""
        committed = Incident.objects.exists()
        return build.MONDAY + timedelta(seconds=40 if committed else 20)

    assert at_once(report, enter)[1] == 302
    assert office.days.count() == 1
    return [str(found) for found in proof.differences(at=datetime(2026, 3, 2, 12, tzinfo=UTC))]


def test_an_entry_waits_for_the_count_that_is_under_way_and_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert race(monkeypatch) == []


def test_without_the_lock_the_entry_carries_an_earlier_second_and_the_proof_finds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hold_nothing(calendar: Calendar) -> None:
        """As if nobody waited."""

    monkeypatch.setattr(agreements, "hold", hold_nothing)
    monkeypatch.setattr(projection, "HOLD", "SELECT 1 WHERE %s IS NULL")
    assert race(monkeypatch) != []
