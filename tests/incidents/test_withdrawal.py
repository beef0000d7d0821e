"""What our monitor saw is withdrawn by both sides: no reporter alone ends the clocks of a shop that is down."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings

from incidents import lifecycle, reporting, withdrawal
from incidents.models import Incident
from incidents.projection.proof import differences
from messaging.models import Notification
from tests import build
from tests.owner import as_owner
from tests.pages import text_of, visitor
from wording.refusals import Refused

pytestmark = pytest.mark.django_db
WHY = "Tę awarię widział nasz monitor, więc wycofać ją możemy tylko razem"


def minutes(count: int) -> datetime:
    return build.MONDAY + timedelta(minutes=count)


def alarm(world: build.World, at: int = 0) -> Incident:
    return reporting.open_from_monitor(
        shop=world.shop, failure="1", what="closed", severity="P1", first_failed_at=minutes(at), at=minutes(at),
        evidence={}, words="Strona nie odpowiada.",
    )  # fmt: skip


def opened(world: build.World) -> Incident:
    return alarm(world)


def joined(world: build.World) -> Incident:
    alarm(world)
    return build.incident(world.shop, by=world.reporter, what="closed", at=minutes(1))


def confirmed(world: build.World) -> Incident:
    build.incident(world.shop, by=world.reporter, what="closed")
    return alarm(world, 1)


def of_a_contract_that_waits_for_a_person(world: build.World) -> Incident:
    with as_owner():
        world.version.__class__.objects.update(monitoring_starts_clock=False)
    return joined(world)


@pytest.mark.parametrize("seen", [opened, joined, confirmed, of_a_contract_that_waits_for_a_person])
def test_what_the_monitor_saw_is_not_withdrawn_by_the_client_alone(seen: object) -> None:
    world = build.world()
    incident = seen(world)  # type: ignore[operator]
    before = (incident.journal_length, incident.status, Notification.objects.count())
    for by in (world.reporter, world.owner):
        with pytest.raises(Refused, match=WHY) as refusal:
            lifecycle.cancel(incident=incident, by=by, at=minutes(5), text="Pomyłka.")
        assert settings.DUTY_PHONE in str(refusal.value).replace("\u00a0", " ")
    incident.refresh_from_db()
    assert (incident.journal_length, incident.status, Notification.objects.count()) == before


def test_the_page_and_the_api_say_why_and_whom_to_call_and_after_our_word_the_client_withdraws() -> None:
    world = build.world()
    incident = joined(world)
    page, agent = visitor(world.reporter), visitor(world.agent)
    path, api = f"/incidents/{incident.nr}/", f"/api/incidents/{incident.nr}/"
    with time_machine.travel(minutes(5), tick=False):
        assert WHY in text_of(page.get(path))
        assert f'action="{path}cancel/"' not in page.get(path).content.decode()
        assert WHY in text_of(refused := page.post(f"{path}cancel/", {"text": "Pomyłka."}))
        assert refused.status_code == 422
        refused = page.post(f"{api}cancel/", {"text": "Pomyłka."}, "application/json")
        assert (refused.status_code, WHY in refused.json()["detail"]) == (409, True)
        assert f'href="{path}agree-withdrawal/"' in agent.get(path).content.decode()
        assert page.post(f"{api}agree-withdrawal/", {"text": "Ja."}, "application/json").status_code == 403
        sent = agent.post(f"{path}agree-withdrawal/", {"text": "To był test, można wycofać.", "seen": ""})
        assert sent.status_code == 302
        shown = text_of(page.get(path))
        assert "To był test, można wycofać." in shown
        assert "Anna Lis: zgłoszenie można wycofać" in shown
        assert WHY not in shown
        assert f'href="{path}agree-withdrawal/"' not in agent.get(path).content.decode()
        assert page.post(f"{path}cancel/", {"text": "Pomyłka."}).status_code == 302
    incident.refresh_from_db()
    kinds = list(incident.journal.order_by("seq").values_list("kind", flat=True))
    assert (incident.status, kinds[-3:]) == ("cancelled", ["contact", "withdrawal_agreed", "cancelled"])
    assert [str(row) for row in differences(at=minutes(6))] == []


def test_our_word_counts_until_the_monitor_sees_it_fail_again_and_is_needed_for_nothing_else() -> None:
    world = build.world()
    incident = opened(world)
    withdrawal.agree(incident=incident, by=world.agent, at=minutes(2), text="Można wycofać.")
    alarm(world, 3)
    with pytest.raises(Refused, match=WHY):
        lifecycle.cancel(incident=incident, by=world.reporter, at=minutes(5), text="Pomyłka.")
    other = build.incident(world.shop, by=world.reporter, what="typo")
    with pytest.raises(Refused, match="sam"):
        withdrawal.agree(incident=other, by=world.agent, at=minutes(5), text="Można.")
    lifecycle.cancel(incident=other, by=world.reporter, at=minutes(5), text="Pomyłka.")
    assert Incident.objects.get(pk=other.pk).status == "cancelled"
