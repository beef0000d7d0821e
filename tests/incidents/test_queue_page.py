"""The queue: groups by the instant of the nearest deadline, filters as links, cells that change in place, one click."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Client as ClientRow
from accounts.models import User
from contracts.models import Calendar, CalendarDay, Shop
from contracts.terms import moment
from incidents import journal, lifecycle, queue
from incidents.choices import Status
from incidents.events import Kind
from incidents.models import Incident, JournalEntry
from messaging import heartbeat
from messaging.models import Heartbeat, Notification
from tests import build
from tests.owner import as_owner
from tests.pages import MANY, counted, markup, stop_clock, text_of, visitor

pytestmark = pytest.mark.django_db
NOON = build.at("2026-03-02 12:00")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, NOON)
    made = build.world()
    Calendar.objects.filter(pk=build.office_hours().pk).update(is_office=True)
    return made


@pytest.fixture
def page(world: build.World) -> Client:
    return visitor(world.agent)


def reported(world: build.World, what: str, hour: str, **more: Any) -> Incident:
    return build.incident(world.shop, by=world.reporter, what=what, at=build.at(f"2026-03-02 {hour}"), **more)


def paused(world: build.World, hour: str = "9:00") -> Incident:
    incident = reported(world, "slower", f"0{hour}")
    lifecycle.pause(incident=incident, by=world.agent, at=NOON, reason="client_answer", text="Który produkt?")
    return incident


def day(world: build.World) -> None:
    """One of each group, filed in another order than the queue's."""
    paused(world)
    reported(world, "question", "11:10")
    reported(world, "slower", "11:00")
    reported(world, "some_payments", "11:00")
    reported(world, "closed", "11:50")
    reported(world, "no_orders", "10:00")


def groups_of(response: Any) -> dict[str, list[str]]:
    """Each group's heading with the numbers of its rows."""
    found = {}
    for body in markup(response).split('<tr role="row" class="group">')[1:]:
        heading = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.split("</th>")[0])).strip()
        found[heading] = re.findall(r'class="q-nr"><a href="/incidents/([A-Z]+-\d+)/"', body)
    return found


def row_of(response: Any, incident: Incident) -> str:
    found = re.search(rf'<tr role="row" class="q [^"]*" id="q-{incident.pk}".*?</tr>', markup(response))
    assert found, f"{incident} has no row"
    return found[0]


def cell(row: str, name: str) -> str:
    found = re.search(rf'class="q-{name}">(.*?)</td>', row, re.DOTALL)
    assert found
    text = re.sub(r"<[^>]+>", " ", found[1].replace("&nbsp;", " ").replace("\u00a0", " "))
    return re.sub(r"\s+", " ", text).strip()


def test_the_groups_follow_the_instant_of_the_nearest_deadline(page: Client, world: build.World) -> None:
    day(world)
    assert groups_of(page.get("/queue/")) == {
        "Po terminie 1": ["MAK-0006"],
        "Teraz 1, mniej niż godzina": ["MAK-0005"],
        "Zanim wyjdziesz 1, do 16:00 albo zaraz po otwarciu": ["MAK-0004"],
        "Dalej 2": ["MAK-0003", "MAK-0002"],
        "Czekają na klienta 1": ["MAK-0001"],
    }


@pytest.mark.parametrize(
    ("due", "group"),
    [
        ("2026-03-02 11:59:59", "overdue"),
        ("2026-03-02 12:00:00", "now"),
        ("2026-03-02 12:59:59", "now"),
        ("2026-03-02 13:00:00", "leave"),
        ("2026-03-03 08:59:59", "leave"),
        ("2026-03-03 09:00:00", "later"),
    ],
)
def test_a_group_begins_at_its_second(world: build.World, due: str, group: str) -> None:
    reported(world, "slower", "11:00")
    Incident.objects.update(due_at=build.at(due))
    assert [found.key for found in queue.look(queue.Selection(world.agent.pk), NOON).groups] == [group]


@pytest.mark.parametrize(
    ("now", "closes", "reaches"),
    [
        ("2026-03-02 12:00", "2026-03-02 16:00", "2026-03-03 09:00"),
        ("2026-03-02 07:00", None, "2026-03-02 09:00"),
        ("2026-03-06 15:59", "2026-03-06 16:00", "2026-03-09 09:00"),
        ("2026-03-07 12:00", None, "2026-03-09 09:00"),
    ],
)
def test_before_you_leave_reaches_an_hour_into_the_next_opening(
    world: build.World, now: str, closes: str | None, reaches: str
) -> None:
    boundary = queue.boundary(build.at(now))
    assert (boundary.closes, boundary.reaches) == ((closes and build.at(closes)) or None, build.at(reaches))


def test_without_office_hours_the_group_takes_the_next_twelve_hours(world: build.World) -> None:
    Calendar.objects.update(is_office=False)
    assert queue.boundary(NOON) == queue.Boundary(None, None)
    assert queue.boundary(NOON).reach(NOON) == NOON + timedelta(hours=12)


def test_what_is_fixed_waits_for_the_client_and_not_in_the_queue(page: Client, world: build.World) -> None:
    incident = reported(world, "typo", "11:00")
    lifecycle.resolve(incident=incident, by=world.agent, at=NOON, text="Poprawione.")
    said = text_of(page.get("/queue/"))
    assert "MAK-0001" not in said
    assert "Nic nie czeka" in said
    assert "1 naprawione zgłoszenie czeka na potwierdzenie klienta" in said


def test_the_filter_of_the_client_s_turn_has_what_stands_for_an_answer_and_what_is_fixed(
    page: Client, world: build.World
) -> None:
    paused(world)
    lifecycle.resolve(incident=reported(world, "typo", "11:00"), by=world.agent, at=NOON, text="Poprawione.")
    stands = reported(world, "slower", "11:10")
    lifecycle.pause(incident=stands, by=world.agent, at=NOON, reason="force_majeure", text="Powódź.")
    assert groups_of(page.get("/queue/?show=client")) == {
        "Czekają na klienta 1": ["MAK-0001"],
        "Naprawione, bez potwierdzenia klienta 1": ["MAK-0002"],
    }
    assert groups_of(page.get("/queue/")) == {"Czekają na klienta 1": ["MAK-0001"], "Wstrzymane 1": ["MAK-0003"]}
    assert "Czekają na klienta 2" in text_of(page.get("/queue/"))
    assert Incident.objects.waiting_for_client().count() == 2


def test_a_row_tells_what_when_how_much_who_and_what_to_do(page: Client, world: build.World) -> None:
    incident = reported(world, "closed", "11:50")
    row = row_of(page.get("/queue/"), incident)
    cells = {name: cell(row, name) for name in ("nr", "what", "clock", "used", "next", "who", "act")}
    assert cells == {
        "nr": "MAK-0001 mak.example",
        "what": "Sklep się nie otwiera Mak sp. z o.o.",
        "clock": "Reakcja do dziś 12:20 zostało 20 min",
        "used": "33 %",
        "next": "bez terminu",
        "who": "nikt",
        "act": "Reaguję MAK-0001",
    }


def test_a_row_in_work_has_its_person_and_the_next_update(page: Client, world: build.World) -> None:
    incident = reported(world, "closed", "11:50")
    lifecycle.acknowledge(incident=incident, by=world.agent, at=NOON)
    row = row_of(page.get("/queue/"), incident)
    assert (cell(row, "who"), cell(row, "next"), cell(row, "act")) == ("Anna", "13:00", "Pisz MAK-0001")
    assert cell(row, "clock").startswith("Naprawa do dziś 15:50")


def test_a_row_says_what_people_did_last_and_not_the_machine(page: Client, world: build.World) -> None:
    incident = reported(world, "closed", "11:20")
    row = row_of(page.get("/queue/"), incident)
    assert cell(row, "last") == "11:20 klient Zgłoszenie przyjęte (portal), Ola Mak"
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.at("2026-03-02 11:25"))
    lifecycle.answer(incident=incident, by=world.reporter, at=build.at("2026-03-02 11:40"), text="Nadal nie działa.")
    incident.refresh_from_db()
    journal.append(incident, Kind.UPDATE_MISSED, by=None, at=NOON)
    incident.save()
    row = row_of(page.get("/queue/"), incident)
    assert cell(row, "last") == "11:40 klient Ola: Nadal nie działa."


def test_a_paused_row_has_no_deadline(page: Client, world: build.World) -> None:
    incident = paused(world)
    row = row_of(page.get("/queue/"), incident)
    assert cell(row, "clock") == "Czeka na klienta od dziś 12:00 zostało 21 h pracy"
    assert cell(row, "act") == "Otwórz MAK-0001"


def test_flags_say_a_possible_leak_and_a_contested_category(page: Client, world: build.World) -> None:
    leak, contested = reported(world, "break_in", "11:50"), reported(world, "slower", "11:55")
    lifecycle.contest(incident=contested, by=world.reporter, at=NOON, text="Połowa klientów szuka po rozmiarze.")
    response = page.get("/queue/")
    assert "możliwy wyciek" in cell(row_of(response, leak), "what")
    assert "sporne" in cell(row_of(response, contested), "what")


def test_filters_are_links_that_say_how_many(page: Client, world: build.World) -> None:
    day(world)
    lifecycle.acknowledge(incident=Incident.objects.get(nr="MAK-0006"), by=world.manager, at=NOON)
    tabs = re.search(r'<ul class="tabs"[^>]*>(.*?)</ul>', page.get("/queue/").content.decode(), re.DOTALL)
    assert tabs
    assert re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', tabs[1]) == [
        ("/queue/", "Wszystkie 6"), ("/queue/?show=mine", "Moje 1"), ("/queue/?show=nobody", "Bez opiekuna 4"),
        ("/queue/?show=p1", "P1 2"), ("/queue/?show=client", "Czekają na klienta 1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("show", "numbers"),
    [
        ("mine", {"MAK-0001"}),
        ("nobody", {"MAK-0002", "MAK-0003", "MAK-0004", "MAK-0005"}),
        ("p1", {"MAK-0005", "MAK-0006"}),
        ("unknown", {"MAK-0001", "MAK-0002", "MAK-0003", "MAK-0004", "MAK-0005", "MAK-0006"}),
    ],
)
def test_a_filter_leaves_its_rows(page: Client, world: build.World, show: str, numbers: set[str]) -> None:
    day(world)
    lifecycle.acknowledge(incident=Incident.objects.get(nr="MAK-0006"), by=world.manager, at=NOON)
    found = groups_of(page.get("/queue/", {"show": show}))
    assert {nr for rows in found.values() for nr in rows} == numbers


def test_an_empty_filter_still_says_the_nearest_deadline(page: Client, world: build.World) -> None:
    reported(world, "slower", "11:00")
    said = text_of(page.get("/queue/?show=p1"))
    assert "Najbliższy termin: jutro 11:00, MAK-0001." in said


@pytest.fixture
def full(page: Client, world: build.World, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A page of four rows, of which each group keeps one; three are due now, three later."""
    monkeypatch.setattr(queue, "ROWS", 4)
    monkeypatch.setattr(queue, "LEAST", 1)
    for hour in ("11:50", "11:51", "11:52"):
        reported(world, "closed", hour)
    for hour in ("11:00", "11:01", "11:02"):
        reported(world, "slower", hour)
    return page


def test_a_page_is_bounded_and_each_group_counts_all_and_keeps_its_first(full: Client) -> None:
    response = full.get("/queue/")
    assert groups_of(response) == {
        "Teraz 3, mniej niż godzina": ["MAK-0001", "MAK-0002", "MAK-0003"],
        "Dalej 3, pokaż wszystkie 3": ["MAK-0004"],
    }
    assert 'href="/queue/?group=later"' in response.content.decode()


def test_the_rest_of_a_group_has_an_address_and_pages(full: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "ROWS", 2)
    first = full.get("/queue/?group=later")
    assert groups_of(first) == {"Dalej 3": ["MAK-0004", "MAK-0005"]}
    assert 'href="?group=later&amp;page=2"' in first.content.decode()
    assert 'hx-get="/queue/live/?group=later"' in first.content.decode()
    second = full.get("/queue/?group=later&page=2")
    assert groups_of(second) == {"Dalej 3": ["MAK-0006"]}
    assert "Późniejsze terminy" not in text_of(second)
    assert 'href="?group=later&amp;page=1"' in second.content.decode()
    assert full.get("/queue/live/", {"group": "later", "page": "2"} | state_of(second)).status_code == 204


def test_a_group_that_isn_t_there_is_the_whole_queue(full: Client) -> None:
    assert list(groups_of(full.get("/queue/?group=nonsense&page=9"))) == list(groups_of(full.get("/queue/")))


def test_the_queue_asks_the_database_as_often_with_many_rows(page: Client, world: build.World) -> None:
    reported(world, "closed", "11:50")
    page.get("/queue/")
    with counted("queue"):
        page.get("/queue/")
    fill(world)
    with counted("queue"):
        assert sum(map(len, groups_of(page.get("/queue/")).values())) == 1 + MANY


def fill(world: build.World) -> None:
    """Many rows, every other one in work."""
    for number in range(MANY):
        made = reported(world, "some_payments", "11:00")
        if number % 2:
            lifecycle.acknowledge(incident=made, by=world.agent, at=NOON)


# The live fragment


def state_of(response: Any) -> dict[str, str]:
    """What the page sends with each look."""
    return dict(re.findall(r'name="(mark|rows|groups)"\s+value="([^"]*)"', response.content.decode()))


def test_nothing_new_is_204_and_no_swap(page: Client, world: build.World) -> None:
    reported(world, "closed", "11:50")
    shown = state_of(page.get("/queue/"))
    answer = page.get("/queue/live/", shown)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["ETag"] == f'"{shown["mark"]}"'


def test_a_known_row_changes_in_place_and_a_new_one_is_only_counted(page: Client, world: build.World) -> None:
    known = reported(world, "slower", "11:00")
    shown = state_of(page.get("/queue/"))
    lifecycle.acknowledge(incident=known, by=world.manager, at=NOON)
    new = reported(world, "typo", "11:59")
    answer = page.get("/queue/live/", shown)
    assert answer.status_code == 200
    row = row_of(answer, known)
    assert 'hx-swap-oob="true"' in row
    assert cell(row, "who") == "Marek"
    assert f'id="q-{new.pk}"' not in answer.content.decode()
    assert "1 zmiana, pokaż" in text_of(answer)


def test_a_row_that_went_and_a_new_order_are_counted(page: Client, world: build.World) -> None:
    first, second = reported(world, "slower", "11:00"), reported(world, "slower", "11:05")
    gone = reported(world, "slower", "11:10")
    shown = state_of(page.get("/queue/"))
    lifecycle.cancel(incident=gone, by=world.reporter, at=NOON, text="Pomyłka.")
    lifecycle.acknowledge(incident=first, by=world.agent, at=NOON)
    answer = page.get("/queue/live/", shown)
    assert "3 zmiany, pokaż" in text_of(answer)
    assert {incident.pk for incident in (first, second)} == set(
        map(int, re.findall(r'id="q-(\d+)"', answer.content.decode()))
    )


def test_the_clock_s_word_changes_when_the_deadline_passes(
    page: Client, world: build.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = reported(world, "closed", "11:50")
    shown = state_of(page.get("/queue/"))
    stop_clock(monkeypatch, build.at("2026-03-02 12:20:01"))
    row = row_of(page.get("/queue/live/", shown), incident)
    assert "is-late" in row
    assert cell(row, "clock") == "Reakcja do dziś 12:20 po terminie o 1 s"


def test_a_look_that_finds_nothing_new_asks_the_database_three_times(page: Client, world: build.World) -> None:
    fill(world)
    shown = state_of(page.get("/queue/"))
    with counted("queue, live, unchanged"):
        assert page.get("/queue/live/", shown).status_code == 204


CHANGES: dict[str, Callable[[build.World, Incident], object]] = {
    "a line": lambda world, row: lifecycle.note(incident=row, by=world.agent, at=NOON, text="Sprawdzam."),
    "a person": lambda world, row: lifecycle.assign(incident=row, by=world.agent, at=NOON, to=world.manager),
    "a name": lambda world, _row: User.objects.filter(pk=world.reporter.pk).update(name="Ola Nowa"),
    "a shop": lambda world, _row: Shop.objects.filter(pk=world.shop.pk).update(name="mak.pl"),
    "a client": lambda world, _row: ClientRow.objects.filter(pk=world.client.pk).update(name="Mak SA"),
    "another": lambda world, _row: reported(world, "typo", "11:59"),
    "gone": lambda world, row: lifecycle.cancel(incident=row, by=world.reporter, at=NOON, text="Pomyłka."),
    "a day off": lambda world, _row: CalendarDay.objects.create(
        calendar=build.office_hours(), date=date(2026, 3, 3), entered_by=world.manager, entered_at=NOON
    ),
    "nobody watches": lambda _world, _row: Heartbeat.objects.filter(name="clocks").update(at=NOON - timedelta(hours=1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_the_page_shows_is_new_to_the_live_look(page: Client, world: build.World, change: str) -> None:
    heartbeat.beat("clocks", at=NOON)
    row = reported(world, "closed", "11:50")
    shown = state_of(page.get("/queue/"))
    assert page.get("/queue/live/", shown).status_code == 204
    with as_owner(triggers=False):
        CHANGES[change](world, row)
    assert page.get("/queue/live/", shown).status_code == 200


@pytest.mark.parametrize(
    ("what", "reported_at", "quiet", "news"),
    [
        ("closed", "11:50", "12:12:29", "12:12:30"),  # 75 % of half an hour
        ("typo", "11:00", "15:59:59", "16:00:00"),  # the office closes: the clock stands
        ("some_payments", "11:30", "12:30:00", "12:30:01"),  # less than an hour is another group
    ],
)
def test_time_alone_is_news_at_its_second(
    page: Client,
    world: build.World,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    reported_at: str,
    quiet: str,
    news: str,
) -> None:
    reported(world, what, reported_at)
    shown = state_of(page.get("/queue/"))
    for time, status in ((quiet, 204), (news, 200)):
        stop_clock(monkeypatch, build.at(f"2026-03-02 {time}"))
        assert page.get("/queue/live/", shown).status_code == status


def test_words_of_today_and_a_missed_promise_end_a_quiet_time(world: build.World) -> None:
    waits = paused(world)
    look = queue.look(queue.Selection(world.agent.pk), build.at("2026-03-02 17:00"))
    assert moment(look.mark.until) == build.at("2026-03-03 00:00")
    waits.next_update_at = build.at("2026-03-02 17:30")
    waits.save()
    look = queue.look(queue.Selection(world.agent.pk), build.at("2026-03-02 17:00"))
    assert moment(look.mark.until) == build.at("2026-03-02 17:30:01")


@pytest.mark.parametrize("mark", ["", "x", "abc-1-2-3", "abc-x-1", "abc-99999999999-0", "é-1-1"])
def test_a_mark_that_nobody_gave_is_news(page: Client, world: build.World, mark: str) -> None:
    assert page.get("/queue/live/", {"mark": mark}).status_code == 200


def test_an_empty_queue_tells_of_the_first_incident(page: Client, world: build.World) -> None:
    empty = page.get("/queue/")
    assert 'hx-get="/queue/live/"' in empty.content.decode()
    reported(world, "closed", "11:50")
    assert "1 zmiana, pokaż" in text_of(page.get("/queue/live/", state_of(empty)))


def test_counts_of_tabs_and_headings_change_in_place(full: Client, world: build.World) -> None:
    shown = state_of(full.get("/queue/"))
    reported(world, "slower", "11:03")
    answer = full.get("/queue/live/", shown)
    assert "Wszystkie 7" in text_of(answer)
    assert "4, pokaż wszystkie 4" in text_of(answer)
    assert "zmiana" not in text_of(answer)


def test_the_live_fragment_asks_the_database_as_often_with_many_rows(page: Client, world: build.World) -> None:
    reported(world, "closed", "11:50")
    shown = state_of(page.get("/queue/"))
    with counted("queue, live"):
        assert page.get("/queue/live/", shown | {"mark": ""}).status_code == 200
    fill(world)
    shown = state_of(page.get("/queue/"))
    with counted("queue, live"):
        assert page.get("/queue/live/", shown | {"mark": ""}).content.count(b'id="q-') == 1 + MANY


# React in one click


def test_one_click_sends_the_sentence_and_takes_the_incident(page: Client, world: build.World) -> None:
    incident = reported(world, "closed", "11:50")
    form = re.search(r'form="row-act" formaction="(/incidents/MAK-0001/react/)"', row_of(page.get("/queue/"), incident))
    assert form
    answer = page.post(form[1], {"back": "queue"})
    assert answer.headers["Location"] == "/queue/"
    incident.refresh_from_db()
    assert (incident.assignee, incident.status, incident.first_contact_at) == (world.agent, Status.OPEN, NOON)
    assert JournalEntry.objects.get(kind="contact").text == "Tu Anna Lis. Pracuję nad tym zgłoszeniem."
    told = Notification.objects.filter(recipient=world.reporter, created_at=NOON)
    assert [notice.channel for notice in told] == ["email"]
    said = "MAK-0001 : Reakcja wysłana. Dostanie: Ola Mak. Naprawa do dziś 15:50."
    assert said in text_of(page.get("/queue/"))


def test_a_second_click_sends_nothing_more(page: Client, world: build.World) -> None:
    incident = reported(world, "closed", "11:50")
    page.post("/incidents/MAK-0001/react/", {"back": "queue"})
    sent = Notification.objects.count()
    visitor(world.manager).post("/incidents/MAK-0001/react/", {"back": "queue"})
    incident.refresh_from_db()
    assert incident.assignee == world.agent
    assert Notification.objects.count() == sent
    assert JournalEntry.objects.filter(kind="contact").count() == 1
