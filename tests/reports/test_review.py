"""Deciding a breach: once, with both amounts kept, a second person above the limit, two managers at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from incidents.models import Breach
from reports.models import BreachDecision
from reports.money import review
from tests import build
from tests.owner import as_owner
from tests.races import Meeting
from tests.reports.missed import DEADLINE, late_repair
from wording.refusals import Refused

LATER = DEADLINE + timedelta(days=1)
LATE = timedelta(hours=2, minutes=30)
GIVEN: dict[str, Any] = {"reason": "third_party", "evidence": "Komunikat 48213"}


def span(start: int, end: int) -> dict[str, Any]:
    """Minutes after the deadline."""
    return {"start": DEADLINE + timedelta(minutes=start), "end": DEADLINE + timedelta(minutes=end)}


def halina() -> User:
    return build.staff("Halina Nowak", role="manager", on_call=False)


@pytest.mark.django_db
def test_a_confirmation_keeps_the_amount_as_computed() -> None:
    world = build.world()
    done = review.confirm(breach=late_repair(world, LATE), by=world.manager, at=LATER)
    assert (done.verdict, done.amount_before, done.amount_after) == ("confirmed", Decimal(300), Decimal(300))
    assert (done.by, done.at, done.reason, done.second_by) == (world.manager, LATER, "", None)


@pytest.mark.django_db
def test_an_exclusion_keeps_both_amounts_its_reason_and_evidence_without_a_card_number() -> None:
    world, given = build.world(), GIVEN | {"evidence": "Komunikat 48213, karta 4111 1111 1111 1111"}
    done = review.exclude(breach=late_repair(world, LATE), by=world.manager, at=LATER, **given, **span(0, 90))
    assert (done.verdict, done.amount_before, done.amount_after) == ("excluded", Decimal(300), Decimal(100))
    assert (done.reason, done.evidence) == ("third_party", "Komunikat 48213, karta •••• •••• •••• 1111")
    assert (done.excluded_from, done.excluded_to) == (DEADLINE, DEADLINE + timedelta(minutes=90))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"reason": "bad_mood"}, "reason"),
        ({"evidence": " \u200b\u3164 "}, "evidence"),
        (span(10, 10), "end"),
        (span(20, 10), "end"),
        (span(-1, 10), "start"),
        (span(0, 151), "end"),
    ],
)
def test_an_exclusion_that_can_not_be_is_refused_at_its_field(changed: dict[str, Any], field: str) -> None:
    world = build.world()
    breach = late_repair(world, LATE)
    with pytest.raises(Refused) as refusal:
        review.exclude(breach=breach, by=world.manager, at=LATER, **GIVEN | span(0, 90) | changed)
    assert refusal.value.field == field
    assert not BreachDecision.objects.exists()


@pytest.mark.django_db
def test_the_whole_delay_may_be_excluded_to_its_last_second() -> None:
    world = build.world()
    done = review.exclude(breach=late_repair(world, LATE), by=world.manager, at=LATER, **GIVEN, **span(0, 150))
    assert done.amount_after == Decimal(0)


@pytest.mark.django_db
def test_a_clock_that_still_runs_is_not_judged() -> None:
    world = build.world()
    breach = late_repair(world, LATE, stopped=False)
    for verb, given in ((review.confirm, {}), (review.exclude, GIVEN | span(0, 10))):
        with pytest.raises(Refused, match="Zegar"):
            verb(breach=breach, by=world.manager, at=LATER, **given)
    assert not BreachDecision.objects.exists()


@pytest.mark.django_db
def test_the_same_person_again_changes_nothing_and_another_is_told_who_decided() -> None:
    world = build.world()
    breach = late_repair(world, LATE)
    first = review.confirm(breach=breach, by=world.manager, at=LATER)
    assert review.confirm(breach=breach, by=world.manager, at=LATER + timedelta(hours=1)) == first
    with pytest.raises(Refused, match=r"potwierdzone, Marek Dyr, 3.marca.2026.* Nic nie zmieniono"):
        review.exclude(breach=breach, by=world.manager, at=LATER, **GIVEN, **span(0, 90))
    with pytest.raises(Refused, match="potwierdzone, Marek Dyr"):
        review.confirm(breach=breach, by=halina(), at=LATER)
    first.refresh_from_db()
    assert (first.at, first.amount_after) == (LATER, Decimal(300))


@pytest.mark.django_db
def test_an_exclusion_sent_twice_is_one_and_another_one_is_refused() -> None:
    world = build.world()
    breach = late_repair(world, LATE)
    first = review.exclude(breach=breach, by=world.manager, at=LATER, **GIVEN, **span(0, 90))
    assert review.exclude(breach=breach, by=world.manager, at=LATER, **GIVEN, **span(0, 90)) == first
    for changed in (span(0, 150), {"reason": "force_majeure"}, {"evidence": "Inny"}):
        with pytest.raises(Refused, match="wyłączone, Marek Dyr"):
            review.exclude(breach=breach, by=world.manager, at=LATER, **GIVEN | span(0, 90) | changed)
    with pytest.raises(Refused, match="wyłączone, Marek Dyr"):
        review.confirm(breach=breach, by=world.manager, at=LATER)
    first.refresh_from_db()
    assert (BreachDecision.objects.get(), first.amount_after) == (first, Decimal(100))


@pytest.mark.django_db
@pytest.mark.parametrize(("limit", "needed"), [("299.99", True), ("300.00", False), (None, False)])
@pytest.mark.parametrize("minutes", [0, 1, 90, 150])
def test_what_was_at_stake_decides_whether_a_second_person_is_needed(
    limit: str | None, needed: bool, minutes: int
) -> None:
    """300 zł, whether nothing, one minute, a part or the whole of the delay is excluded; the month's limit is none."""
    world = build.world(second_person_above=limit and Decimal(limit), month_cap_percent=Decimal(1))
    breach = late_repair(world, LATE)
    if minutes:
        done = review.exclude(breach=breach, by=world.manager, at=LATER, **GIVEN, **span(0, minutes))
    else:
        done = review.confirm(breach=breach, by=world.manager, at=LATER)
    assert (done.awaits_second, done.amount_before) == (needed, Decimal(300))
    assert done.standing == (Decimal(300) if needed else done.amount_after)
    assert BreachDecision.objects.awaiting_second().exists() is needed
    other = halina()
    if not needed:
        with pytest.raises(Refused, match="wystarczy jedna osoba"):
            review.second(decision=done, by=other, at=LATER)
        return
    assert review.second(decision=done, by=other, at=LATER).standing == done.amount_after
    assert not BreachDecision.objects.awaiting_second().exists()


@pytest.mark.django_db
def test_for_any_delay_only_the_causes_that_the_version_names_are_excluded() -> None:
    world = build.world(liability="opoznienie", exclusion_reasons=["force_majeure"])
    breach = late_repair(world, LATE)
    with pytest.raises(Refused, match=r"każde opóźnienie; wyłączyć można tylko: siła wyższa") as refusal:
        review.exclude(breach=breach, by=world.manager, at=LATER, **GIVEN, **span(0, 90))
    assert (refusal.value.field, BreachDecision.objects.exists()) == ("reason", False)
    given = GIVEN | {"reason": "force_majeure"}
    assert review.exclude(breach=breach, by=world.manager, at=LATER, **given, **span(0, 90)).amount_after == Decimal(
        100
    )


@pytest.mark.django_db
def test_the_second_person_is_another_and_agrees_once() -> None:
    world = build.world(second_person_above=Decimal(100))
    done = review.confirm(breach=late_repair(world, LATE), by=world.manager, at=LATER)
    with pytest.raises(Refused):
        review.second(decision=done, by=world.manager, at=LATER)
    other, third = halina(), build.staff("Ida Trzecia", role="manager", on_call=False)
    assert review.second(decision=done, by=other, at=LATER).second_by == other
    assert review.second(decision=done, by=third, at=LATER + timedelta(hours=1)).second_at == LATER
    done.refresh_from_db()
    assert (done.second_by, done.second_at) == (other, LATER)


@pytest.mark.django_db
def test_the_database_refuses_what_the_verbs_would() -> None:
    world = build.world()
    breach = late_repair(world, LATE)
    done = review.confirm(breach=breach, by=world.manager, at=LATER)
    decided = BreachDecision.objects.filter(pk=done.pk)
    again = {"breach": breach, "verdict": "confirmed", "amount_before": 1, "amount_after": 1, "at": LATER}
    refused("one_decision_per_breach", lambda: BreachDecision.objects.create(by=world.manager, **again))
    with as_owner():
        refused("an_exclusion_has_a_reason_and_evidence", lambda: decided.update(verdict="excluded"))
    with as_owner():
        refused("the_second_person_is_another", lambda: decided.update(second_by=world.manager))


def refused(constraint: str, write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        write()


# Two managers at once, on two connections with real commits


def meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both managers have seen that nothing is decided before either decides; one who comes alone goes on."""
    meeting, real = Meeting(), review._decide

    def met(*args: Any, **kwargs: Any) -> BreachDecision:
        meeting.reached()
        return real(*args, **kwargs)

    monkeypatch.setattr(review, "_decide", met)


def race(breach: Breach, *managers: User) -> list[str]:
    def decide(manager: User) -> str:
        try:
            return str(review.confirm(breach=breach, by=manager, at=LATER).verdict)
        except (Refused, IntegrityError) as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(decide, managers))


@pytest.mark.django_db(transaction=True)
def test_of_two_managers_at_once_one_decides_and_the_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    breach, other = late_repair(world, LATE), halina()
    meet(monkeypatch)
    assert race(breach, world.manager, other) == ["Refused", "confirmed"]
    assert BreachDecision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_on_two_connections_is_one_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    breach = late_repair(world, LATE)
    meet(monkeypatch)
    assert race(breach, world.manager, world.manager) == ["confirmed", "confirmed"]
    assert BreachDecision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_confirmation_and_an_exclusion_at_once_one_stands_and_the_other_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two tabs of one manager: whichever comes second is told, and nothing of it is stored."""
    world = build.world()
    breach = late_repair(world, LATE)
    meet(monkeypatch)

    def act(verb: Callable[..., BreachDecision], given: dict[str, Any]) -> str:
        try:
            return str(verb(breach=breach, by=world.manager, at=LATER, **given).verdict)
        except (Refused, IntegrityError) as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(act, (review.confirm, review.exclude), ({}, GIVEN | span(0, 90))))
    decided = BreachDecision.objects.get()
    assert sorted(answers) == sorted(["Refused", decided.verdict])
    assert decided.amount_after == (Decimal(300) if decided.verdict == "confirmed" else Decimal(100))


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_only_the_constraint_is_left_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    breach, other = late_repair(world, LATE), halina()
    meet(monkeypatch)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    assert race(breach, world.manager, other) == ["IntegrityError", "confirmed"]
    assert BreachDecision.objects.count() == 1
