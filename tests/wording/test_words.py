"""Times, spans and money in two languages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from wording import words
from wording.words import plain

WARSAW = "Europe/Warsaw"
NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)  # Tuesday 8:40 in Warsaw


def at(day: int, hour: int, minute: int = 0, month: int = 11, year: int = 2026, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def render(page: str, **context: object) -> str:
    return Template("{% load words %}" + page).render(Context({"now": NOW, "zone": WARSAW, **context}))


@pytest.mark.parametrize(
    ("instant", "case", "expected"),
    [
        (at(24, 11, 12), "nominative", "dziś 12:12"),
        (at(24, 11, 12), "genitive", "dziś 12:12"),
        (at(25, 7, 40), "nominative", "jutro 8:40"),
        (at(25, 7, 40), "genitive", "jutra 8:40"),
        (at(23, 14, 32), "genitive", "wczoraj 15:32"),
        (at(20, 10), "genitive", "piątku 20 lis, 11:00"),
        (at(26, 9, 15), "genitive", "czwartku 26 lis, 10:15"),
        (at(26, 9, 15), "nominative", "czw. 26 lis, 10:15"),
        (at(29, 9, 15), "long", "niedziela 29 lis, 10:15"),
        (at(1, 10, 20, month=12), "genitive", "wtorku 1 gru, 11:20"),
        (at(5, 8, month=1, year=2027), "genitive", "wtorku 5 sty 2027, 9:00"),
        (at(24, 23, 30), "genitive", "jutra 0:30"),
    ],
)
def test_a_polish_time_is_near_by_a_word_and_far_by_its_weekday(
    instant: datetime, case: words.Case, expected: str
) -> None:
    assert plain(words.when(instant, NOW, WARSAW, case)) == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (at(24, 11, 12), "12:12 today"),
        (at(25, 7), "8:00 tomorrow"),
        (at(1, 11, month=12), "Tue 1 Dec, 12:00"),
        (at(3, 7, month=3, year=2025), "Mon 3 Mar 2025, 8:00"),
    ],
)
def test_an_english_time_puts_the_hour_before_the_near_day(instant: datetime, expected: str) -> None:
    with translation.override("en"):
        assert plain(words.when(instant, NOW, WARSAW, "genitive")) == expected


def test_numbers_in_a_row_stand_by_their_ends() -> None:
    assert words.ranges([4, 7, 8, 9, 12, 13]) == "4, 7–9, 12–13"
    assert words.ranges([]) == ""


def test_today_can_go_without_saying() -> None:
    assert words.when(at(24, 8, 10), NOW, WARSAW, today=False) == "9:10"
    assert plain(words.when(at(25, 8, 10), NOW, WARSAW, "genitive", today=False)) == "jutra 9:10"


def test_both_halves_of_the_repeated_hour_name_their_zone_and_no_other_hour_does() -> None:
    assert [plain(words.clock_time(at(25, hour, 30, month=10), WARSAW)) for hour in (-1 + 1, 1, 2)] == [
        "2:30 CEST",
        "2:30 CET",
        "3:30",
    ]


def test_an_hour_shows_seconds_only_when_asked() -> None:
    instant = at(24, 7, 12, second=5)
    assert words.clock_time(instant, WARSAW) == "8:12"
    assert words.clock_time(instant, WARSAW, seconds=True) == "8:12:05"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (130, "2 min 10 s"),
        (125, "2 min 05 s"),
        (360, "6 min"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (2459, "40 min"),
        (4085, "1 h 08 min"),
        (12779, "3 h 32 min"),
        (28800, "8 h"),
        (153600, "42 h 40 min"),
    ],
)
def test_a_span_is_floored_never_has_days_and_shows_seconds_only_when_short(seconds: int, expected: str) -> None:
    assert plain(words.span(seconds)) == expected


def test_a_span_of_work_says_so_in_both_languages() -> None:
    assert plain(words.span(12720, working=True)) == "3 h 32 min pracy"
    with translation.override("en"):
        assert plain(words.span(12720, working=True)) == "3 h 32 min of work"


def test_seconds_can_be_forced_on_or_off() -> None:
    assert plain(words.span(4085, seconds_shown=True)) == "1 h 08 min 05 s"
    assert plain(words.span(4080, seconds_shown=True)) == "1 h 08 min"
    assert plain(words.span(45, seconds_shown=False)) == "0 min"


def test_a_negative_span_is_refused() -> None:
    with pytest.raises(ValueError, match="-60 s"):
        words.span(-60)


@pytest.mark.parametrize(
    ("amount", "currency", "polish", "english"),
    [
        (Decimal(160), "PLN", "160,00 zł", "PLN 160.00"),
        (Decimal("4000.50"), "PLN", "4 000,50 zł", "PLN 4,000.50"),
        (Decimal("1234567.89"), "EUR", "1 234 567,89 EUR", "EUR 1,234,567.89"),
        (0, "PLN", "0,00 zł", "PLN 0.00"),
        (Decimal("-12.30"), "PLN", "-12,30 zł", "PLN -12.30"),
    ],
)
def test_money_reads_as_each_language_writes_it(amount: Decimal, currency: str, polish: str, english: str) -> None:
    assert plain(words.money(amount, currency)) == polish
    with translation.override("en"):
        assert plain(words.money(amount, currency)) == english


def test_money_in_floats_is_refused() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        words.money(160.1)  # type: ignore[arg-type]


def test_a_share_is_floored_so_that_a_near_miss_never_reads_as_all() -> None:
    assert plain(words.percent(Decimal("99.999"), 2)) == "99,99 %"
    assert plain(words.percent(75)) == "75 %"
    with translation.override("en"):
        assert plain(words.percent(Decimal("99.5"), 2)) == "99.50 %"


def test_no_figure_is_parted_from_its_unit() -> None:
    for text in (words.span(4085, working=True), words.money(Decimal(4000)), words.percent(75)):
        assert " " not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w sklepie i z domu", "w~sklepie i~z~domu"),
        ("Odezwiemy się do 9:10 o 8 rano", "Odezwiemy się do~9:10 o~8 rano"),
        ("Plik ma 14 MB, limit to 10 MB", "Plik ma 14~MB, limit to 10~MB"),
        ("75 % z 4 000,00 zł", "75~% z~4~000,00~zł"),
        ("5 minut, 3 sklepy", "5 minut, 3 sklepy"),
        ("Kraków i", "Kraków i"),
    ],
)
def test_lone_letters_and_units_stay_with_their_neighbour(text: str, expected: str) -> None:
    assert words.typographic(text).replace(words.NBSP, "~") == expected


def test_dates_and_months_have_their_polish_cases() -> None:
    assert plain(words.full_date(date(2026, 11, 24))) == "24 listopada 2026"
    assert plain(words.month(date(2026, 10, 1), "locative")) == "październiku 2026"
    assert words.month(date(2026, 10, 1), year=False) == "październik"


def test_a_moment_is_a_time_element_in_utc_with_its_seconds_in_the_title() -> None:
    html = render('{% moment dt case="genitive" %}', dt=at(25, 7, 40, second=5))
    assert plain(html) == ('<time datetime="2026-11-25T07:40:05Z" title="25 listopada 2026, 8:40:05">jutra 8:40</time>')


def test_a_page_may_show_another_zone() -> None:
    assert plain(render('{% when dt zone="Europe/London" %}', dt=at(24, 11, 12))) == "dziś 11:12"
    assert render("{% zone_name %}") == "Europe/Warsaw (CET)"


def test_a_countdown_carries_what_the_browser_counts_from() -> None:
    html = render("{% countdown 130 until=dt working=True %}", dt=at(24, 15))
    now, until = int(NOW.timestamp()), int(at(24, 15).timestamp())
    assert plain(html) == f'<span data-left="130" data-now="{now}" data-until="{until}">2 min 10 s</span> pracy'


def test_a_countdown_of_lateness_shows_how_late() -> None:
    assert 'data-left="-4085"' in render("{% countdown -4085 %}")
    assert ">1 h 08 min<" in plain(render("{% countdown -4085 %}"))


def test_a_severity_mark_says_its_words_to_a_screen_reader() -> None:
    assert render('{% severity "P1" %}') == (
        '<span class="sev sev-1">P1<span class="visually-hidden"> awaria krytyczna</span></span>'
    )
    assert plain(render('{% severity "P3" long=True %}')) == '<span class="sev sev-3">P3</span> Błąd zwykły'


def test_an_unknown_icon_is_an_error() -> None:
    assert 'class="ico ico-line"' in render('{% icon "late" %}')
    with pytest.raises(KeyError, match="rocket"):
        render('{% icon "rocket" %}')


def test_people_s_text_is_escaped_and_incident_numbers_stay_whole() -> None:
    assert render("{{ text|nbsp }}", text="<b> w MAK-0142") == (
        f'&lt;b&gt; w{words.NBSP}<span class="nowrap">MAK-0142</span>'
    )


def test_a_phone_link_has_its_country() -> None:
    assert render("{{ p|tel }}", p="22 100 20 30") == "+48221002030"
    assert render("{{ p|tel }}", p="+49 30 123-45") == "+493012345"


@pytest.mark.parametrize(("share", "width"), [(-5, 0), (92, 92), (114, 100)])
def test_the_bar_of_used_time_never_leaves_its_track(share: int, width: int) -> None:
    assert f'<rect width="{width}" height="8"/>' in render("{% used share %}", share=share)
