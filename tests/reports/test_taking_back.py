"""A decision is taken back with a reason: it stays to be read, money and pages follow, and the breach waits again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from incidents import journal
from incidents.models import Breach
from reports import decision_entries
from reports.anchor import make as anchor
from reports.anchor import proof as anchor_proof
from reports.models import BreachDecision
from reports.money import review
from reports.money.pricing import BreachPricer
from tests import build, tamper
from tests.pages import stop_clock, text_of, visitor
from tests.reports.missed import DEADLINE, late_repair
from wording.refusals import Refused

pytestmark = pytest.mark.django_db
LATER = DEADLINE + timedelta(days=1)
MARCH = date(2026, 3, 1)
WHY = "Operator przysłał komunikat."


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, LATER)
    return build.world(second_person_above=Decimal(500))


@pytest.fixture
def breach(world: build.World) -> Breach:
    """A repair two and a half hours late: three started hours, 300 zł."""
    return late_repair(world, timedelta(hours=2, minutes=30))


@pytest.fixture
def decision(world: build.World, breach: Breach) -> BreachDecision:
    return review.confirm(breach=breach, by=world.manager, at=LATER)


def sums(world: build.World) -> tuple[Decimal, Decimal]:
    """What March owes with all that is undecided, and what is charged."""
    contract = world.version.contract_id
    pricer = BreachPricer([], LATER, [contract])
    return pricer.months(contract).get(MARCH, Decimal(0)), pricer.charged(contract)


def seen() -> list[str]:
    return [str(difference) for difference in decision_entries.differences()]


def test_a_decision_taken_back_stays_as_it_was_and_another_one_counts(
    world: build.World, breach: Breach, decision: BreachDecision
) -> None:
    assert sums(world) == (Decimal(300), Decimal(300))
    first_day = anchor.make(at=LATER)
    review.take_back(decision=decision, by=world.manager, at=LATER, why=WHY)
    assert sums(world) == (Decimal(300), Decimal(0))
    review.exclude(
        breach=breach, by=world.manager, at=LATER, reason="third_party", evidence="Komunikat 48213",
        start=DEADLINE, end=DEADLINE + timedelta(hours=1),
    )  # fmt: skip
    assert sums(world) == (Decimal(200), Decimal(200))
    lines = list(breach.incident.journal.order_by("seq"))
    confirmed, reopened, _excluded = lines[-3:]
    assert (confirmed.kind, reopened.kind, reopened.by, reopened.public) == (
        "breach_confirmed", "breach_reopened", world.manager, False,
    )  # fmt: skip
    assert (reopened.facts["decision"], reopened.personal) == (decision.pk, {"taken_back_why": WHY})
    assert journal.check_chain(lines).broken_at == 0
    assert first_day is not None
    second_day = anchor.make(at=LATER + timedelta(days=1))
    assert second_day is not None
    assert [*anchor_proof.differences(first_day), *anchor_proof.differences(second_day), *seen()] == []


@pytest.mark.parametrize("name", ["taken_back_by", "taken_back_at", "taken_back_why"])
def test_a_change_of_who_took_it_back_when_and_why_is_seen(
    world: build.World, decision: BreachDecision, name: str
) -> None:
    review.take_back(decision=decision, by=world.manager, at=LATER, why=WHY)
    decision.refresh_from_db()
    assert seen() == []
    with transaction.atomic():
        tamper.change_column(decision, name)
        assert len(seen()) == 1
        transaction.set_rollback(True)


def test_it_needs_a_reason_and_happens_once(world: build.World, decision: BreachDecision) -> None:
    take = partial(review.take_back, decision=decision, at=LATER)
    with pytest.raises(Refused, match="dlaczego") as refusal:
        take(by=world.manager, why=" \u200b ")
    assert (refusal.value.field, BreachDecision.objects.standing().count()) == ("why", 1)
    assert take(by=world.manager, why=WHY).taken_back_at == LATER
    entries = decision.breach.incident.journal.count()
    take(by=world.manager, why="Inaczej")
    with pytest.raises(Refused, match="Marek Dyr"):
        take(by=build.staff("Halina Nowak", role="manager", on_call=False), why=WHY)
    assert decision.breach.incident.journal.count() == entries
    assert BreachDecision.objects.get().taken_back_why == WHY


def test_a_second_person_can_not_agree_with_what_is_taken_back(world: build.World) -> None:
    breach = late_repair(world, timedelta(hours=7))
    decision = review.confirm(breach=breach, by=world.manager, at=LATER)
    review.take_back(decision=decision, by=world.manager, at=LATER, why=WHY)
    assert not BreachDecision.objects.awaiting_second().exists()
    with pytest.raises(Refused, match="cofnięto"):
        review.second(decision=decision, by=build.staff("Halina Nowak", role="manager", on_call=False), at=LATER)


def test_only_a_breach_whose_decision_is_taken_back_can_be_voided(
    world: build.World, breach: Breach, decision: BreachDecision
) -> None:
    with pytest.raises(IntegrityError, match="this breach has a decision"), transaction.atomic():
        Breach.objects.filter(pk=breach.pk).update(voided_at=LATER)
    review.take_back(decision=decision, by=world.manager, at=LATER, why=WHY)
    assert Breach.objects.filter(pk=breach.pk).update(voided_at=LATER) == 1


def test_from_the_page_the_reason_is_asked_and_the_breach_waits_again(
    world: build.World, breach: Breach, decision: BreachDecision
) -> None:
    page = visitor(world.manager)
    other = late_repair(world, timedelta(minutes=5), at=build.MONDAY + timedelta(minutes=30))
    shown = page.get(f"/breaches/{breach.pk}/")
    assert f"/breaches/{other.pk}/" in shown.content.decode()
    assert "Następne: MAK-0002, naprawa" in text_of(shown)
    address = f"/breaches/{breach.pk}/decisions/{decision.pk}/take-back/"
    assert address in shown.content.decode()
    assert 'name="why"' in page.get(address).content.decode()
    assert page.post(address, {"why": ""}).status_code == 422
    said = text_of(page.post(address, {"why": WHY}, follow=True))
    assert "decyzja cofnięta, naruszenie czeka na nową" in said
    assert WHY in said
    assert "Potwierdź 300,00 zł" in said
    assert "Naruszenia 2 " in said
    assert "2 naruszenia czekają na Twoją decyzję" in text_of(page.get("/breaches/"))
    assert WHY not in text_of(visitor(world.owner).get(f"/incidents/{breach.incident.nr}/journal/"))
    assert WHY in text_of(page.get(f"/incidents/{breach.incident.nr}/journal/"))


# What an exclusion would give


TYPED = {"reason": "third_party", "start": "14:00", "end": "15:00", "evidence": ""}


def test_both_amounts_and_the_month_are_said_before_anything_is_sent(world: build.World, breach: Breach) -> None:
    page = visitor(world.manager)
    address = f"/breaches/{breach.pk}/exclude/"
    whole = page.post(address, TYPED | {"preview": "1"})
    live = page.post(f"{address}?preview=1", TYPED, headers={"HX-Request": "true"})
    assert (whole.status_code, live.status_code, live.content.decode().count("<h1")) == (200, 200, 0)
    for response in (whole, live):
        said = text_of(response)
        assert "Po wyłączeniu: po terminie o 1 h 30 min, 300,00 zł 200,00 zł." in said.replace(" ,", ",")
        assert "Marzec 2026 w tej umowie, jeśli potwierdzisz wszystko, co czeka: 200,00 zł zamiast 300,00 zł." in said
    assert not BreachDecision.objects.exists()


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"start": "13:00"}, 422, "Wyłączyć można tylko czas po terminie."),
        ({"end": "16:30"}, 200, "Nic nie jest należne: całe spóźnienie wyłączone."),
    ],
)
def test_what_can_not_be_excluded_and_what_leaves_nothing_is_said_too(
    world: build.World, breach: Breach, typed: dict[str, str], status: int, said: str
) -> None:
    address = f"/breaches/{breach.pk}/exclude/"
    response = visitor(world.manager).post(address, TYPED | typed | {"preview": "1"})
    assert response.status_code == status
    assert said in text_of(response)
