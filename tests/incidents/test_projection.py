"""From the journal to rows: due and wake times, what is counted when, breaches that learn their stop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from incidents import lifecycle, sweeps
from incidents.clock import clocks as clock
from incidents.clock.replay import Replay
from incidents.models import Breach, Incident
from incidents.projection import rows as projection
from tests import build

pytestmark = pytest.mark.django_db


def minutes(count: int, seconds: int = 0) -> datetime:
    return build.MONDAY + timedelta(minutes=count, seconds=seconds)


def clock_row(incident: Incident, target: str) -> dict[str, object]:
    names = ("state", "started_at", "deadline", "stopped_at", "left", "late", "total")
    return {name: getattr(incident.clocks.get(target=target), name) for name in names}


def ready(world: build.World, **report: str) -> Incident:
    incident = build.incident(world.shop, by=world.reporter, **report)  # type: ignore[arg-type]
    return lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(0), text="Tylko odczyt.")


def test_a_report_has_both_promises_at_once() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    assert clock_row(incident, "reaction") == {
        "state": "running", "started_at": minutes(0), "deadline": minutes(30), "stopped_at": None, "left": None,
        "late": None, "total": 1800,
    }  # fmt: skip
    assert clock_row(incident, "restore")["deadline"] == minutes(240)
    assert clock_row(incident, "final_fix")["state"] == "not_running"
    assert (incident.due_at, incident.wake_at) == (minutes(30), minutes(15))


def test_an_act_and_a_swept_row_play_the_events_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    world, played = build.world(), []
    incident = build.incident(world.shop, by=world.reporter)

    def counted(*facts: Any) -> Replay:
        played.append(facts)
        return Replay(*facts)

    monkeypatch.setattr(clock, "Replay", counted)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(10))
    assert len(played) == 1
    assert sweeps.sweep_clocks(at=minutes(120)) == 1
    assert len(played) == 2


def test_a_report_outside_office_hours_waits_for_the_opening() -> None:
    world = build.world()
    evening = build.at("2026-03-02 18:30")
    incident = build.incident(world.shop, by=world.reporter, what="some_payments", at=evening)
    row = clock_row(incident, "reaction")
    assert (row["started_at"], row["deadline"]) == (evening, build.at("2026-03-03 10:00"))
    assert incident.due_at == build.at("2026-03-03 10:00")
    assert incident.wake_at == build.at("2026-03-03 09:00")


def test_a_pause_takes_the_deadline_away_and_keeps_what_is_left() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    incident = lifecycle.pause(incident=incident, by=world.agent, at=minutes(10), reason="client_wait", text="Dobrze.")
    row = clock_row(incident, "restore")
    assert (row["state"], row["deadline"], row["left"]) == ("paused", None, 230 * 60)
    assert incident.due_at is None
    assert incident.wake_at is None


def test_a_stop_in_time_is_met_and_nothing_wakes_but_silence() -> None:
    world = build.world()
    incident = ready(world)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(5))
    incident = lifecycle.resolve(incident=incident, by=world.agent, at=minutes(10), text="Działa.")
    row = clock_row(incident, "restore")
    assert (row["state"], row["stopped_at"], row["late"]) == ("met", minutes(10), 0)
    assert (incident.due_at, incident.wake_at) == (None, build.at("2026-03-06 00:00"))


def test_a_breach_learns_its_stop_and_forgets_it_when_the_client_rejects() -> None:
    world = build.world()
    incident = ready(world)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(5))
    lifecycle.resolve(incident=incident, by=world.agent, at=minutes(300), text="Działa.")
    breach = Breach.objects.get()
    assert (breach.deadline, breach.stopped_at, breach.delay) == (minutes(240), minutes(300), 3600)
    lifecycle.reject(incident=incident, by=world.reporter, at=minutes(310), text="Nie działa.")
    breach = Breach.objects.get()
    assert (breach.deadline, breach.stopped_at, breach.delay) == (minutes(240), None, None)
    lifecycle.resolve(incident=incident, by=world.agent, at=minutes(330), text="Teraz działa.")
    breach = Breach.objects.get()
    assert (breach.stopped_at, breach.delay) == (minutes(330), 80 * 60)


def test_a_correction_finds_a_breach_with_its_own_deadline() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, what="some_payments")
    lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(60))
    lifecycle.change_severity(
        incident=incident, by=world.manager, at=minutes(90), to="P1", change="correction", text="Nikt nie płaci."
    )
    breach = Breach.objects.get()
    assert (breach.target, breach.severity, breach.deadline) == ("reaction", "P1", minutes(30))
    assert (breach.noticed_at, breach.stopped_at, breach.delay) == (minutes(90), minutes(60), 1800)


def test_a_question_that_turns_out_to_be_a_failure_starts_its_clocks_then() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter, what="question")
    assert not incident.clocks.exists()
    incident = lifecycle.change_severity(
        incident=incident, by=world.agent, at=minutes(20), to="P1", change="correction", text="To jednak awaria."
    )
    assert clock_row(incident, "reaction")["deadline"] == minutes(50)


def test_silence_has_three_working_days_for_urgent_and_five_for_the_rest() -> None:
    world = build.world()
    urgent, other = build.incident(world.shop, by=world.reporter), ready(world, what="slower")
    assert projection.silence_term(urgent, build.at("2026-03-06 12:00")) == build.at("2026-03-12 00:00")
    assert projection.silence_term(other, build.at("2026-03-06 12:00")) == build.at("2026-03-14 00:00")


def test_silence_skips_public_holidays() -> None:
    world = build.world()
    urgent = build.incident(world.shop, by=world.reporter)
    # Good Friday is a working day, Easter Monday (6 April 2026) is not
    assert projection.silence_term(urgent, build.at("2026-04-02 12:00")) == build.at("2026-04-09 00:00")
