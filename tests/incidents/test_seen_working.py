"""A failure that healed itself, seen by the monitor: asked, taken by a click, denied, back again, told to everybody."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from incidents import lifecycle, queue, recovery, reporting
from incidents.choices import Status
from incidents.models import Breach, Firing, Incident, JournalEntry
from incidents.projection import proof
from incidents.sweeps import sweep_clocks
from messaging.models import Notification
from monitoring import watch
from monitoring.models import Monitor
from monitoring.probe.specification import Result, Timings
from tests import build
from tests.incidents.test_lifecycle import kinds, minutes, refuses
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
PATH = "/incidents/MAK-0001/"
GOOD = minutes(60) + timedelta(seconds=7)


@pytest.fixture
def world() -> build.World:
    return build.world()


def failed(world: build.World, at: datetime = build.MONDAY) -> Incident:
    return reporting.open_from_monitor(
        shop=world.shop, failure="down", what="closed", severity="P1", first_failed_at=at - timedelta(minutes=1), at=at,
        evidence={}, words="Strona główna: 503",
    )  # fmt: skip


def healed(incident: Incident, first_good: datetime = GOOD) -> Incident:
    return reporting.note_recovery(
        incident=incident, restored_at=first_good, at=first_good + timedelta(minutes=2), words="Strona główna działa."
    )


def answered(world: build.World) -> Incident:
    incident = failed(world)
    incident = lifecycle.acknowledge(incident=incident, by=world.agent, at=minutes(5))
    build.clear_outbox()
    return incident


def restore(incident: Incident) -> tuple[str, datetime | None, datetime | None, datetime | None]:
    row = incident.clocks.get(target="restore")
    return row.state, row.deadline, row.seen_at, row.stopped_at


def exact(at: datetime) -> bool:
    return list(proof.differences(at=at)) == []


def test_it_stands_where_nobody_acts_and_staff_are_asked_once_a_rhythm(world: build.World) -> None:
    incident = healed(answered(world))
    assert restore(incident) == ("seen_working", None, GOOD, None)
    assert incident.due_at is None
    assert list(Notification.objects.values_list("recipient", "subject")) == [
        (world.agent.pk, "MAK-0001: monitor widzi, że działa, potwierdź")
    ]
    for hour in range(2, 8):
        sweep_clocks(at=minutes(60 * hour + 5))
    assert (Breach.objects.count(), Firing.objects.filter(target="restore").count()) == (0, 0)
    assert kinds(incident).count("recovery_asked") == 6  # the rhythm of P1 is an hour
    assert not Notification.objects.filter(recipient=world.owner).exists()
    assert [(group.key, group.count) for group in queue.look(queue.Selection(world.agent.pk), minutes(425)).groups] == [
        ("now", 1)
    ]
    assert exact(minutes(425))


def test_one_click_takes_the_first_good_check_as_the_end(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = healed(answered(world))
    later = minutes(300)
    sweep_clocks(at=later)
    stop_clock(monkeypatch, later)
    agent, reporter = visitor(world.agent), visitor(world.reporter)
    for browser, part in ((agent, PATH), (agent, "/incidents/"), (agent, "/queue/"), (reporter, PATH), (reporter, "/")):
        said = text_of(browser.get(part))
        assert (part, "Działa od dziś 11:00, widzi to nasz monitor" in said) == (part, True)
        assert (part, "Naprawa do" in said) == (part, False)
    table = b"".join(agent.get("/incidents/?format=csv")).decode()
    assert "2026-03-02 11:00:07" in table.splitlines()[1]
    why = text_of(reporter.get(f"{PATH}why/restore/"))
    assert "Stoi, zostało 2:59:53: nasz monitor widzi, że działa od 2 marca 2026, 11:00:07." in why
    assert "Monitor widzi, że działa, zegar stoi" in why
    build.clear_outbox()
    assert "Przyjmij 11:00 MAK-0001" in text_of(agent.get("/queue/"))
    assert "Przyjmij 11:00" in text_of(agent.get(PATH))
    assert agent.post(f"{PATH}take-time/", {"back": "queue"}).status_code == 302
    incident = Incident.objects.get()
    assert restore(incident) == ("met", minutes(240), None, GOOD)
    assert (incident.status, incident.ask_at) == (Status.RESOLVED, None)
    entry = JournalEntry.objects.get(kind="resolved")
    assert (entry.at, entry.recorded_at, entry.by) == (GOOD, later, world.agent)
    letters = dict(Notification.objects.filter(recipient=world.reporter).values_list("subject", "body"))
    letter = letters["MAK-0001: naprawione, sprawdź"].replace("\xa0", " ")
    assert "Anna Lis, 15:00." in letter
    assert "Nasz monitor widzi, że działa od 11:00." in letter
    assert "Naprawione 11:00, czeka na potwierdzenie, w czasie, 2 h 59 min przed terminem\n" in letter
    assert exact(later)
    lifecycle.reject(incident=incident, by=world.reporter, at=minutes(320), text="U mnie nie.")
    assert restore(incident)[1] == minutes(320) + (minutes(240) - GOOD)
    assert exact(minutes(320))


def test_a_failure_that_returns_goes_on_without_the_time_between(world: build.World) -> None:
    incident = healed(answered(world))
    failed(world, at=minutes(180))
    deadline = minutes(240) + (minutes(180) - GOOD)
    assert restore(incident) == ("running", deadline, None, None)
    sweep_clocks(at=deadline)
    assert Breach.objects.count() == 0
    sweep_clocks(at=deadline + timedelta(seconds=1))
    assert Breach.objects.get().deadline == deadline
    assert exact(deadline + timedelta(seconds=1))


def test_said_not_to_work_it_counts_as_if_it_had_never_stood(world: build.World) -> None:
    incident = healed(answered(world))
    build.clear_outbox()
    incident = recovery.deny_recovery(incident=incident, by=world.agent, at=minutes(250), text="Koszyk pusty.")
    assert restore(incident)[:3] == ("breached", minutes(240), None)
    assert Breach.objects.get().noticed_at == minutes(250)
    sweep_clocks(at=minutes(251))
    assert Firing.objects.filter(target="restore").values_list("step__share", flat=True).distinct().count() == 1
    assert exact(minutes(251))
    assert refuses(lambda: recovery.deny_recovery(incident=incident, by=world.agent, at=minutes(252)), "") == (
        "Monitor nie widzi teraz, żeby działało; zegar biegnie."
    )
    assert refuses(
        lambda: recovery.take_recovery(incident=incident, by=world.agent, at=minutes(252)), "restored_at"
    ) == ("Żadne sprawdzenie naszego monitora nie potwierdza tej godziny.")


def test_a_breach_recorded_between_the_first_and_the_third_good_check_is_corrected(world: build.World) -> None:
    incident = answered(world)
    sweep_clocks(at=minutes(241))
    assert Breach.objects.count() == 1
    healed(incident, minutes(239))
    assert Breach.objects.count() == 0
    assert kinds(incident)[-2:] == ["monitor_recovered", "breach_void"]
    assert exact(minutes(241))
    late = healed(reporting.lock(incident), minutes(239))
    recovery.deny_recovery(incident=late, by=world.agent, at=minutes(300))
    assert Breach.objects.get().deadline == minutes(240)
    assert exact(minutes(300))


def test_a_pause_begun_meanwhile_ends_with_the_click(world: build.World) -> None:
    incident = healed(answered(world))
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(90), reason="client_answer", text="Działa u Was?")
    recovery.take_recovery(incident=incident, by=world.agent, at=minutes(100))
    assert incident.pauses.get().ended_at == minutes(100)
    assert exact(minutes(100))
    proof.rebuild(at=minutes(100))
    assert exact(minutes(100))


def test_the_checks_that_healed_it_stand_in_the_journal(world: build.World) -> None:
    monitor = Monitor.objects.create(shop=world.shop, name="Strona", url="https://mak.example/", means_down=True)
    states = ["down", "down", "up", "up", "up"]
    for number, state in enumerate(states):
        at = build.MONDAY + timedelta(minutes=number)
        result = Result(
            id=str(monitor.pk), at=int(at.timestamp()), state=state, reason="status" if state == "down" else "",  # type: ignore[arg-type]
            status=503 if state == "down" else 200, timings=Timings(total=120), place="waw",
        )  # fmt: skip
        watch.record(monitor, result, at=at)
    entry = JournalEntry.objects.get(kind="monitor_recovered")
    assert (entry.at, entry.recorded_at) == (build.MONDAY + timedelta(minutes=2), build.MONDAY + timedelta(minutes=4))
    assert [(check["status"], check["total_ms"], check["place"]) for check in entry.facts["checks"]] == [
        (200, 120, "waw")
    ] * 3
    assert restore(Incident.objects.get())[0] == "seen_working"
    assert exact(build.MONDAY + timedelta(minutes=4))
