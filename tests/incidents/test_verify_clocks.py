"""Stored clocks follow from the journal, can be emptied and rebuilt from it, and a stored lie is named."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command

from incidents import lifecycle, reporting, sweeps
from incidents.models import Breach, ClockRow, Incident, Pause
from incidents.projection import proof
from tests import build, tamper

pytestmark = pytest.mark.django_db
END = build.MONDAY + timedelta(days=2)


def minutes(count: int) -> datetime:
    return build.MONDAY + timedelta(minutes=count)


def play() -> build.World:
    """Incidents in every state that a journal can tell of, swept as time passes."""
    world = build.world(reopen="restart")
    shop, agent, reporter = world.shop, world.agent, world.reporter
    met, late, paused, rejected, worse, gone, silent = (
        build.incident(shop, by=reporter, what=what, at=minutes(number))
        for number, what in enumerate(
            ["no_payment", "closed", "some_payments", "no_orders", "some_payments", "typo", "slower"]
        )
    )
    build.incident(shop, by=reporter, what="question", at=minutes(7))
    seen = reporting.open_from_monitor(
        shop=shop, failure="unreachable:home", what="closed", severity="P1", first_failed_at=minutes(5), at=minutes(8),
        evidence={"status": 502}, words="502 Bad Gateway",
    )  # fmt: skip
    sweeps.sweep_clocks(at=minutes(9))
    for incident in (met, rejected, worse):
        lifecycle.acknowledge(incident=incident, by=agent, at=minutes(10))
        lifecycle.skip_backup(incident=incident, by=agent, at=minutes(11), text="Tylko odczyt.")
    lifecycle.pause(incident=paused, by=agent, at=minutes(12), reason="client_answer", text="Od kiedy?")
    lifecycle.pause(incident=paused, by=agent, at=minutes(13), reason="client_wait", text="Na prośbę.")
    lifecycle.answer(incident=paused, by=reporter, at=minutes(20), text="Od rana.")
    lifecycle.work_around(incident=rejected, by=agent, at=minutes(25), text="Przelew działa.")
    sweeps.sweep_clocks(at=minutes(40))
    lifecycle.reject(incident=rejected, by=reporter, at=minutes(45), text="Przelew też nie.")
    lifecycle.change_severity(incident=worse, by=agent, at=minutes(50), to="P1", change="worse", text="Nikt nie płaci.")
    lifecycle.resolve(incident=met, by=agent, at=minutes(60), text="Poprawione.")
    lifecycle.accept(incident=met, by=reporter, at=minutes(70))
    lifecycle.cancel(incident=gone, by=reporter, at=minutes(71), text="Pomyłka.")
    lifecycle.resolve(incident=silent, by=agent, at=minutes(72), text="Szybciej.")
    reporting.note_recovery(incident=seen, restored_at=minutes(80), at=minutes(81), words="200 OK")
    sweeps.sweep_clocks(at=minutes(400))
    lifecycle.acknowledge(incident=late, by=agent, at=minutes(401))
    sweeps.sweep_clocks(at=END)
    return world


def stored() -> list[tuple[object, ...]]:
    clocks = ClockRow.objects.order_by("incident", "target").values_list(
        "incident", "target", "state", "severity", "calendar", "started_at", "deadline", "stopped_at", "lap", "round",
        "run", "total", "left", "late",
    )  # fmt: skip
    pauses = Pause.objects.order_by("incident", "reason", "started_at").values_list("reason", "started_at", "ended_at")
    rows = Incident.objects.order_by("pk").values_list("status", "severity", "due_at", "wake_at", "first_contact_at")
    return [*clocks, *pauses, *rows]


def told(*numbers: str, rebuild: bool = False) -> tuple[int, list[str]]:
    out = io.StringIO()
    try:
        call_command("verify_clocks", *numbers, rebuild=rebuild, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def test_every_column_follows_from_the_journal() -> None:
    play()
    assert Breach.objects.count() >= 3
    assert [str(found) for found in proof.differences(at=END)] == []


def test_emptied_and_rebuilt_rows_are_the_same() -> None:
    play()
    before = stored()
    assert proof.rebuild(at=END) == 8
    assert stored() == before
    assert len(before) > 8 * 3


def test_a_shop_that_fails_again_has_no_repair_time_in_row_nor_journal() -> None:
    world = build.world()
    for failed, restored in ((0, 9), (20, None)):
        incident = reporting.open_from_monitor(
            shop=world.shop, failure="unreachable:home", what="closed", severity="P1", first_failed_at=minutes(failed),
            at=minutes(failed), evidence={"status": 502}, words="502",
        )  # fmt: skip
        if restored:
            reporting.note_recovery(incident=incident, restored_at=minutes(9), at=minutes(10), words="200")
    incident.refresh_from_db()
    assert incident.restored_at is None
    assert list(proof.differences(at=minutes(21))) == []


def test_rebuilding_keeps_what_is_due_due() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    proof.rebuild(at=minutes(31))
    incident.refresh_from_db()
    assert incident.wake_at == minutes(31)
    sweeps.sweep_clocks(at=minutes(31))
    assert incident.firings.count() == 2
    assert Breach.objects.get().deadline == minutes(30)


@pytest.mark.parametrize(
    ("column", "value"),
    [("state", "met"), ("deadline", build.at("2026-03-02 18:00")), ("total", 1), ("lap", 2), ("severity", "P3")],
)
def test_a_wrong_column_is_named(column: str, value: object) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    ClockRow.objects.filter(incident=incident, target="restore").update(**{column: value})
    found = list(proof.differences(at=minutes(1)))
    assert {row.fact for row in found} == {f"restore.{column} when computed", f"restore.{column} now"}
    assert {row.stored for row in found} == {value}


def test_a_state_that_time_has_overtaken_is_found_where_no_sweep_will_come() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    assert list(proof.differences(at=minutes(31))) == []
    Incident.objects.filter(pk=incident.pk).update(wake_at=None)
    found = {row.fact for row in proof.differences(at=minutes(31))}
    assert found == {"reaction.state now", "breach ('reaction', 1, 1)"}


def test_a_breach_that_nothing_shows_and_a_moved_pause_are_found() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(1), reason="client_wait", text="Na prośbę.")
    Breach.objects.create(
        incident=incident, version=world.version, target="restore", severity="P1", deadline=minutes(1),
        noticed_at=minutes(2),
    )  # fmt: skip
    Pause.objects.update(started_at=minutes(0))
    assert {row.fact for row in proof.differences(at=minutes(2))} == {
        "breach ('restore', 1, 1)", "breach restore noticed_at", "pauses",
    }  # fmt: skip


def test_the_command_says_how_many_and_ends_with_one_where_something_differs() -> None:
    world = build.world()
    build.seal_all()
    incident = build.incident(world.shop, by=world.reporter, at=minutes(0))
    code, lines = told()
    assert (code, lines[-1]) == (0, "1 incidents, 1 wait for the sweep, 0 differences")
    Incident.objects.filter(pk=incident.pk).update(severity="P2")
    code, lines = told("MAK-0001")
    assert (code, lines) == (
        1,
        [
            "MAK-0001 severity: stored P2, follows from the journal P1",
            "1 incidents, 1 wait for the sweep, 1 differences",
        ],
    )
    code, lines = told(rebuild=True)
    assert (code, lines[0]) == (0, "rebuilt 1 incidents")


def test_no_incidents_are_a_difference_where_a_client_has_numbers() -> None:
    world = build.world()
    build.seal_all()
    tamper.change(world.client, last_number=1)
    assert told() == (
        1,
        [
            "MAK-0001 incident: stored gone, follows from the client's counter numbers up to 1",
            "0 incidents, 0 wait for the sweep, 1 differences",
        ],
    )
    tamper.change(world.client, last_number=0)
    tamper.change(world.version, monthly_fee=1)
    code, lines = told()
    assert (code, lines[0]) == (1, "MAK SLA/1, 1 version: stored changed, follows from its seal as it was sealed")
