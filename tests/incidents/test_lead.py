"""How an incident stands is one sentence, the same wherever somebody reads it, and true after every event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from incidents import lifecycle
from incidents.choices import Origin, Status
from incidents.models import Incident
from incidents.projection import proof
from incidents.text.clock_sentences import Reading
from incidents.text.lead import standing, standing_of
from messaging.models import Notification
from tests import build
from tests.pages import stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db


def moment(hour: int, minute: int = 0) -> datetime:
    """On the Monday of the report; past 24 h on the days after it."""
    return build.MONDAY + timedelta(hours=hour - 10, minutes=minute)


def at_once(world: build.World, hour: int, minute: int = 0) -> dict[str, Any]:
    return {"incident": Incident.objects.get(), "by": world.agent, "at": moment(hour, minute)}


# What happens at which hour to a P1 of 10:00, with what every place says then (in letters without the word "dziś")
RECEIVED = "Reakcja do dziś 10:30"
WALK: list[tuple[str, tuple[int, int], dict[str, Any], str, str]] = [
    ("acknowledge", (10, 8), {}, "clock", "Naprawa do dziś 14:00"),
    ("pause", (10, 30), {"reason": "third_party", "text": "Czekamy na operatora."}, "paused",
     "Czeka na podmiot trzeci od dziś 10:30"),
    ("resume", (11, 0), {"reason": "third_party"}, "clock", "Naprawa do dziś 14:30"),
    ("skip_backup", (11, 1), {"text": "Tylko ustawienie."}, "clock", "Naprawa do dziś 14:30"),
    ("work_around", (11, 30), {"text": "Płatność kartą działa."}, "workaround",
     "Działa obejście, usunięcie błędu do poniedziałku 9 mar, 11:30"),
    ("accept", (11, 40), {}, "workaround", "Działa obejście, usunięcie błędu do poniedziałku 9 mar, 11:30"),
    ("resolve", (12, 0), {"text": "BLIK też."}, "fixed", "Naprawione dziś 12:00, czeka na potwierdzenie"),
    ("reject", (12, 30), {"text": "Nie działa."}, "rejected",
     "Odrzucone, wraca do naprawy: do poniedziałku 9 mar, 12:00"),
    ("reject", (12, 45), {"text": "Obejście też nie."}, "rejected", "Odrzucone, wraca do naprawy: do dziś 15:45"),
    ("pause", (13, 0), {"reason": "client_wait", "text": "Prosiłeś o przerwę."}, "paused",
     "Klient prosi, żeby poczekać, od dziś 13:00"),
    ("resume", (13, 30), {"reason": "client_wait"}, "rejected", "Odrzucone, wraca do naprawy: do dziś 16:15"),
    ("resolve", (16, 30), {"text": "Teraz działa."}, "fixed", "Naprawione dziś 16:30, czeka na potwierdzenie"),
    ("accept", (17, 2), {}, "closed", "Zamknięte dziś 17:02"),
]  # fmt: skip
BY_CLIENT = {"accept", "reject"}


def everywhere(world: build.World, incident: Incident) -> dict[str, str]:
    """Place → what it says of the only incident."""
    client, staff = visitor(world.reporter), visitor(world.agent)
    page = f"/incidents/{incident.nr}/"
    texts = {
        "client's page": text_of(client.get(page)),
        "client's list": text_of(client.get("/incidents/")),
        "staff's page": text_of(staff.get(page)),
        "staff's list": text_of(staff.get("/incidents/")),
        "API": plain(client.get(f"/api{page}").json()["lead"]["sentence"]),
    }
    if not incident.is_ended:
        texts["home"] = text_of(client.get("/"))
    if incident.status not in {Status.RESOLVED, Status.CLOSED, Status.CANCELLED}:
        texts["queue"] = text_of(staff.get("/queue/"))
    return texts


def lead_of(incident: Incident, at: datetime, *, for_client: bool = False) -> tuple[str, str, str]:
    lead = standing(Incident.objects.with_row().get(pk=incident.pk), now=at, for_client=for_client).lead
    return lead.kind, lead.style, plain(lead.plain)


def test_every_place_says_the_same_after_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build.world(third_party_pause=True)
    incident = build.incident(world.shop, by=world.reporter)
    stop_clock(monkeypatch, moment(10))
    assert {place for place, text in everywhere(world, incident).items() if RECEIVED not in text} == set()
    kinds: set[str] = set()
    for verb, (hour, minute), facts, kind, sentence in WALK:
        build.clear_outbox()
        stop_clock(monkeypatch, moment(hour, minute))
        by = world.reporter if verb in BY_CLIENT else world.agent
        getattr(lifecycle, verb)(**{**at_once(world, hour, minute), "by": by}, **facts)
        incident = Incident.objects.get()
        said = lead_of(incident, moment(hour, minute))
        assert (said[0], said[2].startswith(sentence)) == (kind, True), (verb, said)
        pages = {} if kind in kinds else everywhere(world, incident)
        assert {place for place, text in pages.items() if sentence not in text} == set(), (verb, sentence)
        kinds.add(kind)
        for letter in Notification.objects.filter(channel="email"):
            assert sentence.replace("dziś ", "") in plain(letter.body), (verb, letter.recipient)
    assert list(proof.differences(at=moment(18))) == []


def test_an_ended_incident_says_which_deadline_was_missed_by_how_much() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(**at_once(world, 10, 8))
    lifecycle.skip_backup(**at_once(world, 10, 9), text="Tylko odczyt.")
    lifecycle.resolve(**at_once(world, 15), text="Działa.")
    assert lead_of(incident, moment(15)) == (
        "fixed", "late", "Naprawione dziś 15:00, czeka na potwierdzenie, po terminie o 1 h",
    )  # fmt: skip
    lifecycle.accept(**{**at_once(world, 34), "by": world.owner})
    assert lead_of(incident, moment(35)) == ("closed", "late", "Zamknięte dziś 10:00, naprawa po terminie o 1 h")
    assert lead_of(incident, moment(59)) == ("closed", "late", "Zamknięte wczoraj 10:00, naprawa po terminie o 1 h")


def test_a_withdrawal_before_a_deadline_leaves_no_verdict_and_one_after_it_does() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.cancel(**{**at_once(world, 10, 20), "by": world.reporter}, text="Pomyłka.")
    assert lead_of(incident, moment(11)) == ("withdrawn", "off", "Wycofane dziś 10:20")


def test_a_withdrawal_after_a_missed_deadline_keeps_it() -> None:
    world = build.world()
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.cancel(**{**at_once(world, 15), "by": world.reporter}, text="Pomyłka.")
    kind, style, sentence = lead_of(incident, moment(16))
    assert (kind, style) == ("withdrawn", "late")
    assert sentence.startswith("Wycofane dziś 15:00, naprawa po terminie o 1 h")


def test_what_has_no_clock_says_why_and_how_far_it_is() -> None:
    world = build.world()
    question = build.incident(world.shop, by=world.reporter, what="question")
    assert lead_of(question, moment(11)) == ("question", "next", "Pytanie lub zmiana: bez zegara SLA")
    lifecycle.resolve(**at_once(world, 11), text="Tak, można.")
    assert lead_of(question, moment(11)) == ("fixed", "met", "Załatwione dziś 11:00, czeka na potwierdzenie")
    lifecycle.reject(**{**at_once(world, 11, 5), "by": world.reporter}, text="Nie o to pytam.")
    assert lead_of(question, moment(11, 5)) == ("rejected", "next", "Odrzucone dziś 11:05, wraca do naprawy")


def test_a_category_without_a_repair_time_is_in_work_and_no_met_reaction_leads() -> None:
    world = build.world(targets=(("P1", 30, 0, 0),), ladder=())
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(**at_once(world, 10, 8))
    assert lead_of(incident, moment(11)) == ("no_clock", "next", "W pracy od dziś 10:08, żaden termin nie biegnie")
    lifecycle.skip_backup(**at_once(world, 10, 9), text="Tylko odczyt.")
    lifecycle.work_around(**at_once(world, 12), text="Da się.")
    assert lead_of(incident, moment(13)) == ("workaround", "met", "Obejście od dziś 12:00, czeka na potwierdzenie")
    lifecycle.resolve(**at_once(world, 13), text="Działa.")
    lifecycle.reject(**{**at_once(world, 14), "by": world.reporter}, text="Nie działa.")
    assert lead_of(incident, moment(14)) == (
        "rejected", "next", "Odrzucone dziś 14:00, wraca do naprawy, żaden termin nie biegnie",
    )  # fmt: skip


def test_the_list_of_those_that_wait_for_the_client_is_the_incidents_own_word() -> None:
    world = build.world()
    waits = []
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.skip_backup(**at_once(world, 10, 1), text="Tylko odczyt.")
    for verb, facts in [
        ("acknowledge", {}),
        ("pause", {"reason": "client_answer", "text": "Kto?"}),
        ("resume", {"reason": "client_answer"}),
        ("work_around", {"text": "Da się."}),
        ("accept", {}),
        ("resolve", {"text": "Działa."}),
        ("reject", {"text": "Nie."}),
    ]:
        by = world.reporter if verb in BY_CLIENT else world.agent
        getattr(lifecycle, verb)(**{**at_once(world, 11), "by": by}, **facts)
        incident = Incident.objects.get()
        listed = Incident.objects.waiting_for_client().filter(pk=incident.pk).exists()
        assert listed == incident.waits_for_client, verb
        waits.append(listed)
    assert waits == [False, True, False, True, False, True, False]


def test_what_our_monitor_opened_waits_for_a_person_where_the_contract_says_so() -> None:
    incident = Incident(status=Status.NEW, origin=Origin.MONITOR, severity="P1", version=build.world().version)
    reading = Reading(moment(10), incident.zone, for_client=True)
    assert str(standing_of(incident, [], reading).lead.lead) == "Zegary ruszą ze zgłoszeniem człowieka"
