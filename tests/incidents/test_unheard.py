"""An alarm that reached nobody: the red bar on every page of our people; words that arrived at nobody say so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from incidents import lifecycle
from incidents.models import Incident, Notice, UnheardAlarm
from incidents.notices import alarms, sending
from incidents.notices.reach import Bar
from messaging.models import Notification
from tests import build
from tests.pages import markup, stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
AT = build.MONDAY
ALARM = "Alarm nie dotarł do nikogo"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, AT + timedelta(minutes=30))
    world = build.world()
    build.incident(world.shop, by=world.reporter)
    build.staff("Ada Min", role="admin", on_call=False)
    return world


def unheard(audience: str = "staff", number: int = 1) -> UnheardAlarm:
    incident, at = Incident.objects.earliest("pk"), AT + timedelta(minutes=number)
    return UnheardAlarm.objects.create(
        incident=incident, topic=f"entry-{number}-{audience}", audience=audience, opened_at=at, look_at=at
    )


@pytest.mark.parametrize("path", ["/queue/", "/incidents/", "/incidents/MAK-0001/", "/breaches/", "/account/"])
def test_every_page_of_our_people_shows_the_red_bar_until_it_is_mended(world: build.World, path: str) -> None:
    page, alarm = visitor(world.manager), unheard()
    shown = page.get(path)
    assert markup(shown).count('role="alert"><p><b><svg') == 1
    assert f"{ALARM} MAK-0001, od dziś 10:01 : nikogo z nas nie udało się powiadomić. Otwórz je i przejmij." in text_of(
        shown
    )
    assert 'href="/incidents/MAK-0001/"' in shown.content.decode()
    UnheardAlarm.objects.filter(pk=alarm.pk).update(mended_at=AT + timedelta(minutes=20))
    assert ALARM not in text_of(page.get(path))


def test_an_administrator_reads_number_and_time_and_no_words_of_the_client(world: build.World) -> None:
    unheard()
    unheard("client")
    for path in ("/settings/health/", "/settings/users/", "/account/"):
        shown = visitor(User.objects.get(name="Ada Min")).get(path)
        said = text_of(shown)
        assert "MAK-0001, od dziś 10:01 : nikogo z zespołu nie udało się powiadomić." in said
        assert "Klienci nie mogą zapłacić" not in said
        assert "/incidents/MAK-0001/" not in shown.content.decode()
    assert "2 alarmy nie dotarły do nikogo." in text_of(
        visitor(User.objects.get(name="Ada Min")).get("/settings/health/")
    )


def test_clients_see_no_bar_and_their_pages_ask_nothing_for_it(world: build.World) -> None:
    unheard()
    page = visitor(world.reporter)
    for path in ("/", "/incidents/MAK-0001/", "/account/"):
        with CaptureQueriesContext(connection) as queries:
            assert ALARM not in text_of(page.get(path))
        assert not [query for query in queries if "unheardalarm" in query["sql"] and '"nr"' in query["sql"]]
    assert page.get("/unheard/").status_code == 404


def test_the_bar_is_one_query_however_many_alarms_and_says_each_incident_once(world: build.World) -> None:
    page = visitor(world.agent)
    for count in (1, 4):
        for number in range(count):
            unheard(number=count * 10 + number)
        with CaptureQueriesContext(connection) as queries:
            said = text_of(page.get("/account/"))
        assert len([query for query in queries if "unheardalarm" in query["sql"]]) == 1
        assert said.count("MAK-0001") == 1


def test_a_live_page_asks_for_the_bar_and_hears_of_each_change_once(world: build.World) -> None:
    page = visitor(world.agent)
    address = address_of(page.get("/queue/").content.decode())
    assert page.get(address).status_code == 204
    unheard()
    changed = page.get(address)
    assert ALARM in text_of(changed)
    again = address_of(changed.content.decode())
    assert again != address
    assert page.get(again).status_code == 204


def address_of(body: str) -> str:
    return " ".join(body.split()).split('id="red-bar" hx-get="')[1].split('"', maxsplit=1)[0]


def test_a_question_whose_letters_all_failed_says_so_on_both_pages_and_in_the_api(world: build.World) -> None:
    incident = Incident.objects.get()
    lifecycle.pause(incident=incident, by=world.agent, at=AT, reason="client_answer", text="Który bank?")
    lifecycle.say(incident=incident, by=world.agent, at=AT, text="Szukamy dalej.")
    build.clear_outbox()
    question, message = (incident.journal.get(kind=kind) for kind in ("paused", "contact"))
    for entry, address, status, bar in (
        (question, world.reporter, "failed", ""), (question, world.owner, "withheld", "no_rights"),
        (message, world.reporter, "failed", ""), (message, world.owner, "sent", ""),
    ):  # fmt: skip
        row = Notification.objects.create(
            key=f"{entry.pk}-{address.pk}",
            recipient=address,
            channel="email",
            address=address.email,
            subject="x",
            body="x",
            created_at=AT,
            status=status,
        )
        Notice.objects.create(notification=row, incident=incident, entry=entry, audience="client", bar=bar)
    for person, words in (
        (world.agent, "Żaden e-mail w tej sprawie nie dotarł do klienta. Zadzwoń."),
        (world.reporter, "Tej wiadomości nie udało nam się dostarczyć e-mailem."),
    ):
        for path in ("/incidents/MAK-0001/", "/incidents/MAK-0001/journal/"):
            said = text_of(visitor(person).get(path))
            assert said.count(words) == 1
            assert said.index("Który bank?") < said.index(words)
        answer = visitor(person).get("/api/incidents/MAK-0001/journal/").json()["results"]
        assert [line["kind"] for line in answer if line["undelivered"]] == ["paused"]


def test_notices_turned_off_and_letters_on_their_way_are_no_failure(world: build.World) -> None:
    incident = Incident.objects.get()
    lifecycle.say(incident=incident, by=world.agent, at=AT, text="Szukamy.")
    build.clear_outbox()
    message = incident.journal.get(kind="contact")
    row = Notification.objects.create(
        key="1",
        recipient=world.reporter,
        channel="email",
        address="x@y.example",
        subject="x",
        body="x",
        created_at=AT,
        status="queued",
    )
    notice = Notice.objects.create(notification=row, incident=incident, entry=message, audience="client")
    page = visitor(world.reporter)
    first = page.get("/incidents/MAK-0001/?part=live")
    assert "dostarczyć" not in text_of(first)
    alarms.withhold(notice, Bar.MUTED)
    assert "dostarczyć" not in text_of(page.get("/incidents/MAK-0001/?part=live"))
    Notification.objects.filter(pk=row.pk).update(status="failed")
    Notice.objects.filter(pk=row.pk).update(bar="")
    assert "dostarczyć" in text_of(page.get(f"/incidents/MAK-0001/?part=live&mark={first.headers.get('ETag', '')}"))


def test_a_question_that_nobody_of_the_client_may_read_goes_the_whole_way_to_the_bar(world: build.World) -> None:
    """Rights that ran out, a question by the verb, the outbox, the bar, until somebody may read it again."""
    incident = Incident.objects.get()
    build.clear_outbox()
    Membership.objects.update(valid_until=AT.date() - timedelta(days=1))
    lifecycle.pause(incident=incident, by=world.agent, at=AT, reason="client_answer", text="Od kiedy?")
    sending.send_due(at=AT)
    said = text_of(visitor(world.agent).get("/incidents/MAK-0001/"))
    assert f"{ALARM} MAK-0001, od dziś 10:00 : do nikogo u klienta nie dociera e-mail. Zadzwoń do klienta." in said
    assert "Żaden e-mail w tej sprawie nie dotarł do klienta. Zadzwoń." in said
    Membership.objects.update(valid_until=None)
    alarms.settle_due(at=AT + timedelta(minutes=2))
    sending.send_due(at=AT + timedelta(minutes=2))
    said = text_of(visitor(world.agent).get("/incidents/MAK-0001/"))
    assert (ALARM in said, "Żaden e-mail w tej sprawie" in said) == (False, False)
