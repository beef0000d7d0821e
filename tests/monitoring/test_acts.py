"""What the monitors saw follows from their lists of acts, or the proof says what doesn't."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, models, transaction

from incidents import lifecycle
from incidents.models import Incident
from monitoring import acts, watch
from monitoring.models import Act, ActKind, ActTally, Check, Interval, Monitor, Outage, Reopening
from reports.verify import monitors as proof
from tests import build, tamper
from tests.monitoring.played import DOWN, EGRESS, UP, after, monitor, play, result
from tests.owner import owner_cursor

pytestmark = pytest.mark.django_db
# Down from the 60th to the 180th second
OUTAGE = ((0, UP), (60, DOWN), (67, DOWN), (180, UP), (240, UP), (300, UP))
# Down again before it was calm
AGAIN = ((360, UP), (420, DOWN), (427, DOWN))


@pytest.fixture
def world() -> build.World:
    return build.world()


@pytest.fixture
def home(world: build.World) -> Monitor:
    return play(monitor(world.shop), *OUTAGE)


@pytest.fixture
def again(world: build.World, home: Monitor) -> Monitor:
    """Its outage went on under a second incident; a row of every table."""
    first = Incident.objects.get()
    lifecycle.skip_backup(incident=first, by=world.agent, at=after(301), text="Tylko odczyt.")
    lifecycle.resolve(incident=first, by=world.agent, at=after(302), text="Działa.")
    lifecycle.accept(incident=first, by=world.reporter, at=after(303))
    return play(home, *AGAIN)


def seen() -> list[str]:
    return [str(difference) for difference in proof.differences()]


def unseen(change: Callable[[], object]) -> bool:
    """Whether nobody sees the change, which is undone."""
    with transaction.atomic():
        change()
        lines = seen()
        transaction.set_rollback(True)
    return not lines


def command() -> tuple[int, list[str]]:
    lines = io.StringIO()
    try:
        call_command("verify_clocks", stdout=lines)
    except SystemExit as end:
        return int(end.code or 0), lines.getvalue().splitlines()
    return 0, lines.getvalue().splitlines()


def kinds(home: Monitor) -> list[str]:
    return list(home.acts.order_by("seq").values_list("kind", flat=True))


def test_the_command_sees_that_an_interval_was_turned_from_down_to_up(home: Monitor) -> None:
    down = home.intervals.get(state="down")
    tamper.change(down, state="up")
    code, lines = command()
    line = f"monitor {home.pk} interval {down.pk} state: stored up, follows from its acts down"
    assert (code, line in lines) == (1, True)


def test_each_change_is_an_act_and_a_check_that_changes_nothing_is_none(world: build.World, again: Monitor) -> None:
    written = [
        "added", "state", "revised", "confirmed", "revised", "ended", "revised", "reopened",
    ]  # fmt: skip
    assert kinds(again) == written
    for second in range(480, 900, 60):
        watch.record_all([result(again, after(second), DOWN)], at=after(second))
    assert kinds(again) == written
    assert seen() == []
    play(again, (900, EGRESS))
    watch.sweep_missed(at=after(1200))
    assert kinds(again)[8:] == ["state"]
    for second in range(960, 2400, 60):
        play(again, (second, UP))
    assert kinds(again)[9:] == ["state", "revised", "ended"]
    watch.change(monitor=again, by=world.manager, at=after(2400), interval=300)
    watch.stop(monitor=again, by=world.manager, at=after(2401))
    watch.start(monitor=again, by=world.manager, at=after(2500))
    last = again.acts.latest("seq")
    assert kinds(again)[12:] == ["changed", "state", "stopped", "state", "started"]
    assert (last.by, last.at, last.facts["monitor"][str(again.pk)]["interval"]) == (world.manager, after(2500), 300)
    assert seen() == []


def test_a_monitor_that_is_added_has_its_first_act(world: build.World, settings: Any) -> None:
    settings.PROBE_ALLOW_NETWORKS = ["127.0.0.0/8"]
    made = watch.add(shop=world.shop, name="Koszyk", url="http://127.0.0.1/", by=world.manager, at=after(0))
    act = Act.objects.get()
    assert (act.monitor, act.seq, act.kind, act.by, act.previous) == (made, 1, ActKind.ADDED, world.manager, "")
    assert seen() == []


# Columns in which another value moves no money, each with its reason
FREE: dict[type[models.Model], dict[str, str]] = {
    Monitor: {
        **dict.fromkeys(("reason", "checked_at", "seen_from"), "the last look's alone; a state that follows is an act"),
        **dict.fromkeys(
            ("next_check_at", "busy_until", "sent_to", "asked"), "when and whom to ask next; a missed look is seen"
        ),
        **dict.fromkeys(
            ("certificate_ends_at", "certificate_host", "certificate_intermediate"), "a warning, no downtime"
        ),
        "track": "the memory of the state machine; its outage that lasts is proven by a test of its own",
        "fault": "words for staff",
    },
    Interval: {},
    Outage: {},
    Reopening: {},
    Act: {},
    ActTally: {},
}


def rows() -> list[models.Model]:
    """One row of each table that a month's availability rests on."""
    return [
        Monitor.objects.get(), Interval.objects.get(ended_at=None), Outage.objects.get(), Reopening.objects.get(),
        Act.objects.latest("seq"), ActTally.objects.get(),
    ]  # fmt: skip


def test_every_table_of_the_room_is_proven_but_for_raw_checks_and_what_says_nothing_of_shops() -> None:
    tables = {model for model in Monitor._meta.apps.get_models() if model._meta.app_label == "monitoring"}
    beside = {Check: "pruned after 90 days", "WayOut": "our own connection", "ProbePlace": "what did not count"}
    assert {model for model in tables if model not in FREE and not {model, model.__name__} & beside.keys()} == set()


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.full)])
def test_another_value_in_any_column_is_seen(again: Monitor, every: bool) -> None:
    """The daily run tries the last two columns of each table, the full run all."""
    assert seen() == []
    free, missed = set(), set()
    for row in rows():
        columns = [field for field in row._meta.concrete_fields if not isinstance(field, models.BigAutoField)]
        for field in columns if every else columns[-2:]:
            free |= {f"{type(row).__name__}.{field.name}"} if field.name in FREE[type(row)] else set()
            if unseen(partial(tamper.change_column, row, field.name)):
                missed.add(f"{type(row).__name__}.{field.name}")
    assert missed == free


def test_a_row_that_is_gone_or_was_added_is_seen(again: Monitor) -> None:
    assert [type(row).__name__ for row in rows() if unseen(partial(tamper.delete, row))] == []
    assert not unseen(
        lambda: Interval.objects.create(monitor=again, state="up", started_at=after(-60), ended_at=after(-9))
    )
    assert not unseen(
        lambda: Outage.objects.create(
            monitor=again, reason="timeout", started_at=after(-60), confirmed_at=after(-50), ended_at=after(-9)
        )
    )
    assert not unseen(lambda: Monitor.objects.create(shop=again.shop, name="Obca", url="https://mak.example/"))


def test_a_tail_cut_with_its_rows_set_back_and_a_monitor_removed_with_all_that_it_saw_are_counted(
    home: Monitor,
) -> None:
    last, before = home.acts.order_by("-seq")[:2]
    outage = Outage.objects.get()
    with transaction.atomic():
        tamper.delete(last)
        tamper.change(outage, ended_at=None)
        tamper.change(home, track={**home.track, "ended_at": None})
        (line,) = seen()
        assert line.startswith(f"monitor {home.pk} acts: stored {before.seq} {before.hash[:8]}, follows from the data")
        transaction.set_rollback(True)
    for table in ("act", "outage", "interval", "check", "monitor"):
        tamper.as_superuser(f"DELETE FROM monitoring_{table}")
    assert seen() == [f"monitor {home.pk} monitor: stored gone, follows from the database's own count {last.seq} acts"]


def test_a_monitor_that_forgot_its_outage_is_seen(again: Monitor) -> None:
    """Else no good check would ever end it."""
    tamper.change(again, track={})
    assert seen() == [
        f"monitor {again.pk} down since: stored None, follows from its outages {again.outages.get().started_at}"
    ]


def test_a_list_written_anew_in_a_shape_that_nobody_reads_stops_no_other_proof(
    world: build.World, home: Monitor
) -> None:
    other = play(monitor(world.shop, "Koszyk"), *OUTAGE)
    first, second = home.acts.order_by("seq")[:2]
    second.facts = {"interval": 5}
    tamper.change(second, facts=second.facts, hash=acts.link(second))
    tamper.change(other.intervals.get(state="down"), reason="tls")
    lines = seen()
    assert first.hash == second.previous
    assert any("facts that can be read" in line for line in lines)
    assert any(line.startswith(f"monitor {other.pk} interval") for line in lines)


def test_acts_can_be_added_to_and_not_changed(home: Monitor) -> None:
    for statement in ("UPDATE monitoring_act SET hash = ''", "DELETE FROM monitoring_act"):
        with owner_cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert seen() == []


def test_what_changes_while_it_is_read_is_read_again(home: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    load = proof._load
    turns: list[int] = []

    def loading(keys: Any) -> list[proof.Watch]:
        watches = load(keys)
        if not turns:
            play(home, *AGAIN)
        turns.append(len(watches))
        return watches

    monkeypatch.setattr(proof, "_load", loading)
    assert (seen(), turns) == ([], [1, 1])


def test_the_hash_of_an_act_is_the_same_in_every_release() -> None:
    """Computed by hand from canonical JSON; where this fails, every list that was ever written reads as changed."""
    act = Act(monitor_id=7, seq=2, kind="ended", at=after(0), by_id=None, facts={"outage": {"3": {}}}, previous="ab")
    assert acts.link(act) == "823dab6b057c582f5cdbcc01ca5e8db73d02654e5c97601ae2c821298445c402"
