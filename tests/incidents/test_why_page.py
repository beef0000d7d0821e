"""Why this deadline: rows that add up, from the clock's own trace; and the journal whose chain can be checked."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from incidents import lifecycle
from incidents.models import Incident, JournalEntry
from tests import build
from tests.owner import as_owner
from tests.pages import stop_clock, text_of, title_of, visitor

pytestmark = pytest.mark.django_db

NOON = build.at("2026-03-02 12:00:00")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> build.World:
    stop_clock(monkeypatch, NOON)
    return build.world()


def rows(response: Any) -> list[tuple[str, ...]]:
    """The account's rows as texts: time, words, figure."""
    body = re.search(r'<table class="account dated">.*?</table>', response.content.decode(), re.DOTALL)
    assert body
    lines = re.findall(r"<tr[^>]*>(.*?)</tr>", body[0], re.DOTALL)[1:]
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line, re.DOTALL) for line in lines]
    return [tuple(re.sub(r"\s+", " ", cell.replace("\u00a0", " ")).strip() for cell in row) for row in cells]


def test_a_running_deadline_is_start_less_work_makes_left(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    response = visitor(world.reporter).get("/incidents/MAK-0001/why/restore/")
    assert title_of(response).startswith("Dlaczego naprawa do 2 marca 2026, 14:00?")
    assert rows(response) == [
        (
            "2 mar 2026, 10:00:00",
            "Zegar rusza: P1 awaria krytyczna, naprawa w 4:00:00, do 2 mar 2026, 14:00:00",
            "4:00:00",
        ),
        ("2 mar 2026, 10:00:00–12:00:00", "Czas, który się liczy", "− 2:00:00"),
        ("2 mar 2026, 14:00:00", "Termin", "4:00:00"),
        ("2 mar 2026, 12:00:00", "Zostało", "2:00:00"),
    ]
    assert "Zegar ruszył 2 marca 2026, 10:00:00, a umowa daje 4 h dla P1. Zostało z tego 2:00:00." in text_of(response)


def test_a_paused_clock_shows_what_was_not_counted(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.pause(
        incident=incident, by=world.agent, at=build.at("2026-03-02 11:30"), reason="client_answer", text="Kto?"
    )
    response = visitor(world.reporter).get("/incidents/MAK-0001/why/restore/")
    assert "Dlaczego naprawa nie ma teraz terminu?" in text_of(response)
    assert rows(response)[1:] == [
        ("2 mar 2026, 10:00:00–11:30:00", "Czas, który się liczy", "− 1:30:00"),
        (
            "2 mar 2026, 11:30:00–12:00:00",
            "Wstrzymane, czeka na odpowiedź klienta: nie liczy się",
            "(0:30:00)",
        ),
        ("2 mar 2026, 12:00:00", "Zostało, zegar stoi", "2:30:00"),
    ]


def test_a_missed_deadline_ends_with_the_delay(world: build.World, monkeypatch: pytest.MonkeyPatch) -> None:
    build.incident(world.shop, by=world.reporter)
    stop_clock(monkeypatch, build.at("2026-03-02 15:08:05"))
    response = visitor(world.reporter).get("/incidents/MAK-0001/why/restore/")
    assert "Termin minął, spóźnienie 1:08:05." in text_of(response)
    assert rows(response)[-1] == ("2 mar 2026, 15:08:05", "Spóźnienie", "1:08:05")
    assert 'class="over"' in response.content.decode()


def test_the_last_line_is_the_clock_s_own_figure(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY + timedelta(minutes=8))
    assert rows(visitor(world.reporter).get("/incidents/MAK-0001/why/reaction/"))[-1][2] == "0:22:00"


def test_the_owner_is_led_to_nothing_a_reporter_may_not_see(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    assert "/contracts/" not in visitor(world.reporter).get("/incidents/MAK-0001/why/restore/").content.decode()


def test_a_cancelled_clock_keeps_its_account_and_says_since_when_and_why(world: build.World) -> None:
    incident = build.incident(world.shop, by=world.reporter)
    act: dict[str, Any] = {"incident": incident, "by": world.agent}
    lifecycle.skip_backup(**act, at=build.at("2026-03-02 10:05"), text="Tylko odczyt.")
    lifecycle.work_around(**act, at=build.at("2026-03-02 10:30"), text="Da się.")
    lifecycle.reject(incident=incident, by=world.reporter, at=build.at("2026-03-02 11:30"), text="Nie da się.")
    response = visitor(world.reporter).get("/incidents/MAK-0001/why/final_fix/")
    assert title_of(response).startswith("Dlaczego usunięcie błędu nie ma teraz terminu?")
    assert "Ten zegar nie biegnie: odwołano go 2 marca 2026, 11:30:00." in text_of(response)
    assert rows(response)[1:] == [
        ("2 mar 2026, 10:30:00–11:30:00", "Czas, który się liczy", "− 1:00:00"),
        ("2 mar 2026, 11:30:00", "Zegar odwołany: obejście odesłano, biegnie dalej czas naprawy", ""),
        ("2 mar 2026, 11:30:00", "Zostało, gdy zegar odwołano", "39:00:00"),
    ]
    lifecycle.cancel(incident=incident, by=world.reporter, at=build.at("2026-03-02 12:00"), text="Pomyłka.")
    said = text_of(visitor(world.reporter).get("/incidents/MAK-0001/why/restore/"))
    assert "Zegar odwołany: zgłoszenie wycofano" in said


@pytest.mark.parametrize("target", ["final_fix", "nonsense"])
def test_a_clock_that_never_ran_has_no_page(world: build.World, target: str) -> None:
    build.incident(world.shop, by=world.reporter)
    assert visitor(world.reporter).get(f"/incidents/MAK-0001/why/{target}/").status_code == 404


def test_strangers_find_neither_account_nor_journal(world: build.World) -> None:
    build.incident(world.shop, by=world.reporter)
    stranger = visitor(build.world("TUR").owner)
    for path in ("why/restore/", "why/reaction/", "journal/"):
        assert stranger.get(f"/incidents/MAK-0001/{path}").status_code == 404


@pytest.mark.parametrize("language", ["pl", "en"])
def test_the_account_is_written_in_both_languages(world: build.World, language: str) -> None:
    build.incident(world.shop, by=world.reporter)
    world.reporter.language = language
    world.reporter.save()
    said = rows(visitor(world.reporter).get("/incidents/MAK-0001/why/restore/"))[-1][1]
    assert said == {"pl": "Zostało", "en": "Left"}[language]


def noted(world: build.World) -> Incident:
    incident = build.incident(world.shop, by=world.reporter)
    lifecycle.note(incident=incident, by=world.agent, at=build.MONDAY, text="Znów wtyczka.")
    return lifecycle.acknowledge(incident=incident, by=world.agent, at=build.MONDAY + timedelta(minutes=8))


def test_the_chain_holds_over_entries_that_a_client_may_not_read(world: build.World) -> None:
    noted(world)
    said = text_of(visitor(world.reporter).get("/incidents/MAK-0001/journal/"))
    assert "Łańcuch 3 wpisów jest cały." in said
    assert "Wpis 2 to nasz zapis wewnętrzny, tu niewidoczny. Jest w łańcuchu jak każdy inny." in said
    assert "Znów wtyczka." not in said
    assert "Znów wtyczka." in text_of(visitor(world.agent).get("/incidents/MAK-0001/journal/"))


def test_a_fingerprint_from_a_mail_is_found_whole_or_by_its_beginning(world: build.World) -> None:
    head = noted(world).journal_head
    page = visitor(world.reporter)
    for typed in (head, head[:12], f" {head[:8]} {head[8:16].upper()} "):
        said = text_of(page.get("/incidents/MAK-0001/journal/", {"head": typed}))
        assert "Ten skrót jest w łańcuchu." in said
    assert "Tego skrótu nie ma w łańcuchu." in text_of(page.get("/incidents/MAK-0001/journal/", {"head": "0" * 64}))


def test_a_fingerprint_too_short_to_prove_anything_is_refused(world: build.World) -> None:
    noted(world)
    response = visitor(world.reporter).get("/incidents/MAK-0001/journal/", {"head": "ab1"})
    assert title_of(response).startswith("Błąd: ")
    assert text_of(response).count("Wklej co najmniej 8 znaków skrótu") == 2


def test_a_changed_entry_is_named(world: build.World) -> None:
    noted(world)
    with as_owner(triggers=False):
        JournalEntry.objects.filter(seq=2).update(text="Niczego nie było.")
    said = text_of(visitor(world.reporter).get("/incidents/MAK-0001/journal/"))
    assert "Wpis 2 nie pasuje do poprzedniego." in said
