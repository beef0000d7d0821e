"""From results to states: what a monitor is said to be, since when, and when nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from contracts.planned import MaintenanceWindow
from incidents.models import Incident
from messaging.models import Heartbeat
from monitoring import watch
from monitoring.models import Check, Interval, Monitor, Outage, State
from monitoring.probe.specification import CheckSpec
from monitoring.state import outages, schedule
from tests import build
from tests.build import World
from tests.monitoring.played import BLOCKED, BROKEN, DOWN, EGRESS, SLOW, UP, WALL, after, monitor, play, result, spans
from tests.owner import as_owner
from wording.refusals import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return build.world()


@pytest.fixture
def home(world: World) -> Monitor:
    return monitor(world.shop)


class Sent:
    """Stands for the broker: what was asked of which place."""

    def __init__(self) -> None:
        self.questions: list[tuple[str, CheckSpec]] = []

    def __call__(self, place: str, specs: Any, patience: timedelta) -> None:
        self.questions += [(place, spec) for spec in specs]


@pytest.fixture
def sent(django_capture_on_commit_callbacks: Any) -> Any:
    def sweep(at: Any) -> list[tuple[str, CheckSpec]]:
        sent = Sent()
        with django_capture_on_commit_callbacks(execute=True):
            schedule.sweep(at=at, send=sent)
        return sent.questions

    return sweep


def test_a_good_check_makes_the_monitor_up_since_that_check(home: Monitor) -> None:
    home = play(home, (0, UP))
    assert (home.state, home.state_since, home.reason) == (State.UP, after(0), "ok")
    assert spans(home) == [("up", 0, None)]


def test_of_a_card_number_in_an_answer_four_digits_are_kept(home: Monitor) -> None:
    dumped = BROKEN | {"subject": "SQLSTATE[ 4111 1111 1111 1111", "excerpt": "<td>4111.1111.1111.1111</td>"}
    play(home, (0, dumped), (10, dumped))
    kept = [(check.evidence["subject"], check.evidence["excerpt"]) for check in Check.objects.all()]
    assert kept == [("SQLSTATE[ •••• •••• •••• 1111", "<td>••••.••••.••••.1111</td>")] * 2
    [entry] = Incident.objects.get().journal.all()
    assert "•••• 1111" in entry.facts["sentence"]["pl"]
    assert "4111" not in f"{entry.text} {entry.facts} {Outage.objects.get().evidence}"


def test_good_checks_in_a_row_are_one_interval(home: Monitor) -> None:
    play(home, (0, UP), (60, UP), (120, UP))
    assert spans(home) == [("up", 0, None)]
    assert Check.objects.count() == 3


def test_one_failure_is_not_an_outage_yet_and_is_looked_at_again_within_ten_seconds(home: Monitor) -> None:
    home = play(home, (0, UP), (60, DOWN))
    assert (home.state, home.is_suspected, Outage.objects.count()) == (State.UP, True, 0)
    assert home.next_check_at is not None
    assert after(65) <= home.next_check_at <= after(70)


def test_a_second_failure_confirms_and_the_outage_began_at_the_first(home: Monitor) -> None:
    home = play(home, (0, UP), (60, DOWN), (67, DOWN))
    outage = Outage.objects.get()
    assert (outage.started_at, outage.confirmed_at, outage.reason) == (after(60), after(67), "timeout")
    assert spans(home) == [("up", 0, 60), ("down", 60, None)]
    assert (home.state, home.state_since) == (State.DOWN, after(60))


def test_a_failure_that_the_next_check_does_not_confirm_is_a_blip_and_no_downtime(home: Monitor) -> None:
    home = play(home, (0, UP), (60, DOWN), (67, UP))
    assert (home.state, home.is_suspected) == (State.UP, False)
    assert (Outage.objects.count(), Incident.objects.count()) == (0, 0)
    assert spans(home) == [("up", 0, None)]
    assert [check.state for check in home.checks.order_by("at")] == ["up", "down", "up"]


def test_an_outage_ends_at_the_first_of_three_good_checks(home: Monitor) -> None:
    seen = ((0, UP), (60, DOWN), (67, DOWN), (120, UP), (180, UP))
    home = play(home, *seen)
    assert (home.state, Outage.objects.get().ended_at) == (State.DOWN, None)
    home = play(home, (240, UP))
    assert Outage.objects.get().ended_at == after(120)
    assert (home.state, home.state_since) == (State.UP, after(120))
    assert spans(home) == [("up", 0, 60), ("down", 60, 120), ("up", 120, None)]


def test_a_failure_among_the_good_checks_starts_their_count_anew(home: Monitor) -> None:
    play(home, (0, DOWN), (7, DOWN), (60, UP), (120, UP), (180, DOWN), (240, UP), (300, UP))
    assert Outage.objects.get().ended_at is None
    play(home, (360, UP))
    assert Outage.objects.get().ended_at == after(240)


def test_an_outage_that_begins_with_the_first_check_ever_has_its_interval_from_there(home: Monitor) -> None:
    home = play(home, (0, DOWN), (7, DOWN))
    assert spans(home) == [("down", 0, None)]


def test_down_again_at_once_is_the_same_outage_going_on(home: Monitor) -> None:
    ended = ((0, UP), (60, DOWN), (67, DOWN), (120, UP), (180, UP), (240, UP))
    home = play(home, *ended, (300, DOWN), (307, DOWN))
    outage = Outage.objects.get()
    assert (outage.started_at, outage.ended_at, outage.flapping) == (after(60), None, True)
    assert [state for state, *_ in spans(home)] == ["up", "down", "down"]
    assert home.state == State.DOWN


def test_up_and_down_in_turns_for_an_hour_is_one_outage(home: Monitor) -> None:
    turns = [(60 * n, DOWN if n % 2 else UP) for n in range(60)]
    play(home, *turns)
    outage = Outage.objects.get()
    assert (outage.started_at, outage.ended_at, outage.flapping) == (after(60), None, True)
    assert Incident.objects.count() == 1


@pytest.mark.parametrize("ours", [EGRESS, BLOCKED])
def test_a_fault_on_our_side_is_unknown_and_never_blames_the_shop(home: Monitor, ours: dict[str, Any]) -> None:
    home = play(home, (0, UP), *((60 * n, ours) for n in range(1, 20)))
    assert (home.state, Outage.objects.count(), Incident.objects.count()) == (State.UNKNOWN, 0, 0)
    assert spans(home) == [("up", 0, 60), ("unknown", 60, None)]


def test_unknown_time_within_an_outage_stays_unknown(home: Monitor) -> None:
    home = play(home, (0, UP), (60, DOWN), (67, DOWN), (120, EGRESS), (180, DOWN), (240, UP), (300, UP), (360, UP))
    assert spans(home) == [
        ("up", 0, 60), ("down", 60, 120), ("unknown", 120, 180), ("down", 180, 240), ("up", 240, None),
    ]  # fmt: skip
    assert Outage.objects.get().ended_at == after(240)


def test_slow_and_walled_are_degraded_and_no_outage(home: Monitor) -> None:
    home = play(home, (0, UP), (60, SLOW), (120, WALL), (180, WALL))
    assert (home.state, Outage.objects.count()) == (State.DEGRADED, 0)
    assert spans(home) == [("up", 0, 60), ("degraded", 60, None)]


def test_a_wall_is_a_failure_once_a_second_place_runs_into_it(home: Monitor, settings: Any) -> None:
    settings.PROBE_PLACES = ["pl", "de"]
    play(home, (0, UP), (60, WALL), place="pl")
    play(home, (120, WALL), place="de")
    assert list(home.checks.order_by("at").values_list("state", "reason")) == [
        ("up", "ok"), ("degraded", "walled"), ("down", "status"),
    ]  # fmt: skip


def test_two_failures_from_one_place_do_not_confirm_where_two_places_look(home: Monitor, settings: Any) -> None:
    settings.PROBE_PLACES = ["pl", "de"]
    play(home, (0, UP), (60, DOWN), (67, DOWN), place="pl")
    assert Outage.objects.count() == 0
    play(home, (74, DOWN), place="de")
    assert Outage.objects.count() == 1


def announce(world: World, start: int, end: int, *, announced: int = -86_400) -> None:
    MaintenanceWindow.objects.create(
        shop=world.shop, starts_at=after(start), ends_at=after(end), announced_at=after(announced), note="Aktualizacja",
        entered_by=world.agent,
    )  # fmt: skip


def test_failures_inside_announced_work_are_maintenance_and_no_outage(world: World, home: Monitor) -> None:
    announce(world, 100, 400)
    home = play(home, (0, UP), (120, DOWN), (127, DOWN), (180, DOWN), (300, UP), (420, UP))
    assert (Outage.objects.count(), Incident.objects.count()) == (0, 0)
    assert spans(home) == [("up", 0, 120), ("maintenance", 120, 300), ("up", 300, None)]


def test_a_failure_that_outlasts_the_announced_work_is_an_outage_from_its_end_on(world: World, home: Monitor) -> None:
    announce(world, 100, 400)
    home = play(home, (0, UP), (120, DOWN), (240, DOWN), (360, DOWN), (420, DOWN), (427, DOWN))
    assert Outage.objects.get().started_at == after(420)
    assert spans(home) == [("up", 0, 120), ("maintenance", 120, 420), ("down", 420, None)]


def test_work_announced_after_it_began_excuses_nothing(world: World, home: Monitor) -> None:
    announce(world, 100, 400, announced=101)
    play(home, (0, UP), (120, DOWN), (127, DOWN))
    assert Outage.objects.get().started_at == after(120)


def promise(world: World, **terms: int) -> None:
    for name, value in terms.items():
        setattr(world.version, name, value)
    with as_owner():
        world.version.save(update_fields=list(terms))


def test_work_announced_later_than_the_contract_asks_excuses_nothing(world: World, home: Monitor) -> None:
    promise(world, maintenance_notice_hours=24)
    announce(world, 100, 400, announced=101 - 86_400)
    play(home, (0, UP), (120, DOWN), (127, DOWN))
    assert Outage.objects.get().started_at == after(120)


def test_work_beyond_the_months_limit_is_an_outage_from_the_limit_on(world: World, home: Monitor) -> None:
    promise(world, maintenance_limit_minutes=60)
    announce(world, -86_400, -86_400 + 3300)
    announce(world, 100, 1000)
    # 55 of 60 minutes are taken the day before: 300 s are left
    home = play(home, (0, UP), (120, DOWN), (240, DOWN), (360, DOWN), (420, DOWN), (427, DOWN))
    assert Outage.objects.get().started_at == after(420)
    assert spans(home) == [("up", 0, 120), ("maintenance", 120, 420), ("down", 420, None)]


def test_work_of_the_month_before_takes_nothing_of_this_months_limit(world: World, home: Monitor) -> None:
    promise(world, maintenance_limit_minutes=60)
    # Sunday 1 March begins 34 hours before
    announce(world, -122_400 - 3600, -122_400)
    announce(world, 100, 1000)
    play(home, (0, UP), (120, DOWN), (240, DOWN), (360, DOWN), (420, DOWN), (427, DOWN))
    assert Outage.objects.count() == 0


def test_the_same_result_delivered_twice_counts_once(home: Monitor) -> None:
    play(home, (0, UP), (60, DOWN), (60, DOWN), (60, DOWN))
    assert (Outage.objects.count(), Check.objects.count()) == (0, 2)


def test_a_result_older_than_what_is_known_changes_nothing(home: Monitor) -> None:
    home = play(home, (0, UP), (120, UP))
    assert watch.record(home, result(home, after(60), DOWN), at=after(121)) is False
    assert Check.objects.count() == 2


def test_a_probe_whose_clock_runs_ahead_is_not_believed(home: Monitor) -> None:
    watch.record(home, result(home, after(3600), UP), at=after(10))
    home.refresh_from_db()
    assert home.checked_at == after(10)


def test_a_monitor_whose_probe_died_becomes_unknown_from_the_first_missed_check(home: Monitor) -> None:
    home = play(home, (0, UP), (60, UP))
    assert watch.sweep_missed(at=after(190)) == 0
    assert watch.sweep_missed(at=after(191)) == 1
    home.refresh_from_db()
    assert (home.state, home.reason) == (State.UNKNOWN, "missed")
    assert spans(home) == [("up", 0, 120), ("unknown", 120, None)]
    assert (watch.sweep_missed(at=after(230)), Outage.objects.count()) == (0, 0)


def test_looking_for_missed_checks_asks_the_database_as_often_for_1_monitor_as_for_50(world: World) -> None:
    counts = []
    for size in (1, 49):
        for number in range(size):
            play(monitor(world.shop, f"{size}-{number}"), (0, UP))
        with CaptureQueriesContext(connection) as queries:
            assert watch.sweep_missed(at=after(60)) == 0
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nothing_is_green_that_nobody_looks_at_even_when_no_sweep_runs(home: Monitor) -> None:
    home = play(home, (0, UP))
    assert (home.state_at(after(130)), home.state_at(after(131))) == (State.UP, State.UNKNOWN)


def test_after_a_standstill_the_time_between_is_unknown(home: Monitor) -> None:
    home = play(home, (0, UP), (3600, UP))
    assert spans(home) == [("up", 0, 60), ("unknown", 60, 3600), ("up", 3600, None)]


def test_a_failure_before_a_standstill_does_not_confirm_one_after_it(home: Monitor) -> None:
    home = play(home, (0, UP), (60, DOWN), (3600, DOWN))
    assert Outage.objects.count() == 0
    home = play(home, (3607, DOWN))
    assert Outage.objects.get().started_at == after(3600)
    assert spans(home) == [("up", 0, 120), ("unknown", 120, 3600), ("down", 3600, None)]


def test_the_end_of_a_certificate_is_kept(home: Monitor) -> None:
    ends = int(after(86_400).timestamp())
    seen: dict[str, Any] = {
        "certificate_ends_at": ends,
        "certificate_host": "mak.example",
        "certificate_intermediate": "R3",
    }
    watch.record(home, result(home, after(0), UP, **seen), at=after(0))
    home.refresh_from_db()
    assert (home.certificate_ends_at, home.certificate_host, home.certificate_intermediate) == (
        after(86_400), "mak.example", "R3",
    )  # fmt: skip


def test_evidence_is_kept_of_what_was_not_up_only(home: Monitor) -> None:
    play(home, (0, UP), (60, BROKEN))
    good, bad = home.checks.order_by("at")
    assert good.evidence == {}
    assert (bad.evidence["subject"], bad.first_byte_ms, bad.total_ms) == ("SQLSTATE[", 120, 140)


def test_one_more_address_is_watched_from_the_next_sweep_on(world: World, sent: Any) -> None:
    added = watch.add(shop=world.shop, name="Koszyk", url="https://mak.example/koszyk", by=world.manager, at=after(0))
    assert [spec.id for _, spec in sent(after(0))] == [str(added.pk)]
    assert (added.state, added.what, added.severity) == ("unknown", "closed", "P1")


def test_an_address_that_is_none_and_a_name_that_is_taken_are_refused_with_the_field(
    world: World, home: Monitor
) -> None:
    for name, url, field in (("Koszyk", "mak.example", "url"), (home.name, "https://mak.example/", "")):
        with pytest.raises(Refused) as refused:
            watch.add(shop=world.shop, name=name, url=url, by=world.manager, at=after(0))
        assert refused.value.field == field
    assert Monitor.objects.count() == 1


# The schedule


def test_every_slot_lies_at_the_same_offset_of_the_interval() -> None:
    first = schedule.next_slot(7, 60, after(0))
    assert after(0) < first <= after(60)
    assert schedule.next_slot(7, 60, first) - first == timedelta(seconds=60)


def test_slots_are_spread_evenly_over_the_interval() -> None:
    loads = [0] * 60
    for number in range(6000):
        loads[schedule.spread(number, 60)] += 1
    assert 60 < min(loads) < max(loads) < 145


def test_a_due_monitor_is_asked_once_and_moved_to_its_slot(home: Monitor, sent: Any) -> None:
    questions = sent(after(0))
    assert [(place, spec.id, spec.url) for place, spec in questions] == [("pl", str(home.pk), home.url)]
    assert sent(after(1)) == []
    home.refresh_from_db()
    assert home.next_check_at == schedule.next_slot(home.pk, 60, after(0))
    assert Heartbeat.objects.get(name="checks").at == after(1)


def test_a_check_under_way_is_not_asked_for_again_until_it_is_lost(world: World, sent: Any) -> None:
    monitor(world.shop, interval=5, timeout_ms=20_000)
    assert len(sent(after(0))) == 1
    assert sent(after(24)) == []
    assert len(sent(after(25))) == 1


def test_what_a_monitor_asks_for_goes_to_the_probe(world: World, sent: Any) -> None:
    texts: dict[str, Any] = {"required_text": "Do kasy", "forbidden_text": "Fatal"}
    monitor(world.shop, slow_ms=800, statuses=[200, 301], min_bytes=500, **texts)
    ((_, spec),) = sent(after(0))
    assert (spec.required, spec.forbidden, spec.statuses) == (("Do kasy",), ("Fatal",), (200, 301))
    assert (spec.min_bytes, spec.slow_ms, spec.networks) == (500, 800, tuple(settings.PROBE_ALLOW_NETWORKS))


def test_places_take_turns(home: Monitor, sent: Any, settings: Any) -> None:
    settings.PROBE_PLACES = ["pl", "de"]
    places = [place for minute in range(4) for place, _ in sent(after(120 * minute))]
    assert places in (["pl", "de", "pl", "de"], ["de", "pl", "de", "pl"])


def test_neither_a_stopped_monitor_nor_one_of_a_shop_that_left_is_asked(world: World, sent: Any) -> None:
    monitor(build.shop(world.client, "dawny.example", is_active=False))
    watch.stop(monitor=monitor(world.shop), by=world.manager, at=after(0))
    assert sent(after(0)) == []


def test_a_stopped_monitor_is_paused_and_takes_no_result(world: World, home: Monitor) -> None:
    home = play(home, (0, UP))
    watch.stop(monitor=home, by=world.manager, at=after(30))
    home = play(home, (60, DOWN), (67, DOWN))
    assert (home.state, spans(home)) == (State.PAUSED, [("up", 0, 30), ("paused", 30, None)])


def test_a_monitor_that_is_started_again_is_unknown_until_its_first_check(world: World, home: Monitor) -> None:
    play(home, (0, UP))
    watch.stop(monitor=home, by=world.manager, at=after(30))
    watch.start(monitor=home, by=world.manager, at=after(7200))
    home = play(home, (7260, UP))
    assert spans(home) == [("up", 0, 30), ("paused", 30, 7200), ("unknown", 7200, 7260), ("up", 7260, None)]


def test_watching_is_not_stopped_while_the_shop_is_down(world: World, home: Monitor) -> None:
    home = play(home, (0, DOWN), (7, DOWN))
    with pytest.raises(Refused):
        watch.stop(monitor=home, by=world.manager, at=after(30))
    home.refresh_from_db()
    assert home.is_active


# Batches


def test_results_that_the_database_does_not_take_together_are_taken_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitors = [monitor(world.shop, f"Strona {n}") for n in range(2)]
    for one in monitors:
        play(one, (0, UP))

    def refuse(*_: Any, **__: Any) -> None:
        raise DataError("value too long")

    monkeypatch.setattr(Monitor.objects, "bulk_update", refuse)
    assert watch.record_all([result(one, after(60), UP) for one in monitors], at=after(61)) == 2
    assert Check.objects.count() == 4


def test_a_batch_takes_every_result_in_order(world: World) -> None:
    monitors = [monitor(world.shop, f"Strona {n}") for n in range(5)]
    for second, kind in ((0, UP), (60, UP)):
        batch = [result(one, after(second), kind) for one in monitors]
        assert watch.record_all(batch, at=after(second + 1)) == 5
    assert Check.objects.count() == 10
    assert set(Monitor.objects.values_list("state", "checked_at")) == {("up", after(60))}


def test_several_results_of_one_monitor_in_a_batch_are_taken_in_time_order(home: Monitor) -> None:
    batch = [result(home, after(second), kind) for second, kind in ((67, DOWN), (0, UP), (60, DOWN))]
    assert watch.record_all(batch, at=after(70)) == 3
    assert (Outage.objects.get().started_at, home.checks.count()) == (after(60), 3)


def test_a_batch_of_quiet_results_needs_the_same_number_of_queries_for_1_and_for_50(world: World) -> None:
    counts = []
    for size in (1, 50):
        monitors = [monitor(world.shop, f"{size}-{n}") for n in range(size)]
        watch.record_all([result(one, after(0), UP) for one in monitors], at=after(1))
        with CaptureQueriesContext(connection) as queries:
            watch.record_all([result(one, after(60), UP) for one in monitors], at=after(61))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_result_that_cannot_be_taken_stops_no_other_and_leaves_a_trace(
    world: World, home: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = monitor(world.shop, "Koszyk", means_down=False)
    play(home, (0, UP), (60, DOWN))
    play(other, (0, UP), (60, DOWN))
    confirm = outages.confirm

    def refuse(monitor: Monitor, *args: Any, **kwargs: Any) -> Outage:
        if monitor.pk == home.pk:
            raise RuntimeError("no room")
        return confirm(monitor, *args, **kwargs)

    monkeypatch.setattr(outages, "confirm", refuse)
    batch = [result(one, after(67), DOWN) for one in (home, other)]
    assert watch.record_all(batch, at=after(68)) == 1
    home.refresh_from_db()
    assert (home.fault, home.state, Outage.objects.get().monitor_id) == ("RuntimeError: no room", State.UP, other.pk)
    monkeypatch.undo()
    play(home, (127, DOWN))
    assert Monitor.objects.get(pk=home.pk).fault == ""
    assert Outage.objects.filter(monitor=home).get().started_at == after(60)


def test_a_result_of_a_monitor_that_is_gone_is_dropped(home: Monitor) -> None:
    lost = replace(result(home, after(0), UP), id=str(home.pk + 1))
    strange = replace(lost, id="None")
    assert watch.record_all([lost, strange], at=after(1)) == 0
    assert (Check.objects.count(), Interval.objects.count()) == (0, 0)


def test_a_played_history_says_that_nothing_changed_between_two_results(home: Monitor) -> None:
    home = play(home, (0, UP))
    watch.extend_last_check(home, at=after(86_400))
    home = play(home, (86_460, DOWN), (86_467, DOWN))
    assert spans(home) == [("up", 0, 86_460), ("down", 86_460, None)]
