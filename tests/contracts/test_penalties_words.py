"""The sentences of an account, in both languages, made from its lines."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import translation

from contracts.penalty.breach import Exclusion, Lateness, breach_penalty
from contracts.penalty.credit import Band, credit
from contracts.penalty.month import IncidentPenalties, MonthRules, PenaltyDue, SameCause, SameEvent, month
from contracts.penalty.rules import Cap, Caps, FeeBase, Grace, Line, Scheme, Tier, Unit, Used, penalty
from contracts.penalty.text import counted, rule, sentence, sentences, worked_example
from contracts.vocabulary import Cumulation, GraceMode, RateType
from wording.words import NBSP, plain

HOURLY = Scheme(RateType.PERCENT, Unit.named("started_hour"), Decimal(1))
DEADLINE = 1_795_518_725  # 24 November 2026, 12:12:05 in Warsaw

START = (
    "Termin 24 listopada 2026, 12:12:05, zatrzymanie 24 listopada 2026, 20:32:08: "
    "spóźnienie 8 h 20 min 03 s w czasie rzeczywistym"
)


@pytest.fixture
def polish() -> Iterator[None]:
    with translation.override("pl"):
        yield


@pytest.fixture
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def said(lines: tuple[Line, ...], zone: str | None = None) -> list[str]:
    return [plain(text) for text in sentences(lines, zone=zone)]


def test_the_worked_example_in_polish(polish: None) -> None:
    breakdown = penalty(HOURLY, 12000, Decimal("5000.00"))
    text = "Spóźnienie 3 h 20 min w kategorii P1: 4 rozpoczęte godziny × 1 % z 5 000,00 zł = 200,00 zł"
    assert plain(worked_example(breakdown, "P1")) == text


def test_the_worked_example_in_english(english: None) -> None:
    breakdown = penalty(HOURLY, 12000, Decimal("5000.00"))
    text = "3 h 20 min late on a P1: 4 started hours × 1 % of PLN 5,000.00 = PLN 200.00"
    assert plain(worked_example(breakdown, "P1")) == text


def test_figures_never_part_from_their_units(polish: None) -> None:
    text = worked_example(penalty(HOURLY, 12000, Decimal("5000.00")), "P1")
    for part in ("3 h 20 min", "4 rozpoczęte", "1 %", "5 000,00 zł", "200,00 zł"):
        assert part.replace(" ", NBSP) in text


@pytest.mark.parametrize(
    ("unit", "forms"),
    [
        (
            "started_hour",
            ["1 rozpoczęta godzina", "2 rozpoczęte godziny", "5 rozpoczętych godzin", "22 rozpoczęte godziny"],
        ),
        ("full_hour", ["1 pełna godzina", "3 pełne godziny", "12 pełnych godzin"]),
        ("minute", ["1 rozpoczęta minuta", "4 rozpoczęte minuty", "0 rozpoczętych minut"]),
        ("started_day_24h", ["1 rozpoczęta doba", "2 rozpoczęte doby", "337 rozpoczętych dób"]),
        ("full_30min", ["1 pełny okres po 30 min", "3 pełne okresy po 30 min", "25 pełnych okresów po 30 min"]),
        ("started_4h", ["1 rozpoczęty okres po 4 h", "2 rozpoczęte okresy po 4 h", "5 rozpoczętych okresów po 4 h"]),
        ("exact_hour", ["1 h", "2 h"]),
    ],
)
def test_polish_units_have_their_plural_forms(polish: None, unit: str, forms: list[str]) -> None:
    for form in forms:
        assert plain(counted(Fraction(int(form.split()[0])), Unit.named(unit))) == form


def test_an_exact_count_is_a_decimal_of_its_language() -> None:
    for language, text in (("pl", "3,3333 h"), ("en", "3.3333 h")):
        with translation.override(language):
            assert plain(counted(Fraction(10, 3), Unit.named("exact_hour"))) == text


def test_a_breach_is_told_from_the_deadline_to_the_total(polish: None) -> None:
    tiers = (Tier(Decimal(4), Decimal(1)), Tier(None, Decimal("0.125")))
    scheme = Scheme(RateType.PERCENT, Unit.named("started_hour"), tiers=tiers, grace=Grace(900, GraceMode.DEDUCTIBLE))
    breakdown = breach_penalty(
        scheme,
        Lateness(DEADLINE, DEADLINE + 30003),
        FeeBase(Decimal("3333.33"), Fraction(1, 4), 10, 30, "2026-11"),
        exclusions=[
            Exclusion(DEADLINE, DEADLINE + 400, "third_party"),
            Exclusion(DEADLINE + 300, DEADLINE + 400, "maintenance"),
        ],
        caps=Caps(Cap(RateType.AMOUNT, Decimal(10)), Cap(RateType.AMOUNT, Decimal(100))),
        used=Used(incident=Decimal(5)),
    )
    assert said(breakdown.lines, zone="Europe/Warsaw") == [
        START,
        "Wyłączenie, podmiot trzeci: minus 6 min 40 s",
        "Wyłączenie, zapowiedziane okno serwisowe: ten czas i tak się nie liczył",
        "Pierwsze 15 min bez kary: minus 15 min",
        "7 h 58 min 23 s liczy się jako 8 rozpoczętych godzin",
        "Opłata (2026-11): 3 333,33 zł × udział sklepu 25 % × 10 z 30 dni = 277,7775 zł",
        "4 rozpoczęte godziny × 1 % z 277,7775 zł = 11,1111 zł",
        "Powyżej 4: 4 rozpoczęte godziny × 0,125 % z 277,7775 zł = 1,3889 zł",
        "Jedno zaokrąglenie, połówki w górę: 12,50 zł",
        "Limit zgłoszenia 10,00 zł, z tego 5,00 zł wykorzystano wcześniej: z 12,50 zł zostaje 5,00 zł",
        "Limit miesiąca 100,00 zł: bez zmian",
        "Razem: 5,00 zł",
    ]


@pytest.mark.parametrize(
    ("delay", "text"),
    [
        (900, "Within the 15 min that are tolerated: nothing counts"),
        (960, "More than the 15 min that are tolerated: the whole delay counts"),
    ],
)
def test_a_threshold_says_whether_it_was_crossed(english: None, delay: int, text: str) -> None:
    scheme = Scheme(RateType.PERCENT, Unit.named("once"), Decimal(1), grace=Grace(900, GraceMode.THRESHOLD))
    assert said(penalty(scheme, delay, Decimal("100.00")).lines)[1] == text


def test_a_month_is_told_line_by_line(english: None) -> None:
    events = frozenset("a")
    breakdown = month(
        Decimal("5000.00"),
        [
            IncidentPenalties(
                "MAK-1",
                (PenaltyDue("restore", Decimal("200.00"), events=events), PenaltyDue("reaction", Decimal("50.00"))),
            ),
            IncidentPenalties("MAK-2", (PenaltyDue("final_fix", Decimal("60.00")),), cause="hosting"),
            IncidentPenalties("MAK-3", (PenaltyDue("restore", Decimal("70.00"), waived=True),), cause="hosting"),
            IncidentPenalties("", (PenaltyDue("availability", Decimal("90.00"), events=events),), capped=False),
        ],
        MonthRules(Cumulation.HIGHEST, Caps(month=Cap(RateType.PERCENT, Decimal(5))), SameEvent.GREATER, SameCause.ONE),
        waived=Decimal("500.00"),
    )
    assert said(breakdown.lines) == [
        "MAK-1, repair: PLN 200.00",
        "MAK-1, reaction: PLN 50.00",
        "MAK-2, final fix: PLN 60.00",
        "MAK-3, repair: PLN 70.00",
        "MAK-3, repair: minus PLN 70.00, waived by the client",
        "availability: PLN 90.00",
        "availability: minus PLN 90.00, one event is paid for once",
        "MAK-1, reaction: minus PLN 50.00, only the highest of the incident's penalties counts",
        "MAK-3: minus PLN 0.00, one cause at several shops is one penalty",
        "Limit of the month PLN 250.00: PLN 260.00 becomes PLN 250.00",
        "Waived by the client, after the limits: minus PLN 250.00 (of PLN 500.00, for there was no more)",
        "Total: PLN 0.00",
    ]


def test_a_credit_shows_availability_floored_and_its_band(polish: None) -> None:
    breakdown = credit(
        [Band(Decimal("99.5"), Decimal(99), Decimal(5)), Band(Decimal(99), None, Decimal(10))],
        Decimal("99.5"),
        Fraction(99499999, 100000000),
        Decimal("4000.00"),
    )
    assert said(breakdown.lines) == [
        "Dostępność 99,4999 %, obiecana 99,5 %: poniżej",
        "Poniżej 99,5 %, co najmniej 99 %: bonifikata 5 % opłaty",
        "5 % z 4 000,00 zł = 200,00 zł",
        "Razem: 200,00 zł",
    ]


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        (HOURLY, "1 % opłaty miesięcznej za każdą rozpoczętą godzinę"),
        (
            Scheme(RateType.AMOUNT, Unit.named("full_30min"), Decimal(50), grace=Grace(900, GraceMode.THRESHOLD)),
            "50,00 zł za każde pełne 30 min; do 15 min nic, powyżej całe spóźnienie",
        ),
        (
            Scheme(RateType.AMOUNT, Unit.named("once"), Decimal(500)),
            "500,00 zł raz za naruszenie, bez względu na spóźnienie",
        ),
        (
            Scheme(RateType.PERCENT, Unit.named("exact_hour"), Decimal("0.5"), grace=Grace(900, GraceMode.DEDUCTIBLE)),
            "0,5 % opłaty miesięcznej za każdą godzinę, proporcjonalnie; pierwsze 15 min bez kary",
        ),
    ],
)
def test_a_rule_is_said_in_plain_words(polish: None, scheme: Scheme, text: str) -> None:
    assert plain(rule(scheme)) == text


def test_a_line_without_words_is_an_error() -> None:
    with pytest.raises(TypeError, match="no words for Line"):
        sentences([Line()])
    assert sentence.registry
