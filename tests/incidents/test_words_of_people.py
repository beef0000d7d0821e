"""A person's words from the form to the letter: no card number stays anywhere, no letter falls over a line break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.db import IntegrityError, transaction

from accounts.models import Client, User
from contracts.models import Shop
from incidents import journal, lifecycle, reporting
from incidents.events import Kind
from incidents.models import Incident, JournalEntry
from incidents.notices import sending
from incidents.reporting import Details
from messaging import outbox
from messaging.models import Notification
from tests import build, tamper
from tests.incidents.test_api import Caller, report
from tests.pages import stop_clock, text_of, visitor
from wording.refusals import Refused

pytestmark = pytest.mark.django_db
CARD, SHOWN = "4111 1111 1111 1111", "•••• •••• •••• 1111"
NOTICE = "Zamaskowaliśmy numer karty: zapisane są tylko cztery ostatnie cyfry."
NUMBERS = (  # none of them a card's
    "zamówienie 2026112621153300, EAN 5901234123457, tel. +48 600 100 200, NIP 5261040828, REGON 01234567800011, "
    "konto 61109010140000071219812874, PL61 1090 1014 0000 0712 1981 2874"
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, build.MONDAY)
    return build.world()


def everything_stored() -> str:
    """Every row of every table, sessions too, without what may stand between digits."""
    rows = [row for model in apps.get_models() for row in model._base_manager.all()]
    return str(serializers.serialize("json", rows)).replace(" ", "").replace("-", "")


def test_of_a_card_number_in_a_report_four_digits_reach_page_journal_letter_and_nothing_more(
    world: build.World,
) -> None:
    page = visitor(world.reporter)
    typed = {
        "what": "no_payment", "sentence": f"Karta {CARD}\r\nodrzucona", "affected": f"pan z {CARD}",
        "page": "mak.example/?card=4111111111111111", "order_number": "4111-1111-1111-1111", "phone": CARD,
        "key": "6f1c2a44-0000-4000-8000-000000000001",
    }  # fmt: skip
    answer = page.post("/report/", typed)
    assert (answer.status_code, answer["Location"]) == (302, "/incidents/MAK-0001/receipt/")
    assert NOTICE in text_of(page.get(answer["Location"]))
    incident = Incident.objects.get()
    assert (incident.sentence, incident.affected) == (f"Karta {SHOWN}\nodrzucona", f"pan z {SHOWN}")
    assert (incident.page, incident.order_number) == ("mak.example/?card=••••••••••••1111", SHOWN.replace(" ", "-"))
    assert incident.phone == SHOWN
    assert incident.journal.get(kind="received").text == incident.sentence
    assert SHOWN in Notification.objects.filter(recipient=world.reporter)[0].body
    assert page.post("/report/", typed)["Location"] == answer["Location"]
    assert (Incident.objects.count(), "4111111111111111" in everything_stored()) == (1, False)


def test_every_way_in_masks_it_and_says_so(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    pages = {"client": visitor(world.reporter), "staff": visitor(world.agent)}
    told = pages["client"].post("/incidents/MAK-0001/answer/", {"text": f"Moja karta to {CARD}"}, follow=True)
    assert NOTICE in text_of(told)
    for verb, typed in {"say": {"text": CARD}, "note": {"text": CARD}, "backup": {"where": CARD}}.items():
        assert NOTICE in text_of(pages["staff"].post(f"/incidents/MAK-0001/{verb}/", typed, follow=True)), verb
    assert NOTICE not in text_of(pages["staff"].get("/incidents/MAK-0001/"))
    words = incident.journal.filter(seq__gt=1).order_by("seq").values_list("text", "personal")
    backup = {"where": SHOWN, "size": "", "checksum": ""}
    assert list(words) == [(f"Moja karta to {SHOWN}", {}), (SHOWN, {}), (SHOWN, {}), ("", backup)]
    assert "4111111111111111" not in everything_stored()


def test_the_api_masks_it_and_names_the_field(world: build.World) -> None:
    reporter = Caller(world.reporter)
    key = "6f1c2a44-0000-4000-8000-000000000002"
    first = report(reporter, sentence=f"Karta {CARD}", form_key=key)
    assert (first.status_code, first.json()["masked"], first.json()["sentence"]) == (
        201,
        ["sentence"],
        f"Karta {SHOWN}",
    )
    assert first.json()["notice"].startswith("Zamaskowaliśmy")
    again = report(reporter, sentence=f"Karta {CARD}", form_key=key)
    assert (again.status_code, again.json()["nr"], again.json()["masked"]) == (201, "MAK-0001", ["sentence"])
    answer = reporter.post("incidents/MAK-0001/answer/", text=4111111111111111).json()
    assert answer["masked"] == ["text"]
    quiet = reporter.post("incidents/MAK-0001/answer/", text=NUMBERS).json()
    assert (quiet["masked"], quiet["notice"]) == ([], "")
    lines = reporter.get("incidents/MAK-0001/journal/").json()["results"]
    assert [line["text"] for line in lines] == [f"Karta {SHOWN}", "••••••••••••1111", NUMBERS]
    assert "notice" not in reporter.get("incidents/MAK-0001/").json()
    assert "4111111111111111" not in everything_stored()


def test_verbs_of_commands_and_monitors_store_none_either(world: build.World) -> None:
    details = Details(affected=f"ktoś\n{CARD}", page="\u200b")
    incident = reporting.report(
        shop=world.shop, what="slower", by=world.reporter, at=build.MONDAY, sentence=f"{CARD}\0\r\n", details=details
    )
    assert (incident.sentence, incident.affected, incident.page) == (SHOWN, f"ktoś {SHOWN}", "")
    entry = journal.append(
        incident, Kind.MONITOR_FAILED, by=None, at=build.MONDAY, text=f"Strona: {CARD}", actor="monitor"
    )
    assert entry.text == f"Strona: {SHOWN}"
    assert "4111111111111111" not in everything_stored()


BLANK = "\u200b\u2800\n\u3164"


@pytest.mark.parametrize("verb", ["answer", "say", "note", "cancel"])
def test_a_text_of_invisible_characters_is_no_text(world: build.World, verb: str) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    head = incident.journal_head
    user = world.agent if verb in {"say", "note"} else world.reporter
    answer = visitor(user).post(f"/incidents/MAK-0001/{verb}/", {"text": BLANK})
    assert answer.status_code == 422
    assert Caller(user).post(f"incidents/MAK-0001/{verb}/", text=BLANK).status_code == 400
    act: Callable[..., Incident] = getattr(lifecycle, verb)
    with pytest.raises(Refused):
        act(incident=incident, by=user, at=build.MONDAY, text=BLANK)
    assert Incident.objects.get().journal_head == head


def test_an_optional_text_of_invisible_characters_is_empty(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    assert visitor(world.agent).post("/incidents/MAK-0001/react/", {"text": BLANK}).status_code == 302
    said = JournalEntry.objects.get(kind="contact").text
    assert said == f"Tu {world.agent.name}. Pracuję nad tym zgłoszeniem."


def of_before(row: Any, name: str) -> None:
    """A name as it stood in a database before names were held to one line."""
    tamper.drop_checks(row)
    tamper.change(row, name=name)


@pytest.mark.parametrize("break_", ["\n", "\r\nBcc: kto@inny.example\r\n", "\u2028"])
def test_letters_leave_whatever_names_an_old_installation_holds(world: build.World, break_: str) -> None:
    for row, name in ((world.agent, "Anna"), (world.reporter, "Ola"), (world.shop, "mak"), (world.client, "Mak")):
        of_before(row, f"{name}{break_}Druga")
    incident = build.incident(Shop.objects.get(), by=User.objects.get(pk=world.reporter.pk))
    lifecycle.say(incident=incident, by=User.objects.get(pk=world.agent.pk), at=build.MONDAY, text="Jesteśmy.")
    # And a subject that was queued before the upgrade
    queued = Notification.objects.filter(notice__entry__kind="contact", recipient=world.reporter)
    queued.update(subject=f"MAK-0001: wiadomość od Anna{break_}Druga")
    for letter in Notification.objects.filter(channel="email"):
        mail = outbox.message(letter, outbox.Text(letter.body)).message()
        assert (mail["To"], mail["Bcc"]) == (letter.address, None)
    assert "\n" not in outbox.message(queued.get(), outbox.Text("")).message()["Subject"].replace("\n ", " ")
    assert sending.send_due(at=build.MONDAY) == Notification.objects.filter(status="sent").count() > 2


def test_the_database_keeps_names_in_one_line(world: build.World) -> None:
    for model, row in ((User, world.agent), (Client, world.client), (Shop, world.shop)):
        with pytest.raises(IntegrityError, match="is_one_line"), transaction.atomic():
            model.objects.filter(pk=row.pk).update(name="a\u2028b")
