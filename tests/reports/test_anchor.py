"""The daily anchor: one hash for the whole portal, proven from the rows of today, and a path for each journal."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from contracts import agreements
from incidents import lifecycle, sweeps
from incidents.anchors import Anchor, AnchorLeaf, AnchorTree
from incidents.models import Breach, Incident
from messaging.models import Heartbeat
from monitoring import acts
from monitoring.models import Monitor, Outage
from reports.anchor import make as anchor
from reports.anchor import proof as anchor_proof
from reports.models import BreachDecision
from reports.money import review
from reports.verify import monitors as monitoring_proof
from tests import build
from tests.monitoring.played import DOWN, UP, monitor, play
from tests.owner import owner_cursor

pytestmark = pytest.mark.django_db
EVENING = build.at("2026-03-02 23:50")


def tamper(statement: str, *values: Any) -> None:
    """What the database's superuser can do past every trigger."""
    with owner_cursor(triggers=False) as cursor:
        cursor.execute(statement, values)


def days(count: int) -> datetime:
    return EVENING + timedelta(days=count)


def wrong(day: Anchor | None = None) -> list[str]:
    return [*anchor_proof.broken_chain(), *anchor_proof.differences(day or Anchor.objects.latest("day"))]


@pytest.fixture
def world() -> build.World:
    """An incident that is answered, one that is late and decided, and another client's."""
    world = build.world(second_person_above="1.00")
    build.incident(world.shop, by=world.reporter)
    build.incident(world.shop, by=world.reporter, what="some_payments", at=build.MONDAY + timedelta(minutes=1))
    other = build.world("TUR")
    build.incident(other.shop, by=other.reporter)
    sweeps.sweep_clocks(at=build.MONDAY + timedelta(hours=12))
    first = Incident.objects.get(nr="MAK-0001")
    late = build.MONDAY + timedelta(hours=12)
    lifecycle.skip_backup(incident=first, by=world.agent, at=late, text="Tylko odczyt.")
    lifecycle.resolve(incident=first, by=world.agent, at=late + timedelta(minutes=1), text="Działa.")
    breach = Breach.objects.get(incident=first, target="restore")
    review.confirm(breach=breach, by=world.manager, at=build.MONDAY + timedelta(hours=13))
    return world


def test_a_day_has_one_anchor_over_all_that_counts_and_each_names_the_one_before(world: build.World) -> None:
    first = anchor.make(at=days(0))
    assert first is not None
    assert (str(first.day), first.previous) == ("2026-03-02", "")
    assert first.counts == {"journal": 3, "version": 2, "seals": 0, "decision": 1, "monitor": 0}
    assert anchor.make(at=days(0) + timedelta(minutes=9)) is None
    assert (Anchor.objects.count(), AnchorLeaf.objects.count()) == (1, 6)
    # Three days later: nothing was made meanwhile, and only what changed gets a new leaf
    lifecycle.say(incident=Incident.objects.get(nr="MAK-0002"), by=world.agent, at=days(3), text="Pracujemy.")
    second = anchor.make(at=days(3))
    assert second is not None
    assert (str(second.day), second.previous, second.root == first.root) == ("2026-03-05", first.hash, False)
    assert list(AnchorLeaf.objects.filter(anchor=second).values_list("name", flat=True)) == ["MAK-0002"]
    assert Heartbeat.objects.get(name="anchor").at == days(3)
    assert (wrong(first), wrong(second)) == ([], [])


def test_the_local_day_counts(world: build.World) -> None:
    made = anchor.make(at=build.at("2026-03-03 00:10"))
    assert made is not None
    assert str(made.day) == "2026-03-03"


def test_what_grew_since_is_still_proven_as_it_was(world: build.World) -> None:
    first = anchor.make(at=days(0))
    second_person = build.staff("Zofia Kier", role="manager", on_call=False)
    review.second(decision=BreachDecision.objects.get(), by=second_person, at=days(1))
    lifecycle.say(incident=Incident.objects.get(nr="MAK-0002"), by=world.agent, at=days(1), text="Pracujemy.")
    build.incident(world.shop, by=world.reporter, what="typo", at=days(1))
    assert wrong(first) == []
    anchor.make(at=days(1))
    assert (wrong(first), wrong()) == ([], [])
    assert list(AnchorLeaf.objects.filter(kind="decision").values_list("stage", flat=True)) == [1, 2]


FORGERIES = {
    "a journal cut, its length and head set back": (
        "journal MAK-0001: is not as it was",
        "DELETE FROM incidents_journalentry WHERE seq > 1 AND incident_id = {first}",
        """UPDATE incidents_incident SET journal_length = 1, journal_head = (SELECT hash FROM incidents_journalentry e
        WHERE e.incident_id = {first} AND e.seq = 1) WHERE id = {first}""",
    ),
    "a journal written anew": (
        "journal MAK-0001: is not as it was",
        "UPDATE incidents_journalentry SET hash = repeat('a', 64) WHERE incident_id = {first}",
    ),
    "a whole incident removed": (
        "journal TUR-0001: is gone",
        "DELETE FROM incidents_incident WHERE nr = 'TUR-0001'",
    ),
    "a monthly fee": (
        "contract version SLA/1, 1: is not as it was",
        "UPDATE contracts_contractversion SET monthly_fee = 1 WHERE id = {version}",
    ),
    "a target": (
        "contract version SLA/1, 1: is not as it was",
        "UPDATE contracts_target SET minutes = minutes + 1 WHERE version_id = {version}",
    ),
    "a decision changed": (
        "decision MAK-0001, restore: is not as it was",
        "UPDATE reports_breachdecision SET amount_after = 0",
    ),
    "a decision deleted": ("decision MAK-0001, restore: is gone", "DELETE FROM reports_breachdecision"),
    "a leaf moved": (
        "its leaves do not add up to its root",
        "UPDATE incidents_anchorleaf SET place = 7 WHERE name = 'TUR-0001'",
    ),
    "a leaf removed": ("do not add up to its root", "DELETE FROM incidents_anchorleaf WHERE name = 'TUR-0001'"),
    "an anchor's root": ("does not follow from its root", "UPDATE incidents_anchor SET root = repeat('c', 64)"),
    "an anchor of before removed": (
        "names another one before it",
        "DELETE FROM incidents_anchorleaf WHERE anchor_id = (SELECT min(id) FROM incidents_anchor)",
        "UPDATE incidents_anchortree SET anchor_id = (SELECT max(id) FROM incidents_anchor)",
        "DELETE FROM incidents_anchor WHERE id = (SELECT min(id) FROM incidents_anchor)",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_seen_and_named(world: build.World, forgery: str) -> None:
    first = Incident.objects.get(nr="MAK-0001")
    anchor.make(at=days(0))
    lifecycle.say(incident=Incident.objects.get(nr="MAK-0002"), by=world.agent, at=days(1), text="Pracujemy.")
    anchor.make(at=days(1))
    assert wrong() == []
    sentence, *statements = FORGERIES[forgery]
    before = transaction.savepoint()
    for statement in statements:
        tamper(statement.format(first=first.pk, version=world.version.pk))
    said = wrong()
    transaction.savepoint_rollback(before)
    assert any(sentence in line for line in said), said
    assert wrong() == []


def test_the_nodes_that_are_kept_are_not_believed(world: build.World) -> None:
    """Whoever changes them spoils the next days' anchors until they are computed anew; no day before, and no row."""
    first = anchor.make(at=days(0))
    AnchorTree.objects.filter(client=world.client).update(nodes=b"\1" * 32 * 256)
    second = anchor.make(at=days(1))
    assert (wrong(first), len(wrong(second))) == ([], 1)
    for day in range(2, 2 + anchor.TURNS):
        anchor.make(at=days(day))
    assert wrong() == []


@pytest.mark.parametrize("table", ["incidents_anchor", "incidents_anchorleaf"])
def test_the_database_refuses_to_change_an_anchor_or_a_leaf(world: build.World, table: str) -> None:
    anchor.make(at=days(0))
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with owner_cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert wrong() == []


def test_an_unknown_anchor_is_refused_with_a_sentence(world: build.World) -> None:
    made = anchor.make(at=days(0))
    assert made is not None
    spaced = " ".join(made.hash[start : start + 4] for start in range(0, 32, 4)).upper()
    assert (anchor_proof.find(spaced), anchor_proof.find(made.hash)) == (made, made)
    for typed in ("f" * 64, made.hash[:31], "xyz" * 20):
        with pytest.raises(anchor_proof.UnknownAnchorError, match=r"no anchor|has no"):
            anchor_proof.find(typed)


def test_the_list_of_what_was_entered_can_t_be_cut_with_its_rows(world: build.World) -> None:
    """The list's own proof can't see that its end is missing where the row went too."""
    calendar = build.office_hours()
    for month in (6, 7):
        agreements.add_day(
            calendar=calendar, on=date(2026, month, 1), windows=[], by=world.manager, at=build.MONDAY
        )  # fmt: skip
    anchor.make(at=days(0))
    assert AnchorLeaf.objects.get(kind="seals").stage == 2
    tamper("DELETE FROM contracts_seal WHERE seq = 2")
    tamper("DELETE FROM contracts_calendarday WHERE date = '2026-07-01'")
    assert wrong() == ["list of seals contracts: is gone, says the anchor of 2026-03-02"]


@pytest.fixture
def watched(world: build.World) -> Monitor:
    """Down from the 60th to the 180th second."""
    seen = ((0, UP), (60, DOWN), (67, DOWN), (180, UP), (240, UP), (300, UP))
    return play(monitor(world.shop), *seen)


def set_back(row: Monitor) -> None:
    """The end of its last outage, with the line of the list that says so and the database's own count."""
    last, before = row.acts.order_by("-seq")[:2]
    tamper("DELETE FROM monitoring_act WHERE id = %s", last.pk)
    tamper("UPDATE monitoring_acttally SET acts = %s, head = %s", before.seq, before.hash)
    tamper("UPDATE monitoring_outage SET ended_at = NULL")
    tamper("UPDATE monitoring_monitor SET track = jsonb_set(track, '{ended_at}', 'null')")


def test_a_monitors_list_can_t_be_set_back_with_its_rows_and_its_count(watched: Monitor) -> None:
    first = anchor.make(at=days(0))
    assert first is not None
    assert (first.counts["monitor"], AnchorLeaf.objects.get(kind="monitor").stage) == (1, watched.acts.count())
    assert wrong() == []
    with transaction.atomic():
        set_back(watched)
        assert list(monitoring_proof.differences()) == []
        assert wrong() == [f"monitor {watched.pk}: is not as it was, says the anchor of 2026-03-02"]
        transaction.set_rollback(True)
    with transaction.atomic():
        for table in ("act", "acttally", "outage", "interval", "check", "monitor"):
            tamper(f"DELETE FROM monitoring_{table}")
        assert list(monitoring_proof.differences()) == []
        assert wrong() == [f"monitor {watched.pk}: is gone, says the anchor of 2026-03-02"]
        transaction.set_rollback(True)


def test_a_list_that_was_written_anew_and_grew_before_the_next_anchor_is_not_as_the_first_says(
    watched: Monitor,
) -> None:
    anchor.make(at=days(0))
    outage, previous = Outage.objects.get(), ""
    tamper("UPDATE monitoring_outage SET reason = 'dns'")
    for act in watched.acts.order_by("seq"):
        for facts in act.facts.get("outage", {}).values():
            facts["reason"] = "dns"
        act.previous = previous
        act.hash = previous = acts.link(act)
        tamper(
            "UPDATE monitoring_act SET facts = %s, previous = %s, hash = %s WHERE id = %s",
            json.dumps(act.facts), act.previous, act.hash, act.pk,
        )  # fmt: skip
    tamper("UPDATE monitoring_acttally SET head = %s", previous)
    play(watched, (360, UP), (420, DOWN), (427, DOWN))
    anchor.make(at=days(1))
    assert (list(monitoring_proof.differences()), wrong(), outage.reason) == ([], [], "timeout")
    assert list(anchor_proof.changed_between()) == [
        f"monitor {watched.pk}: is not as it was, says the anchor of 2026-03-02"
    ]
