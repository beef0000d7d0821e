"""A rung that would reach nobody is shown when it is typed and on the contract, with the reason of today."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Membership, User
from contracts.agreements import StepSpec
from contracts.models import EscalationStep
from contracts.unreached import unreached
from tests import build
from tests.pages import stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
TODAY = build.MONDAY.date()
NOBODY = "Dziś nikt nie zostałby powiadomiony:"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    """Anna is on call without a number, the manager has one, the client has an owner without."""
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


def reason(world: build.World, whom: str, channel: str = "email", person: User | None = None) -> str:
    found = unreached([StepSpec("reaction", 50, whom, channel, person)], world.client, TODAY)
    return found[0].reason if found else ""


def test_each_reason_follows_from_the_people_of_today(world: build.World) -> None:
    assert [reason(world, whom) for whom in ("assignee", "duty", "manager", "owner")] == ["", "", "", ""]
    assert reason(world, "duty", "sms") == reason(world, "owner", "voice") == "nie ma numeru telefonu"
    assert (reason(world, "manager", "voice"), reason(world, "assignee", "sms")) == ("", "")
    assert reason(world, "person", "sms", world.agent) == "nie ma numeru telefonu"
    User.objects.filter(pk=world.agent.pk).update(on_call=False)
    assert reason(world, "duty") == "nikt nie ma dyżuru"
    Membership.objects.filter(user=world.owner).update(valid_until=TODAY - timedelta(days=1))
    assert reason(world, "owner") == "klient nie ma tu właściciela"
    User.objects.filter(pk=world.manager.pk).update(is_active=False)
    assert reason(world, "manager") == "nie ma kierownika"
    assert reason(world, "person", "email", User.objects.get(pk=world.manager.pk)) == (
        "to konto jest wyłączone albo nie prowadzi zgłoszeń"
    )
    User.objects.filter(pk=world.agent.pk).update(is_active=False)
    assert reason(world, "assignee") == "nikt nie prowadzi zgłoszeń"


def test_the_contract_page_and_the_editor_show_it(world: build.World) -> None:
    page, contract = visitor(world.manager), world.version.contract.address
    assert NOBODY not in text_of(page.get(f"/contracts/{contract}/"))
    EscalationStep.objects.create(version=world.version, target="restore", share=150, whom="duty", channel="voice")
    for path in (f"/contracts/{contract}/", f"/contracts/{contract}/edit/"):
        said = text_of(page.get(path))
        assert f"{NOBODY} 150 %, naprawa: osoba na dyżurze (telefon): nie ma numeru telefonu" in said
    User.objects.filter(pk=world.agent.pk).update(phone="600 100 200")
    assert NOBODY not in text_of(page.get(f"/contracts/{contract}/"))


def test_what_is_typed_is_judged_while_it_is_typed(world: build.World) -> None:
    page = visitor(world.manager)
    typed = {"client": "MAK", "step0_share": "50 %", "step0_target": "reaction", "step0_whom": "owner"}
    assert NOBODY not in text_of(page.post("/contracts/preview/", typed | {"step0_channel": "email"}))
    assert "nie ma numeru telefonu" in text_of(page.post("/contracts/preview/", typed | {"step0_channel": "sms"}))
