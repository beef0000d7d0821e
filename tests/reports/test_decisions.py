"""A decision on a breach is an entry of its incident's journal: proven like one, its amounts for money rights only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from incidents import journal, lifecycle
from incidents.models import JournalEntry
from reports import decision_entries
from reports.models import BreachDecision
from reports.money import review
from tests import build, tamper
from tests.pages import stop_clock, text_of, visitor
from tests.reports.missed import DEADLINE, late_repair
from wording.refusals import Refused

pytestmark = pytest.mark.django_db
LATER = DEADLINE + timedelta(days=1)
EVIDENCE = "Komunikat 48213"
FREE = {"id": "its key"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, LATER)
    return build.world(second_person_above=Decimal(200))


@pytest.fixture
def second() -> User:
    return build.staff("Halina Nowak", role="manager", on_call=False)


@pytest.fixture
def decision(world: build.World, second: User) -> BreachDecision:
    """An hour and a half of two and a half are excluded; a second person agrees."""
    breach = late_repair(world, timedelta(hours=2, minutes=30))
    decision = review.exclude(
        breach=breach, by=world.manager, at=LATER, reason="third_party", evidence=EVIDENCE,
        start=DEADLINE, end=DEADLINE + timedelta(minutes=90),
    )  # fmt: skip
    return review.second(decision=decision, by=second, at=LATER + timedelta(hours=1))


def entries(decision: BreachDecision) -> list[JournalEntry]:
    return list(decision.breach.incident.journal.order_by("seq"))


def seen() -> list[str]:
    return [str(difference) for difference in decision_entries.differences()]


def test_a_decision_and_the_second_persons_word_are_entries_that_no_client_sees(
    decision: BreachDecision, world: build.World, second: User
) -> None:
    excluded, seconded = entries(decision)[-2:]
    assert (excluded.kind, excluded.by, excluded.at, excluded.reason, excluded.public, excluded.text) == (
        "breach_excluded", world.manager, LATER, "third_party", False, "",
    )  # fmt: skip
    assert excluded.facts == {
        "decision": decision.pk, "breach": decision.breach_id, "target": "restore", "run": 1, "lap": 1,
        "excluded_from": "2026-03-02T13:00:00+00:00", "excluded_to": "2026-03-02T14:30:00+00:00",
    }  # fmt: skip
    assert excluded.personal == {
        "amount_before": "300.00", "amount_after": "100.00", "currency": "PLN", "evidence": EVIDENCE,
    }  # fmt: skip
    assert (seconded.kind, seconded.by, seconded.at, seconded.public, seconded.personal) == (
        "breach_seconded", second, LATER + timedelta(hours=1), False, {},
    )  # fmt: skip
    check, incident = journal.check_chain(entries(decision)), decision.breach.incident
    incident.refresh_from_db()
    assert (check.broken_at, check.head, incident.last_entry) == (0, incident.journal_head, seconded)


def test_the_same_decision_again_writes_no_second_entry(decision: BreachDecision, world: build.World) -> None:
    before = entries(decision)
    review.exclude(
        breach=decision.breach, by=world.manager, at=LATER, reason="third_party", evidence=EVIDENCE,
        start=DEADLINE, end=DEADLINE + timedelta(minutes=90),
    )  # fmt: skip
    review.second(decision=decision, by=decision.by, at=LATER)
    assert entries(decision) == before


def every_page(visitor: Client, nr: str) -> str:
    """All that shows a journal, and the lists and exports of incidents, as one text."""
    addresses = (
        f"/incidents/{nr}/", f"/incidents/{nr}/journal/", f"/api/incidents/{nr}/journal/", f"/api/incidents/{nr}/",
        "/incidents/", "/incidents/?format=csv", "/queue/", "/",
    )  # fmt: skip
    answers: list[Any] = [visitor.get(address) for address in addresses]
    return " ".join(
        (b"".join(answer.streaming_content).decode() if answer.streaming else text_of(answer)) for answer in answers
    )


@pytest.mark.parametrize(
    ("role", "sees"),
    [("reporter", (False, False)), ("owner", (False, False)), ("agent", (True, False)), ("manager", (True, True))],
)
def test_amounts_and_evidence_are_for_money_rights_and_nothing_of_it_is_for_clients(
    decision: BreachDecision, world: build.World, role: str, sees: tuple[bool, bool]
) -> None:
    person: User = getattr(world, role)
    said = every_page(visitor(person), decision.breach.incident.nr)
    event = "Część spóźnienia wyłączona: naprawa, podmiot trzeci"
    assert (event in said, "z 300,00 zł zostaje 100,00 zł" in said) == sees
    assert (EVIDENCE in said, "300,00" in said) == (sees[1], sees[1])
    # The owner sees the verdict on home, not how it came to be
    verdict, agreement = "wyłączon" in said, "Druga osoba zgadza się z decyzją: naprawa" in said
    assert (verdict, agreement) == (sees[0] or role == "owner", sees[0])


def test_a_change_of_any_column_of_a_decision_is_seen(decision: BreachDecision) -> None:
    assert seen() == []
    names = [field.name for field in BreachDecision._meta.concrete_fields if field.name not in FREE]
    assert [name for name in names if not seen_after(partial(tamper.change_column, decision, name))] == []


def test_the_proof_s_lines_hold_no_amount(decision: BreachDecision) -> None:
    """Administrators read them too, and have no money rights."""
    lines = seen_after(lambda: tamper.change(decision, amount_after=Decimal(7), evidence="Nic"))
    assert lines == [
        f"{decision.breach.incident.nr} decision on restore, {name}: "
        "stored changed, follows from the journal as it was decided"
        for name in ("amount_after", "evidence")
    ]


def test_a_decision_that_is_gone_or_has_no_entry_is_seen(decision: BreachDecision) -> None:
    nr = decision.breach.incident.nr
    assert seen_after(lambda: tamper.delete(decision)) == [
        f"{nr} decision on restore: stored gone, follows from the journal {word}" for word in ("excluded", "seconded")
    ]
    assert seen_after(lambda: tamper.change(decision, second_by_id=None, second_at=None)) == [
        f"{nr} decision on restore, second_by: stored None, follows from the journal {decision.second_by_id}",
        f"{nr} decision on restore, second_at: stored None, follows from the journal 2026-03-03T14:00:00+00:00",
    ]
    copy = BreachDecision.objects.get()
    copy.pk = None

    def added() -> None:
        tamper.delete(decision)
        copy.save()

    assert seen_after(added)[0].endswith("decision on restore: stored excluded, follows from the journal no entry")


def seen_after(change: Callable[[], object]) -> list[str]:
    """What is seen of a change, which is undone."""
    with transaction.atomic():
        change()
        found = seen()
        transaction.set_rollback(True)
    return found


def test_where_a_decision_is_refused_no_entry_is_written(world: build.World) -> None:
    breach = late_repair(world, timedelta(hours=1), stopped=False)
    before = breach.incident.journal.count()
    with pytest.raises(Refused, match="Zegar"):
        review.confirm(breach=breach, by=world.manager, at=LATER)
    lifecycle.resolve(incident=breach.incident, by=world.agent, at=LATER, text="Już.")
    assert breach.incident.journal.filter(kind__startswith="breach_").count() == 0
    assert breach.incident.journal.count() > before
