"""An alarm reaches a person or screams: from the verb or the sweep to what the mail server and the gateway took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import translation

from accounts.models import Membership, User
from contracts.models import EscalationStep
from incidents import lifecycle, sweeps
from incidents.journal import check_chain
from incidents.models import Firing, Incident, Notice, UnheardAlarm
from incidents.notices import alarms, sending
from incidents.notices import write as notices
from incidents.text import journal_lines
from messaging import gateway
from messaging.models import Notification
from tests import build
from wording.words import plain

pytestmark = pytest.mark.django_db


class Ways:
    """What the mail server and the gateway took, in order; `refused` holds addresses that they turn down."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.words: dict[str, str] = {}
        self.refused: set[str] = set()

    def take(self, channel: str, to: str, words: str) -> None:
        if to in self.refused:
            raise gateway.GatewayError(f"{to}: 550 no such user")
        self.taken.append((channel, to))
        self.words[to] = words


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ways]:
    made = Ways()

    def send_mail(self: EmailBackend, messages: list[Any]) -> int:
        for message in messages:
            made.take("email", message.to[0], f"{message.subject}\n{message.body}\n{message.alternatives}")
        return len(messages)

    def call(*, url: str, token: str, channel: str, to: str, text: str, key: str) -> None:
        made.take(channel, to, text)

    monkeypatch.setattr(EmailBackend, "send_messages", send_mail)
    monkeypatch.setattr(gateway, "send", call)
    yield made
    mail.outbox = []


def minutes(count: int, seconds: int = 0) -> datetime:
    return build.MONDAY + timedelta(minutes=count, seconds=seconds)


def with_ladder(*ladder: tuple[str, int, str, str]) -> build.World:
    return build.world(ladder=ladder, rhythms=())


def fired(world: build.World) -> Incident:
    """A P1 report whose rungs at half of the reaction fall due and are sent; what came before is forgotten."""
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    sweeps.sweep_clocks(at=minutes(15))
    sending.send_due(at=minutes(15))
    return incident


def line(incident: Incident) -> str:
    """The journal's last line about the ladder or an unheard notice, as staff read it in Polish."""
    entries = list(incident.journal.filter(kind__in=["escalated", "unheard"]).order_by("seq"))
    with translation.override("pl"):
        return plain(journal_lines.brief(entries[-1], journal_lines.names_of(entries)))


def open_alarms() -> list[str]:
    return list(UnheardAlarm.objects.open().values_list("audience", flat=True))


def test_a_client_who_answers_an_incident_of_somebody_who_left_is_heard_by_those_on_duty(ways: Ways) -> None:
    world = build.world()
    gone = build.staff("Jan Byl", on_call=False)
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=gone, at=minutes(1))
    build.gone(gone)
    build.clear_outbox()
    lifecycle.answer(incident=incident, by=world.reporter, at=minutes(2), text="Nadal nie działa.")
    sending.send_due(at=minutes(2))
    assert ways.taken == [("email", world.agent.email)]
    kept = Notification.objects.get(recipient=gone)
    assert (kept.status, kept.sent_at, kept.next_attempt_at) == ("withheld", None, None)
    assert Notice.objects.get(pk=kept.pk).bar == "off"
    assert open_alarms() == []


@pytest.mark.parametrize("verb", ["reject", "ask_for_manager"])
def test_a_rejection_and_a_wish_for_a_manager_reach_the_next_who_can_be_told(ways: Ways, verb: str) -> None:
    world = build.world()
    boss = build.staff("Adam Min", role="admin", on_call=False, phone="+48500")
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(1), text="Tylko odczyt.")
    lifecycle.resolve(incident=incident, by=world.agent, at=minutes(1), text="Działa.")
    build.gone(world.agent)
    build.gone(world.manager)
    build.clear_outbox()
    getattr(lifecycle, verb)(incident=incident, by=world.reporter, at=minutes(2), text="Sekret klienta.")
    sending.send_due(at=minutes(2))
    # The client, who wrote under a repair, is asked whether it works
    assert [way for way in ways.taken if way[1] != world.reporter.email] == [("email", boss.email)]
    told = ways.words[boss.email]
    assert "MAK-0001: nikogo nie udało się powiadomić" in told
    assert "2 marca 2026, 10:02:00" in plain(told)
    assert all(secret not in told for secret in ("Sekret", "mak.example", "Mak sp.", "zapłacić", "Ola"))


def test_a_break_in_with_nobody_on_duty_reaches_the_manager(ways: Ways) -> None:
    world = build.world()
    User.objects.filter(pk=world.agent.pk).update(on_call=False)
    build.incident(world.shop, by=world.reporter, what="break_in")
    sending.send_due(at=minutes(0))
    assert sorted(ways.taken) == sorted([("email", world.reporter.email), ("email", world.manager.email)])


def test_where_nobody_at_all_can_be_told_the_alarm_stands_until_somebody_is(ways: Ways) -> None:
    world = build.world()
    build.gone(world.agent)
    build.gone(world.manager)
    incident = build.incident(world.shop, by=world.reporter, what="break_in")
    sending.send_due(at=minutes(0))
    assert ways.taken == [("email", world.reporter.email)]
    alarm = UnheardAlarm.objects.get()
    assert (alarm.audience, alarm.opened_at, alarm.mended_at) == ("staff", minutes(0), None)
    assert UnheardAlarm.objects.visible_to(world.manager).open().get() == alarm
    assert not UnheardAlarm.objects.visible_to(world.reporter).exists()

    alarms.settle_due(at=minutes(0, 1))
    alarms.settle_due(at=minutes(0, 2))
    assert line(incident).endswith("Nikogo nie udało się powiadomić; nikt nie ma dyżuru; nie ma kierownika")
    assert incident.journal.filter(kind="unheard", public=False).count() == 1
    assert check_chain(incident.journal.order_by("seq")).broken_at == 0

    User.objects.filter(pk=world.agent.pk).update(is_active=True)
    alarms.settle_due(at=minutes(1, 1))
    assert open_alarms() == ["staff"]
    sending.send_due(at=minutes(1, 2))
    assert ways.taken[1:] == [("email", world.agent.email)]
    assert open_alarms() == []
    assert UnheardAlarm.objects.get().mended_at == minutes(1, 2)


def test_an_unheard_alarm_ends_with_an_act_by_hand_and_with_the_incident(ways: Ways) -> None:
    world = build.world()
    for person in (world.agent, world.manager):
        build.gone(person)
    first, second = (build.incident(world.shop, by=world.reporter) for _ in range(2))
    assert open_alarms() == ["staff", "staff"]
    lifecycle.say(incident=first, by=world.manager, at=minutes(1), text="Patrzymy.")
    lifecycle.cancel(incident=second, by=world.reporter, at=minutes(1), text="Pomyłka.")
    assert UnheardAlarm.objects.open().get().incident == first
    alarms.settle_due(at=minutes(2))
    assert set(UnheardAlarm.objects.values_list("mended_at", flat=True)) == {minutes(2)}


@pytest.mark.parametrize("left", [{"is_active": False}, {"provider_role": ""}])
@pytest.mark.parametrize("whom", ["assignee", "person"])
def test_a_rung_for_somebody_who_left_goes_to_the_chain(ways: Ways, whom: str, left: dict[str, Any]) -> None:
    world = with_ladder()
    gone = build.staff("Jan Byl", on_call=False)
    named = gone if whom == "person" else None
    EscalationStep.objects.create(
        version=world.version, target="restore", share=50, whom=whom, channel="email", person=named
    )
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=gone, at=minutes(1))
    build.gone(gone, **left)
    build.clear_outbox()
    sweeps.sweep_clocks(at=minutes(120))
    sending.send_due(at=minutes(120))
    assert ways.taken == [("email", world.agent.email)]
    why = "konto wyłączone" if "is_active" in left else "już u nas nie pracuje"
    assert f"powiadomiono: Anna Lis; nie udało się powiadomić: Jan Byl (e-mail: {why})" in line(incident)


def test_somebody_who_leaves_between_the_writing_and_the_sending_is_not_written_to(ways: Ways) -> None:
    world = with_ladder(("reaction", 50, "duty", "email"))
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    sweeps.sweep_clocks(at=minutes(15))
    build.gone(world.agent)
    assert sending.send_due(at=minutes(15)) == 1
    assert ways.taken == [("email", world.manager.email)]
    assert "powiadomiono: Marek Dyr; nie udało się powiadomić: Anna Lis (e-mail: konto wyłączone)" in line(incident)


def test_a_letter_goes_to_the_address_of_today(ways: Ways) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    User.objects.filter(pk=world.reporter.pk).update(email="nowy@mak.example")
    sending.send_due(at=minutes(0))
    assert ("email", "nowy@mak.example") in ways.taken
    assert ("email", world.reporter.email) not in ways.taken
    assert Notification.objects.get(recipient=world.reporter).address == "nowy@mak.example"


def test_a_text_message_to_nobodys_number_becomes_an_e_mail_and_goes_to_the_next_person_at_once(ways: Ways) -> None:
    world = with_ladder(("reaction", 50, "duty", "sms"))
    incident = fired(world)
    assert ways.taken == [("email", world.agent.email), ("sms", world.manager.phone)]
    entry = incident.journal.get(kind="escalated")
    assert entry.facts["people"] == [world.agent.pk, world.manager.pk]
    assert entry.facts["missed"] == [[world.agent.pk, "sms", "no_address"]]
    assert "Anna Lis (SMS: brak adresu dla tego kanału)" in line(incident)
    assert Firing.objects.get().entry == entry


def test_a_call_that_is_refused_becomes_an_e_mail_at_once_and_then_the_next_person(ways: Ways) -> None:
    world = with_ladder(("reaction", 50, "manager", "voice"))
    boss = build.staff("Adam Min", role="admin", on_call=False, phone="+48500")
    ways.refused = {world.manager.phone}
    fired(world)
    assert ways.taken == [("email", world.manager.email)]
    retried = Notification.objects.get(channel="voice")
    assert (retried.status, retried.next_attempt_at) == ("queued", minutes(16))

    other = build.incident(world.shop, by=world.reporter, at=minutes(30))
    build.clear_outbox()
    ways.refused, ways.taken = {world.manager.phone, world.manager.email}, []
    sweeps.sweep_clocks(at=minutes(45))
    sending.send_due(at=minutes(45))
    assert ways.taken == [("voice", boss.phone)]
    assert "Mak" not in ways.words[boss.phone]
    assert ways.words[boss.phone].endswith("Marek Dyr +48600100200")
    assert other.journal.get(kind="escalated").facts["missed"] == [
        [world.manager.pk, "voice", "refused"], [world.manager.pk, "email", "refused"],
    ]  # fmt: skip
    assert open_alarms() == []


def test_a_minute_of_silence_is_as_good_as_a_refusal_and_nothing_is_said_before(ways: Ways) -> None:
    world = with_ladder(("reaction", 50, "manager", "sms"))
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    sweeps.sweep_clocks(at=minutes(15))
    alarms.settle_due(at=minutes(15, 59))
    assert [row.channel for row in Notification.objects.all()] == ["sms"]
    assert not incident.journal.filter(kind="escalated").exists()
    alarms.settle_due(at=minutes(16))
    assert {row.channel for row in Notification.objects.all()} == {"sms", "email"}
    alarms.settle_due(at=minutes(17))
    assert open_alarms() == ["staff"]
    assert "nikogo nie udało się powiadomić; nie udało się powiadomić: Marek Dyr (SMS: serwer" in line(incident)

    sending.send_due(at=minutes(18))
    assert sorted(ways.taken) == [("email", world.manager.email), ("sms", world.manager.phone)]
    assert open_alarms() == []
    assert incident.journal.filter(kind="escalated").count() == 1
    assert check_chain(incident.journal.order_by("seq")).broken_at == 0


def test_a_role_and_a_named_person_at_one_share_get_one_notice_each(ways: Ways) -> None:
    world = with_ladder(("reaction", 50, "manager", "email"))
    EscalationStep.objects.create(
        version=world.version, target="reaction", share=50, whom="person", channel="email", person=world.manager
    )
    incident = fired(world)
    assert ways.taken == [("email", world.manager.email)]
    assert Firing.objects.count() == 2
    assert incident.journal.filter(kind="escalated").count() == 1
    assert {firing.entry for firing in Firing.objects.all()} == {incident.journal.get(kind="escalated")}


def test_who_no_longer_speaks_for_the_client_reads_no_more_and_those_who_do_are_told(ways: Ways) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    other = build.client("SOW")
    Membership.objects.filter(user=world.reporter).update(client=other)
    build.clear_outbox()
    lifecycle.say(incident=incident, by=world.agent, at=minutes(1), text="Cofamy wtyczkę.")
    sending.send_due(at=minutes(1))
    assert ways.taken == [("email", world.owner.email)]
    assert Notice.objects.get(notification__recipient=world.reporter).bar == "no_rights"


def test_a_membership_counts_until_the_end_of_its_last_local_day(ways: Ways) -> None:
    world = build.world()
    Membership.objects.filter(user=world.reporter).update(valid_until=build.MONDAY.date())
    incident = build.incident(world.shop, by=world.reporter)
    sending.send_due(at=minutes(0))
    ways.taken.clear()
    lifecycle.say(incident=incident, by=world.agent, at=build.at("2026-03-02 23:59"), text="Patrzymy.")
    sending.send_due(at=build.at("2026-03-02 23:59"))
    lifecycle.say(incident=incident, by=world.agent, at=build.at("2026-03-03 00:00"), text="Nadal.")
    sending.send_due(at=build.at("2026-03-03 00:00"))
    assert ways.taken == [("email", world.reporter.email), ("email", world.owner.email)]


def test_a_question_that_nobody_of_the_client_can_read_screams(ways: Ways) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    build.clear_outbox()
    Membership.objects.all().update(valid_until=build.at("2026-03-01 12:00").date())
    lifecycle.say(incident=incident, by=world.agent, at=minutes(1), text="Patrzymy.")
    assert open_alarms() == []
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(2), reason="client_answer", text="Od kiedy?")
    sending.send_due(at=minutes(2))
    assert ways.taken == []
    assert open_alarms() == ["client"]


def test_turned_off_notices_silence_no_question_delivery_breach_or_receipt(ways: Ways) -> None:
    world = with_ladder(("reaction", 50, "owner", "email"))
    User.objects.update(notices=False)
    incident = build.incident(world.shop, by=world.reporter)
    sweeps.sweep_clocks(at=minutes(15))
    lifecycle.say(incident=incident, by=world.agent, at=minutes(16), text="Patrzymy.")
    lifecycle.pause(incident=incident, by=world.agent, at=minutes(17), reason="client_answer", text="Od kiedy?")
    lifecycle.skip_backup(incident=incident, by=world.agent, at=minutes(18), text="Tylko odczyt.")
    lifecycle.work_around(incident=incident, by=world.agent, at=minutes(19), text="Przelew.")
    sending.send_due(at=minutes(20))
    heard = Notification.objects.filter(status="sent").exclude(recipient=world.agent).order_by("pk")
    assert [(row.recipient, row.subject) for row in heard] == [
        (world.reporter, "MAK-0001: przyjęliśmy zgłoszenie"),
        (world.owner, "MAK-0001: wykorzystano 50 % czasu (reakcja)"),
        (world.reporter, "MAK-0001: potrzebujemy odpowiedzi"),
        (world.reporter, "MAK-0001: sklep znów sprzedaje, działa obejście"),
    ]


def test_one_bad_topic_stops_no_other(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    settle = alarms.settle

    def breaks_once(name: str, *, at: datetime) -> None:
        monkeypatch.setattr(alarms, "settle", settle)
        raise ValueError(name)

    monkeypatch.setattr(alarms, "settle", breaks_once)
    build.incident(world.shop, by=world.reporter)
    assert sending.send_due(at=minutes(0)) == 4
    assert Notice.objects.filter(settle_at__isnull=False).get().settle_at == minutes(1)


def test_a_notice_names_what_it_tells_of(ways: Ways) -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    entry = incident.journal.get()
    assert {(row.entry, row.firing) for row in Notice.objects.all()} == {(entry, None)}
    topic = notices.Topic(incident, "staff", entry)
    assert Notice.objects.get(notification__recipient=world.agent).topic == topic.name
