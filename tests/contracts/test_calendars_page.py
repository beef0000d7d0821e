"""Working hours on pages: entered by groups of days, read in words, changed only ahead."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.models import Calendar, CalendarDay
from tests import build, languages
from tests.pages import counted, stop_clock, text_of, visitor
from wording.words import plain

pytestmark = pytest.mark.django_db
LIST = "/settings/calendars/"
TOO_NEAR = "Dni wpisuje się i usuwa z wyprzedzeniem: najbliższy możliwy dzień to 3 marca 2026."


def errors_of(response: Any) -> dict[str, list[str]]:
    """The sentences at the fields of the page's form."""
    return {name: [plain(said) for said in errors] for name, errors in response.context["form"].errors.items()}


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, build.MONDAY)


@pytest.fixture
def browser() -> Any:
    return visitor(build.staff("Marek Dyr", role="manager"))


def week(**changes: str) -> dict[str, str]:
    """The form of a new calendar as a browser sends it."""
    return {"name": "Sklep", "mon_fri": "8:00-16:00", "sat": "", "sun": "", "zone": "Europe/Warsaw"} | changes


@pytest.mark.parametrize(
    ("typed", "stored", "said"),
    [
        ({"mon_fri": "8:00-16:00, 17:00-20:00"}, {"mon-fri": [["08:00", "16:00"], ["17:00", "20:00"]]},
         "pon.–pt. 8–16, 17–20"),
        ({"mon_fri": "0-24", "sat": "0-24", "sun": "0:00-24:00"}, {"mon-sun": [["00:00", "24:00"]]}, "całą dobę"),
        ({"mon_fri": "22:00-6:00"}, {"mon-fri": [["22:00", "30:00"]]}, "pon.–pt. 22–6"),
        ({"sat": "9-14"}, {"mon-fri": [["08:00", "16:00"]], "sat": [["09:00", "14:00"]]},
         "pon.–pt. 8–16; sob. 9–14"),
        ({"wed": "-", "fri": "8:30-14"},
         {"mon-tue": [["08:00", "16:00"]], "thu": [["08:00", "16:00"]], "fri": [["08:30", "14:00"]]},
         "pon.–wt. 8–16; czw. 8–16; pt. 8:30–14"),
    ],
)  # fmt: skip
def test_a_week_is_typed_by_groups_of_days(browser: Any, typed: dict[str, str], stored: Any, said: str) -> None:
    response = browser.post(LIST, week(**typed))
    calendar = Calendar.objects.get(name="Sklep")
    assert response.headers["Location"] == f"{LIST}{calendar.pk}/"
    assert calendar.weekly == stored
    assert f"Sklep {said}. Strefa czasowa Europe/Warsaw." in text_of(browser.get(f"{LIST}{calendar.pk}/"))


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"sat": "od dziewiątej"}, "sat",
         "Wpisz godziny tak: 8:00-16:00, kilka po przecinku, przez północ 22:00-6:00."),
        ({"mon_fri": "8:00-25:00"}, "mon_fri", "Godzina mieści się między 0:00 a 24:00."),
        ({"mon_fri": ""}, "mon_fri", "Wpisz godziny chociaż jednego dnia."),
        ({"name": "24/7"}, "name", "Inny kalendarz ma już tę nazwę."),
        ({"zone": "Mars/Olympus"}, "zone", None),
    ],
)  # fmt: skip
def test_a_wrong_week_is_one_sentence_at_its_field(
    browser: Any, typed: dict[str, str], field: str, sentence: str | None
) -> None:
    build.round_the_clock()
    response = browser.post(LIST, week(**typed))
    errors = errors_of(response)
    assert response.status_code == 422
    assert list(errors) == [field]
    assert sentence is None or errors[field] == [sentence]
    assert Calendar.objects.count() == 1
    page = response.content.decode()
    assert '<details open id="new">' in page
    assert all(f'value="{value}"' in page for name, value in typed.items() if value and name != "zone")


@pytest.mark.parametrize(
    ("zone", "chosen", "closed"),
    [
        ("Europe/Warsaw", "", True), ("Europe/Warsaw", "none", False), ("Europe/London", "", False),
        ("Europe/London", "polish", True),
    ],
)  # fmt: skip
def test_hours_of_another_country_get_polish_holidays_only_by_choice(
    browser: Any, zone: str, chosen: str, closed: bool
) -> None:
    browser.post(LIST, week(zone=zone, statutory_holidays=chosen))
    assert Calendar.objects.get(name="Sklep").statutory_holidays is closed


def test_only_one_calendar_is_our_office(browser: Any) -> None:
    browser.post(LIST, week(is_office="on"))
    response = browser.post(LIST, week(name="Drugi", is_office="on"))
    assert errors_of(response) == {"is_office": ["Inny kalendarz jest już kalendarzem naszego biura."]}


def test_the_list_says_each_week_and_the_next_holiday(browser: Any) -> None:
    build.round_the_clock(), build.office_hours()
    said = text_of(browser.get(LIST))
    assert "24/7 całą dobę Europe/Warsaw otwarte brak" in said
    assert "Pn–pt 8–16 pon.–pt. 8–16 Europe/Warsaw zamknięte, najbliższe to 6 kwietnia 2026 brak" in said


def test_holidays_follow_the_law_of_each_year(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, build.at("2024-06-03 10:00"))
    said = text_of(browser.get(f"{LIST}?open=new"))
    of_2024, of_2025 = said.split("Święta 2024 ")[1].split("Święta 2025 ")
    assert "śr. 25 gru" in of_2024
    assert "24 gru" not in of_2024
    assert "śr. 24 gru czw. 25 gru" in of_2025


def office() -> tuple[Calendar, str]:
    calendar = build.office_hours()
    return calendar, f"{LIST}{calendar.pk}/"


def test_a_day_off_and_a_special_day_are_entered_ahead(browser: Any) -> None:
    calendar, address = office()
    browser.post(address, {"date": "2026-03-13", "windows": ""})
    browser.post(address, {"date": "14.03.2026", "windows": "8-12"})
    assert list(calendar.days.values_list("date", "windows", "entered_by__name", "entered_at")) == [
        (date(2026, 3, 13), [], "Marek Dyr", build.MONDAY),
        (date(2026, 3, 14), [["08:00", "12:00"]], "Marek Dyr", build.MONDAY),
    ]
    said = text_of(browser.get(address))
    assert "13 marca 2026 dzień wolny Marek Dyr, dziś 10:00 Usuń 13 marca 2026 14 marca 2026 8–12 Marek Dyr" in said
    assert "14 marca 2026, 8–12: wpisuje Marek Dyr, dziś 10:00" in said


@pytest.mark.parametrize(
    ("day", "hours", "errors"),
    [
        ("2026-03-02", "", {"date": [TOO_NEAR]}),
        ("2026-02-27", "", {"date": [TOO_NEAR]}),
        ("2026-03-03", "rano", {
            "windows": ["Wpisz godziny tak: 8:00-16:00, kilka po przecinku, przez północ 22:00-6:00."],
        }),
        ("jutro", "", {"date": ["Wpisz datę tak: 2027-01-31."]}),
    ],
)  # fmt: skip
def test_today_the_past_and_unreadable_days_are_refused(browser: Any, day: str, hours: str, errors: Any) -> None:
    _calendar, address = office()
    response = browser.post(address, {"date": day, "windows": hours})
    assert (response.status_code, errors_of(response)) == (422, errors)
    assert f'value="{day}"' in response.content.decode()
    assert not CalendarDay.objects.exists()


def test_a_day_that_has_its_hours_is_refused(browser: Any) -> None:
    _calendar, address = office()
    browser.post(address, {"date": "2026-03-13", "windows": ""})
    response = browser.post(address, {"date": "2026-03-13", "windows": "8-12"})
    assert errors_of(response) == {"date": ["Ten dzień ma już swoje godziny."]}
    assert CalendarDay.objects.get().windows == []


def test_an_administrator_sees_hours_but_no_contract() -> None:
    world = build.world(number="TAJNA/1")
    _calendar, address = office()
    admin = visitor(build.staff("Iga Adm", role="admin"))
    assert "TAJNA/1" not in text_of(admin.get(address))
    assert "TAJNA/1" in text_of(visitor(world.manager).get(address))


def test_others_find_no_hours() -> None:
    world = build.world()
    calendar, address = office()
    for person in (world.owner, world.reporter, world.agent):
        browser = visitor(person)
        assert [browser.get(one).status_code for one in (LIST, address)] == [404, 404]
        assert browser.post(address, {"date": "2026-03-13"}).status_code == 404
        assert browser.post(LIST, week()).status_code == 404
    assert (calendar.days.count(), Calendar.objects.count()) == (0, 2)


def test_the_list_asks_the_same_number_of_queries_for_one_and_for_many(browser: Any) -> None:
    _calendar, address = office()
    browser.get(LIST)
    with counted("calendar list"):
        browser.get(LIST)
    for number in range(3):
        browser.post(LIST, week(name=f"Sklep {number}"))
    for day in ("2026-03-13", "2026-03-14"):
        browser.post(address, {"date": day, "windows": ""})
    browser.get(LIST)
    with counted("calendar list"):
        browser.get(LIST)


@pytest.mark.parametrize("language", ["pl", "en"])
def test_no_word_of_the_other_language_shows_through(language: str) -> None:
    world = build.world()
    world.manager.language = language
    world.manager.save()
    _calendar, address = office()
    browser = visitor(world.manager)
    for shown in (LIST, f"{LIST}?open=new", address):
        assert languages.shows_through(browser.get(shown).content.decode(), language) == [], shown
    wrong = browser.post(LIST, week(sat="?", mon_fri=""))
    assert languages.shows_through(wrong.content.decode(), language) == []
