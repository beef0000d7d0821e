"""What of an incident counts: added up or only the highest, whoever decided what first, the same on every page."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from contracts import agreements
from contracts.agreements import PenaltySpec, TargetSpec, VersionSpec
from contracts.models import PenaltyRule
from contracts.penalty.ledger import settle
from incidents import lifecycle
from incidents.models import Breach
from incidents.sweeps import sweep_clocks
from reports.models import BreachDecision
from reports.money import month_table, review
from reports.money.pricing import BreachPricer
from tests import build
from tests.owner import as_owner
from tests.pages import stop_clock, text_of, visitor
from tests.reports.missed import late_repair

pytestmark = pytest.mark.django_db
LATER = build.at("2026-03-02 20:00")
MARCH = date(2026, 3, 1)


def both_missed(world: build.World) -> tuple[Breach, Breach]:
    """A reaction that costs 60 zł once, and a repair 10 minutes late that costs 1 % of 10 000 zł."""
    PenaltyRule.objects.get_or_create(
        target=world.version.targets.get(severity="P1", kind="reaction"),
        defaults={"rate": 60, "rate_type": "amount", "unit": "once"},
    )
    incident = build.incident(world.shop, by=world.reporter)
    at = build.MONDAY + timedelta(minutes=45)
    sweep_clocks(at=at)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=at)
    lifecycle.back_up(incident=incident, by=world.agent, at=at, where="S3")
    at = build.MONDAY + timedelta(hours=4, minutes=10)
    sweep_clocks(at=at)
    lifecycle.resolve(incident=incident, by=world.agent, at=at, text="Poprawione.")
    found = {breach.target: breach for breach in Breach.objects.filter(incident=incident)}
    return found["reaction"], found["restore"]


def sums(world: build.World) -> tuple[Decimal, Decimal]:
    """What March owes, and what is charged."""
    pricer = BreachPricer([], LATER, [world.version.contract_id])
    return pricer.months(world.version.contract_id).get(MARCH, Decimal(0)), pricer.charged(world.version.contract_id)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("terms", "first", "owed"),
    [
        ({"cumulation": "highest"}, ("60", "100"), "100"),
        ({"cumulation": "cumulative"}, ("60", "100"), "160"),
        ({"cumulation": "highest", "incident_cap_amount": Decimal(80)}, ("60", "80"), "80"),
        ({"cumulation": "cumulative", "incident_cap_amount": Decimal(80)}, ("60", "80"), "80"),
        ({"cumulation": "highest", "month_cap_percent": Decimal("0.5")}, ("50", "50"), "50"),
    ],
)
def test_whichever_is_decided_first_the_sums_are_the_same(
    terms: dict[str, Any], first: tuple[str, str], owed: str, order: tuple[int, int]
) -> None:
    world = build.world(**terms)
    breaches = both_missed(world)
    assert sums(world) == (Decimal(owed), Decimal(0))
    one = review.confirm(breach=breaches[order[0]], by=world.manager, at=LATER)
    assert sums(world) == (Decimal(owed), Decimal(first[order[0]]))
    other = review.confirm(breach=breaches[order[1]], by=world.manager, at=LATER)
    assert sums(world) == (Decimal(owed), Decimal(owed))
    assert sorted([one.amount_after, other.amount_after]) == [Decimal(60), Decimal(100)]


def test_where_the_highest_is_excluded_the_next_one_counts() -> None:
    world = build.world(cumulation="highest")
    reaction, repair = both_missed(world)
    review.confirm(breach=reaction, by=world.manager, at=LATER)
    review.exclude(
        breach=repair, by=world.manager, at=LATER, reason="third_party", evidence="Komunikat", start=repair.deadline,
        end=repair.deadline + timedelta(minutes=10),
    )  # fmt: skip
    assert sums(world) == (Decimal(60), Decimal(60))


def test_an_exclusion_that_waits_for_a_second_person_takes_nothing_yet() -> None:
    world = build.world(second_person_above=Decimal(90))
    _reaction, repair = both_missed(world)
    done = review.exclude(
        breach=repair, by=world.manager, at=LATER, reason="third_party", evidence="Komunikat", start=repair.deadline,
        end=repair.deadline + timedelta(minutes=10),
    )  # fmt: skip
    assert (done.amount_after, sums(world)) == (Decimal(0), (Decimal(160), Decimal(0)))
    halina = build.staff("Halina Nowak", role="manager", on_call=False)
    review.second(decision=done, by=halina, at=LATER)
    assert sums(world) == (Decimal(60), Decimal(0))


def test_every_page_says_the_same_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, LATER)
    world = build.world(cumulation="highest", contract_cap_amount=Decimal(1000))
    reaction, repair = both_missed(world)
    page = visitor(world.manager)
    lower = "W jednym zgłoszeniu liczy się tylko najwyższa kara: naprawa 100,00 zł, więc 60,00 zł się nie liczy"
    higher = "Najwyższa kara zgłoszenia; tylko ona się liczy, bez: reakcja 60,00 zł"
    for decide in (None, "confirm/"):
        for breach, sentence in ((repair, higher), (reaction, lower)):
            if decide:
                page.post(f"/breaches/{breach.pk}/{decide}")
            assert sentence in text_of(page.get(f"/breaches/{breach.pk}/"))
        listed = text_of(page.get("/breaches/"))
        assert "Mak sp. z o.o. 0 z 2 100,00 zł" in listed
        assert ("Razem 100,00 zł." in listed) is (decide is None)
    assert "potwierdzone 60,00 zł liczy się 0,00 zł" in listed
    assert "0 z 2 100,00 zł 10 %" in listed


def test_a_decision_of_an_earlier_day_stands_where_a_computation_of_today_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop_clock(monkeypatch, LATER)
    world = build.world()
    _reaction, repair = both_missed(world)
    review.confirm(breach=repair, by=world.manager, at=LATER)
    with as_owner():
        BreachDecision.objects.update(amount_before=80, amount_after=80)
    said = text_of(visitor(world.manager).get(f"/breaches/{repair.pk}/"))
    assert "Decyzja zapisała 80,00 zł i to obowiązuje" in said
    assert "Kara 80,00 zł" in said
    assert sums(world)[1] == Decimal(80)


def test_reasons_that_the_contract_does_not_allow_are_not_offered_and_the_page_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop_clock(monkeypatch, LATER)
    world = build.world(liability="opoznienie", exclusion_reasons=["force_majeure"])
    _reaction, repair = both_missed(world)
    page, address = visitor(world.manager), f"/breaches/{repair.pk}/exclude/"
    answer = page.get(address)
    assert [value for value, _label in answer.context["form"].fields["reason"].choices] == ["force_majeure"]
    assert "dostawca odpowiada za każde opóźnienie; wyłączyć można tylko: siła wyższa." in text_of(answer)
    given = {"reason": "third_party", "start": "14:00", "end": "14:10", "evidence": "Komunikat"}
    assert page.post(address, given).status_code == 422
    assert not BreachDecision.objects.exists()
    said = text_of(page.post(address, given | {"reason": "force_majeure"}, follow=True))
    assert "Wyłączenie, siła wyższa: minus 10 min" in said
    assert "dostawca odpowiada za każde opóźnienie; wyłączyć można tylko: siła wyższa." in said
    assert "Kara 0,00 zł" in said


def test_excluding_what_is_confirmed_says_who_decided_what_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, LATER)
    world = build.world()
    _reaction, repair = both_missed(world)
    page: Client = visitor(world.manager)
    page.post(f"/breaches/{repair.pk}/confirm/")
    given = {"reason": "third_party", "start": "14:00", "end": "14:10", "evidence": "Komunikat"}
    said = text_of(page.post(f"/breaches/{repair.pk}/exclude/", given, follow=True))
    assert "Już rozstrzygnięte: potwierdzone, Marek Dyr, 2 marca 2026" in said
    assert "Nic nie zmieniono." in said
    assert "czas wyłączony" not in said
    assert BreachDecision.objects.get().verdict == "confirmed"


def test_a_version_entered_later_takes_nothing_from_a_recorded_breach() -> None:
    world = build.world()
    _reaction, repair = both_missed(world)
    pricer = BreachPricer([repair], LATER)
    before = pricer.own(repair)
    target = TargetSpec("P1", "restore", 600, build.round_the_clock(), PenaltySpec(Decimal(1)))
    caps = {"contract_cap_amount": Decimal(1)}
    free = VersionSpec(build.MONDAY.date(), Decimal(1), [target], steps=(), terms=caps)
    agreements.add_version(contract=world.version.contract, version=free, by=world.manager, at=LATER)
    assert (before, BreachPricer([repair], LATER).own(repair), sums(world)[0]) == (Decimal(100), before, Decimal(160))


# Whatever is entered, missed and decided, in whatever order


def test_no_recorded_amount_changes_and_the_months_are_those_of_their_rows() -> None:
    """Random versions, breaches and decisions; after each act the records of before stand as they were."""
    draw = random.Random(8)
    world = build.world(cumulation="highest", incident_cap_amount=Decimal(700), month_cap_percent=Decimal(9))
    contract, at = world.version.contract, build.MONDAY
    records: dict[int, tuple[Decimal, Decimal]] = {}
    for _step in range(14):
        at += timedelta(hours=draw.randint(20, 90))
        act = draw.choice([enter, miss, miss, decide, decide])
        owned = {
            breach.pk: BreachPricer([breach], at).own(breach) for breach in Breach.objects.exclude(stopped_at=None)
        }
        act(world, at, draw)
        decided = {row.pk: (row.amount_before, row.amount_after) for row in BreachDecision.objects.all()}
        assert records.items() <= decided.items()
        assert (
            owned.items()
            <= {breach.pk: BreachPricer([breach], at).own(breach) for breach in Breach.objects.all()}.items()
        )
        records = decided
        pricer = BreachPricer(Breach.objects.filter(decisions=None), at, [contract.pk])
        rows = [pricer._row(breach) for breach in pricer._of(contract.pk)]
        assert pricer.months(contract.pk) == dict(settle(draw.sample(rows, len(rows))).months)
        months: dict[date, Decimal] = {}
        for row in rows:
            months[row.month] = months.get(row.month, Decimal(0)) + pricer._ledgers[contract.pk].shares[row.key].amount
        assert months == pricer.months(contract.pk)
        shown = month_table.contract_months(month_table.running([world.client], at), pricer, at)
        assert [row.penalty for row in shown] == [months.get(shown[0].month, Decimal(0))]
    assert len(records) > 3


def own_amounts(breaches: Iterable[Breach], at: datetime) -> dict[int, Decimal]:
    return {breach.pk: BreachPricer([breach], at).own(breach) for breach in breaches}


def enter(world: build.World, at: datetime, draw: random.Random) -> None:
    last = world.version.contract.versions.order_by("-number")[0]
    begins = max(last.valid_from, world.version.contract.local_day(at)) + timedelta(days=draw.randint(1, 9))
    target = TargetSpec("P1", "restore", 240, build.round_the_clock(), PenaltySpec(Decimal(draw.randint(1, 3))))
    spec = VersionSpec(
        begins, Decimal(draw.randint(1, 9) * 1000), [target], steps=(),
        terms={"cumulation": draw.choice(["highest", "cumulative"]), "month_cap_percent": Decimal(draw.randint(1, 20))},
    )  # fmt: skip
    agreements.add_version(contract=world.version.contract, version=spec, by=world.manager, at=at)


def miss(world: build.World, at: datetime, draw: random.Random) -> None:
    late_repair(world, timedelta(minutes=draw.randint(1, 500)), at=at - timedelta(hours=13))


def decide(world: build.World, at: datetime, draw: random.Random) -> None:
    waiting = list(Breach.objects.filter(decisions=None).exclude(stopped_at=None).order_by("pk"))
    if not waiting:
        return
    breach = draw.choice(waiting)
    if draw.random() < 0.5:
        review.confirm(breach=breach, by=world.manager, at=at)
        return
    assert breach.stopped_at
    review.exclude(
        breach=breach, by=world.manager, at=at, reason="third_party", evidence="Komunikat",
        start=breach.deadline, end=breach.deadline + (breach.stopped_at - breach.deadline) * draw.random(),
    )  # fmt: skip


def test_the_messages_say_what_waits_and_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exclusion to zero of 100 zł, where one person may decide up to 90: announced, listed, then agreed."""
    stop_clock(monkeypatch, LATER)
    world = build.world(second_person_above=Decimal(90))
    _reaction, repair = both_missed(world)
    page, address = visitor(world.manager), f"/breaches/{repair.pk}/"
    given = {"reason": "third_party", "start": "14:00", "end": "14:10", "evidence": "Komunikat"}
    assert "Powyżej 90,00 zł musi zgodzić się druga osoba." in text_of(page.get(address))
    said = text_of(page.post(f"{address}exclude/", given, follow=True))
    assert "wyłączenie zadziała, gdy zgodzi się druga osoba" in said.replace(" :", ":")
    assert "Do tego czasu liczy się 100,00 zł." in said
    assert "Czekają na drugą osobę" in text_of(page.get("/breaches/"))
    halina = visitor(build.staff("Halina Nowak", role="manager", on_call=False))
    said = text_of(halina.post(f"{address}second/", follow=True))
    assert "druga osoba, Halina Nowak, zgadza się; decyzja obowiązuje" in said
    assert "Kara 0,00 zł" in said
    assert "Czekają na drugą osobę" not in text_of(page.get("/breaches/"))
    assert "Tu wystarczy" not in text_of(halina.post(f"{address}second/", follow=True))
