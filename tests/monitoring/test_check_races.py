"""Two workers at once, on two connections with real commits: each race is shown without its lock, then with it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import QuerySet

from incidents import reporting
from incidents.models import Incident, JournalEntry
from monitoring import watch
from monitoring.models import Check, Monitor, Outage
from monitoring.state import outages, schedule
from reports.verify import monitors as proof
from tests import build
from tests.build import World
from tests.monitoring.played import DOWN, UP, after, monitor, play, result
from tests.races import Meeting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return build.world()


@pytest.fixture
def home(world: World) -> Monitor:
    return monitor(world.shop)


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)


def meet_before(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Both threads wait for each other in front of the function; one that comes alone goes on after a while."""
    meeting, real = Meeting(), getattr(module, name)

    def met(*args: Any, **kwargs: Any) -> Any:
        meeting.reached()
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, met)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned, or the database's refusal."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except IntegrityError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def refusals(outcomes: list[Any]) -> int:
    return sum(isinstance(outcome, IntegrityError) for outcome in outcomes)


def sweep_twice(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many times two sweeps at once ask for the one check that is due."""
    asked: list[str] = []

    def send(place: str, specs: Any, patience: Any) -> None:
        asked.extend(spec.id for spec in specs)

    meet_before(monkeypatch, schedule, "next_place")
    at_once(*[lambda: schedule.sweep(at=after(0), send=send)] * 2)
    return len(asked)


def test_without_the_claim_two_sweeps_ask_for_one_check_twice(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    without_locks(monkeypatch)
    assert sweep_twice(monkeypatch) == 2


def test_two_sweeps_at_once_ask_for_one_check_once(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sweep_twice(monkeypatch) == 1


def confirm_twice(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two workers each hold a result that confirms the same failure."""
    play(home, (0, UP), (60, DOWN))
    meet_before(monkeypatch, outages, "confirm")
    return at_once(*[
        lambda second=second: watch.record(home.pk, result(home, after(second), DOWN), at=after(second))
        for second in (67, 68)
    ])  # fmt: skip


def test_without_the_lock_only_the_constraint_stops_a_second_outage(
    home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    monkeypatch.setattr(Outage.objects, "filter", lambda **_: Outage.objects.none())
    assert refusals(confirm_twice(home, monkeypatch)) == 1
    assert (Outage._base_manager.count(), Incident.objects.count()) == (1, 1)


def test_two_confirmations_of_one_outage_are_one_outage_and_one_incident(
    home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusals(confirm_twice(home, monkeypatch)) == 0
    assert (Outage.objects.count(), Incident.objects.count(), JournalEntry.objects.count()) == (1, 1, 1)


def deliver_twice(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> int:
    """The broker hands one result to two workers; returns how often it was taken."""
    play(home, (0, UP))
    meet_before(monkeypatch, watch, "_check")
    one = result(home, after(60), DOWN)
    return sum(at_once(*[lambda: watch.record(home.pk, one, at=after(61))] * 2))


def test_without_the_lock_a_result_that_comes_twice_is_taken_twice(
    home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    assert deliver_twice(home, monkeypatch) == 2


def test_a_result_that_comes_twice_is_taken_once_and_confirms_nothing(
    home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deliver_twice(home, monkeypatch) == 1
    assert (Outage.objects.count(), Check.objects.count()) == (0, 2)


def report_and_confirm(world: World, home: Monitor, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The client sends the report in the second in which the monitor confirms the failure."""
    play(home, (0, UP), (60, DOWN))
    meet_before(monkeypatch, reporting, "_create")
    return at_once(
        lambda: watch.record(home.pk, result(home, after(67), DOWN), at=after(67)),
        lambda: build.incident(world.shop, by=world.reporter, at=after(67), what="closed"),
    )


def test_without_the_locks_a_report_and_an_alarm_at_once_get_in_each_others_way(
    world: World, home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    assert refusals(report_and_confirm(world, home, monkeypatch)) == 1


def test_a_report_and_an_alarm_at_once_are_one_incident(
    world: World, home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusals(report_and_confirm(world, home, monkeypatch)) == 0
    incident = Incident.objects.get()
    assert Outage.objects.get().incident == incident
    assert incident.journal.count() == 2


def two_addresses_fail(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Home page and checkout are confirmed down in the same second, by two workers."""
    pages = [monitor(world.shop, name) for name in ("Strona główna", "Koszyk")]
    for page in pages:
        play(page, (0, UP), (60, DOWN))
    meet_before(monkeypatch, reporting, "_create")
    return at_once(*[
        lambda page=page: watch.record(page.pk, result(page, after(67), DOWN), at=after(67)) for page in pages
    ])  # fmt: skip


def test_without_the_lock_only_a_constraint_stops_a_second_incident_of_one_failure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    assert refusals(two_addresses_fail(world, monkeypatch)) == 1


def test_two_addresses_that_fail_at_once_are_one_incident(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusals(two_addresses_fail(world, monkeypatch)) == 0
    assert (Outage.objects.count(), Incident.objects.count()) == (2, 1)


def end_twice(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two workers each hold a good check that ends the same outage."""
    play(home, (0, UP), (60, DOWN), (67, DOWN), (120, UP), (180, UP))
    meet_before(monkeypatch, outages, "end")
    return at_once(*[
        lambda second=second: watch.record(home.pk, result(home, after(second), UP), at=after(second))
        for second in (240, 241)
    ])  # fmt: skip


def test_without_the_lock_only_the_numbers_stop_a_second_act_of_one_end(
    home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    assert refusals(end_twice(home, monkeypatch)) == 1


def test_two_good_checks_at_once_end_an_outage_with_one_act(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusals(end_twice(home, monkeypatch)) == 0
    kinds = ["added", "state", "revised", "confirmed", "revised", "ended"]
    assert list(home.acts.order_by("seq").values_list("kind", flat=True)) == kinds
    assert list(proof.differences()) == []
