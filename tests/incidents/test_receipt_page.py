"""The receipt: number, server time, both promises, next message, phone; it never claims a reaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from incidents import lifecycle, reporting
from messaging.models import Delivery, Notification
from tests import build
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.at("2026-03-02 10:00:20"))
    return build.world()


def receipt(world: build.World, nr: str = "MAK-0001") -> str:
    return text_of(visitor(world.reporter).get(f"/incidents/{nr}/receipt/"))


def test_a_critical_failure_has_its_time_and_both_promises(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, at=build.at("2026-03-02 10:00:05"))
    said = receipt(world)
    assert "P1 Awaria krytyczna, mak.example" in said
    assert "Przyjęliśmy zgłoszenie MAK-0001" in said
    assert "Przyjęte 2 marca 2026, 10:00:05" in said
    assert "Odezwiemy się do 2 marca 2026, 10:30 zostało 29 min" in said
    assert "Naprawa do 2 marca 2026, 14:00 zostało 3 h 59 min" in said
    assert "Pierwsza wiadomość do 2 marca 2026, 10:30" in said
    assert "22 100 20 30" in said


def test_a_receipt_never_claims_a_reaction(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    assert "Zgłoszenie jeszcze czeka, aż ktoś je podejmie." in receipt(world)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.at("2026-03-02 10:00:10"))
    said = receipt(world)
    assert "czeka, aż ktoś" not in said
    assert "Reakcja 2 marca 2026, 10:00" in said
    assert "Następna wiadomość do 2 marca 2026, 11:00" in said


def test_office_hours_promise_the_next_working_day(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    friday = build.at("2026-03-06 15:30")
    stop_clock(monkeypatch, friday)
    build.incident(world.shop, by=world.reporter, at=friday, what="some_payments")
    said = receipt(world)
    assert "Odezwiemy się do 9 marca 2026, 9:30 zostało 2 h pracy" in said
    assert "Naprawa do 9 marca 2026, 15:30 zostało 8 h pracy" in said


def test_a_question_promises_no_deadline(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, what="question")
    assert "Pytanie lub zmiana nie ma terminu SLA" in receipt(world)


def test_a_shop_without_a_contract_says_so(world: build.World) -> None:
    bare = build.shop(world.client, "bez.example")
    build.incident(bare, by=world.reporter)
    assert "Tego sklepu nie obejmuje umowa, więc żaden termin nie biegnie." in receipt(world)


def test_the_copy_s_way_is_told_as_it_is(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    assert "Kopia idzie na ola.mak@mak.example." in receipt(world)
    Notification.objects.filter(recipient=world.reporter).update(status=Delivery.SENT)
    assert "Kopia poszła na ola.mak@mak.example." in receipt(world)
    Notification.objects.filter(recipient=world.reporter).update(status=Delivery.FAILED)
    assert "Kopia" not in receipt(world)


def test_a_joined_report_has_the_earlier_deadlines(world: build.World) -> None:
    build.incident(world.shop, by=world.owner, at=build.at("2026-03-02 09:00:00"))
    reporting.report(
        shop=world.shop, what="other", by=world.reporter, at=build.MONDAY, join=world.client.incidents.get()
    )
    said = receipt(world)
    assert "Twoje zgłoszenie dołączyło do MAK-0001" in said
    assert "Przyjęte 2 marca 2026, 10:00:00" in said
    assert "O tej awarii wiemy od 2 marca 2026, 9:00:00" in said


def test_only_what_is_missing_is_asked(world: build.World) -> None:
    details = reporting.Details(occurred_at=build.MONDAY - timedelta(minutes=5), affected="wszyscy")
    reporting.report(shop=world.shop, what="closed", by=world.reporter, at=build.MONDAY, details=details)
    body = visitor(world.reporter).get("/incidents/MAK-0001/receipt/").content.decode()
    assert 'name="since"' not in body
    assert 'name="affected"' not in body
    assert 'name="order_number"' in body
    assert 'action="/incidents/MAK-0001/details/"' in body


def test_more_urgent_is_offered_where_something_is(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter, what="typo")
    build.incident(world.shop, by=world.reporter, what="no_payment")
    assert "To pilniejsze" in receipt(world, "MAK-0001")
    assert "To pilniejsze" not in receipt(world, "MAK-0002")


def test_the_draft_is_done_on_the_receipt(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    page = visitor(world.reporter).get("/incidents/MAK-0001/receipt/")
    assert 'data-draft-done="report"' in page.content.decode()


def test_strangers_and_staff_have_no_receipt(world: build.World) -> None:
    other = build.world("TUR")
    build.incident(world.shop, by=world.reporter)
    for person in (other.reporter, other.owner, world.agent, world.manager):
        assert visitor(person).get("/incidents/MAK-0001/receipt/").status_code == 404
    assert Client().get("/incidents/MAK-0001/receipt/").status_code == 302
