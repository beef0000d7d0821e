"""A storm of texts and calls to one of our people becomes one digest, and nothing is lost in it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from incidents import sweeps
from incidents.models import JournalEntry, Notice
from incidents.notices import digests, sending
from incidents.notices.reach import PATIENCE
from incidents.projection import proof
from messaging import gateway
from messaging.models import Delivery, Notification
from tests import build
from wording.words import plain

pytestmark = pytest.mark.django_db
MANAGER = "+48600100200"


def at(seconds: int) -> datetime:
    return build.MONDAY + timedelta(minutes=15, seconds=seconds)


class Gateway:
    """What it took, in order; after `accepts` of them it turns everything down."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.accepts = 99

    def send(self, *, channel: str, to: str, text: str, key: str, **_: Any) -> None:
        if len(self.taken) >= self.accepts:
            raise gateway.GatewayError("402 no credit left")
        self.taken.append((to, plain(text)))
        self.keys.append(key)


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway()
    monkeypatch.setattr(gateway, "send", made.send)
    return made


def storm(count: int, *, whom: str = "manager", channel: str = "sms", codes: tuple[str, ...] = ("MAK", "TUR")) -> None:
    """So many shops of two clients fail in one second; half of their reaction time is used at 10:15."""
    worlds = [build.world(code, ladder=[("reaction", 50, whom, channel)], rhythms=()) for code in codes]
    for number in range(count):
        world = worlds[number % len(worlds)]
        shop = build.shop(world.client, f"sklep{number}.{world.client.code.lower()}.example")
        world.version.contract.shops.add(shop)
        build.incident(shop, by=world.reporter)
    build.clear_outbox()
    sweeps.sweep_clocks(at=at(0))


def told() -> list[int]:
    """How many people each incident's journal names as told of its rung."""
    lines = JournalEntry.objects.filter(kind="escalated").order_by("incident")
    return [len(entry.facts["people"]) for entry in lines]


def test_of_twelve_failures_at_once_the_first_goes_alone_and_the_rest_as_one_digest(sms: Gateway) -> None:
    storm(12)
    assert sending.send_due(at=at(0)) == 12
    assert [to for to, _text in sms.taken] == [MANAGER, MANAGER]
    first, digest = (text for _to, text in sms.taken)
    assert first.startswith("MAK-0001: ")
    assert digest == (
        "11 zgłoszeń czeka (P1: 11): TUR-0001, MAK-0002, TUR-0002, MAK-0003, TUR-0003, MAK-0004, TUR-0004, MAK-0005 "
        "i jeszcze 3. Najbliższy termin 10:30. http://127.0.0.1:8000/queue/"
    )
    assert set(Notification.objects.values_list("status", "attempts", "sent_at")) == {(Delivery.SENT, 1, at(0))}
    assert told() == [1] * 12
    assert list(proof.differences(at=at(0))) == []


def test_three_at_once_are_no_storm(sms: Gateway) -> None:
    storm(digests.SINGLES)
    sending.send_due(at=at(0))
    assert [text.partition(":")[0] for _to, text in sms.taken] == ["MAK-0001", "TUR-0001", "MAK-0002"]


def test_calls_are_gathered_apart_from_texts(sms: Gateway) -> None:
    storm(5, channel="voice")
    sending.send_due(at=at(0))
    assert len(sms.taken) == 2
    assert "4 zgłoszenia czekają (P1: 4)" in sms.taken[1][1]


def test_what_comes_after_a_digest_waits_for_the_next_one_but_never_as_long_as_a_rung_waits(sms: Gateway) -> None:
    storm(8)
    sending.send_due(at=at(0))
    rows = list(Notification.objects.order_by("pk"))
    for number, row in enumerate(rows[:2]):
        notice = Notice.objects.get(pk=row.pk)
        row.pk, row.key, row.status = None, f"later-{number}", Delivery.QUEUED
        row.created_at = row.next_attempt_at = at(5)
        row.attempts, row.sent_at, row.bundle = 0, None, ""
        row.save()
        notice.notification, notice.topic = row, ""
        notice.save(force_insert=True)
    assert sending.send_due(at=at(6)) == 0
    waits = Notification.objects.filter(status=Delivery.QUEUED)
    assert set(waits.values_list("next_attempt_at", "attempts")) == {(at(0) + digests.GAP, 0)}
    assert at(0) + digests.GAP < at(5) + PATIENCE
    assert sending.send_due(at=at(30)) == 2
    assert len(sms.taken) == 3
    assert sms.taken[2][1].startswith("2 zgłoszenia czekają (P1: 2): MAK-0001, TUR-0001. ")
    assert len(set(sms.keys)) == 3


def test_a_digest_that_is_refused_sends_every_rung_on_and_loses_none(sms: Gateway) -> None:
    storm(6)
    sms.accepts = 1
    sending.send_due(at=at(0))
    texts = Notification.objects.filter(channel="sms", recipient__phone=MANAGER)
    assert Counter(texts.values_list("status", "attempts", "error")) == {
        (Delivery.SENT, 1, ""): 1, (Delivery.QUEUED, 1, "GatewayError: 402 no credit left"): 5,
    }  # fmt: skip
    mails = Notification.objects.filter(channel="email", recipient__phone=MANAGER)
    assert mails.values("notice__incident").distinct().count() == 5
    sms.accepts = 99
    sending.send_due(at=at(60))
    assert set(texts.values_list("status", flat=True)) == {Delivery.SENT}
    assert (len(sms.taken), sms.taken[1][1][:34]) == (2, "5 zgłoszeń czeka (P1: 5): TUR-0001")


def test_a_client_s_people_never_get_a_digest(sms: Gateway) -> None:
    world = build.world(ladder=[("reaction", 50, "owner", "sms")], rhythms=())
    world.owner.phone = "+48700"
    world.owner.save()
    for _ in range(6):
        build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    sweeps.sweep_clocks(at=at(0))
    sending.send_due(at=at(0))
    assert [text.partition(":")[0] for _to, text in sms.taken] == [f"MAK-000{number}" for number in range(1, 7)]


def test_somebody_who_left_during_the_storm_gets_no_digest_and_every_rung_goes_on(sms: Gateway) -> None:
    storm(6)
    build.gone(User.objects.get(phone=MANAGER))
    sending.send_due(at=at(0))
    assert sms.taken == []
    assert set(Notification.objects.filter(channel="sms").values_list("status", "notice__bar")) == {("withheld", "off")}


def test_a_person_who_gets_much_is_asked_about_by_two_queries_a_row(
    sms: Gateway, django_assert_num_queries: Any
) -> None:
    storm(2)
    notices = Notice.objects.select_related("notification").filter(notification__channel="sms")
    notice = notices.order_by("pk")[0]
    with django_assert_num_queries(2):
        assert digests.gather(notice, at=at(0)) == [notice]
