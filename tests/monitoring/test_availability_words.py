"""Availability in sentences: the account, the figure, the budget and the pace, in both languages."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import translation

from contracts.vocabulary import MaintenanceMode
from monitoring.availability.measure import Interval, Period, Settled, Terms, TimeLine, measure
from monitoring.availability.periods import local_months, pace, together
from monitoring.availability.text import availability, error_budget, pace_words, sentences
from monitoring.probe.specification import State
from wording.words import plain

HOUR = 3600
ZONE = "Europe/Warsaw"
MONTH = local_months(2026, 11, 1, ZONE)


def seen(state: State, start: float, end: float, weight: str = "1", announced: int | None = None) -> Interval:
    first, last = (MONTH.start + int(hour * HOUR) for hour in (start, end))
    told = None if announced is None else MONTH.start + announced * HOUR
    return Interval(first, last, state, Fraction(weight), told)


def office(start: int, end: int) -> int:
    """Open all the time but the month's first hour."""
    return max(0, end - max(start, MONTH.start + HOUR))


def test_the_account_of_a_month_in_polish() -> None:
    whole = [
        seen(State.MAINTENANCE, 10, 12, announced=-100),
        seen(State.MAINTENANCE, 20, 21, announced=19),
        seen(State.UNKNOWN, 30, 30.5),
        seen(State.DOWN, 40, 41),
        seen(State.DOWN, 50, 51, "0.5"),
        seen(State.DOWN, 60, 60.1),
        seen(State.DOWN, 11, 11.5),
    ]
    result = measure(MONTH, whole, Terms(Decimal("99.9"), minimum_outage=900, notice=24 * HOUR), office)
    with translation.override("pl"):
        told = [plain(text) for text in sentences(result.lines, ZONE)]
    assert told == [
        "Od 1 listopada 2026, 0:00:00 do 1 grudnia 2026, 0:00:00: 720 h",
        "Poza godzinami usługi: minus 1 h",
        "Zapowiedziane okno serwisowe od 1 listopada 2026, 10:00:00: minus 2 h",
        "Okno serwisowe od 1 listopada 2026, 20:00:00 zapowiedziano za późno, to zwykły czas",
        "Brak danych od 2 listopada 2026, 6:00:00: 30 min pominięto",
        "Niedostępność od 1 listopada 2026, 11:00:00 do 1 listopada 2026, 11:30:00: w czasie, który się nie liczy",
        "Niedostępność od 2 listopada 2026, 16:00:00 do 2 listopada 2026, 17:00:00: 1 h",
        "Niedostępność od 3 listopada 2026, 2:00:00 do 3 listopada 2026, 3:00:00: 1 h × 50 % = 30 min",
        "Niedostępność od 3 listopada 2026, 12:00:00 do 3 listopada 2026, 12:06:00: za krótka, by się liczyć",
        "Niedostępność 1 h 30 min z 716 h 30 min: dostępność 99,7906 %, obiecana 99,9 %: niedotrzymana",
    ]


@pytest.mark.parametrize(
    ("settled", "text"),
    [
        (None, "No data from 1 November 2026, 0:00:00: 2 h is left out"),
        (Settled.UP, "No data from 1 November 2026, 0:00:00: 2 h, settled as up"),
        (Settled.DOWN, "No data from 1 November 2026, 0:00:00: 2 h, settled as down"),
    ],
)
def test_unknown_time_says_what_both_sides_settled(settled: Settled | None, text: str) -> None:
    result = measure(MONTH, [seen(State.UNKNOWN, 0, 2)], Terms(), settled=settled)
    with translation.override("en"):
        assert plain(sentences(result.lines, ZONE)[1]) == text


def test_maintenance_that_stays_in_the_month_and_what_exceeds_its_limit() -> None:
    terms = Terms(mode=MaintenanceMode.IN_TOTAL, maintenance_limit=HOUR)
    result = measure(MONTH, [seen(State.MAINTENANCE, 0, 2)], terms)
    with translation.override("en"):
        told = [plain(text) for text in sentences(result.lines, ZONE)]
    assert told[1:] == [
        "Announced maintenance from 1 November 2026, 0:00:00: 1 h counts as up",
        "Maintenance from 1 November 2026, 1:00:00 exceeds the agreed limit and is ordinary time",
        "0 s down of 720 h: availability 100.0000 %",
    ]


@pytest.mark.parametrize(
    ("hours", "limit", "text"),
    [
        (0.7, None, "42 min down of 719 h: availability 99.9026 %, promised 99.9 %: kept"),
        (0.7, 0, "promised 99.9 %: no verdict before both sides settle the time without data"),
        (0.8, None, "48 min down of 719 h: availability 99.8887 %, promised 99.9 %: below"),
    ],
)
def test_the_last_sentence_is_the_verdict(hours: float, limit: int | None, text: str) -> None:
    seen_then = [seen(State.DOWN, 5, 5 + hours), seen(State.UNKNOWN, 0, 1)]
    result = measure(MONTH, seen_then, Terms(Decimal("99.9"), unknown_limit=limit))
    with translation.override("en"):
        assert plain(sentences(result.lines, ZONE)[-1]).endswith(text)


def test_a_quarter_tells_its_months() -> None:
    terms = Terms(Decimal("99.9"))
    month = measure(MONTH, [seen(State.DOWN, 0, 2)], terms)
    with translation.override("en"):
        told = [plain(text) for text in sentences(together([month], terms).lines, ZONE)]
    assert told[0] == "From 1 November 2026, 0:00:00 to 1 December 2026, 0:00:00: 720 h measured, 2 h down"


@pytest.mark.parametrize(
    ("language", "unknown", "text"),
    [
        ("pl", 0, "99,7222 %"),
        ("en", 0, "99.7222 %"),
        ("pl", 1, "od 99,5833 % do 99,7222 %"),
        ("en", 1, "99.5833 % to 99.7222 %"),
    ],
)
def test_unknown_time_makes_the_figure_an_honest_range(language: str, unknown: int, text: str) -> None:
    result = measure(MONTH, [seen(State.DOWN, 0, 2), seen(State.UNKNOWN, 5, 5 + unknown)], Terms())
    with translation.override(language):
        assert plain(availability(result)) == text


def test_nothing_measured_is_no_data() -> None:
    nothing = measure(MONTH, [seen(State.MAINTENANCE, 0, 720)], Terms())
    with translation.override("pl"):
        assert availability(nothing) == "brak danych"
        assert sentences(nothing.lines, ZONE)[-1] == "Brak danych: ani działanie, ani niedostępność"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (43, "Dopuszczalna niedostępność 43 min 12 s, zostało 12 s"),
        (44, "Dopuszczalna niedostępność 43 min 12 s, przekroczona o 48 s"),
    ],
)
def test_the_budget_in_words(minutes: int, text: str) -> None:
    result = measure(MONTH, [seen(State.DOWN, 0, minutes / 60)], Terms(Decimal("99.9")))
    with translation.override("pl"):
        assert plain(error_budget(result)) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (20, "Budżet zużywa się w tempie 4,62 × dozwolonego"),
        (2, "W tym tempie do końca zużyje się 46 % budżetu"),
        (0, "Dotąd bez niedostępności"),
    ],
)
def test_the_pace_of_a_month_in_progress(minutes: int, text: str) -> None:
    first_days = Period(MONTH.start, MONTH.start + 72 * HOUR)
    result = measure(first_days, [seen(State.DOWN, 0, minutes / 60)], Terms(Decimal("99.9")))
    with translation.override("pl"):
        assert plain(pace_words(pace(result, 720 * HOUR))) == text


def test_a_line_without_words_is_an_error() -> None:
    with pytest.raises(TypeError, match="no words for TimeLine"):
        sentences([TimeLine()], ZONE)
