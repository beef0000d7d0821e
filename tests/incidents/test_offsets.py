"""A rung so long before or after the deadline: from the form to the contract's page, the letter and the journal."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from contracts.models import Contract, EscalationStep
from incidents import sweeps
from incidents.models import Firing
from incidents.notices import sending
from incidents.projection import proof
from messaging.models import Notification
from tests import build
from tests.contracts.test_contract_pages import errors_of, sent_of, typed_in
from tests.pages import stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db

LADDER = {
    "step0_share": "30 min przed terminem",
    "step0_target": "restore",
    "step0_whom": "manager",
    "step0_channel": "email",
    "step1_share": "2 h po terminie",
    "step1_target": "restore",
    "step1_whom": "owner",
    "step1_channel": "email",
}


def after(hours: int, minutes: int = 0) -> datetime:
    return build.MONDAY + timedelta(hours=hours, minutes=minutes)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    """A contract that is entered by the form, younger than the one of the world."""
    stop_clock(monkeypatch, build.MONDAY)
    world = build.world()
    browser = visitor(world.manager)
    rest = {f"step{place}_share": "" for place in range(2, 13)}
    data = typed_in(browser) | {"valid_from": "2026-03-02", "signed_on": "2026-02-20"} | rest | LADDER
    response = browser.post("/contracts/new/?client=MAK", data)
    assert response.status_code == 302, errors_of(response)
    return world


def test_a_rung_before_and_one_after_the_deadline_are_told_in_its_words(world: build.World) -> None:
    contract = Contract.objects.get(number="7/2026")
    shown = text_of(visitor(world.owner).get(f"/contracts/{contract.address}/"))
    assert "Naprawa 30 min przed terminem: kierownik (e-mail) 2 h po terminie: właściciel u klienta (e-mail)" in shown

    incident = build.incident(world.shop, by=world.reporter, at=build.MONDAY, what="closed")
    build.clear_outbox()
    assert sweeps.sweep_clocks(at=after(3, 29)) <= 1
    assert not Firing.objects.exists()
    sweeps.sweep_clocks(at=after(3, 30))
    sending.mark_sent(at=after(3, 30))
    letter = Notification.objects.get(recipient=world.manager, subject__contains="przed")
    assert plain(letter.subject) == "MAK-0001: 30 min przed terminem, naprawa"
    line = incident.journal.get(kind="escalated")
    assert (line.facts["share"], line.facts["offset"]) == (None, -30)
    assert "30 min przed terminem, powiadomiono: Marek Dyr" in text_of(
        visitor(world.agent).get(f"/incidents/{incident.nr}/journal/")
    )

    sweeps.sweep_clocks(at=after(6))
    sending.mark_sent(at=after(6))
    assert [(row.step.mark.offset, row.due_at) for row in Firing.objects.select_related("step")] == [
        (-30, after(3, 30)),
        (120, after(6)),
    ]
    letter = Notification.objects.get(recipient=world.owner, subject__contains="po terminie")
    assert "po terminie" in plain(letter.subject)
    assert [str(difference) for difference in proof.differences(at=after(6))] == []


def test_the_next_version_begins_with_it_and_a_change_is_said(world: build.World) -> None:
    contract = Contract.objects.get(number="7/2026")
    browser = visitor(world.manager)
    form = browser.get(f"/contracts/{contract.address}/edit/").context["form"]
    data = sent_of(form) | {"valid_from": "2026-04-01", "before": str(contract.versions.get().pk)}
    assert plain(data["step0_share"]) == "30 min przed terminem"
    said = text_of(browser.post("/contracts/preview/", data | {"step0_share": "1 h przed terminem"}))
    assert "Naprawa 30 min przed terminem kierownik (e-mail) brak" in said
    assert "Naprawa 1 h przed terminem brak kierownik (e-mail)" in said


@pytest.mark.parametrize("mark", [{"share": None}, {"share": 50, "offset_minutes": 10}])
def test_a_rung_has_a_share_or_an_offset(world: build.World, mark: dict[str, int | None]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        EscalationStep.objects.create(version=world.version, target="restore", whom="manager", **mark)
